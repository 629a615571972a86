//! The shape of files that Herald defines: one table that checks them and becomes their schema.

use herald_diagnostics::{Diagnostic, Location, Rule, Severity};

use crate::duration;
use crate::rules;
use crate::text::{did_you_mean, is_blank, meant, quote};
use crate::version::Version;
use crate::yaml::{Value, Yaml};

/// The largest whole number, everywhere: Kafka counts in 32 bits.
pub(crate) const MAX_INTEGER: u64 = 2_147_483_647;

/// Labels that a mapping has at most: each of them goes with each event.
pub(crate) const MAX_LABELS: usize = 16;

/// What may stand at a place of a file.
#[derive(Debug)]
pub(crate) enum Shape {
    /// Anything.
    Any,
    /// Text that is not empty.
    Text,
    /// One of these texts.
    Word(&'static [&'static str]),
    /// `true` or `false`.
    Bool,
    /// Whole number from this to [`MAX_INTEGER`].
    Integer(u64),
    /// Any finite number.
    Number,
    /// Number from 0 to 1.
    Share,
    /// Number from 0 to this, or two such numbers: the lowest and the highest.
    Range(u64),
    /// How long something takes, such as `7d`.
    Duration,
    /// Version, as text or as a number.
    Version,
    /// Any scalar.
    Scalar,
    /// List of values of one shape.
    List(&'static Shape),
    /// Mapping with known keys.
    Map(&'static MapShape),
    /// Mapping of names to values of one shape.
    Dict(&'static Shape),
    /// Mapping of at most [`MAX_LABELS`] names to scalars.
    Labels,
    /// One of several shapes, told apart by what YAML gives.
    OneOf(&'static [Shape]),
}

/// A mapping with known keys.
#[derive(Debug)]
pub(crate) struct MapShape {
    /// Name of the definition in the schema.
    pub(crate) name: &'static str,
    /// For people.
    pub(crate) doc: &'static str,
    /// All keys.
    pub(crate) keys: &'static [Key],
}

/// A key of a [`MapShape`].
#[derive(Debug)]
pub(crate) struct Key {
    pub(crate) name: &'static str,
    pub(crate) required: bool,
    pub(crate) shape: Shape,
    pub(crate) doc: &'static str,
    /// JSON text of the value that stands in when the key is left out.
    pub(crate) default: Option<&'static str>,
    /// What is broken when a required key is missing.
    missing: &'static Rule,
    /// What is broken when its value has another shape.
    mismatch: &'static Rule,
}

impl Key {
    pub(crate) const fn new(name: &'static str, shape: Shape, doc: &'static str) -> Self {
        Self {
            name,
            required: false,
            shape,
            doc,
            default: None,
            missing: &rules::CONTRACT_MISSING_KEY,
            mismatch: &rules::CONTRACT_WRONG_TYPE,
        }
    }

    pub(crate) const fn required(mut self) -> Self {
        self.required = true;
        self
    }

    /// Reports a missing key and a wrong value under rules of their own.
    pub(crate) const fn rules(mut self, missing: &'static Rule, mismatch: &'static Rule) -> Self {
        self.missing = missing;
        self.mismatch = mismatch;
        self
    }

    pub(crate) const fn default(mut self, json: &'static str) -> Self {
        self.default = Some(json);
        self
    }
}

impl Shape {
    /// Reports everything in `yaml` that does not have this shape. `what` it is stands at the
    /// start of messages.
    pub(crate) fn check(&self, yaml: &Yaml, what: &str, diagnostics: &mut Vec<Diagnostic>) {
        match self.taking(yaml) {
            Some(shape) => shape.check_inside(yaml, what, diagnostics),
            None => diagnostics.push(self.mismatch(yaml, what, diagnostics)),
        }
    }

    /// Goes on with what is inside of a value that is of the right sort itself.
    fn check_inside(&self, yaml: &Yaml, what: &str, diagnostics: &mut Vec<Diagnostic>) {
        match self {
            Self::Map(map) => map.check(yaml, diagnostics),
            Self::Dict(shape) => {
                for (key, value) in yaml.entries() {
                    shape.check(value, &quote(&key.text), diagnostics);
                }
            }
            Self::Labels => {
                for (key, value) in yaml.entries() {
                    Self::Scalar.check(value, &quote(&key.text), diagnostics);
                }
            }
            Self::List(shape) => {
                let what = format!("an item of {what}");
                for item in yaml.items() {
                    shape.check(item, &what, diagnostics);
                }
            }
            _ => {}
        }
    }

    /// The shape that takes the value, whatever is inside: itself, or one of several.
    fn taking(&self, yaml: &Yaml) -> Option<&Self> {
        let takes = match self {
            Self::OneOf(shapes) => return shapes.iter().find_map(|shape| shape.taking(yaml)),
            Self::Any => true,
            Self::Text => yaml.as_str().is_some_and(|text| !is_blank(text)),
            Self::Word(words) => yaml.as_str().is_some_and(|text| words.contains(&text)),
            Self::Bool => yaml.as_bool().is_some(),
            Self::Integer(least) => yaml
                .as_u64()
                .is_some_and(|number| (*least..=MAX_INTEGER).contains(&number)),
            Self::Number => yaml.as_f64().is_some(),
            Self::Share => yaml
                .as_f64()
                .is_some_and(|number| (0.0..=1.0).contains(&number)),
            Self::Range(most) => match yaml.items() {
                [] => is_in_range(yaml, *most),
                ends => ends.len() == 2 && ends.iter().all(|end| is_in_range(end, *most)),
            },
            Self::Duration => yaml
                .as_str()
                .is_some_and(|text| duration::parse(text).is_some()),
            Self::Version => Version::read(yaml).is_some(),
            Self::Scalar => yaml.as_text().is_some(),
            Self::List(_) => yaml.is_sequence(),
            Self::Map(_) | Self::Dict(_) => yaml.is_mapping(),
            Self::Labels => yaml.is_mapping() && yaml.entries().len() <= MAX_LABELS,
        };
        takes.then_some(self)
    }

    fn mismatch(&self, yaml: &Yaml, what: &str, diagnostics: &[Diagnostic]) -> Diagnostic {
        let found = match &yaml.value {
            Value::Scalar(scalar) if is_blank(&scalar.text) => "nothing".to_owned(),
            Value::Scalar(scalar) if self.is_particular() => quote(&scalar.text),
            _ => yaml.describe().to_owned(),
        };
        let diagnostic = Diagnostic::new(
            &rules::CONTRACT_WRONG_TYPE,
            format!("{what} has to be {}, found {found}", self.describe()),
        )
        .at(yaml.head());
        let written = yaml.as_text().filter(|text| !is_blank(text));
        let short = written.filter(|text| text.len() <= 40 && !text.contains(['"', '\n']));
        let help = match (self, written) {
            (Self::Word(words), Some(text)) => {
                did_you_mean(text, words.iter().copied(), diagnostics)
            }
            (Self::Text, Some(_)) => {
                let example = short
                    .map(|text| format!(": \"{text}\""))
                    .unwrap_or_default();
                Some(format!("if it is meant as text, put it in quotes{example}"))
            }
            (Self::Bool, Some("yes" | "on")) => Some("write `true`".to_owned()),
            (Self::Bool, Some("no" | "off")) => Some("write `false`".to_owned()),
            (Self::List(_), Some(_)) => {
                let example = short.map(|text| format!(": [{text}]")).unwrap_or_default();
                Some(format!("write it as a list{example}"))
            }
            (Self::Range(most), _) if found != "nothing" => Some(format!(
                "write one number, or the lowest and the highest: `[0, {most}]`"
            )),
            (Self::Duration, Some(_)) => {
                Some("write a number and its unit: `12h`, `7d`".to_owned())
            }
            (_, None) if found == "nothing" => Some("give it a value, or remove it".to_owned()),
            _ => None,
        };
        match help {
            Some(help) => diagnostic.help(help),
            None => diagnostic,
        }
    }

    /// Whether it takes only some texts or numbers, so that the sort of a value says too little.
    fn is_particular(&self) -> bool {
        match self {
            Self::Word(_)
            | Self::Integer(_)
            | Self::Share
            | Self::Range(_)
            | Self::Duration
            | Self::Version => true,
            Self::OneOf(shapes) => shapes.iter().any(Self::is_particular),
            _ => false,
        }
    }

    /// For messages: `a list`, `text or a mapping`.
    fn describe(&self) -> String {
        match self {
            Self::Any => "any value".into(),
            Self::Text => "text".into(),
            Self::Word(words) => format!("one of {}", words.join(", ")),
            Self::Bool => "true or false".into(),
            Self::Integer(least) => format!("a whole number from {least} to {MAX_INTEGER}"),
            Self::Number => "a number".into(),
            Self::Share => "a number from 0 to 1".into(),
            Self::Range(most) => format!("a number from 0 to {most}, or two of them"),
            Self::Duration => "a duration such as 7d".into(),
            Self::Version => "a version such as 1.2.0".into(),
            Self::Scalar => "text, a number or a boolean".into(),
            Self::List(_) => "a list".into(),
            Self::Map(_) => "a mapping".into(),
            Self::Dict(_) => "a mapping of names to values".into(),
            Self::Labels => format!("a mapping of at most {MAX_LABELS} names to values"),
            Self::OneOf(shapes) => {
                let shapes: Vec<_> = shapes.iter().map(Self::describe).collect();
                shapes.join(" or ")
            }
        }
    }
}

impl MapShape {
    /// Reports everything in a mapping that this shape does not have.
    pub(crate) fn check(&self, yaml: &Yaml, diagnostics: &mut Vec<Diagnostic>) {
        let mut meant = Vec::new();
        for (written, value) in yaml.entries() {
            let Some(key) = self.keys.iter().find(|key| key.name == written.text) else {
                let name = self.meant(&written.text, diagnostics);
                diagnostics.push(self.unknown(&written.text, written.location, name));
                meant.extend(name);
                continue;
            };
            let what = quote(key.name);
            if let Some(shape) = key.shape.taking(value) {
                shape.check_inside(value, &what, diagnostics);
            } else {
                let mut diagnostic = key.shape.mismatch(value, &what, diagnostics);
                diagnostic.rule = key.mismatch;
                diagnostics.push(diagnostic);
            }
        }
        for key in self.keys.iter().filter(|key| key.required) {
            // A typo of the key is reported already, and says what it should have been.
            if yaml.get_or_null(key.name).is_none() && !meant.contains(&key.name) {
                diagnostics.push(self.missing(key, yaml.head()));
            }
        }
    }

    /// The key that an unknown word was probably meant as.
    fn meant(&self, word: &str, diagnostics: &[Diagnostic]) -> Option<&'static str> {
        meant(word, self.keys.iter().map(|key| key.name), diagnostics)
    }

    fn unknown(&self, word: &str, location: Location, meant: Option<&str>) -> Diagnostic {
        let diagnostic = Diagnostic::new(
            &rules::CONTRACT_UNKNOWN_KEY,
            format!("unknown key {}", quote(word)),
        );
        let help = meant.map_or_else(
            || {
                let names: Vec<_> = self.keys.iter().map(|key| key.name).collect();
                format!("known here: {}", names.join(", "))
            },
            |name| format!("did you mean `{name}`?"),
        );
        diagnostic.at(location).help(help)
    }

    fn missing(&self, key: &Key, location: Location) -> Diagnostic {
        let doc = key.doc.split_once(". ").map_or(key.doc, |(first, _)| first);
        let doc = doc.trim_end_matches('.');
        let mut diagnostic = Diagnostic::new(
            key.missing,
            format!(
                "`{}` is missing from the {}",
                key.name,
                self.name.replace('_', " ")
            ),
        )
        .at(location)
        .help(format!("add `{}: …` ({})", key.name, lowercase_first(doc)));
        // Some of these rules are milder in ONEX contracts, where nothing is required.
        diagnostic.severity = Severity::Error;
        diagnostic
    }

    /// Whether a word is a key, or so close to one that it was meant as one.
    pub(crate) fn resembles(&self, word: &str) -> bool {
        self.keys.iter().any(|key| key.name == word) || self.meant(word, &[]).is_some()
    }
}

fn is_in_range(yaml: &Yaml, most: u64) -> bool {
    #[expect(clippy::cast_precision_loss, reason = "no table has a limit of 2⁵³")]
    let most = most as f64;
    yaml.as_f64()
        .is_some_and(|number| (0.0..=most).contains(&number))
}

fn lowercase_first(text: &str) -> String {
    let mut chars = text.chars();
    let first = chars.next().map(|c| c.to_ascii_lowercase());
    first.into_iter().chain(chars).collect()
}
