//! Markdown format of an estimate.

use std::fmt::Write as _;

use herald_volume::rates;
use herald_volume::{ContractPlan, Plan};

use super::messages;
use super::text::{daily, kept, known, partitions};
use crate::commands::catalog::{code, escape};
use crate::quantity::{bytes, number};

/// Formats a table for each contract, one of all topics, warnings and notes.
pub fn document(plan: &Plan<'_>) -> String {
    let mut text = String::new();
    for contract in &plan.contracts {
        request(&mut text, contract);
    }
    text.push_str(
        "## Topics\n\n\
         | topic | size | events per request | events/s | events/day | bytes/s | bytes/day \
         | partitions | kept | disk |\n\
         | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n",
    );
    for topic in &plan.topics {
        let (events, size_in_time) = (topic.events_per_second, topic.bytes_per_second);
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {} | {} | {} | {} | {} | {} |",
            code(&topic.name),
            bytes(topic.size),
            number(topic.events_per_request),
            known(events, number),
            daily(events, number),
            known(size_in_time, bytes),
            daily(size_in_time, bytes),
            partitions(topic),
            kept(topic),
            known(topic.disk_bytes, bytes),
        );
    }
    let total = &plan.total;
    let _ = writeln!(
        text,
        "| **total** | | {} | {} | {} | {} | {} | {} | | {} |\n",
        number(total.events_per_request),
        known(total.events_per_second, number),
        daily(total.events_per_second, number),
        known(total.bytes_per_second, bytes),
        daily(total.bytes_per_second, bytes),
        total.partitions,
        known(total.disk_bytes, bytes),
    );
    for warning in messages::warnings(plan) {
        let _ = writeln!(text, "- **warning:** {}", escape(&warning));
    }
    for note in messages::notes(plan) {
        let _ = writeln!(text, "- {}", escape(&note));
    }
    text
}

fn request(text: &mut String, contract: &ContractPlan<'_>) {
    let node = contract.node;
    let _ = writeln!(text, "## {}\n", escape(messages::display_name(node)));
    if let Some(rate) = contract.requests_per_second {
        let _ = writeln!(text, "{} requests per second.\n", number(rate));
    }
    text.push_str("| in a request | times | events | bytes |\n| --- | ---: | ---: | ---: |\n");
    for rate in &contract.rates {
        let of_one = std::slice::from_ref(rate);
        let assumed = if rate.is_declared { "" } else { " (assumed)" };
        let _ = writeln!(
            text,
            "| {} | {}{assumed} | {} | {} |",
            escape(&messages::rate_name(node, rate)),
            number(rate.per_request),
            number(rates::per_request(of_one, |_| 1.0)),
            bytes(rates::per_request(of_one, |at| contract.events[at].bytes())),
        );
    }
    let _ = writeln!(
        text,
        "| **all** | | {} | {} |\n",
        number(contract.events_per_request),
        bytes(contract.bytes_per_request)
    );
}
