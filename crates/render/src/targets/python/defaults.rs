//! Defaults of fields as Python expressions.

use herald_catalog::fields::{Limits, Type};
use herald_catalog::value::is_scalar_of;
use serde_json::Value;

use crate::python::expr::Expr;
use crate::python::text::escape;
use crate::targets::python::enums::members;
use crate::targets::python::options::Models;

/// Returns the expression of a default, and whether it is mutable, so that each object needs its own.
/// Adds the names in it to `used`. `None` if the value is not of the type.
pub(super) fn default(
    ty: &Type,
    value: &Value,
    models: Models,
    used: &mut Vec<&'static str>,
    named: &dyn Fn(&str) -> Option<String>,
) -> Option<(Expr, bool)> {
    let text = value.as_str();
    let of_text = |name: &str, text: &str| Expr::call(name, vec![Expr::text(&escape(text))]);
    let plain = match ty {
        Type::Any | Type::Model(_) => {
            let is_mutable = value.is_array() || value.is_object();
            return Some((json(value), is_mutable));
        }
        Type::Map(item) if **item == Type::Any => {
            return value.is_object().then(|| (json(value), true));
        }
        Type::String => Expr::text(&escape(text?)),
        Type::Enum(values) => {
            let text = text.filter(|text| values.iter().any(|value| value == text))?;
            Expr::text(&escape(text))
        }
        Type::Integer => Expr::atom(whole(value)?),
        Type::Numbers(numbers) => {
            let float = value.as_f64();
            let mut numbers = numbers.iter();
            Expr::atom(numbers.find(|number| number.as_f64() == float)?.to_string())
        }
        Type::Duration => {
            let text = text?;
            if !is_scalar_of(ty, &Limits::default(), value) {
                return None;
            }
            used.push("read_duration");
            of_text("read_duration", text)
        }
        Type::Scalar(scalar) => match named(&scalar.name) {
            Some(class) => {
                let members = members(scalar);
                let (_, member) = members.into_iter().find(|(known, _)| known == value)?;
                Expr::atom(format!("{class}.{member}"))
            }
            None => return default(&scalar.ty, value, models, used, named),
        },
        Type::Number => Expr::atom(value.as_number()?.to_string()),
        Type::Boolean => Expr::atom(if value.as_bool()? { "True" } else { "False" }),
        Type::Null => value.is_null().then(|| Expr::atom("None"))?,
        Type::Uuid => {
            let text = text.filter(|text| is_like(text, "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx"))?;
            used.push("UUID");
            of_text("UUID", text)
        }
        Type::Decimal => {
            let text = text.filter(|text| is_decimal(text))?;
            used.push("Decimal");
            of_text("Decimal", text)
        }
        Type::Date => {
            let text = text.filter(|text| is_date(text))?;
            used.push("date");
            of_text("date.fromisoformat", text)
        }
        Type::DateTime => {
            let text = text.filter(|text| is_time(text))?;
            used.push("datetime");
            of_text("datetime.fromisoformat", text)
        }
        Type::Bytes => {
            let text = text.filter(|text| is_base64(text))?;
            used.push("b64decode");
            of_text("b64decode", text)
        }
        Type::List(item) => {
            let items = value.as_array()?.iter();
            let items = items.map(|value| Some(default(item, value, models, used, named)?.0));
            let items = items.collect::<Option<_>>()?;
            return Some((Expr::Bracket("[".to_owned(), items, ']'), true));
        }
        Type::Map(item) => {
            let entries = value.as_object()?.iter();
            let entries = entries.map(|(key, value)| {
                let value = default(item, value, models, used, named)?.0;
                Some(Expr::entry(&escape(key), value))
            });
            let entries = entries.collect::<Option<_>>()?;
            return Some((Expr::Bracket("{".to_owned(), entries, '}'), true));
        }
        Type::Defined(name) => {
            let class = value.is_object().then(|| named(name))??;
            return Some((instance(class, value, models, used), true));
        }
        Type::Union(members) => {
            let mut members = members.iter();
            return members.find_map(|member| {
                let before = used.len();
                let found = default(member, value, models, used, named);
                if found.is_none() {
                    used.truncate(before);
                }
                found
            });
        }
    };
    Some((plain, false))
}

/// Returns the expression of an instance of a model.
fn instance(class: String, value: &Value, models: Models, used: &mut Vec<&'static str>) -> Expr {
    match models {
        Models::Pydantic => Expr::call(&format!("{class}.model_validate"), vec![json(value)]),
        Models::Dataclass => {
            used.push("from_json");
            Expr::call("from_json", vec![Expr::atom(class), json(value)])
        }
    }
}

/// Converts any JSON value to an expression.
pub(super) fn json(value: &Value) -> Expr {
    match value {
        Value::Null => Expr::atom("None"),
        Value::Bool(true) => Expr::atom("True"),
        Value::Bool(false) => Expr::atom("False"),
        Value::Number(number) => Expr::atom(number.to_string()),
        Value::String(text) => Expr::text(&escape(text)),
        Value::Array(items) => Expr::Bracket("[".to_owned(), items.iter().map(json).collect(), ']'),
        Value::Object(entries) => {
            let entries = entries.iter();
            let entries = entries.map(|(key, value)| Expr::entry(&escape(key), json(value)));
            Expr::Bracket("{".to_owned(), entries.collect(), '}')
        }
    }
}

/// Formats a whole number, also one that is written as `2.0`.
fn whole(value: &Value) -> Option<String> {
    let number = value.as_number()?;
    if number.is_i64() || number.is_u64() {
        return Some(number.to_string());
    }
    let float = number.as_f64().filter(|float| float.fract() == 0.0)?;
    Some(format!("{float:.0}"))
}

/// Returns whether a text matches a form, in which `x` stands for a hexadecimal digit.
fn is_like(text: &str, form: &str) -> bool {
    text.len() == form.len()
        && text
            .bytes()
            .zip(form.bytes())
            .all(|(byte, form)| match form {
                b'x' => byte.is_ascii_hexdigit(),
                form => byte == form,
            })
}

fn is_decimal(text: &str) -> bool {
    let (number, exponent) = text.split_once(['E', 'e']).unwrap_or((text, "0"));
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    let exponent = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
    // A longer exponent is not a sensible default, and may be beyond the limits of `Decimal`.
    exponent.len() < 10
        && [whole.strip_prefix('-').unwrap_or(whole), fraction, exponent]
            .iter()
            .all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()))
}

fn is_date(text: &str) -> bool {
    text.len() == 10 && is_time(&format!("{text}T00:00:00Z"))
}

fn is_time(text: &str) -> bool {
    // Python's `datetime` has no second 60 and no year 0.
    text.parse::<herald_envelope::Timestamp>().is_ok()
        && !text.starts_with("0000")
        && text.get(17..19) != Some("60")
        && text.is_ascii()
}

fn is_base64(text: &str) -> bool {
    let content = text.trim_end_matches('=');
    text.len().is_multiple_of(4)
        && text.len() - content.len() <= 2
        && (content.bytes()).all(|byte| byte.is_ascii_alphanumeric() || b"+/".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_that_python_cannot_read_are_left_out() {
        assert!(is_like("0191c2a0-5b7e", "xxxxxxxx-xxxx"));
        assert!(!is_like("0191c2a0-5b7g", "xxxxxxxx-xxxx"));
        assert!(is_decimal("-1.50") && is_decimal("0E-8"));
        assert!(!is_decimal("1e99999999999") && !is_decimal(".5") && !is_decimal("NaN"));
        assert!(is_date("2024-02-29") && !is_date("2023-02-29") && !is_date("0000-01-01"));
        assert!(is_time("2024-02-29T10:00:00Z") && !is_time("2024-02-29T23:59:60Z"));
        assert!(is_base64("AB==") && !is_base64("AB=") && !is_base64("A==="));
        assert_eq!(whole(&Value::from(2.0)).as_deref(), Some("2"));
        assert_eq!(whole(&Value::from(2.5)), None);
    }
}
