//! Diagnostics and their order.

use crate::{Location, Rule, Severity};

/// Message about one place that breaks a rule.
#[derive(Clone, Debug)]
pub struct Diagnostic {
    /// The rule that was broken.
    pub rule: &'static Rule,
    /// Severity of this diagnostic: the rule's, unless the project set another.
    pub severity: Severity,
    /// The problem, in one sentence without a full stop.
    pub message: String,
    /// Place of the problem. `None` only for diagnostics about the run itself.
    pub location: Option<Location>,
    /// Other places that explain the problem ("first declared here").
    pub labels: Vec<Label>,
    /// Advice, where there is any.
    pub help: Option<String>,
    /// The diagnostic's subject in machine form: a count, a topic, `key@line`.
    pub detail: Option<String>,
    /// A change of the texts that solves the problem and nothing else.
    pub fix: Option<Fix>,
}

/// A change that solves a problem.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fix {
    /// Title as a command: "remove the comment".
    pub title: &'static str,
    /// Its edits, which do not overlap.
    pub edits: Vec<Edit>,
}

/// A range of a source, and the text that replaces it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// The range.
    pub location: Location,
    /// The new text.
    pub text: String,
}

/// A secondary place of a diagnostic.
#[derive(Clone, Debug)]
pub struct Label {
    /// The place.
    pub location: Location,
    /// Explanation of the place.
    pub message: String,
}

impl Diagnostic {
    /// Creates a diagnostic of `rule` at the rule's own severity, without a place.
    pub fn new(rule: &'static Rule, message: impl Into<String>) -> Self {
        Self {
            rule,
            severity: rule.severity,
            message: message.into(),
            location: None,
            labels: Vec::new(),
            help: None,
            detail: None,
            fix: None,
        }
    }

    /// Sets the place.
    #[must_use]
    pub fn at(mut self, location: Location) -> Self {
        self.location = Some(location);
        self
    }

    /// Adds a secondary place.
    #[must_use]
    pub fn label(mut self, location: Location, message: impl Into<String>) -> Self {
        self.labels.push(Label {
            location,
            message: message.into(),
        });
        self
    }

    /// Sets the advice.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Sets a change that solves the problem.
    #[must_use]
    pub fn fix(mut self, fix: Fix) -> Self {
        self.fix = Some(fix);
        self
    }

    /// Sets the machine-readable subject.
    #[must_use]
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    /// Returns the code, followed by a colon and the subject if there is one:
    /// `yaml.duplicate_key:runtime_profiles@36`.
    pub fn key(&self) -> String {
        match &self.detail {
            Some(detail) => format!("{}:{detail}", self.rule.code),
            None => self.rule.code.to_owned(),
        }
    }

    /// Returns the message, and the help on a line of its own, for formats with a single text.
    pub(crate) fn message_and_help(&self) -> String {
        match &self.help {
            Some(help) => format!("{}\nhelp: {help}", self.message),
            None => self.message.clone(),
        }
    }

    /// Whether this diagnostic stops generation.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

/// Sorts diagnostics by source, then place, then code. Diagnostics about the run itself come first;
/// the sort is stable.
pub fn sort(diagnostics: &mut [Diagnostic]) {
    diagnostics.sort_by_key(|diagnostic| {
        let place = diagnostic
            .location
            .map(|location| (location.source, location.span.start));
        (place, diagnostic.rule.code)
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{SourceId, Span};

    const fn rule(code: &'static str) -> Rule {
        Rule {
            code,
            severity: Severity::Error,
            title: "",
            docs: "",
            bad: "",
            good: "",
        }
    }
    static A: Rule = rule("a");
    static B: Rule = rule("b");

    fn at(source: u32, start: u32) -> Location {
        Location {
            source: SourceId(source),
            span: Span::new(start, start),
        }
    }

    #[test]
    fn sorts_by_source_then_place_then_code() {
        let mut found = [
            Diagnostic::new(&A, "5").at(at(1, 0)),
            Diagnostic::new(&B, "3").at(at(0, 4)),
            Diagnostic::new(&A, "4").at(at(0, 7)),
            Diagnostic::new(&A, "2").at(at(0, 4)),
            Diagnostic::new(&B, "1"),
        ];
        sort(&mut found);
        assert_eq!(
            found.map(|diagnostic| diagnostic.message),
            ["1", "2", "3", "4", "5"]
        );
    }

    #[test]
    fn the_key_contains_the_subject() {
        assert_eq!(Diagnostic::new(&A, "").key(), "a");
        assert_eq!(Diagnostic::new(&A, "").detail("name@36").key(), "a:name@36");
    }
}
