//! Security of a connection: TLS and a login.

use std::fmt;
use std::sync::Arc;

use crate::sasl::Login;
use crate::tls::Tls;

/// Source of a value with secrets. It is asked for each connection, so that the next one uses what
/// was rotated.
#[derive(Clone)]
pub struct Source<T>(Arc<dyn Fn() -> Result<T, String> + Send + Sync>);

/// Trust of the connections of a producer.
#[derive(Clone, Debug, Default)]
pub struct Security {
    /// `None`: connections are not encrypted.
    pub tls: Option<Source<Tls>>,
    /// `None`: the client does not log in.
    pub login: Option<Source<Login>>,
    /// Reads what `login` needs, before each connection and on a thread of its own: it may take its time. `login`
    /// tells its error.
    pub preparation: Option<Source<()>>,
}

/// Reason why no broker can be reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// Kind of the failure.
    pub kind: TroubleKind,
    /// Address and cause, without secrets of this client. It may quote a broker.
    pub cause: String,
}

/// Step of a connection that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TroubleKind {
    /// The connection, or an answer in time.
    Network,
    /// TLS: a certificate, or another protocol.
    Tls,
    /// The login.
    Login,
}

impl<T> Source<T> {
    /// Creates a source from a function, whose error has no secret in its text.
    pub fn new(read: impl Fn() -> Result<T, String> + Send + Sync + 'static) -> Self {
        Self(Arc::new(read))
    }

    pub(crate) fn read(&self) -> Result<T, String> {
        (self.0)()
    }
}

impl<T> fmt::Debug for Source<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Source")
    }
}

impl Trouble {
    pub(crate) fn new(kind: TroubleKind, cause: impl Into<String>) -> Self {
        Self {
            kind,
            cause: cause.into(),
        }
    }

    pub(crate) fn network(cause: impl Into<String>) -> Self {
        Self::new(TroubleKind::Network, cause)
    }

    pub(crate) fn login(cause: impl Into<String>) -> Self {
        Self::new(TroubleKind::Login, cause)
    }

    /// Puts the address in front.
    pub(crate) fn at(self, address: &str) -> Self {
        Self {
            cause: format!("{address}: {}", self.cause),
            ..self
        }
    }
}
