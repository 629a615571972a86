//! HTTP client, for schema registries and token endpoints.

use std::sync::Arc;

use rustls::crypto::ring;
use ureq::Agent;
use ureq::config::ConfigBuilder;
use ureq::tls::{PemItem, RootCerts, TlsConfig, TlsProvider, parse_pem};
use ureq::typestate::AgentScope;

pub use ureq;
pub use ureq::tls::Certificate;

/// Returns the configuration of a client that trusts these certificates, and returns answers with an error
/// status as any others.
pub fn client(roots: &[Certificate<'static>]) -> ConfigBuilder<AgentScope> {
    let tls = TlsConfig::builder()
        .provider(TlsProvider::Rustls)
        .root_certs(RootCerts::new_with_certs(roots))
        .unversioned_rustls_crypto_provider(Arc::new(ring::default_provider()))
        .build();
    Agent::config_builder()
        .tls_config(tls)
        .http_status_as_error(false)
        .user_agent(concat!("herald/", env!("CARGO_PKG_VERSION")))
}

/// Returns the certificates that the platform trusts.
pub fn platform_roots() -> Vec<Certificate<'static>> {
    let platform = rustls_native_certs::load_native_certs().certs;
    let certificates = platform.iter();
    certificates
        .map(|der| Certificate::from_der(der).to_owned())
        .collect()
}

/// Returns the certificates of a text in PEM.
pub fn certificates(pem: &[u8]) -> Vec<Certificate<'static>> {
    let items = parse_pem(pem);
    items
        .filter_map(|item| match item {
            Ok(PemItem::Certificate(certificate)) => Some(certificate.to_owned()),
            _ => None,
        })
        .collect()
}
