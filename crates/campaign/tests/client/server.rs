//! A scripted server for what the sandbox does not do.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::Response;
use crosswalk_campaign::{Client, ClientSettings, Connection, RecordKey};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use url::Url;

pub(crate) const SECRET: &str = "p8e-very-secret";
pub(crate) const TOKEN: &str = "eyJ.token";

/// A request as the server saw it.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) method: Method,
    /// Path and query.
    pub(crate) uri: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Seen {
    pub(crate) fn is_token_request(&self) -> bool {
        self.uri == "/ims/token/v3"
    }
}

/// What the server answers.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: String,
}

impl Answer {
    pub(crate) fn new(status: u16, body: impl Into<String>) -> Self {
        Self {
            status,
            headers: vec![("content-type", "application/json".to_owned())],
            body: body.into(),
        }
    }

    pub(crate) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.retain(|(known, _)| *known != name);
        self.headers.push((name, value.into()));
        self
    }

    pub(crate) fn token(number: usize, expires_in: u64) -> Self {
        let body = format!(r#"{{"access_token":"{TOKEN}{number}","token_type":"bearer","expires_in":{expires_in}}}"#);
        Self::new(200, body)
    }

    pub(crate) fn gateway(code: u32) -> Self {
        Self::new(
            (code / 1_000) as u16,
            format!(r#"{{"error_code":"{code}","message":"text"}}"#),
        )
    }
}

type Script = dyn Fn(&Seen, usize) -> Answer + Send + Sync;

struct Shared {
    script: Box<Script>,
    seen: Mutex<Vec<Seen>>,
}

/// A server on a free port of this machine, gone with the test's runtime.
pub(crate) struct Server {
    pub(crate) url: Url,
    shared: Arc<Shared>,
}

impl Server {
    /// `script` gets each request and how many of its kind (token or other) came before.
    pub(crate) async fn start(script: impl Fn(&Seen, usize) -> Answer + Send + Sync + 'static) -> Self {
        let shared = Arc::new(Shared {
            script: Box::new(script),
            seen: Mutex::default(),
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
        let url = format!("http://{}", listener.local_addr().expect("the listener is bound"))
            .parse()
            .expect("it is a URL");
        let router = Router::new().fallback(serve).with_state(Arc::clone(&shared));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, shared }
    }

    /// A server that gives out tokens of a day and answers the rest by the script.
    pub(crate) async fn with_tokens(script: impl Fn(&Seen, usize) -> Answer + Send + Sync + 'static) -> Self {
        Self::start(move |seen, before| {
            if seen.is_token_request() {
                Answer::token(before, 86_399)
            } else {
                script(seen, before)
            }
        })
        .await
    }

    pub(crate) fn connection(&self) -> Connection {
        Connection {
            api_url: self.url.clone(),
            organization: "acme".to_owned(),
            ims_url: self.url.clone(),
            client_id: "client-1".to_owned(),
            client_secret: SECRET.into(),
            scopes: vec!["openid".to_owned(), "campaign_sdk".to_owned()],
        }
    }

    pub(crate) fn client(&self) -> Client {
        self.client_with(&ClientSettings::default())
    }

    pub(crate) fn client_with(&self, settings: &ClientSettings) -> Client {
        Client::new(&self.connection(), settings).expect("the connection is valid")
    }

    /// The token requests so far.
    pub(crate) fn token_requests(&self) -> Vec<Seen> {
        self.seen(true)
    }

    /// The requests to the API so far.
    pub(crate) fn api_requests(&self) -> Vec<Seen> {
        self.seen(false)
    }

    /// Method and URI of the requests to the API so far.
    pub(crate) fn api_calls(&self) -> Vec<String> {
        self.api_requests()
            .iter()
            .map(|seen| format!("{} {}", seen.method, seen.uri))
            .collect()
    }

    fn seen(&self, token: bool) -> Vec<Seen> {
        self.shared
            .seen
            .lock()
            .expect("no test thread panics while it holds the lock")
            .iter()
            .filter(|seen| seen.is_token_request() == token)
            .cloned()
            .collect()
    }
}

async fn serve(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let body = to_bytes(body, 1 << 20)
        .await
        .expect("clients of the tests send whole bodies");
    let seen = Seen {
        method: head.method,
        uri: head.uri.to_string(),
        headers: head.headers,
        body,
    };
    let before = {
        let mut all = shared
            .seen
            .lock()
            .expect("no test thread panics while it holds the lock");
        let before = all
            .iter()
            .filter(|earlier| earlier.is_token_request() == seen.is_token_request())
            .count();
        all.push(seen.clone());
        before
    };
    let answer = (shared.script)(&seen, before);
    let mut response =
        Response::builder().status(StatusCode::from_u16(answer.status).expect("scripts name real statuses"));
    for (name, value) in answer.headers {
        response = response.header(name, value);
    }
    response
        .body(Body::from(answer.body))
        .expect("scripts name valid headers")
}

/// A server that reads a request, sends these bytes, whatever they are, and closes the connection; or, without bytes,
/// keeps it open without a word.
pub(crate) async fn raw(bytes: Option<&'static str>) -> Url {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
    let url = format!("http://{}", listener.local_addr().expect("the listener is bound"))
        .parse()
        .expect("it is a URL");
    tokio::spawn(async move {
        let mut open = Vec::new();
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = [0; 4096];
            if matches!(stream.read(&mut request).await, Ok(length) if length > 0) {
                match bytes {
                    Some(bytes) => stream.write_all(bytes.as_bytes()).await.expect("the client listens"),
                    None => open.push(stream),
                }
            }
        }
    });
    url
}

pub(crate) fn key(text: &str) -> RecordKey {
    RecordKey::new(text).expect("tests use valid keys")
}
