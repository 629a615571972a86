//! Properties that hold for every text; shared with the fuzz target.

use herald_catalog::load::{Options, load_text};
use herald_diagnostics::render::{self, Format};
use herald_diagnostics::{Diagnostic, Location};

/// Reads a text as a contract, looks at every place in it, and shows every diagnostic in every
/// format.
///
/// # Panics
/// Panics if a property does not hold.
pub fn read(text: &str) {
    let loaded = load_text("contract.yaml", text, &Options::default());
    let nodes = &loaded.catalog.nodes;
    assert!(
        nodes.len() == 1 || loaded.has_errors(),
        "neither a node nor an error"
    );
    let of_diagnostics = loaded.diagnostics.iter().flat_map(places);
    let of_nodes = nodes.iter().flat_map(|node| {
        let events = node.events.iter();
        let events = events.flat_map(|event| [event.location, event.topic_location]);
        let operations = node.operations.iter().map(|operation| operation.location);
        let definitions = node.definitions.iter().flat_map(|definition| {
            let fields = definition.fields.iter().map(|field| field.location);
            fields.chain([definition.location])
        });
        let all = events.chain(operations).chain(definitions);
        all.chain([node.location])
    });
    for Location { source, span } in of_diagnostics.chain(of_nodes) {
        let text = &loaded.catalog.sources.get(source).text;
        let range = span.start as usize..span.end as usize;
        assert!(
            text.get(range).is_some(),
            "{span:?} is not a place of the text"
        );
    }
    for format in Format::all() {
        let mut shown = Vec::new();
        // Thousands of diagnostics of one sort say nothing new.
        let diagnostics = &loaded.diagnostics[..loaded.diagnostics.len().min(100)];
        let options = render::Options::default();
        render::write(
            format,
            diagnostics,
            &loaded.catalog.sources,
            &options,
            &mut shown,
        )
        .expect("a vector takes everything");
    }
}

fn places(diagnostic: &Diagnostic) -> impl Iterator<Item = Location> {
    let labels = diagnostic.labels.iter().map(|label| label.location);
    diagnostic.location.into_iter().chain(labels)
}
