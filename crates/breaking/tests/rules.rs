//! Each rule against the contracts of its documentation.

use herald_breaking::rules::RULES;
use herald_breaking::{Change, Direction, compare, report};
use herald_catalog::Catalog;
use herald_catalog::load::{Loaded, Options, load_lock_text, load_text};
use herald_catalog::lock;
use herald_diagnostics::render::{self, Format};

/// A fragment of the documentation as a whole contract.
fn contract(fragment: &str) -> Loaded {
    let identity = [("node_type", "effect"), ("service_name", "orders")];
    let missing = identity.map(|(key, value)| {
        let line = format!("{key}: {value}\n");
        if fragment.contains(&format!("{key}:")) {
            String::new()
        } else {
            line
        }
    });
    let mut text = missing.concat();
    text.push_str(fragment);
    let loaded = load_text("orders.yaml", &text, &Options::default());
    let errors: Vec<_> = (loaded.diagnostics.iter())
        .filter(|diagnostic| diagnostic.is_error())
        .collect();
    assert!(errors.is_empty(), "{errors:?}\n{text}");
    loaded
}

fn changes(before: &Loaded, after: &Loaded) -> Vec<Change> {
    let mut nodes = after.catalog.nodes.clone();
    // Only a node that keeps its path can be renamed.
    if RULES[0].after.contains(&nodes[0].service_name) {
        "elsewhere.yaml".clone_into(&mut nodes[0].origin.relative_path);
    }
    let catalog = Catalog {
        nodes,
        ..Catalog::default()
    };
    compare(&before.catalog, &catalog)
}

fn text(changes: &[Change], before: &Loaded, after: &Loaded) -> String {
    let (diagnostics, sources) = report::diagnostics(
        changes,
        &before.catalog.sources,
        &after.catalog.sources,
        |path| format!("before/{path}"),
    );
    let options = render::Options {
        color: false,
        tool_version: "0",
        width: Some(100),
    };
    let mut out = Vec::new();
    render::write(Format::Human, &diagnostics, &sources, &options, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn codes_are_unique_and_sorted_into_areas() {
    let mut codes: Vec<_> = RULES.iter().map(|rule| rule.rule.code).collect();
    codes.sort_unstable();
    let all = codes.len();
    codes.dedup();
    assert_eq!(codes.len(), all);
    assert!(all >= 45, "{all}");
    for code in codes {
        assert!(code.split('.').count() == 2, "{code}");
    }
}

#[test]
fn reports_the_documented_change_in_both_contracts() {
    for rule in RULES {
        let code = rule.rule.code;
        let (before, after) = (contract(rule.before), contract(rule.after));
        let found = changes(&before, &after);
        let own: Vec<_> = (found.iter())
            .filter(|change| change.rule.rule.code == code)
            .collect();
        assert!(!own.is_empty(), "{code} is not reported, but: {found:#?}");
        insta::with_settings!({snapshot_path => "rules", prepend_module_to_snapshot => false, omit_expression => true}, {
            insta::assert_snapshot!(code, text(&found, &before, &after));
        });
    }
}

#[test]
fn accepts_the_documented_alternative() {
    for rule in RULES {
        let code = rule.rule.code;
        let found = changes(&contract(rule.before), &contract(rule.safe));
        let wire: Vec<_> = (found.iter())
            .filter(|change| {
                change.rule.rule.code == code
                    || change.breaks.contains(Direction::Consumer)
                    || change.breaks.contains(Direction::Producer)
            })
            .collect();
        assert!(wire.is_empty(), "{code}: {wire:#?}");
    }
}

#[test]
fn has_a_witness_or_says_why_not() {
    for rule in RULES {
        let code = rule.rule.code;
        let found = changes(&contract(rule.before), &contract(rule.after));
        let own = (found.iter()).filter(|change| change.rule.rule.code == code);
        for change in own {
            assert_ne!(
                change.witness.is_some(),
                rule.no_witness.is_some(),
                "{code}: {change:#?}"
            );
        }
    }
}

#[test]
fn finds_nothing_in_equal_contracts() {
    for rule in RULES {
        let (before, again) = (contract(rule.before), contract(rule.before));
        assert!(changes(&before, &again).is_empty(), "{}", rule.rule.code);
    }
}

/// The nodes of contracts as their lock file gives them back.
fn locked(loaded: &Loaded) -> Loaded {
    let text = lock::write(&loaded.catalog.nodes);
    let again = load_lock_text("herald.lock", &text);
    assert!(
        again.diagnostics.is_empty(),
        "{:?}\n{text}",
        again.diagnostics
    );
    again
}

#[test]
fn finds_the_same_changes_since_a_lock_file() {
    for rule in RULES {
        let (before, after) = (contract(rule.before), contract(rule.after));
        let messages = |changes: Vec<Change>| -> Vec<_> {
            let facts = changes.into_iter();
            facts
                .map(|one| (one.rule.rule.code, one.message, one.breaks, one.witness))
                .collect()
        };
        let direct = messages(changes(&before, &after));
        for (old, new) in [
            (locked(&before), &after),
            (locked(&before), &locked(&after)),
        ] {
            let since_lock = messages(changes(&old, new));
            assert_eq!(since_lock, direct, "{}", rule.rule.code);
        }
    }
}

#[test]
fn a_kind_of_a_node_that_had_none_breaks_nothing() {
    let text =
        "operations: [place]\nevents: [{event_type: order.placed, topic: shop.order.placed.v1}]\n";
    let (mut before, after) = (contract(text), contract(text));
    let node = &mut before.catalog.nodes[0];
    node.kind = None;
    node.events.retain(|event| event.declared.is_some());
    assert!(changes(&before, &after).is_empty());
}

#[test]
fn a_default_retention_is_named() {
    let text = |settings: &str| {
        contract(&format!(
            "operations: []\nevents:\n- {{event_type: order.placed, topic: shop.order.placed.v1{settings}}}\n"
        ))
    };
    let before = text("");
    let after = text(", topic_settings: {config: {retention.ms: '1'}}");
    let found = changes(&before, &after);
    let message = &found[0].message;
    assert!(
        message.ends_with("for 1 ms instead of Kafka's default, 7 days"),
        "{message}"
    );
}
