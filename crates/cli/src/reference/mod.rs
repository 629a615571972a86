//! The reference pages in docs/, generated from the tables that the command itself uses, so that they
//! can't disagree. `HERALD_BLESS=1 cargo test -p herald-cli --lib reference` writes them.

mod breaking;
mod commands;
mod diagnostics;
mod environment;
mod keys;
mod markdown;

use std::path::PathBuf;
use std::{env, fs};

fn docs() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference")
}

/// Compares a page with the generated one, or writes it.
fn compare(name: &str, page: &str) {
    let path = docs().join(name);
    if env::var_os("HERALD_BLESS").is_some() {
        fs::write(path, page).expect("the page can be written");
        return;
    }
    let written = fs::read_to_string(path).unwrap_or_default();
    assert_eq!(
        written, page,
        "docs/reference/{name} is stale: HERALD_BLESS=1 cargo test -p herald-cli --lib"
    );
}

/// Comment at the top of a page for people who want to edit it.
const MADE: &str =
    "<!-- Printed by crates/cli/src/reference: change the tables, not this page. -->\n";

#[test]
fn contract_page_is_up_to_date() {
    let example = include_str!("contract.yaml");
    let intro = "Every key of a contract, as `herald schema contract` gives it to editors. \
        [Types of fields, limits and definitions](../types.md) have a page of their own.";
    let page = keys::page(
        "Contract",
        intro,
        &herald_catalog::schema::contract(),
        example,
    );
    compare("contract.md", &page);
}

#[test]
fn project_page_is_up_to_date() {
    let example = include_str!("herald.yaml");
    let intro = "What a project sets for all of its contracts. Commands look for the file in the \
        working folder and above it, and work without one.";
    let page = keys::page(
        "herald.yaml",
        intro,
        &herald_project::json_schema(),
        example,
    );
    compare("project.md", &page);
}

#[test]
fn diagnostics_page_is_up_to_date() {
    compare("diagnostics.md", &diagnostics::page());
}

#[test]
fn breaking_page_is_up_to_date() {
    compare("breaking.md", &breaking::page());
}

#[test]
fn commands_page_is_up_to_date() {
    compare("commands.md", &commands::page());
}
