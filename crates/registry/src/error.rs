//! Errors of a registry, or of the way to it.

use crate::connection::{BEARER_TOKEN, CA_LOCATION, USER_INFO};

/// Reason for which a request to a registry failed. No text has credentials.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The settings can't be used.
    #[error("{0}")]
    Settings(String),
    /// Nothing answers at the address.
    #[error(
        "the schema registry at {url} does not answer: {reason}; check the address, and that the registry runs"
    )]
    Unreachable {
        /// Address of the registry.
        url: String,
        /// Reason of the system.
        reason: String,
    },
    /// The TLS handshake failed.
    #[error(
        "TLS with the schema registry at {url} failed: {reason}; if a private CA signed its certificate, name its file in {CA_LOCATION} or `schema_registry.ca`"
    )]
    Tls {
        /// Address of the registry.
        url: String,
        /// Reason of the TLS library.
        reason: String,
    },
    /// The registry does not know who asks.
    #[error("the schema registry at {url} refused the login ({status}){}", login_advice(*.given))]
    Login {
        /// Address of the registry.
        url: String,
        /// HTTP status.
        status: u16,
        /// Whether the request had credentials.
        given: bool,
    },
    /// The registry knows who asks, and refuses the request.
    #[error(
        "the schema registry at {url} does not allow this user to {action}; ask its administrator for the right"
    )]
    Forbidden {
        /// Address of the registry.
        url: String,
        /// Requested action, as a verb with its object.
        action: String,
    },
    /// The answer is not that of a registry.
    #[error(
        "{url} does not answer as a schema registry does (HTTP status {status}); check the path of the address, which for Apicurio Registry ends with /apis/ccompat/v7"
    )]
    NotARegistry {
        /// Address of the registry.
        url: String,
        /// HTTP status.
        status: u16,
    },
    /// The registry refuses the content of the request.
    #[error("the schema registry refused to {action}: {message}")]
    Refused {
        /// Requested action, as a verb with its object.
        action: String,
        /// HTTP status.
        status: u16,
        /// Code of the registry; 0 if it has none.
        code: u64,
        /// Message of the registry.
        message: String,
    },
    /// The registry failed.
    #[error("the schema registry at {url} failed to {action} (HTTP status {status}): {message}")]
    Failed {
        /// Address of the registry.
        url: String,
        /// Requested action, as a verb with its object.
        action: String,
        /// HTTP status.
        status: u16,
        /// Message of the registry.
        message: String,
    },
}

fn login_advice(given: bool) -> String {
    if given {
        format!("; check user and password in {USER_INFO}, or the token in {BEARER_TOKEN}")
    } else {
        format!(
            "; no credentials were given: set {USER_INFO} to USER:PASSWORD, or {BEARER_TOKEN} to a token"
        )
    }
}

impl Error {
    /// Whether the same request may succeed later without a change of settings.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Unreachable { .. } | Self::Failed { .. })
    }
}
