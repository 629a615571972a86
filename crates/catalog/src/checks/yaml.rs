//! `yaml.*`: files that are not YAML, or not the YAML of one contract. Reported by the parser.

use herald_diagnostics::{Diagnostic, Rule, Severity};

use crate::text::quote;
use crate::yaml::{Key, MAX_DEPTH, MAX_NODES, Yaml};

pub(super) static RULES: &[&Rule] = &[
    &SYNTAX,
    &EMPTY,
    &NOT_A_MAPPING,
    &SEVERAL_DOCUMENTS,
    &DUPLICATE_KEY,
    &TOO_DEEP,
    &TOO_MANY_VALUES,
    &RECURSIVE_ALIAS,
];

static SYNTAX: Rule = Rule {
    code: "yaml.syntax",
    severity: Severity::Error,
    title: "the file is not YAML",
    docs: "The YAML parser stopped at this place. The cause is there or just before it: an \
           indentation, an open quote or bracket, a tab.",
    bad: "operations: [place, cancel",
    good: "operations: [place, cancel]",
};

static EMPTY: Rule = Rule {
    code: "yaml.empty",
    severity: Severity::Error,
    title: "the file is empty",
    docs: "A file without a value, or with comments only, does not describe a node.",
    bad: "# to be written",
    good: "node_type: effect\nservice_name: orders\noperations: [place]",
};

static NOT_A_MAPPING: Rule = Rule {
    code: "yaml.not_a_mapping",
    severity: Severity::Error,
    title: "the contract is not a mapping",
    docs: "The top level of a contract consists of keys and values.",
    bad: "- node_type: effect\n- service_name: orders",
    good: "node_type: effect\nservice_name: orders\noperations: [place]",
};

static SEVERAL_DOCUMENTS: Rule = Rule {
    code: "yaml.several_documents",
    severity: Severity::Error,
    title: "the file has more than one document",
    docs: "One file is one contract. Everything after a second `---` would be ignored.",
    bad: "service_name: orders\n---\nservice_name: billing",
    good: "service_name: orders",
};

pub(super) static DUPLICATE_KEY: Rule = Rule {
    code: "yaml.duplicate_key",
    severity: Severity::Warning,
    title: "a key is repeated in a mapping",
    docs: "YAML readers disagree about repeated keys. Herald takes the last value, as most do, and \
           ignores the first one. The diagnostic's subject is the key and the line of the \
           repetition.",
    bad: "service_name: orders\nservice_name: billing",
    good: "service_name: billing",
};

static TOO_DEEP: Rule = Rule {
    code: "yaml.too_deep",
    severity: Severity::Error,
    title: "values are nested too deeply",
    docs: "Nesting is limited to 100 levels, so that no file can exhaust the stack.",
    bad: "a: [[[[[[[[[[ … ]]]]]]]]]]",
    good: "a: [b]",
};

static TOO_MANY_VALUES: Rule = Rule {
    code: "yaml.too_many_values",
    severity: Severity::Error,
    title: "the file has too many values",
    docs: "Aliases can expand a short file to a billion values. The limit is a million.",
    bad: "a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\n…",
    good: "a: [x, x]",
};

static RECURSIVE_ALIAS: Rule = Rule {
    code: "yaml.recursive_alias",
    severity: Severity::Error,
    title: "an alias contains itself",
    docs: "An alias inside its own anchor would expand without end.",
    bad: "operations: &all [place, *all]",
    good: "operations: [place]",
};

/// Reports an error of the YAML parser.
pub(crate) fn syntax(reason: &str) -> Diagnostic {
    // The parser reads ahead, and has a limit of its own for `[` and `{`.
    if reason == "recursion limit exceeded" {
        return too_deep();
    }
    Diagnostic::new(&SYNTAX, format!("this is not valid YAML: {reason}"))
        .help("check indentation and quotes just before this place")
}

/// Reports a key that is a list or a mapping.
pub(crate) fn key_not_text(key: &Yaml) -> Diagnostic {
    Diagnostic::new(
        &SYNTAX,
        format!("{} can't be the key of a mapping", key.describe()),
    )
    .at(key.location)
    .help("write `key: value`; quote text that begins with `[`, `{` or `?`")
}

/// Reports a file without a value.
pub(crate) fn empty() -> Diagnostic {
    Diagnostic::new(&EMPTY, "the file is empty").help("`herald init` writes a first contract")
}

/// Reports a contract that is a scalar or a list.
pub(crate) fn not_a_mapping(tree: &Yaml) -> Diagnostic {
    Diagnostic::new(
        &NOT_A_MAPPING,
        format!("a contract has to be a mapping, found {}", tree.describe()),
    )
    .at(tree.head())
    .help("begin with `node_type: …` and `service_name: …`")
}

/// Reports the beginning of a second document.
pub(crate) fn second_document() -> Diagnostic {
    Diagnostic::new(&SEVERAL_DOCUMENTS, "a second document begins here")
        .help("give each contract a file of its own")
}

/// Reports a repeated key; `line` is the line of the repetition.
pub(crate) fn duplicate_key(first: &Key, second: &Key, line: u32) -> Diagnostic {
    Diagnostic::new(
        &DUPLICATE_KEY,
        format!(
            "the key {} is repeated; only the last value counts",
            quote(&second.text)
        ),
    )
    .at(second.location)
    .label(first.location, "first written here")
    .detail(format!("{}@{line}", second.text))
    .help("remove one of the two")
}

/// Reports nesting beyond [`MAX_DEPTH`].
pub(crate) fn too_deep() -> Diagnostic {
    Diagnostic::new(
        &TOO_DEEP,
        format!("values are nested deeper than {MAX_DEPTH} levels"),
    )
    .help("a contract needs about ten levels")
}

/// Reports more values than [`MAX_NODES`].
pub(crate) fn too_many_values() -> Diagnostic {
    Diagnostic::new(
        &TOO_MANY_VALUES,
        format!("the file has more than {MAX_NODES} values"),
    )
    .help("aliases repeat the values of their anchor; write out only what is needed")
}

/// Reports an alias inside its own anchor.
pub(crate) fn recursive_alias() -> Diagnostic {
    Diagnostic::new(&RECURSIVE_ALIAS, "this alias contains itself")
        .help("write the value out instead")
}
