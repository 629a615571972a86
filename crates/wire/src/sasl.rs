//! Login of a connection: the client's side of SASL ([RFC
//! 4422](https://www.rfc-editor.org/rfc/rfc4422)).

use std::fmt;

use rsasl::config::SASLConfig;
use rsasl::mechname::Mechname;
use rsasl::prelude::{MessageSent, SASLClient, Session, State};

/// Name and password of a client.
#[derive(Clone, PartialEq, Eq)]
pub struct Login {
    /// Mechanism that passes them to a broker.
    pub mechanism: Mechanism,
    /// Name of the user.
    pub user: String,
    /// Password.
    pub password: String,
}

/// Way of logging in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mechanism {
    /// The password itself is sent: only with TLS is it a secret.
    Plain,
    /// Salted challenge and response with SHA-256.
    ScramSha256,
    /// Salted challenge and response with SHA-512.
    ScramSha512,
}

impl Mechanism {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Plain, Self::ScramSha256, Self::ScramSha512];

    /// Returns the registered name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Plain => "PLAIN",
            Self::ScramSha256 => "SCRAM-SHA-256",
            Self::ScramSha512 => "SCRAM-SHA-512",
        }
    }
}

/// Does not show the password.
impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Login")
            .field("mechanism", &self.mechanism)
            .field("user", &self.user)
            .finish_non_exhaustive()
    }
}

/// Exchange of messages with a broker.
pub(crate) struct Exchange {
    session: Session,
    mechanism: Mechanism,
    is_over: bool,
}

impl Exchange {
    pub(crate) fn new(login: Login) -> Result<Self, String> {
        let config = SASLConfig::with_credentials(None, login.user, login.password)
            .map_err(|error| error.to_string())?;
        let name = login.mechanism.name();
        let name = Mechname::parse(name.as_bytes()).map_err(|error| error.to_string())?;
        let session = SASLClient::new(config)
            .start_suggested(&[name])
            .map_err(|error| error.to_string())?;
        Ok(Self {
            session,
            mechanism: login.mechanism,
            is_over: false,
        })
    }

    pub(crate) fn mechanism(&self) -> Mechanism {
        self.mechanism
    }

    /// Returns the next message for the broker; `None` if the client is logged in. `challenge` is the
    /// broker's message, `None` at the beginning.
    pub(crate) fn answer(&mut self, challenge: Option<&[u8]>) -> Result<Option<Vec<u8>>, String> {
        if self.is_over {
            return Ok(None);
        }
        let mut message = Vec::new();
        match self.session.step(challenge, &mut message) {
            Ok(State::Running) => Ok(Some(message)),
            Ok(State::Finished(sent)) => {
                self.is_over = true;
                Ok(matches!(sent, MessageSent::Yes).then_some(message))
            }
            Err(error) => Err(format!("the broker's part of the login: {error}")),
        }
    }
}

impl fmt::Debug for Exchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exchange").finish_non_exhaustive()
    }
}
