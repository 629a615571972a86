//! Mermaid flowcharts.

use std::fmt::Write as _;

use herald_diagnostics::render::visible_line;

use crate::Graph;

/// Returns the graph as a flowchart: nodes are boxes, topics are rounded.
pub fn mermaid(graph: &Graph<'_>) -> String {
    let mut text = String::from("flowchart LR\n");
    for node in graph.connected_nodes() {
        let _ = writeln!(text, "  n{node}[\"{}\"]", label(&graph.names[node]));
    }
    for (index, topic) in graph.topics.iter().enumerate() {
        let _ = writeln!(text, "  t{index}([\"{}\"])", label(&topic.name));
        for node in topic.producers() {
            let _ = writeln!(text, "  n{node} --> t{index}");
        }
        for node in topic.consumers() {
            let _ = writeln!(text, "  t{index} --> n{node}");
        }
    }
    text
}

/// Text that Mermaid shows as it is: its own characters and those of HTML are entities.
fn label(text: &str) -> String {
    visible_line(text)
        .chars()
        .fold(String::new(), |mut label, c| {
            if c.is_alphanumeric()
                || matches!(c, '.' | '_' | '-' | ' ' | '/' | '(' | ')' | '{' | '}')
            {
                label.push(c);
            } else {
                let _ = write!(label, "#{};", u32::from(c));
            }
            label
        })
}

#[cfg(test)]
mod tests {
    #[test]
    fn labels_can_not_end_their_quotes_or_become_html() {
        assert_eq!(super::label("a\"]<b>\n"), "a#34;#93;#60;b#62;#9226;");
    }
}
