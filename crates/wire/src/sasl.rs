//! Login of a connection: the client's side of SASL ([RFC
//! 4422](https://www.rfc-editor.org/rfc/rfc4422)).

use std::fmt;

use rsasl::config::SASLConfig;
use rsasl::mechname::Mechname;
use rsasl::prelude::{MessageSent, SASLClient, Session, State};

/// Name and password of a client, or its token.
#[derive(Clone, PartialEq, Eq)]
pub struct Login {
    /// Mechanism that passes them to a broker.
    pub mechanism: Mechanism,
    /// Name of the user; a token has its own.
    pub user: String,
    /// Password or token.
    pub secret: String,
    /// Names and values that are sent with a token, such as the logical cluster ([RFC
    /// 7628](https://www.rfc-editor.org/rfc/rfc7628#section-3.1)).
    pub extensions: Vec<(String, String)>,
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
    /// A token of OAuth 2 is sent ([RFC 7628](https://www.rfc-editor.org/rfc/rfc7628)): only with TLS is
    /// it a secret.
    OauthBearer,
}

impl Mechanism {
    /// All of them.
    pub const ALL: [Self; 4] = [
        Self::Plain,
        Self::ScramSha256,
        Self::ScramSha512,
        Self::OauthBearer,
    ];

    /// Returns the registered name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Plain => "PLAIN",
            Self::ScramSha256 => "SCRAM-SHA-256",
            Self::ScramSha512 => "SCRAM-SHA-512",
            Self::OauthBearer => "OAUTHBEARER",
        }
    }
}

/// Does not show the secret.
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
    steps: Steps,
    mechanism: Mechanism,
    is_over: bool,
}

enum Steps {
    Password(Session),
    Token(Vec<u8>),
}

impl Exchange {
    pub(crate) fn new(login: Login) -> Result<Self, String> {
        let mechanism = login.mechanism;
        let steps = match mechanism {
            Mechanism::OauthBearer => Steps::Token(token_message(&login)?),
            _ => Steps::Password(password_session(login)?),
        };
        Ok(Self {
            steps,
            mechanism,
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
        match &mut self.steps {
            Steps::Password(session) => match session.step(challenge, &mut message) {
                Ok(State::Running) => Ok(Some(message)),
                Ok(State::Finished(sent)) => {
                    self.is_over = true;
                    Ok(matches!(sent, MessageSent::Yes).then_some(message))
                }
                Err(error) => Err(format!("the broker's part of the login: {error}")),
            },
            Steps::Token(message) => match challenge {
                None => Ok(Some(std::mem::take(message))),
                Some([]) => {
                    self.is_over = true;
                    Ok(None)
                }
                // The reason, as JSON.
                Some(reason) => Err(format!(
                    "the broker does not accept the token: {}",
                    String::from_utf8_lossy(reason)
                )),
            },
        }
    }
}

impl fmt::Debug for Exchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exchange").finish_non_exhaustive()
    }
}

fn password_session(login: Login) -> Result<Session, String> {
    let config = SASLConfig::with_credentials(None, login.user, login.secret)
        .map_err(|error| error.to_string())?;
    let name = login.mechanism.name();
    let name = Mechname::parse(name.as_bytes()).map_err(|error| error.to_string())?;
    SASLClient::new(config)
        .start_suggested(&[name])
        .map_err(|error| error.to_string())
}

/// Returns the message with the token. Refuses a text that can't be a token ([RFC
/// 6750](https://www.rfc-editor.org/rfc/rfc6750#section-2.1)) or an extension: another character would end the
/// message early.
fn token_message(login: &Login) -> Result<Vec<u8>, String> {
    let token = &login.secret;
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte);
    if token.is_empty() || !token.bytes().all(is_allowed) {
        return Err(
            "the token of OAuth is not a token: it has other characters than letters, digits \
             and - . _ ~ + / ="
                .to_owned(),
        );
    }
    let mut message = format!("n,,\x01auth=Bearer {token}\x01");
    for (name, value) in &login.extensions {
        let is_name = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphabetic());
        let is_value = value.bytes().all(|byte| matches!(byte, b' '..=b'~'));
        if !is_name || !is_value || name == "auth" {
            return Err(format!(
                "the extension `{}` of the token is not possible: its name has letters only and is not \
                 `auth`, and its value has printable characters of ASCII only",
                name.escape_debug()
            ));
        }
        message.extend([name, "=", value, "\x01"]);
    }
    message.push('\x01');
    Ok(message.into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(secret: &str) -> Login {
        Login {
            mechanism: Mechanism::OauthBearer,
            user: String::new(),
            secret: secret.to_owned(),
            extensions: Vec::new(),
        }
    }

    #[test]
    fn token_is_sent_once_and_the_empty_answer_ends_the_login() {
        let mut exchange = Exchange::new(token("a.b-c=")).unwrap();
        let message = exchange.answer(None).unwrap().unwrap();
        assert_eq!(message, b"n,,\x01auth=Bearer a.b-c=\x01\x01");
        assert_eq!(exchange.answer(Some(b"")).unwrap(), None);
    }

    #[test]
    fn extensions_follow_the_token() {
        let extended = |name: &str, value: &str| Login {
            extensions: vec![(name.to_owned(), value.to_owned())],
            ..token("t")
        };
        let mut exchange = Exchange::new(extended("logicalCluster", "lkc-1")).unwrap();
        let message = exchange.answer(None).unwrap().unwrap();
        assert_eq!(
            message,
            b"n,,\x01auth=Bearer t\x01logicalCluster=lkc-1\x01\x01"
        );
        for (name, value) in [("", "x"), ("auth", "x"), ("a b", "x"), ("a", "x\x01auth=y")] {
            let refusal = Exchange::new(extended(name, value)).unwrap_err();
            assert!(refusal.contains("extension"), "{refusal}");
        }
    }

    #[test]
    fn refused_token_is_an_error_with_the_reason() {
        let mut exchange = Exchange::new(token("a.b.c")).unwrap();
        exchange.answer(None).unwrap();
        let refusal = exchange.answer(Some(br#"{"status":"invalid_token"}"#));
        assert!(refusal.unwrap_err().contains("invalid_token"));
    }

    #[test]
    fn text_that_is_not_a_token_is_refused_and_not_repeated() {
        for text in ["", "hunter2\x01", "hunter2 hunter2", "hunter2\n"] {
            let refusal = Exchange::new(token(text)).unwrap_err();
            assert!(refusal.contains("is not a token"), "{refusal}");
            assert!(!refusal.contains("hunter2"), "{refusal}");
        }
    }
}
