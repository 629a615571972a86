//! Baselines: known diagnostics of `herald check`, so that only new ones are reported.
//!
//! An entry is a rule, a path and a message with a number of places, not a line: lines move with
//! every change of a file, and a second problem of the kind is still found.

use std::collections::BTreeMap;
use std::path::Path;

use herald_catalog::checks;
use herald_catalog::load;
use herald_catalog::shape::{Key, MapShape, Shape};
use herald_catalog::yaml::{self, Yaml};
use herald_catalog::yaml_text::Text;
use herald_diagnostics::{Diagnostic, Location, Severity, Source, Sources, Span};
use jiff::civil::Date;

/// Name of a project's baseline, unless it sets another.
pub const DEFAULT_FILE: &str = load::BASELINE_FILE;

static BASELINE: MapShape = MapShape {
    name: "baseline",
    doc: "Known diagnostics of `herald check`.",
    keys: &[Key::new(
        "known",
        Shape::List(&Shape::Map(&ENTRY)),
        "The diagnostics.",
    )
    .required()],
};

static ENTRY: MapShape = MapShape {
    name: "known",
    doc: "A known diagnostic.",
    keys: &[
        Key::new("rule", Shape::Text, "Code of the rule.").required(),
        Key::new("path", Shape::Text, "Contract, relative to the project.").required(),
        Key::new("message", Shape::Text, "The message.").required(),
        Key::new("count", Shape::Integer(1), "Number of places.").default("1"),
        Key::new("reason", Shape::Text, "Why it is not solved now."),
        Key::new("owner", Shape::Text, "Who will solve it."),
        Key::new("until", Shape::Date, "Last day."),
    ],
};

/// Rule, path and message of a known diagnostic.
type Subject = (String, String, String);

/// Number, reason and owner of a known diagnostic.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Known {
    /// Number of places.
    pub count: u64,
    /// Reason why it is not solved now.
    pub reason: Option<String>,
    /// Person or team that will solve it.
    pub owner: Option<String>,
    /// Last day.
    pub until: Option<Date>,
    /// Place of the entry.
    pub location: Location,
}

/// Known diagnostics.
#[derive(Clone, Debug, Default)]
pub struct Baseline {
    known: BTreeMap<Subject, Known>,
    /// Text of the file, for diagnostics about entries.
    pub sources: Sources,
}

impl Baseline {
    /// Reads a baseline.
    ///
    /// # Errors
    /// The diagnostics of an invalid file, and its text.
    pub fn read(path: &Path) -> Result<Self, (Vec<Diagnostic>, Sources)> {
        let mut sources = Sources::default();
        let mut diagnostics = Vec::new();
        let text = load::read_text(path).unwrap_or_else(|diagnostic| {
            diagnostics.push(*diagnostic);
            String::new()
        });
        let id = sources.add(Source::new(path.to_string_lossy(), text));
        for diagnostic in &mut diagnostics {
            let span = Span::default();
            diagnostic.location = Some(Location { source: id, span });
        }
        let source = sources.get(id).clone();
        let mut baseline = Self::default();
        if diagnostics.is_empty()
            && let Some(tree) = yaml::parse(id, &source, &mut diagnostics)
        {
            Shape::Map(&BASELINE).check(&tree, "the baseline", &mut diagnostics);
            let entries = tree.get("known").map(Yaml::items).unwrap_or_default();
            for entry in entries {
                let known = read_entry(entry, &mut diagnostics);
                baseline.known.extend(known);
            }
        }
        diagnostics.retain(|diagnostic| diagnostic.severity != Severity::Info);
        if !diagnostics.is_empty() {
            for diagnostic in &mut diagnostics {
                diagnostic.severity = Severity::Error;
            }
            return Err((diagnostics, sources));
        }
        baseline.sources = sources;
        Ok(baseline)
    }

    /// Removes known diagnostics, and returns what is odd about entries: those that have expired,
    /// and, of a run over the whole project, those that are solved.
    pub fn apply(
        &self,
        diagnostics: &mut Vec<Diagnostic>,
        path_of: &dyn Fn(&Diagnostic) -> Option<String>,
        today: Date,
        is_whole: bool,
    ) -> Vec<Diagnostic> {
        let mut left: BTreeMap<&Subject, u64> = BTreeMap::new();
        for (subject, known) in &self.known {
            let is_current = known.until.is_none_or(|last| last >= today);
            left.insert(subject, if is_current { known.count } else { 0 });
        }
        diagnostics.retain(|diagnostic| {
            let Some(subject) = subject_of(diagnostic, path_of) else {
                return true;
            };
            match left.get_mut(&subject) {
                Some(left) if *left > 0 => {
                    *left -= 1;
                    false
                }
                _ => true,
            }
        });
        let odd = self.known.iter().filter_map(|(subject, known)| {
            let what = format!("the baseline's entry for `{}`", subject.0);
            match known.until {
                Some(last) if last < today => {
                    let last = last.to_string();
                    Some(checks::config::expired(&what, &last, known.location))
                }
                _ if is_whole && left[subject] == known.count => {
                    Some(checks::config::unused(&what, known.location))
                }
                _ => None,
            }
        });
        odd.collect()
    }

    /// A baseline of these diagnostics. Entries that are known already are kept as they are; others
    /// are like `new`.
    #[must_use]
    pub fn of(
        &self,
        diagnostics: &[Diagnostic],
        path_of: &dyn Fn(&Diagnostic) -> Option<String>,
        new: &Known,
    ) -> Self {
        let mut known: BTreeMap<Subject, Known> = BTreeMap::new();
        for diagnostic in diagnostics {
            if let Some(subject) = subject_of(diagnostic, path_of) {
                let earlier = self.known.get(&subject).unwrap_or(new);
                let entry = known.entry(subject).or_insert_with(|| Known {
                    count: 0,
                    ..earlier.clone()
                });
                entry.count += 1;
            }
        }
        Self {
            known,
            sources: Sources::default(),
        }
    }

    /// Number of known diagnostics.
    pub fn len(&self) -> u64 {
        self.known.values().map(|known| known.count).sum()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.known.is_empty()
    }

    /// The text of the file.
    pub fn to_text(&self) -> String {
        let entries = self.known.iter().map(|((rule, path, message), known)| {
            let words = [
                ("rule", Some(Text::scalar(rule))),
                ("path", Some(Text::scalar(path))),
                ("message", Some(Text::scalar(message))),
                (
                    "count",
                    (known.count > 1).then(|| Text::number(known.count)),
                ),
                ("reason", known.reason.as_deref().map(Text::scalar)),
                ("owner", known.owner.as_deref().map(Text::scalar)),
                (
                    "until",
                    known.until.map(|day| Text::scalar(&day.to_string())),
                ),
            ];
            let words = words.into_iter();
            Text::Mapping(
                words
                    .filter_map(|(key, text)| Some((key.to_owned(), text?)))
                    .collect(),
            )
        });
        let mut text =
            "# Known diagnostics of `herald check`, written by `herald check --write-baseline`.\n\
            # Give each a reason, an owner and a last day (`until`).\n"
                .to_owned();
        let known = Text::List(entries.collect());
        Text::Mapping(vec![("known".to_owned(), known)]).write(0, &mut text);
        text
    }
}

/// Identity of a diagnostic: not its line, which moves. `None` for errors of Herald's own
/// rules, from which nothing is generated.
fn subject_of(
    diagnostic: &Diagnostic,
    path_of: &dyn Fn(&Diagnostic) -> Option<String>,
) -> Option<Subject> {
    if diagnostic.rule.severity == Severity::Error {
        return None;
    }
    let message = diagnostic.message.clone();
    Some((
        diagnostic.rule.code.to_owned(),
        path_of(diagnostic)?,
        message,
    ))
}

fn read_entry(yaml: &Yaml, diagnostics: &mut Vec<Diagnostic>) -> Option<(Subject, Known)> {
    let text = |key: &str| yaml.get(key).and_then(Yaml::as_str).map(str::to_owned);
    let subject = (text("rule")?, text("path")?, text("message")?);
    let known = Known {
        count: yaml.get("count").and_then(Yaml::as_u64).unwrap_or(1),
        reason: text("reason"),
        owner: text("owner"),
        until: (yaml.get("until")).and_then(|day| crate::read_date(day, diagnostics)),
        location: yaml.head(),
    };
    Some((subject, known))
}
