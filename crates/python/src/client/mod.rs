//! The Kafka client: what `herald/client.py` is made of.

mod away;
pub mod events;
mod line;
mod logging;
pub mod mailbox;
mod memory;
mod options;
mod publisher;
mod receipt;
mod stats;
mod unattended;
mod wait;

use pyo3::prelude::*;
use pyo3::types::PyModule;

pub use receipt::Receipt;

/// Adds the client's classes to the module.
pub fn add_to(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<publisher::Publisher>()?;
    module.add_class::<publisher::PendingReceipt>()?;
    module.add_class::<mailbox::Mailbox>()?;
    module.add_class::<receipt::Receipt>()?;
    module.add_class::<stats::Stats>()?;
    module.add_class::<stats::SpoolStatus>()?;
    module.add_class::<memory::MemoryCluster>()?;
    module.add_class::<memory::DevCluster>()?;
    module.add_function(wrap_pyfunction!(logging::start_logging, module)?)?;
    module.add_function(wrap_pyfunction!(logging::stop_logging, module)?)?;
    module.add_function(wrap_pyfunction!(away::wait_at_end, module)?)?;
    module.add_function(wrap_pyfunction!(logging::before_fork, module)?)?;
    module.add_function(wrap_pyfunction!(logging::after_fork, module)?)?;
    Ok(())
}
