//! `file.*`: paths and files that can't be read. Reported by the loader.

use herald_diagnostics::{Diagnostic, Rule, Severity};

use crate::text::quote;

pub(super) static RULES: &[&Rule] = &[
    &NOT_FOUND,
    &UNREADABLE,
    &IS_A_FOLDER,
    &NO_CONTRACTS,
    &TOO_LARGE,
    &NOT_UTF8,
];

pub(crate) static NOT_FOUND: Rule = Rule {
    code: "file.not_found",
    severity: Severity::Error,
    title: "no such file or folder",
    docs: "A path on the command line or in `herald.yaml` does not exist.",
    bad: "herald check contarct.yaml",
    good: "herald check contract.yaml",
};

static UNREADABLE: Rule = Rule {
    code: "file.unreadable",
    severity: Severity::Error,
    title: "the file can't be read",
    docs: "The operating system refused to open the file. The message contains its reason.",
    bad: "chmod 000 contract.yaml && herald check contract.yaml",
    good: "chmod 644 contract.yaml && herald check contract.yaml",
};

static IS_A_FOLDER: Rule = Rule {
    code: "file.is_a_folder",
    severity: Severity::Error,
    title: "a folder is in the place of a contract",
    docs: "A glob matched a folder that is named like a file. A folder named on the command line \
           is searched for contracts instead.",
    bad: "mkdir contract.yaml && herald check '*.yaml'",
    good: "herald check contract.yaml/",
};

pub(crate) static NO_CONTRACTS: Rule = Rule {
    code: "file.no_contracts",
    severity: Severity::Error,
    title: "a folder or glob has no contracts",
    docs: "A check that read nothing must not pass. Contracts are `.yaml` and `.yml` files; hidden \
           folders, `node_modules`, `target` and virtual environments are not searched.",
    bad: "herald check an-empty-folder/",
    good: "herald check contracts/",
};

static TOO_LARGE: Rule = Rule {
    code: "file.too_large",
    severity: Severity::Error,
    title: "the file is too large to be a contract",
    docs: "Contracts are written by people: the largest known one has 39 KB. Files above 4 MiB are \
           refused before they are read.",
    bad: "herald check backup.yaml   # 100 MB",
    good: "herald check contract.yaml",
};

static NOT_UTF8: Rule = Rule {
    code: "file.not_utf8",
    severity: Severity::Error,
    title: "the file is not UTF-8 text",
    docs: "YAML files are read as UTF-8. The message names the first byte that is not.",
    bad: "name: caf\\xe9        # Latin-1",
    good: "name: caf\\xc3\\xa9    # UTF-8",
};

/// Reports a path that does not exist. `similar` is an existing file with a similar name.
pub(crate) fn not_found(path: &str, similar: Option<&str>) -> Diagnostic {
    let help = similar.map_or_else(
        || "give a file, a folder or a glob".to_owned(),
        |name| format!("did you mean {}?", quote(name)),
    );
    Diagnostic::new(&NOT_FOUND, format!("{} does not exist", quote(path))).help(help)
}

/// Reports a path with wildcards that is not a valid glob.
pub(crate) fn invalid_glob(path: &str, reason: &str) -> Diagnostic {
    Diagnostic::new(
        &NOT_FOUND,
        format!("{} is not a valid glob: {reason}", quote(path)),
    )
    .help("`*` is any name, `**` any folders, `{a,b}` one of the two, `[ab]` one character")
}

/// Reports a folder or glob without contracts.
pub(crate) fn no_contracts(path: &str) -> Diagnostic {
    Diagnostic::new(
        &NO_CONTRACTS,
        format!("there are no contracts in {}", quote(path)),
    )
    .help("contracts are `.yaml` or `.yml` files; `herald init` writes a first one")
}

/// Reports a file or folder that the operating system did not open.
pub(crate) fn unreadable(what: &str, reason: &str) -> Diagnostic {
    Diagnostic::new(&UNREADABLE, format!("{what} can't be read: {reason}"))
        .help("check its permissions, and whether it still exists")
}

/// Reports a folder where a file is expected.
pub(crate) fn is_a_folder() -> Diagnostic {
    Diagnostic::new(&IS_A_FOLDER, "this is a folder, not a file")
        .help("name the folder itself to search it for contracts")
}

/// Reports a file above the limit; `bytes` is its size in words.
pub(crate) fn too_large(bytes: &str, max_bytes: u64) -> Diagnostic {
    Diagnostic::new(
        &TOO_LARGE,
        format!("the file has {bytes} bytes; at most {max_bytes} are read"),
    )
    .help("the largest known contract has 39 KB; is this the right file?")
}

/// Reports text that is not UTF-8; `at` is the index of the first invalid byte.
pub(crate) fn not_utf8(bytes: &[u8], at: usize) -> Diagnostic {
    let line = bytes[..at].split(|byte| *byte == b'\n').count();
    let is_utf16 = bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]);
    Diagnostic::new(
        &NOT_UTF8,
        format!(
            "the file is not UTF-8: byte {at}, in line {line}, is {:#04x}",
            bytes[at]
        ),
    )
    .help(if is_utf16 {
        "it is UTF-16; save it as UTF-8"
    } else {
        "save it as UTF-8"
    })
}
