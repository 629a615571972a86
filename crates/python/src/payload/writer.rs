//! Recursive JSON writer. Built-in types are tried first, by type address; all others by their
//! [`Kind`].

use std::collections::HashSet;
use std::ops::Range;

use pyo3::exceptions::PyUnicodeEncodeError;
use pyo3::prelude::*;
use pyo3::type_object::PyTypeInfo;
use pyo3::types::{PyBool, PyDict, PyFloat, PyInt, PyIterator, PyList, PyString, PyTuple};
use serde_json::ser::{CompactFormatter, Formatter};
use smallvec::SmallVec;

use crate::python_refs::name;

use super::error::{PathSegment, WriteError, WriteResult, quoted};
use super::kind::{self, Field, Kind};
use super::{text, values};

/// Deepest nesting. `serde_json` reads at most 128 levels, and the envelope adds one. A structure
/// that contains itself is an error at this depth instead of a stack overflow.
const MAX_DEPTH: u32 = 100;

/// Largest output, far beyond Kafka's limits. A few objects that contain each other repeatedly can
/// expand without end, which must not exhaust memory.
const MAX_BYTES: usize = 256 * 1024 * 1024;

const CHANGED: &str = "it changed while it was written; pass a copy";

/// Appends values to a buffer. Unusable after an error.
pub(super) struct Writer<'out> {
    pub(super) out: &'out mut Vec<u8>,
    max_len: usize,
    depth: u32,
    /// Positions in `out` of the keys of open objects.
    keys: SmallVec<[Range<usize>; 24]>,
    /// Number of values of types that may run Python code, which may change the containers being
    /// written.
    other_types: u64,
}

fn exact<'a, 'py, T: PyTypeInfo>(value: &'a Bound<'py, PyAny>) -> Option<&'a Bound<'py, T>> {
    // Checked first, because a failed cast creates an error.
    if value.is_exact_instance_of::<T>() {
        value.cast_exact().ok()
    } else {
        None
    }
}

/// Whether a value is JSON as it is: `PLAIN` of `herald.runtime`.
fn is_plain(value: &Bound<'_, PyAny>) -> bool {
    value.is_exact_instance_of::<PyString>()
        || value.is_exact_instance_of::<PyInt>()
        || value.is_exact_instance_of::<PyFloat>()
        || value.is_exact_instance_of::<PyBool>()
        || value.is_none()
}

impl<'out> Writer<'out> {
    pub(super) fn new(out: &'out mut Vec<u8>) -> Self {
        Self {
            max_len: out.len() + MAX_BYTES,
            out,
            depth: 0,
            keys: SmallVec::new(),
            other_types: 0,
        }
    }

    pub(super) fn value(&mut self, value: &Bound<'_, PyAny>) -> WriteResult {
        if self.out.len() > self.max_len {
            return Err(WriteError::new(format!(
                "it is larger than {MAX_BYTES} bytes"
            )));
        }
        if let Some(text) = exact::<PyString>(value) {
            self.text(text)
        } else if let Some(number) = exact::<PyInt>(value) {
            self.int(number)
        } else if let Some(dict) = exact::<PyDict>(value) {
            self.dict(dict)
        } else if value.is_none() {
            self.raw(b"null");
            Ok(())
        } else if let Some(truth) = exact::<PyBool>(value) {
            self.raw(if truth.is_true() { b"true" } else { b"false" });
            Ok(())
        } else if let Some(number) = exact::<PyFloat>(value) {
            self.float(number.value())
        } else if let Some(list) = exact::<PyList>(value) {
            self.list(list)
        } else if let Some(tuple) = exact::<PyTuple>(value) {
            self.tuple(tuple)
        } else {
            self.other_type(value)
        }
    }

    pub(super) fn raw(&mut self, json: &[u8]) {
        self.out.extend_from_slice(json);
    }

    pub(super) fn text(&mut self, text: &Bound<'_, PyString>) -> WriteResult {
        match text.to_str() {
            Ok(text) => {
                text::write(text, self.out);
                Ok(())
            }
            Err(error) => Err(not_unicode(text, error)),
        }
    }

    fn int(&mut self, number: &Bound<'_, PyInt>) -> WriteResult {
        if let Ok(small) = number.extract::<i64>() {
            let written = CompactFormatter.write_i64(self.out, small);
            written.expect("a Vec takes everything");
            Ok(())
        } else {
            values::big_int(self, number)
        }
    }

    pub(super) fn float(&mut self, number: f64) -> WriteResult {
        if number.is_finite() {
            let written = CompactFormatter.write_f64(self.out, number);
            written.expect("a Vec takes everything");
            Ok(())
        } else {
            let name = if number.is_nan() { "NaN" } else { "Infinity" };
            Err(WriteError::new(format!(
                "float {name} is not valid JSON; send None or text"
            )))
        }
    }

    fn dict(&mut self, dict: &Bound<'_, PyDict>) -> WriteResult {
        self.entries(dict, |object, key, value| object.entry(&key, &value))
    }

    fn entries<'py>(
        &mut self,
        dict: &Bound<'py, PyDict>,
        mut write: impl FnMut(
            &mut Object<'_, 'out>,
            Bound<'py, PyAny>,
            Bound<'py, PyAny>,
        ) -> WriteResult,
    ) -> WriteResult {
        let len = dict.len();
        let mut entries = dict.iter();
        self.object(|object| {
            for _ in 0..len {
                // PyO3's iterator panics in this case.
                if dict.len() != len {
                    return Err(WriteError::new(CHANGED));
                }
                let (key, value) = entries.next().ok_or_else(|| WriteError::new(CHANGED))?;
                write(object, key, value)?;
            }
            Ok(())
        })
    }

    /// Writes the fields, with the names of their types for values that are not public.
    pub(super) fn public(
        &mut self,
        fields: &Bound<'_, PyDict>,
        public: &Bound<'_, PyDict>,
        json_value: &Bound<'_, PyAny>,
    ) -> WriteResult {
        let py = fields.py();
        let raised = |error| WriteError::raised(py, "its conversion", error);
        self.entries(fields, |object, name, value| {
            if !public.contains(&name).map_err(raised)? {
                let of_type = value.get_type().name().map_err(raised)?;
                return object.entry(&name, &of_type);
            }
            if is_plain(&value) {
                return object.entry(&name, &value);
            }
            object.writer.other_types += 1;
            let value = json_value.call1((value,)).map_err(raised)?;
            object.entry(&name, &value)
        })
    }

    fn mapping(&mut self, mapping: &Bound<'_, PyAny>) -> WriteResult {
        let py = mapping.py();
        let raised = |error| WriteError::raised(py, "its items()", error);
        let len = mapping.len().map_err(raised)?;
        let items = mapping.call_method0(name!(py, items));
        let items = items.and_then(|items| items.try_iter()).map_err(raised)?;
        self.object(|object| {
            each(len, items, raised, |_, item| {
                let (key, value) = item.extract().map_err(raised)?;
                object.entry(&key, &value)
            })
        })
    }

    fn fields(&mut self, value: &Bound<'_, PyAny>, fields: &[Field]) -> WriteResult {
        let py = value.py();
        self.level(b'{', b'}', |writer| {
            for (index, field) in fields.iter().enumerate() {
                writer.comma_before(index);
                writer.out.extend_from_slice(&field.key);
                let name = field.name.bind(py);
                value
                    .getattr(name)
                    .map_err(|error| WriteError::raised(py, "the attribute", error))
                    .and_then(|value| writer.value(&value))
                    .map_err(|error| error.below(key_segment(name)))?;
            }
            Ok(())
        })
    }

    fn list(&mut self, list: &Bound<'_, PyList>) -> WriteResult {
        let len = list.len();
        self.level(b'[', b']', |writer| {
            for index in 0..len {
                let item = list.get_item(index).map_err(|_| WriteError::new(CHANGED))?;
                writer.item(index, &item)?;
            }
            Ok(())
        })
    }

    fn tuple(&mut self, tuple: &Bound<'_, PyTuple>) -> WriteResult {
        self.level(b'[', b']', |writer| {
            for (index, item) in tuple.iter().enumerate() {
                writer.item(index, &item)?;
            }
            Ok(())
        })
    }

    fn sequence(&mut self, sequence: &Bound<'_, PyAny>) -> WriteResult {
        let raised = |error| WriteError::raised(sequence.py(), "iterating over it", error);
        let len = sequence.len().map_err(raised)?;
        let items = sequence.try_iter().map_err(raised)?;
        self.level(b'[', b']', |writer| {
            each(len, items, raised, |index, item| writer.item(index, &item))
        })
    }

    /// Writes the elements in the order of their JSON: the iteration order of strings differs in
    /// each process.
    fn set(&mut self, set: &Bound<'_, PyAny>) -> WriteResult {
        let raised = |error| WriteError::raised(set.py(), "iterating over it", error);
        let len = set.len().map_err(raised)?;
        let items = set.try_iter().map_err(raised)?;
        self.level(b'[', b']', |writer| {
            let start = writer.out.len();
            let mut ends = Vec::new();
            each(len, items, raised, |_, item| {
                let written = writer.value(&item);
                ends.push(writer.out.len() - start);
                written.map_err(|error| error.below(PathSegment::Element))
            })?;
            let unordered = writer.out.split_off(start);
            let mut begin = 0;
            let mut elements: Vec<&[u8]> = ends
                .iter()
                .map(|&end| &unordered[std::mem::replace(&mut begin, end)..end])
                .collect();
            elements.sort_unstable();
            for (index, element) in elements.into_iter().enumerate() {
                writer.comma_before(index);
                writer.out.extend_from_slice(element);
            }
            Ok(())
        })
    }

    // Not inlined: its many locals would enlarge the stack frame of every nested value.
    #[inline(never)]
    fn other_type(&mut self, value: &Bound<'_, PyAny>) -> WriteResult {
        self.other_types += 1;
        let py = value.py();
        let kind = kind::of(value).map_err(|error| WriteError::raised(py, "its class", error))?;
        match &*kind {
            Kind::Text => self.text(subclass(value)?),
            Kind::Int => self.int(subclass(value)?),
            Kind::Float => self.float(subclass::<PyFloat>(value)?.value()),
            Kind::List => self.list(subclass(value)?),
            Kind::Tuple => self.tuple(subclass(value)?),
            Kind::Mapping => self.mapping(value),
            Kind::Sequence => self.sequence(value),
            Kind::Set => self.set(value),
            Kind::Fields(fields) => self.fields(value, fields),
            Kind::Unknown => Err(WriteError::unsupported(value)),
            Kind::Iso => values::iso(self, value),
            Kind::Duration => values::duration(self, value),
            Kind::Uuid => values::uuid(self, value),
            Kind::Decimal => values::decimal(self, value),
            Kind::Bytes => values::bytes(self, value),
            Kind::Path => values::path(self, value),
            Kind::Enum | Kind::Item | Kind::Payload | Kind::Model(_) | Kind::Serializer(..) => {
                let inner = values::inner(value, &kind)?;
                self.descend()?;
                self.value(&inner)?;
                self.depth -= 1;
                Ok(())
            }
        }
    }

    fn item(&mut self, index: usize, item: &Bound<'_, PyAny>) -> WriteResult {
        self.comma_before(index);
        self.value(item)
            .map_err(|error| error.below(PathSegment::Index(index)))
    }

    fn comma_before(&mut self, index: usize) {
        if index > 0 {
            self.out.push(b',');
        }
    }

    fn descend(&mut self) -> WriteResult {
        self.depth += 1;
        if self.depth <= MAX_DEPTH {
            return Ok(());
        }
        Err(WriteError::new(format!(
            "it is nested more than {MAX_DEPTH} deep, or contains itself"
        )))
    }

    fn level(
        &mut self,
        open: u8,
        close: u8,
        body: impl FnOnce(&mut Self) -> WriteResult,
    ) -> WriteResult {
        self.descend()?;
        self.out.push(open);
        body(self)?;
        self.out.push(close);
        self.depth -= 1;
        Ok(())
    }

    fn object(&mut self, body: impl FnOnce(&mut Object<'_, 'out>) -> WriteResult) -> WriteResult {
        let first_key = self.keys.len();
        let other_types = self.other_types;
        self.level(b'{', b'}', |writer| {
            let mut object = Object {
                writer,
                first_key,
                has_other_keys: false,
            };
            body(&mut object)?;
            // Keys of a dict are distinct, unless Python code ran that changed it meanwhile.
            if object.has_other_keys || object.writer.other_types != other_types {
                object.refuse_duplicates()?;
            }
            Ok(())
        })?;
        self.keys.truncate(first_key);
        Ok(())
    }
}

/// JSON object being written.
struct Object<'a, 'out> {
    writer: &'a mut Writer<'out>,
    first_key: usize,
    has_other_keys: bool,
}

impl Object<'_, '_> {
    fn entry(&mut self, key: &Bound<'_, PyAny>, value: &Bound<'_, PyAny>) -> WriteResult {
        let writer = &mut *self.writer;
        writer.comma_before(writer.keys.len() - self.first_key);
        let start = writer.out.len();
        if let Some(text) = exact::<PyString>(key) {
            writer.text(text).map_err(WriteError::in_a_key)?;
        } else {
            self.has_other_keys = true;
            values::key(writer, key).map_err(WriteError::in_a_key)?;
        }
        let end = writer.out.len();
        writer.keys.push(start..end);
        writer.out.push(b':');
        writer.value(value).map_err(|error| {
            let key = &writer.out[start..end];
            error.below(PathSegment::Key(
                serde_json::from_slice(key).unwrap_or_default(),
            ))
        })
    }

    fn refuse_duplicates(&self) -> WriteResult {
        let keys = &self.writer.keys[self.first_key..];
        let mut seen = HashSet::with_capacity(keys.len());
        for key in keys {
            let key = &self.writer.out[key.clone()];
            if !seen.insert(key) {
                let key: String = serde_json::from_slice(key).unwrap_or_default();
                let key = quoted(&key);
                return Err(WriteError::new(format!(
                    "two keys become the same text, {key}"
                )));
            }
        }
        Ok(())
    }
}

/// Iterates over a user-defined container: over as many items as its length, so that an endless
/// iterator ends.
fn each<'py>(
    len: usize,
    mut items: Bound<'py, PyIterator>,
    raised: impl Fn(PyErr) -> WriteError,
    mut body: impl FnMut(usize, Bound<'py, PyAny>) -> WriteResult,
) -> WriteResult {
    for index in 0..len {
        let item = items.next().ok_or_else(|| WriteError::new(CHANGED))?;
        body(index, item.map_err(&raised)?)?;
    }
    match items.next() {
        None => Ok(()),
        Some(Ok(_)) => Err(WriteError::new(CHANGED)),
        Some(Err(error)) => Err(raised(error)),
    }
}

/// Casts a value whose type is a subclass of `T`.
fn subclass<'a, 'py, T: PyTypeInfo>(
    value: &'a Bound<'py, PyAny>,
) -> Result<&'a Bound<'py, T>, WriteError> {
    value
        .cast()
        .map_err(|error| WriteError::raised(value.py(), "its class", error.into()))
}

/// Error for text that is not valid Unicode. The exception is not attached, because it holds the
/// text.
#[cold]
fn not_unicode(text: &Bound<'_, PyString>, error: PyErr) -> WriteError {
    let py = text.py();
    if error.is_instance_of::<PyUnicodeEncodeError>(py) {
        WriteError::new("the text has a lone surrogate, half a character, which UTF-8 can't encode")
    } else {
        WriteError::raised(py, "encoding the text", error)
    }
}

fn key_segment(name: &Bound<'_, PyString>) -> PathSegment {
    PathSegment::Key(name.to_string_lossy().into_owned())
}
