//! The way of every request on both product listeners: latency, faults, handler, counting.

use std::time::Duration;

use axum::response::Response;
use http::StatusCode;

use crate::counters::{Counters, NO_ANSWER};
use crate::faults::{Effect, Faults, Operation, Side};

/// Response extension that makes the listener drop the connection instead of sending the response.
#[derive(Debug, Clone, Copy)]
pub struct AbortConnection;

/// An error answer a fault rule asks for; each product renders it in its own form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InjectedAnswer {
    /// 429 with `Retry-After`.
    Throttled {
        /// Seconds for `Retry-After`.
        retry_after_seconds: u32,
    },
    /// Any other error status.
    Status(u16),
}

impl InjectedAnswer {
    /// The HTTP status to answer with.
    pub fn status(self) -> StatusCode {
        match self {
            Self::Throttled { .. } => StatusCode::TOO_MANY_REQUESTS,
            Self::Status(status) => StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
        }
    }
}

/// A response the listener replaces by a dropped connection.
pub fn abort_connection() -> Response {
    let mut response = Response::default();
    response.extensions_mut().insert(AbortConnection);
    response
}

/// How a request reaches its handler.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    /// Once, as it was sent.
    Once,
    /// Twice, as when a gateway repeats it; the second answer is the one to send.
    Twice,
    /// Once, and rows are to be answered twice.
    RepeatedRows,
}

/// Runs one request whose handler it always reaches once; see [`serve_deliveries`].
pub async fn serve<Handle, Handled>(
    faults: &Faults,
    counters: &Counters,
    route: (Side, Operation),
    render: impl FnOnce(InjectedAnswer) -> Response,
    handle: Handle,
) -> Response
where
    Handle: FnOnce() -> Handled,
    Handled: Future<Output = Response>,
{
    serve_deliveries(faults, counters, route, render, |_| handle()).await
}

/// Runs one request: waits the side's latency, lets the fault rules decide, runs `handle` unless a rule prevents it, and
/// counts the answer. `render` turns an injected answer into the product's own error.
///
/// `handle` only runs when the request shall take effect; it must have committed by the time its future ends.
pub async fn serve_deliveries<Handle, Handled>(
    faults: &Faults,
    counters: &Counters,
    (side, operation): (Side, Operation),
    render: impl FnOnce(InjectedAnswer) -> Response,
    handle: Handle,
) -> Response
where
    Handle: FnOnce(Delivery) -> Handled,
    Handled: Future<Output = Response>,
{
    wait(faults.latency(side)).await;
    let response = match faults.decide(side, operation) {
        None => handle(Delivery::Once).await,
        Some(Effect::Slow { milliseconds }) => {
            wait(Duration::from_millis(milliseconds)).await;
            handle(Delivery::Once).await
        }
        Some(Effect::DeliverTwice) => handle(Delivery::Twice).await,
        Some(Effect::RepeatRows) => handle(Delivery::RepeatedRows).await,
        Some(Effect::Throttle { retry_after_seconds }) => render(InjectedAnswer::Throttled { retry_after_seconds }),
        Some(Effect::Status { status }) => render(InjectedAnswer::Status(status)),
        Some(Effect::Reset) => abort_connection(),
        Some(Effect::CommitThenStatus { status }) => {
            drop(handle(Delivery::Once).await);
            render(InjectedAnswer::Status(status))
        }
        Some(Effect::CommitThenReset) => {
            drop(handle(Delivery::Once).await);
            abort_connection()
        }
    };
    counters.count(side, operation, counted_status(&response));
    response
}

async fn wait(time: Duration) {
    if !time.is_zero() {
        tokio::time::sleep(time).await;
    }
}

fn counted_status(response: &Response) -> u16 {
    if response.extensions().get::<AbortConnection>().is_some() {
        NO_ANSWER
    } else {
        response.status().as_u16()
    }
}
