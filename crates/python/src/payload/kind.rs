//! Classification of Python types by their JSON representation, cached per type.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use pyo3::prelude::*;
use pyo3::types::{
    PyByteArray, PyBytes, PyDict, PyFloat, PyInt, PyList, PyMemoryView, PyString, PyTuple, PyType,
};

use super::text;
use crate::python_refs::{self, name};

/// JSON representation of a type.
pub(super) enum Kind {
    Text,
    Int,
    Float,
    List,
    Tuple,
    Mapping,
    Sequence,
    Set,
    Fields(Vec<Field>),
    /// Pydantic model, with the arguments for `model_dump`.
    Model(Py<PyDict>),
    /// Pydantic dataclass: its serializer, and the arguments for `to_python`.
    Serializer(Py<PyAny>, Py<PyDict>),
    Enum,
    /// Generated dataclass, which returns its payload without private values.
    Payload,
    Iso,
    Duration,
    Uuid,
    Decimal,
    Bytes,
    Path,
    Item,
    Unknown,
}

/// Field of a dataclass or an attrs class.
pub(super) struct Field {
    pub(super) name: Py<PyString>,
    /// Name as a JSON string, followed by a colon.
    pub(super) key: Vec<u8>,
}

/// Keyed by the type's address; the reference keeps the address from being reused.
type Cache = HashMap<usize, (Py<PyType>, Arc<Kind>)>;

/// Most cached types, so that a program that keeps creating types does not exhaust memory.
const MAX_TYPES: usize = 1024;

static CACHE: Mutex<Option<Cache>> = Mutex::new(None);

/// Returns the representation of a value's type.
pub(super) fn of(value: &Bound<'_, PyAny>) -> PyResult<Arc<Kind>> {
    let address = value.get_type_ptr() as usize;
    // No Python code runs under the lock: it could call this function again.
    let found = with_cache(|cache| cache.get(&address).map(|(_, kind)| Arc::clone(kind)));
    if let Some(kind) = found {
        return Ok(kind);
    }
    let of_type = value.get_type();
    let kind = Arc::new(find(&of_type)?);
    let entry = (of_type.unbind(), Arc::clone(&kind));
    let dropped = with_cache(|cache| {
        let full = cache.len() >= MAX_TYPES;
        let full = full.then(|| std::mem::take(cache));
        (full, cache.insert(address, entry))
    });
    drop(dropped);
    Ok(kind)
}

fn with_cache<T>(run: impl FnOnce(&mut Cache) -> T) -> T {
    let mut cache = CACHE.lock().unwrap_or_else(PoisonError::into_inner);
    run(cache.get_or_insert_default())
}

fn find(of_type: &Bound<'_, PyType>) -> PyResult<Kind> {
    let py = of_type.py();
    let known = &python_refs::get(py).classes;
    if of_type.is_subclass(known.enumeration.bind(py))? {
        return Ok(Kind::Enum);
    }
    if let Some(kind) = with_fields(of_type)? {
        return Ok(kind);
    }
    if of_type.is_subclass_of::<PyBytes>()?
        || of_type.is_subclass_of::<PyByteArray>()?
        || of_type.is_subclass_of::<PyMemoryView>()?
    {
        return Ok(Kind::Bytes);
    }
    for (is_kind, kind) in [
        (of_type.is_subclass_of::<PyString>()?, Kind::Text),
        (of_type.is_subclass_of::<PyInt>()?, Kind::Int),
        (of_type.is_subclass_of::<PyFloat>()?, Kind::Float),
        (of_type.is_subclass_of::<PyList>()?, Kind::List),
        (of_type.is_subclass_of::<PyTuple>()?, Kind::Tuple),
    ] {
        if is_kind {
            return Ok(kind);
        }
    }
    for (class, kind) in [
        // `datetime` is a subclass of `date`.
        (&known.date, Kind::Iso),
        (&known.time, Kind::Iso),
        (&known.timedelta, Kind::Duration),
        (&known.uuid, Kind::Uuid),
        (&known.decimal, Kind::Decimal),
        (&known.path, Kind::Path),
        (&known.mapping, Kind::Mapping),
        (&known.sequence, Kind::Sequence),
        (&known.set, Kind::Set),
    ] {
        if of_type.is_subclass(class.bind(py))? {
            return Ok(kind);
        }
    }
    Ok(if is_numpy_scalar(of_type)? {
        Kind::Item
    } else {
        Kind::Unknown
    })
}

/// Recognizes dataclasses, attrs classes and pydantic models by their class attributes.
fn with_fields(of_type: &Bound<'_, PyType>) -> PyResult<Option<Kind>> {
    let py = of_type.py();
    if of_type.hasattr(name!(py, __herald_payload__))? {
        return Ok(Some(Kind::Payload));
    }
    let serializer = of_type.getattr_opt(name!(py, __pydantic_serializer__))?;
    if serializer.is_some() && of_type.hasattr(name!(py, model_dump))? {
        let arguments = pydantic_arguments(of_type, name!(py, model_config))?;
        return Ok(Some(Kind::Model(arguments)));
    }
    let fields = if of_type.hasattr(name!(py, __dataclass_fields__))? {
        if let Some(serializer) = serializer {
            let arguments = pydantic_arguments(of_type, name!(py, __pydantic_config__))?;
            return Ok(Some(Kind::Serializer(serializer.unbind(), arguments)));
        }
        let fields = &python_refs::get(py).dataclass_fields;
        fields.bind(py).call1((of_type,))?
    } else if let Some(fields) = of_type.getattr_opt(name!(py, __attrs_attrs__))? {
        fields
    } else {
        return Ok(None);
    };
    let fields = fields.try_iter()?.map(|field| {
        let name: Bound<'_, PyString> = field?.getattr(name!(py, name))?.cast_into()?;
        let mut key = Vec::new();
        text::write(name.to_str()?, &mut key);
        key.push(b':');
        let name = name.unbind();
        Ok(Field { name, key })
    });
    Ok(Some(Kind::Fields(fields.collect::<PyResult<_>>()?)))
}

/// Arguments for pydantic's serializers: aliases are used unless the model's configuration sets
/// otherwise.
fn pydantic_arguments(
    of_type: &Bound<'_, PyType>,
    configuration: &Bound<'_, PyString>,
) -> PyResult<Py<PyDict>> {
    let py = of_type.py();
    let by_alias = match of_type.getattr_opt(configuration)? {
        Some(configuration) if !configuration.is_none() => configuration
            .call_method1("get", ("serialize_by_alias",))?
            .extract::<Option<bool>>()?,
        _ => None,
    };
    let arguments = PyDict::new(py);
    arguments.set_item("mode", "json")?;
    let publication = &python_refs::get(py).publication_arguments;
    arguments.update(publication.bind(py).call1((of_type,))?.cast()?)?;
    arguments.set_item("by_alias", by_alias.unwrap_or(true))?;
    Ok(arguments.unbind())
}

/// Recognizes numpy numbers and booleans. Other scalars are excluded: `item()` of a
/// `datetime64[ns]` is a bare number.
fn is_numpy_scalar(of_type: &Bound<'_, PyType>) -> PyResult<bool> {
    let py = of_type.py();
    let modules = python_refs::get(py).modules.bind(py);
    let numpy = modules.call_method1("get", ("numpy",))?;
    if numpy.is_none() {
        return Ok(false);
    }
    for name in ["number", "bool_"] {
        // The module may be another one of that name.
        if let Some(class) = numpy.getattr_opt(name)?
            && let Ok(class) = class.cast::<PyType>()
            && of_type.is_subclass(class)?
        {
            return Ok(true);
        }
    }
    Ok(false)
}
