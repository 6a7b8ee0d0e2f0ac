//! HTTP as this crate wants it: no cookies, no redirects, bounded bodies, every exchange observed.

use std::sync::Arc;
use std::time::{Duration, Instant};

use http::{HeaderMap, StatusCode};
use reqwest::redirect;

use crate::observer::{Exchange, Observer, Operation};
use crate::{ClientSettings, Error};

/// HTTP/2 windows: a page of several megabytes should not wait for window updates.
const STREAM_WINDOW_BYTES: u32 = 4 << 20;
const CONNECTION_WINDOW_BYTES: u32 = 8 << 20;

/// An HTTP client with its observer. Cheap to clone.
#[derive(Clone)]
pub(crate) struct HttpClient {
    pub(crate) client: reqwest::Client,
    pub(crate) observer: Arc<dyn Observer>,
}

/// An answer of any status, read to its end.
pub(crate) struct Received {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl HttpClient {
    /// No cookie store: the affinity cookie would pin us to one server and its limits (contracts/dataverse.md §7.4).
    pub(crate) fn new(settings: &ClientSettings, uses_proxy: bool, observer: Arc<dyn Observer>) -> Result<Self, Error> {
        let mut builder = reqwest::Client::builder()
            .user_agent(concat!("crosswalk/", env!("CARGO_PKG_VERSION")))
            .redirect(redirect::Policy::none())
            .connect_timeout(settings.connect_timeout)
            .timeout(settings.request_timeout)
            .pool_idle_timeout(settings.pool_idle_timeout)
            .http2_initial_stream_window_size(STREAM_WINDOW_BYTES)
            .http2_initial_connection_window_size(CONNECTION_WINDOW_BYTES);
        if !uses_proxy {
            builder = builder.no_proxy();
        }
        let client = builder.build().map_err(|error| Error::Setup(Arc::new(error)))?;
        Ok(Self { client, observer })
    }

    /// Sends a request and reads the answer, of whatever status, up to `limit` bytes after decompression.
    pub(crate) async fn exchange(
        &self,
        operation: Operation,
        request: reqwest::RequestBuilder,
        limit: usize,
    ) -> Result<Received, Error> {
        let begin = Instant::now();
        let mut exchange = Exchange {
            operation,
            status: None,
            duration: Duration::ZERO,
            bytes: 0,
        };
        let outcome = receive(&mut exchange, request, limit).await;
        exchange.duration = begin.elapsed();
        self.observer.exchanged(exchange);
        outcome
    }
}

async fn receive(exchange: &mut Exchange, request: reqwest::RequestBuilder, limit: usize) -> Result<Received, Error> {
    let operation = exchange.operation.name();
    let mut response = request
        .send()
        .await
        .map_err(|error| Error::from_transport(operation, error))?;
    let status = response.status();
    exchange.status = Some(status.as_u16());
    let headers = std::mem::take(response.headers_mut());
    let mut body = Vec::new();
    while let Some(chunk) = response
        .chunk()
        .await
        .map_err(|error| Error::from_transport(operation, error))?
    {
        exchange.bytes += chunk.len() as u64;
        if body.len() + chunk.len() > limit {
            return Err(Error::TooLong { operation, limit });
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Received { status, headers, body })
}
