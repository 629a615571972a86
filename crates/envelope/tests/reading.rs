//! Parsing of envelopes, and errors about invalid ones.

use herald_envelope::{Code, Envelope, Error};

/// Text of Python's `json.dumps` for the original's model: spaces, ASCII, nulls.
const PYTHON: &str = concat!(
    r#"{"envelope_version": "1.0", "event_id": "f47ac10b-58cc-4372-a567-0e02b2c3d479", "#,
    r#""event_type": "effect.gr\u00f6\u00dfe.started", "event_version": "1.0", "#,
    r#""event_timestamp": "2025-11-05T12:00:00+00:00", "source_node_id": "node-1", "#,
    r#""source_service": null, "source_version": "1.0.0", "source_instance": null, "#,
    r#""correlation_id": null, "causation_id": "the-cause", "environment": "development", "#,
    r#""region": null, "partition_key": "\ud83d\ude00", "payload": {"a": [1, {}]}, "#,
    r#""metadata": {}, "later": [null]}"#,
);

#[test]
fn parses_envelopes_written_by_python() {
    let envelope = Envelope::parse(PYTHON.as_bytes()).unwrap();
    assert_eq!(envelope.event_type, "effect.größe.started");
    assert_eq!(envelope.event_timestamp.to_string(), "2025-11-05T12:00:00Z");
    assert_eq!(envelope.source_service, "", "null is the empty text");
    assert_eq!(envelope.source_instance, None);
    assert_eq!(envelope.correlation_id, None);
    assert_eq!(envelope.causation_id.as_deref(), Some("the-cause"));
    assert_eq!(envelope.region, None);
    assert_eq!(&*envelope.key(), "😀");
    assert_eq!(envelope.payload.get(), r#"{"a": [1, {}]}"#);
    assert_eq!(envelope.extra[0].0, "later");
    assert_eq!(envelope.extra[0].1.get(), "[null]");
}

#[test]
fn accepts_any_field_order_and_whitespace() {
    let others = PYTHON
        .trim_matches(['{', '}'])
        .replace(r#""metadata": {}, "#, "");
    let text = format!("\n {{\"metadata\" :{{}},\t{others}}}\r\n");
    assert!(Envelope::parse(text.as_bytes()).is_ok(), "{text}");
}

#[test]
fn missing_correlation_id_is_null() {
    let text = PYTHON.replace(r#""correlation_id": null, "#, "");
    let envelope = Envelope::parse(text.as_bytes()).unwrap();
    assert_eq!(envelope.correlation_id, None);
}

#[test]
fn accepts_deeply_nested_payloads() {
    let deep = format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000));
    let text = PYTHON.replace("[1, {}]", &deep);
    assert!(Envelope::parse(text.as_bytes()).is_ok());
}

/// The error of `PYTHON` with one part replaced. `at` starts where the error is.
#[track_caller]
fn refused(part: &str, by: &str, code: Code, field: Option<&str>, at: &str) -> Error {
    assert!(PYTHON.contains(part));
    let text = PYTHON.replacen(part, by, 1);
    let error = Envelope::parse(text.as_bytes()).expect_err("it is invalid");
    let offset = error.position().expect("text has positions").offset;
    assert_eq!((error.code(), error.field()), (code, field), "{error}");
    assert!(
        text[offset..].starts_with(at),
        "{error}: at {:?}",
        &text[offset..]
    );
    assert!(!error.is_retriable());
    error
}

#[test]
fn errors_name_the_field_and_point_at_its_value() {
    let id = r#""f47ac10b-58cc-4372-a567-0e02b2c3d479""#;
    let error = refused(id, "7", Code::WrongType, Some("event_id"), "7, ");
    assert_eq!(
        error.to_string(),
        "event_id: must be text at line 1 column 41"
    );
    refused(
        id,
        "\"f47\"",
        Code::InvalidUuid,
        Some("event_id"),
        "\"f47\"",
    );
    refused(
        "\"correlation_id\": null",
        "\"correlation_id\": \"\"",
        Code::InvalidUuid,
        Some("correlation_id"),
        "\"\", \"causation_id\"",
    );
    refused(
        "12:00:00+00:00",
        "12:00:00",
        Code::InvalidTimestamp,
        Some("event_timestamp"),
        "\"2025-11-05T12:00:00\"",
    );
    refused(
        "\"effect.gr\\u00f6\\u00dfe.started\"",
        "\"\"",
        Code::EmptyText,
        Some("event_type"),
        "\"\", \"event_version\"",
    );
    refused(
        "\\ud83d\\ude00",
        "\\ud83d",
        Code::Syntax,
        Some("partition_key"),
        "\"\\ud83d\"",
    );
    refused(
        "{\"a\": [1, {}]}",
        "[1]",
        Code::WrongType,
        Some("payload"),
        "[1], ",
    );
    refused(
        "\"metadata\": {}",
        "\"metadata\": null",
        Code::WrongType,
        Some("metadata"),
        "null",
    );
    refused(
        "\"node-1\"",
        "null",
        Code::WrongType,
        Some("source_node_id"),
        "null",
    );
}

#[test]
fn rejects_other_versions() {
    let error = refused(
        r#""envelope_version": "1.0""#,
        r#""envelope_version": "2.0""#,
        Code::UnsupportedVersion,
        Some("envelope_version"),
        "\"2.0\"",
    );
    assert!(error.to_string().contains("knows version 1.0"));
}

#[test]
fn names_a_missing_field() {
    refused(
        r#""environment": "development", "#,
        "",
        Code::MissingField,
        Some("environment"),
        "{\"envelope_version\"",
    );
}

#[test]
fn rejects_duplicate_fields() {
    refused(
        r#""later": [null]"#,
        r#""event\u005ftype": "other""#,
        Code::DuplicateField,
        Some("event_type"),
        "\"other\"",
    );
}

#[test]
fn syntax_errors_name_their_field() {
    refused("[1, {}]", "[NaN]", Code::Syntax, Some("payload"), "NaN");
    refused("[null]", "nul", Code::Syntax, Some("later"), "}");
    refused(
        "\"metadata\": {}",
        "\"metadata\" {}",
        Code::Syntax,
        Some("metadata"),
        "{}",
    );
    refused(
        ", \"metadata\"",
        " \"metadata\"",
        Code::Syntax,
        None,
        "\"metadata\"",
    );
    refused("[null]}", "[null]", Code::Syntax, None, "]");
    refused("[null]}", "[null]} x", Code::Syntax, None, "x");
}

#[test]
fn rejects_values_that_are_not_objects() {
    for (text, code) in [
        (" [1]", Code::WrongType),
        ("null", Code::WrongType),
        ("\"x\"", Code::WrongType),
        ("", Code::Syntax),
        ("x", Code::Syntax),
    ] {
        let error = Envelope::parse(text.as_bytes()).unwrap_err();
        assert_eq!((error.code(), error.field()), (code, None), "{text}");
    }
}

#[test]
fn invalid_utf8_names_its_field() {
    let mut bytes = PYTHON.replace("node-1", "n\u{e9}de-1").into_bytes();
    let at = bytes.iter().position(|byte| *byte == 0xC3).unwrap();
    bytes[at + 1] = b'x';
    let error = Envelope::parse(&bytes).unwrap_err();
    assert_eq!(error.code(), Code::NotUtf8);
    assert_eq!(error.field(), Some("source_node_id"));
    assert_eq!(error.position().unwrap().offset, at);

    bytes.truncate(at + 1);
    assert_eq!(Envelope::parse(&bytes).unwrap_err().code(), Code::NotUtf8);
}
