//! What Python sees of Herald, below the module `herald`: see `python/herald`.

mod client;
mod errors;
mod payload;

use pyo3::prelude::*;

/// The part of `herald` that is written in Rust.
#[pymodule]
mod _herald {
    use super::{Bound, PyModule, PyModuleMethods, PyResult, client};

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        module.add("__version__", env!("CARGO_PKG_VERSION"))?;
        client::add_to(module)
    }
}
