//! TLS and logins of both transports, with a real Kafka.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use herald_publish::kafka::{Admin, KafkaOptions, LoginToken, Secret, TokenProvider, WantedTopic};
use herald_publish::{Connector, FailureCode, FailureKind, Transport};

use crate::cluster::Cluster;
use crate::kafka::Kafka;
use crate::statements::numbered;
use crate::support::ledger::{Ledger, RecordingListener};
use crate::support::{TEST_TIMEOUT, fresh_topic};
use crate::token_endpoint::TokenEndpoint;

const TRANSPORTS: [&str; 2] = ["librdkafka", "native"];

/// Returns a variable of `scripts/kafka run`.
fn variable(name: &str) -> Option<String> {
    let value = std::env::var(name).ok();
    if value.is_none() {
        eprintln!("skipped: {name} is not set; `scripts/kafka run` sets it where OpenSSL is");
    }
    value
}

fn certificate(name: &str) -> Option<String> {
    Some(format!("{}/{name}", variable("KAFKA_CERTIFICATES")?))
}

/// Options of a client with TLS and a login.
pub fn logged_in(mechanism: &str) -> Option<KafkaOptions> {
    let options = KafkaOptions::new(variable("KAFKA_SASL_SSL_SERVERS")?)
        .property("security.protocol", "sasl_ssl")
        .property("ssl.ca.location", certificate("ca.pem")?)
        .property("sasl.mechanism", mechanism)
        .property("sasl.username", "alice")
        .secret("sasl.password", Secret::literal("alice-secret"));
    Some(options)
}

/// Options of a client with a certificate.
fn certified() -> Option<KafkaOptions> {
    let options = KafkaOptions::new(variable("KAFKA_SSL_SERVERS")?)
        .property("security.protocol", "ssl")
        .property("ssl.ca.location", certificate("ca.pem")?)
        .property("ssl.certificate.location", certificate("client.pem")?)
        .property("ssl.key.location", certificate("client.key")?);
    Some(options)
}

/// Sends records, and reads them back without TLS.
fn assert_delivers(kafka: &Kafka, options: &KafkaOptions) {
    let topic = fresh_topic("secure");
    kafka.create(&topic, 3);
    let listener = Arc::new(RecordingListener::default());
    let transport = options.connect(listener, None).unwrap();
    let ledger = Ledger::default();
    for number in 0..500 {
        ledger.send(&*transport, &numbered(&topic, number % 7, number));
    }
    assert_eq!(ledger.positions().len(), 500);
    assert_eq!(kafka.read(&topic, 500).len(), 500);
    transport.close(TEST_TIMEOUT);
}

/// Returns the failure with which a client finds no broker.
fn refusal(options: &KafkaOptions) -> herald_publish::Failure {
    let listener = Arc::new(RecordingListener::default());
    let transport: Arc<dyn Transport> = options.connect(listener.clone(), None).unwrap();
    let failure = listener.unreachable();
    transport.close(TEST_TIMEOUT);
    failure
}

#[test]
fn logs_in_with_each_mechanism() {
    let Some(kafka) = Kafka::calm() else { return };
    for transport in TRANSPORTS {
        for mechanism in ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] {
            let Some(options) = logged_in(mechanism) else {
                return;
            };
            assert_delivers(&kafka, &options.property("transport", transport));
        }
    }
}

/// Token of `alice` that nobody has signed, for so many seconds.
fn token(seconds: u64) -> String {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let now = now.unwrap().as_secs();
    let claims = format!(r#"{{"sub":"alice","iat":{now},"exp":{}}}"#, now + seconds);
    let part = |text: &str| BASE64_URL_SAFE_NO_PAD.encode(text);
    format!("{}.{}.", part(r#"{"alg":"none"}"#), part(&claims))
}

#[test]
fn logs_in_with_a_given_token_and_reads_it_again() {
    let Some(kafka) = Kafka::calm() else { return };
    for transport in TRANSPORTS {
        let Some(options) = logged_in("OAUTHBEARER") else {
            return;
        };
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("token");
        std::fs::write(&file, "not.a.token").unwrap();
        let options = options
            .property("transport", transport)
            .secret("sasl.oauthbearer.token", Secret::from_file(&file));
        let failure = refusal(&options);
        assert_eq!(failure.code, FailureCode::AuthenticationFailed, "{failure}");
        assert!(!failure.to_string().contains("not.a.token"), "{failure}");
        std::fs::write(&file, token(3_600)).unwrap();
        assert_delivers(&kafka, &options);
    }
}

fn fetching(transport: &str, endpoint: &TokenEndpoint) -> Option<KafkaOptions> {
    let options = logged_in("OAUTHBEARER")?
        .property("transport", transport)
        .property("sasl.oauthbearer.method", "oidc")
        .property("sasl.oauthbearer.client.id", "orders service")
        .secret(
            "sasl.oauthbearer.client.secret",
            Secret::literal("hunter2+%"),
        )
        .property("sasl.oauthbearer.scope", "kafka write")
        .property("sasl.oauthbearer.extensions", "logicalCluster=lkc-1")
        .property("sasl.oauthbearer.token.endpoint.url", endpoint.url());
    Some(options)
}

/// Answer of a token endpoint.
fn fetched(seconds: u64) -> (u16, String) {
    let token = token(3_600);
    let body =
        format!(r#"{{"access_token":"{token}","token_type":"Bearer","expires_in":{seconds}}}"#);
    (200, body)
}

#[test]
fn one_token_is_fetched_for_all_logins_until_it_is_old() {
    let Some(kafka) = Kafka::calm() else { return };
    for transport in TRANSPORTS {
        let endpoint = TokenEndpoint::start(vec![fetched(1), fetched(3_600)]);
        let Some(options) = fetching(transport, &endpoint) else {
            return;
        };
        assert_delivers(&kafka, &options);
        std::thread::sleep(Duration::from_secs(1));
        assert_delivers(&kafka, &options);
        assert_delivers(&kafka, &options);
        let requests = endpoint.requests();
        assert_eq!(requests.len(), 2, "{transport}: {requests:?}");
        let credentials = BASE64_STANDARD.encode("orders%20service:hunter2%2B%25");
        let header = format!("authorization: Basic {credentials}\r\n");
        for request in requests {
            assert!(request.contains(&header), "{request}");
            assert!(
                request.ends_with("grant_type=client_credentials&scope=kafka%20write"),
                "{request}"
            );
        }
    }
}

/// Session of the brokers here: 5 seconds.
#[test]
fn a_long_connection_logs_in_again_with_a_new_token() {
    let Some(_kafka) = Kafka::calm() else { return };
    for transport in TRANSPORTS {
        let short = (200, format!(r#"{{"access_token":"{}"}}"#, token(4)));
        let endpoint = TokenEndpoint::start(vec![short, fetched(3_600)]);
        let Some(options) = fetching(transport, &endpoint) else {
            return;
        };
        let listener = Arc::new(RecordingListener::default());
        let connection = options.connect(listener, None).unwrap();
        connection.probe(TEST_TIMEOUT).unwrap();
        std::thread::sleep(Duration::from_secs(7));
        connection.probe(TEST_TIMEOUT).unwrap();
        assert_eq!(endpoint.requests().len(), 2, "{transport}");
        connection.close(TEST_TIMEOUT);
    }
}

/// Provider of a token of 1 second, and then of tokens of an hour, or of an error. Clones share it.
#[derive(Clone, Default)]
struct Provider {
    has_session: Arc<AtomicBool>,
    given: Arc<AtomicUsize>,
}

impl TokenProvider for Provider {
    fn token(&self) -> Result<LoginToken, String> {
        if !self.has_session.load(Ordering::Relaxed) {
            return Err("no session".to_owned());
        }
        let seconds = match self.given.fetch_add(1, Ordering::Relaxed) {
            0 => 1,
            _ => 3_600,
        };
        Ok(LoginToken::new(token(3_600)).lifetime(Duration::from_secs(seconds)))
    }
}

#[test]
fn tokens_of_a_provider_are_used_until_they_are_old() {
    let Some(kafka) = Kafka::calm() else { return };
    for transport in TRANSPORTS {
        let Some(options) = logged_in("OAUTHBEARER") else {
            return;
        };
        let provider = Provider::default();
        let options = options
            .property("transport", transport)
            // Of lower precedence.
            .property("sasl.oauthbearer.token", "stale")
            .token_provider(provider.clone());
        let failure = refusal(&options);
        assert_eq!(failure.code, FailureCode::AuthenticationFailed, "{failure}");
        assert!(failure.to_string().contains("no session"), "{failure}");

        provider.has_session.store(true, Ordering::Relaxed);
        assert_delivers(&kafka, &options);
        std::thread::sleep(Duration::from_secs(1));
        assert_delivers(&kafka, &options);
        assert_delivers(&kafka, &options);
        assert_eq!(provider.given.load(Ordering::Relaxed), 2, "{transport}");
    }
}

#[test]
fn topics_are_administered_with_a_token() {
    let Some(_kafka) = Kafka::calm() else { return };
    let endpoint = TokenEndpoint::start(vec![fetched(3_600)]);
    let Some(options) = fetching("native", &endpoint) else {
        return;
    };
    let admin = Admin::connect(&options, TEST_TIMEOUT).unwrap();
    let topic = fresh_topic("token");
    let plan = admin.plan(vec![WantedTopic::new(&topic)]).unwrap();
    admin.apply(&plan);
    assert!(admin.topic_names().unwrap().contains(&topic));
    assert_eq!(endpoint.requests().len(), 1);
}

#[test]
fn token_endpoint_that_gives_no_token_is_named_without_the_secret() {
    let Some(_kafka) = Kafka::calm() else { return };
    let elsewhere = TokenEndpoint::start(vec![(200, r#"{"access_token":"stolen"}"#.to_owned())]);
    for transport in TRANSPORTS {
        for (status, body, part) in [
            (
                401,
                r#"{"error":"invalid_client","error_description":"unknown"}"#,
                "invalid_client, unknown",
            ),
            (200, "{}", "as a token endpoint"),
            (500, "<html>", "HTTP status 500"),
            (302, &*elsewhere.url(), "HTTP status 302"),
            // Refused here or by the broker, in words of its own.
            (200, r#"{"access_token":"a b","expires_in":60}"#, ""),
        ] {
            let endpoint = TokenEndpoint::start(vec![(status, body.to_owned())]);
            let Some(options) = fetching(transport, &endpoint) else {
                return;
            };
            let failure = refusal(&options);
            assert_eq!(failure.code, FailureCode::AuthenticationFailed, "{failure}");
            let text = failure.to_string();
            assert!(text.contains(part), "{transport}, {part}: {text}");
            assert!(!text.contains("hunter2") && !text.contains("a b"), "{text}");
        }
        let endpoint = TokenEndpoint::start(Vec::new());
        let Some(options) = fetching(transport, &endpoint) else {
            return;
        };
        let url = "http://127.0.0.1:1/token";
        let away = options.property("sasl.oauthbearer.token.endpoint.url", url);
        let text = refusal(&away).to_string();
        assert!(text.contains(&format!("{url} does not answer")), "{text}");
    }
    assert_eq!(elsewhere.requests().len(), 0);
}

#[test]
fn shows_a_certificate_whose_key_may_be_encrypted() {
    let Some(kafka) = Kafka::calm() else { return };
    for transport in TRANSPORTS {
        let Some(options) = certified() else { return };
        let options = options.property("transport", transport);
        assert_delivers(&kafka, &options);
        let encrypted = options
            .property(
                "ssl.key.location",
                certificate("client.encrypted.key").unwrap(),
            )
            .secret("ssl.key.password", Secret::literal("key-secret"));
        assert_delivers(&kafka, &encrypted);
    }
}

#[test]
fn each_compression_can_be_read() {
    let Some(kafka) = Kafka::calm() else { return };
    for compression in ["none", "gzip", "snappy", "lz4"] {
        let options = KafkaOptions::new(&kafka.servers)
            .property("transport", "native")
            .property("compression.type", compression);
        assert_delivers(&kafka, &options);
    }
}

#[test]
fn wrong_password_is_a_failed_login_until_it_is_right() {
    let Some(_kafka) = Kafka::calm() else { return };
    for transport in TRANSPORTS {
        for mechanism in ["PLAIN", "SCRAM-SHA-512"] {
            let Some(options) = logged_in(mechanism) else {
                return;
            };
            let options = options.property("transport", transport);
            let folder = tempfile::tempdir().unwrap();
            let password = folder.path().join("password");
            std::fs::write(&password, "wrong-secret").unwrap();
            let options = options.secret("sasl.password", Secret::from_file(&password));
            let failure = refusal(&options);
            assert_eq!(
                (failure.code, failure.kind),
                (FailureCode::AuthenticationFailed, FailureKind::Retriable),
                "{transport}, {mechanism}: {failure}"
            );
            assert!(!failure.to_string().contains("wrong-secret"), "{failure}");
            std::fs::write(&password, "alice-secret").unwrap();
            let listener = Arc::new(RecordingListener::default());
            let transport = options.connect(listener, None).unwrap();
            transport.probe(TEST_TIMEOUT).unwrap();
            transport.close(TEST_TIMEOUT);
        }
    }
}

/// The native transport reads the password for each connection.
#[test]
fn native_connection_logs_in_once_a_rotated_password_is_right() {
    let Some(_kafka) = Kafka::calm() else { return };
    let Some(options) = logged_in("SCRAM-SHA-256") else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let password = folder.path().join("password");
    std::fs::write(&password, "old-secret").unwrap();
    let options = options
        .property("transport", "native")
        .secret("sasl.password", Secret::from_file(&password));
    let listener = Arc::new(RecordingListener::default());
    let transport = options.connect(listener.clone(), None).unwrap();
    listener.unreachable_with("authentication_failed");
    std::fs::write(&password, "alice-secret").unwrap();
    transport.probe(TEST_TIMEOUT).unwrap();
    transport.close(TEST_TIMEOUT);
}

#[test]
fn certificate_of_an_unknown_authority_is_a_tls_failure() {
    let Some(_kafka) = Kafka::calm() else { return };
    for transport in TRANSPORTS {
        let Some(options) = logged_in("PLAIN") else {
            return;
        };
        let failure = refusal(
            &options
                .property("transport", transport)
                .property("ssl.ca.location", certificate("client.pem").unwrap()),
        );
        assert_eq!(
            failure.code,
            FailureCode::TlsFailed,
            "{transport}: {failure}"
        );
    }
}

#[test]
fn certificate_for_another_host_is_refused_unless_hosts_do_not_matter() {
    let Some(_kafka) = Kafka::calm() else { return };
    for transport in TRANSPORTS {
        let Some(options) = logged_in("PLAIN") else {
            return;
        };
        // The certificate has only the name.
        let servers = options
            .bootstrap_servers()
            .replace("localhost", "127.0.0.1");
        let options = options
            .property("transport", transport)
            .property("bootstrap.servers", servers);
        let failure = refusal(&options);
        assert_eq!(
            failure.code,
            FailureCode::TlsFailed,
            "{transport}: {failure}"
        );
        let options = options.property("ssl.endpoint.identification.algorithm", "none");
        let listener = Arc::new(RecordingListener::default());
        let transport = options.connect(listener, None).unwrap();
        transport.probe(TEST_TIMEOUT).unwrap();
        transport.close(TEST_TIMEOUT);
    }
}

#[test]
fn native_client_without_tls_is_told_that_a_broker_expects_it() {
    let Some(_kafka) = Kafka::calm() else { return };
    let Some(servers) = variable("KAFKA_SSL_SERVERS") else {
        return;
    };
    let failure = refusal(&KafkaOptions::new(servers).property("transport", "native"));
    assert_eq!(failure.code, FailureCode::TlsFailed, "{failure}");
    assert!(failure.detail.contains("security.protocol"), "{failure}");
}
