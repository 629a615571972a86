//! Parts of a class, printed by their templates.

use minijinja::value::{Serde, Value};
use serde::Serialize;

use crate::patterns::printed;
use crate::python::expr::Expr;
use crate::python::layout::WIDTH;
use crate::python::text::escape;
use crate::template::Templates;

/// Renders a part, indented as in a class. The outermost caller marks long lines with `noqa`.
pub(crate) fn part(template: &str, view: impl Serialize) -> String {
    let mut code = String::new();
    let view = Value::from(Serde(view));
    let rendered = Templates::built_in().render_into(&mut code, template, view);
    printed(rendered.map(|()| code))
}

/// Returns the parameter for one of the operations, on a line that begins at `indent`.
pub(crate) fn operation_parameter(operations: &[String], indent: usize) -> String {
    const NAME: &str = "operation: ";
    let names = operations.iter().map(|name| Expr::text(&escape(name)));
    let literal = Expr::generic("Literal", names.collect());
    format!("{NAME}{}", literal.fitted(indent, indent + NAME.len(), 1))
}

/// The head of a method without parameters.
pub(crate) fn head(begin: &str, of_type: &str) -> String {
    const INDENT: usize = 4;
    let line = format!("{begin}(self) -> {of_type}:");
    if INDENT + line.len() <= WIDTH {
        line
    } else {
        format!("{begin}(\n        self,\n    ) -> {of_type}:")
    }
}
