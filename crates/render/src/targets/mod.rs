//! The table of targets.

pub mod python;

use herald_catalog::Node;

use crate::file::GeneratedFile;
use crate::template::{RenderError, Templates};

/// Everything that can be generated.
pub static TARGETS: [&Target; 1] = [&python::TARGET];

/// A row of the table of targets: one kind of output.
#[derive(Debug)]
pub struct Target {
    /// As people name it: `--target python`.
    pub name: &'static str,
    /// What one gets, for lists and help.
    pub title: &'static str,
    /// What the names of its files end in, without the dot.
    pub extension: &'static str,
    /// The files of one node, none where it has nothing that this target shows. The same node
    /// gives the same files, byte for byte.
    pub render: fn(&Node, &Context<'_>) -> Result<Vec<GeneratedFile>, RenderError>,
}

impl Target {
    /// The target with this name.
    pub fn find(name: &str) -> Option<&'static Self> {
        TARGETS.into_iter().find(|target| target.name == name)
    }
}

/// What a target is given beside the node.
#[derive(Clone, Debug)]
pub struct Context<'a> {
    /// The texts that it fills in.
    pub templates: &'a Templates,
}

impl Default for Context<'static> {
    fn default() -> Self {
        Self {
            templates: Templates::built_in(),
        }
    }
}
