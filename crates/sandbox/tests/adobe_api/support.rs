//! A running Adobe side and a client of it.

use std::sync::Arc;

use crosswalk_sandbox::adobe::{Adobe, AdobeConfig, Organisation};
use crosswalk_sandbox::counters::Counters;
use crosswalk_sandbox::faults::Faults;
use crosswalk_sandbox::{Sandbox, SandboxConfig};
use reqwest::Method;
use reqwest::header::HeaderMap;
use serde_json::Value;

/// Where profiles are read and written with all their fields.
pub(crate) const EXT: &str = "profileAndServicesExt/profile";
/// Where custom fields are hidden.
pub(crate) const CORE: &str = "profileAndServices/profile";

/// An answer, read to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error} in {self:?}"))
    }

    /// The JSON of an answer with this status.
    pub(crate) fn expect(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{self:?}");
        if self.text.is_empty() { Value::Null } else { self.json() }
    }
}

/// A sandbox without contacts, and a client of its Adobe side that has a token.
pub(crate) struct Server {
    pub(crate) adobe: Arc<Adobe>,
    pub(crate) faults: Arc<Faults>,
    pub(crate) counters: Arc<Counters>,
    pub(crate) url: String,
    pub(crate) client: reqwest::Client,
    pub(crate) token: String,
    sandbox: Sandbox,
}

impl Server {
    pub(crate) async fn start() -> Self {
        Self::start_with(AdobeConfig::default()).await
    }

    pub(crate) async fn start_with(campaign: AdobeConfig) -> Self {
        let config = SandboxConfig {
            contacts: 0,
            campaign,
            ..SandboxConfig::default()
        };
        let sandbox = Sandbox::start(config).await.unwrap();
        let mut server = Self {
            adobe: Arc::clone(sandbox.campaign()),
            faults: Arc::clone(sandbox.faults()),
            counters: Arc::clone(sandbox.counters()),
            url: sandbox.adobe_url(),
            client: reqwest::Client::new(),
            token: String::new(),
            sandbox,
        };
        let answer = server.ask_token("sandbox-secret").await.expect(200);
        server.token = answer["access_token"].as_str().unwrap().to_owned();
        server
    }

    /// The first organisation, for a look behind the API.
    pub(crate) fn sandbox(&self) -> &Arc<Organisation> {
        self.adobe.organisation("sandbox").unwrap()
    }

    pub(crate) async fn ask_token(&self, secret: &str) -> Answer {
        self.ask_token_with(&[
            ("client_id", "sandbox-client"),
            ("client_secret", secret),
            ("grant_type", "client_credentials"),
            ("scope", "openid,AdobeID,campaign_sdk"),
        ])
        .await
    }

    pub(crate) async fn ask_token_with(&self, form: &[(&str, &str)]) -> Answer {
        read(self.client.post(format!("{}/ims/token/v3", self.url)).form(form)).await
    }

    /// A call to the first organisation, below `/campaign/`.
    pub(crate) async fn call(&self, method: Method, path: &str, body: Option<&Value>) -> Answer {
        self.call_url(method, &format!("{}/sandbox/campaign/{path}", self.url), body)
            .await
    }

    pub(crate) async fn call_url(&self, method: Method, url: &str, body: Option<&Value>) -> Answer {
        read(self.request(method, url, body)).await
    }

    /// A call whose connection may be dropped: `None` then.
    pub(crate) async fn try_call(&self, method: Method, path: &str, body: Option<&Value>) -> Option<Answer> {
        let url = format!("{}/sandbox/campaign/{path}", self.url);
        try_read(self.request(method, &url, body)).await.ok()
    }

    /// A request with key and token, not yet sent.
    pub(crate) fn request(&self, method: Method, url: &str, body: Option<&Value>) -> reqwest::RequestBuilder {
        let request = self
            .client
            .request(method, url)
            .bearer_auth(&self.token)
            .header("X-Api-Key", "sandbox-client");
        match body {
            Some(body) => request.json(body),
            None => request,
        }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.call(Method::GET, path, None).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        self.call(Method::POST, path, Some(body)).await
    }

    pub(crate) async fn patch(&self, path: &str, body: &Value) -> Answer {
        self.call(Method::PATCH, path, Some(body)).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        self.call(Method::DELETE, path, None).await
    }

    /// Creates a profile and returns its record.
    pub(crate) async fn profile(&self, body: Value) -> Value {
        self.post(EXT, &body).await.expect(201)
    }

    /// The whole record of an `externalId`.
    pub(crate) async fn read(&self, external_id: &str) -> Value {
        self.get(&format!("{EXT}/{external_id}")).await.expect(200)
    }

    pub(crate) async fn admin(&self, method: Method, path: &str, body: Option<&Value>) -> Answer {
        let request = self
            .client
            .request(method, format!("{}/campaign/{path}", self.sandbox.admin_url()));
        read(match body {
            Some(body) => request.json(body),
            None => request,
        })
        .await
    }
}

/// Sends a request that must be answered.
async fn read(request: reqwest::RequestBuilder) -> Answer {
    try_read(request).await.unwrap()
}

/// Sends a request whose connection may be dropped.
async fn try_read(request: reqwest::RequestBuilder) -> reqwest::Result<Answer> {
    let response = request.send().await?;
    Ok(Answer {
        status: response.status().as_u16(),
        headers: response.headers().clone(),
        text: response.text().await?,
    })
}
