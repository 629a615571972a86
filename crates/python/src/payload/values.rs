//! Values without a native JSON type: integers beyond 64 bits, times, identifiers, bytes, and
//! values that are represented by another value.

use std::io::Write as _;

use pyo3::prelude::*;
use pyo3::type_object::PyTypeInfo;
use pyo3::types::{PyBytes, PyFloat, PyInt, PyMemoryView, PyString};
use uuid::Uuid;

use crate::python_refs::{self, name};

use super::error::{WriteError, WriteResult, name_of};
use super::kind::Kind;
use super::writer::Writer;

/// Largest integers written as numbers: JSON readers refuse what does not fit a double.
const MAX_INT_BITS: usize = 1023;

/// Writes the digits of an `int`, ignoring a subclass's own `__repr__`.
#[cold]
pub(super) fn big_int(writer: &mut Writer<'_>, number: &Bound<'_, PyInt>) -> WriteResult {
    let py = number.py();
    let raised = |error| WriteError::raised(py, "the int", error);
    let int = PyInt::type_object(py);
    let bits = int.call_method1(name!(py, bit_length), (number,));
    let bits: usize = bits.and_then(|bits| bits.extract()).map_err(raised)?;
    if bits > MAX_INT_BITS {
        return Err(WriteError::new(format!(
            "an int of {bits} bits is larger than any JSON reader takes; send it as text"
        )));
    }
    let digits = int.call_method1(name!(py, __repr__), (number,));
    let digits: Bound<'_, PyString> = digits
        .and_then(|digits| Ok(digits.cast_into()?))
        .map_err(raised)?;
    writer.raw(digits.to_str().map_err(raised)?.as_bytes());
    Ok(())
}

/// Writes a `datetime`, `date` or `time`.
pub(super) fn iso(writer: &mut Writer<'_>, value: &Bound<'_, PyAny>) -> WriteResult {
    let text = value.call_method0(name!(value.py(), isoformat));
    returned_text(writer, value, "its isoformat()", text)
}

pub(super) fn path(writer: &mut Writer<'_>, value: &Bound<'_, PyAny>) -> WriteResult {
    let text = value.str().map(Bound::into_any);
    returned_text(writer, value, "its __str__()", text)
}

pub(super) fn decimal(writer: &mut Writer<'_>, value: &Bound<'_, PyAny>) -> WriteResult {
    let text = value.str().map(Bound::into_any);
    let start = writer.out.len();
    returned_text(writer, value, "its __str__()", text)?;
    let digits = &writer.out[start + 1..];
    let digits = digits.strip_prefix(b"-").unwrap_or(digits);
    if digits[0].is_ascii_digit() {
        return Ok(());
    }
    Err(WriteError::new(
        "Decimal NaN or Infinity is not a number; send None or text",
    ))
}

fn returned_text(
    writer: &mut Writer<'_>,
    value: &Bound<'_, PyAny>,
    by: &str,
    text: PyResult<Bound<'_, PyAny>>,
) -> WriteResult {
    let raised = |error| WriteError::raised(value.py(), by, error);
    let text = text.and_then(|text| Ok(text.cast_into::<PyString>()?));
    writer.text(&text.map_err(raised)?)
}

/// Writes an ISO 8601 duration in days and smaller units: months and years differ in length.
pub(super) fn duration(writer: &mut Writer<'_>, value: &Bound<'_, PyAny>) -> WriteResult {
    let py = value.py();
    let part = |name: &Bound<'_, PyString>| -> Result<i128, WriteError> {
        let part = value.getattr(name).and_then(|part| part.extract::<i64>());
        Ok(part
            .map_err(|error| WriteError::raised(py, "the attribute", error))?
            .into())
    };
    let days = part(name!(py, days))?;
    let seconds = part(name!(py, seconds))?;
    let micros = part(name!(py, microseconds))?;
    let micros = (days * 86_400 + seconds) * 1_000_000 + micros;
    writer.raw(iso_duration(micros).as_bytes());
    Ok(())
}

fn iso_duration(micros: i128) -> String {
    let sign = if micros < 0 { "-" } else { "" };
    let micros = micros.unsigned_abs();
    let (seconds, fraction) = (micros / 1_000_000, micros % 1_000_000);
    let days = amount(seconds / 86_400, "D");
    let hours = amount(seconds / 3600 % 24, "H");
    let minutes = amount(seconds / 60 % 60, "M");
    let seconds = match (seconds % 60, fraction) {
        (whole, 0) => amount(whole, "S"),
        (whole, fraction) => {
            let fraction = format!("{fraction:06}");
            format!("{whole}.{}S", fraction.trim_end_matches('0'))
        }
    };
    let time = format!("{hours}{minutes}{seconds}");
    match (days.as_str(), time.as_str()) {
        ("", "") => "\"PT0S\"".to_owned(),
        (days, "") => format!("\"{sign}P{days}\""),
        (days, time) => format!("\"{sign}P{days}T{time}\""),
    }
}

fn amount(amount: u128, unit: &str) -> String {
    if amount == 0 {
        String::new()
    } else {
        format!("{amount}{unit}")
    }
}

pub(super) fn uuid(writer: &mut Writer<'_>, value: &Bound<'_, PyAny>) -> WriteResult {
    let py = value.py();
    let number = value.getattr(name!(py, int));
    let number: u128 = number
        .and_then(|number| number.extract())
        .map_err(|error| WriteError::raised(py, "its int", error))?;
    write!(writer.out, "\"{}\"", Uuid::from_u128(number)).expect("a Vec takes everything");
    Ok(())
}

/// Writes Base64, encoded by Python, which accepts any bytes-like object.
pub(super) fn bytes(writer: &mut Writer<'_>, value: &Bound<'_, PyAny>) -> WriteResult {
    let py = value.py();
    let base64 = || -> PyResult<Bound<'_, PyBytes>> {
        let whole = if value.is_instance_of::<PyMemoryView>() {
            // A view that is not contiguous can't be read in place.
            &value.call_method0(name!(py, tobytes))?
        } else {
            value
        };
        let encoded = python_refs::get(py).b64encode.bind(py).call1((whole,))?;
        Ok(encoded.cast_into()?)
    };
    let base64 = base64().map_err(|error| WriteError::raised(py, "reading its bytes", error))?;
    writer.out.push(b'"');
    writer.out.extend_from_slice(base64.as_bytes());
    writer.out.push(b'"');
    Ok(())
}

/// Returns the value that represents another one.
pub(super) fn inner<'py>(
    value: &Bound<'py, PyAny>,
    kind: &Kind,
) -> Result<Bound<'py, PyAny>, WriteError> {
    let py = value.py();
    let (by, inner) = match kind {
        Kind::Item => ("its item()", value.call_method0(name!(py, item))),
        Kind::Payload => {
            let payload = value.call_method0(name!(py, __herald_payload__));
            ("its payload", payload)
        }
        Kind::Model(arguments) => {
            let dump = value.getattr(name!(py, model_dump));
            let dump = dump.and_then(|dump| dump.call((), Some(arguments.bind(py))));
            ("its model_dump()", dump)
        }
        Kind::Serializer(serializer, arguments) => {
            let dump = serializer.bind(py).getattr(name!(py, to_python));
            let dump = dump.and_then(|dump| dump.call((value,), Some(arguments.bind(py))));
            ("its serializer", dump)
        }
        _ => ("its value", value.getattr(name!(py, value))),
    };
    let inner = inner.map_err(|error| WriteError::raised(py, by, error))?;
    if matches!(kind, Kind::Item) && inner.get_type().is(value.get_type()) {
        // A scalar that no Python number can represent.
        return Err(WriteError::unsupported(value));
    }
    Ok(inner)
}

/// Writes a key that is not a plain `str`: subclasses of `str` unchanged, other scalars as the text
/// of their JSON.
pub(super) fn key(writer: &mut Writer<'_>, key: &Bound<'_, PyAny>) -> WriteResult {
    let start = writer.out.len();
    writer.value(key)?;
    match writer.out[start] {
        b'"' => return Ok(()),
        b'{' | b'[' => {
            let found = name_of(key);
            return Err(WriteError::new(format!(
                "{found} is not a valid key; use text"
            )));
        }
        _ => {}
    }
    if let Ok(number) = key.cast::<PyFloat>() {
        // The form of `json.dumps`: `1e+16`.
        let digits = PyFloat::new(key.py(), number.value()).repr();
        writer.out.truncate(start);
        return returned_text(writer, key, "its repr()", digits.map(Bound::into_any));
    }
    writer.out.insert(start, b'"');
    writer.raw(b"\"");
    Ok(())
}
