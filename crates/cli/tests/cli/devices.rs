//! Full devices, closed pipes and named pipes as input and output.

use std::fs::File;
use std::process::{Command, Output, Stdio};

use crate::support::Sandbox;

const CONTRACT: &str = "\
node_type: effect
service_name: orders
operations: [place]
";

fn full() -> Stdio {
    let device = File::options().write(true).open("/dev/full");
    device.expect("/dev/full").into()
}

fn mkfifo(sandbox: &Sandbox, path: &str) {
    let made = Command::new("mkfifo").arg(sandbox.path(path)).status();
    assert!(made.expect("mkfifo runs").success());
}

/// Runs a command that must not hang.
fn run(sandbox: &Sandbox, args: &[&str]) -> Output {
    Command::new("timeout")
        .args(["30", env!("CARGO_BIN_EXE_herald")])
        .args(args)
        .current_dir(sandbox.path(""))
        .stdin(Stdio::null())
        .output()
        .expect("timeout runs")
}

#[test]
fn standard_output_on_a_full_device_is_an_error() {
    let sandbox = Sandbox::with(&[("contract.yaml", CONTRACT), ("p.json", "{}")]);
    for args in [
        &["catalog"][..],
        &["catalog", "--format", "json"],
        &["inspect", "contract.yaml"],
        &["check", "--format", "json"],
        &["generate", "contract.yaml", "--stdout"],
        &["volume"],
        &["explain"],
        &["schema", "contract"],
        &["completions", "bash"],
        &["patterns", "list"],
        &["templates", "list"],
        &[
            "publish",
            "--payload",
            "p.json",
            "--event-type",
            "x",
            "--topic",
            "t",
            "--dry-run",
        ],
    ] {
        let mut command = sandbox.command("", args);
        let output = command.stdout(full()).output().expect("herald runs");
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{args:?}: {stderr}");
        assert!(
            stderr.contains("can't write the output: No space left on device"),
            "{args:?}: {stderr}"
        );
    }
}

#[test]
fn standard_error_on_a_full_device_does_not_change_the_exit_code() {
    let sandbox = Sandbox::with(&[
        ("contract.yaml", CONTRACT),
        ("bad.yaml", "node_type: efect\nservice_name: a\n"),
    ]);
    for (args, code) in [
        (&["check", "contract.yaml"][..], 0),
        (&["generate", "contract.yaml"], 0),
        (&["check", "bad.yaml"], 1),
        (&["generate", "bad.yaml"], 1),
        (&["catalog", "bad.yaml"], 1),
        (&["check", "missing.yaml"], 2),
        (&["explain", "nothing"], 2),
        (&["listen", "--bootstrap-servers", "127.0.0.1:1", "t"], 2),
        (&["init"], 0),
    ] {
        let mut command = sandbox.command("", args);
        let output = command.stderr(full()).output().expect("herald runs");
        assert_eq!(output.status.code(), Some(code), "{args:?}");
    }
}

#[test]
fn closed_pipes_end_quietly() {
    let sandbox = Sandbox::with(&[("contract.yaml", CONTRACT), ("bad.yaml", "node_type: [")]);
    for (args, code) in [
        ("catalog contract.yaml", 0),
        ("explain", 0),
        ("completions zsh", 0),
        // Diagnostics on a closed standard error do not make an error a success.
        ("generate bad.yaml", 1),
    ] {
        let script = format!("\"$0\" {args} 2>&1 | true; echo \"${{PIPESTATUS[0]}}\"");
        let output = Command::new("bash")
            .args(["-c", &script, env!("CARGO_BIN_EXE_herald")])
            .current_dir(sandbox.path(""))
            .output()
            .expect("bash runs");
        let status = String::from_utf8_lossy(&output.stdout);
        assert_eq!(status.trim(), code.to_string(), "{args}");
        assert!(output.stderr.is_empty(), "{args}");
    }
}

#[test]
fn named_pipes_as_input_do_not_hang() {
    let sandbox = Sandbox::with(&[("contract.yaml", CONTRACT), ("herald/templates/x", "")]);
    mkfifo(&sandbox, "pipe.yaml");
    mkfifo(&sandbox, "spool.db");
    for (args, code, message) in [
        (&["check", "pipe.yaml"][..], 1, "it is a named pipe"),
        (&["new", "--contract", "pipe.yaml"], 2, "it is a named pipe"),
        (
            &["spool", "status", "--spool", "spool.db"],
            2,
            "not a regular file",
        ),
        (
            &["spool", "list", "--spool", "spool.db"],
            2,
            "not a regular file",
        ),
    ] {
        let output = run(&sandbox, args);
        let text = [output.stdout, output.stderr].concat();
        let text = String::from_utf8_lossy(&text);
        assert_eq!(output.status.code(), Some(code), "{args:?}: {text}");
        assert!(text.contains(message), "{args:?}: {text}");
    }
    mkfifo(&sandbox, "herald/templates/note.jinja");
    let output = run(&sandbox, &["templates", "list"]);
    assert_eq!(output.status.code(), Some(2));
    mkfifo(&sandbox, "herald.yaml");
    let output = run(&sandbox, &["catalog", "contract.yaml"]);
    assert_ne!(output.status.code(), Some(124), "it hangs");
}

#[test]
fn process_substitution_is_accepted_as_a_contract() {
    let sandbox = Sandbox::with(&[("contract.yaml", CONTRACT)]);
    let output = Command::new("timeout")
        .args(["30", "bash", "-c", "\"$0\" check <(cat contract.yaml)"])
        .arg(env!("CARGO_BIN_EXE_herald"))
        .current_dir(sandbox.path(""))
        .output()
        .expect("bash runs");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{stderr}");
}

#[test]
fn named_pipes_as_output_do_not_hang() {
    let sandbox = Sandbox::with(&[("contract.yaml", CONTRACT), ("p.json", "{}")]);
    std::fs::create_dir(sandbox.path("generated")).expect("a directory");
    mkfifo(&sandbox, "generated/orders_events.py");
    for args in [
        &["generate"][..],
        &["generate", "--force"],
        &["generate", "--check"],
    ] {
        let output = run(&sandbox, args);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{args:?}: {stderr}");
        assert!(
            stderr.contains("is not a regular file"),
            "{args:?}: {stderr}"
        );
    }
    mkfifo(&sandbox, "receipts");
    let output = run(
        &sandbox,
        &[
            "publish",
            "--payload",
            "p.json",
            "--event-type",
            "x",
            "--topic",
            "t",
            "--bootstrap-servers",
            "127.0.0.1:1",
            "--timeout",
            "100ms",
            "--receipts",
            "receipts",
        ],
    );
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    assert!(stderr.contains("already exists"), "{stderr}");
}

#[test]
fn publish_reads_from_a_named_pipe() {
    let sandbox = Sandbox::with(&[("p.json", "{\"a\": 1}")]);
    mkfifo(&sandbox, "pipe");
    let script =
        "cat p.json > pipe & exec \"$0\" publish --payload pipe --event-type x --topic t --dry-run";
    let output = Command::new("timeout")
        .args(["30", "bash", "-c", script, env!("CARGO_BIN_EXE_herald")])
        .current_dir(sandbox.path(""))
        .output()
        .expect("bash runs");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{stderr}");
    assert!(
        stderr.contains("reading from the named pipe pipe"),
        "{stderr}"
    );
}

#[test]
fn invisible_characters_never_reach_the_terminal() {
    let hidden = "or\u{200b}ders\u{202e}\u{feff}\u{2066}";
    let contract = format!(
        "node_type: effect\nservice_name: orders\ndescription: \"{hidden}\"\n\
         operations: [\"pl\u{200b}ace\"]\nevents: [{{event_type: \"a\u{200b}b\", topic: t}}]\n"
    );
    let name = format!("{hidden}.yaml");
    let sandbox = Sandbox::with(&[(&name, &contract)]);
    for args in [
        &["check"][..],
        &["catalog", "--topics"],
        &["catalog", "--format", "markdown"],
        &["inspect"],
        &["volume"],
        &["generate", "--out", "a\u{200b}b\u{1b}[31m"],
        &["generate", "--out", "a\u{200b}b\u{1b}[31m", "--check"],
        &["init", "c\u{200b}d\u{1b}[31m\n"],
        &["spool", "status", "--spool", "e\u{200b}\u{1b}]0;x\u{7}"],
        &["explain", "f\u{200b}\n\u{1b}[2J"],
        &[
            "listen",
            "g\u{200b}\n",
            "--bootstrap-servers",
            "127.0.0.1:1",
        ],
    ] {
        let run = sandbox.herald(args);
        for text in [&run.stdout, &run.stderr] {
            let found = text.chars().find(|c| {
                matches!(
                    c,
                    '\u{200b}' | '\u{202e}' | '\u{feff}' | '\u{2066}' | '\u{1b}' | '\u{7}'
                )
            });
            assert_eq!(found, None, "{args:?}: {text}");
        }
    }
}
