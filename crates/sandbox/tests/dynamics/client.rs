//! A small client of the Web API for tests.

use crosswalk_sandbox::{Sandbox, SandboxConfig};
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use serde_json::{Map, Value, json};

pub(crate) const TENANT: &str = "11111111-1111-4111-8111-111111111111";
pub(crate) const CLIENT_ID: &str = "22222222-2222-4222-8222-222222222222";
pub(crate) const SECRET: &str = "sandbox-secret";

/// A sandbox with a signed-in client.
pub(crate) struct Environment {
    pub(crate) sandbox: Sandbox,
    pub(crate) http: reqwest::Client,
    pub(crate) token: String,
}

/// An answer with its body read.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) async fn of(response: Response) -> Self {
        let (status, headers) = (response.status(), response.headers().clone());
        Self {
            status,
            headers,
            text: response.text().await.unwrap(),
        }
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    /// Panics with the body unless the status is the expected one.
    pub(crate) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status.as_u16(), status, "{}", self.text);
        self
    }

    /// Panics unless it is the expected error.
    pub(crate) fn expect_error(self, status: u16, code: &str) -> String {
        let answer = self.expect(status);
        let error = answer.json()["error"].clone();
        assert_eq!(error["code"], code, "{error}");
        error["message"].as_str().unwrap().to_owned()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .unwrap_or_else(|| panic!("no header {name}"))
            .to_str()
            .unwrap()
    }

    pub(crate) fn rows(&self) -> Vec<Value> {
        self.json()["value"].as_array().unwrap().clone()
    }
}

impl Environment {
    pub(crate) async fn start() -> Self {
        Self::with(|_| {}).await
    }

    /// With this many seeded contacts.
    pub(crate) async fn with_contacts(contacts: u64) -> Self {
        Self::with(|config| config.contacts = contacts).await
    }

    pub(crate) async fn with(change: impl FnOnce(&mut SandboxConfig)) -> Self {
        let mut config = SandboxConfig {
            contacts: 0,
            ..SandboxConfig::default()
        };
        change(&mut config);
        let sandbox = Sandbox::start(config).await.unwrap();
        let http = reqwest::Client::new();
        let token = fetch_token(&http, &sandbox.microsoft_url(), CLIENT_ID).await;
        Self { sandbox, http, token }
    }

    pub(crate) fn api(&self, path: &str) -> String {
        if path.starts_with("http") {
            path.to_owned()
        } else {
            format!("{}/api/data/v9.2/{path}", self.sandbox.microsoft_url())
        }
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, self.api(path)).bearer_auth(&self.token)
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        Answer::of(self.request(Method::GET, path).send().await.unwrap()).await
    }

    pub(crate) async fn get_with(&self, path: &str, prefer: &str) -> Answer {
        Answer::of(
            self.request(Method::GET, path)
                .header("Prefer", prefer)
                .send()
                .await
                .unwrap(),
        )
        .await
    }

    pub(crate) async fn send(&self, method: Method, path: &str, headers: &[(&str, &str)], body: Value) -> Answer {
        let request = self.request(method, path).json(&body);
        let request = headers
            .iter()
            .fold(request, |request, (name, value)| request.header(*name, *value));
        Answer::of(request.send().await.unwrap()).await
    }

    pub(crate) async fn patch(&self, path: &str, body: Value) -> Answer {
        self.send(Method::PATCH, path, &[], body).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        self.send(Method::POST, path, &[], body).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        Answer::of(self.request(Method::DELETE, path).send().await.unwrap()).await
    }

    /// Creates a contact directly and returns its id.
    pub(crate) fn contact(&self, row: Value) -> String {
        self.row("contact", row)
    }

    pub(crate) fn row(&self, table: &str, row: Value) -> String {
        self.sandbox.dynamics().create(table, &object(row)).unwrap().to_string()
    }

    /// A request to the admin listener.
    pub(crate) async fn admin(&self, method: Method, path: &str, body: Option<Value>) -> Answer {
        let request = self.http.request(method, format!("{}{path}", self.sandbox.admin_url()));
        let request = match body {
            Some(body) => request.json(&body),
            None => request,
        };
        Answer::of(request.send().await.unwrap()).await
    }

    /// Follows next links; returns all rows and the last page.
    pub(crate) async fn read_all(&self, path: &str, prefer: &str) -> (Vec<Value>, Value) {
        let mut page = self.get_with(path, prefer).await.expect(200).json();
        let mut rows = page["value"].as_array().unwrap().clone();
        while let Some(next) = page["@odata.nextLink"].as_str() {
            assert!(
                page.get("@odata.deltaLink").is_none(),
                "a delta link before the last page"
            );
            page = self.get_with(next, prefer).await.expect(200).json();
            rows.extend(page["value"].as_array().unwrap().clone());
        }
        (rows, page)
    }
}

pub(crate) fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        other => panic!("not an object: {other}"),
    }
}

pub(crate) async fn fetch_token(http: &reqwest::Client, microsoft: &str, client_id: &str) -> String {
    let form = json!({
        "grant_type": "client_credentials", "client_id": client_id, "client_secret": SECRET,
        "scope": format!("{microsoft}/.default"),
    });
    let response = http
        .post(format!("{microsoft}/{TENANT}/oauth2/v2.0/token"))
        .form(&form)
        .send()
        .await
        .unwrap();
    let answer = Answer::of(response).await.expect(200);
    answer.json()["access_token"].as_str().unwrap().to_owned()
}
