//! References to Python objects, created once when the module is imported.
//!
//! Nothing is initialized lazily while an event is published: a thread that initializes a `Once`
//! releases the interpreter lock meanwhile (PyO3 0.30), another thread may fork then, and in the
//! child the `Once` stays in progress for ever. So `pyo3::intern!` and `PyOnceLock::import` are not
//! used here, and Python modules that publishing needs are imported up front: a fork copies locked
//! import locks, too.

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyString, PyType};

macro_rules! names {
    ($($name:ident)*) => {
        /// Interned names of attributes and methods.
        pub struct Names {
            $(pub $name: Py<PyString>,)*
        }

        impl Names {
            fn new(py: Python<'_>) -> Self {
                Self {
                    $($name: PyString::intern(py, stringify!($name)).unbind(),)*
                }
            }
        }
    };
}

names! {
    __attrs_attrs__ __dataclass_fields__ __herald_payload__ __pydantic_config__ __pydantic_serializer__ __repr__
    bit_length create_future days done int isoformat item items microseconds model_config
    model_dump name seconds set_exception set_result to_python tobytes value
}

macro_rules! classes {
    ($($name:ident: $module:literal $class:literal,)*) => {
        /// Classes of the standard library and of the package.
        pub struct Classes {
            $(pub $name: Py<PyType>,)*
        }

        impl Classes {
            fn import(py: Python<'_>) -> PyResult<Self> {
                let import = |module, class| -> PyResult<Py<PyType>> {
                    let class = py.import(module)?.getattr(class)?;
                    Ok(class.cast_into::<PyType>()?.unbind())
                };
                Ok(Self {
                    $($name: import($module, $class)?,)*
                })
            }
        }
    };
}

classes! {
    enumeration: "enum" "Enum",
    date: "datetime" "date",
    time: "datetime" "time",
    timedelta: "datetime" "timedelta",
    uuid: "uuid" "UUID",
    decimal: "decimal" "Decimal",
    path: "pathlib" "PurePath",
    mapping: "collections.abc" "Mapping",
    sequence: "collections.abc" "Sequence",
    set: "collections.abc" "Set",
    settings_error: "herald.errors" "SettingsError",
    payload_error: "herald.errors" "PayloadError",
    publish_error: "herald.errors" "PublishError",
}

/// All references.
pub struct PythonRefs {
    pub names: Names,
    pub classes: Classes,
    pub b64encode: Py<PyAny>,
    pub dataclass_fields: Py<PyAny>,
    pub get_logger: Py<PyAny>,
    /// Function that returns the arguments of pydantic's serializers by which generated models leave
    /// out private values.
    pub publication_arguments: Py<PyAny>,
    pub modules: Py<PyAny>,
}

static REFS: PyOnceLock<PythonRefs> = PyOnceLock::new();

/// Creates the references. Called when the module is imported.
pub fn init(py: Python<'_>) -> PyResult<()> {
    let import = |module, attribute| -> PyResult<Py<PyAny>> {
        Ok(py.import(module)?.getattr(attribute)?.unbind())
    };
    let refs = PythonRefs {
        names: Names::new(py),
        classes: Classes::import(py)?,
        b64encode: import("base64", "b64encode")?,
        dataclass_fields: import("dataclasses", "fields")?,
        get_logger: import("logging", "getLogger")?,
        publication_arguments: import("herald.runtime._private", "publication_arguments")?,
        modules: import("sys", "modules")?,
    };
    // Imported twice, in sub-interpreters say, the first references stay.
    let _ = REFS.set(py, refs);
    Ok(())
}

/// Returns the references.
pub fn get(py: Python<'_>) -> &PythonRefs {
    REFS.get(py).expect("created when the module was imported")
}

/// Returns an interned name.
macro_rules! name {
    ($py:expr, $name:ident) => {
        $crate::python_refs::get($py).names.$name.bind($py)
    };
}
pub(crate) use name;
