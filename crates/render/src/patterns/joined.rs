//! The imports of several generators, at the top of one module.

use crate::python::imports::Imports;

/// Joins the texts of several `generate_imports` into the beginning of one module: each import
/// once, in the order of isort, then the rest.
///
/// ```
/// use herald_render::patterns::{
///     LifecyclePatternGenerator, MetricsPatternGenerator, join_imports,
/// };
///
/// let metrics = MetricsPatternGenerator::new("effect", "orders", &["place"])?;
/// let lifecycle = LifecyclePatternGenerator::new("effect", "orders", &["place"])?;
/// let joined = join_imports(&[metrics.generate_imports(), lifecycle.generate_imports()]);
/// assert!(joined.starts_with("from collections.abc import Callable, Coroutine, Mapping\n"));
/// # Ok::<(), herald_render::patterns::InvalidArgument>(())
/// ```
pub fn join_imports(texts: &[impl AsRef<str>]) -> String {
    let mut imports = Imports::default();
    let mut rest = String::new();
    for text in texts {
        let other = imports.take_from(text.as_ref());
        if !other.trim().is_empty() {
            rest.push('\n');
            rest.push_str(other);
        }
    }
    imports.print() + "\n" + &rest
}
