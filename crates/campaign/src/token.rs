//! The access token: one for all calls, renewed before it ends, asked for once however many callers wait.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use http::HeaderValue;
use http::header::CONTENT_TYPE;
use jiff::Timestamp;
use parking_lot::RwLock;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use tokio::sync::Mutex;
use tokio::time::Instant;
use url::Url;

use crate::observer::{Call, Observer, Operation};
use crate::reply::{Reply, shorten};
use crate::retry_after::retry_after;
use crate::{ClientSettings, Connection, Error, Misconfiguration, body};

/// Largest answer of the token endpoint, in bytes.
const MAX_BODY: usize = 64 * 1024;

/// Longest life believed, in seconds: tokens live a day (contracts/campaign.md §1.1).
const MAX_LIFE: u64 = 24 * 3600;

/// Life of a token whose answer does not tell, in seconds.
const DEFAULT_LIFE: u64 = 300;

/// After a failed early renewal, the wait before the next.
const RENEWAL_PAUSE: Duration = Duration::from_secs(30);

/// A bearer token, ready to be sent. Not `Debug`.
pub(crate) struct Token {
    /// The value of the `Authorization` header, marked as sensitive.
    pub(crate) header: HeaderValue,
    /// The token itself.
    secret: SecretString,
    expires_at: Instant,
}

impl Token {
    /// The text without the token, should a server have put it there.
    pub(crate) fn redact(&self, body: Vec<u8>) -> Vec<u8> {
        redact(body, &self.secret)
    }
}

struct Current {
    token: Arc<Token>,
    renew_at: Instant,
}

/// Gets tokens from IMS by client credentials (contracts/campaign.md §1.1) and keeps the last.
pub(crate) struct TokenSource {
    http: reqwest::Client,
    url: Url,
    client_id: String,
    client_secret: SecretString,
    scope: String,
    renewal_margin: Duration,
    observer: Option<Arc<dyn Observer>>,
    current: RwLock<Option<Current>>,
    /// Held while a token is asked for; holds the error of the last attempt, for those who waited for it.
    attempt: Mutex<Option<Error>>,
    attempts: AtomicU64,
}

impl TokenSource {
    pub(crate) fn new(
        http: reqwest::Client,
        connection: &Connection,
        settings: &ClientSettings,
        observer: Option<Arc<dyn Observer>>,
    ) -> Self {
        Self {
            http,
            url: connection.token_url(),
            client_id: connection.client_id.clone(),
            client_secret: connection.client_secret.clone(),
            scope: connection.scopes.join(","),
            renewal_margin: settings.token_renewal_margin,
            observer,
            current: RwLock::new(None),
            attempt: Mutex::new(None),
            attempts: AtomicU64::new(0),
        }
    }

    /// The token to use now.
    pub(crate) async fn current(&self) -> Result<Arc<Token>, Error> {
        let now = Instant::now();
        let (token, renew_at) = match &*self.current.read() {
            Some(current) if now < current.renew_at => return Ok(Arc::clone(&current.token)),
            Some(current) => (Some(Arc::clone(&current.token)), current.renew_at),
            None => (None, now),
        };
        match token {
            Some(token) if now < token.expires_at => Ok(self.renew_early(token, renew_at).await),
            _ => self.fetch_or_share().await,
        }
    }

    /// Forgets a token that the gateway refused, unless a newer one has taken its place.
    pub(crate) fn discard(&self, refused: &Arc<Token>) {
        let mut current = self.current.write();
        if current
            .as_ref()
            .is_some_and(|current| Arc::ptr_eq(&current.token, refused))
        {
            *current = None;
        }
    }

    /// Gets a new token whatever is kept.
    pub(crate) async fn fetch(&self) -> Result<(), Error> {
        let mut last = self.attempt.lock().await;
        self.fetch_locked(&mut last).await.map(drop)
    }

    /// One caller renews; the others go on with the old token, and so does that one if renewing fails: the token is
    /// still good.
    async fn renew_early(&self, token: Arc<Token>, renew_at: Instant) -> Arc<Token> {
        let Ok(mut last) = self.attempt.try_lock() else {
            return token;
        };
        match &*self.current.read() {
            Some(current) if current.renew_at != renew_at => return Arc::clone(&current.token),
            _ => {}
        }
        match self.fetch_locked(&mut last).await {
            Ok(new) => new,
            Err(error) => {
                tracing::warn!(%error, code = error.code(), "early renewal of the campaign token failed");
                if let Some(current) = &mut *self.current.write() {
                    current.renew_at = Instant::now() + RENEWAL_PAUSE;
                }
                token
            }
        }
    }

    /// Whoever waits while another caller asks takes that caller's token or error.
    async fn fetch_or_share(&self) -> Result<Arc<Token>, Error> {
        let seen = self.attempts.load(Ordering::Acquire);
        let mut last = self.attempt.lock().await;
        match &*self.current.read() {
            Some(current) if Instant::now() < current.token.expires_at => return Ok(Arc::clone(&current.token)),
            _ => {}
        }
        if self.attempts.load(Ordering::Acquire) != seen
            && let Some(error) = &*last
        {
            return Err(error.clone());
        }
        self.fetch_locked(&mut last).await
    }

    async fn fetch_locked(&self, last: &mut Option<Error>) -> Result<Arc<Token>, Error> {
        let outcome = self.request().await;
        self.attempts.fetch_add(1, Ordering::Release);
        *last = outcome.as_ref().err().cloned();
        let (token, life) = outcome?;
        let renew_at = token.expires_at - self.renewal_margin.min(life / 5);
        let token = Arc::new(token);
        *self.current.write() = Some(Current {
            token: Arc::clone(&token),
            renew_at,
        });
        Ok(token)
    }

    /// One request to IMS, observed.
    async fn request(&self) -> Result<(Token, Duration), Error> {
        let start = Instant::now();
        let mut status = None;
        let outcome = self.ask(&mut status).await;
        if let Some(observer) = &self.observer {
            observer.call_ended(&Call {
                operation: Operation::Authenticate,
                status,
                duration: start.elapsed(),
            });
        }
        outcome
    }

    async fn ask(&self, status: &mut Option<u16>) -> Result<(Token, Duration), Error> {
        // Life is counted from here: the token is younger than we think, never older.
        let asked_at = Instant::now();
        let request = self
            .http
            .post(self.url.clone())
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        let mut response = request.body(self.form()).send().await.map_err(no_answer)?;
        *status = Some(response.status().as_u16());
        let body = body::read(&mut response, MAX_BODY).await.map_err(no_answer)?;
        if response.status() != http::StatusCode::OK {
            let body = redact(body.bytes, &self.client_secret);
            return Err(refusal(response.status(), response.headers(), &body, Timestamp::now()));
        }
        let answer = serde_json::from_slice::<TokenAnswer>(&body.bytes).ok();
        let Some((answer, header)) =
            answer.and_then(|answer| bearer(&answer.access_token).map(|header| (answer, header)))
        else {
            let reply = Reply::new(
                response.status(),
                response.headers(),
                "the answer holds no access token",
            );
            return Err(Error::Configuration {
                problem: Misconfiguration::ImsUrlWrong,
                reply: Box::new(reply),
            });
        };
        let life = Duration::from_secs(answer.expires_in.unwrap_or(DEFAULT_LIFE).min(MAX_LIFE));
        let token = Token {
            header,
            secret: answer.access_token,
            expires_at: asked_at + life,
        };
        Ok((token, life))
    }

    fn form(&self) -> String {
        url::form_urlencoded::Serializer::new(String::new())
            .append_pair("client_id", &self.client_id)
            .append_pair("client_secret", self.client_secret.expose_secret())
            .append_pair("grant_type", "client_credentials")
            .append_pair("scope", &self.scope)
            .finish()
    }
}

#[derive(Deserialize)]
struct TokenAnswer {
    access_token: SecretString,
    /// Seconds (contracts/campaign.md §0.3 no. 8).
    expires_in: Option<u64>,
}

fn bearer(token: &SecretString) -> Option<HeaderValue> {
    let token = token.expose_secret();
    if token.is_empty() {
        return None;
    }
    let mut header = HeaderValue::from_str(&format!("Bearer {token}")).ok()?;
    header.set_sensitive(true);
    Some(header)
}

/// The error that an unsuccessful answer of IMS stands for, by its `error` and not by its wording (§1.2).
fn refusal(status: http::StatusCode, headers: &http::HeaderMap, body: &[u8], now: Timestamp) -> Error {
    #[derive(Deserialize)]
    struct Refusal {
        error: String,
        #[serde(default)]
        error_description: String,
    }
    let refusal = serde_json::from_slice::<Refusal>(body).ok();
    let text = match &refusal {
        Some(refusal) => format!("{}: {}", refusal.error, refusal.error_description),
        None => shorten(&String::from_utf8_lossy(body), 300),
    };
    let reply = Box::new(Reply::new(status, headers, text.trim_end_matches(": ")));
    let configuration = |problem, reply| Error::Configuration { problem, reply };
    match (status.as_u16(), refusal) {
        (429, _) => Error::Throttled {
            after: retry_after(headers, now),
            reply,
        },
        (408 | 425 | 500..=599, _) => Error::Transient {
            after: retry_after(headers, now),
            reply,
        },
        (_, Some(refusal)) if refusal.error == "invalid_scope" => configuration(Misconfiguration::ScopeMissing, reply),
        (400 | 401 | 403, Some(_)) => Error::Authentication { reply },
        _ => configuration(Misconfiguration::ImsUrlWrong, reply),
    }
}

/// The body without a secret that the server may have echoed.
fn redact(body: Vec<u8>, secret: &SecretString) -> Vec<u8> {
    let secret = secret.expose_secret();
    match std::str::from_utf8(&body) {
        Ok(text) if !secret.is_empty() && text.contains(secret) => text.replace(secret, "[redacted]").into_bytes(),
        _ => body,
    }
}

/// The URL is taken out: it may hold keys of records, and the configuration tells it anyway.
pub(crate) fn no_answer(error: reqwest::Error) -> Error {
    Error::NoAnswer {
        source: Arc::new(error.without_url()),
    }
}
