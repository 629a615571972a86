//! `herald registry`, against a real registry where `SCHEMA_REGISTRY_URL` names one.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::JoinHandle;

use herald_registry::{Connection, Level, Reference, Registry, Schema};
use serde_json::{Value, json};

use crate::support::{Run, Sandbox};

/// The registry, if there is one.
fn registry() -> Option<Registry> {
    let Some(url) = std::env::var("SCHEMA_REGISTRY_URL").ok() else {
        eprintln!("skipped: SCHEMA_REGISTRY_URL names no registry; `scripts/registry run` does");
        return None;
    };
    Some(Registry::new(Connection::new(&url).unwrap()).unwrap())
}

/// A topic that no other test, and no earlier run on the same registry, has.
fn fresh(what: &str) -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    format!("test.registry.{what}.{}-{number}", std::process::id())
}

fn contract(topic: &str, payload: &str) -> String {
    format!(
        "node_type: effect\nservice_name: shop\nenvelope: none\ninclude_state_events: false\n\
         include_metric_events: false\nevents:\n  - event_type: order.placed\n    topic: {topic}\n    \
         payload: {payload}\n"
    )
}

fn run(sandbox: &Sandbox, args: &[&str]) -> Run {
    sandbox.herald(&[&["registry"], args].concat())
}

fn subject(run: &Run) -> Value {
    run.json()["subjects"][0].clone()
}

/// Registers the first version of a payload, at a level.
fn registered(registry: &Registry, sandbox: &Sandbox, topic: &str, payload: &str, level: Level) {
    sandbox.write("a.yaml", contract(topic, payload));
    run(sandbox, &["register", "a.yaml", "--yes"]).exits(0);
    registry
        .set_level(&format!("{topic}-value"), level)
        .unwrap();
}

#[test]
fn registers_only_with_yes_and_only_once() {
    let Some(registry) = registry() else { return };
    let topic = fresh("yes");
    let sandbox = Sandbox::with(&[("a.yaml", &contract(&topic, "{order: string}"))]);
    let check = run(&sandbox, &["check", "a.yaml"]).exits(0);
    assert!(
        check.stdout.contains(&format!("+ {topic}-value")),
        "{}",
        check.stdout
    );
    assert!(
        check.stdout.contains("1 subject: 1 new"),
        "{}",
        check.stdout
    );

    let plan = run(&sandbox, &["register", "a.yaml"]).exits(1);
    assert_eq!(plan.stdout, check.stdout);
    assert!(
        plan.stderr.contains("register the schemas with --yes"),
        "{}",
        plan.stderr
    );
    assert_eq!(registry.latest(&format!("{topic}-value")).unwrap(), None);

    let done = run(&sandbox, &["register", "a.yaml", "--yes"]).exits(0);
    assert!(
        done.stdout.contains("1 schema registered"),
        "{}",
        done.stdout
    );
    let latest = registry.latest(&format!("{topic}-value")).unwrap().unwrap();
    assert_eq!(latest.version, 1);
    assert_eq!(latest.schema.schema["title"], "shop.order.placed.v1");
    assert_eq!(latest.schema.schema["additionalProperties"], false);

    let again = run(&sandbox, &["register", "a.yaml", "--yes"]).exits(0);
    assert!(
        again.stdout.contains("1 subject: 1 registered"),
        "{}",
        again.stdout
    );
    let latest = registry.latest(&format!("{topic}-value")).unwrap().unwrap();
    assert_eq!(latest.version, 1);
    run(&sandbox, &["diff", "a.yaml"]).exits(0);
}

#[test]
fn an_optional_field_can_be_added_with_backward_because_the_schema_is_closed() {
    let Some(registry) = registry() else { return };
    let (topic, sandbox) = (fresh("added"), Sandbox::new());
    let old =
        "{order: string, lines: 'list[Line]'}\ndefinitions: {Line: {fields: {price: decimal}}}";
    registered(&registry, &sandbox, &topic, old, Level::Backward);
    let new = "{order: string, lines: 'list[Line]', note: {type: string, required: false}}\n\
               definitions: {Line: {fields: {price: decimal, gift: {type: boolean, required: false}}}}";
    sandbox.write("a.yaml", contract(&topic, new));
    let check = run(&sandbox, &["check", "a.yaml"]).exits(0);
    assert!(check.stdout.contains("1 compatible"), "{}", check.stdout);
    let diff = run(&sandbox, &["diff", "a.yaml"]).exits(1);
    assert!(
        diff.stdout.contains("+        \"gift\": {"),
        "{}",
        diff.stdout
    );
    run(&sandbox, &["register", "a.yaml", "--yes"]).exits(0);
    let latest = registry.latest(&format!("{topic}-value")).unwrap().unwrap();
    assert_eq!(latest.version, 2);
}

#[test]
fn a_removed_optional_field_stays_in_the_registered_schema() {
    let Some(registry) = registry() else { return };
    let (topic, sandbox) = (fresh("removed"), Sandbox::new());
    let old = "{order: string, note: {type: string, required: false}}";
    registered(&registry, &sandbox, &topic, old, Level::Backward);
    sandbox.write("a.yaml", contract(&topic, "{order: string}"));
    let check = run(&sandbox, &["check", "a.yaml", "--format", "json"]).exits(0);
    assert_eq!(subject(&check)["kept_fields"], json!(["note"]));
    let explanation = subject(&check)["explanation"].to_string();
    assert!(
        explanation.contains("the contract removed `note`"),
        "{explanation}"
    );
    // The content of the registered version is the same then: nothing is left to register.
    assert_eq!(subject(&check)["state"], "registered");
}

#[test]
fn an_open_version_of_others_is_explained() {
    let Some(registry) = registry() else { return };
    let topic = fresh("open");
    let name = format!("{topic}-value");
    let open = json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "type": "object",
        "properties": {"order": {"type": "string"}},
        "required": ["order"],
    });
    let schema = Schema {
        schema: open,
        references: Vec::new(),
    };
    registry.register(&name, &schema).unwrap();
    registry.set_level(&name, Level::Backward).unwrap();
    let sandbox = Sandbox::with(&[(
        "a.yaml",
        &contract(
            &topic,
            "{order: string, note: {type: string, required: false}}",
        ),
    )]);
    let check = run(&sandbox, &["check", "a.yaml"]).exits(1);
    for part in [
        "`note` is new, and the registered version is open",
        "with the level NONE",
        "`herald breaking` disagrees: for events of Herald the change is safe in both directions",
        "1 subject: 1 incompatible",
    ] {
        assert!(check.stdout.contains(part), "{part}: {}", check.stdout);
    }
    // The advice works.
    registry.set_level(&name, Level::None).unwrap();
    run(&sandbox, &["register", "a.yaml", "--yes"]).exits(0);
    registry.set_level(&name, Level::Backward).unwrap();
    sandbox.write(
        "a.yaml",
        contract(
            &topic,
            "{order: string, note: {type: string, required: false}, gift: {type: boolean, required: false}}",
        ),
    );
    run(&sandbox, &["register", "a.yaml", "--yes"]).exits(0);
}

#[test]
fn registry_and_breaking_agree_about_a_changed_type() {
    let Some(registry) = registry() else { return };
    let (topic, sandbox) = (fresh("type"), Sandbox::new());
    registered(
        &registry,
        &sandbox,
        &topic,
        "{total: integer}",
        Level::Backward,
    );
    sandbox.write("a.yaml", contract(&topic, "{total: string}"));
    let check = run(&sandbox, &["register", "a.yaml", "--yes"]).exits(1);
    assert!(
        check.stdout.contains("`herald breaking` agrees: "),
        "{}",
        check.stdout
    );
    let latest = registry.latest(&format!("{topic}-value")).unwrap().unwrap();
    assert_eq!(latest.version, 1);
}

#[test]
fn a_change_that_only_breaking_reports_is_explained() {
    let Some(registry) = registry() else { return };
    let (topic, sandbox) = (fresh("level"), Sandbox::new());
    registered(
        &registry,
        &sandbox,
        &topic,
        "{order: string}",
        Level::Backward,
    );
    // New events may lack what consumers with the old contract need.
    sandbox.write(
        "a.yaml",
        contract(&topic, "{order: {type: string, required: false}}"),
    );
    let check = run(&sandbox, &["check", "a.yaml"]).exits(0);
    for part in [
        "`herald breaking` disagrees: ",
        "breaks consumers with the old contract; the level BACKWARD does not compare that",
    ] {
        assert!(check.stdout.contains(part), "{part}: {}", check.stdout);
    }
}

#[test]
fn forward_gets_the_open_form() {
    let Some(registry) = registry() else { return };
    let (topic, sandbox) = (fresh("forward"), Sandbox::new());
    let name = format!("{topic}-value");
    registry.set_level(&name, Level::Forward).ok();
    sandbox.write("a.yaml", contract(&topic, "{order: string}"));
    run(
        &sandbox,
        &["register", "a.yaml", "--yes", "--content-model", "open"],
    )
    .exits(0);
    registry.set_level(&name, Level::Forward).unwrap();
    let new = "{order: string, note: {type: string, required: false}}";
    sandbox.write("a.yaml", contract(&topic, new));
    run(&sandbox, &["register", "a.yaml", "--yes"]).exits(0);
    let latest = registry.latest(&name).unwrap().unwrap();
    assert_eq!(latest.version, 2);
    assert_eq!(latest.schema.schema.get("additionalProperties"), None);
}

#[test]
fn events_of_one_topic_share_a_subject_or_have_their_own() {
    let Some(registry) = registry() else { return };
    let (one, other) = (fresh("shared"), fresh("service"));
    let text = format!(
        "node_type: effect\nservice_name: {other}\ninclude_state_events: false\n\
         include_metric_events: false\nevents:\n  - {{event_type: a, topic: {one}, payload: {{x: Thing}}}}\n  \
         - {{event_type: b, topic: {one}, version: 2, payload: {{y: Thing}}}}\ndefinitions: {{Thing: {{fields: {{z: string}}}}}}\n"
    );
    let sandbox = Sandbox::with(&[("a.yaml", text.as_str())]);
    run(&sandbox, &["register", "a.yaml", "--yes"]).exits(0);
    let union = registry
        .latest(&format!("{one}-value"))
        .unwrap()
        .unwrap()
        .schema
        .schema;
    assert_eq!(union["anyOf"].as_array().unwrap().len(), 2);
    let events: Vec<_> = union["definitions"].as_object().unwrap().keys().collect();
    assert!(
        events.contains(&&format!("{other}.b.v2.Thing")),
        "{events:?}"
    );
    let validator = jsonschema::draft7::new(&union).unwrap();
    let event = |kind: &str, version: &str, payload: Value| {
        json!({
            "envelope_version": "1.0",
            "event_id": "0191c2a0-5b7e-7cc1-8d2f-6b6f0a1b2c3d",
            "event_type": kind,
            "event_version": version,
            "event_timestamp": "2026-11-24T03:30:12.019304+00:00",
            "source_node_id": "n",
            "source_service": other,
            "source_version": "1",
            "environment": "test",
            "payload": payload,
            "metadata": {},
        })
    };
    assert!(validator.is_valid(&event("a", "1.0", json!({"x": {"z": "1"}}))));
    assert!(validator.is_valid(&event("b", "2.0", json!({"y": {"z": "1"}}))));
    assert!(!validator.is_valid(&event("b", "2.0", json!({"x": {"z": "1"}}))));

    let by_record = ["--subjects", "record_name"];
    let done = run(
        &sandbox,
        &[&["register", "a.yaml", "--yes"], &by_record[..]].concat(),
    )
    .exits(0);
    assert!(
        done.stdout.contains(&format!("{other}.a.v1")),
        "{}",
        done.stdout
    );
    assert!(registry.latest(&format!("{other}.b.v2")).unwrap().is_some());
    run(&sandbox, &[&["check", "a.yaml"], &by_record[..]].concat()).exits(0);
    let error = run(&sandbox, &["check", "a.yaml", "--subject", "nope"]).exits(2);
    assert!(
        error
            .stderr
            .contains("no subject of the contracts matches `nope`"),
        "{}",
        error.stderr
    );
}

fn two_events(service: &str, topic: &str, amount: &str) -> String {
    format!(
        "node_type: effect\nservice_name: {service}\nenvelope: none\ninclude_state_events: false\n\
         include_metric_events: false\nevents:\n  - {{event_type: a, topic: {topic}, payload: {{x: {amount}}}}}\n  \
         - {{event_type: b, topic: {topic}, payload: {{y: string}}}}\n"
    )
}

#[test]
fn the_schema_of_a_topic_can_refer_to_those_of_its_events() {
    let Some(registry) = registry() else { return };
    let (topic, service) = (fresh("union"), fresh("parts"));
    let sandbox = Sandbox::with(&[("a.yaml", &two_events(&service, &topic, "integer"))]);
    let register = ["register", "a.yaml", "--references", "--yes"];
    let check = run(&sandbox, &["check", "a.yaml", "--references"]).exits(0);
    assert!(
        check.stdout.contains("2 new, 1 waiting for references"),
        "{}",
        check.stdout
    );
    let done = run(&sandbox, &register).exits(0);
    assert!(
        done.stdout.contains("3 schemas registered"),
        "{}",
        done.stdout
    );
    let name = format!("{topic}-value");
    let union = registry.latest(&name).unwrap().unwrap();
    let part = |event: &str, version| Reference {
        name: format!("{service}.{event}.v1"),
        subject: format!("{service}.{event}.v1"),
        version,
    };
    assert_eq!(union.schema.references, [part("a", 1), part("b", 1)]);
    let again = run(&sandbox, &register).exits(0);
    assert!(
        again.stdout.contains("3 subjects: 3 registered"),
        "{}",
        again.stdout
    );

    // A new version of an event is a new version of the union.
    let changed = two_events(&service, &topic, "{type: integer, minimum: 1}");
    sandbox.write("a.yaml", changed);
    run(&sandbox, &register).exits(0);
    let union = registry.latest(&name).unwrap().unwrap();
    assert_eq!(union.version, 2);
    assert_eq!(union.schema.references, [part("a", 2), part("b", 1)]);
}

#[test]
fn events_of_a_union_are_judged_one_by_one() {
    let Some(registry) = registry() else { return };
    let (topic, service) = (fresh("judged"), fresh("judged"));
    let sandbox = Sandbox::with(&[("a.yaml", &two_events(&service, &topic, "integer"))]);
    run(&sandbox, &["register", "a.yaml", "--yes"]).exits(0);
    let name = format!("{topic}-value");
    registry.set_level(&name, Level::Backward).unwrap();
    sandbox.write("a.yaml", two_events(&service, &topic, "boolean"));
    let check = run(&sandbox, &["check", "a.yaml"]).exits(1);
    assert!(
        check.stdout.contains("`herald breaking` agrees: "),
        "{}",
        check.stdout
    );
}

#[test]
fn a_registered_schema_with_references_is_read() {
    let Some(registry) = registry() else { return };
    let topic = fresh("references");
    let part = json!({"$schema": "http://json-schema.org/draft-07/schema#", "type": "string"});
    let part = Schema {
        schema: part,
        references: Vec::new(),
    };
    registry.register(&format!("{topic}.part"), &part).unwrap();
    let whole = Schema {
        schema: json!({
            "$schema": "http://json-schema.org/draft-07/schema#",
            "type": "object",
            "properties": {"order": {"$ref": "part.json"}},
        }),
        references: vec![Reference {
            name: "part.json".to_owned(),
            subject: format!("{topic}.part"),
            version: 1,
        }],
    };
    let name = format!("{topic}-value");
    registry.register(&name, &whole).unwrap();
    assert_eq!(registry.latest(&name).unwrap().unwrap().schema, whole);
    assert_eq!(registry.find(&name, &whole).unwrap().unwrap().version, 1);
    let sandbox = Sandbox::with(&[("a.yaml", &contract(&topic, "{order: string}"))]);
    let check = run(&sandbox, &["diff", "a.yaml"]).exits(1);
    assert!(
        check.stdout.contains("-      \"$ref\": \"part.json\""),
        "{}",
        check.stdout
    );
}

/// A server that answers each request with this response.
fn server(response: &'static str) -> (String, JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let thread = std::thread::spawn(move || {
        let (mut connection, _) = listener.accept().unwrap();
        let mut request = vec![0; 4096];
        let read = connection.read(&mut request).unwrap();
        connection.write_all(response.as_bytes()).unwrap();
        String::from_utf8_lossy(&request[..read]).into_owned()
    });
    (url, thread)
}

fn check_with(url: &str, environment: &[(&str, &str)]) -> Run {
    let sandbox = Sandbox::with(&[("a.yaml", &contract("t", "{order: string}"))]);
    let mut command = sandbox.command("", &["registry", "check", "a.yaml"]);
    command.env("SCHEMA_REGISTRY_URL", url);
    command.envs(environment.iter().copied());
    command.output().unwrap().into()
}

#[test]
fn a_refused_login_names_the_variables_and_no_secret() {
    let refused = "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    let (url, server) = server(refused);
    let run = check_with(
        &url,
        &[("SCHEMA_REGISTRY_BASIC_AUTH_USER_INFO", "alice:hunter2")],
    )
    .exits(2);
    // RFC 7617: the Base64 of `alice:hunter2`.
    let request = server.join().unwrap().to_lowercase();
    assert!(
        request.contains("authorization: basic ywxpy2u6ahvudgvymg=="),
        "{request}"
    );
    for part in [
        "refused the login (401)",
        "SCHEMA_REGISTRY_BASIC_AUTH_USER_INFO",
    ] {
        assert!(run.stderr.contains(part), "{part}: {}", run.stderr);
    }
    assert!(!run.stderr.contains("hunter2"), "{}", run.stderr);

    let (url, _) = self::server(refused);
    let run = check_with(&url, &[]).exits(2);
    assert!(
        run.stderr.contains("no credentials were given"),
        "{}",
        run.stderr
    );
}

#[test]
fn errors_of_the_way_to_the_registry_say_what_to_do() {
    let port = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let away = check_with(&format!("http://127.0.0.1:{port}"), &[]).exits(2);
    assert!(away.stderr.contains("does not answer"), "{}", away.stderr);

    let (url, _) =
        server("HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\nConnection: close\r\n\r\n<ht>");
    let other = check_with(&url, &[]).exits(2);
    assert!(
        other
            .stderr
            .contains("does not answer as a schema registry"),
        "{}",
        other.stderr
    );
    assert!(
        other.stderr.contains("/apis/ccompat/v7"),
        "{}",
        other.stderr
    );

    // Its answer is not TLS.
    let (url, _) =
        server("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    let tls = check_with(&url.replace("http:", "https:"), &[]).exits(2);
    assert!(
        tls.stderr.contains("TLS with the schema registry"),
        "{}",
        tls.stderr
    );
    assert!(
        tls.stderr.contains("SCHEMA_REGISTRY_CA_LOCATION"),
        "{}",
        tls.stderr
    );

    let ca = check_with(
        "https://127.0.0.1:1",
        &[("SCHEMA_REGISTRY_CA_LOCATION", "/nowhere.pem")],
    );
    let ca = ca.exits(2);
    assert!(
        ca.stderr.contains("can't be read from /nowhere.pem"),
        "{}",
        ca.stderr
    );

    let secret = check_with("https://alice:hunter2@registry", &[]).exits(2);
    assert!(!secret.stderr.contains("hunter2"), "{}", secret.stderr);
    let none = check_with("", &[]).exits(2);
    assert!(
        none.stderr.contains("no schema registry is configured"),
        "{}",
        none.stderr
    );
}
