//! Payloads: what Python programs have at hand, as compact JSON.
//!
//! | Python | JSON |
//! | --- | --- |
//! | `None`, `bool`, `str`, `int`, `float` | the same; NaN and Infinity are errors, and so is an `int` beyond 1023 bits, which no reader takes |
//! | `dict`, other mappings | an object, see below for its keys |
//! | `list`, `tuple` (named ones too), other sequences | an array |
//! | `set`, `frozenset`, other sets | an array, ordered by JSON text: equal sets give equal bytes |
//! | dataclass, attrs class | an object of its fields |
//! | pydantic model or dataclass | what its `model_dump(mode="json")` gives, with aliases unless its configuration says `serialize_by_alias=False`; there pydantic's own rules hold, so NaN is `null` unless `ser_json_inf_nan` says otherwise |
//! | `Enum` | its value |
//! | `datetime`, `date`, `time` | their `isoformat()`; a naive one gets no offset, since none is known |
//! | `timedelta` | an ISO 8601 duration, `P1DT1.5S` |
//! | `UUID`, `PurePath` | their text |
//! | `Decimal` | its exact text; NaN and Infinity are errors |
//! | `bytes`, `bytearray`, `memoryview` | Base64 (RFC 4648, with padding), as text |
//! | scalars of numpy | what their `item()` gives |
//!
//! Subclasses are written as what they extend. A key is text, or whatever becomes text, a number,
//! a truth or null: `1` becomes `"1"` and `None` becomes `"null"`, as with `json.dumps`. Two keys
//! of the same text are an error.
//!
//! Errors tell the path and types, and no value: a payload may be private.

mod fault;
mod kind;
mod text;
mod values;
mod writer;

use pyo3::prelude::*;

use fault::Fault;
use writer::Writer;

/// Appends any value as JSON. Errors call it `name`; after one `out` is as it was.
pub fn write(value: &Bound<'_, PyAny>, name: &str, out: &mut Vec<u8>) -> PyResult<()> {
    appended(value, name, out, |_, _| Ok(()))
}

/// Appends the payload or the metadata of an event as JSON, which have to be objects. Errors call
/// it `name`; after one `out` is as it was.
pub fn write_object(value: &Bound<'_, PyAny>, name: &str, out: &mut Vec<u8>) -> PyResult<()> {
    appended(value, name, out, |value, json| {
        if json.starts_with(b"{") {
            return Ok(());
        }
        let found = fault::name_of(value);
        Err(Fault::new(format!(
            "must be a mapping, dataclass or model, not {found}"
        )))
    })
}

fn appended(
    value: &Bound<'_, PyAny>,
    name: &str,
    out: &mut Vec<u8>,
    check: impl FnOnce(&Bound<'_, PyAny>, &[u8]) -> Result<(), Fault>,
) -> PyResult<()> {
    let start = out.len();
    let written = Writer::new(out)
        .value(value)
        .and_then(|()| check(value, &out[start..]));
    written.map_err(|fault| {
        out.truncate(start);
        fault.into_error(value.py(), name)
    })
}
