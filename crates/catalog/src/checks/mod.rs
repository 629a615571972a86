//! Rules that Herald checks, and the checks themselves.
//!
//! Each file holds one rule, or a family of rules that are found together: metadata,
//! documentation, examples, messages and the check. Folders are the areas of rule codes. To add a
//! rule, write its file, add a row to `CHECKS`, and put a fixture into `tests/diagnostics/`.
//!
//! A check is a function over one of three stages: the contract as written, the node that it
//! means, or all nodes of a run. Problems that only the loader, the YAML parser or a decoder can
//! see (a wrong type, an unknown key) are reported by them with the messages of the rule's file;
//! such rows have no function.

use herald_diagnostics::{Diagnostic, Rule, Severity};

use crate::contract_file::ContractFile;
use crate::node::Node;

pub(crate) mod bus;
pub mod config;
pub(crate) mod contract;
pub(crate) mod definitions;
pub(crate) mod events;
pub(crate) mod fields;
pub(crate) mod file;
pub(crate) mod fsm;
pub mod generated;
pub mod graph;
pub(crate) mod identity;
pub(crate) mod kind;
pub(crate) mod lint;
pub(crate) mod lock;
pub mod names;
pub(crate) mod operations;
pub mod payload;
pub(crate) mod published;
pub(crate) mod redact;
pub(crate) mod topic;
pub(crate) mod types;
pub(crate) mod volume;
pub(crate) mod yaml;

type ContractCheck = fn(&ContractFile, &mut Vec<Diagnostic>);
type NodeCheck = fn(&Node, &mut Vec<Diagnostic>);
type CatalogCheck = fn(&[Node], &mut Vec<Diagnostic>);

/// Row of the registry: rules that are found together, and the functions that find them.
struct Check {
    rules: &'static [&'static Rule],
    contract: Option<ContractCheck>,
    node: Option<NodeCheck>,
    catalog: Option<CatalogCheck>,
    /// Whether a project has to switch it on.
    is_off: bool,
}

impl Check {
    /// Rules that are reported where the loader, the parser or a decoder finds them.
    const fn reported(rules: &'static [&'static Rule]) -> Self {
        Self {
            rules,
            contract: None,
            node: None,
            catalog: None,
            is_off: false,
        }
    }

    /// Switches its rules off unless a project sets their level.
    const fn off(mut self) -> Self {
        self.is_off = true;
        self
    }

    /// Adds a check of each contract as written.
    const fn contract(mut self, check: ContractCheck) -> Self {
        self.contract = Some(check);
        self
    }

    /// Adds a check of each node.
    const fn node(mut self, check: NodeCheck) -> Self {
        self.node = Some(check);
        self
    }

    /// Adds a check of all nodes together.
    const fn catalog(mut self, check: CatalogCheck) -> Self {
        self.catalog = Some(check);
        self
    }
}

/// Every check, by area, in the order of the reference.
static CHECKS: &[Check] = &[
    Check::reported(file::RULES),
    Check::reported(yaml::RULES),
    Check::reported(contract::shape::RULES),
    Check::reported(&[&contract::no_events::RULE]).node(contract::no_events::check),
    Check::reported(identity::RULES).contract(identity::check),
    Check::reported(kind::RULES),
    Check::reported(&[&operations::duplicate::RULE]).contract(operations::duplicate::check),
    Check::reported(&[&operations::duplicate_route::RULE])
        .contract(operations::duplicate_route::check),
    Check::reported(&[&operations::not_identifier::RULE])
        .contract(operations::not_identifier::check),
    Check::reported(&[&names::unusable::RULE]).contract(names::unusable::check),
    Check::reported(&[&names::collision::RULE]),
    Check::reported(&[&names::python_keyword::RULE]).contract(names::python_keyword::check),
    Check::reported(&[&names::output_collision::RULE]).catalog(names::output_collision::check),
    Check::reported(topic::invalid::RULES)
        .contract(topic::invalid::check_parts)
        .node(topic::invalid::check),
    Check::reported(&[&topic::collision::RULE]).catalog(topic::collision::check),
    Check::reported(&[&events::duplicate::RULE]).node(events::duplicate::check),
    Check::reported(&[&events::shared_topic::RULE]).node(events::shared_topic::check),
    Check::reported(&[&events::partition_key::RULE]).contract(events::partition_key::check),
    Check::reported(&[&events::reserved_field::RULE]).contract(events::reserved_field::check),
    Check::reported(types::RULES),
    Check::reported(&[&definitions::name::RULE]),
    Check::reported(&[&definitions::endless::RULE]).contract(definitions::endless::check),
    Check::reported(payload::RULES),
    Check::reported(&[&fields::limit::RULE]),
    Check::reported(&[&fields::no_value::RULE]),
    Check::reported(&[&fields::pattern::RULE]),
    Check::reported(&[&fields::default::RULE]),
    Check::reported(&[&fields::renamed_from::RULE]),
    Check::reported(&[&fields::enumeration::RULE]),
    Check::reported(&[&fields::json_schema::RULE]),
    Check::reported(&[&fsm::unknown_state::RULE]).node(fsm::unknown_state::check),
    Check::reported(&[&fsm::terminal_disagreement::RULE]),
    Check::reported(&[&volume::RULE]),
    Check::reported(&[&redact::RULE]),
    Check::reported(&[&published::nonconforming_topic::RULE])
        .contract(published::nonconforming_topic::check),
    Check::reported(&[&published::publish_topic_without_event::RULE])
        .contract(published::publish_topic_without_event::check),
    Check::reported(&[&published::event_not_in_publish_topics::RULE])
        .contract(published::event_not_in_publish_topics::check),
    Check::reported(&[&published::terminal_not_published::RULE])
        .contract(published::terminal_not_published::check),
    Check::reported(&[&bus::RULE]).contract(bus::check),
    Check::reported(&[&lint::lifecycle_declared_too::RULE])
        .node(lint::lifecycle_declared_too::check),
    Check::reported(&[&lint::untyped_field::RULE]).node(lint::untyped_field::check),
    Check::reported(&[&lint::description_missing::RULE])
        .node(lint::description_missing::check)
        .off(),
    Check::reported(&[&lint::unbounded_text::RULE])
        .node(lint::unbounded_text::check)
        .off(),
    Check::reported(&[&lint::unbounded_list::RULE])
        .node(lint::unbounded_list::check)
        .off(),
    Check::reported(&[&lint::personal_data::RULE]).node(lint::personal_data::check),
    Check::reported(&[&lint::secret_published::RULE]).node(lint::secret_published::check),
    Check::reported(&[&lint::event_not_past_tense::RULE]).node(lint::event_not_past_tense::check),
    Check::reported(&[&lint::event_separators::RULE]).node(lint::event_separators::check),
    Check::reported(&[&lint::version_disagreement::RULE]).node(lint::version_disagreement::check),
    Check::reported(&[&lint::partition_key_optional::RULE])
        .node(lint::partition_key_optional::check),
    Check::reported(&[&lint::too_few_partitions::RULE]).node(lint::too_few_partitions::check),
    Check::reported(&[&lint::replication_one::RULE]).node(lint::replication_one::check),
    Check::reported(&[&lint::retention_missing::RULE])
        .node(lint::retention_missing::check)
        .off(),
    Check::reported(&[&lint::state_unreachable::RULE]).node(lint::state_unreachable::check),
    Check::reported(&[&lint::state_without_exit::RULE]).node(lint::state_without_exit::check),
    Check::reported(&[&lint::terminal_state_left::RULE]).node(lint::terminal_state_left::check),
    Check::reported(&[&lint::transition_ambiguous::RULE]).node(lint::transition_ambiguous::check),
    Check::reported(&[&lint::metric_duplicate::RULE]).node(lint::metric_duplicate::check),
    Check::reported(&[&lint::unused_definition::RULE]).node(lint::unused_definition::check),
    Check::reported(lint::ignore::RULES),
    Check::reported(graph::RULES),
    Check::reported(&[&generated::RULE]),
    Check::reported(config::RULES),
    Check::reported(&[&lock::RULE]),
];

/// Every rule, by area.
pub fn rules() -> impl Iterator<Item = &'static Rule> {
    CHECKS.iter().flat_map(|check| check.rules).copied()
}

/// Returns the rule with this code.
pub fn by_code(code: &str) -> Option<&'static Rule> {
    rules().find(|rule| rule.code == code)
}

/// Severity of a rule in projects that set none; `None` for rules that are off.
pub fn default_level(rule: &Rule) -> Option<Severity> {
    let is_off = CHECKS
        .iter()
        .any(|check| check.is_off && check.rules.contains(&rule));
    (!is_off).then_some(rule.severity)
}

/// Whether `herald check --fix` can solve some of the rule's diagnostics.
pub fn is_fixable(rule: &Rule) -> bool {
    [&fields::enumeration::RULE, &kind::MISSING].contains(&rule) || lint::ignore::is_fixable(rule)
}

/// Whether a project may not set the rule's severity: its diagnostics are about input that could
/// not be read, or about events that would be missing from generated code.
pub fn has_fixed_severity(rule: &Rule) -> bool {
    const FIXED_AREAS: [&str; 5] = ["file.", "yaml.", "config.", "redact.", "lock."];
    let is_unread =
        rule != &yaml::DUPLICATE_KEY && FIXED_AREAS.iter().any(|area| rule.code.starts_with(area));
    let fixed = [
        &names::unusable::RULE,
        &names::output_collision::RULE,
        &payload::UNREADABLE,
        &payload::NOT_IMPORTED,
    ];
    is_unread || fixed.contains(&rule)
}

/// Checks a contract as written.
pub(crate) fn check_contract(contract: &ContractFile, diagnostics: &mut Vec<Diagnostic>) {
    for check in CHECKS.iter().filter_map(|check| check.contract) {
        check(contract, diagnostics);
    }
}

/// Checks what one contract means. `diagnostics` holds everything reported about it so far.
pub(crate) fn check_node(node: &Node, diagnostics: &mut Vec<Diagnostic>) {
    for check in CHECKS.iter().filter_map(|check| check.node) {
        check(node, diagnostics);
    }
}

/// Checks all nodes of a run together.
pub(crate) fn check_catalog(nodes: &[Node], diagnostics: &mut Vec<Diagnostic>) {
    for check in CHECKS.iter().filter_map(|check| check.catalog) {
        check(nodes, diagnostics);
    }
}
