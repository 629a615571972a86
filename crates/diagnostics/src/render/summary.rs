//! Summary of the number of diagnostics.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::{Diagnostic, Severity, count};

/// Number of diagnostics of each severity.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Number of errors.
    pub errors: usize,
    /// Number of warnings.
    pub warnings: usize,
    /// Number of infos.
    pub infos: usize,
}

impl Counts {
    /// Counts diagnostics.
    pub fn of(diagnostics: &[Diagnostic]) -> Self {
        let count = |severity| {
            diagnostics
                .iter()
                .filter(|d| d.severity == severity)
                .count()
        };
        Self {
            errors: count(Severity::Error),
            warnings: count(Severity::Warning),
            infos: count(Severity::Info),
        }
    }
}

/// Returns the last line of a run, such as `2 errors, 1 warning in 2 files`; `None` without
/// diagnostics. Files of labels are not counted.
pub fn summary(diagnostics: &[Diagnostic]) -> Option<String> {
    let Counts {
        errors,
        warnings,
        infos,
    } = Counts::of(diagnostics);
    let found: Vec<_> = [(errors, "error"), (warnings, "warning"), (infos, "info")]
        .into_iter()
        .filter(|(n, _)| *n > 0)
        .map(|(n, noun)| count(n, noun))
        .collect();
    if found.is_empty() {
        return None;
    }
    let files: BTreeSet<_> = diagnostics
        .iter()
        .filter_map(|d| d.location)
        .map(|location| location.source)
        .collect();
    let place = match files.len() {
        0 => String::new(),
        n => format!(" in {}", count(n, "file")),
    };
    Some(found.join(", ") + &place)
}

#[cfg(test)]
mod tests {
    use super::super::testing::{BAD_TOPIC, UNUSED_STATE, at};
    use super::*;

    #[test]
    fn nothing_found_has_no_summary() {
        assert_eq!(summary(&[]), None);
    }

    #[test]
    fn severities_and_files_are_counted() {
        let found = [
            Diagnostic::new(&BAD_TOPIC, "").at(at(0, 0, 1)),
            Diagnostic::new(&BAD_TOPIC, "").at(at(1, 0, 1)),
            Diagnostic::new(&UNUSED_STATE, "").at(at(1, 3, 4)),
        ];
        assert_eq!(summary(&found).unwrap(), "2 errors, 1 warning in 2 files");
        assert_eq!(summary(&found[2..]).unwrap(), "1 warning in 1 file");
    }

    #[test]
    fn diagnostics_about_the_run_name_no_file() {
        assert_eq!(
            summary(&[Diagnostic::new(&BAD_TOPIC, "")]).unwrap(),
            "1 error"
        );
    }
}
