//! Native part of the Kafka clients in `herald/client.py` and `herald/sync.py`.

pub mod completion_queue;
mod detach;
pub mod events;
mod fifo;
mod fire_and_forget;
mod logging;
mod memory;
mod options;
mod prepared_event;
mod publisher;
mod receipt;
mod stats;
mod token_provider;
mod topic_check;
mod wait;
mod wakeup;

use pyo3::prelude::*;
use pyo3::types::PyModule;

pub use receipt::Receipt;

/// Converts sample arguments, because PyO3 interns the attribute names of derived conversions on
/// first use: see `python_refs`. Called when the package is imported.
#[pyfunction]
#[pyo3(signature = (event, raw, settings, /))]
fn warm_up(event: events::Event<'_>, raw: events::Raw<'_>, settings: options::Settings) {
    drop((event, raw, settings));
}

/// Adds the client's classes and functions to the module.
pub fn add_to(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<publisher::Publisher>()?;
    module.add_class::<publisher::PendingReceipt>()?;
    module.add_class::<prepared_event::PreparedEvent>()?;
    module.add_class::<completion_queue::CompletionQueue>()?;
    module.add_class::<wakeup::LoopWaker>()?;
    module.add_class::<receipt::Receipt>()?;
    module.add_class::<stats::BrokerStats>()?;
    module.add_class::<stats::Stats>()?;
    module.add_class::<stats::SpoolStatus>()?;
    module.add_class::<token_provider::TokenAnswer>()?;
    module.add_class::<memory::MemoryCluster>()?;
    module.add_class::<memory::DevCluster>()?;
    module.add_function(wrap_pyfunction!(warm_up, module)?)?;
    module.add_function(wrap_pyfunction!(events::new_id, module)?)?;
    module.add_function(wrap_pyfunction!(logging::stop_logging, module)?)?;
    module.add_function(wrap_pyfunction!(detach::wait_for_detached, module)?)?;
    module.add_function(wrap_pyfunction!(logging::before_fork, module)?)?;
    module.add_function(wrap_pyfunction!(logging::after_fork, module)?)?;
    Ok(())
}
