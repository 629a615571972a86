//! Serialization of Python values to compact JSON payloads.
//!
//! | Python | JSON |
//! | --- | --- |
//! | `None`, `bool`, `str`, `int`, `float` | the same; NaN and Infinity are errors, and so is an `int` beyond 1023 bits, which JSON readers refuse |
//! | `dict`, other mappings | an object, see below for its keys |
//! | `list`, `tuple` (named ones too), other sequences | an array |
//! | `set`, `frozenset`, other sets | an array, ordered by JSON text: equal sets give equal bytes |
//! | dataclass, attrs class | an object of its fields |
//! | pydantic model or dataclass | the result of its `model_dump(mode="json")`, with aliases unless its configuration sets `serialize_by_alias=False`; pydantic's own rules apply, so NaN is `null` unless `ser_json_inf_nan` is set |
//! | `Enum` | its value |
//! | `datetime`, `date`, `time` | their `isoformat()`; a naive one gets no offset, since none is known |
//! | `timedelta` | an ISO 8601 duration, `P1DT1.5S` |
//! | `UUID`, `PurePath` | their text |
//! | `Decimal` | its exact text; NaN and Infinity are errors |
//! | `bytes`, `bytearray`, `memoryview` | Base64 (RFC 4648, with padding), as text |
//! | scalars of numpy | the result of their `item()` |
//!
//! Subclasses are written like their base class. A key is text, or anything written as text, a number,
//! a boolean or null: `1` becomes `"1"` and `None` becomes `"null"`, as with `json.dumps`. Two keys
//! of the same text are an error.
//!
//! Errors name the path and types, never a value: a payload may be private.

mod error;
mod kind;
mod text;
mod values;
mod writer;

use pyo3::prelude::*;
use pyo3::types::PyDict;

use error::WriteError;
use writer::Writer;

/// Appends a value as JSON. Errors call the value `name`, and leave `out` unchanged.
pub fn write(value: &Bound<'_, PyAny>, name: &str, out: &mut Vec<u8>) -> PyResult<()> {
    appended(value, name, out, |_, _| Ok(()))
}

/// Appends the payload or metadata of an event as JSON, which must be an object. Errors call it
/// `name`, and leave `out` unchanged.
pub fn write_object(value: &Bound<'_, PyAny>, name: &str, out: &mut Vec<u8>) -> PyResult<()> {
    appended(value, name, out, |value, json| {
        if json.starts_with(b"{") {
            return Ok(());
        }
        let found = error::name_of(value);
        Err(WriteError::new(format!(
            "must be a mapping, dataclass or model, not {found}"
        )))
    })
}

/// Appends fields as a JSON object, with the names of their types for values that are not public.
/// Public values that are not plain are converted by `json_value`.
pub fn write_public(
    fields: &Bound<'_, PyDict>,
    public: &Bound<'_, PyDict>,
    json_value: &Bound<'_, PyAny>,
    out: &mut Vec<u8>,
) -> PyResult<()> {
    let start = out.len();
    let written = Writer::new(out).public(fields, public, json_value);
    written.map_err(|error| {
        out.truncate(start);
        error.into_error(fields.py(), "payload")
    })
}

/// Runs the code that PyO3 initializes on first use: see `python_refs`.
pub fn warm_up(py: Python<'_>) -> PyResult<()> {
    let object = py.None();
    let object = object.bind(py);
    write(object, "warm_up", &mut Vec::new())?;
    // The name of a type, as in messages.
    error::name_of(object);
    let _ = object.get_type().name()?;
    Ok(())
}

fn appended(
    value: &Bound<'_, PyAny>,
    name: &str,
    out: &mut Vec<u8>,
    check: impl FnOnce(&Bound<'_, PyAny>, &[u8]) -> Result<(), WriteError>,
) -> PyResult<()> {
    let start = out.len();
    let written = Writer::new(out)
        .value(value)
        .and_then(|()| check(value, &out[start..]));
    written.map_err(|error| {
        out.truncate(start);
        error.into_error(value.py(), name)
    })
}
