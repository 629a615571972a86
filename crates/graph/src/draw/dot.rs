//! Graphviz DOT.

use std::fmt::Write as _;

use herald_diagnostics::render::visible_line;

use crate::Graph;

/// Returns the graph in DOT: nodes are boxes, topics are ellipses.
pub fn dot(graph: &Graph<'_>) -> String {
    let mut text =
        String::from("digraph events {\n  rankdir=LR;\n  node [fontname=\"sans-serif\"];\n");
    for node in graph.connected_nodes() {
        let _ = writeln!(
            text,
            "  n{node} [shape=box, label=\"{}\"];",
            label(&graph.names[node])
        );
    }
    for (index, topic) in graph.topics.iter().enumerate() {
        let _ = writeln!(
            text,
            "  t{index} [shape=ellipse, label=\"{}\"];",
            label(&topic.name)
        );
        for node in topic.producers() {
            let _ = writeln!(text, "  n{node} -> t{index};");
        }
        for node in topic.consumers() {
            let _ = writeln!(text, "  t{index} -> n{node};");
        }
    }
    text.push_str("}\n");
    text
}

fn label(text: &str) -> String {
    visible_line(text)
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
}
