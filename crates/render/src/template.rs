//! Templates: their sources, limits and errors.

use std::fmt;
use std::io;
use std::sync::LazyLock;

use herald_catalog::Fingerprint;
use herald_diagnostics::did_you_mean;
use minijinja::syntax::SyntaxConfig;
use minijinja::{AutoEscape, Environment, ErrorKind, UndefinedBehavior, Value};
use thiserror::Error;

use crate::filters;
use crate::size_limit::{self, MAX_TEXT_BYTES};
use crate::strict::{names, strict};

/// Name and text of templates below `templates/`. The name is the path without `.jinja`, so that
/// its ending tells the language.
macro_rules! templates {
    ($($name:literal,)*) => {
        &[$(($name, include_str!(concat!("../templates/", $name, ".jinja")))),*]
    };
}

type Shipped = &'static [(&'static str, &'static str)];

/// Templates of the built-in targets; a project may replace them.
static BUILT_IN: Shipped = templates![
    "python/models.py",
    "python/module.py",
    "python/parse.py",
    "python/publisher.py",
];

/// Templates of [`crate::patterns`]. Projects can't replace them, because their output is an interface.
static PATTERNS: Shipped = templates![
    "patterns/event_publishing/imports.py",
    "patterns/event_publishing/metric_recorded.py",
    "patterns/event_publishing/operation.py",
    "patterns/event_publishing/otherwise.py",
    "patterns/event_publishing/publish.py",
    "patterns/event_publishing/publisher.py",
    "patterns/event_publishing/standalone.py",
    "patterns/event_publishing/state_changed.py",
    "patterns/lifecycle/helpers.py",
    "patterns/lifecycle/init.py",
    "patterns/lifecycle/monitoring.py",
    "patterns/lifecycle/shutdown.py",
    "patterns/lifecycle/startup.py",
    "patterns/metrics/business.py",
    "patterns/metrics/decorator.py",
    "patterns/metrics/initialization.py",
    "patterns/metrics/operations.py",
    "patterns/metrics/publishing.py",
    "patterns/metrics/resources.py",
    "patterns/service.py",
];

/// Templates of [`NodeProject`](crate::NodeProject), whose output belongs to the user.
static PROJECT: Shipped = templates![
    "project/herald.yaml",
    "project/pyproject.toml",
    "project/README.md",
    "project/gitignore",
    "project/init.py",
    "project/main.py",
    "project/node.py",
    "project/service.py",
    "project/generated.py",
    "project/test.py",
];

static DEFAULT: LazyLock<Templates> = LazyLock::new(|| {
    Templates::new(&[]).expect("the built-in templates are checked by every test")
});

/// Fuel of minijinja, in instructions, for one file of a project's templates; creating strings costs
/// fuel too. Enough for the Terraform file of a thousand contracts with eleven topics each.
const FUEL: u64 = 5_000_000;

/// Maximum depth of templates that include each other, which fits on the stack of any thread.
const MAX_DEPTH: usize = 64;

/// Template of a project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnTemplate {
    /// Path below the folder of templates, without `.jinja`: `python/module.py`.
    pub name: String,
    /// Its text.
    pub text: String,
    /// Path of its file, for messages.
    pub file: String,
}

/// Compiled templates.
///
/// Sandbox: templates can include each other and nothing else. The environment has no loader and no
/// function that opens files. Fuel, output size and recursion of a project's templates are limited.
pub struct Templates {
    environment: Environment<'static>,
    /// Name and file of the project's templates.
    own: Vec<(String, String)>,
    overridden: Option<String>,
}

impl Templates {
    /// Returns the built-in templates, compiled once per process.
    pub fn built_in() -> &'static Self {
        &DEFAULT
    }

    /// Returns name and text of every built-in template that a project may replace.
    pub fn shipped() -> impl Iterator<Item = (&'static str, &'static str)> {
        BUILT_IN.iter().copied()
    }

    /// Compiles the built-in templates and those of a project, which replace built-in ones of the same
    /// name.
    ///
    /// # Errors
    /// One error for each text that is not a valid template.
    pub fn new(own: &[OwnTemplate]) -> Result<Self, Vec<RenderError>> {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        // The output is source code, not HTML; the filters quote values for each language.
        environment.set_auto_escape_callback(|_| AutoEscape::None);
        environment.set_syntax(syntax());
        filters::add_to(&mut environment);
        // The built-in templates alone need no limits, and render without their cost.
        if !own.is_empty() {
            environment.set_fuel(Some(FUEL));
            environment.set_recursion_limit(MAX_DEPTH);
            // minijinja 3.1 names an undefined variable in its error only in this mode.
            environment.set_debug(true);
            size_limit::add_to(&mut environment);
            environment.set_formatter(|out, state, value| {
                if value.is_none() {
                    return Err(minijinja::Error::new(
                        ErrorKind::InvalidOperation,
                        "the value is null here; ask with `{% if %}` first",
                    ));
                }
                size_limit::check(value)?;
                minijinja::escape_formatter(out, state, value)
            });
        }
        let mut templates = Self {
            environment,
            own: own
                .iter()
                .map(|t| (t.name.clone(), t.file.clone()))
                .collect(),
            overridden: fingerprint(own),
        };
        let mut errors = Vec::new();
        for (name, text) in [BUILT_IN, PATTERNS, PROJECT].into_iter().flatten() {
            let added = templates.environment.add_template(name, text);
            errors.extend(added.err().map(|error| templates.explain(&error, &[])));
        }
        for OwnTemplate { name, text, .. } in own {
            let added = (templates.environment).add_template_owned(name.clone(), text.clone());
            errors.extend(added.err().map(|error| templates.explain(&error, &[])));
        }
        if errors.is_empty() {
            Ok(templates)
        } else {
            Err(errors)
        }
    }

    /// Identifies the built-in templates that a project replaces; `None` where it replaces none.
    pub(crate) fn overridden(&self) -> Option<&str> {
        self.overridden.as_deref()
    }

    /// Returns whether a template of this name exists.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.environment.get_template(name).is_ok()
    }

    /// Appends a template's output to `out`.
    ///
    /// # Errors
    /// If there is no such template, it uses an unknown name, or it exceeds a limit.
    pub(crate) fn render_into(
        &self,
        out: &mut String,
        name: &str,
        view: Value,
    ) -> Result<(), RenderError> {
        if self.own.is_empty() {
            let rendered = (self.environment.get_template(name)).and_then(|it| it.render(view));
            out.push_str(&rendered.map_err(|error| self.explain(&error, &[]))?);
            return Ok(());
        }
        let known = names(&view);
        let mut capped = Capped(Vec::new());
        (self.environment.get_template(name))
            .and_then(|template| {
                template
                    .render_captured_to(strict(&view, ""), &mut capped)
                    .map(drop)
            })
            .map_err(|error| self.explain(&error, &known))?;
        out.push_str(&String::from_utf8_lossy(&capped.0));
        Ok(())
    }

    /// Explains an error. `known` are the names in the data of the template.
    fn explain(&self, error: &minijinja::Error, known: &[String]) -> RenderError {
        let error = innermost(error);
        let detail = error.detail().unwrap_or_default();
        let message = match error.kind() {
            ErrorKind::UndefinedError => explain_undefined(detail, known),
            ErrorKind::OutOfFuel => {
                "it takes too long; a loop is probably larger than it was meant to be".to_owned()
            }
            ErrorKind::WriteFailure => {
                format!("it prints more than {} MB", MAX_TEXT_BYTES / 1024 / 1024)
            }
            ErrorKind::UnknownFilter => suggest(detail, "filter", filters::known()),
            ErrorKind::TemplateNotFound => {
                let templates = self.environment.templates().map(|(name, _)| name);
                suggest(detail, "template", templates)
            }
            kind if detail.is_empty() => kind.to_string(),
            _ => detail.to_owned(),
        };
        let name = error.name().unwrap_or("template");
        let own = self.own.iter().find(|(own, _)| own == name);
        RenderError {
            file: own.map_or(name, |(_, file)| file).to_owned(),
            line: error.line(),
            message,
        }
    }
}

/// Returns the syntax: lines with only a block produce no output.
fn syntax() -> SyntaxConfig {
    SyntaxConfig::builder()
        .trim_blocks(true)
        .lstrip_blocks(true)
        .keep_trailing_newline(true)
        .build()
        .expect("only delimiters can be wrong")
}

/// Returns the fingerprint of a project's templates that replace built-in ones.
fn fingerprint(own: &[OwnTemplate]) -> Option<String> {
    let is_built_in = |name: &str| BUILT_IN.iter().any(|(known, _)| *known == name);
    let mut replacing: Vec<_> = (own.iter().filter(|own| is_built_in(&own.name)))
        .map(|own| (&own.name, &own.text))
        .collect();
    // The order of a folder's files differs between machines; the fingerprint must not.
    replacing.sort();
    (!replacing.is_empty()).then(|| Fingerprint::of(format!("{replacing:?}").as_bytes()).0)
}

/// Returns the first cause: an error of an included template is wrapped in that of the including
/// one.
fn innermost(error: &minijinja::Error) -> &minijinja::Error {
    let mut found = error;
    let mut next: Option<&(dyn std::error::Error + 'static)> = std::error::Error::source(error);
    while let Some(error) = next {
        if let Some(inner) = error.downcast_ref::<minijinja::Error>() {
            found = inner;
        }
        next = error.source();
    }
    found
}

/// Completes "`name` is undefined" of minijinja with the known names.
fn explain_undefined(detail: &str, known: &[String]) -> String {
    let Some((_, name)) = detail
        .split_once('`')
        .filter(|_| detail.contains("is undefined"))
    else {
        return detail.to_owned();
    };
    let name = name.split(['`', '.', '[']).next().unwrap_or(name);
    if known.is_empty() {
        return detail.to_owned();
    }
    format!(
        "`{name}` is not defined; {}",
        hint(name, known.iter().map(String::as_str))
    )
}

/// Completes an error of minijinja about a name in quotes with a suggestion.
fn suggest<'a>(detail: &str, what: &str, known: impl Iterator<Item = &'a str>) -> String {
    let name = detail.split(['"', '`', '\'']).nth(1);
    let name = name.or_else(|| detail.split_whitespace().nth(1));
    let Some(name) = name else {
        return detail.to_owned();
    };
    match did_you_mean(name, known) {
        Some(known) => format!("there is no {what} `{name}`; did you mean `{known}`?"),
        None => format!("there is no {what} `{name}`"),
    }
}

/// Returns the most similar name, and all known names.
pub(crate) fn hint<'a>(name: &str, known: impl Iterator<Item = &'a str> + Clone) -> String {
    let all = known.clone().collect::<Vec<_>>().join(", ");
    match did_you_mean(name, known) {
        Some(meant) => format!("did you mean `{meant}`? There are: {all}"),
        None => format!("there are: {all}"),
    }
}

/// Writer that refuses more than [`MAX_TEXT_BYTES`].
struct Capped(Vec<u8>);

impl io::Write for Capped {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.len() + bytes.len() > MAX_TEXT_BYTES {
            return Err(io::Error::other("too much output"));
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl fmt::Debug for Templates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Templates").finish_non_exhaustive()
    }
}

/// Error for a template that does not compile, uses an unknown name, or takes too long.
///
/// A contract never causes it: the built-in templates render every node.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Error)]
#[error("{}: {message}", place(.file, *.line))]
pub struct RenderError {
    /// File of the template; its name where Herald ships it.
    pub file: String,
    /// From 1.
    pub line: Option<usize>,
    /// The problem and its fix.
    pub message: String,
}

fn place(file: &str, line: Option<usize>) -> String {
    line.map_or_else(|| file.to_owned(), |line| format!("{file}:{line}"))
}
