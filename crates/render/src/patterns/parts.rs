//! Templates of patterns, and the code that more than one of them needs.

use minijinja::value::{Serde, Value};
use serde::Serialize;

use crate::python::expr::Expr;
use crate::python::imports::Imports;
use crate::python::text::escape;
use crate::template::Templates;

/// Appends the output of a template. The outermost caller marks long lines with `noqa`.
pub(crate) fn render_into(out: &mut String, template: &str, view: Value) {
    let rendered = Templates::built_in().render_into(out, template, view);
    rendered.expect("the built-in templates print every node");
}

/// Renders a template, see [`render_into`].
pub(crate) fn render(template: &str, view: impl Serialize) -> String {
    let mut code = String::new();
    render_into(&mut code, template, Value::from(Serde(view)));
    code
}

/// Returns the imports as the beginning of a module.
pub(crate) fn import_block(names: &[(&str, &str)]) -> String {
    let mut imports = Imports::default();
    add_imports(&mut imports, names);
    imports.print() + "\n"
}

/// Adds pairs of a module and a name.
pub(crate) fn add_imports(imports: &mut Imports, names: &[(&str, &str)]) {
    for (module, name) in names {
        imports.name(module, name);
    }
}

/// Returns the parameter for one of the operations, on a line that begins at `indent`.
pub(crate) fn operation_parameter(operations: &[String], indent: usize) -> String {
    const NAME: &str = "operation: ";
    let names = operations.iter().map(|name| Expr::text(&escape(name)));
    let literal = Expr::generic("Literal", names.collect());
    format!("{NAME}{}", literal.fitted(indent, indent + NAME.len(), 1))
}
