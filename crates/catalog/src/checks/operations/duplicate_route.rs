//! `operations.duplicate_routing_entry`: an operation has several handlers.

use std::collections::HashMap;

use herald_diagnostics::{Diagnostic, Rule, Severity};

use crate::contract_file::ContractFile;
use crate::text::quote;

pub(crate) static RULE: Rule = Rule {
    code: "operations.duplicate_routing_entry",
    severity: Severity::Info,
    title: "an operation is routed more than once",
    docs: "`handler_routing.handlers` lists an operation several times, for several handlers. For \
           events it is one operation.",
    bad: "handler_routing:\n  handlers:\n    - operation: project\n    - operation: project",
    good: "handler_routing:\n  handlers:\n    - operation: project",
};

/// Reports the second route of each operation; later ones are not reported again.
pub(crate) fn check(contract: &ContractFile, diagnostics: &mut Vec<Diagnostic>) {
    let mut routes = HashMap::new();
    for route in &contract.routes {
        let (first, count) = routes.entry(&route.value).or_insert((route.location, 0));
        *count += 1;
        if *count == 2 {
            diagnostics.push(
                Diagnostic::new(
                    &RULE,
                    format!(
                        "the operation {} is routed more than once",
                        quote(&route.value)
                    ),
                )
                .at(route.location)
                .label(*first, "first routed here")
                .help("for events it is one operation; nothing has to be done"),
            );
        }
    }
}
