//! Texts that try to become code, and the tools that would notice.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use proptest::prelude::*;

/// Texts that would do something if they got out of their literals.
const HOSTILE: [&str; 22] = [
    "\"\"\"",
    "'''",
    "\\",
    "\\\"",
    "\"",
    "'",
    "{x}",
    "{{",
    "}",
    "\\N{DIGIT ONE}",
    "\n",
    "\r\n",
    "\0",
    "\u{202e}",
    "\u{2028}",
    "\u{a0}x",
    "# noqa",
    "# fmt: off",
    "  # type: ignore",
    ">>> import os",
    "http://x.y/",
    "%s $x \t\u{c}",
];

/// Any text, and such text among it.
pub fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => "[a-z][a-z_.]{0,70}",
        2 => any::<String>(),
        2 => "[ -~]{0,60}",
        2 => "[a-z]{1,12}([ .][a-z\"'é注ж–]{1,12}){0,30}",
        1 => "[a-z_.]{60,200}",
        2 => prop::collection::vec(prop_oneof![
            prop::sample::select(&HOSTILE[..]).prop_map(str::to_owned),
            "[a-z]{0,8}",
        ], 1..6).prop_map(|parts| parts.concat()),
    ]
}

/// The program, unless it cannot be started.
pub fn tool(variable: &str, name: &str) -> Option<String> {
    let program = std::env::var(variable).unwrap_or_else(|_| name.to_owned());
    let mut version = Command::new(&program);
    version
        .arg("--version")
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    if version.status().is_ok_and(|status| status.success()) {
        return Some(program);
    }
    // Not by a macro: the test harness would keep that for itself.
    let _ = writeln!(
        std::io::stderr(),
        "skipped: {program} cannot be started; set {variable}"
    );
    None
}

/// Runs a tool, which must succeed.
pub fn run(program: &str, arguments: &[&str], folder: &Path) {
    let output = Command::new(program)
        .args(arguments)
        .current_dir(folder)
        .output();
    let output = output.expect("the tool was started before");
    assert!(
        output.status.success(),
        "{program} {arguments:?}:\n{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}

/// The modules of a folder are formatted, and `ruff` finds nothing in them.
pub fn check_style(folder: &Path) {
    if let Some(ruff) = tool("HERALD_RUFF", "ruff") {
        run(&ruff, &["format", "--isolated", "--diff", "."], folder);
        let rules = [
            "--select",
            "E,F,W,I,UP,B,SIM,RUF",
            "--target-version",
            "py311",
        ];
        run(
            &ruff,
            &[&["check", "--isolated"][..], &rules, &["."]].concat(),
            folder,
        );
    }
}
