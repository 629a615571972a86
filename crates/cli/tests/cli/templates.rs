//! Templates and targets of a project's own, as a user has them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::{Run, Sandbox};

const ORDERS: &str = "node_type: effect\nservice_name: orders\noperations: [place, cancel]\n";
const MANIFEST: &str = "\
description: Notes
files:
  - {template: note.md, each: node, path: 'notes/{{ node.slug }}.md'}
";
const MANIFEST_FILE: &str = "herald/templates/notes/target.yaml";
const NOTE: &str = "herald/templates/notes/note.md.jinja";

/// A project with a target of its own.
fn project(note: &str) -> Sandbox {
    Sandbox::with(&[
        ("herald.yaml", "contracts: [orders.yaml]\n"),
        ("orders.yaml", ORDERS),
        (MANIFEST_FILE, MANIFEST),
        (NOTE, note),
    ])
}

fn generate(sandbox: &Sandbox) -> Run {
    sandbox.herald(&["generate", "--target", "notes"])
}

fn examples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples")
}

/// A contract that other tests have results of.
fn golden(name: &str) -> PathBuf {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("../render/tests/golden");
    golden.join(name)
}

/// A project with the contract of the example, and what its target makes of it.
fn of_example(target: &str) -> Sandbox {
    let contract = fs::read_to_string(examples().join("orders/contracts/orders.yaml")).unwrap();
    let hostile = "node_type: effect\nservice_name: hostile\noperations: [a]\n\
        description: \"*/ --> <b> | `x` \\n# ${x} \\\"\"\nevents:\n  - event_type: \"odd.one\"\n    \
        topic: odd.one\n    description: \"*/ export const x = 1; /* \\n boom\"\n    payload:\n      \
        \"we\\\"ird ${x} */\": {type: \"list[string | null]\"}\n      b: {type: enum, enum: [\"a\\\"b\", \"${c}\"]}\n";
    let sandbox = Sandbox::with(&[("orders.yaml", &contract), ("hostile.yaml", hostile)]);
    let folder = examples().join("targets").join(target);
    let folder = folder.to_str().unwrap();
    sandbox
        .herald(&["generate", ".", "--target", folder])
        .exits(0);
    sandbox
        .herald(&["generate", ".", "--check", "--target", folder])
        .exits(0);
    sandbox
}

#[test]
fn ejected_template_overrides_the_built_in() {
    let sandbox = Sandbox::with(&[("herald.yaml", ""), ("orders.yaml", ORDERS)]);
    sandbox.herald(&["generate"]).exits(0);
    let before = sandbox.read("generated/orders_events.py");
    sandbox
        .herald(&["templates", "eject", "python/parse.py", "python/module.py"])
        .exits(0);
    let file = "herald/templates/python/module.py.jinja";
    let mine = format!("{}\n# The end.\n", sandbox.read(file));
    sandbox.write(file, &mine);
    sandbox.herald(&["templates", "check"]).exits(0);
    sandbox.herald(&["generate"]).exits(0);
    let after = sandbox.read("generated/orders_events.py");
    assert!(after.ends_with("# The end.\n"));
    assert!(after.contains("the project's own templates, fingerprint "));
    assert!(!before.contains("own templates"));
    let list = sandbox.herald(&["templates", "list"]).exits(0).stdout;
    assert!(list.contains("python/module.py  replaced by "), "{list}");
}

#[test]
fn eject_needs_force_to_overwrite_and_suggests_names() {
    let sandbox = Sandbox::with(&[("herald.yaml", "")]);
    let file = "herald/templates/python/parse.py.jinja";
    sandbox.write(file, "mine");
    let run = sandbox.herald(&["templates", "eject", "--all"]).exits(2);
    assert!(run.stderr.contains("already exists"), "{}", run.stderr);
    assert_eq!(sandbox.files(), ["herald.yaml", file].map(String::from));
    sandbox
        .herald(&["templates", "eject", "--all", "--force"])
        .exits(0);
    assert_ne!(sandbox.read(file), "mine");
    let run = sandbox
        .herald(&["templates", "eject", "python/modul.py"])
        .exits(2);
    assert!(run.stderr.contains("did you mean `python/module.py`?"));
}

#[test]
fn unchanged_override_renders_the_same_output() {
    let sandbox = Sandbox::with(&[("herald.yaml", ""), ("orders.yaml", ORDERS)]);
    sandbox.herald(&["generate"]).exits(0);
    let before = sandbox.read("generated/orders_events.py");
    sandbox.herald(&["templates", "eject", "--all"]).exits(0);
    sandbox.herald(&["generate"]).exits(0);
    let after = sandbox.read("generated/orders_events.py");
    let without_note: Vec<_> = (after.lines())
        .filter(|line| !line.contains("own templates"))
        .collect();
    assert_eq!(without_note, before.lines().collect::<Vec<_>>());
}

#[test]
fn custom_target_writes_a_file_per_node() {
    let sandbox = project("<!-- {{ marker }} -->\n# {{ node.name | md }}\n\n\n");
    sandbox.herald(&["templates", "check"]).exits(0);
    generate(&sandbox).exits(0);
    let note = sandbox.read("generated/notes/orders.md");
    assert!(note.ends_with("-->\n# orders\n"), "{note}");
    let again = generate(&sandbox).exits(0);
    assert!(again.stderr.contains("1 file unchanged"));
    sandbox.write("generated/notes/orders.md", "mine");
    let run = generate(&sandbox).exits(2);
    assert!(run.stderr.contains("was not written by Herald"));
    let unknown = sandbox.herald(&["generate", "--target", "note"]).exits(2);
    assert!(unknown.stderr.contains("did you mean `notes`?"));
}

#[test]
fn reports_undefined_names_with_file_and_line() {
    let cases = [
        (
            "x\n{{ nod.slug }}",
            2,
            "`nod` is not defined; did you mean `node`? There are: ",
        ),
        (
            "{{ node.slugg }}",
            1,
            "`node` has no `slugg`; did you mean `slug`? There are: consumed, ",
        ),
        (
            "\n{% for e in node.events %}{{ e.typ }}{% endfor %}",
            2,
            "an item of `events` has no `typ`",
        ),
        ("{% if node.nope %}x{% endif %}", 1, "`node` has no `nope`"),
        ("{{ node.description }}", 1, "the value is null here"),
        (
            "{{ node.slug | markdown }}",
            1,
            "there is no filter `markdown`",
        ),
        (
            "{% include 'notes/nothing' %}",
            1,
            "there is no template `notes/nothing`",
        ),
        (
            "{% include '../../../orders.yaml' %}",
            1,
            "there is no template `../../../orders.yaml`",
        ),
        (
            "{% include '/etc/passwd' %}",
            1,
            "there is no template `/etc/passwd`",
        ),
        ("\n\n{% if %}", 3, "unexpected"),
    ];
    for (note, line, expected) in cases {
        let sandbox = project(note);
        let run = sandbox.herald(&["templates", "check"]).exits(1);
        let place = format!("note.md.jinja:{line}: ");
        assert!(run.stderr.contains(&place), "{note}: {}", run.stderr);
        assert!(run.stderr.contains(expected), "{note}: {}", run.stderr);
        generate(&sandbox).exits(2);
        assert!(!sandbox.exists("generated"), "{note}");
    }
}

#[test]
fn limits_steps_and_output_of_templates() {
    let cases = [
        (
            "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
            "takes too long",
        ),
        (
            "{% set s = 'x' * 9000000 %}{{ s }}{{ s }}",
            "prints more than 16 MB",
        ),
        ("{{ 'x' * 99999999999 }}", "takes too long"),
        ("{% include 'notes/note.md' %}", "recursion"),
        (
            "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
            "recursion",
        ),
    ];
    for (note, expected) in cases {
        let run = generate(&project(note)).exits(2);
        assert!(run.stderr.contains(expected), "{note}: {}", run.stderr);
    }
}

#[cfg(target_os = "linux")]
#[test]
fn limits_memory_of_templates() {
    let long = "(['x' * 1000000] * 1000000)";
    let cases = [
        (
            format!("{{{{ {long} | join | length }}}}"),
            "longer than 16 MB",
        ),
        (format!("{{{{ {long} }}}}"), "longer than 16 MB"),
        (
            format!("{{{{ {long} | json | length }}}}"),
            "longer than 16 MB",
        ),
        (
            format!("{{% set x %}}{{{{ {long} }}}}{{% endset %}}"),
            "longer than 16 MB",
        ),
    ];
    for (note, expected) in cases {
        assert_limited(&note, expected);
    }
}

/// The operators of minijinja have no hook, so the memory of the process is watched.
#[cfg(target_os = "linux")]
#[test]
#[ignore = "takes minutes in a debug build"]
fn limits_memory_of_operators() {
    let long = "(['x' * 1000000] * 1000000)";
    for note in [
        format!("{{{{ (({long}) ~ '') | length }}}}"),
        format!("{{{{ ({long}) in 'abc' }}}}"),
    ] {
        assert_limited(&note, "need more than 1024 MB of memory");
    }
}

#[cfg(target_os = "linux")]
fn assert_limited(note: &str, expected: &str) {
    let sandbox = project(note);
    // More than the limit and what the program needs by itself.
    let script = "ulimit -v 4000000; exec \"$0\" generate --target notes";
    let output = Command::new("sh")
        .args(["-c", script, env!("CARGO_BIN_EXE_herald")])
        .current_dir(sandbox.path(""))
        .output()
        .expect("sh runs");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{note}: {stderr}");
    assert!(stderr.contains(expected), "{note}: {stderr}");
    assert!(!sandbox.exists("generated"), "{note}");
}

#[test]
fn refuses_output_without_the_marker() {
    let run = generate(&project("# {{ node.slug }}")).exits(2);
    assert!(
        run.stderr.contains("has to print `{{ marker }}`"),
        "{}",
        run.stderr
    );
}

#[test]
fn reports_unused_templates() {
    let sandbox = project("<!-- {{ marker }} -->");
    sandbox.write("herald/templates/notes/_part.jinja", "fine");
    sandbox.write("herald/templates/python/modul.py.jinja", "x");
    let run = sandbox.herald(&["templates", "check"]).exits(1);
    assert!(
        run.stderr
            .contains("did you mean `python/module.py.jinja`?"),
        "{}",
        run.stderr
    );
    assert!(!run.stderr.contains("_part"), "{}", run.stderr);
}

#[test]
fn rejects_paths_outside_of_the_output_directory() {
    for (path, expected) in [
        ("../{{ node.slug }}", "`.` or `..`"),
        ("/tmp/{{ node.slug }}", "is absolute"),
        ("{{ node.path }} x", "has to consist of"),
        ("{{ nod }}", "`nod` is not defined"),
    ] {
        let sandbox = project("{{ marker }}");
        sandbox.write(
            MANIFEST_FILE,
            MANIFEST.replace("notes/{{ node.slug }}.md", path),
        );
        let run = generate(&sandbox).exits(2);
        assert!(run.stderr.contains(expected), "{path}: {}", run.stderr);
    }
}

#[test]
fn rejects_output_paths_that_collide_ignoring_case() {
    let sandbox = project("{{ marker }}");
    sandbox.write(
        MANIFEST_FILE,
        "description: x\nfiles:\n  - {template: note.md, each: node, path: A.md}\n  \
         - {template: note.md, each: node, path: a.md}\n",
    );
    let run = generate(&sandbox).exits(2);
    assert!(run.stderr.contains("`A.md` and `a.md`"), "{}", run.stderr);
    assert!(!sandbox.exists("generated"));
}

#[cfg(unix)]
#[test]
fn refuses_symbolic_links() {
    use std::os::unix::fs::symlink;
    let sandbox = project("{{ marker }}");
    fs::create_dir_all(sandbox.path("generated")).unwrap();
    fs::create_dir_all(sandbox.path("elsewhere")).unwrap();
    symlink(sandbox.path("elsewhere"), sandbox.path("generated/notes")).unwrap();
    let run = generate(&sandbox).exits(2);
    assert!(run.stderr.contains("is a symbolic link"), "{}", run.stderr);
    assert!(!sandbox.exists("elsewhere/orders.md"));
    symlink(
        sandbox.path("orders.yaml"),
        sandbox.path("herald/templates/notes/_x.jinja"),
    )
    .unwrap();
    let run = sandbox.herald(&["templates", "check"]).exits(2);
    assert!(run.stderr.contains("is a symbolic link"), "{}", run.stderr);
}

#[test]
fn validates_target_manifests() {
    let sandbox = project("{{ marker }}");
    sandbox.write(MANIFEST_FILE, MANIFEST.replace("each: node", "each: nodes"));
    let run = generate(&sandbox).exits(2);
    assert!(
        run.stderr.contains("did you mean `node`?"),
        "{}",
        run.stderr
    );
    let schema = sandbox.herald(&["schema", "target"]).exits(0).json();
    assert_eq!(
        schema["required"],
        serde_json::json!(["description", "files"])
    );
}

#[test]
fn skips_files_of_all_contracts_if_one_is_broken() {
    let sandbox = project("{{ marker }}");
    sandbox.write(
        MANIFEST_FILE,
        MANIFEST.replace(
            "each: node, path: 'notes/{{ node.slug }}.md'",
            "each: catalog, path: all.md",
        ),
    );
    sandbox.write("broken.yaml", ORDERS.replace("effect", "efect"));
    sandbox
        .herald(&["generate", ".", "--target", "notes"])
        .exits(1);
    assert!(!sandbox.exists("generated/all.md"));
    generate(&sandbox).exits(0);
    assert!(sandbox.exists("generated/all.md"));
}

/// Holds all data that a target of every kind is given against the schema.
fn check_views(contracts: &Path) {
    let sandbox = project("{{ marker }}");
    let mut manifest = "description: x\nfiles:\n".to_owned();
    for each in ["catalog", "node", "event", "topic"] {
        manifest += &[
            "  - {template: note.md, each: ",
            each,
            ", path: ",
            each,
            "}\n",
        ]
        .concat();
    }
    sandbox.write(MANIFEST_FILE, manifest);
    let schema = sandbox.herald(&["schema", "view"]).exits(0).json();
    let validator = jsonschema::validator_for(&schema).expect("a schema");
    let contracts = contracts.to_str().unwrap();
    let document = sandbox
        .herald(&["inspect", contracts, "--view", "notes"])
        .json();
    let files = document["files"].as_array().unwrap();
    assert!(files.len() > 4, "{contracts}");
    for file in files {
        // Which of the four shapes is meant, so that a mistake is told where it is.
        let each = file["data"]["each"].as_str().unwrap();
        assert!(file["path"] == each);
        let errors: Vec<_> = validator
            .iter_errors(&file["data"])
            .map(|e| e.to_string())
            .collect();
        assert!(errors.is_empty(), "{errors:?}");
    }
}

#[test]
fn template_data_matches_its_schema() {
    check_views(&examples().join("orders/contracts"));
    check_views(&examples().join("nodes"));
    check_views(&golden("shop.yaml"));
    let fixtures = Path::new("/work/shared/fixtures/onex-contracts");
    if fixtures.is_dir() {
        check_views(fixtures);
    } else {
        eprintln!("skipped: {} is not there", fixtures.display());
    }
}

#[test]
fn patterns_select_events() {
    let sandbox = Sandbox::with(&[("contract.yaml", ORDERS)]);
    let list = sandbox.herald(&["patterns", "list"]).exits(0).stdout;
    assert!(list.contains("MetricsPatternGenerator") && list.contains("LifecyclePatternGenerator"));
    for (pattern, methods) in [
        ("operation_lifecycle", 6),
        ("state_events", 1),
        ("state_events,metric_events", 2),
        ("events", 8),
    ] {
        assert!(pattern.split(',').all(|name| list.contains(name)), "{list}");
        let args = [
            "generate",
            "contract.yaml",
            "--stdout",
            "--pattern",
            pattern,
        ];
        let code = sandbox.herald(&args).exits(0).stdout;
        assert_eq!(code.matches("    _publish_").count(), methods, "{pattern}");
    }
    let run = sandbox
        .herald(&["generate", "contract.yaml", "--pattern", "event"])
        .exits(2);
    assert!(
        run.stderr.contains("did you mean `events`?"),
        "{}",
        run.stderr
    );
}

#[test]
fn terraform_example_is_valid_hcl() {
    let sandbox = of_example("terraform");
    let text = sandbox.read("generated/terraform/topics.tf");
    let body: hcl_edit::structure::Body = text.parse().unwrap_or_else(|e| panic!("{e}\n{text}"));
    let resources: Vec<_> = body.get_blocks("resource").collect();
    // Nine of orders, and what the hostile contract has.
    assert_eq!(resources.len(), 9 + 6, "{text}");
    let declared = resources.iter().find(|block| {
        block.body.get_attribute("name").unwrap().value.as_str() == Some("shop.order.placed.v1")
    });
    let declared = declared.expect("the declared topic").body.clone();
    let partitions = declared.get_attribute("partitions").unwrap();
    assert_eq!(partitions.value.to_string().trim(), "6");
}

#[test]
fn runbook_example_writes_a_page_per_node() {
    let sandbox = of_example("runbook");
    let page = sandbox.read("generated/runbook/orders.md");
    assert!(
        page.contains("| order.placed | shop.order.placed.v1 |"),
        "{page}"
    );
    assert!(page.contains("States: idle, busy, draining."), "{page}");
    let hostile = sandbox.read("generated/runbook/hostile.md");
    assert!(
        !hostile.contains("<b>") && !hostile.contains("\n# $"),
        "{hostile}"
    );
}

#[test]
fn typescript_example_compiles() {
    let sandbox = of_example("typescript");
    let module = sandbox.read("generated/typescript/orders.ts");
    assert!(
        module.contains("\"order.placed\": \"shop.order.placed.v1\","),
        "{module}"
    );
    assert!(
        module.contains("\"currency\": \"EUR\" | \"USD\";"),
        "{module}"
    );
    let folder = examples().join("targets/typescript");
    let contract = golden("shop.yaml");
    let arguments = [contract.as_path(), Path::new("--target"), &folder];
    let arguments = arguments.map(|argument| argument.to_str().unwrap());
    sandbox
        .herald(&[&["generate"], &arguments[..]].concat())
        .exits(0);
    let shop = sandbox.read("generated/typescript/shop.ts");
    assert!(
        shop.contains("export interface CustomerData {\n  \"id\": string;\n")
            && shop.contains("  \"parent\"?: CustomerData | null;\n")
            && shop.contains("    \"lines\": Array<LineData>;\n"),
        "{shop}"
    );
    let Some(tsc) = tsc() else {
        eprintln!("skipped: `make .tools/node/.stamp` installs the compiler of TypeScript");
        return;
    };
    let output = Command::new(tsc)
        .args([
            "--strict", "--noEmit", "--target", "es2022", "--module", "es2022",
        ])
        .args([
            "generated/typescript/orders.ts",
            "generated/typescript/shop.ts",
            "generated/typescript/hostile.ts",
        ])
        .current_dir(sandbox.path(""))
        .output()
        .expect("tsc runs");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}\n{module}");
}

/// The compiler of TypeScript, where it is installed.
fn tsc() -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let here = root.join(".tools/node/node_modules/.bin/tsc");
    here.is_file()
        .then(|| here.canonicalize().expect("it is there"))
}
