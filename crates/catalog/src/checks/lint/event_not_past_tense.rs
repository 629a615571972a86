//! `lint.event_not_past_tense`: declared events that are named like commands.

use herald_diagnostics::{Diagnostic, Rule, Severity};

use super::words;
use crate::node::Node;
use crate::text::quote;

pub(crate) static RULE: Rule = Rule {
    code: "lint.event_not_past_tense",
    severity: Severity::Info,
    title: "an event is named like a command",
    docs: "An event states what has happened: `order.placed`, not `order.place`. Only event types \
           whose last word is a common verb in its base form are reported. Topics of commands \
           (`.cmd.`, `.command.`) are left alone.",
    bad: "node_type: effect\nservice_name: orders\nevents:\n  - order.cancel",
    good: "node_type: effect\nservice_name: orders\nevents:\n  - order.cancelled",
};

/// Verbs that are rarely nouns in names of events, each with its past participle.
const VERBS: &[(&str, &str)] = &[
    ("accept", "accepted"),
    ("activate", "activated"),
    ("add", "added"),
    ("approve", "approved"),
    ("archive", "archived"),
    ("assign", "assigned"),
    ("begin", "begun"),
    ("book", "booked"),
    ("buy", "bought"),
    ("calculate", "calculated"),
    ("cancel", "cancelled"),
    ("close", "closed"),
    ("complete", "completed"),
    ("confirm", "confirmed"),
    ("create", "created"),
    ("decline", "declined"),
    ("delete", "deleted"),
    ("deliver", "delivered"),
    ("disable", "disabled"),
    ("enable", "enabled"),
    ("execute", "executed"),
    ("expire", "expired"),
    ("generate", "generated"),
    ("insert", "inserted"),
    ("install", "installed"),
    ("open", "opened"),
    ("pay", "paid"),
    ("place", "placed"),
    ("publish", "published"),
    ("receive", "received"),
    ("refund", "refunded"),
    ("register", "registered"),
    ("reject", "rejected"),
    ("remove", "removed"),
    ("rename", "renamed"),
    ("resolve", "resolved"),
    ("restore", "restored"),
    ("retry", "retried"),
    ("revoke", "revoked"),
    ("save", "saved"),
    ("sell", "sold"),
    ("send", "sent"),
    ("ship", "shipped"),
    ("start", "started"),
    ("stop", "stopped"),
    ("store", "stored"),
    ("submit", "submitted"),
    ("suspend", "suspended"),
    ("terminate", "terminated"),
    ("unregister", "unregistered"),
    ("verify", "verified"),
    ("write", "written"),
];

pub(crate) fn check(node: &Node, diagnostics: &mut Vec<Diagnostic>) {
    for (event, _) in node.declared() {
        let topic = event.topic.as_template();
        if [".cmd.", ".command.", ".commands.", ".intent."]
            .iter()
            .any(|part| topic.contains(part))
        {
            continue;
        }
        let mut words = words(&event.event_type);
        // `order.place.v1`
        words.retain(|word| !is_version(word));
        let [.., _, last] = words.as_slice() else {
            continue;
        };
        if let Some((verb, past)) = VERBS.iter().find(|(verb, _)| verb == last) {
            diagnostics.push(
                Diagnostic::new(
                    &RULE,
                    format!("{} is named like a command", quote(&event.event_type)),
                )
                .at(event.location)
                .help(format!(
                    "events have happened: `{past}` instead of `{verb}`; a new name is a new event \
                     for its consumers"
                )),
            );
        }
    }
}

fn is_version(word: &str) -> bool {
    let digits = word.strip_prefix('v').unwrap_or_default();
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}
