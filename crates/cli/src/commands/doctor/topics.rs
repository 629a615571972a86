//! Topics of the contracts on the cluster: existence, settings, rights, and size.

use std::collections::BTreeMap;

use herald_catalog::Node;
use herald_publish::kafka::{
    Admin, Difference, KafkaOptions, PlannedTopic, TopicDescription, WantedTopic,
};
use herald_volume::{Options, Plan};

use super::{Check, names};
use crate::args::doctor::Doctor;
use crate::format::count;
use crate::wanted_topics::{ContractTopic, Role};

/// Contracts, and the topics that they need.
pub(super) struct Contracts<'a> {
    pub(super) args: &'a Doctor,
    pub(super) nodes: &'a [Node],
    pub(super) topics: &'a [ContractTopic],
}

impl Contracts<'_> {
    /// A command of `herald topics` for the same contracts and cluster.
    fn command(&self, words: &str) -> String {
        let mut command = vec![format!("herald topics {words}")];
        command.extend(self.args.paths.iter().map(|path| quoted(path)));
        if let Some(namespace) = self.args.namespace.get() {
            command.push(format!("--namespace {namespace}"));
        }
        if let Some(servers) = &self.args.cluster.bootstrap_servers {
            command.push(format!("--bootstrap-servers {}", quoted(servers)));
        }
        let properties = self.args.cluster.properties.iter();
        command.extend(properties.map(|it| format!("--property {}", quoted(it))));
        command.join(" ")
    }
}

/// Returns a word for a POSIX shell.
fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=,@+".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

/// Checks the topics.
pub(super) fn examine(
    options: &KafkaOptions,
    admin: &Admin,
    contracts: &Contracts<'_>,
    checks: &mut Vec<Check>,
) {
    let (read, written): (Vec<_>, Vec<_>) =
        (contracts.topics.iter()).partition(|it| it.role == Role::Consumed);
    let wanted: Vec<WantedTopic> = written.iter().map(|it| it.topic.clone()).collect();
    let plan = match admin.plan(wanted) {
        Ok(plan) => plan,
        Err(failure) => {
            let fix = acl(options, "DescribeConfigs", &[]);
            checks.push(Check::problem("topics", failure.detail, fix));
            return;
        }
    };
    let all: Vec<String> = (plan.topics.iter())
        .map(|it| it.wanted.name.clone())
        .collect();
    let described = admin.describe(&all);
    let is_denied = |it: &&PlannedTopic| {
        let described = described.get(&it.wanted.name);
        described.is_some_and(|description| description.is_denied)
    };
    let (denied, visible): (Vec<_>, Vec<_>) = plan.topics.iter().partition(is_denied);
    let is_missing = |it: &&PlannedTopic| it.differences.contains(&Difference::Missing);
    let (missing, there): (Vec<_>, Vec<_>) = visible.into_iter().partition(is_missing);
    if !missing.is_empty() {
        let names = names(missing.iter().map(|it| it.wanted.name.as_str()));
        let are = if missing.len() == 1 { "is" } else { "are" };
        let (number, all) = (missing.len(), all.len());
        let text = format!("{number} of {all} {are} missing: {names}");
        checks.push(Check::problem(
            "topics",
            text,
            contracts.command("apply --yes"),
        ));
    } else if denied.is_empty() {
        let text = format!("{}, none is missing", count(there.len(), "topic"));
        checks.push(Check::good("topics", text));
    }
    checks.extend(drift(&there, contracts));
    checks.extend(consumed(admin, &read, contracts));
    if !denied.is_empty() {
        let denied: Vec<&str> = denied.iter().map(|it| it.wanted.name.as_str()).collect();
        let fix = acl(options, "Describe --operation Write", &denied);
        let text = format!("may not see {}", names(denied.into_iter()));
        checks.push(Check::problem("rights", text, fix));
    }
    let there: BTreeMap<&str, TopicDescription> = (there.iter())
        .map(|it| it.wanted.name.as_str())
        .map(|name| (name, described.get(name).cloned().unwrap_or_default()))
        .collect();
    if !there.is_empty() {
        checks.push(rights(options, &there));
        checks.push(size(options, &there, contracts));
    }
}

fn drift(there: &[&PlannedTopic], contracts: &Contracts<'_>) -> Option<Check> {
    let drifted: Vec<_> = there.iter().filter(|it| !it.is_in_sync()).collect();
    if drifted.is_empty() {
        return None;
    }
    let names = names(drifted.iter().map(|it| it.wanted.name.as_str()));
    let text = format!("other settings than in the contract: {names}");
    let can_be_applied = drifted.iter().all(|it| it.can_be_applied());
    let words = if can_be_applied {
        "apply --yes"
    } else {
        "plan"
    };
    Some(Check::warning("topics", text, contracts.command(words)))
}

fn consumed(admin: &Admin, read: &[&ContractTopic], contracts: &Contracts<'_>) -> Option<Check> {
    let existing = admin.topic_names().ok()?;
    let absent = read.iter().filter(|it| !existing.contains(&it.topic.name));
    let absent: Vec<&str> = absent.map(|it| it.topic.name.as_str()).collect();
    if absent.is_empty() {
        return None;
    }
    let text = format!("consumed, and not there: {}", names(absent.into_iter()));
    let command = contracts.command("apply --consumed --yes");
    let fix = format!("start who publishes to them, or {command}");
    Some(Check::warning("topics", text, fix))
}

/// Checks what the client may do with topics that exist.
fn rights(options: &KafkaOptions, there: &BTreeMap<&str, TopicDescription>) -> Check {
    let denied = there.iter().filter(|(_, it)| it.may_write == Some(false));
    let denied: Vec<&str> = denied.map(|(name, _)| *name).collect();
    if !denied.is_empty() {
        let fix = acl(options, "Write", &denied);
        let text = format!("may not write to {}", names(denied.into_iter()));
        return Check::problem("rights", text, fix);
    }
    if there.values().all(|it| it.may_write.is_some()) {
        return Check::good("rights", "may write to every topic that exists");
    }
    let text = "the cluster does not tell them: it is older than Kafka 2.3";
    Check::skipped("rights", text)
}

/// Compares the size of events with the limit of their topics.
fn size(
    options: &KafkaOptions,
    there: &BTreeMap<&str, TopicDescription>,
    contracts: &Contracts<'_>,
) -> Check {
    let limit_of = |topic: &str| there.get(topic)?.max_batch_bytes;
    let limits = there.keys();
    let limits = limits.filter_map(|topic| Some((limit_of(topic)?, *topic)));
    let Some((bytes, topic)) = limits.min() else {
        let topics: Vec<_> = there.keys().copied().collect();
        let text = "the cluster does not tell max.message.bytes: events that are too large are \
                    found when they are sent";
        return Check::skipped("size", text).with_fix(acl(options, "DescribeConfigs", &topics));
    };
    let estimate = Options {
        namespace: contracts.args.namespace.get().map(str::to_owned),
        ..Options::default()
    };
    let plan = Plan::new(contracts.nodes, &estimate);
    let events = plan.contracts.iter().flat_map(|it| &it.events);
    let too_large = events
        .filter(|it| limit_of(&it.topic).is_some_and(|limit| it.size.stored > limit))
        .max_by_key(|it| it.size.stored);
    let Some(event) = too_large else {
        return Check::good("size", format!("events up to {bytes} bytes ({topic})"));
    };
    let limit = limit_of(&event.topic).unwrap_or_default();
    let text = format!(
        "a typical `{}` has {} bytes, and {} takes {limit} (max.message.bytes)",
        event.event_type, event.size.stored, event.topic
    );
    let fix = format!(
        "raise max.message.bytes in the topic_settings of the contract, then {}",
        contracts.command("apply --yes")
    );
    Check::problem("size", text, fix)
}

/// Command that allows an operation on topics.
fn acl(options: &KafkaOptions, operation: &str, topics: &[&str]) -> String {
    /// Topics that are named in the command.
    const NAMED: usize = 3;
    let security = options.security();
    let user = match &security.user {
        Some(user) => quoted(&format!("User:{user}")),
        None if security.mechanism.is_none() && !security.is_encrypted => {
            "User:ANONYMOUS".to_owned()
        }
        None => "User:NAME".to_owned(),
    };
    let named = topics.iter().take(NAMED).copied();
    let named: Vec<_> = named.map(|topic| format!(" --topic {topic}")).collect();
    let rest = match topics.len() {
        0 => " --topic NAME",
        some if some > NAMED => ", and for the others",
        _ => "",
    };
    format!(
        "kafka-acls.sh --bootstrap-server {} --add --allow-principal {user} --operation {operation}{}{rest}",
        options.bootstrap_servers(),
        named.concat()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_for_a_shell() {
        assert_eq!(quoted("contracts/shop.yaml"), "contracts/shop.yaml");
        assert_eq!(quoted("a b"), "'a b'");
        assert_eq!(quoted("$(rm)'"), r"'$(rm)'\'''");
        assert_eq!(quoted(""), "''");
    }
}
