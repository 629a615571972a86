//! Prints imports and methods for a class of your own:
//! `cargo run --example patterns -- orchestrator orchestrator orchestration routing`.

use std::error::Error;

use herald_render::patterns::EventPublishingPatternGenerator;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [node_type, service_name, operations @ ..] = arguments.as_slice() else {
        return Err("usage: patterns NODE_TYPE SERVICE_NAME OPERATION...".into());
    };
    let generator = EventPublishingPatternGenerator::new(node_type, service_name, operations)?;
    println!("{}", generator.generate_imports());
    println!("\nclass Node:\n{}", generator.generate_all_event_methods());
    Ok(())
}
