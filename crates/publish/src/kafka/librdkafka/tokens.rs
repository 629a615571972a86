//! Tokens for clients of librdkafka, which has no HTTP client here.

use std::ffi::{CString, c_char};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use rdkafka::bindings as ffi;
use rdkafka::client::{Client, ClientContext};
use serde::Deserialize;

use crate::failure::Failure;
use crate::kafka::config::KafkaOptions;
use crate::kafka::oauth::{Token, TokenSource, claims, extensions};

/// Time after which a client without a token tries again.
const RETRY_INTERVAL: Duration = Duration::from_secs(1);

/// Gives tokens to a client of librdkafka.
pub(super) struct TokenKeeper {
    source: TokenSource,
    options: KafkaOptions,
    next: Instant,
}

impl TokenKeeper {
    /// Creates a keeper, if the client logs in with tokens.
    ///
    /// # Errors
    /// See [`TokenSource::of`] and [`TokenSource::check`].
    pub(super) fn new(options: &KafkaOptions) -> Result<Option<Self>, Failure> {
        let Some(source) = TokenSource::of(options)? else {
            return Ok(None);
        };
        source.check(options).map_err(Failure::invalid_property)?;
        Ok(Some(Self {
            source,
            options: options.clone(),
            next: Instant::now(),
        }))
    }

    /// Gives the client a token when it has none or an old one. Waits only for the first one. The client hears
    /// of a failure too.
    pub(super) fn keep<C: ClientContext>(&mut self, client: &Client<C>) -> Result<(), String> {
        if Instant::now() < self.next {
            return Ok(());
        }
        self.source.prepare(&self.options);
        let given = self.source.token(&self.options).and_then(|token| {
            give(client, &token, &extensions(&self.options)?)?;
            Ok(token.left() * 3 / 4)
        });
        let pause = *given.as_ref().unwrap_or(&RETRY_INTERVAL);
        self.next = Instant::now() + pause.max(RETRY_INTERVAL);
        given
            .map(drop)
            .inspect_err(|problem| refuse(client, problem))
    }
}

/// Gives a client of librdkafka a token.
#[expect(unsafe_code, reason = "librdkafka is in C")]
fn give<C: ClientContext>(
    client: &Client<C>,
    token: &Token,
    extensions: &[(String, String)],
) -> Result<(), String> {
    let c_text = |text: &str| {
        CString::new(text).map_err(|_| "the token of OAuth is not possible: a zero byte".to_owned())
    };
    let text = c_text(&token.text)?;
    let principal = c_text(&principal(token))?;
    let pairs = extensions.iter().flat_map(|(name, value)| [name, value]);
    let pairs: Vec<_> = pairs.map(|part| c_text(part)).collect::<Result<_, _>>()?;
    let mut pointers: Vec<*const c_char> = pairs.iter().map(|part| part.as_ptr()).collect();
    let end = SystemTime::now() + token.left();
    let end = end.duration_since(UNIX_EPOCH).unwrap_or_default();
    let mut reason = [0_u8; 512];
    // SAFETY: the client and all texts outlive the call, which copies them; the reason fits.
    let code = unsafe {
        ffi::rd_kafka_oauthbearer_set_token(
            client.native_ptr(),
            text.as_ptr(),
            i64::try_from(end.as_millis()).unwrap_or(i64::MAX),
            principal.as_ptr(),
            pointers.as_mut_ptr(),
            pointers.len(),
            reason.as_mut_ptr().cast(),
            reason.len(),
        )
    };
    if code == ffi::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR {
        return Ok(());
    }
    let reason = reason.split(|byte| *byte == 0).next().unwrap_or_default();
    Err(format!(
        "the token of OAuth is not possible: {}",
        String::from_utf8_lossy(reason)
    ))
}

#[derive(Default, Deserialize)]
struct Claims {
    sub: Option<String>,
}

/// Returns the name of the user, which librdkafka wants; brokers do not see it.
fn principal(token: &Token) -> String {
    let Claims { sub } = claims(&token.text);
    sub.unwrap_or_else(|| "herald".to_owned())
}

/// Tells a client of librdkafka why it gets no token.
#[expect(unsafe_code, reason = "librdkafka is in C")]
fn refuse<C: ClientContext>(client: &Client<C>, problem: &str) {
    let problem = CString::new(problem.replace('\0', "")).unwrap_or_default();
    // SAFETY: the client and the text outlive the call, which copies the text.
    unsafe {
        ffi::rd_kafka_oauthbearer_set_token_failure(client.native_ptr(), problem.as_ptr());
    }
}
