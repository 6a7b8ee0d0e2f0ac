//! Sending a call: headers, token, the one replay after a refused token, bounds.

use std::sync::Arc;

use bytes::Bytes;
use http::header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderValue, Method};
use jiff::Timestamp;
use tokio::time::Instant;
use url::{Position, Url};

use crate::classify::{Answer, Target, classify};
use crate::connection::is_loopback;
use crate::observer::{Call, Observer, Operation};
use crate::token::{Token, TokenSource, no_answer};
use crate::{ClientSettings, Connection, Error, RefusedRequest, body};

/// The largest unsuccessful answer looked at, in bytes.
const MAX_ERROR_BODY: usize = 64 * 1024;

/// One call of the Campaign API.
pub(crate) struct Request<'a> {
    pub(crate) operation: Operation,
    pub(crate) url: Url,
    /// JSON, for POST and PATCH.
    pub(crate) body: Option<Bytes>,
    pub(crate) target: Target<'a>,
    /// Whether the record that a POST is answered with is looked at.
    pub(crate) keep_record: bool,
}

impl Request<'_> {
    const fn method(&self) -> Method {
        match self.operation {
            Operation::Metadata | Operation::Read | Operation::LookUp | Operation::Authenticate => Method::GET,
            Operation::Insert => Method::POST,
            Operation::Update => Method::PATCH,
            Operation::Delete => Method::DELETE,
        }
    }

    /// What is kept of it with the answer that refuses it.
    fn refused(&self) -> RefusedRequest {
        RefusedRequest {
            method: self.method(),
            path: self.url[Position::BeforePath..Position::AfterQuery].to_owned(),
            body: self.body.clone().unwrap_or_default(),
        }
    }

    /// Whether the caller wants the answer's body. Campaign answers a POST with the full record, which is needed only where
    /// its links are looked at.
    const fn wants_body(&self) -> bool {
        match self.operation {
            Operation::Metadata | Operation::Read | Operation::LookUp => true,
            _ => self.keep_record,
        }
    }
}

/// Sends calls.
pub(crate) struct Transport {
    http: reqwest::Client,
    tokens: TokenSource,
    api_key: HeaderValue,
    max_response_bytes: usize,
    observer: Option<Arc<dyn Observer>>,
}

impl Transport {
    pub(crate) fn new(
        connection: &Connection,
        settings: &ClientSettings,
        observer: Option<Arc<dyn Observer>>,
    ) -> Result<Self, Error> {
        let problem = |problem: &str| Error::InvalidConnection {
            problem: problem.to_owned(),
        };
        let http = http_client(connection, settings).map_err(|error| problem(&error.to_string()))?;
        let mut api_key =
            HeaderValue::from_str(&connection.client_id).map_err(|_| problem("client_id must be printable ASCII"))?;
        api_key.set_sensitive(true);
        Ok(Self {
            tokens: TokenSource::new(http.clone(), connection, settings, observer.clone()),
            http,
            api_key,
            max_response_bytes: settings.max_response_bytes,
            observer,
        })
    }

    /// Gets a new token.
    pub(crate) async fn authenticate(&self) -> Result<(), Error> {
        self.tokens.renew().await
    }

    /// Sends a call, and once more with a new token where the gateway refused the token. `calls` counts what was sent.
    ///
    /// Returns the body for reads, and for a POST of which the record is looked at; an empty one for other writes.
    pub(crate) async fn send(&self, request: &Request<'_>, calls: &mut u32) -> Result<Vec<u8>, Error> {
        let token = self.tokens.current().await?;
        *calls += 1;
        match self.attempt(request, &token).await {
            Err(Error::Authentication { .. }) => {
                self.tokens.discard(&token);
                let token = self.tokens.current().await?;
                *calls += 1;
                self.attempt(request, &token).await
            }
            outcome => outcome,
        }
    }

    async fn attempt(&self, request: &Request<'_>, token: &Token) -> Result<Vec<u8>, Error> {
        let start = Instant::now();
        let mut status = None;
        let outcome = self.exchange(request, token, &mut status).await;
        if let Some(observer) = &self.observer {
            observer.call_ended(&Call {
                operation: request.operation,
                status,
                duration: start.elapsed(),
            });
        }
        outcome
    }

    async fn exchange(&self, request: &Request<'_>, token: &Token, status: &mut Option<u16>) -> Result<Vec<u8>, Error> {
        let mut builder = self
            .http
            .request(request.method(), request.url.clone())
            .header(AUTHORIZATION, &token.header)
            .header("x-api-key", &self.api_key)
            .header(CACHE_CONTROL, const { HeaderValue::from_static("no-cache") })
            .header(CONTENT_TYPE, const { HeaderValue::from_static("application/json") });
        if let Some(body) = &request.body {
            builder = builder.body(body.clone());
        }
        let mut response = builder.send().await.map_err(no_answer)?;
        *status = Some(response.status().as_u16());
        if !response.status().is_success() {
            let body = body::read(&mut response, MAX_ERROR_BODY).await.map_err(no_answer)?;
            let answer = Answer {
                status: response.status(),
                headers: response.headers(),
                body: &token.redact(body.bytes),
            };
            return Err(classify(answer, request.target, Timestamp::now()).to(request.refused()));
        }
        // What a proxy or a sign-in page answers with 200 is not Campaign's consent.
        let content_type = response.headers().get(CONTENT_TYPE).map(HeaderValue::as_bytes);
        if content_type.is_some_and(|content_type| content_type.starts_with(b"text/html")) {
            return Err(Error::UnexpectedAnswer {
                problem: "it is a web page".to_owned(),
            });
        }
        if !request.wants_body() {
            body::drain(&mut response, self.max_response_bytes).await;
            return Ok(Vec::new());
        }
        let body = body::read(&mut response, self.max_response_bytes)
            .await
            .map_err(no_answer)?;
        if !body.complete {
            let problem = format!("it is longer than {} bytes", self.max_response_bytes);
            return Err(Error::UnexpectedAnswer { problem });
        }
        Ok(body.bytes)
    }
}

fn http_client(connection: &Connection, settings: &ClientSettings) -> Result<reqwest::Client, reqwest::Error> {
    let mut builder = reqwest::Client::builder()
        .user_agent(concat!("crosswalk/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(settings.connect_timeout)
        .timeout(settings.request_timeout)
        .pool_max_idle_per_host(settings.max_idle_connections)
        .pool_idle_timeout(settings.idle_timeout)
        // What writes answer is thrown away, so unpacking it would be wasted.
        .gzip(false)
        // HTTP/2 would put all calls on one connection, whose number of streams the gateway limits and on which one
        // lost packet holds up every call.
        .http1_only()
        // A redirect is a wrong address, and following one would carry the token elsewhere.
        .redirect(reqwest::redirect::Policy::none())
        // Without this, reqwest itself would send some calls again; there is one layer that retries, and it is not here.
        .retry(reqwest::retry::never());
    if is_loopback(&connection.api_url) {
        builder = builder.no_proxy();
    }
    builder.build()
}
