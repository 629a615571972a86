//! The table of targets.

pub mod custom;
pub mod python;
pub mod schemas;

use std::fmt;

use herald_catalog::Node;
use herald_diagnostics::did_you_mean;

use crate::file::GeneratedFile;
use crate::targets::python::options::PythonOptions;
use crate::template::{RenderError, Templates};

/// Everything that can be generated.
pub static TARGETS: [&Target; 2] = [&python::TARGET, &schemas::TARGET];

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

    /// The target with this name.
    ///
    /// # Errors
    /// When there is none; the message says which there are.
    pub fn named(name: &str) -> Result<&'static Self, UnknownTarget> {
        Self::find(name).ok_or_else(|| UnknownTarget(name.to_owned()))
    }
}

/// A name that no target has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownTarget(pub String);

impl fmt::Display for UnknownTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known = TARGETS.map(|target| target.name);
        write!(f, "there is no target `{}`; ", self.0)?;
        match did_you_mean(&self.0, known) {
            Some(known) => write!(f, "did you mean `{known}`?"),
            None => write!(f, "there are: {}", known.join(", ")),
        }
    }
}

impl std::error::Error for UnknownTarget {}

/// What a target is given beside the node.
#[derive(Clone, Debug)]
pub struct Context<'a> {
    /// The texts that it fills in.
    pub templates: &'a Templates,
    /// How Python is wanted.
    pub python: PythonOptions,
}

impl Default for Context<'static> {
    fn default() -> Self {
        Self {
            templates: Templates::built_in(),
            python: PythonOptions::default(),
        }
    }
}
