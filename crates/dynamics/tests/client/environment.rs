//! A sandbox environment of one test, and the client of its application user.

use crosswalk_core::{ChangeKind, Row};
use crosswalk_dynamics::{Client, ClientSettings, Connection, Page, PageLink, Selection, SourceChange};
use crosswalk_sandbox::faults::{Effect, Operation, Rule, Side};
use crosswalk_sandbox::microsoft::Dynamics;
use crosswalk_sandbox::{Sandbox, SandboxConfig};
use serde_json::{Value, json};
use url::Url;
use uuid::Uuid;

/// A sandbox with its Dynamics environment. It stops with the test.
pub(crate) struct Environment {
    pub(crate) sandbox: Sandbox,
}

impl Environment {
    /// An environment without contacts.
    pub(crate) async fn start() -> Self {
        Self::with_contacts(0).await
    }

    /// An environment with contacts as varied as people are.
    pub(crate) async fn with_contacts(contacts: u64) -> Self {
        let config = SandboxConfig {
            contacts,
            ..SandboxConfig::default()
        };
        Self {
            sandbox: Sandbox::start(config).await.unwrap(),
        }
    }

    pub(crate) fn dynamics(&self) -> &Dynamics {
        self.sandbox.dynamics()
    }

    pub(crate) fn connection(&self) -> Connection {
        let config = self.dynamics().config();
        let url: Url = self.sandbox.microsoft_url().parse().unwrap();
        Connection {
            environment_url: url.clone(),
            authority_url: url,
            tenant_id: config.tenant_id.clone(),
            client_id: config.client_id.clone(),
            client_secret: config.client_secret.clone().into(),
        }
    }

    pub(crate) fn client(&self) -> Client {
        self.client_with_pages_of(5_000)
    }

    pub(crate) fn client_with_pages_of(&self, page_size: u32) -> Client {
        Client::new(
            self.connection(),
            &ClientSettings {
                page_size,
                ..ClientSettings::default()
            },
        )
        .unwrap()
    }

    pub(crate) fn create(&self, contact: &Value) -> Uuid {
        self.dynamics().create("contact", contact.as_object().unwrap()).unwrap()
    }

    pub(crate) fn create_many(&self, count: usize) -> Vec<Uuid> {
        let mut ids: Vec<Uuid> = (0..count)
            .map(|number| self.create(&json!({"firstname": format!("Ada {number}")})))
            .collect();
        ids.sort();
        ids
    }

    pub(crate) fn fail(&self, operation: Operation, effect: Effect) {
        self.sandbox
            .faults()
            .add(Rule::new(Side::Dynamics, operation, effect).times(1));
    }

    pub(crate) fn tokens_asked_for(&self) -> u64 {
        self.sandbox.counters().calls(Side::Entra, Operation::Token)
    }
}

/// Columns of the contact table.
pub(crate) async fn contact(client: &Client, columns: &[&str]) -> Selection {
    let columns: Vec<String> = columns.iter().map(|name| (*name).to_owned()).collect();
    Selection::new(&client.table("contact").await.unwrap(), &columns).unwrap()
}

/// All pages up to the delta link.
pub(crate) async fn read_to_the_end(
    client: &Client,
    selection: &Selection,
    first: Page,
) -> (Vec<SourceChange>, PageLink) {
    let (mut changes, mut next) = (first.changes, first.next);
    assert_eq!(first.rejected, []);
    while let PageLink::Next(_) = next {
        let page = client.next_page(selection, &next).await.unwrap();
        assert_eq!(page.rejected, []);
        changes.extend(page.changes);
        next = page.next;
    }
    (changes, next)
}

/// The row of a change that is no delete.
pub(crate) fn row(change: &SourceChange) -> &Row {
    match &change.kind {
        ChangeKind::Upsert(row) => row,
        kind => panic!("{} is {kind:?}", change.id),
    }
}
