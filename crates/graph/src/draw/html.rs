//! A page of HTML that needs no other file.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use herald_diagnostics::render::visible_line;
use herald_diagnostics::{Diagnostic, Severity, Sources};

use crate::Graph;

/// Height of a row of the picture.
const ROW: usize = 26;
/// Left edges of the columns, and their width.
const COLUMNS: [usize; 3] = [10, 420, 930];
const WIDTHS: [usize; 3] = [290, 390, 290];
/// Width of a character in tenths of a pixel.
const CHARACTER_TENTHS: usize = 73;

/// Returns the page: producers, topics and consumers in three columns, and the diagnostics below.
///
/// All text of contracts is escaped, and the policy of the page forbids everything that is not in
/// it.
pub fn html(graph: &Graph<'_>, diagnostics: &[Diagnostic], sources: &Sources) -> String {
    let layout = Layout::of(graph);
    let mut page = String::from(HEAD);
    let _ = write!(
        page,
        "<p class=sum>{} nodes, {} topics, <a href=\"#diagnostics\">{} diagnostics</a></p>\n\
         <p class=legend><i></i> published and consumed <i class=open></i> not consumed here \
         <i class=missing></i> not published here; a click shows what is connected</p>\n\
         <svg width=1240 height={} role=img aria-label=\"Flow of events\">\n",
        graph.connected_nodes().len(),
        graph.topics.len(),
        diagnostics.len(),
        layout.height() * ROW + 40,
    );
    for (index, title) in ["publishes", "topic", "consumes"].iter().enumerate() {
        let _ = writeln!(
            page,
            "<text class=h x={} y=18>{title}</text>",
            COLUMNS[index]
        );
    }
    layout.lines(graph, &mut page);
    for (name, row) in &layout.producers {
        draw_box(
            &mut page,
            0,
            *row,
            &graph.names[*name],
            &format!("n{name}"),
            "n",
        );
    }
    for (row, index) in layout.topics.iter().enumerate() {
        let topic = &graph.topics[*index];
        let class = match (topic.published.is_empty(), topic.consumed.is_empty()) {
            (true, _) => "t missing",
            (_, true) => "t open",
            _ => "t",
        };
        draw_box(&mut page, 1, row, &topic.name, &format!("t{index}"), class);
    }
    for (name, row) in &layout.consumers {
        draw_box(
            &mut page,
            2,
            *row,
            &graph.names[*name],
            &format!("n{name}"),
            "n",
        );
    }
    page.push_str("</svg>\n");
    list(diagnostics, sources, &mut page);
    page.push_str(TAIL);
    page
}

/// Rows of the boxes in each column.
struct Layout {
    producers: BTreeMap<usize, usize>,
    /// Indices of topics by row.
    topics: Vec<usize>,
    consumers: BTreeMap<usize, usize>,
}

impl Layout {
    /// Topics in the order of those who publish them, and consumers beside their topics.
    fn of(graph: &Graph<'_>) -> Self {
        let mut topics: Vec<usize> = (0..graph.topics.len()).collect();
        let first = |index: &usize| {
            let topic = &graph.topics[*index];
            let node = topic.producers().into_iter().next();
            (
                node.is_none(),
                node.map(|node| graph.names[node].clone()),
                topic.name.clone(),
            )
        };
        topics.sort_by_cached_key(first);
        let rows: BTreeMap<usize, usize> = topics
            .iter()
            .enumerate()
            .map(|(row, index)| (*index, row))
            .collect();
        let column = |nodes_of: &dyn Fn(usize) -> BTreeSet<usize>| {
            let mut rows_of: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
            for index in 0..graph.topics.len() {
                for node in nodes_of(index) {
                    rows_of.entry(node).or_default().push(rows[&index]);
                }
            }
            let mut order: Vec<_> = rows_of
                .into_iter()
                .map(|(node, rows)| (rows.iter().sum::<usize>() / rows.len(), node))
                .collect();
            order.sort_unstable();
            let mut next = 0;
            let place = |(middle, node): (usize, usize)| {
                let row = middle.max(next);
                next = row + 1;
                (node, row)
            };
            order.into_iter().map(place).collect::<BTreeMap<_, _>>()
        };
        Self {
            producers: column(&|index| graph.topics[index].producers()),
            consumers: column(&|index| graph.topics[index].consumers()),
            topics,
        }
    }

    fn height(&self) -> usize {
        let rows = self.producers.values().chain(self.consumers.values());
        let last = rows.max().map_or(0, |row| row + 1);
        last.max(self.topics.len()) + 1
    }

    fn lines(&self, graph: &Graph<'_>, page: &mut String) {
        for (row, index) in self.topics.iter().enumerate() {
            let topic = &graph.topics[*index];
            for node in topic.producers() {
                let from = (COLUMNS[0] + WIDTHS[0], self.producers[&node]);
                line(page, from, (COLUMNS[1], row), node, *index);
            }
            for node in topic.consumers() {
                let from = (COLUMNS[1] + WIDTHS[1], row);
                line(
                    page,
                    from,
                    (COLUMNS[2], self.consumers[&node]),
                    node,
                    *index,
                );
            }
        }
    }
}

fn middle(row: usize) -> usize {
    row * ROW + 30 + ROW / 2 - 2
}

fn line(page: &mut String, from: (usize, usize), to: (usize, usize), node: usize, topic: usize) {
    let (y1, y2) = (middle(from.1), middle(to.1));
    let bend = usize::midpoint(from.0, to.0);
    let _ = writeln!(
        page,
        "<path data-a=n{node} data-b=t{topic} d=\"M{} {y1}C{bend} {y1} {bend} {y2} {} {y2}\"/>",
        from.0, to.0
    );
}

fn draw_box(page: &mut String, column: usize, row: usize, name: &str, id: &str, class: &str) {
    let name = visible_line(name);
    let fits = (WIDTHS[column] - 16) * 10 / CHARACTER_TENTHS;
    let shown: String = if name.chars().count() > fits {
        let cut = name.chars().count() - fits + 1;
        // The end of a topic tells more than its beginning.
        std::iter::once('…').chain(name.chars().skip(cut)).collect()
    } else {
        name.clone()
    };
    let _ = writeln!(
        page,
        "<g class=\"{class}\" data-id={id} data-name=\"{}\"><title>{}</title>\
         <rect x={} y={} width={} height={} rx=4 /><text x={} y={}>{}</text></g>",
        escape(&name.to_lowercase()),
        escape(&name),
        COLUMNS[column],
        row * ROW + 30,
        WIDTHS[column],
        ROW - 5,
        COLUMNS[column] + 8,
        row * ROW + 45,
        escape(&shown),
    );
}

fn list(diagnostics: &[Diagnostic], sources: &Sources, page: &mut String) {
    if diagnostics.is_empty() {
        page.push_str("<p>Everything fits together.</p>\n");
        return;
    }
    page.push_str("<table id=diagnostics><tr><th>level<th>rule<th>message<th>place\n");
    for diagnostic in diagnostics {
        let place = diagnostic.location.map(|location| {
            let source = sources.get(location.source);
            format!(
                "{}:{}",
                source.path,
                source.position(location.span.start).line
            )
        });
        let level = match diagnostic.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Info => "info",
        };
        let cell = |text: &str| escape(&visible_line(text));
        let _ = writeln!(
            page,
            "<tr><td class={level}>{level}<td>{}<td>{}<td>{}",
            cell(diagnostic.rule.code),
            cell(&diagnostic.message),
            cell(&place.unwrap_or_default()),
        );
    }
    page.push_str("</table>\n");
}

/// Text that can't be anything but text, in content and in quoted attributes.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c => escaped.push(c),
        }
    }
    escaped
}

const HEAD: &str = "<!doctype html>
<html lang=en>
<meta charset=utf-8>
<meta http-equiv=Content-Security-Policy content=\"default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'\">
<title>Flow of events</title>
<style>
:root { color-scheme: light dark; --line: #8aa; --box: #eef3f8; --topic: #e9f5ea; --text: #123; --bad: #fbe3e0; --open: #fdf4d8; }
@media (prefers-color-scheme: dark) { :root { --line: #567; --box: #223040; --topic: #1f3524; --text: #dde; --bad: #50241f; --open: #453a16; } }
body { font: 14px/1.5 system-ui, sans-serif; margin: 1.5em; color: var(--text); }
input { font: inherit; padding: .3em .6em; width: 24em; }
svg { font: 12px ui-monospace, monospace; display: block; }
svg text { fill: var(--text); } svg .h { font-weight: bold; }
path { fill: none; stroke: var(--line); stroke-opacity: .55; }
rect { fill: var(--box); stroke: var(--line); } .t rect { fill: var(--topic); } .missing rect { fill: var(--bad); } .open rect { fill: var(--open); }
g { cursor: pointer; } .dim { opacity: .12; } path.on { stroke-opacity: 1; stroke-width: 2; }
table { border-collapse: collapse; margin-top: 1em; } td, th { text-align: left; padding: .2em .8em .2em 0; vertical-align: top; }
.legend i { display: inline-block; width: 1em; height: 1em; margin: 0 .3em -.15em .8em; border: 1px solid var(--line); background: var(--topic); } .legend i:first-child { margin-left: 0; } .legend .open { background: var(--open); } .legend .missing { background: var(--bad); }
.error { color: #c33; } .warning { color: #b80; }
</style>
<h1>Flow of events</h1>
<p><input type=search placeholder=\"Filter nodes and topics\" aria-label=Filter></p>
";

const TAIL: &str = "<script>
'use strict';
const boxes = [...document.querySelectorAll('g[data-id]')], lines = [...document.querySelectorAll('path')];
function show(ids) {
  const near = new Set(ids || []);
  if (ids) for (const l of lines) if (ids.has(l.dataset.a) || ids.has(l.dataset.b)) { near.add(l.dataset.a); near.add(l.dataset.b); }
  for (const b of boxes) b.classList.toggle('dim', !!ids && !near.has(b.dataset.id));
  for (const l of lines) {
    const on = !!ids && (ids.has(l.dataset.a) || ids.has(l.dataset.b));
    l.classList.toggle('on', on); l.classList.toggle('dim', !!ids && !on);
  }
}
let chosen = null;
for (const b of boxes) b.addEventListener('click', () => {
  chosen = chosen === b.dataset.id ? null : b.dataset.id;
  show(chosen && new Set([chosen]));
});
document.querySelector('input').addEventListener('input', e => {
  const text = e.target.value.trim().toLowerCase();
  show(text ? new Set(boxes.filter(b => b.dataset.name.includes(text)).map(b => b.dataset.id)) : null);
});
</script>
</html>
";

#[cfg(test)]
mod tests {
    #[test]
    fn text_of_contracts_is_only_text() {
        let hostile = "\"><script>alert('x')</script>&";
        let escaped = super::escape(hostile);
        assert!(!escaped.contains(['<', '>', '"', '\'']), "{escaped}");
    }
}
