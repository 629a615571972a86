//! Search for the cluster, and messages if there is none.

use std::net::TcpListener;

use crate::support::{Run, Sandbox};

/// Runs without any environment variable that configures a cluster.
fn herald(sandbox: &Sandbox, args: &[&str], variables: &[(&str, &str)]) -> Run {
    let mut command = sandbox.command("", args);
    for (name, _) in std::env::vars() {
        if name.starts_with("KAFKA_") {
            command.env_remove(name);
        }
    }
    command.envs(variables.iter().copied());
    command.output().expect("herald runs").into()
}

/// An address where nobody listens.
fn nowhere() -> String {
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    free.local_addr().unwrap().to_string()
}

#[test]
fn missing_cluster_address_names_all_sources() {
    let sandbox = Sandbox::new();
    let run = herald(&sandbox, &["listen", "orders"], &[]).exits(2);
    for way in [
        "--bootstrap-servers",
        "KAFKA_BOOTSTRAP_SERVERS",
        "herald.yaml",
        "herald dev",
    ] {
        assert!(run.stderr.contains(way), "{way}: {}", run.stderr);
    }
}

#[test]
fn reports_an_unreachable_cluster_in_one_line() {
    let sandbox = Sandbox::new();
    let address = nowhere();
    let args = ["listen", "orders", "--bootstrap-servers", &address];
    let run = herald(&sandbox, &args, &[]).exits(2);
    assert_eq!(run.stdout, "");
    assert_eq!(run.stderr.lines().count(), 1, "{}", run.stderr);
    for part in [&address, " s: ", "Connection refused", "check the address"] {
        assert!(run.stderr.contains(part), "{part}: {}", run.stderr);
    }
}

#[test]
fn environment_takes_precedence_over_the_project() {
    let (of_project, of_environment) = (nowhere(), nowhere());
    let text = format!("kafka: {{bootstrap_servers: ['{of_project}']}}\n");
    let sandbox = Sandbox::with(&[("herald.yaml", text.as_str())]);
    let run = herald(&sandbox, &["listen", "x"], &[]).exits(2);
    assert!(run.stderr.contains(&of_project), "{}", run.stderr);
    let variables = [("KAFKA_BOOTSTRAP_SERVERS", of_environment.as_str())];
    let run = herald(&sandbox, &["listen", "x"], &variables).exits(2);
    assert!(run.stderr.contains(&of_environment), "{}", run.stderr);
    assert!(!run.stderr.contains(&of_project), "{}", run.stderr);
}

#[test]
fn rejects_literal_secrets_from_every_source() {
    let yaml = "kafka: {bootstrap_servers: 'x:1', properties: {sasl.password: hunter2}}\n";
    let sandbox = Sandbox::with(&[("project/herald.yaml", yaml)]);
    let on_line = ["listen", "x", "--property", "ssl.key.password=hunter2"];
    let variables = [("KAFKA_BOOTSTRAP_SERVERS", "x:1")];
    let on_line = herald(&sandbox, &on_line, &variables).exits(2);
    let mut in_file = sandbox.command("project", &["listen", "x"]);
    let in_file = Run::from(in_file.output().unwrap()).exits(2);
    for (run, name) in [(on_line, "ssl.key.password"), (in_file, "sasl.password")] {
        assert!(!run.stderr.contains("hunter2"), "{}", run.stderr);
        let advice = format!("{name}=env:VARIABLE or {name}=file:PATH");
        assert!(run.stderr.contains(&advice), "{}", run.stderr);
    }
}

#[test]
fn reports_missing_secrets_by_their_source() {
    let sandbox = Sandbox::new();
    let run = |property: &str| {
        let args = ["listen", "x", "--bootstrap-servers", "x:1"];
        let args = [&args[..], &["--property", property]].concat();
        herald(&sandbox, &args, &[]).exits(2).stderr
    };
    let missing = run("sasl.password=env:HERALD_TEST_NEVER_SET");
    assert!(
        missing.contains("HERALD_TEST_NEVER_SET is not set"),
        "{missing}"
    );
    let missing = run("sasl.password=file:secrets/none");
    assert!(missing.contains("secrets/none can't be read"), "{missing}");
}

#[test]
fn rejects_unknown_properties_before_connecting() {
    let sandbox = Sandbox::new();
    let args = ["listen", "x", "--bootstrap-servers", "x:1"];
    let args = [&args[..], &["--property", "security.protocoll=ssl"]].concat();
    let run = herald(&sandbox, &args, &[]).exits(2);
    assert!(run.stderr.contains("security.protocoll"), "{}", run.stderr);
}
