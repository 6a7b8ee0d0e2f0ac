//! Access tokens: cached, renewed before they end, and asked for once however many callers wait
//! (contracts/dataverse.md §1).

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use http::HeaderValue;
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use tokio::sync::Mutex;
use tokio::time::Instant;
use url::Url;

use crate::Error;
use crate::answer::{EntraAnswer, classify_entra, retry_after};
use crate::http_client::HttpClient;
use crate::observer::Operation;

/// Longest answer of the token endpoint accepted, in bytes.
const ANSWER_BYTES: usize = 64 << 10;

/// The longest lifetime an administrator can configure.
const LONGEST_LIFETIME: Duration = Duration::from_secs(24 * 60 * 60);

/// How long to wait before an early renewal that failed is tried again.
const RENEWAL_PAUSE: Duration = Duration::from_secs(10);

/// An access token, ready to be sent.
#[derive(Debug, Clone)]
pub(crate) struct Token {
    /// The `Authorization` header, marked sensitive so that no log shows it.
    pub(crate) header: HeaderValue,
    /// Tells this token from earlier and later ones.
    serial: u64,
    renew_at: Instant,
    expires_at: Instant,
}

/// What is sent to the token endpoint.
pub(crate) struct Credentials {
    pub(crate) endpoint: Url,
    pub(crate) scope: String,
    pub(crate) client_id: String,
    pub(crate) client_secret: SecretString,
}

/// The one place tokens come from.
pub(crate) struct TokenSource {
    credentials: Credentials,
    renewal_margin: Duration,
    /// Held while a token is being asked for; whoever waits for it finds the outcome.
    state: Mutex<State>,
    /// Number of requests that have ended, with a token or without. A caller that sees it rise while it waits shares
    /// the outcome instead of asking again.
    ended: AtomicU64,
}

#[derive(Default)]
struct State {
    token: Option<Token>,
    last_failure: Option<Error>,
}

#[derive(Deserialize)]
struct Granted {
    access_token: SecretString,
    /// Seconds from now.
    expires_in: u64,
}

impl TokenSource {
    pub(crate) fn new(credentials: Credentials, renewal_margin: Duration) -> Self {
        Self {
            credentials,
            renewal_margin,
            state: Mutex::default(),
            ended: AtomicU64::new(0),
        }
    }

    /// The current token, or a new one.
    pub(crate) async fn token(&self, http: &HttpClient) -> Result<Token, Error> {
        let ended_before = self.ended.load(Ordering::Acquire);
        let mut state = self.state.lock().await;
        let now = Instant::now();
        let present = state.token.take_if(|token| now < token.expires_at);
        if let Some(token) = present.as_ref().filter(|token| now < token.renew_at) {
            state.token.clone_from(&present);
            return Ok(token.clone());
        }
        let has_just_failed = self.ended.load(Ordering::Acquire) > ended_before;
        if let Some(failure) = state.last_failure.as_ref().filter(|_| has_just_failed) {
            return Err(failure.clone());
        }
        let serial = self.ended.load(Ordering::Acquire);
        let outcome = self.request(http).await;
        let outcome = outcome.and_then(|granted| self.keep(&granted, serial, now));
        self.ended.fetch_add(1, Ordering::AcqRel);
        state.last_failure = outcome.as_ref().err().cloned();
        let outcome = match (outcome, present) {
            // Early renewal is only a precaution; the token is still good.
            (Err(error), Some(mut token)) => {
                tracing::warn!(%error, code = error.code(), "early renewal of the Dynamics token failed");
                token.renew_at = Instant::now() + RENEWAL_PAUSE;
                state.last_failure = None;
                Ok(token)
            }
            (outcome, _) => outcome,
        };
        state.token = outcome.as_ref().ok().cloned();
        outcome
    }

    /// Drops a token that the environment refused, unless a newer one has taken its place.
    pub(crate) async fn forget(&self, refused: &Token) {
        let mut state = self.state.lock().await;
        if state.token.as_ref().is_some_and(|token| token.serial == refused.serial) {
            state.token = None;
        }
    }

    async fn request(&self, http: &HttpClient) -> Result<Granted, Error> {
        let request = http.client.post(self.credentials.endpoint.clone()).form(&[
            ("client_id", self.credentials.client_id.as_str()),
            ("scope", self.credentials.scope.as_str()),
            ("client_secret", self.credentials.client_secret.expose_secret()),
            ("grant_type", "client_credentials"),
        ]);
        let answer = http.exchange(Operation::Token, request, ANSWER_BYTES).await?;
        if answer.status.is_success() {
            return serde_json::from_slice(&answer.body)
                .map_err(|error| Error::from_json(Operation::Token.name(), error));
        }
        let after = retry_after(&answer.headers, Timestamp::now());
        Err(classify_entra(
            EntraAnswer::new(answer.status.as_u16(), &answer.body),
            after,
        ))
    }

    /// A token's life counts from when it was asked for.
    fn keep(&self, granted: &Granted, serial: u64, asked_at: Instant) -> Result<Token, Error> {
        let mut header =
            HeaderValue::try_from(format!("Bearer {}", granted.access_token.expose_secret())).map_err(|_| {
                Error::Unexpected {
                    operation: Operation::Token.name(),
                    reason: "the access token cannot stand in a header".to_owned(),
                }
            })?;
        header.set_sensitive(true);
        let lifetime = Duration::from_secs(granted.expires_in).min(LONGEST_LIFETIME);
        let margin = self.renewal_margin.min(lifetime / 4);
        Ok(Token {
            header,
            serial,
            renew_at: asked_at + (lifetime - margin),
            expires_at: asked_at + lifetime,
        })
    }
}
