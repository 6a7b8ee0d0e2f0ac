//! A scripted server for what the sandbox does not do, and a client that speaks to it.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use crosswalk_core::schema::{Column, ColumnType, Table};
use crosswalk_dynamics::{Client, ClientSettings, Connection, Selection};
use tokio::net::TcpListener;
use url::Url;

/// One request the server has seen.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) path: String,
    pub(crate) query: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Seen {
    pub(crate) fn is_token(&self) -> bool {
        self.path.ends_with("/oauth2/v2.0/token")
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

/// A server on loopback that answers by a function of the request and the number of requests of its kind (token or
/// other) before it. It ends with the test's runtime.
pub(crate) struct Server {
    pub(crate) url: Url,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Server {
    pub(crate) async fn start(answer: impl Fn(&Seen, usize) -> Response + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
        let seen = Arc::<Mutex<Vec<Seen>>>::default();
        let (log, answer) = (Arc::clone(&seen), Arc::new(answer));
        let router = Router::new().fallback(move |request: Request| {
            let (log, answer) = (Arc::clone(&log), Arc::clone(&answer));
            async move {
                let (parts, body) = request.into_parts();
                let body = to_bytes(body, 1 << 20).await.unwrap();
                let request = Seen {
                    path: parts.uri.path().to_owned(),
                    query: parts.uri.query().unwrap_or_default().to_owned(),
                    headers: parts.headers,
                    body: String::from_utf8(body.to_vec()).unwrap(),
                };
                let before = {
                    let mut log = log.lock().unwrap();
                    let before = log
                        .iter()
                        .filter(|earlier| earlier.is_token() == request.is_token())
                        .count();
                    log.push(request.clone());
                    before
                };
                answer(&request, before)
            }
        });
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, seen }
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    pub(crate) fn tokens_asked_for(&self) -> usize {
        self.seen().iter().filter(|request| request.is_token()).count()
    }

    pub(crate) fn others(&self) -> Vec<Seen> {
        self.seen().into_iter().filter(|request| !request.is_token()).collect()
    }

    pub(crate) fn client(&self) -> Client {
        self.client_with(&ClientSettings::default())
    }

    pub(crate) fn client_with(&self, settings: &ClientSettings) -> Client {
        client(self.url.clone(), settings)
    }
}

/// A client of whatever listens at an address.
pub(crate) fn client_of(address: &SocketAddr, settings: &ClientSettings) -> Client {
    client(format!("http://{address}").parse().unwrap(), settings)
}

fn client(url: Url, settings: &ClientSettings) -> Client {
    let connection = Connection {
        environment_url: url.clone(),
        authority_url: url,
        tenant_id: "contoso.onmicrosoft.com".to_owned(),
        client_id: "22222222-2222-4222-8222-222222222222".to_owned(),
        client_secret: SECRET.into(),
    };
    Client::new(connection, settings).unwrap()
}

/// The client's secret; no message may show it.
pub(crate) const SECRET: &str = "top+secret/&=value";

/// A token, told from others by its serial number, for an hour.
pub(crate) fn granted(serial: usize) -> Response {
    granted_for(serial, 3_599)
}

pub(crate) fn granted_for(serial: usize, seconds: u64) -> Response {
    let body = format!(
        r#"{{"token_type":"Bearer","expires_in":{seconds},"ext_expires_in":{seconds},"access_token":"token-{serial}"}}"#
    );
    json(StatusCode::OK, body)
}

pub(crate) fn json(status: StatusCode, body: String) -> Response {
    (
        status,
        [(header::CONTENT_TYPE, "application/json; odata.metadata=minimal")],
        body,
    )
        .into_response()
}

pub(crate) fn odata_error(status: StatusCode, code: &str, message: &str) -> Response {
    json(
        status,
        format!(r#"{{"error":{{"code":"{code}","message":"{message}"}}}}"#),
    )
}

pub(crate) fn html(status: StatusCode) -> Response {
    (
        status,
        [(header::CONTENT_TYPE, "text/html")],
        "<html><h1>Our services aren't available</h1></html>",
    )
        .into_response()
}

pub(crate) fn identity() -> Response {
    let id = "a1000000-0000-4000-8000-000000000001";
    json(
        StatusCode::OK,
        format!(r#"{{"BusinessUnitId":"{id}","UserId":"{id}","OrganizationId":"{id}"}}"#),
    )
}

/// An empty page that leads on to an address.
pub(crate) fn page(next: &str) -> Response {
    json(StatusCode::OK, format!(r#"{{"value":[],"@odata.nextLink":"{next}"}}"#))
}

/// A body that promises more than it holds, then ends the connection.
pub(crate) fn cut_short(body: &'static str) -> Response {
    let parts = [Ok(body), Err(std::io::Error::other("cut"))];
    let body = Body::from_stream(futures::stream::iter(parts));
    (StatusCode::OK, [(header::CONTENT_LENGTH, "1000000")], body).into_response()
}

/// Two columns of a table.
pub(crate) fn selection() -> Selection {
    let column = |name: &str, column_type| Column {
        logical_name: name.to_owned(),
        display_name: name.to_owned(),
        column_type,
        max_length: None,
        options: Vec::new(),
        targets: Vec::new(),
        readable: true,
    };
    let table = Table {
        logical_name: "contact".to_owned(),
        entity_set: "contacts".to_owned(),
        display_name: "Contact".to_owned(),
        primary_id: "contactid".to_owned(),
        change_tracking: true,
        columns: vec![
            column("contactid", ColumnType::Uniqueidentifier),
            column("firstname", ColumnType::String),
        ],
        keys: Vec::new(),
    };
    Selection::new(&table, &["firstname".to_owned()]).unwrap()
}
