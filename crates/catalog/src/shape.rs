//! The shape of files that Herald defines: one table that checks them and becomes their schema.

use herald_diagnostics::did_you_mean;
use herald_diagnostics::{Diagnostic, Location, Rule, Severity};

use crate::rules;
use crate::yaml::{Value, Yaml};

/// What may stand at a place of a file.
#[derive(Debug)]
pub(crate) enum Shape {
    /// Anything.
    Any,
    /// Text that is not empty.
    Text,
    /// One of these texts, in any case.
    Word(&'static [&'static str]),
    /// `true` or `false`.
    Bool,
    /// Whole number of at least this.
    Integer(u64),
    /// Any scalar.
    Scalar,
    /// List of values of one shape.
    List(&'static Shape),
    /// Mapping with known keys.
    Map(&'static MapShape),
    /// Mapping of names to values of one shape.
    Dict(&'static Shape),
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
    /// Reports everything in `yaml` that does not have this shape.
    pub(crate) fn check(&self, yaml: &Yaml, what: &str, findings: &mut Vec<Diagnostic>) {
        match self {
            Self::Any => {}
            Self::Map(map) if yaml.is_mapping() => map.check(yaml, findings),
            Self::Dict(shape) if yaml.is_mapping() => {
                for (key, value) in yaml.entries() {
                    shape.check(value, &key.text, findings);
                }
            }
            Self::List(shape) if yaml.is_sequence() => {
                for item in yaml.items() {
                    shape.check(item, what, findings);
                }
            }
            Self::OneOf(shapes) => match shapes.iter().find(|shape| shape.takes(yaml)) {
                Some(shape) => shape.check(yaml, what, findings),
                None => findings.push(self.mismatch(yaml, what)),
            },
            _ if self.takes(yaml) => {}
            _ => findings.push(self.mismatch(yaml, what)),
        }
    }

    /// Whether the value is of the right sort, whatever is inside.
    fn takes(&self, yaml: &Yaml) -> bool {
        match self {
            Self::Any => true,
            Self::Text => yaml.as_str().is_some_and(|text| !text.trim().is_empty()),
            Self::Word(words) => yaml
                .as_str()
                .is_some_and(|text| words.iter().any(|word| word.eq_ignore_ascii_case(text))),
            Self::Bool => yaml.as_bool().is_some(),
            Self::Integer(least) => yaml.as_u64().is_some_and(|number| number >= *least),
            Self::Scalar => yaml.as_text().is_some(),
            Self::List(_) => yaml.is_sequence(),
            Self::Map(_) | Self::Dict(_) => yaml.is_mapping(),
            Self::OneOf(shapes) => shapes.iter().any(|shape| shape.takes(yaml)),
        }
    }

    fn mismatch(&self, yaml: &Yaml, what: &str) -> Diagnostic {
        let found = match &yaml.value {
            Value::Scalar(scalar)
                if matches!(self, Self::Text) && scalar.text.trim().is_empty() =>
            {
                "nothing".to_owned()
            }
            Value::Scalar(scalar) if matches!(self, Self::Word(_) | Self::Integer(_)) => {
                format!("`{}`", scalar.text)
            }
            _ => yaml.describe().to_owned(),
        };
        let finding = Diagnostic::new(
            &rules::CONTRACT_WRONG_TYPE,
            format!("`{what}` has to be {}, found {found}", self.describe()),
        )
        .at(yaml.location);
        match (self, yaml.as_text()) {
            (Self::Word(words), Some(text)) => match did_you_mean(text, words.iter().copied()) {
                Some(word) => finding.help(format!("did you mean `{word}`?")),
                None => finding,
            },
            (Self::Text, Some(text)) if !text.trim().is_empty() => finding.help(format!(
                "put it in quotes if it is meant as text: \"{text}\""
            )),
            (Self::List(_), Some(text)) => finding.help(format!("write it as a list: [{text}]")),
            _ => finding,
        }
    }

    /// For messages: `a list of texts`.
    pub(crate) fn describe(&self) -> String {
        match self {
            Self::Any => "any value".into(),
            Self::Text => "text".into(),
            Self::Word(words) => format!("one of {}", words.join(", ")),
            Self::Bool => "true or false".into(),
            Self::Integer(least) => format!("a whole number of at least {least}"),
            Self::Scalar => "text, a number or a boolean".into(),
            Self::List(_) => "a list".into(),
            Self::Map(_) => "a mapping".into(),
            Self::Dict(_) => "a mapping of names to values".into(),
            Self::OneOf(shapes) => shapes
                .iter()
                .map(Self::describe)
                .collect::<Vec<_>>()
                .join(" or "),
        }
    }
}

impl MapShape {
    pub(crate) fn check(&self, yaml: &Yaml, findings: &mut Vec<Diagnostic>) {
        for (written, value) in yaml.entries() {
            match self.keys.iter().find(|key| key.name == written.text) {
                // A key without a value is a key left out.
                Some(key) if value.is_null() && !key.required => {}
                Some(key) => {
                    let before = findings.len();
                    key.shape.check(value, key.name, findings);
                    for finding in &mut findings[before..] {
                        if finding.location == Some(value.location) {
                            finding.rule = key.mismatch;
                        }
                    }
                }
                None => findings.push(self.unknown(&written.text, written.location)),
            }
        }
        for key in self.keys.iter().filter(|key| key.required) {
            if !yaml
                .entries()
                .iter()
                .any(|(written, _)| written.text == key.name)
            {
                let mut finding =
                    Diagnostic::new(key.missing, format!("`{}` is missing", key.name))
                        .at(yaml.location)
                        .help(format!("add `{}`: {}", key.name, key.doc));
                // Some of these rules are milder in ONEX contracts, where nothing is required.
                finding.severity = Severity::Error;
                findings.push(finding);
            }
        }
    }

    fn unknown(&self, word: &str, location: Location) -> Diagnostic {
        let finding = Diagnostic::new(
            &rules::CONTRACT_UNKNOWN_KEY,
            format!("unknown key `{word}`"),
        )
        .at(location);
        let known = || self.keys.iter().map(|key| key.name);
        match did_you_mean(word, known()) {
            Some(key) => finding.help(format!("did you mean `{key}`?")),
            None => finding.help(format!(
                "known here: {}",
                known().collect::<Vec<_>>().join(", ")
            )),
        }
    }

    /// Whether a word is a key, or so close to one that it was meant as one.
    pub(crate) fn resembles(&self, word: &str) -> bool {
        did_you_mean(word, self.keys.iter().map(|key| key.name)).is_some()
            || self.keys.iter().any(|key| key.name == word)
    }
}
