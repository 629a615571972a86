//! Environment variables that the command reads.

use std::fmt::Write as _;

use herald_publish::kafka::environment::{BOOTSTRAP_SERVERS, VARIABLES};
use herald_registry::{BEARER_TOKEN, CA_LOCATION, URL, USER_INFO};

/// Variables of the command itself.
const OWN: &[(&str, &str)] = &[
    (URL, "the address of the schema registry"),
    (USER_INFO, "its login, `USER:PASSWORD`"),
    (BEARER_TOKEN, "a token for it, which goes before a login"),
    (
        CA_LOCATION,
        "the file with the certificates that sign that of the registry",
    ),
    (
        "HERALD_SPOOL",
        "the spool that `herald spool` looks at, unless `--spool` names one",
    ),
    (
        "NO_COLOR",
        "set to anything, there are no colours, unless `--color always` asks for them",
    ),
];

/// The section about them.
pub(super) fn section() -> String {
    let mut text = "\n## Environment\n\n\
        The command line goes before the environment, and that before `herald.yaml`.\n\n\
        | variable | meaning |\n| --- | --- |\n"
        .to_owned();
    let _ = writeln!(
        text,
        "| `{BOOTSTRAP_SERVERS}` | brokers, `host:port`, with commas between |"
    );
    for (variable, property) in VARIABLES {
        let _ = writeln!(text, "| `{variable}` | property `{property}` |");
    }
    for (variable, meaning) in OWN {
        let _ = writeln!(text, "| `{variable}` | {meaning} |");
    }
    text
}
