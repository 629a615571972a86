//! Unusual and malicious JSON Schemas.
//!
//! Each is read or refused, and none takes long: anything quadratic would take minutes here.

mod schemas;

use std::fs;

use serde_json::{Map, Value, json};

/// Reads a schema, and returns the messages about it.
fn read(schema: &Value) -> Vec<String> {
    read_both(schema, &json!({"type": "object"}))
}

fn read_both(one: &Value, other: &Value) -> Vec<String> {
    let loaded = schemas::read(one, other);
    let messages = loaded.diagnostics.iter();
    messages
        .map(|diagnostic| diagnostic.message.clone())
        .collect()
}

/// A payload with this field.
fn field(schema: &Value) -> Value {
    json!({"type": "object", "properties": {"a": schema}})
}

/// A payload with many fields.
fn fields(count: usize, schema: impl Fn(usize) -> Value) -> Value {
    let properties: Map<_, _> = (0..count)
        .map(|at| (format!("f{at}"), schema(at)))
        .collect();
    json!({"type": "object", "properties": properties})
}

fn many(count: usize, one: impl Fn(usize) -> Value) -> Vec<Value> {
    (0..count).map(one).collect()
}

/// Replays the inputs that the fuzz target found.
#[test]
fn corpus_of_the_fuzz_target() {
    let corpus = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fuzz/corpus/read_schema");
    let mut count = 0;
    for file in fs::read_dir(corpus).expect("there is a corpus") {
        let text = fs::read(file.expect("a file").path()).expect("it can be read");
        let schema: Value = serde_json::from_slice(&text).expect("it is JSON");
        match schema.as_array().map(Vec::as_slice) {
            Some([one, other]) => read_both(one, other),
            _ => read_both(&schema, &schema),
        };
        count += 1;
    }
    assert!(count > 5, "{count} files");
}

#[test]
fn many_parts_that_no_type_expresses() {
    read(&fields(60_000, |_| json!({"not": {}})));
}

#[test]
fn enumerations_of_many_values() {
    read(&field(&json!({"enum": many(300_000, |at| json!(at))})));
    read(&field(
        &json!({"enum": many(300_000, |at| json!(at.to_string()))}),
    ));
}

#[test]
fn unions_of_many_members() {
    for keyword in ["anyOf", "oneOf"] {
        for member in [
            (|at| json!({"const": at})) as fn(usize) -> Value,
            |at| json!({"const": at.to_string()}),
            |at| json!({"type": "array", "items": {"const": at}}),
            |at| json!({"properties": {"kind": {"const": at}}, "required": ["kind"]}),
        ] {
            read(&field(&json!({keyword: many(40_000, member)})));
        }
    }
}

#[test]
fn tags_of_many_values() {
    let member = |at: usize| {
        let tags = many(1_000, |tag| json!(format!("{at}-{tag}")));
        json!({"properties": {"kind": {"enum": tags}}, "required": ["kind"]})
    };
    read(&field(&json!({"oneOf": many(190, member)})));
    let names: Vec<_> = (0..20_000).map(|at| format!("p{at}")).collect();
    let tags: Map<_, _> = names
        .iter()
        .map(|name| (name.clone(), json!({"const": name})))
        .collect();
    let wide = json!({"properties": tags, "required": names});
    read(&field(&json!({"oneOf": [wide, {"type": "null"}]})));
}

#[test]
fn long_names_with_much_below() {
    let below = fields(20_000, |_| json!({"type": "string"}));
    let name = "n".repeat(1 << 20);
    let messages = read(&json!({"type": "object", "properties": {name: below}}));
    assert!(
        messages.iter().any(|it| it.contains("it is too large")),
        "{messages:?}"
    );
}

#[test]
fn many_required_names() {
    let names = many(100_000, |at| json!(format!("n{at}")));
    read(&json!({"type": "object", "required": names}));
    read(&field(
        &json!({"type": "object", "required": names, "minProperties": 1}),
    ));
}

#[test]
fn large_patterns() {
    for pattern in [
        "a".repeat(1 << 20),
        "(".repeat(1 << 20),
        "[".repeat(1 << 20),
        format!("{}{}", "(".repeat(1 << 18), ")".repeat(1 << 18)),
        "a|".repeat(1 << 19),
        "(?=a)".repeat(1 << 16),
        "((a{1,1000}){1,1000}){1,1000}".to_owned(),
        r"((\w{1,1000}){1,1000}){1,1000}".to_owned(),
        r"(?=((\w{1,1000}){1,1000}){1,1000})".to_owned(),
    ] {
        read(&field(&json!({"type": "string", "pattern": pattern})));
    }
}

#[test]
fn many_patterns_that_are_slow_to_compile() {
    for pattern in ["^[a-z]{1,20}$", r"^\w{1,3}$"] {
        let schema = json!({"type": "string", "pattern": pattern});
        read(&fields(20_000, |_| schema.clone()));
        let messages = read(&fields(
            20_000,
            |at| json!({"type": "string", "pattern": format!("{pattern}|{at}")}),
        ));
        assert!(
            messages.iter().any(|it| it.contains("it is too large")),
            "{messages:?}"
        );
    }
}

#[test]
fn deep_schemas() {
    let mut schemas = [json!({}), json!({}), json!({}), json!({}), json!({})];
    for _ in 0..500 {
        let [properties, items, any, all, not] = schemas;
        schemas = [
            json!({"properties": {"a": properties}}),
            json!({"type": "array", "items": items}),
            json!({"anyOf": [any, {"type": "null"}]}),
            json!({"allOf": [all]}),
            json!({"not": not}),
        ];
    }
    for schema in &schemas {
        let messages = read(&field(schema));
        assert!(
            messages.iter().any(|it| it.contains("levels deep")),
            "{messages:?}"
        );
    }
}

#[test]
fn references_in_circles() {
    for definitions in [
        json!({"A": {"$ref": "#/$defs/A"}}),
        json!({"A": {"$ref": "#/$defs/B"}, "B": {"$ref": "#/$defs/A"}}),
        json!({"A": {"allOf": [{"$ref": "#/$defs/A"}, {"type": "object"}]}}),
        json!({"A": {"anyOf": [{"$ref": "#/$defs/A"}, {"type": "null"}]}}),
        json!({"A": {"oneOf": [{"$ref": "#/$defs/A"}, {"$ref": "#/$defs/A"}]}}),
        json!({"A": {"type": "array", "items": {"$ref": "#/$defs/A"}}}),
        json!({"A": {"additionalProperties": {"$ref": "#/$defs/A"}, "type": "object"}}),
        json!({"A": {"properties": {"a": {"$ref": "#/$defs/A"}}, "required": ["a"]}}),
        json!({"A": {"properties": {"a": {"$ref": "#/$defs/A/properties/a"}}}}),
        json!({"A": {"properties": {"a": {"$ref": "#"}}}}),
        json!({"A": {"not": {"$ref": "#/$defs/A"}}}),
        json!({"A": {"$ref": "#/$defs/B", "minProperties": 1}, "B": {"$ref": "#/$defs/A", "maxProperties": 2}}),
        json!({"A": {"$dynamicRef": "#A", "$dynamicAnchor": "A"}}),
        json!({"A": {"$ref": "#/$defs/A/$defs/B", "$defs": {"B": {"$ref": "#/$defs/A"}}}}),
        json!({"A": {"if": {"$ref": "#/$defs/A"}, "then": false, "else": {"$ref": "#/$defs/A"}}}),
    ] {
        let reference = json!({"$ref": "#/$defs/A"});
        for start in [
            field(&reference),
            reference.clone(),
            json!({"allOf": [reference]}),
        ] {
            let mut document = start;
            document["$defs"] = definitions.clone();
            read(&document);
        }
    }
}

#[test]
fn references_to_one_place_from_many() {
    let to_one = |_| json!({"$ref": "#/$defs/A"});
    for one in [
        json!({"enum": many(20_000, |at| json!(at))}),
        json!({"type": "array", "items": {"enum": many(20_000, |at| json!(at))}}),
        json!({"not": {"enum": many(20_000, |at| json!(at))}}),
        fields(20_000, |_| json!({"type": "string"})),
    ] {
        let mut document = fields(20_000, to_one);
        document["$defs"] = json!({"A": one});
        read(&document);
    }
}

#[test]
fn definitions_of_one_name_in_two_documents() {
    let object = |last: &str| {
        let mut document = fields(10_000, |_| json!({"$ref": "#/$defs/A"}));
        let mut one = fields(10_000, |_| json!({"type": "string"}));
        one["properties"]["last"] = json!({"const": last});
        one["anyOf"] = json!([{"required": ["f0"]}, {"required": ["f1"]}]);
        document["$defs"] = json!({"A": one});
        document
    };
    read_both(&object("a"), &object("b"));
    let list = |last: &str| {
        let mut document = fields(10_000, |_| json!({"$ref": "#/$defs/A"}));
        let enumeration = many(10_000, |at| json!(at));
        document["$defs"] =
            json!({"A": {"type": "array", "items": {"enum": enumeration, "default": last}}});
        document
    };
    let named = json!({"properties": {"a": {"$ref": "#/$defs/A"}}, "$defs": {"A": object("a")}});
    read_both(&named, &list("b"));
}

#[test]
fn numbers_beyond_what_types_hold() {
    for number in [
        json!(u64::MAX),
        json!(i64::MIN),
        json!(f64::MAX),
        json!(f64::MIN_POSITIVE),
        json!(-0.0),
        json!(0),
        json!(1e300),
        json!("12"),
        json!(null),
    ] {
        for keyword in [
            "minimum",
            "maximum",
            "exclusiveMinimum",
            "exclusiveMaximum",
            "multipleOf",
            "minLength",
            "maxLength",
            "minItems",
            "maxItems",
            "minProperties",
            "maxContains",
        ] {
            for ty in ["integer", "number", "string", "array", "object"] {
                let mut schema = json!({"type": ty, keyword: number, "default": number});
                read(&field(&schema));
                schema["const"] = number.clone();
                read(&json!({"type": "object", "properties": {"a": schema}, "required": ["a"]}));
            }
        }
    }
}

#[test]
fn names_of_all_characters() {
    for name in [
        "",
        " ",
        "/",
        "~",
        "%",
        "%41",
        "~0~1",
        "\0",
        "\n",
        "\u{202e}",
        "é",
        "𝔸",
        "__proto__",
        "class",
        "$ref",
        "$defs",
        "properties",
        "self",
        "\"",
        "\\",
        "{{",
        "a.b",
        "A",
        "a",
        "\u{fffd}",
    ] {
        let escaped = name
            .replace('~', "~0")
            .replace('/', "~1")
            .replace('%', "%25");
        let document = json!({
            "type": "object",
            "title": name,
            "description": name,
            "properties": {
                name: {"$ref": format!("#/$defs/{escaped}")},
                "other": {"enum": [name, "a"], "default": name},
            },
            "required": [name],
            "$defs": {name: {"properties": {name: {"type": "string", "pattern": name}}}},
        });
        read(&document);
    }
}
