//! Shapes of the files that Herald defines: tables that check them and become their JSON Schema.

use herald_diagnostics::{Diagnostic, Rule};

use crate::checks::contract::shape::{
    MISSING_KEY, WRONG_TYPE, missing_key, unknown_key, wrong_type,
};
use crate::duration;
use crate::text::{is_blank, meant, quote};
use crate::version::Version;
use crate::yaml::Yaml;

/// The largest whole number in any file: Kafka counts in 32 bits.
pub const MAX_INTEGER: u64 = 2_147_483_647;

/// Maximum number of labels of a mapping: all of them are part of every event.
pub const MAX_LABELS: usize = 16;

/// Shape of a value.
#[derive(Debug)]
pub enum Shape {
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
    /// Duration such as `7d`.
    Duration,
    /// Day such as `2027-01-31`.
    Date,
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
    /// One of several shapes, distinguished by the type of the YAML value.
    OneOf(&'static [Shape]),
}

/// A mapping with known keys.
#[derive(Debug)]
pub struct MapShape {
    /// Name of the definition in the schema.
    pub name: &'static str,
    /// Description in the schema.
    pub doc: &'static str,
    /// All keys.
    pub keys: &'static [Key],
}

/// A key of a [`MapShape`].
#[derive(Debug)]
pub struct Key {
    /// Name of the key.
    pub name: &'static str,
    /// Whether the key has to be there.
    pub required: bool,
    /// Shape of its value.
    pub shape: Shape,
    /// Description in the schema.
    pub doc: &'static str,
    /// JSON text of the default value.
    pub default: Option<&'static str>,
    /// Rule that is broken when a required key is missing.
    pub missing: &'static Rule,
    /// Rule that is broken when the value has another shape.
    mismatch: &'static Rule,
}

impl Key {
    /// Creates an optional key without a default.
    pub const fn new(name: &'static str, shape: Shape, doc: &'static str) -> Self {
        Self {
            name,
            required: false,
            shape,
            doc,
            default: None,
            missing: &MISSING_KEY,
            mismatch: &WRONG_TYPE,
        }
    }

    /// Makes the key required.
    #[must_use]
    pub const fn required(mut self) -> Self {
        self.required = true;
        self
    }

    /// Sets the rules of a missing key and of a wrong value.
    #[must_use]
    pub const fn rules(mut self, missing: &'static Rule, mismatch: &'static Rule) -> Self {
        self.missing = missing;
        self.mismatch = mismatch;
        self
    }

    /// Sets the default value, as JSON text.
    #[must_use]
    pub const fn default(mut self, json: &'static str) -> Self {
        self.default = Some(json);
        self
    }
}

impl Shape {
    /// Reports everything in `yaml` that does not have this shape. `what` names the value at the
    /// start of messages.
    pub fn check(&self, yaml: &Yaml, what: &str, diagnostics: &mut Vec<Diagnostic>) {
        match self.accepting(yaml) {
            Some(shape) => shape.check_inside(yaml, what, diagnostics),
            None => diagnostics.push(wrong_type(self, yaml, what, diagnostics)),
        }
    }

    /// Whether the value has this shape, whatever is inside.
    pub fn accepts(&self, yaml: &Yaml) -> bool {
        self.accepting(yaml).is_some()
    }

    /// Checks the values inside of a value that has the shape itself.
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

    /// Returns the shape that accepts the value, whatever is inside: itself, or one of several.
    fn accepting(&self, yaml: &Yaml) -> Option<&Self> {
        let accepts = match self {
            Self::OneOf(shapes) => return shapes.iter().find_map(|shape| shape.accepting(yaml)),
            Self::Any => true,
            Self::Text => yaml.as_str().is_some_and(|text| !is_blank(text)),
            Self::Word(words) => yaml.as_str().is_some_and(|text| words.contains(&text)),
            Self::Bool => yaml.as_bool().is_some(),
            Self::Integer(min) => yaml
                .as_u64()
                .is_some_and(|number| (*min..=MAX_INTEGER).contains(&number)),
            Self::Number => yaml.as_f64().is_some(),
            Self::Share => yaml
                .as_f64()
                .is_some_and(|number| (0.0..=1.0).contains(&number)),
            Self::Range(max) => match yaml.items() {
                [] => is_in_range(yaml, *max),
                ends => ends.len() == 2 && ends.iter().all(|end| is_in_range(end, *max)),
            },
            Self::Duration => yaml
                .as_str()
                .is_some_and(|text| duration::parse(text).is_ok()),
            Self::Date => yaml.as_str().is_some_and(is_date),
            Self::Version => Version::read(yaml).is_some(),
            Self::Scalar => yaml.as_text().is_some(),
            Self::List(_) => yaml.is_sequence(),
            Self::Map(_) | Self::Dict(_) => yaml.is_mapping(),
            Self::Labels => yaml.is_mapping() && yaml.entries().len() <= MAX_LABELS,
        };
        accepts.then_some(self)
    }

    /// Whether it accepts only some texts or numbers, so that messages have to show the value.
    pub fn is_particular(&self) -> bool {
        match self {
            Self::Word(_)
            | Self::Integer(_)
            | Self::Share
            | Self::Range(_)
            | Self::Duration
            | Self::Date
            | Self::Version => true,
            Self::OneOf(shapes) => shapes.iter().any(Self::is_particular),
            _ => false,
        }
    }

    /// Describes the shape for messages: `a list`, `text or a mapping`.
    pub fn describe(&self) -> String {
        match self {
            Self::Any => "any value".into(),
            Self::Text => "text".into(),
            Self::Word(words) => format!("one of {}", words.join(", ")),
            Self::Bool => "true or false".into(),
            Self::Integer(min) => format!("a whole number from {min} to {MAX_INTEGER}"),
            Self::Number => "a number".into(),
            Self::Share => "a number from 0 to 1".into(),
            Self::Range(max) => format!("a number from 0 to {max}, or two of them"),
            Self::Duration => "a duration such as 7d".into(),
            Self::Date => "a day such as 2027-01-31".into(),
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
    /// Reports everything in a mapping that does not have this shape.
    pub fn check(&self, yaml: &Yaml, diagnostics: &mut Vec<Diagnostic>) {
        let mut meant = Vec::new();
        for (written, value) in yaml.entries() {
            let Some(key) = self.keys.iter().find(|key| key.name == written.text) else {
                let name = self.meant(&written.text, diagnostics);
                diagnostics.push(unknown_key(self, &written.text, written.location, name));
                meant.extend(name);
                continue;
            };
            let what = quote(key.name);
            if let Some(shape) = key.shape.accepting(value) {
                shape.check_inside(value, &what, diagnostics);
            } else {
                let mut diagnostic = wrong_type(&key.shape, value, &what, diagnostics);
                diagnostic.rule = key.mismatch;
                diagnostics.push(diagnostic);
            }
        }
        for key in self.keys.iter().filter(|key| key.required) {
            // A misspelled key is reported already, with the right spelling.
            if yaml.get_or_null(key.name).is_none() && !meant.contains(&key.name) {
                diagnostics.push(missing_key(self, key, yaml.head()));
            }
        }
    }

    /// Returns the key that an unknown word is probably a misspelling of.
    fn meant(&self, word: &str, diagnostics: &[Diagnostic]) -> Option<&'static str> {
        meant(word, self.keys.iter().map(|key| key.name), diagnostics)
    }

    /// Whether a word is a key, or probably a misspelled one.
    pub fn resembles(&self, word: &str) -> bool {
        self.keys.iter().any(|key| key.name == word) || self.meant(word, &[]).is_some()
    }
}

/// Days, as a pattern of JSON Schema. [`is_date`] accepts the same.
pub(crate) const DATE_PATTERN: &str = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$";

fn is_date(text: &str) -> bool {
    let is_part = |(index, byte): (usize, u8)| match index {
        4 | 7 => byte == b'-',
        _ => byte.is_ascii_digit(),
    };
    text.len() == 10 && text.bytes().enumerate().all(is_part)
}

fn is_in_range(yaml: &Yaml, max: u64) -> bool {
    #[expect(clippy::cast_precision_loss, reason = "no table has a limit of 2⁵³")]
    let max = max as f64;
    yaml.as_f64()
        .is_some_and(|number| (0.0..=max).contains(&number))
}
