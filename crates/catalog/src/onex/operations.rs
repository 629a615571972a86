//! Operations of ONEX contracts.

use std::collections::HashMap;

use super::{items, texts};
use crate::contract::Located;
use crate::ident::ident;
use crate::node::Operation;
use crate::text::is_blank;
use crate::yaml::Yaml;

/// Place of operations in a contract.
struct Source {
    /// Name of the place in catalogs.
    name: &'static str,
    path: &'static [&'static str],
    spelling: Spelling,
}

/// Spelling of the operations at a place.
enum Spelling {
    /// List of mappings; the first of these keys with a text names the operation.
    Named(&'static [&'static str]),
    /// List of names.
    Names,
    /// List of mappings, each with a list of names under this key.
    NamesUnder(&'static str),
    /// Mapping whose keys are the names.
    Keys,
    /// Text that is the only name.
    Text,
}

use Spelling::{Keys, Named, Names, NamesUnder, Text};

const fn source(name: &'static str, path: &'static [&'static str], spelling: Spelling) -> Source {
    Source {
        name,
        path,
        spelling,
    }
}

/// Routes of operations to handlers.
static ROUTES: Source = source(
    "handler_routing",
    &["handler_routing", "handlers"],
    Named(&["operation", "routing_key"]),
);

/// Places of operations. A later tier counts only when those before it have no operations.
#[rustfmt::skip]
static TIERS: [&[Source]; 3] = [
    &[
        source("io_operations", &["io_operations"], Named(&["operation", "name"])),
        source("handler_routing", &["handler_routing", "handlers"], Named(&["operation", "routing_key"])),
        source("handler_routing.supported_operations", &["handler_routing", "handlers"], NamesUnder("supported_operations")),
        source("operations", &["operations"], Named(&["operation", "name"])),
        source("operation_bindings", &["operation_bindings", "bindings"], Keys),
        source("input_subscriptions", &["input_subscriptions"], Named(&["operation"])),
        source("effect_operations", &["effect_operations", "operations"], Named(&["operation_name"])),
        source("effect", &["effect", "operation_name"], Text),
    ],
    &[
        source("actions", &["actions"], Named(&["name"])),
        source("capability_outputs", &["capability_outputs"], Names),
        source("state_transitions.operations", &["state_transitions", "operations"], Named(&["operation_name"])),
        source("state_machine.operations", &["state_machine", "operations"], Named(&["operation_name"])),
        source("fsm.operations", &["fsm", "operations"], Named(&["operation_name"])),
    ],
    &[
        source("io_operations.operation_type", &["io_operations"], Named(&["operation_type"])),
    ],
];

impl Source {
    fn read(&self, contract: &Yaml) -> Vec<Located<String>> {
        match self.spelling {
            Named(keys) => items(contract, self.path)
                .iter()
                .filter_map(|item| Located::read(item.first_str(keys)?))
                .collect(),
            Names => texts(contract.at(self.path)),
            NamesUnder(key) => items(contract, self.path)
                .iter()
                .flat_map(|item| texts(item.get(key)))
                .collect(),
            Keys => contract
                .at(self.path)
                .map(Yaml::entries)
                .unwrap_or_default()
                .iter()
                .filter(|(key, _)| !is_blank(&key.text))
                .map(|(key, _)| Located::new(key.text.clone(), key.location))
                .collect(),
            Text => (contract.at(self.path).and_then(Located::read))
                .into_iter()
                .collect(),
        }
    }
}

/// Reads the operations of a contract, each name once.
pub(super) fn read(contract: &Yaml) -> Vec<Operation> {
    let mut operations: Vec<Operation> = Vec::new();
    let mut index = HashMap::new();
    for tier in TIERS {
        for source in tier {
            for name in source.read(contract) {
                let at = *index.entry(name.value.clone()).or_insert(operations.len());
                if at == operations.len() {
                    operations.push(Operation {
                        ident: ident(&name.value),
                        name: name.value,
                        location: name.location,
                        sources: vec![source.name],
                        ..Operation::default()
                    });
                } else if !operations[at].sources.contains(&source.name) {
                    operations[at].sources.push(source.name);
                }
            }
        }
        if !operations.is_empty() {
            break;
        }
    }
    operations
}

/// Reads the operations that are routed to handlers, one for each handler.
pub(super) fn read_routes(contract: &Yaml) -> Vec<Located<String>> {
    ROUTES.read(contract)
}
