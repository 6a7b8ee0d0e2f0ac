//! The contacts of a seed: what an initial load must make of them.

use bytes::Bytes;
use crosswalk_tests::expected;
use serde_json::{Map, Value, json};

use crate::{arguments::Arguments, sandbox::Sandbox};

/// The contacts of a seed. The same in every sandbox that is started with it.
pub(crate) struct Contacts {
    /// Ids of those that a profile can hold.
    pub(crate) ids: Vec<String>,
    /// What is sent to make each of their profiles, in the same order.
    pub(crate) bodies: Vec<Bytes>,
}

impl Contacts {
    /// Looks them up in a sandbox.
    pub(crate) async fn of(arguments: &Arguments) -> anyhow::Result<Self> {
        let directory = tempfile::tempdir()?;
        let mut sandbox = Sandbox::start(arguments.contacts, arguments.seed, directory.path()).await?;
        let (mut ids, mut bodies) = (Vec::new(), Vec::new());
        sandbox
            .each_contact(|contact| {
                let id = contact_id(&contact)?;
                if let Some(fields) = expected(&contact) {
                    bodies.push(Bytes::from(body(id, fields).to_string()));
                    ids.push(id.to_owned());
                }
                Ok(())
            })
            .await?;
        sandbox.process.kill().await?;
        Ok(Self { ids, bodies })
    }
}

/// The id of a contact.
pub(crate) fn contact_id(contact: &Value) -> anyhow::Result<&str> {
    let id = contact["contactid"].as_str();
    id.ok_or_else(|| anyhow::anyhow!("a contact without an id: {contact}"))
}

/// The JSON that makes a profile: paths such as `location.city` are members of objects.
fn body(id: &str, fields: Vec<(&str, Value)>) -> Value {
    let mut body = Map::from_iter([("externalId".to_owned(), json!(id))]);
    for (path, value) in fields {
        match path.split_once('.') {
            None => {
                body.insert(path.to_owned(), value);
            }
            Some((group, member)) => {
                let group = body.entry(group).or_insert_with(|| json!({}));
                group[member] = value;
            }
        }
    }
    Value::Object(body)
}
