//! The access token of an instance, asked for at IMS by client credentials (contracts/campaign.md §1.1).

use std::sync::Arc;
use std::time::Duration;

use crosswalk_runtime::token::{Issued, TokenCache};
use http::HeaderValue;
use http::header::CONTENT_TYPE;
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use tokio::time::Instant;
use url::Url;

use crate::observer::{Call, Observer, Operation};
use crate::reply::{Reply, shorten};
use crate::retry_after::retry_after;
use crate::{ClientSettings, Connection, Error, Misconfiguration, body};

/// Largest answer of the token endpoint, in bytes.
const MAX_BODY: usize = 64 * 1024;

/// Life of a token whose answer does not tell, in seconds.
const DEFAULT_LIFE: u64 = 300;

/// A bearer token, ready to be sent. Not `Debug`.
pub(crate) struct Token {
    /// The value of the `Authorization` header, marked as sensitive.
    pub(crate) header: HeaderValue,
    /// The token itself.
    secret: SecretString,
}

impl Token {
    /// The text without the token, should a server have put it there.
    pub(crate) fn redact(&self, body: Vec<u8>) -> Vec<u8> {
        redact(body, &self.secret)
    }
}

/// The one place tokens come from.
pub(crate) struct TokenSource {
    ims: Arc<Ims>,
    tokens: TokenCache<Token, Error>,
}

/// The identity service, and who we are to it.
struct Ims {
    http: reqwest::Client,
    url: Url,
    client_id: String,
    client_secret: SecretString,
    scope: String,
    observer: Option<Arc<dyn Observer>>,
}

impl TokenSource {
    pub(crate) fn new(
        http: reqwest::Client,
        connection: &Connection,
        settings: &ClientSettings,
        observer: Option<Arc<dyn Observer>>,
    ) -> Self {
        let ims = Ims {
            http,
            url: connection.token_url(),
            client_id: connection.client_id.clone(),
            client_secret: connection.client_secret.clone(),
            scope: connection.scopes.join(","),
            observer,
        };
        Self {
            ims: Arc::new(ims),
            tokens: TokenCache::new("Adobe Campaign", settings.token_renewal_margin),
        }
    }

    /// The token to use now.
    pub(crate) async fn current(&self) -> Result<Arc<Token>, Error> {
        self.tokens.current(|| Arc::clone(&self.ims).request()).await
    }

    /// Gets a new token whatever is kept.
    pub(crate) async fn renew(&self) -> Result<(), Error> {
        self.tokens.renew(|| Arc::clone(&self.ims).request()).await.map(drop)
    }

    /// Forgets a token that the gateway refused, unless a newer one has taken its place.
    pub(crate) fn discard(&self, refused: &Arc<Token>) {
        self.tokens.discard(refused);
    }
}

impl Ims {
    /// One request, observed.
    async fn request(self: Arc<Self>) -> Result<Issued<Token>, Error> {
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

    async fn ask(&self, status: &mut Option<u16>) -> Result<Issued<Token>, Error> {
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
        let token = Token {
            header,
            secret: answer.access_token,
        };
        Ok(Issued {
            token,
            asked_at,
            life: Duration::from_secs(answer.expires_in.unwrap_or(DEFAULT_LIFE)),
        })
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
