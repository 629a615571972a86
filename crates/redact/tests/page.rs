//! docs/redaction.md, printed from the table. `HERALD_BLESS=1 cargo test -p herald-redact` writes it.

use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs};

use herald_redact::rules::{RULES, Rule, masked};

const INTRO: &str = "# Redaction of secrets

<!-- Printed by crates/redact/tests/page.rs: change the table in crates/redact, not this page. -->

Error messages may contain passwords and tokens. Before Herald publishes or logs one, it replaces what
it recognizes as a secret by `***`. The table below is complete: each row is a rule of the engine, and
the examples are its tests. The shapes of tokens are those that their issuers document.

`herald.redact` masks any text:

```python
from herald import redact

print(redact(\"login failed: password=hunter2 user=bob\"))
print(redact(\"no credit for customer-481516\", patterns=[\"customer-[0-9]{6}\"]))
```

```text output
login failed: password=*** user=bob
no credit for ***
```

Set your own patterns in the contract, as [`redact`](reference/contract.md). They are compiled into
the same engine.

- The engine is written in Rust. Its time is linear in the length of a text, also if somebody else has
  chosen the text.
- Modules of `herald generate --standalone` need no Herald. The files beside them contain the same table for Python's
  `re`, and the same examples test it.
- Methods that `herald patterns` prints use `herald.redact` where Herald is installed. Elsewhere they
  mask named values, headers, URLs, private keys, JSON Web Tokens, and tokens of GitHub, AWS and Slack.
- Only the first 4,000 characters of an error are read, and 2,000 are kept.

Redaction recognizes shapes, not meaning: a password in the middle of a sentence stays, and so do names,
addresses and other personal data. Declare such fields as `private` in the contract.
";

const TITLES: [&str; 5] = [
    "Names and headers",
    "URLs",
    "Command lines",
    "Codes, cards and bank accounts",
    "Tokens and keys",
];

const END: &str = "
Names that end like `_type`, `_count` or `_url` (`token_type`, `password_reset_url`) are not secrets.
Tokens are recognized unless a letter or digit precedes them.
";

#[test]
fn documentation_lists_the_table() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/redaction.md");
    let page = page();
    if env::var_os("HERALD_BLESS").is_some() {
        fs::write(&path, &page).expect("the page can be written");
    }
    let written = fs::read_to_string(&path).unwrap_or_default();
    let stale = "docs/redaction.md is stale: HERALD_BLESS=1 cargo test -p herald-redact";
    assert_eq!(written, page, "{stale}");
}

fn page() -> String {
    let mut page = INTRO.to_owned();
    for (title, rules) in TITLES.into_iter().zip(RULES) {
        let _ = write!(
            page,
            "\n## {title}\n\n| Secret | Text | Masked | Unchanged |\n"
        );
        page += "| --- | --- | --- | --- |\n";
        for rule in rules {
            page += &row(rule);
        }
    }
    page + END
}

fn row(rule: &Rule) -> String {
    let title = rule.title.replace('|', "\\|").replace('<', "&lt;");
    let [example, near_miss] = [rule.examples, rule.near_misses].map(|texts| texts[0]);
    let text = shortened(&example.replace(['«', '»'], ""));
    let masked = shortened(&masked(example));
    let near_miss = shortened(near_miss);
    format!(
        "| {title} | {} | {} | {} |\n",
        code(&text),
        code(&masked),
        code(&near_miss)
    )
}

/// A text with `…` for each run of characters, such as `{hex*32}`.
fn shortened(text: &str) -> String {
    let mut shortened = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        shortened += before;
        match after.split_once('}') {
            Some((filler, after)) if filler.contains('*') && !filler.contains([' ', '"']) => {
                shortened.push('…');
                rest = after;
            }
            _ => {
                shortened.push('{');
                rest = after;
            }
        }
    }
    shortened + rest
}

fn code(text: &str) -> String {
    format!(
        "`{}`",
        text.replace('|', "\\|")
            .replace('\r', "")
            .replace('\n', "⏎")
    )
}
