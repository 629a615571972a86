//! Every rule: the messages and exact places of its diagnostics.
//!
//! `diagnostics/CODE.yaml` is a small contract that breaks the rule, `diagnostics/CODE.snap` its
//! diagnostics, as data and in the format for people.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use herald_catalog::checks::{by_code, default_level, rules};
use herald_catalog::load::{Loaded, Options, load, load_text};
use herald_diagnostics::render::{self, Format};
use herald_diagnostics::{Diagnostic, Location, Rule, Sources};

/// Rules about files, which the tests below create.
const ABOUT_FILES: [&str; 6] = [
    "file.not_found",
    "file.unreadable",
    "file.is_a_folder",
    "file.no_contracts",
    "file.too_large",
    "file.not_utf8",
];

/// Rules about files that contracts refer to, which the tests of JSON Schemas create.
const ABOUT_SCHEMAS: [&str; 2] = ["payload.not_expressed", "payload.import_failed"];

/// Rules about generated files.
const ABOUT_OUTPUT: [&str; 2] = ["names.output_collision", "generated.stale"];

/// Rules about `herald.yaml`, which the crate `herald-project` tests.
const ABOUT_PROJECTS: [&str; 3] = ["config.invalid", "config.expired", "config.unused"];

/// Rules about several nodes, which the crate `herald-cli` tests.
const ABOUT_GRAPHS: [&str; 8] = [
    "graph.not_published",
    "graph.not_consumed",
    "graph.version_skew",
    "graph.event_type_unknown",
    "graph.two_owners",
    "graph.payloads_differ",
    "graph.command_cycle",
    "graph.topic_undeclared",
];

/// Rules about lock files, which the crate `herald-cli` tests.
const ABOUT_LOCKS: [&str; 1] = ["lock.invalid"];

/// Rules with abbreviated examples, which would fill the screen. Their fixtures are complete.
const ABBREVIATED: [&str; 3] = ["yaml.too_deep", "yaml.too_many_values", "topic.too_long"];

#[test]
fn every_rule_has_a_fixture() {
    let fixtures: BTreeSet<String> = fs::read_dir(folder())
        .expect("the folder is there")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "yaml")
        })
        .map(|path| {
            path.file_stem()
                .expect("a name")
                .to_string_lossy()
                .into_owned()
        })
        .collect();
    let codes: BTreeSet<String> = rules()
        .map(|rule| rule.code)
        .filter(|code| {
            ![
                &ABOUT_FILES[..],
                &ABOUT_OUTPUT,
                &ABOUT_SCHEMAS,
                &ABOUT_PROJECTS,
                &ABOUT_LOCKS,
                &ABOUT_GRAPHS,
            ]
            .concat()
            .contains(code)
        })
        .map(str::to_owned)
        .collect();
    assert_eq!(fixtures, codes);
}

#[test]
fn diagnostics_match_their_snapshots() {
    for rule in rules() {
        let path = folder().join(format!("{}.yaml", rule.code));
        let Ok(text) = fs::read_to_string(&path) else {
            continue;
        };
        let loaded = load_text("contract.yaml", &text, &switched_on(rule));
        let text = text_of(rule.code, &loaded.diagnostics, &loaded.catalog.sources);
        snapshot(rule.code, &text);
    }
}

#[test]
fn reports_paths_that_do_not_exist() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("orders.yaml"), "").expect("written");
    let mut paths = ["ordres.yaml", "payments", "*.{yaml"].map(|name| join(&folder, name));
    paths.sort();
    snapshot_files("file.not_found", &folder, &paths);
}

#[test]
fn reports_folders_and_globs_without_contracts() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("readme.md"), "no contract").expect("written");
    let paths = ["", "*.yaml"].map(|name| join(&folder, name));
    snapshot_files("file.no_contracts", &folder, &paths);
}

#[test]
fn reports_folders_with_names_of_files() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::create_dir(folder.path().join("orders.yaml")).expect("made");
    snapshot_files("file.is_a_folder", &folder, &[join(&folder, "*.yaml")]);
}

#[test]
fn reports_two_contracts_of_one_name() {
    let folder = tempfile::tempdir().expect("a folder");
    for (file, name) in [("a.yaml", "orders"), ("b.yaml", "Orders")] {
        let text = format!("node_type: effect\nservice_name: {name}\noperations: [place]\n");
        fs::write(folder.path().join(file), text).expect("written");
    }
    snapshot_files("names.output_collision", &folder, &[join(&folder, "")]);
}

#[cfg(unix)]
#[test]
fn reports_files_that_cannot_be_opened() {
    // Even the superuser cannot follow a broken link.
    let folder = tempfile::tempdir().expect("a folder");
    std::os::unix::fs::symlink("gone.yaml", folder.path().join("link.yaml")).expect("made");
    snapshot_files("file.unreadable", &folder, &[join(&folder, "")]);
}

#[test]
fn reports_files_that_are_too_large() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = fs::File::create(folder.path().join("backup.yaml")).expect("made");
    file.set_len(100_000_000).expect("made");
    snapshot_files("file.too_large", &folder, &[join(&folder, "")]);
}

#[test]
fn reports_files_in_other_encodings() {
    let folder = tempfile::tempdir().expect("a folder");
    let texts: [(&str, &[u8]); 3] = [
        ("latin1.yaml", b"service_name: orders\nname: caf\xe9\n"),
        ("utf16-be.yaml", b"\xfe\xff\0a\0:"),
        ("utf16-le.yaml", b"\xff\xfea\0:\0"),
    ];
    for (name, bytes) in texts {
        fs::write(folder.path().join(name), bytes).expect("written");
    }
    snapshot_files("file.not_utf8", &folder, &[join(&folder, "")]);
}

#[test]
fn only_the_bad_example_breaks_its_rule() {
    let mut wrong = Vec::new();
    for rule in rules() {
        // Their examples are commands, two files, or not whole.
        let others = [
            &ABOUT_FILES[..],
            &ABOUT_OUTPUT,
            &ABOUT_SCHEMAS,
            &ABOUT_PROJECTS,
            &ABOUT_LOCKS,
            &ABOUT_GRAPHS,
            &ABBREVIATED,
        ]
        .concat();
        if others.contains(&rule.code) {
            assert_ne!(rule.bad, "");
            continue;
        }
        for (example, breaks) in [(rule.bad, true), (rule.good, false)] {
            let codes: BTreeSet<_> = found_in(rule, example)
                .iter()
                .map(|diagnostic| diagnostic.rule.code)
                .collect();
            if codes.contains(rule.code) != breaks {
                wrong.push(format!("{}:\n{example}\nfound {codes:?}\n", rule.code));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn found_in(rule: &Rule, example: &str) -> Vec<Diagnostic> {
    load_text("contract.yaml", example, &switched_on(rule)).diagnostics
}

/// Options that switch a rule on that is off by default.
fn switched_on(rule: &Rule) -> Options {
    let mut options = Options::default();
    if default_level(rule).is_none() {
        options
            .levels
            .insert(rule.code.to_owned(), Some(rule.severity));
    }
    options
}

#[test]
fn documentation_of_rules_has_one_style() {
    let mut codes = BTreeSet::new();
    for rule in rules() {
        assert!(codes.insert(rule.code), "{} is there twice", rule.code);
        assert_eq!(by_code(rule.code), Some(rule));
        assert!(!rule.title.ends_with('.'), "{}", rule.code);
        assert!(rule.docs.ends_with('.'), "{}", rule.code);
        assert_ne!(rule.bad, rule.good, "{}", rule.code);
        let is_code = |c: char| c.is_ascii_lowercase() || matches!(c, '.' | '_' | '8');
        assert!(rule.code.chars().all(is_code), "{}", rule.code);
    }
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/diagnostics")
}

fn join(folder: &tempfile::TempDir, name: &str) -> String {
    folder.path().join(name).to_string_lossy().into_owned()
}

/// Reads real files, and replaces the temporary folder in the diagnostics.
fn snapshot_files(code: &str, folder: &tempfile::TempDir, paths: &[String]) {
    let loaded: Loaded = load(paths, &Options::default(), &|| ());
    let text = text_of(code, &loaded.diagnostics, &loaded.catalog.sources);
    snapshot(
        code,
        &text.replace(&*folder.path().to_string_lossy(), "FOLDER"),
    );
}

/// Compares diagnostics with `diagnostics/CODE.snap`.
fn snapshot(code: &str, text: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("diagnostics");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(code, text));
}

/// Returns the diagnostics of `rule`, as data and in the format for people.
fn text_of(rule: &str, diagnostics: &[Diagnostic], sources: &Sources) -> String {
    let (mine, others): (Vec<_>, Vec<_>) = diagnostics
        .iter()
        .cloned()
        .partition(|diagnostic| diagnostic.rule.code == rule);
    assert!(!mine.is_empty(), "{rule} is not among {others:#?}");
    let mut text = String::new();
    for diagnostic in &mine {
        assert_style(diagnostic);
        describe(&mut text, diagnostic, sources);
    }
    let others: BTreeSet<_> = others
        .iter()
        .map(|diagnostic| diagnostic.rule.code)
        .collect();
    if !others.is_empty() {
        writeln!(text, "also found: {others:?}").expect("written");
    }
    let mut shown = Vec::new();
    let options = render::Options {
        width: Some(100),
        ..render::Options::default()
    };
    render::write(Format::Human, &mine, sources, &options, &mut shown).expect("written");
    text.push_str("\n----\n\n");
    text.push_str(&String::from_utf8(shown).expect("UTF-8"));
    text
}

/// Checks that message and help are one sentence in lowercase, without a full stop.
fn assert_style(diagnostic: &Diagnostic) {
    for text in [Some(&diagnostic.message), diagnostic.help.as_ref()]
        .into_iter()
        .flatten()
    {
        assert!(!text.ends_with('.'), "{text}");
        assert!(!text.contains('\n'), "{text}");
        let first = text.split(' ').next().unwrap_or_default();
        assert!(
            first == "Kafka" || first == "Kafka's" || !first.starts_with(char::is_uppercase),
            "{text}"
        );
    }
}

fn describe(text: &mut String, diagnostic: &Diagnostic, sources: &Sources) {
    let place = diagnostic
        .location
        .expect("every diagnostic of the reader has a place");
    let mut line = |what: &str, value: &str| {
        writeln!(text, "{what:8} {value}").expect("written");
    };
    line(diagnostic.severity.as_str(), &diagnostic.message);
    line("at", &shown(place, sources));
    for label in &diagnostic.labels {
        let place = shown(label.location, sources);
        line("label", &format!("{place}: {}", label.message));
    }
    line("help", diagnostic.help.as_deref().unwrap_or("none"));
    if let Some(detail) = &diagnostic.detail {
        line("detail", detail);
    }
}

/// Returns `line:column-line:column`, and the text between them.
fn shown(place: Location, sources: &Sources) -> String {
    let source = sources.get(place.source);
    let (start, end) = (
        source.position(place.span.start),
        source.position(place.span.end),
    );
    let text = &source.text[place.span.start as usize..place.span.end as usize];
    format!(
        "{}:{}-{}:{} {text:?}",
        start.line, start.column, end.line, end.column
    )
}
