//! Python: one module for each node, with its models, its constants and a class that publishes.

mod defaults;
mod enums;
mod models;
mod module;
pub mod options;
pub mod project;
mod runtime;
mod scope;
mod types;

use herald_catalog::Node;
use minijinja::value::{Serde, Value};

use crate::file::{GeneratedFile, is_ours};
use crate::python::noqa::allow_long_lines;
use crate::targets::python::module::Module;
use crate::targets::python::options::PythonOptions;
use crate::targets::python::runtime::Runtime;
use crate::targets::{BuiltInTarget, Context, Render};
use crate::template::RenderError;

/// The row of publishers in the table of targets.
pub static TARGET: BuiltInTarget = BuiltInTarget {
    name: "python",
    title: "Python event publishers",
    extension: "py",
    render: Render::PerNodeWith {
        node: |node, context| render(node, context, Module::new, &module_name(node)),
        shared: |context| {
            let is_needed = context.python.standalone;
            let files = is_needed.then(|| Runtime::Copied.files(context.python.models));
            files.unwrap_or_default()
        },
    },
};

/// The row of modules for consumers in the table of targets.
pub static CONSUMER_TARGET: BuiltInTarget = BuiltInTarget {
    name: "python-consumer",
    title: "Python models and `parse` for consumers, without Herald",
    extension: "py",
    render: Render::PerNodeWith {
        node: |node, context| {
            render(
                node,
                context,
                Module::for_consumers,
                &named(node, "consumer"),
            )
        },
        shared: |context| Runtime::Reader.files(context.python.models),
    },
};

fn render(
    node: &Node,
    context: &Context<'_>,
    module: fn(&Node, PythonOptions) -> Module,
    name: &str,
) -> Result<Vec<GeneratedFile>, RenderError> {
    if node.events.is_empty() {
        return Ok(Vec::new());
    }
    let mut module = module(node, context.python);
    module.templates = context.templates.overridden().map(str::to_owned);
    let mut contents = String::new();
    let view = Value::from(Serde(module));
    (context.templates).render_into(&mut contents, "python/module.py", view)?;
    if !is_ours(contents.as_bytes()) {
        return Err(RenderError {
            file: "python/module.py".to_owned(),
            line: None,
            message: "the module has to begin with `{{ marker }}`, by which Herald knows its own \
                      files"
                .to_owned(),
        });
    }
    Ok(vec![GeneratedFile {
        path: format!("{name}.py"),
        contents: allow_long_lines(contents),
    }])
}

/// Returns the name of the module, made importable. Slugs do not begin with an underscore, so
/// that no two of them give the same name.
pub fn module_name(node: &Node) -> String {
    named(node, "events")
}

fn named(node: &Node, ending: &str) -> String {
    let slug = &node.identity.slug;
    if slug.starts_with(|c: char| c.is_ascii_digit()) {
        format!("_{slug}_{ending}")
    } else {
        format!("{slug}_{ending}")
    }
}
