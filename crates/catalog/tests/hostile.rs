//! Unusual and malicious files.
//!
//! None of them stops the reader, each has a diagnostic about its problem, and none takes long:
//! anything quadratic would take minutes here.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use herald_catalog::load::{Loaded, MAX_BYTES, Options, load, load_text};
use herald_diagnostics::{Diagnostic, Location, Sources};
use proptest::prelude::*;
use proptest::sample::select;

fn read(text: &str) -> Loaded {
    let loaded = load_text("contract.yaml", text, &Options::default());
    assert_spans(&loaded);
    assert!(loaded.catalog.nodes.len() == 1 || loaded.has_errors());
    loaded
}

/// Checks that every place is within its text, between characters.
fn assert_spans(loaded: &Loaded) {
    let diagnostics = loaded.diagnostics.iter();
    let places = diagnostics.flat_map(|diagnostic| {
        let labels = diagnostic.labels.iter().map(|label| label.location);
        diagnostic.location.into_iter().chain(labels)
    });
    let nodes = loaded.catalog.nodes.iter();
    let events = nodes.flat_map(|node| node.events.iter().map(|event| event.location));
    for Location { source, span } in places.chain(events) {
        let text = &loaded.catalog.sources.get(source).text;
        let range = span.start as usize..span.end as usize;
        assert!(text.get(range).is_some(), "{span:?} of {text:?}");
    }
}

fn codes(diagnostics: &[Diagnostic]) -> BTreeSet<&'static str> {
    diagnostics
        .iter()
        .map(|diagnostic| diagnostic.rule.code)
        .collect()
}

/// Returns the code of the only diagnostic, and the text at its place.
fn only(loaded: &Loaded) -> (&'static str, &str) {
    assert_eq!(loaded.diagnostics.len(), 1, "{:#?}", loaded.diagnostics);
    let diagnostic = &loaded.diagnostics[0];
    (
        diagnostic.rule.code,
        spanned(diagnostic, &loaded.catalog.sources),
    )
}

fn spanned<'a>(diagnostic: &Diagnostic, sources: &'a Sources) -> &'a str {
    let Location { source, span } = diagnostic.location.expect("a place");
    &sources.get(source).text[span.start as usize..span.end as usize]
}

const GOOD: &str = "node_type: effect\nservice_name: orders\noperations: [place]\n";

#[test]
fn rejects_ten_thousand_levels() {
    const LEVELS: usize = 10_000;
    for text in [
        "[".repeat(LEVELS),
        format!("a: {}", "[".repeat(LEVELS)),
        format!("a: {}{}", "[".repeat(LEVELS), "]".repeat(LEVELS)),
        "{a: ".repeat(LEVELS),
        "- ".repeat(LEVELS),
        format!("{}x", "- ".repeat(LEVELS)),
        "? ".repeat(LEVELS),
        "a:\n".to_owned() + &nested_lines(1_000),
    ] {
        assert_eq!(only(&read(&text)).0, "yaml.too_deep", "{text:.20}");
    }
}

/// Returns nested mappings, each line indented by one more blank.
fn nested_lines(levels: usize) -> String {
    (1..levels).fold(String::new(), |mut text, level| {
        writeln!(text, "{:level$}a:", "").expect("written");
        text
    })
}

#[test]
fn counts_levels_of_aliases() {
    let mut text = "a0: &a0 [x]\n".to_owned();
    for n in 1..2_000 {
        writeln!(text, "a{n}: &a{n} [*a{}]", n - 1).expect("written");
    }
    assert_eq!(only(&read(&text)), ("yaml.too_deep", "*a98"));
}

#[test]
fn rejects_recursive_aliases() {
    for text in [
        "operations: &a [*a]",
        "operations: &a [place, {b: {c: *a}}]",
        "&a b: {c: &d {e: *d}}",
        "&root a: *root\nb: &c [*c]",
    ] {
        let loaded = read(text);
        assert!(
            codes(&loaded.diagnostics).contains("yaml.recursive_alias"),
            "{text}"
        );
    }
}

#[test]
fn rejects_aliases_without_an_anchor() {
    assert_eq!(only(&read("operations: *nothing")).0, "yaml.syntax");
}

#[test]
fn rejects_a_billion_laughs() {
    let mut text = "a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol, lol]\n".to_owned();
    for n in 1..12 {
        let inner = vec![format!("*a{}", n - 1); 10].join(", ");
        writeln!(text, "a{n}: &a{n} [{inner}]").expect("written");
    }
    assert_eq!(only(&read(&text)).0, "yaml.too_many_values");
}

#[test]
fn rejects_anchors_on_every_level_before_they_fill_the_memory() {
    let anchors: Vec<_> = (0..90).map(|n| format!("&a{n} [")).collect();
    let anchors = anchors.concat();
    let text = format!("{anchors}{}{}", "x,".repeat(400_000), "]".repeat(90));
    assert_eq!(only(&read(&text)).0, "yaml.too_many_values");
}

#[test]
fn reports_files_without_values() {
    for text in [
        "",
        "\n\n",
        "# nothing\n",
        "---\n",
        "~",
        "null",
        "\u{feff}",
        "---\n...\n",
    ] {
        assert_eq!(only(&read(text)).0, "yaml.empty", "{text:?}");
    }
}

#[test]
fn reports_files_that_are_not_mappings() {
    for text in ["text", "12", "[]", "- a", "'a: b'", "|\n  a: b"] {
        assert_eq!(only(&read(text)).0, "yaml.not_a_mapping", "{text:?}");
    }
}

#[test]
fn reports_files_that_are_not_yaml() {
    for text in [
        "a: [b",
        "a: 'b",
        "a: b: c",
        "a:\n\t- b",
        "a: b\n c: d\n",
        "@a: b",
        "%YAML 9",
        "[a]: b",
        "{a: b}: c",
        "a: \"\\q\"",
        "]",
    ] {
        assert_eq!(only(&read(text)).0, "yaml.syntax", "{text:?}");
    }
}

#[test]
fn rejects_or_keeps_control_characters() {
    for text in ["operations: [a\0b]\n", "operations: [\"a\\0b\"]\n"] {
        let loaded = read(&format!("node_type: effect\nservice_name: orders\n{text}"));
        match loaded.catalog.nodes.first() {
            Some(node) => assert!(
                codes(&loaded.diagnostics).contains("topic.invalid"),
                "{node:?}"
            ),
            None => assert_eq!(only(&loaded).0, "yaml.syntax"),
        }
    }
}

#[test]
fn reads_the_first_of_several_documents() {
    let loaded = read(&format!("{GOOD}---\n{GOOD}---\n[\n"));
    assert_eq!(only(&loaded), ("yaml.several_documents", "---"));
    assert_eq!(loaded.catalog.nodes[0].operations.len(), 1);
}

#[test]
fn reads_windows_line_ends() {
    let text = "node_type: effect\r\nservice_name: orders\r\noperatoins:\r\n  - place\r\nevents: [a.b]\r\n";
    let loaded = read(text);
    assert_eq!(only(&loaded), ("contract.unknown_key", "operatoins"));
    let place = loaded.diagnostics[0].location.expect("a place");
    let position = loaded
        .catalog
        .sources
        .get(place.source)
        .position(place.span.start);
    assert_eq!((position.line, position.column), (3, 1));
}

#[test]
fn places_are_exact_after_a_byte_order_mark_and_wide_characters() {
    let loaded = read("\u{feff}node_typ: effect\nservice_name: orders\nevents: [a.b]\n");
    assert_eq!(only(&loaded), ("contract.unknown_key", "node_typ"));

    let loaded = read(&format!("{GOOD}description: \"日本 é 👩‍💻\"\n'größe': 1\n"));
    assert_eq!(only(&loaded), ("contract.unknown_key", "'größe'"));

    let loaded =
        read("\u{feff}# é\nnode_type: effect\nservice_name: órders\noperations: [日本, place]");
    let found: Vec<_> = loaded
        .diagnostics
        .iter()
        .map(|diagnostic| {
            (
                diagnostic.rule.code,
                spanned(diagnostic, &loaded.catalog.sources),
            )
        })
        .collect();
    assert_eq!(
        found,
        [("topic.invalid", "órders"), ("names.unusable", "日本")]
    );
}

#[test]
fn every_spelling_of_a_key_has_its_exact_place() {
    for (key, shown) in [
        ("colour", "colour"),
        ("'colour'", "'colour'"),
        ("\"col\\u006fur\"", "\"col\\u006fur\""),
        ("? colour\n", "colour"),
        ("&anchor colour", "colour"),
        ("!!str colour", "colour"),
    ] {
        let loaded = read(&format!("{GOOD}{key}: red\n"));
        let (code, text) = only(&loaded);
        assert_eq!(code, "contract.unknown_key");
        assert!(text.ends_with(shown), "{text:?} for {key:?}");
    }
}

#[test]
fn reports_a_hundred_thousand_unknown_keys() {
    let mut text = GOOD.to_owned();
    for n in 0..100_000 {
        writeln!(text, "key_{n}: {n}").expect("written");
    }
    let loaded = read(&text);
    assert_eq!(codes(&loaded.diagnostics), ["contract.unknown_key"].into());
    assert_eq!(loaded.diagnostics.len(), 100_000);
}

#[test]
fn reports_a_key_that_is_repeated_a_hundred_thousand_times() {
    for line in ["note: 1\n", "note: 1, "] {
        let entries = line.repeat(100_000);
        let text = if line.ends_with('\n') {
            entries
        } else {
            format!("{{{entries}}}")
        };
        let loaded = read(&text);
        let repeated = loaded
            .diagnostics
            .iter()
            .filter(|diagnostic| diagnostic.rule.code == "yaml.duplicate_key");
        assert_eq!(repeated.count(), 99_999);
    }
}

#[test]
fn twenty_thousand_definitions_that_need_each_other() {
    let (mut text, last) = (GOOD.to_owned() + "definitions:\n", 20_000);
    for n in 0..last {
        let next = n + 1;
        writeln!(text, "  D{n}: {{fields: {{next: D{next}, name: string}}}}").expect("written");
    }
    let ends = format!("{text}  D{last}: {{fields: {{name: string}}}}\n");
    let loaded = read(&ends);
    assert_eq!(
        codes(&loaded.diagnostics),
        ["lint.unused_definition"].into()
    );
    assert_eq!(loaded.catalog.nodes[0].definitions.len(), last + 1);
    let endless = format!("{text}  D{last}: {{fields: {{first: D0}}}}\n");
    let loaded = read(&endless);
    assert_eq!(codes(&loaded.diagnostics), ["definitions.endless"].into());
    assert_eq!(loaded.diagnostics.len(), last + 1);
}

#[test]
fn a_hundred_thousand_values_of_a_field() {
    let mut text =
        "node_type: effect\nservice_name: orders\nevents:\n- event_type: order.placed\n".to_owned();
    text += "  payload: {size: {type: string, enum: [";
    for n in 0..100_000 {
        write!(text, "v{n},").expect("written");
    }
    let loaded = read(&(text + "]}}\n"));
    assert!(
        loaded.diagnostics.is_empty(),
        "{:?}",
        loaded.diagnostics.first()
    );
}

#[test]
fn bounds_the_metadata_of_events() {
    let mut text = GOOD.to_owned() + "instrument:\n  fields:\n";
    for n in 0..50_000 {
        writeln!(text, "    f{n}: {n}").expect("written");
    }
    let loaded = read(&text);
    assert_eq!(codes(&loaded.diagnostics), ["contract.wrong_type"].into());
    assert_eq!(
        loaded.catalog.nodes[0].operations[0]
            .instrument
            .fields
            .len(),
        16
    );
}

#[test]
fn fifty_thousand_operations() {
    let mut text = "node_type: effect\nservice_name: orders\noperations:\n".to_owned();
    for n in 0..50_000 {
        writeln!(text, "  - op_{n}").expect("written");
    }
    let loaded = read(&text);
    assert!(loaded.diagnostics.is_empty());
    assert_eq!(loaded.catalog.nodes[0].events.len(), 150_002);
}

#[test]
fn fifty_thousand_operations_of_one_identifier() {
    let mut text = "node_type: effect\nservice_name: orders\noperations:\n".to_owned();
    for n in 0..50_000_u32 {
        // One character each that identifiers leave out.
        let c = char::from_u32(0x4e00 + n).unwrap_or('-');
        writeln!(text, "  - \"a{c}b\"").expect("written");
    }
    let loaded = read(&text);
    assert!(codes(&loaded.diagnostics).contains("names.collision"));
    let idents: BTreeSet<_> = loaded.catalog.nodes[0]
        .events
        .iter()
        .map(|event| event.ident.to_ascii_lowercase())
        .collect();
    assert_eq!(idents.len(), loaded.catalog.nodes[0].events.len());
}

#[test]
fn fifty_thousand_states_topics_and_transitions() {
    let mut text = "name: node_orders\nnode_type: effect\nfsm:\n  states:\n".to_owned();
    for n in 0..50_000 {
        writeln!(text, "    - {{name: s{n}, is_terminal: true}}").expect("written");
    }
    text.push_str("  transitions:\n");
    for n in 0..30_000 {
        writeln!(text, "    - {{from: s{n}, to: x{n}}}").expect("written");
    }
    let loaded = read(&text);
    assert_eq!(
        codes(&loaded.diagnostics),
        ["fsm.unknown_state", "lint.terminal_state_left"].into()
    );

    let mut text = "name: node_orders\nnode_type: effect\nevent_bus:\n".to_owned();
    for list in ["publish_topics", "subscribe_topics"] {
        writeln!(text, "  {list}:").expect("written");
        for n in 0..30_000 {
            writeln!(text, "    - onex.evt.orders.thing-{n}.v1").expect("written");
        }
    }
    text.push_str("terminal_events:\n");
    for n in 0..10_000 {
        writeln!(text, "  - onex.evt.orders.end-{n}.v1").expect("written");
    }
    let loaded = read(&text);
    assert_eq!(
        codes(&loaded.diagnostics),
        [
            "bus.published_and_consumed",
            "published.terminal_not_published"
        ]
        .into()
    );
}

#[test]
fn quotes_only_the_beginning_of_long_scalars() {
    let long = "x".repeat(3_000_000);
    for text in [
        format!("node_type: {long}\nservice_name: orders\noperations: [place]\n"),
        format!("node_type: effect\nservice_name: {long}\noperations: [place]\n"),
        format!("{GOOD}{long}: 1\n"),
        format!("{GOOD}? {long}\n: 1\n"),
        format!("{GOOD}metrics: {long}\n"),
        format!("{GOOD}include_state_events: {long}\n"),
        format!("{GOOD}description: [{long}]\n"),
        format!("{GOOD}events: [{{event_type: a, payload: {{b: {long}}}}}]\n"),
        format!(
            "{GOOD}events: [{{event_type: a, payload: {{b: \"{}\"}}}}]\n",
            "list[".repeat(600_000)
        ),
        format!("{GOOD}redact: [{long}(]\n"),
        format!("name: node_a\nnode_type: {long}\n"),
        format!("name: {long} -\nnode_type: effect\nevent_bus: {{publish_topics: [{long}]}}\n"),
    ] {
        for diagnostic in &read(&text).diagnostics {
            for words in [Some(&diagnostic.message), diagnostic.help.as_ref()]
                .into_iter()
                .flatten()
            {
                assert!(words.len() < 1_000, "{}", diagnostic.rule.code);
            }
        }
    }
}

#[test]
fn rejects_texts_that_are_too_large() {
    let text = "#".repeat(usize::try_from(MAX_BYTES).expect("small") + 1);
    assert_eq!(only(&read(&text)), ("file.too_large", ""));
}

#[test]
fn reads_the_good_files_beside_a_bad_one() {
    let folder = tempfile::tempdir().expect("a folder");
    let bad: [(&str, &[u8]); 6] = [
        ("b.yaml", b"a: [b"),
        ("d.yaml", b"\xff\xfea"),
        ("f.yaml", b""),
        (
            "h.yaml",
            b"node_type: efect\nservice_name: h\noperations: [a, a]\n",
        ),
        ("j.yaml", b"service_name: j\noperations: &a [*a]\n"),
        ("m.yaml", b"replicas: 3\n"),
    ];
    for (name, bytes) in bad {
        fs::write(folder.path().join(name), bytes).expect("written");
    }
    let large = fs::File::create(folder.path().join("l.yaml")).expect("made");
    large.set_len(100_000_000).expect("made");
    for name in ["a", "c", "e", "g", "i", "k"] {
        let text = format!("node_type: effect\nservice_name: {name}\noperations: [place]\n");
        fs::write(folder.path().join(format!("{name}.yaml")), text).expect("written");
    }
    let paths = [folder.path().to_string_lossy().into_owned()];
    let loaded = load(&paths, &Options::default(), &|| ());
    assert_spans(&loaded);
    let nodes: Vec<_> = loaded
        .catalog
        .nodes
        .iter()
        .map(|node| {
            (
                node.service_name.as_str(),
                loaded.sources_with_errors().contains(&node.location.source),
            )
        })
        .collect();
    assert_eq!(
        nodes,
        [
            ("a", false),
            ("c", false),
            ("e", false),
            ("g", false),
            ("h", true),
            ("i", false),
            ("k", false)
        ]
    );
    let found: Vec<_> = loaded
        .diagnostics
        .iter()
        .map(|diagnostic| {
            let source = diagnostic.location.expect("a place").source;
            let path = &loaded.catalog.sources.get(source).path;
            let name = Path::new(path)
                .file_name()
                .expect("a name")
                .to_string_lossy();
            format!("{name} {}", diagnostic.rule.code)
        })
        .collect();
    assert_eq!(
        found,
        [
            "b.yaml yaml.syntax",
            "d.yaml file.not_utf8",
            "f.yaml yaml.empty",
            "h.yaml kind.unknown",
            "h.yaml operations.duplicate",
            "j.yaml yaml.recursive_alias",
            "l.yaml file.too_large",
        ]
    );
    assert_eq!(loaded.skipped.len(), 1);
}

/// Texts with many characters and words of YAML and contracts.
fn yaml_like() -> impl Strategy<Value = String> {
    const PIECES: &[&str] = &[
        "node_type",
        "service_name",
        "operations",
        "events",
        "name",
        "event_bus",
        "publish_topics",
        "state_machine",
        "transitions",
        "handler_routing",
        "handlers",
        "operation",
        "effect",
        "onex.evt.a.b.v1",
        "place",
        "&a ",
        "*a",
        "!!str ",
        "!t ",
        ": ",
        ":",
        "\n",
        "\n  ",
        "\n    ",
        "- ",
        "[",
        "]",
        "{",
        "}",
        ", ",
        "? ",
        "'",
        "\"",
        "|\n",
        ">-\n",
        "#",
        "---\n",
        "...\n",
        "%",
        "\t",
        "\r\n",
        "\u{feff}",
        "é",
        "日本",
        "👩‍💻",
        "\u{85}",
        "\u{2028}",
        "\0",
        "~",
        "1",
        "true",
        "\\",
    ];
    let piece = prop_oneof![
        12 => select(PIECES).prop_map(str::to_owned),
        1 => any::<char>().prop_map(String::from),
        1 => "[a-z_]{1,8}",
    ];
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn any_text_is_a_node_or_an_error(text in prop_oneof![3 => yaml_like(), 1 => any::<String>()]) {
        read(&text);
    }
}
