//! Decoder of the limits of fields.

use herald_diagnostics::Diagnostic;
use serde_json::{Number, Value};

use crate::checks;
use crate::fields::{Limits, Type};
use crate::pattern;
use crate::yaml::Yaml;

/// Kind of values that a limit applies to.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Subject {
    Numbers,
    /// Binary fractions have no exact multiples.
    WholeNumbers,
    Texts,
    Lists,
    /// Lists whose items have one form each, so that equal items are equal texts.
    ListsOfScalars,
}

/// Every limit: its key, the word for it in Python's models, and its subject.
const LIMITS: [(&str, &str, Subject); 11] = [
    ("minimum", "ge", Subject::Numbers),
    ("maximum", "le", Subject::Numbers),
    ("exclusive_minimum", "gt", Subject::Numbers),
    ("exclusive_maximum", "lt", Subject::Numbers),
    ("multiple_of", "multipleOf", Subject::WholeNumbers),
    ("min_length", "minLength", Subject::Texts),
    ("max_length", "maxLength", Subject::Texts),
    ("pattern", "pattern", Subject::Texts),
    ("min_items", "minItems", Subject::Lists),
    ("max_items", "maxItems", Subject::Lists),
    ("unique_items", "uniqueItems", Subject::ListsOfScalars),
];

/// Reads the limits of a type. Limits that don't apply to it, or can't be used, are reported and
/// left out.
pub(crate) fn read(yaml: &Yaml, ty: &Type, diagnostics: &mut Vec<Diagnostic>) -> Limits {
    let mut limits = Limits::default();
    for (key, word, subject) in LIMITS {
        let Some(value) = yaml.get(key).or_else(|| yaml.get(word)) else {
            continue;
        };
        if !takes(ty, subject) {
            diagnostics.push(checks::fields::limit::wrong_subject(
                key, ty, subject, value,
            ));
            continue;
        }
        match key {
            "minimum" => limits.minimum = number(key, value, ty, diagnostics),
            "maximum" => limits.maximum = number(key, value, ty, diagnostics),
            "exclusive_minimum" => limits.exclusive_minimum = number(key, value, ty, diagnostics),
            "exclusive_maximum" => limits.exclusive_maximum = number(key, value, ty, diagnostics),
            "min_length" => limits.min_length = size(value),
            "max_length" => limits.max_length = size(value),
            "min_items" => limits.min_items = size(value),
            "max_items" => limits.max_items = size(value),
            "multiple_of" => limits.multiple_of = number(key, value, ty, diagnostics),
            "unique_items" => limits.unique_items = value.as_bool().filter(|unique| *unique),
            _ => limits.pattern = portable(value, diagnostics),
        }
    }
    check_ranges(yaml, &limits, ty, diagnostics);
    limits
}

/// Returns those of the limits that apply to a type.
pub(crate) fn of_type(limits: &Limits, ty: &Type) -> Limits {
    let limits = limits.clone();
    let of = |subject| takes(ty, subject);
    let (numbers, texts, lists) = (of(Subject::Numbers), of(Subject::Texts), of(Subject::Lists));
    Limits {
        minimum: limits.minimum.filter(|_| numbers),
        maximum: limits.maximum.filter(|_| numbers),
        exclusive_minimum: limits.exclusive_minimum.filter(|_| numbers),
        exclusive_maximum: limits.exclusive_maximum.filter(|_| numbers),
        multiple_of: limits.multiple_of.filter(|_| of(Subject::WholeNumbers)),
        min_length: limits.min_length.filter(|_| texts),
        max_length: limits.max_length.filter(|_| texts),
        pattern: limits.pattern.filter(|_| texts),
        min_items: limits.min_items.filter(|_| lists),
        max_items: limits.max_items.filter(|_| lists),
        unique_items: limits.unique_items.filter(|_| of(Subject::ListsOfScalars)),
        items: limits.items.filter(|_| lists),
        json_schema: limits.json_schema,
    }
}

/// Adds the limits that are not set yet.
pub(crate) fn add_missing(limits: &mut Limits, more: &Limits) {
    fn add<T: Clone>(limit: &mut Option<T>, more: Option<&T>) {
        if limit.is_none() {
            *limit = more.cloned();
        }
    }
    add(&mut limits.minimum, more.minimum.as_ref());
    add(&mut limits.maximum, more.maximum.as_ref());
    add(
        &mut limits.exclusive_minimum,
        more.exclusive_minimum.as_ref(),
    );
    add(
        &mut limits.exclusive_maximum,
        more.exclusive_maximum.as_ref(),
    );
    add(&mut limits.multiple_of, more.multiple_of.as_ref());
    add(&mut limits.min_length, more.min_length.as_ref());
    add(&mut limits.max_length, more.max_length.as_ref());
    add(&mut limits.pattern, more.pattern.as_ref());
    add(&mut limits.min_items, more.min_items.as_ref());
    add(&mut limits.max_items, more.max_items.as_ref());
    add(&mut limits.unique_items, more.unique_items.as_ref());
    add(&mut limits.items, more.items.as_ref());
    add(&mut limits.json_schema, more.json_schema.as_ref());
}

/// Whether a type has values that the limit applies to.
fn takes(ty: &Type, subject: Subject) -> bool {
    match ty {
        Type::Integer => matches!(subject, Subject::Numbers | Subject::WholeNumbers),
        Type::Number | Type::Decimal => subject == Subject::Numbers,
        Type::String => subject == Subject::Texts,
        Type::List(item) => {
            subject == Subject::Lists || (subject == Subject::ListsOfScalars && has_one_form(item))
        }
        Type::Union(members) => members.iter().any(|member| takes(member, subject)),
        _ => false,
    }
}

/// Whether values of the type are equal exactly if their JSON is.
pub(crate) fn has_one_form(ty: &Type) -> bool {
    match ty.without_name() {
        Type::String
        | Type::Integer
        | Type::Number
        | Type::Boolean
        | Type::Date
        | Type::Enum(_)
        | Type::Numbers(_) => true,
        Type::Union(members) => members.iter().all(has_one_form),
        _ => false,
    }
}

fn number(key: &str, value: &Yaml, ty: &Type, diagnostics: &mut Vec<Diagnostic>) -> Option<Number> {
    let Value::Number(number) = value.to_json() else {
        return None;
    };
    let takes_fractions = takes_fractions(ty);
    if !takes_fractions && number.as_f64().is_some_and(|number| number.fract() != 0.0) {
        diagnostics.push(checks::fields::limit::not_whole(key, value));
        return None;
    }
    if takes_fractions {
        return Some(number);
    }
    // `1.0` is written `1` in every language that tells the two apart.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "it is whole, and small enough"
    )]
    let whole = |number: f64| (number.abs() < 1e15).then(|| Number::from(number as i64));
    match number.as_f64().filter(|_| number.is_f64()) {
        Some(float) => whole(float),
        None => Some(number),
    }
}

fn takes_fractions(ty: &Type) -> bool {
    match ty {
        Type::Number | Type::Decimal => true,
        Type::Union(members) => members.iter().any(takes_fractions),
        _ => false,
    }
}

fn size(value: &Yaml) -> Option<u32> {
    value.as_u64().and_then(|size| u32::try_from(size).ok())
}

fn portable(value: &Yaml, diagnostics: &mut Vec<Diagnostic>) -> Option<String> {
    let pattern = value.as_text()?;
    match pattern::check_portable(pattern) {
        Ok(()) => Some(pattern.to_owned()),
        Err(problem) => {
            diagnostics.push(checks::fields::pattern::invalid(&problem, value.location));
            None
        }
    }
}

/// Reports limits that exclude every value.
fn check_ranges(yaml: &Yaml, limits: &Limits, ty: &Type, diagnostics: &mut Vec<Diagnostic>) {
    let float = |number: &Option<Number>| number.as_ref().and_then(Number::as_f64);
    let whole = !takes_fractions(ty);
    // Whole numbers above 1 are those from 2.
    let (step, is_open) = if whole { (1.0, false) } else { (0.0, true) };
    let low = [
        (float(&limits.minimum), "minimum", false),
        (
            float(&limits.exclusive_minimum).map(|n| n + step),
            "exclusive_minimum",
            is_open,
        ),
    ];
    let high = [
        (float(&limits.maximum), "maximum", false),
        (
            float(&limits.exclusive_maximum).map(|n| n - step),
            "exclusive_maximum",
            is_open,
        ),
    ];
    for (low, low_key, low_open) in low {
        for (high, high_key, high_open) in high {
            let (Some(low), Some(high)) = (low, high) else {
                continue;
            };
            let touching = (low - high).abs() < f64::EPSILON && (low_open || high_open);
            if low > high || touching {
                diagnostics.push(checks::fields::no_value::contradiction(
                    yaml, low_key, high_key,
                ));
            }
        }
    }
    for (low, high, low_key, high_key) in [
        (
            limits.min_length,
            limits.max_length,
            "min_length",
            "max_length",
        ),
        (limits.min_items, limits.max_items, "min_items", "max_items"),
    ] {
        if low.zip(high).is_some_and(|(low, high)| low > high) {
            diagnostics.push(checks::fields::no_value::contradiction(
                yaml, low_key, high_key,
            ));
        }
    }
}
