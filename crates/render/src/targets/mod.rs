//! Targets: the kinds of output that Herald generates.
//!
//! A built-in target is a file in this folder with a [`BuiltInTarget`], and its row in [`TARGETS`].

pub mod asyncapi;
pub mod custom;
pub mod python;
pub mod schemas;

use std::fmt;

use herald_catalog::Node;
use herald_diagnostics::did_you_mean;
use rayon::prelude::*;
use thiserror::Error;

use crate::file::GeneratedFile;
use crate::targets::custom::FileView;
use crate::targets::python::options::PythonOptions;
use crate::template::{RenderError, Templates};

/// Built-in targets. The first one is the default.
pub static TARGETS: [&BuiltInTarget; 5] = [
    &python::TARGET,
    &python::CONSUMER_TARGET,
    &schemas::TARGET,
    &asyncapi::TARGET,
    &asyncapi::TARGET_3_0,
];

/// Kind of output: built in, or defined by a project.
pub trait Target: fmt::Debug + Sync {
    /// Returns its name: `--target python`.
    fn name(&self) -> &str;

    /// Renders the files of these nodes. The output is deterministic.
    ///
    /// `is_complete` is false if contracts are missing because they have errors; then files that need
    /// all contracts are skipped.
    ///
    /// # Errors
    /// If a template can't be rendered, or contracts contradict each other.
    fn render(
        &self,
        nodes: &[&Node],
        context: &Context<'_>,
        is_complete: bool,
    ) -> Result<Vec<GeneratedFile>, TargetError>;

    /// Returns the data of the templates, file by file; `None` if it is internal.
    ///
    /// # Errors
    /// See [`render`](Self::render).
    fn views(
        &self,
        _nodes: &[&Node],
        _templates: &Templates,
    ) -> Result<Option<Vec<FileView>>, TargetError> {
        Ok(None)
    }
}

/// Built-in target.
#[derive(Debug)]
pub struct BuiltInTarget {
    /// Its name: `--target python`.
    pub name: &'static str,
    /// Its output, for lists and help.
    pub title: &'static str,
    /// Ending of the names of its files, without the dot.
    pub extension: &'static str,
    /// The function that renders it.
    pub render: Render,
}

/// Function that renders a built-in target.
#[derive(Clone, Copy, Debug)]
pub enum Render {
    /// Renders the files of one node, none where it has nothing for this target.
    PerNode(fn(&Node, &Context<'_>) -> Result<Vec<GeneratedFile>, RenderError>),
    /// Renders the files of one node, and those that all nodes share, if there are any.
    PerNodeWith {
        /// Renders the files of one node.
        node: fn(&Node, &Context<'_>) -> Result<Vec<GeneratedFile>, RenderError>,
        /// Returns the files that all nodes share.
        shared: fn(&Context<'_>) -> Vec<GeneratedFile>,
    },
    /// Renders the files of all nodes together.
    PerCatalog(fn(&[&Node], &Context<'_>) -> Result<Vec<GeneratedFile>, TargetError>),
}

impl Target for BuiltInTarget {
    fn name(&self) -> &str {
        self.name
    }

    fn render(
        &self,
        nodes: &[&Node],
        context: &Context<'_>,
        is_complete: bool,
    ) -> Result<Vec<GeneratedFile>, TargetError> {
        match self.render {
            Render::PerNode(render) => per_node(render, nodes, context),
            Render::PerNodeWith { node, shared } => {
                let mut files = per_node(node, nodes, context)?;
                if !files.is_empty() {
                    files.extend(shared(context));
                }
                Ok(files)
            }
            Render::PerCatalog(render) if is_complete => render(nodes, context),
            Render::PerCatalog(_) => Ok(Vec::new()),
        }
    }
}

fn per_node(
    render: fn(&Node, &Context<'_>) -> Result<Vec<GeneratedFile>, RenderError>,
    nodes: &[&Node],
    context: &Context<'_>,
) -> Result<Vec<GeneratedFile>, TargetError> {
    let render = |node: &&Node| render(node, context);
    let files: Result<Vec<_>, _> = nodes.par_iter().with_min_len(8).map(render).collect();
    Ok(files?.into_iter().flatten().collect())
}

impl BuiltInTarget {
    /// Returns the built-in target with this name.
    pub fn find(name: &str) -> Option<&'static Self> {
        TARGETS.into_iter().find(|target| target.name == name)
    }

    /// Returns the built-in target with this name.
    ///
    /// # Errors
    /// If there is none; the message lists the known ones.
    pub fn named(name: &str) -> Result<&'static Self, UnknownTarget> {
        Self::find(name)
            .ok_or_else(|| UnknownTarget::new(name, TARGETS.iter().map(|target| target.name)))
    }
}

/// Error for files of a target that can't be rendered.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum TargetError {
    /// A template can't be rendered.
    #[error(transparent)]
    Template(#[from] RenderError),
    /// The contracts contradict each other about topics; a sentence for each contradiction.
    #[error("{}", .0.join("\n"))]
    Conflicts(Vec<String>),
}

impl TargetError {
    /// Returns a message for each problem.
    pub fn messages(self) -> Vec<String> {
        match self {
            Self::Template(error) => vec![error.to_string()],
            Self::Conflicts(conflicts) => conflicts,
        }
    }
}

/// Error for a name of an unknown target.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("there is no target `{name}`; {hint}")]
pub struct UnknownTarget {
    /// The unknown name.
    pub name: String,
    hint: String,
}

impl UnknownTarget {
    /// Creates the error, with a hint at one of the known names.
    pub fn new<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Self {
        let known: Vec<_> = known.collect();
        let hint = match did_you_mean(name, known.iter().copied()) {
            Some(known) => format!("did you mean `{known}`?"),
            None => format!("there are: {}", known.join(", ")),
        };
        Self {
            name: name.to_owned(),
            hint,
        }
    }
}

/// Templates and options that a target is rendered with.
#[derive(Clone, Debug)]
pub struct Context<'a> {
    /// Templates, built in and of the project.
    pub templates: &'a Templates,
    /// Options of generated Python.
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

#[cfg(test)]
mod tests {
    use herald_catalog::kind::Kind;
    use herald_catalog::node_from_parts;

    use super::*;

    #[expect(clippy::unnecessary_wraps, reason = "the signature of targets")]
    fn list(nodes: &[&Node], _: &Context<'_>) -> Result<Vec<GeneratedFile>, TargetError> {
        let names: Vec<_> = nodes
            .iter()
            .map(|node| node.identity.slug.as_str())
            .collect();
        Ok(vec![GeneratedFile {
            path: "list.txt".to_owned(),
            contents: names.join(","),
        }])
    }

    #[test]
    fn target_per_catalog_gets_all_nodes_and_needs_all_contracts() {
        let target = BuiltInTarget {
            name: "list",
            title: "List of nodes",
            extension: "txt",
            render: Render::PerCatalog(list),
        };
        let node = |name| node_from_parts(Kind::Effect, name, &["run"], true, true);
        let (one, two) = (node("one").expect("valid"), node("two").expect("valid"));
        let context = Context::default();
        let files = target
            .render(&[&one, &two], &context, true)
            .expect("it renders");
        assert_eq!(files.len(), 1);
        assert!(files[0].contents.contains("one,"), "{}", files[0].contents);
        assert_eq!(
            target.render(&[&one, &two], &context, false),
            Ok(Vec::new())
        );
    }

    #[test]
    fn unknown_target_is_corrected() {
        let error = BuiltInTarget::named("pyton").expect_err("it is unknown");
        assert_eq!(
            error.to_string(),
            "there is no target `pyton`; did you mean `python`?"
        );
    }
}
