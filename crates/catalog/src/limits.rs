//! Limits of fields: how they are read, and what can be wrong with them.

use herald_diagnostics::Diagnostic;
use serde_json::{Number, Value};

use crate::fields::{Limits, Type};
use crate::pattern;
use crate::rules;
use crate::text::quote;
use crate::yaml::Yaml;

/// The sorts of values that limits are about.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sort {
    Numbers,
    Texts,
    Lists,
}

/// Every limit: its key, the word for it in Python's models, and what it is about.
const LIMITS: [(&str, &str, Sort); 9] = [
    ("minimum", "ge", Sort::Numbers),
    ("maximum", "le", Sort::Numbers),
    ("exclusive_minimum", "gt", Sort::Numbers),
    ("exclusive_maximum", "lt", Sort::Numbers),
    ("min_length", "minLength", Sort::Texts),
    ("max_length", "maxLength", Sort::Texts),
    ("pattern", "pattern", Sort::Texts),
    ("min_items", "minItems", Sort::Lists),
    ("max_items", "maxItems", Sort::Lists),
];

/// Reads the limits of a type. What doesn't fit it, or can't be used, is a diagnostic and left out.
pub(crate) fn read(yaml: &Yaml, ty: &Type, diagnostics: &mut Vec<Diagnostic>) -> Limits {
    let mut limits = Limits::default();
    for (key, word, sort) in LIMITS {
        let Some(value) = yaml.get(key).or_else(|| yaml.get(word)) else {
            continue;
        };
        if !takes(ty, sort) {
            diagnostics.push(does_not_fit(key, ty, sort, value));
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
            _ => limits.pattern = portable(value, diagnostics),
        }
    }
    check_ranges(yaml, &limits, ty, diagnostics);
    limits
}

/// Whether a type has values of this sort.
fn takes(ty: &Type, sort: Sort) -> bool {
    match ty {
        Type::Integer | Type::Number | Type::Decimal => sort == Sort::Numbers,
        Type::String => sort == Sort::Texts,
        Type::List(_) => sort == Sort::Lists,
        Type::Union(members) => members.iter().any(|member| takes(member, sort)),
        _ => false,
    }
}

fn does_not_fit(key: &str, ty: &Type, sort: Sort, value: &Yaml) -> Diagnostic {
    let (about, example) = match sort {
        Sort::Numbers => ("numbers", "`integer`, `number` or `decimal`"),
        Sort::Texts => ("texts", "`string`"),
        Sort::Lists => ("lists", "`list[…]`"),
    };
    Diagnostic::new(
        &rules::FIELD_LIMIT,
        format!(
            "`{key}` is a limit of {about}, and the field is {}",
            quote(&ty.to_string())
        ),
    )
    .at(value.head())
    .help(format!("remove it, or make the type {example}"))
}

fn number(key: &str, value: &Yaml, ty: &Type, diagnostics: &mut Vec<Diagnostic>) -> Option<Number> {
    let Value::Number(number) = value.to_json() else {
        return None;
    };
    let takes_fractions = takes_fractions(ty);
    if !takes_fractions && number.as_f64().is_some_and(|number| number.fract() != 0.0) {
        diagnostics.push(
            Diagnostic::new(
                &rules::FIELD_LIMIT,
                format!("`{key}` of an integer has to be a whole number"),
            )
            .at(value.location)
            .help("round it, or make the type `number`"),
        );
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
            diagnostics.push(
                Diagnostic::new(
                    &rules::FIELD_PATTERN,
                    format!("this pattern can't be used: {}", problem.reason),
                )
                .at(value.location)
                .help(problem.help),
            );
            None
        }
    }
}

/// Reports limits that no value is within.
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
                diagnostics.push(no_value(yaml, low_key, high_key));
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
            diagnostics.push(no_value(yaml, low_key, high_key));
        }
    }
}

fn no_value(yaml: &Yaml, low: &str, high: &str) -> Diagnostic {
    let at = |key: &str| yaml.get(key).map_or(yaml.location, |value| value.location);
    Diagnostic::new(
        &rules::FIELD_NO_VALUE,
        format!("no value is within `{low}` and `{high}`"),
    )
    .at(at(high))
    .label(at(low), "the other limit is here")
    .help("raise the one or lower the other")
}
