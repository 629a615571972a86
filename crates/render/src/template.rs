//! Where templates come from, and how they are rendered.

use std::fmt;
use std::sync::LazyLock;

use minijinja::syntax::SyntaxConfig;
use minijinja::{AutoEscape, Environment, UndefinedBehavior, Value};

/// Name and text of every template that is compiled in.
///
/// The name is the path below `templates/` without `.jinja`, so that the ending tells the
/// language.
static BUILT_IN: [(&str, &str); 12] = [
    (
        "python/declared.py",
        include_str!("../templates/python/declared.py.jinja"),
    ),
    (
        "python/imports.py",
        include_str!("../templates/python/imports.py.jinja"),
    ),
    (
        "python/metric_recorded.py",
        include_str!("../templates/python/metric_recorded.py.jinja"),
    ),
    (
        "python/module.py",
        include_str!("../templates/python/module.py.jinja"),
    ),
    (
        "python/operation_completed.py",
        include_str!("../templates/python/operation_completed.py.jinja"),
    ),
    (
        "python/operation_failed.py",
        include_str!("../templates/python/operation_failed.py.jinja"),
    ),
    (
        "python/operation_started.py",
        include_str!("../templates/python/operation_started.py.jinja"),
    ),
    (
        "python/otherwise.py",
        include_str!("../templates/python/otherwise.py.jinja"),
    ),
    (
        "python/publish.py",
        include_str!("../templates/python/publish.py.jinja"),
    ),
    (
        "python/publisher.py",
        include_str!("../templates/python/publisher.py.jinja"),
    ),
    (
        "python/standalone.py",
        include_str!("../templates/python/standalone.py.jinja"),
    ),
    (
        "python/state_changed.py",
        include_str!("../templates/python/state_changed.py.jinja"),
    ),
];

static DEFAULT: LazyLock<Templates> = LazyLock::new(|| {
    Templates::new(|_| None).expect("the built-in templates are checked by every test")
});

/// Templates, compiled.
pub struct Templates(Environment<'static>);

impl Templates {
    /// The templates that Herald ships, compiled once in a process.
    pub fn built_in() -> &'static Self {
        &DEFAULT
    }

    /// Herald's templates, with those replaced for which `source` knows another text.
    ///
    /// The names are the paths below `templates/` without `.jinja`: `python/module.py`.
    ///
    /// # Errors
    /// When a text is no template.
    pub fn new(source: impl Fn(&str) -> Option<String>) -> Result<Self, RenderError> {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_auto_escape_callback(|_| AutoEscape::None);
        environment.set_syntax(
            SyntaxConfig::builder()
                .trim_blocks(true)
                .lstrip_blocks(true)
                .keep_trailing_newline(true)
                .build()?,
        );
        for (name, built_in) in BUILT_IN {
            match source(name) {
                Some(text) => environment.add_template_owned(name, text)?,
                None => environment.add_template(name, built_in)?,
            }
        }
        Ok(Self(environment))
    }

    /// Appends a template's output to `out`.
    ///
    /// # Errors
    /// When there is no such template, or it uses what it is not given.
    pub(crate) fn render_into(
        &self,
        out: &mut String,
        name: &str,
        view: Value,
    ) -> Result<(), RenderError> {
        out.push_str(&self.0.get_template(name)?.render(view)?);
        Ok(())
    }
}

impl fmt::Debug for Templates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Templates").finish_non_exhaustive()
    }
}

/// A template that does not compile, or that uses what it is not given.
///
/// Never the fault of a contract: the templates that Herald ships render every node.
#[derive(Debug)]
pub struct RenderError(minijinja::Error);

impl From<minijinja::Error> for RenderError {
    fn from(error: minijinja::Error) -> Self {
        Self(error)
    }
}

impl fmt::Display for RenderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "template: {}", self.0)
    }
}

impl std::error::Error for RenderError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.0)
    }
}
