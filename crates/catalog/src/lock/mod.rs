//! Lock files: the published catalog in one file, for comparisons without git.
//!
//! [`write()`](write::write) prints everything of the nodes that consumers or generated code depend
//! on, with topics resolved: a project that changes its topic pattern is found too. The keys are
//! those of native contracts, and the decoders of native contracts read them, so that diagnostics
//! point at lines of the lock file.

mod fields;
pub(crate) mod read;
mod write;

pub use write::{both_versions, write};

/// Extension of lock files.
pub const EXTENSION: &str = "lock";

/// Name of a project's lock file, unless it sets another.
pub const DEFAULT_FILE: &str = "herald.lock";

/// Maximum size of a lock file in bytes; 10,000 contracts have about 15 MB.
pub const MAX_BYTES: u64 = 256 * 1024 * 1024;

/// Version of the format. Raised when an older Herald would misread the file.
const VERSION: u32 = 1;

/// Key of the version.
const VERSION_KEY: &str = "herald_lock";

/// Line between two contracts.
const SEPARATOR: &str = "---\n";

/// First line of a lock file.
const HEADER: &str = "# Published contracts. Written by `herald lock`, compared by `herald breaking --against lock`.\n";
