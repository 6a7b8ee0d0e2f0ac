//! Counts and times every call of the API, whatever way it ends.

use std::{
    collections::HashSet,
    pin::Pin,
    sync::LazyLock,
    task::{Context, Poll, ready},
    time::Instant,
};

use axum::body::Body;
use bytes::Bytes;
use crosswalk_proto::api::{self, code_name};
use futures::future::BoxFuture;
use http::{HeaderMap, Request, Response};
use hyper::body::{Frame, SizeHint};
use metrics::{Unit, counter, describe_counter, describe_histogram, histogram};
use tonic::{Code, Status};
use tower::{Layer, Service};

/// Counter, by `method`: calls begun.
const STARTED_TOTAL: &str = "crosswalk_grpc_started_total";

/// Counter, by `method` and `code`: calls ended.
const HANDLED_TOTAL: &str = "crosswalk_grpc_handled_total";

/// Histogram, by `method`: how long calls took, streams until they ended.
const HANDLING_SECONDS: &str = "crosswalk_grpc_handling_seconds";

/// Gives every metric its help text.
pub(crate) fn describe() {
    describe_counter!(STARTED_TOTAL, Unit::Count, "Calls of the API begun, by method.");
    describe_counter!(
        HANDLED_TOTAL,
        Unit::Count,
        "Calls of the API ended, by method and code."
    );
    describe_histogram!(HANDLING_SECONDS, Unit::Seconds, "Time of calls of the API, by method.");
}

/// Counts the calls that pass through.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CallMetrics;

impl<S> Layer<S> for CallMetrics {
    type Service = Counted<S>;

    fn layer(&self, inner: S) -> Counted<S> {
        Counted { inner }
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Counted<S> {
    inner: S,
}

impl<S, B> Service<Request<B>> for Counted<S>
where
    S: Service<Request<B>, Response = Response<Body>>,
    S::Future: Send + 'static,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = BoxFuture<'static, Result<Self::Response, S::Error>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let call = Call::begin(request.uri().path());
        let answer = self.inner.call(request);
        Box::pin(async move {
            let response = answer.await?;
            let (head, inner) = response.into_parts();
            let mut call = call;
            // A call that fails before its first message has its status in the headers.
            call.see(&head.headers);
            Ok(Response::from_parts(head, Body::new(CountedBody { inner, call })))
        })
    }
}

/// One call; counted as ended when dropped, as cancelled if no status was seen until then.
#[derive(Debug)]
struct Call {
    method: &'static str,
    begun: Instant,
    code: Code,
}

impl Call {
    fn begin(path: &str) -> Self {
        let method = known_method(path);
        counter!(STARTED_TOTAL, "method" => method).increment(1);
        Self {
            method,
            begun: Instant::now(),
            code: Code::Cancelled,
        }
    }

    fn see(&mut self, headers: &HeaderMap) {
        if let Some(status) = Status::from_header_map(headers) {
            self.code = status.code();
        }
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        let code = code_name(self.code);
        counter!(HANDLED_TOTAL, "method" => self.method, "code" => code).increment(1);
        histogram!(HANDLING_SECONDS, "method" => self.method).record(self.begun.elapsed());
    }
}

struct CountedBody {
    inner: Body,
    call: Call,
}

impl hyper::body::Body for CountedBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let frame = ready!(Pin::new(&mut self.inner).poll_frame(context));
        if let Some(Ok(frame)) = &frame
            && let Some(trailers) = frame.trailers_ref()
        {
            self.call.see(trailers);
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

/// Every method there is; labels come from a closed set, and a path is whatever somebody sends.
static METHODS: LazyLock<HashSet<String>> = LazyLock::new(|| api::methods().into_iter().collect());

fn known_method(path: &str) -> &'static str {
    let known = path.strip_prefix('/').and_then(|method| METHODS.get(method));
    known.map_or("other", String::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_method_of_the_api_has_a_label() {
        for file in [
            include_str!("../../../proto/crosswalk/v1/catalog.proto"),
            include_str!("../../../proto/crosswalk/v1/dead_letters.proto"),
            include_str!("../../../proto/crosswalk/v1/instances.proto"),
            include_str!("../../../proto/crosswalk/v1/mappings.proto"),
            include_str!("../../../proto/crosswalk/v1/workflows.proto"),
        ] {
            let (_, service) = file.split_once("\nservice ").unwrap();
            let (service, body) = service.split_once(" {").unwrap();
            let methods = body.lines().filter_map(|line| line.trim().strip_prefix("rpc "));
            let names: Vec<&str> = methods
                .filter_map(|line| line.split_once('('))
                .map(|(name, _)| name)
                .collect();
            assert!(!names.is_empty(), "{service}");
            for name in names {
                let method = format!("crosswalk.v1.{service}/{name}");
                assert_eq!(known_method(&format!("/{method}")), method);
            }
        }
        assert_eq!(known_method("/anything"), "other");
        assert_eq!(known_method("crosswalk.v1.Catalog/GetTable"), "other");
    }

    #[test]
    fn the_status_is_taken_from_headers_and_without_one_the_call_was_cancelled() {
        let mut call = Call::begin("/crosswalk.v1.Catalog/GetTable");
        call.see(&HeaderMap::new());
        assert_eq!(call.code, Code::Cancelled);
        let headers = HeaderMap::from_iter([(http::HeaderName::from_static("grpc-status"), "5".parse().unwrap())]);
        call.see(&headers);
        assert_eq!(call.code, Code::NotFound);
    }
}
