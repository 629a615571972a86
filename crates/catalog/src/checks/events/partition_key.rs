//! `events.partition_key`: the partition key does not name a public field of the payload.

use herald_diagnostics::{Diagnostic, Rule, Severity};

use crate::contract::Located;
use crate::contract_file::{ContractFile, WrittenEvent};
use crate::fields::Privacy;
use crate::text::{did_you_mean, quote};

pub(crate) static RULE: Rule = Rule {
    code: "events.partition_key",
    severity: Severity::Error,
    title: "the partition key is not a field of the payload",
    docs: "`partition_key` names the field of the payload whose value decides the partition. It \
           can't be a private field: private values never leave the process.",
    bad: "events:\n  - event_type: order.placed\n    partition_key: order\n    payload: {order_id: uuid}",
    good: "events:\n  - event_type: order.placed\n    partition_key: order_id\n    payload: {order_id: uuid}",
};

pub(crate) fn check(contract: &ContractFile, diagnostics: &mut Vec<Diagnostic>) {
    for event in &contract.events {
        // An open payload may have any field.
        if let Some(key) = &event.partition_key
            && !event.declared.payload.is_empty()
        {
            let problem = problem(key, event, diagnostics);
            diagnostics.extend(problem.map(|problem| problem.at(key.location)));
        }
    }
}

fn problem(
    key: &Located<String>,
    event: &WrittenEvent,
    diagnostics: &[Diagnostic],
) -> Option<Diagnostic> {
    let payload = &event.declared.payload;
    match payload.iter().find(|field| field.name == key.value) {
        Some(field) if field.privacy == Privacy::Private => Some(
            Diagnostic::new(
                &RULE,
                format!("the partition key {} is a private field", quote(&key.value)),
            )
            .label(field.location, "private here")
            .help("take a public field, or make this one public"),
        ),
        Some(_) => None,
        None => {
            let names = payload.iter().map(|field| field.name.as_str());
            let help = did_you_mean(&key.value, names, diagnostics);
            Some(
                Diagnostic::new(
                    &RULE,
                    format!("the payload has no field {}", quote(&key.value)),
                )
                .help(help.unwrap_or_else(|| "name a field of the payload".to_owned())),
            )
        }
    }
}
