//! The access token of an environment, asked for by client credentials (contracts/dataverse.md §1).

use std::sync::Arc;
use std::time::Duration;

use crosswalk_runtime::token::{Issued, TokenCache};
use http::HeaderValue;
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use tokio::time::Instant;
use url::Url;

use crate::Error;
use crate::answer::{EntraAnswer, classify_entra, retry_after};
use crate::http_client::HttpClient;
use crate::observer::Operation;

/// Longest answer of the token endpoint accepted, in bytes.
const ANSWER_BYTES: usize = 64 << 10;

/// What is sent to the token endpoint.
pub(crate) struct Credentials {
    pub(crate) endpoint: Url,
    pub(crate) scope: String,
    pub(crate) client_id: String,
    pub(crate) client_secret: SecretString,
}

/// The one place tokens come from. A token is the `Authorization` header, marked sensitive so that no log shows it.
pub(crate) struct TokenSource {
    credentials: Arc<Credentials>,
    tokens: TokenCache<HeaderValue, Error>,
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
            credentials: Arc::new(credentials),
            tokens: TokenCache::new("Dynamics 365", renewal_margin),
        }
    }

    /// The current token, or a new one.
    pub(crate) async fn token(&self, http: &HttpClient) -> Result<Arc<HeaderValue>, Error> {
        let request = || request(http.clone(), Arc::clone(&self.credentials));
        self.tokens.current(request).await
    }

    /// Drops a token that the environment refused, unless a newer one has taken its place.
    pub(crate) fn discard(&self, refused: &Arc<HeaderValue>) {
        self.tokens.discard(refused);
    }
}

async fn request(http: HttpClient, credentials: Arc<Credentials>) -> Result<Issued<HeaderValue>, Error> {
    let asked_at = Instant::now();
    let request = http.client.post(credentials.endpoint.clone()).form(&[
        ("client_id", credentials.client_id.as_str()),
        ("scope", credentials.scope.as_str()),
        ("client_secret", credentials.client_secret.expose_secret()),
        ("grant_type", "client_credentials"),
    ]);
    let answer = http.exchange(Operation::Token, request, ANSWER_BYTES).await?;
    if !answer.status.is_success() {
        let after = retry_after(&answer.headers, Timestamp::now());
        let answer = EntraAnswer::new(answer.status.as_u16(), &answer.body);
        return Err(classify_entra(answer, after));
    }
    let granted: Granted =
        serde_json::from_slice(&answer.body).map_err(|error| Error::from_json(Operation::Token.name(), error))?;
    Ok(Issued {
        token: bearer(&granted.access_token)?,
        asked_at,
        life: Duration::from_secs(granted.expires_in),
    })
}

fn bearer(token: &SecretString) -> Result<HeaderValue, Error> {
    let header = HeaderValue::try_from(format!("Bearer {}", token.expose_secret()));
    let mut header = header.map_err(|_| Error::Unexpected {
        operation: Operation::Token.name(),
        reason: "the access token cannot stand in a header".to_owned(),
    })?;
    header.set_sensitive(true);
    Ok(header)
}
