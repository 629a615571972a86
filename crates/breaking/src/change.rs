//! One breaking change.

use herald_diagnostics::Location;
use serde_json::Value;

use crate::{BreakingRule, Directions};

/// A change of a contract that breaks at least one direction.
#[derive(Clone, Debug)]
pub struct Change {
    /// The rule that found it.
    pub rule: &'static BreakingRule,
    /// The directions that break.
    pub breaks: Directions,
    /// One sentence without a full stop.
    pub message: String,
    /// The node's name.
    pub node: String,
    /// Path of its contract, of the new one if there is one.
    pub path: String,
    /// Event types that are affected; empty when the whole node is.
    pub events: Vec<String>,
    /// Topics that are affected, as the old contract names them in its default namespace.
    pub topics: Vec<String>,
    /// Names of the nodes whose contracts say that they read one of the topics.
    pub consumers: Vec<String>,
    /// Place in the old catalog's sources.
    pub old: Option<Location>,
    /// Place in the new catalog's sources.
    pub new: Option<Location>,
    /// The old value, as the contract spells it.
    pub old_value: Option<String>,
    /// The new value, as the contract spells it.
    pub new_value: Option<String>,
    /// An example that proves the break.
    pub witness: Option<Witness>,
    /// A way to make the change without the break.
    pub help: Option<String>,
}

/// A value that one side publishes and the other side rejects.
#[derive(Clone, Debug, PartialEq)]
pub struct Witness {
    /// The smallest object that shows it: the path to the value, and nothing else.
    pub value: Value,
    /// The direction that it breaks.
    pub breaks: Directions,
}

impl Change {
    /// A change found by `rule`, without places.
    pub(crate) fn new(
        rule: &'static BreakingRule,
        breaks: Directions,
        message: impl Into<String>,
    ) -> Self {
        Self {
            rule,
            breaks: breaks.within(rule.breaks),
            message: message.into(),
            node: String::new(),
            path: String::new(),
            events: Vec::new(),
            topics: Vec::new(),
            consumers: Vec::new(),
            old: None,
            new: None,
            old_value: None,
            new_value: None,
            witness: None,
            help: None,
        }
    }

    /// Sets the place and the value in the old contract.
    pub(crate) fn old(mut self, location: Location, value: impl Into<String>) -> Self {
        self.old = Some(location);
        self.old_value = Some(value.into()).filter(|value| !value.is_empty());
        self
    }

    /// Sets the place and the value in the new contract.
    pub(crate) fn new_at(mut self, location: Location, value: impl Into<String>) -> Self {
        self.new = Some(location);
        self.new_value = Some(value.into()).filter(|value| !value.is_empty());
        self
    }

    /// Sets the witness, unless it shows a direction that does not break: values of private
    /// fields are not published.
    pub(crate) fn witness(mut self, witness: Option<Witness>) -> Self {
        let is_broken = |witness: &Witness| !witness.breaks.within(self.breaks).is_empty();
        self.witness = witness.filter(is_broken);
        self
    }

    /// Sets what to do instead.
    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}
