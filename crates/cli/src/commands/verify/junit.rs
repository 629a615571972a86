//! `JUnit` XML, which CI systems show as tests.

use std::fmt::Write as _;

use herald_diagnostics::render::visible_line;
use herald_verify::{Kind, Report};

/// Returns a test for each kind of problem, and one for the verdict.
pub fn document(report: &Report, failures: &[String]) -> String {
    let failed = Kind::ALL
        .into_iter()
        .filter(|kind| report.findings.iter().any(|one| one.kind == *kind));
    let mut text = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let _ = writeln!(
        text,
        "<testsuite name=\"herald verify\" tests=\"{}\" failures=\"{}\">",
        Kind::ALL.len() + 1,
        failed.count() + usize::from(!failures.is_empty()),
    );
    for kind in Kind::ALL {
        let _ = write!(text, "  <testcase classname=\"herald\" name=\"{kind}\"");
        let of_kind: Vec<_> = report
            .findings
            .iter()
            .filter(|one| one.kind == kind)
            .collect();
        if of_kind.is_empty() {
            text.push_str("/>\n");
            continue;
        }
        let total: u64 = of_kind.iter().map(|one| one.count).sum();
        let _ = write!(text, ">\n    <failure message=\"{total} events\">");
        for finding in of_kind {
            let places: Vec<_> = finding
                .samples
                .iter()
                .map(|sample| sample.place.as_str())
                .collect();
            let line = format!(
                "{} {}: {} ({})",
                finding.event_type,
                finding.message,
                finding.count,
                places.join(", ")
            );
            let _ = writeln!(text, "{}", escape(&visible_line(&line)));
        }
        text.push_str("    </failure>\n  </testcase>\n");
    }
    text.push_str("  <testcase classname=\"herald\" name=\"verdict\"");
    if failures.is_empty() {
        text.push_str("/>\n");
    } else {
        let reasons = escape(&visible_line(&failures.join(", ")));
        let _ = writeln!(text, "><failure message=\"{reasons}\"/></testcase>");
    }
    text.push_str("</testsuite>\n");
    text
}

fn escape(text: &str) -> String {
    let text = text
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;");
    text.replace('"', "&quot;")
}
