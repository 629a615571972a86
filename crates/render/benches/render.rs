//! Benchmarks of rendering, in process.

use herald_render::Templates;
use herald_render::patterns::EventPublishingPatternGenerator;

const OPERATIONS: [&str; 3] = ["orchestration", "routing", "intelligence_query"];

fn main() {
    divan::main();
}

fn generator() -> EventPublishingPatternGenerator {
    EventPublishingPatternGenerator::new("orchestrator", "orchestrator", &OPERATIONS)
        .expect("the arguments are valid")
}

/// The generator is already built.
#[divan::bench]
fn eleven_orchestrator_methods(bencher: divan::Bencher<'_, '_>) {
    let generator = generator();
    bencher.bench_local(|| generator.generate_all_event_methods());
}

#[divan::bench]
fn one_started_method(bencher: divan::Bencher<'_, '_>) {
    let generator = generator();
    bencher.bench_local(|| generator.generate_operation_started_event("routing"));
}

#[divan::bench]
fn from_arguments_to_methods() -> String {
    generator().generate_all_event_methods()
}

/// Compiles the templates, which a process does once.
#[divan::bench]
fn compiling_the_templates() -> Templates {
    Templates::new(&[]).expect("the built-in templates compile")
}
