//! The sandbox's Campaign and the calls that most tests make.

use std::sync::Arc;

use axum::serve;
use bytes::Bytes;
use crosswalk_campaign::{Action, Client, ClientSettings, Connection, Error, Links, Write, Written};
use crosswalk_sandbox::adobe::{Adobe, AdobeConfig};
use crosswalk_sandbox::counters::Counters;
use crosswalk_sandbox::faults::{Effect, Faults, Operation, Rule, Side};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::server::key;

/// Key of the record that most tests write.
pub(crate) const ID: &str = "6f0cbd41-0000-4000-8000-000000000001";

/// A sandbox of Campaign, empty.
pub(crate) struct Campaign {
    pub(crate) adobe: Arc<Adobe>,
    pub(crate) faults: Arc<Faults>,
    pub(crate) counters: Arc<Counters>,
    pub(crate) connection: Connection,
}

impl Campaign {
    pub(crate) async fn start() -> Self {
        let (faults, counters) = (Arc::new(Faults::new(1)), Arc::new(Counters::new()));
        let config = AdobeConfig::default();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
        let url: url::Url = format!("http://{}", listener.local_addr().expect("the listener is bound"))
            .parse()
            .expect("it is a URL");
        let connection = Connection {
            api_url: url.clone(),
            organization: config.organisations[0].clone(),
            ims_url: url,
            client_id: config.client_id.clone(),
            client_secret: config.client_secret.clone().into(),
            scopes: vec!["openid".to_owned(), "AdobeID".to_owned(), "campaign_sdk".to_owned()],
        };
        let adobe = Adobe::new(config, Arc::clone(&faults), Arc::clone(&counters));
        let router = adobe.router();
        tokio::spawn(async move { serve(listener, router).await });
        Self {
            adobe,
            faults,
            counters,
            connection,
        }
    }

    pub(crate) fn client(&self) -> Client {
        self.client_with(&ClientSettings::default())
    }

    pub(crate) fn client_with(&self, settings: &ClientSettings) -> Client {
        Client::new(&self.connection, settings).expect("the connection is valid")
    }

    pub(crate) fn count(&self) -> usize {
        let organisation = self.adobe.organisation(&self.connection.organization);
        organisation
            .expect("it is served")
            .count("profile")
            .expect("it is a resource")
    }

    pub(crate) fn record(&self, key: &str) -> Option<Value> {
        let organisation = self.adobe.organisation(&self.connection.organization);
        organisation.expect("it is served").record("profile", key).ok()
    }

    pub(crate) fn fault(&self, operation: Operation, effect: Effect) {
        self.faults.add(Rule::new(Side::Campaign, operation, effect).times(1));
    }
}

pub(crate) fn body(id: &str, fields: &Value) -> Bytes {
    let mut body = json!({"externalId": id});
    if let (Some(body), Some(fields)) = (body.as_object_mut(), fields.as_object()) {
        body.extend(fields.clone());
    }
    body.to_string().into()
}

pub(crate) async fn upsert(client: &Client, id: &str, fields: &Value, known: bool) -> Result<Written, Error> {
    let action = Action::upsert(body(id, fields), known);
    client
        .write(Write {
            resource: "profile",
            key: &key(id),
            links: &Links::default(),
            action,
        })
        .await
}

pub(crate) async fn delete(client: &Client, id: &str) -> Result<Written, Error> {
    client
        .write(Write {
            resource: "profile",
            key: &key(id),
            links: &Links::default(),
            action: Action::Delete,
        })
        .await
}
