//! What Python sees of Herald, below the module `herald`: see `python/herald`.

mod contracts;
mod generator;

use pyo3::prelude::*;

/// The part of `herald` that is written in Rust.
#[pymodule]
mod _herald {
    use super::{Bound, PyModule, PyModuleMethods, PyResult};

    #[pymodule_export]
    use crate::contracts::{Loaded, categories, load, load_text, targets};
    #[pymodule_export]
    use crate::generator::{
        PatternGenerator, completed_of_service, failed_of_service, started_of_service,
    };

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        module.add("__version__", env!("CARGO_PKG_VERSION"))
    }
}
