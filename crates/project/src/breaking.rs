//! `breaking` in `herald.yaml`: what `herald breaking` reports, and exceptions from it.

use herald_breaking::rules::RULES;
use herald_breaking::{Direction, Directions};
use herald_catalog::checks;
use herald_catalog::contract::Located;
use herald_catalog::shape::{Key, MapShape, Shape};
use herald_catalog::yaml::Yaml;
use herald_diagnostics::{Diagnostic, Location};
use jiff::civil::Date;

pub(crate) static BREAKING: MapShape = MapShape {
    name: "breaking",
    doc: "Settings of `herald breaking`.",
    keys: &[
        Key::new(
            "use",
            Shape::List(&Shape::Word(&["consumer", "producer", "source"])),
            "Directions that fail, unless `--direction` names others.",
        )
        .default("[\"consumer\", \"producer\", \"source\"]"),
        Key::new(
            "except",
            Shape::List(&Shape::Text),
            "Codes of rules that are not used.",
        ),
        Key::new(
            "ignore",
            Shape::List(&Shape::Map(&IGNORE)),
            "Agreed breaks, which are not reported. Expired ones have no effect; those that match nothing are reported.",
        ),
        Key::new(
            "unstable",
            Shape::List(&Shape::Text),
            "Globs of event types, topics and paths of contracts that may change in any way.",
        ),
    ],
};

static IGNORE: MapShape = MapShape {
    name: "ignore",
    doc: "An agreed break.",
    keys: &[
        Key::new("rule", Shape::Text, "Code of the rule.").required(),
        Key::new(
            "path",
            Shape::Text,
            "Glob of contracts, relative to this file. Left out, all of them.",
        ),
        Key::new(
            "event",
            Shape::Text,
            "Glob of event types. Left out, all of them.",
        ),
        Key::new(
            "until",
            Shape::Date,
            "Last day, such as 2027-01-31. Left out, it never expires.",
        ),
        Key::new("reason", Shape::Text, "Why consumers are not hurt.").required(),
    ],
};

/// Settings of `herald breaking`.
#[derive(Clone, Debug, Default)]
pub struct Breaking {
    /// Directions that fail; empty when not set.
    pub directions: Directions,
    /// Codes of rules that are not used.
    pub except: Vec<String>,
    /// Agreed breaks.
    pub ignores: Vec<Ignore>,
    /// Globs of event types, topics and paths of contracts that may change in any way.
    pub unstable: Vec<Located<String>>,
}

/// An agreed break.
#[derive(Clone, Debug)]
pub struct Ignore {
    /// Code of the rule.
    pub rule: String,
    /// Glob of contracts, relative to the project; all when `None`.
    pub path: Option<String>,
    /// Glob of event types; all when `None`.
    pub event: Option<String>,
    /// Last day on which it applies.
    pub until: Option<Date>,
    /// Reason why consumers are not hurt.
    pub reason: String,
    /// Place of the rule's code.
    pub location: Location,
}

impl Breaking {
    pub(crate) fn read(yaml: &Yaml, diagnostics: &mut Vec<Diagnostic>) -> Self {
        let list = |key: &str| yaml.get(key).map(Yaml::items).unwrap_or_default();
        let directions = list("use").iter().filter_map(Yaml::as_str);
        let directions = directions.filter_map(|word| word.parse::<Direction>().ok());
        for code in list("except") {
            check_rule(code, diagnostics);
        }
        for glob in list("unstable") {
            crate::check_glob(glob, diagnostics);
        }
        Self {
            directions: directions.collect(),
            except: (list("except").iter().filter_map(Yaml::as_str))
                .map(str::to_owned)
                .collect(),
            ignores: (list("ignore").iter())
                .filter_map(|ignore| Ignore::read(ignore, diagnostics))
                .collect(),
            unstable: (list("unstable").iter())
                .filter_map(|glob| Some(Located::new(glob.as_str()?.to_owned(), glob.location)))
                .collect(),
        }
    }
}

impl Ignore {
    fn read(yaml: &Yaml, diagnostics: &mut Vec<Diagnostic>) -> Option<Self> {
        let text = |key: &str| yaml.get(key).and_then(Yaml::as_str).map(str::to_owned);
        let rule = yaml.get("rule")?;
        check_rule(rule, diagnostics);
        for key in ["path", "event"] {
            if let Some(glob) = yaml.get(key) {
                crate::check_glob(glob, diagnostics);
            }
        }
        Some(Self {
            rule: rule.as_str()?.to_owned(),
            path: text("path"),
            event: text("event"),
            until: (yaml.get("until")).and_then(|day| crate::read_date(day, diagnostics)),
            reason: text("reason").unwrap_or_default(),
            location: rule.location,
        })
    }
}

fn check_rule(code: &Yaml, diagnostics: &mut Vec<Diagnostic>) {
    let Some(text) = code.as_str() else { return };
    let codes = || RULES.iter().map(|rule| rule.rule.code);
    if !codes().any(|known| known == text) {
        diagnostics.push(checks::config::unknown_breaking_rule(
            text,
            codes(),
            code.location,
            diagnostics,
        ));
    }
}
