//! Definitions of ONEX contracts: those in the shape of fields are read, all others are ignored.

use herald_catalog::fields::Type;
use herald_catalog::load::{Options, load_text};

const CONTRACT: &str = "\
name: node_poller
node_type: effect
inputs:
  config: {type: ModelConfig}
  mode: {type: EnumMode}
definitions:
  ModelConfig:
    type: object
    description: How it polls.
    frozen: true
    properties:
      repos: {type: array, item_type: string, minItems: 1, default_factory: list}
      interval: {type: integer, ge: 10, default: 60, pattern: no}
      token: {type: some prose, default: [wrong]}
    required: [repos]
  EnumMode: [fast, slow]
  lowercase: {properties: {a: string}}
  ModelOpen: {type: object}
";

#[test]
fn reads_definitions_in_the_shape_of_fields_without_diagnostics() {
    let loaded = load_text("contract.yaml", CONTRACT, &Options::default());
    assert!(loaded.diagnostics.is_empty(), "{:#?}", loaded.diagnostics);
    let node = &loaded.catalog.nodes[0];
    let names: Vec<_> = node.definitions.iter().map(|d| d.name.as_str()).collect();
    assert_eq!(names, ["ModelConfig"]);
    assert_eq!(node.inputs[0].ty, Type::Defined("ModelConfig".to_owned()));
    assert_eq!(node.inputs[0].spelling, "ModelConfig");
    assert_eq!(node.inputs[1].ty, Type::Model("EnumMode".to_owned()));

    let config = &node.definitions[0];
    assert_eq!(config.description.as_deref(), Some("How it polls."));
    let fields: Vec<_> = config
        .fields
        .iter()
        .map(|field| (field.name.as_str(), field.ty.to_string(), field.required))
        .collect();
    let expected = [
        ("repos", "list[string]", true),
        ("interval", "integer", false),
        ("token", "any", false),
    ];
    assert_eq!(
        fields,
        expected.map(|(name, ty, required)| (name, ty.to_owned(), required))
    );
    assert_eq!(config.fields[0].limits.min_items, Some(1));
    let least = config.fields[1].limits.minimum.as_ref();
    assert_eq!(least.and_then(serde_json::Number::as_i64), Some(10));
}
