//! Way to the cluster: addresses, TLS and login.

use std::time::Instant;

use herald_publish::kafka::{Admin, Broker, KafkaOptions, Security};
use herald_publish::{Failure, FailureCode};

use super::topics::{self, Contracts};
use super::{Check, names, network};
use crate::connection::CONNECT_TIMEOUT;
use crate::format::count;

/// Checks the way to the cluster, and the topics there. Returns the id of the cluster.
pub(super) fn examine(
    options: &KafkaOptions,
    contracts: &Contracts<'_>,
    checks: &mut Vec<Check>,
) -> Option<String> {
    let security = options.security();
    let began = Instant::now();
    let reached =
        Admin::connect(options, CONNECT_TIMEOUT).and_then(|admin| Ok((admin.brokers()?, admin)));
    let took = began.elapsed().as_millis();
    let (brokers, admin) = match reached {
        Ok(reached) => reached,
        Err(failure) => {
            checks.push(unreached(options, &security, &failure));
            checks.push(Check::skipped("topics", "the cluster was not reached"));
            return None;
        }
    };
    let id = admin.cluster_id();
    let named = id.as_ref().map(|id| format!(", cluster id {id}"));
    checks.push(Check::good(
        "cluster",
        format!(
            "{} at {}{}, {took} ms",
            count(brokers.len(), "broker"),
            options.bootstrap_servers(),
            named.unwrap_or_default(),
        ),
    ));
    checks.extend(advertised(&brokers));
    checks.push(encryption(&security));
    checks.push(login(&security));
    topics::examine(options, &admin, contracts, checks);
    id
}

/// Explains why the cluster was not reached.
fn unreached(options: &KafkaOptions, security: &Security, failure: &Failure) -> Check {
    let addresses = network::addresses(options.bootstrap_servers());
    let (subject, fix) = match failure.code {
        FailureCode::AuthenticationFailed => (
            "login",
            "check sasl.mechanism, sasl.username and sasl.password; the user must exist on the \
             cluster: kafka-configs.sh --describe --entity-type users"
                .to_owned(),
        ),
        FailureCode::TlsFailed => ("tls", tls_fix(security, &addresses)),
        FailureCode::Unsupported => (
            "cluster",
            "name a real cluster; one of `herald dev` needs no topics".to_owned(),
        ),
        FailureCode::InvalidProperty | FailureCode::MissingSecret => {
            ("cluster", "change this property".to_owned())
        }
        _ => ("cluster", network_fix(security, &addresses)),
    };
    Check::problem(subject, failure.detail.clone(), fix)
}

fn tls_fix(security: &Security, addresses: &[(String, u16)]) -> String {
    if !security.is_encrypted {
        return "set security.protocol=ssl or sasl_ssl".to_owned();
    }
    let shown = addresses.first().map(|(host, port)| {
        format!("; the certificate: openssl s_client -connect {host}:{port} -servername {host}")
    });
    format!(
        "check ssl.ca.location; the certificate must be for the address, and the port one with TLS \
         (else security.protocol=plaintext or sasl_plaintext){}",
        shown.unwrap_or_default()
    )
}

fn network_fix(security: &Security, addresses: &[(String, u16)]) -> String {
    let outcomes = network::reach(addresses);
    if outcomes.iter().any(Option::is_none) {
        return if security.is_encrypted {
            "the port is open and does not answer like Kafka with TLS: check the port, and \
             security.protocol"
        } else {
            "the port is open and does not answer like Kafka without TLS: check the port, or set \
             security.protocol=ssl or sasl_ssl"
        }
        .to_owned();
    }
    match (addresses.first(), outcomes.first()) {
        (Some((host, port)), Some(Some(reason))) => format!(
            "start the broker, or check the address, DNS and the firewall ({host}:{port}: {reason})"
        ),
        _ => "check the address: HOST:PORT".to_owned(),
    }
}

/// Checks that this machine reaches the brokers at the addresses that they advertise.
fn advertised(brokers: &[Broker]) -> Option<Check> {
    let addresses: Vec<_> = brokers
        .iter()
        .map(|broker| (broker.host.clone(), broker.port))
        .collect();
    let outcomes = network::reach(&addresses);
    let unreached: Vec<_> = brokers
        .iter()
        .zip(outcomes)
        .filter_map(|(Broker { id, host, port }, outcome)| {
            Some(format!("broker {id} at {host}:{port} ({})", outcome?))
        })
        .collect();
    if unreached.is_empty() {
        return None;
    }
    let named = names(unreached.iter().map(String::as_str));
    let text = format!("not reached at the address that it advertises: {named}");
    let fix = "change advertised.listeners of the broker, DNS or the firewall";
    Some(Check::problem("network", text, fix))
}

fn encryption(security: &Security) -> Check {
    if !security.is_encrypted && security.mechanism.is_some() {
        let text = "off: the login and the events can be read on the network";
        let fix = "set security.protocol=sasl_ssl, if the cluster has such a listener";
        Check::warning("tls", text, fix)
    } else if !security.is_encrypted {
        Check::good("tls", "off (security.protocol=plaintext)")
    } else if !security.is_verified {
        let text =
            "on, but certificates of brokers are not verified: anybody can pose as the cluster";
        let fix = "remove enable.ssl.certificate.verification=false, and set ssl.ca.location";
        Check::warning("tls", text, fix)
    } else if !security.verifies_names {
        let text = "on, but certificates are valid for any host";
        let fix = "remove ssl.endpoint.identification.algorithm=none";
        Check::warning("tls", text, fix)
    } else {
        Check::good("tls", "on, certificates of brokers are verified")
    }
}

fn login(security: &Security) -> Check {
    let text = match (&security.mechanism, &security.user) {
        (None, _) => "none".to_owned(),
        (Some(mechanism), Some(user)) => format!("{user}, by {mechanism}"),
        (Some(mechanism), None) => format!("by {mechanism}"),
    };
    Check::good("login", text)
}
