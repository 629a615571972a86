//! Tokens of OAuth 2 for logins: given, from a provider, or fetched with the credentials of the client
//! ([RFC 6749, 4.4](https://www.rfc-editor.org/rfc/rfc6749#section-4.4)).

use std::fmt;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use herald_http::Certificate;
use herald_http::ureq::http::Uri;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::config::{KafkaOptions, TOKEN};
use crate::clock::lock;
use crate::failure::Failure;

// Properties, as librdkafka names them.
pub(super) const METHOD: &str = "sasl.oauthbearer.method";
const CLIENT_ID: &str = "sasl.oauthbearer.client.id";
const CLIENT_SECRET: &str = "sasl.oauthbearer.client.secret";
const ENDPOINT: &str = "sasl.oauthbearer.token.endpoint.url";
const SCOPE: &str = "sasl.oauthbearer.scope";
const EXTENSIONS: &str = "sasl.oauthbearer.extensions";
const CA_LOCATION: &str = "https.ca.location";
const CA_PEM: &str = "https.ca.pem";

/// Properties of the login with a token. librdkafka does not get them: it has no HTTP client here.
const PROPERTIES: &[&str] = &[
    TOKEN,
    METHOD,
    CLIENT_ID,
    CLIENT_SECRET,
    ENDPOINT,
    SCOPE,
    EXTENSIONS,
    CA_LOCATION,
    CA_PEM,
];

/// Time that the endpoint may take.
const TIMEOUT: Duration = Duration::from_secs(8);
const POLL_INTERVAL: Duration = Duration::from_millis(20);
const MAX_ANSWER_BYTES: u64 = 1 << 20;

/// Lifetime of a token that tells none.
const DEFAULT_LIFETIME: Duration = Duration::from_secs(300);

/// Returns whether a property is for the login with a token.
pub(super) fn has_property(canonical: &str) -> bool {
    PROPERTIES.contains(&canonical)
}

/// Token for the login of a client.
pub struct LoginToken {
    text: String,
    lifetime: Option<Duration>,
}

impl LoginToken {
    /// Creates a token. A JSON Web Token tells its lifetime; another one is taken to live for 5 minutes.
    pub fn new(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            lifetime: None,
        }
    }

    /// Sets the time for which the token is valid.
    #[must_use]
    pub fn lifetime(mut self, lifetime: Duration) -> Self {
        self.lifetime = Some(lifetime);
        self
    }
}

/// Omits the token.
impl fmt::Debug for LoginToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoginToken")
            .field("lifetime", &self.lifetime)
            .finish_non_exhaustive()
    }
}

/// Provider of tokens for logins with `OAUTHBEARER`, such as those that a cloud signs.
pub trait TokenProvider: Send + Sync + 'static {
    /// Returns a new token. Called before the first login, and again on another thread after three quarters
    /// of the lifetime of the last token. May block for some seconds.
    ///
    /// # Errors
    /// A sentence for people, without secrets.
    fn token(&self) -> Result<LoginToken, String>;
}

/// Origin of the tokens of a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TokenSource {
    /// A property, usually a file that another program keeps fresh.
    Given,
    /// A token endpoint, or a provider.
    Fetched,
}

impl TokenSource {
    /// Returns the source; `None` if the client logs in in another way.
    ///
    /// # Errors
    /// The method is unknown, or a token provider is set without `sasl.mechanism=OAUTHBEARER`.
    pub(super) fn of(options: &KafkaOptions) -> Result<Option<Self>, Failure> {
        let has_provider = options.provider().is_some();
        if options.text("sasl.mechanisms") != Some("OAUTHBEARER") {
            return if has_provider {
                Err(Failure::invalid_property(
                    "a token provider needs sasl.mechanism=OAUTHBEARER, and security.protocol=sasl_ssl",
                ))
            } else {
                Ok(None)
            };
        }
        if has_provider {
            return Ok(Some(Self::Fetched));
        }
        match options.text(METHOD).unwrap_or("default") {
            "default" => Ok(options.texts().contains_key(TOKEN).then_some(Self::Given)),
            "oidc" => Ok(Some(Self::Fetched)),
            other => Err(Failure::invalid_property(format!(
                "{METHOD}={other} is not possible: expected default or oidc"
            ))),
        }
    }

    /// Checks what can be known before a connection. Errors have no secrets.
    pub(super) fn check(self, options: &KafkaOptions) -> Result<(), String> {
        extensions(options)?;
        match self {
            Self::Given => self.token(options).map(drop),
            Self::Fetched if options.provider().is_some() => Ok(()),
            Self::Fetched => Request::new(options).map(drop),
        }
    }

    /// Waits until there is a token, or a reason why there is none.
    pub(super) fn prepare(self, options: &KafkaOptions) {
        if self == Self::Fetched {
            options.tokens().prepare(options);
        }
    }

    /// Returns a token, without waiting for one.
    pub(super) fn token(self, options: &KafkaOptions) -> Result<Token, String> {
        match self {
            Self::Given => {
                let text = options.reveal(TOKEN).map_err(|failure| failure.detail)?;
                Ok(Token::new(text.unwrap_or_default(), None))
            }
            Self::Fetched => options.tokens().current(options),
        }
    }
}

/// Tokens that were fetched. Clones share them.
#[derive(Clone, Default)]
pub(super) struct Tokens(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    token: Option<Token>,
    /// Reason why the last attempt failed.
    failure: Option<String>,
    /// Start of the attempt that is under way. An old one is forgotten: after a fork its thread is gone.
    attempt: Option<Instant>,
}

/// Token, whose text is secret.
#[derive(Clone)]
pub(super) struct Token {
    pub(super) text: String,
    fetched: Instant,
    lifetime: Duration,
}

/// Part of a JSON Web Token that matters here.
#[derive(Default, Deserialize)]
struct Claims {
    /// End of its lifetime, in seconds since 1970.
    exp: Option<f64>,
}

impl Token {
    /// Creates a token with the lifetime that it came with, else with the one that it tells.
    fn new(text: String, lifetime: Option<Duration>) -> Self {
        let told = || {
            let now = SystemTime::now().duration_since(UNIX_EPOCH).ok()?;
            let end = Duration::try_from_secs_f64(claims::<Claims>(&text).exp?).ok()?;
            Some(end.saturating_sub(now))
        };
        let lifetime = lifetime.or_else(told).unwrap_or(DEFAULT_LIFETIME);
        Self {
            text,
            fetched: Instant::now(),
            lifetime,
        }
    }

    pub(super) fn left(&self) -> Duration {
        self.lifetime.saturating_sub(self.fetched.elapsed())
    }

    fn is_valid(&self) -> bool {
        !self.left().is_zero()
    }

    /// Returns whether most of the lifetime is over.
    fn is_old(&self) -> bool {
        self.left() < self.lifetime / 4
    }
}

impl State {
    /// Begins an attempt, unless one is under way.
    fn begin(&mut self) -> bool {
        let is_free = self
            .attempt
            .is_none_or(|began| began.elapsed() > 2 * TIMEOUT);
        if is_free {
            self.attempt = Some(Instant::now());
        }
        is_free
    }
}

impl Tokens {
    /// Returns the token that was fetched last. An old one is fetched again meanwhile.
    fn current(&self, options: &KafkaOptions) -> Result<Token, String> {
        let mut state = lock(&self.0);
        let is_old = state.token.as_ref().is_some_and(Token::is_old);
        if is_old && state.begin() {
            let (tokens, options) = (self.clone(), options.clone());
            let fetching = thread::Builder::new().name("herald-token".to_owned());
            if fetching.spawn(move || tokens.attempt(&options)).is_err() {
                state.attempt = None;
            }
        }
        match &state.token {
            Some(token) if token.is_valid() => Ok(token.clone()),
            _ => Err(state
                .failure
                .clone()
                .unwrap_or_else(|| "the token is not fetched yet".to_owned())),
        }
    }

    /// Fetches a token, unless there is a valid one, and waits for it.
    fn prepare(&self, options: &KafkaOptions) {
        let end = Instant::now() + TIMEOUT;
        loop {
            let mut state = lock(&self.0);
            if state.token.as_ref().is_some_and(Token::is_valid) {
                return;
            }
            if state.begin() {
                drop(state);
                return self.attempt(options);
            }
            drop(state);
            if Instant::now() >= end {
                return;
            }
            thread::sleep(POLL_INTERVAL);
        }
    }

    fn attempt(&self, options: &KafkaOptions) {
        let fetched = fetch(options);
        let mut state = lock(&self.0);
        state.attempt = None;
        match fetched {
            Ok(token) => {
                state.token = Some(token);
                state.failure = None;
            }
            Err(failure) => {
                if state.token.as_ref().is_some_and(Token::is_valid) {
                    tracing::warn!(
                        target: "herald::kafka",
                        error = %failure,
                        "the token for the login was not renewed; the old one is valid for a while",
                    );
                }
                state.failure = Some(failure);
            }
        }
    }
}

/// Fetches a token from the provider, else from the token endpoint.
fn fetch(options: &KafkaOptions) -> Result<Token, String> {
    let Some(provider) = options.provider() else {
        return Request::new(options)?.send();
    };
    let LoginToken { text, lifetime } = provider.token()?;
    if text.is_empty() {
        return Err("the token of the provider is empty".to_owned());
    }
    Ok(Token::new(text, lifetime))
}

/// Request for a token.
struct Request {
    endpoint: Uri,
    client_id: String,
    client_secret: String,
    scope: Option<String>,
    roots: Vec<Certificate<'static>>,
}

#[derive(Deserialize)]
struct Answer {
    access_token: Option<String>,
    /// Seconds; some endpoints write them as text.
    expires_in: Option<serde_json::Value>,
    error: Option<String>,
    error_description: Option<String>,
}

impl Request {
    /// Reads what the request needs. Errors have no secrets.
    fn new(options: &KafkaOptions) -> Result<Self, String> {
        let read = |name: &str| {
            options
                .reveal(name)
                .map_err(|failure| format!("{name}: {}", failure.detail))
        };
        let needed = |name: &str| {
            read(name)?.ok_or_else(|| format!("{name} is missing, which {METHOD}=oidc needs"))
        };
        let endpoint = endpoint(&needed(ENDPOINT)?)?;
        let roots = match endpoint.scheme_str() {
            Some("https") => roots(read(CA_PEM)?, read(CA_LOCATION)?)?,
            _ => Vec::new(),
        };
        Ok(Self {
            endpoint,
            client_id: needed(CLIENT_ID)?,
            client_secret: needed(CLIENT_SECRET)?,
            scope: read(SCOPE)?,
            roots,
        })
    }

    fn send(&self) -> Result<Token, String> {
        let config = herald_http::client(&self.roots)
            // The credentials are for this address alone.
            .max_redirects(0)
            .max_redirects_will_error(false)
            .timeout_global(Some(TIMEOUT))
            .build();
        let agent = config.new_agent();
        let encoded = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
        let credentials = format!(
            "{}:{}",
            encoded(&self.client_id),
            encoded(&self.client_secret)
        );
        let mut form = "grant_type=client_credentials".to_owned();
        if let Some(scope) = &self.scope {
            form.extend(["&scope=", &encoded(scope)]);
        }
        let url = &self.endpoint;
        let mut response = agent
            .post(url)
            .header("accept", "application/json")
            .header("content-type", "application/x-www-form-urlencoded")
            .header(
                "authorization",
                format!("Basic {}", STANDARD.encode(credentials)),
            )
            .send(form)
            .map_err(|error| format!("the token endpoint {url} does not answer: {error}"))?;
        let status = response.status().as_u16();
        let body = response
            .body_mut()
            .with_config()
            .limit(MAX_ANSWER_BYTES)
            .read_to_vec();
        let body =
            body.map_err(|error| format!("the answer of the token endpoint {url}: {error}"))?;
        let answer: Option<Answer> = serde_json::from_slice(&body).ok();
        match answer {
            Some(Answer {
                access_token: Some(text),
                expires_in,
                ..
            }) if status == 200 => Ok(Token::new(text, expires_in.as_ref().and_then(seconds))),
            Some(Answer {
                error: Some(error),
                error_description,
                ..
            }) => Err(format!(
                "the token endpoint {url} refuses the client: {} (HTTP status {status}); check {CLIENT_ID}, \
                 {CLIENT_SECRET} and {SCOPE}",
                [Some(error), error_description]
                    .into_iter()
                    .flatten()
                    .collect::<Vec<_>>()
                    .join(", "),
            )),
            _ => Err(format!(
                "{url} does not answer as a token endpoint of OAuth 2 does (HTTP status {status}); check \
                 {ENDPOINT}"
            )),
        }
    }
}

/// Parses the address of a token endpoint: with TLS, or on this machine.
fn endpoint(text: &str) -> Result<Uri, String> {
    let problem = |what: &str| format!("{ENDPOINT} {what}");
    let uri: Uri = text
        .parse()
        .map_err(|_| problem("is not an address, such as https://id.example/oauth2/token"))?;
    let host = uri.host().unwrap_or_default().trim_matches(['[', ']']);
    if uri.authority().is_some_and(|it| it.as_str().contains('@')) {
        // The address is shown in messages.
        return Err(problem(&format!(
            "must not have a user or a password: set {CLIENT_ID} and {CLIENT_SECRET}"
        )));
    }
    let is_here = host == "localhost" || host.parse().is_ok_and(|it: IpAddr| it.is_loopback());
    match uri.scheme_str() {
        Some("https") => Ok(uri),
        Some("http") if is_here => Ok(uri),
        _ => Err(problem(
            "must begin with https:// unless it is on this machine: others could read the secret",
        )),
    }
}

/// Returns the certificates that may sign that of the endpoint: the given ones, else those that the platform
/// trusts.
fn roots(pem: Option<String>, path: Option<String>) -> Result<Vec<Certificate<'static>>, String> {
    let (name, pem) = match (pem, path) {
        (Some(pem), _) => (CA_PEM.to_owned(), pem.into_bytes()),
        (None, Some(path)) => {
            let name = format!("{CA_LOCATION}={path}");
            let pem = std::fs::read(&path);
            let pem = pem.map_err(|error| format!("{name} can't be read: {error}"))?;
            (name, pem)
        }
        (None, None) => {
            return Ok(herald_http::platform_roots());
        }
    };
    let certificates = herald_http::certificates(&pem);
    if certificates.is_empty() {
        return Err(format!("{name} has no certificate; expected PEM"));
    }
    Ok(certificates)
}

fn seconds(value: &serde_json::Value) -> Option<Duration> {
    let number = value.as_f64().or_else(|| value.as_str()?.parse().ok())?;
    Duration::try_from_secs_f64(number).ok()
}

/// Returns what a JSON Web Token tells ([RFC 7519](https://www.rfc-editor.org/rfc/rfc7519#section-4.1)); nothing
/// if it is another token.
pub(super) fn claims<C: DeserializeOwned + Default>(token: &str) -> C {
    let part = token.split('.').nth(1).unwrap_or_default();
    let claims = URL_SAFE_NO_PAD.decode(part).unwrap_or_default();
    serde_json::from_slice(&claims).unwrap_or_default()
}

/// Parses `NAME=VALUE,NAME=VALUE`.
pub(super) fn extensions(options: &KafkaOptions) -> Result<Vec<(String, String)>, String> {
    let text = options
        .reveal(EXTENSIONS)
        .map_err(|failure| failure.detail)?;
    let text = text.unwrap_or_default();
    let pairs = text
        .split(',')
        .map(str::trim)
        .filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| match pair.split_once('=') {
            Some((name, value)) => Ok((name.trim().to_owned(), value.trim().to_owned())),
            None => Err(format!(
                "{EXTENSIONS}: expected NAME=VALUE, separated by commas"
            )),
        })
        .collect()
}
