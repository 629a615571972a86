//! Tokens for logins, from a function of the program.

use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use herald_publish::kafka::{LoginToken, TokenProvider};
use pyo3::prelude::*;

use super::logging::call_python;

/// Time that the function may take.
const TIMEOUT: Duration = Duration::from_secs(8);

/// Function in Python that returns tokens.
pub struct PythonTokens(Arc<Py<PyAny>>);

impl PythonTokens {
    pub fn new(function: Py<PyAny>) -> Self {
        Self(Arc::new(function))
    }
}

impl TokenProvider for PythonTokens {
    fn token(&self) -> Result<LoginToken, String> {
        let (sender, receiver) = sync_channel(1);
        let function = self.0.clone();
        call_python(move |py| {
            // Python's thread waits for the function: a thread of Rust that is in Python when the
            // interpreter ends would abort the process.
            let start = py.import("herald._tokens")?.getattr("start")?;
            start.call1((&*function, TokenAnswer(sender)))?;
            Ok(())
        });
        match receiver.recv_timeout(TIMEOUT) {
            Ok(Ok((text, end))) => {
                let token = LoginToken::new(text);
                Ok(match end {
                    Some(end) => token.lifetime(until(end)),
                    None => token,
                })
            }
            Ok(Err(problem)) => Err(format!("the token provider failed: {problem}")),
            Err(RecvTimeoutError::Timeout) => Err(format!(
                "the token provider did not return within {} s",
                TIMEOUT.as_secs()
            )),
            Err(RecvTimeoutError::Disconnected) => {
                Err("the token provider could not be called".to_owned())
            }
        }
    }
}

/// Returns the time until a time in seconds since 1970.
fn until(end: f64) -> Duration {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let now = now.unwrap_or_default().as_secs_f64();
    Duration::try_from_secs_f64(end - now).unwrap_or_default()
}

/// Receiver of the token, or of the reason why there is none.
#[pyclass(frozen, module = "herald._herald")]
pub struct TokenAnswer(SyncSender<Answer>);

/// Text of the token and the end of its lifetime in seconds since 1970, or a problem.
type Answer = Result<(String, Option<f64>), String>;

#[pymethods]
impl TokenAnswer {
    #[pyo3(signature = (text, end=None))]
    fn token(&self, text: String, end: Option<f64>) {
        // Nobody waits any more if it took too long.
        let _ = self.0.try_send(Ok((text, end)));
    }

    fn failed(&self, problem: String) {
        let _ = self.0.try_send(Err(problem));
    }
}
