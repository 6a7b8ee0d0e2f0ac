//! Keeps web pages of others away from a port on loopback.
//!
//! There is no authentication on loopback, and the browser of the user reaches loopback, too. A page of another site cannot
//! call the API across origins, since no CORS answer allows it; but a site can have its own name resolve to 127.0.0.1 and
//! then counts as the same origin. What it cannot do is to change the name in the request. So on loopback only requests to
//! loopback names are answered.

use axum::{
    extract::Request,
    middleware::Next,
    response::{IntoResponse, Response},
};
use crosswalk_core::is_loopback_host;
use http::{StatusCode, header, uri::Authority};

const REFUSAL: &str = "This port answers requests to localhost and loopback addresses only.\n";

/// Refuses requests to other hosts than loopback.
pub(crate) async fn loopback_only(request: Request, next: Next) -> Response {
    if is_to_loopback(&request) {
        next.run(request).await
    } else {
        (StatusCode::FORBIDDEN, REFUSAL).into_response()
    }
}

fn is_to_loopback(request: &Request) -> bool {
    let header = || {
        request
            .headers()
            .get(header::HOST)?
            .to_str()
            .ok()?
            .parse::<Authority>()
            .ok()
    };
    let authority = request.uri().authority().cloned().or_else(header);
    authority.is_some_and(|authority| is_loopback_host(authority.host()))
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    #[test]
    fn only_requests_to_loopback_names_are_answered() {
        for (host, answered) in [
            ("localhost:8080", true),
            ("LOCALHOST", true),
            ("console.localhost:8080", true),
            ("127.0.0.1:8080", true),
            ("127.1.2.3", true),
            ("[::1]:8080", true),
            ("evil.example:8080", false),
            ("localhost.evil.example", false),
            ("127.0.0.1.evil.example", false),
            ("192.0.2.1:8080", false),
        ] {
            let by_header = Request::builder()
                .uri("/")
                .header(header::HOST, host)
                .body(Body::empty())
                .unwrap();
            assert_eq!(is_to_loopback(&by_header), answered, "{host} in the header");
            let uri = format!("http://{host}/");
            let by_uri = Request::builder().uri(uri).body(Body::empty()).unwrap();
            assert_eq!(is_to_loopback(&by_uri), answered, "{host} in the address");
        }
        assert!(!is_to_loopback(&Request::new(Body::empty())), "no host at all");
    }
}
