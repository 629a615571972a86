//! Real contracts, end to end: what Herald generates from them is code that every tool accepts.
//!
//! The contracts lie beside the project, not in it; without them the test is skipped with a message.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::Command;

use crate::support::Sandbox;

pub fn contracts() -> Option<String> {
    let path =
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/fixtures/onex-contracts");
    path.is_dir().then(|| path.to_string_lossy().into_owned())
}

/// Reports a test that did not run. Not by a macro: the test harness would keep that for itself.
pub fn skipped(what: &str) {
    let _ = writeln!(std::io::stderr(), "skipped: {what}");
}

/// A tool by the variable that names it, or by its name on the PATH.
pub fn tool(variable: &str, name: &str) -> Option<String> {
    let tool = std::env::var(variable).unwrap_or_else(|_| name.to_owned());
    works(&tool).then_some(tool)
}

fn works(program: &str) -> bool {
    let output = Command::new(program).arg("--version").output();
    output.is_ok_and(|output| output.status.success())
}

pub fn run(sandbox: &Sandbox, program: &str, args: &[&str]) {
    let output = Command::new(program)
        .args(args)
        .current_dir(sandbox.path(""))
        // What modules import, which may not be installed.
        .env(
            "MYPYPATH",
            concat!(env!("CARGO_MANIFEST_DIR"), "/../python/python"),
        )
        .output()
        .unwrap_or_else(|e| panic!("{program}: {e}"));
    let text = |bytes: &[u8]| {
        String::from_utf8_lossy(bytes)
            .chars()
            .take(4000)
            .collect::<String>()
    };
    assert!(
        output.status.success(),
        "{program} {args:?}\n{}\n{}",
        text(&output.stdout),
        text(&output.stderr)
    );
}

#[test]
fn generated_modules_compile_type_check_and_lint() {
    let Some(contracts) = contracts() else {
        skipped("the ONEX contracts are not beside the project");
        return;
    };
    let sandbox = Sandbox::new();
    sandbox.herald(&["check", &contracts]).exits(0);
    sandbox
        .herald(&["generate", &contracts, "--out", "events"])
        .exits(0);
    // Those need nothing but Python.
    let alone = ["--standalone", "--models", "dataclass", "--out", "alone"];
    sandbox
        .herald(&[&["generate", &contracts][..], &alone].concat())
        .exits(0);
    assert!(sandbox.files().len() > 30, "{:?}", sandbox.files());

    match tool("HERALD_RUFF", "ruff") {
        Some(ruff) => {
            run(
                &sandbox,
                &ruff,
                &["format", "--isolated", "--check", "events", "alone"],
            );
            let rules = [
                "--select",
                "E,F,W,I,UP,B,SIM,RUF",
                "--target-version",
                "py311",
            ];
            run(
                &sandbox,
                &ruff,
                &[&["check", "--isolated", "events", "alone"][..], &rules].concat(),
            );
        }
        None => skipped("ruff, because it is not installed"),
    }
    let mypy = tool("HERALD_MYPY", "mypy");
    for version in ["3.11", "3.12", "3.13"] {
        match &mypy {
            Some(mypy) => {
                let options = ["--strict", "--no-incremental", "--python-version", version];
                run(&sandbox, mypy, &[&options[..], &["events"]].concat());
            }
            None => skipped(&format!(
                "mypy for Python {version}, because it is not installed"
            )),
        }
        match python(version) {
            Some(python) => run(&sandbox, &python, &["-c", IMPORT_ALL]),
            None => skipped(&format!("Python {version}, because it is not installed")),
        }
    }
}

const IMPORT_ALL: &str = "
import importlib, pathlib
for path in pathlib.Path('alone').glob('*.py'):
    module = importlib.import_module(f'alone.{path.stem}')
    assert all(hasattr(module, name) for name in module.__all__), path
";

/// An interpreter of this version, on the PATH or where pyenv keeps it.
fn python(version: &str) -> Option<String> {
    let pyenv = std::env::var("HOME").unwrap_or_default() + "/.pyenv/versions";
    let kept = std::fs::read_dir(pyenv)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path());
    let kept = kept
        .filter(|path| {
            path.file_name()
                .is_some_and(|n| n.to_string_lossy().starts_with(version))
        })
        .map(|path| path.join("bin/python").to_string_lossy().into_owned());
    std::iter::once(format!("python{version}"))
        .chain(kept)
        .find(|python| works(python))
}

#[test]
fn generate_changes_nothing_in_a_second_run() {
    let Some(contracts) = contracts() else {
        skipped("the ONEX contracts are not beside the project");
        return;
    };
    let sandbox = Sandbox::new();
    sandbox
        .herald(&["generate", &contracts, "--out", "events"])
        .exits(0);
    let run = sandbox
        .herald(&["generate", &contracts, "--out", "events", "--check"])
        .exits(0);
    assert_eq!(run.stdout, "");
}
