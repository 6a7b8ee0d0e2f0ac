//! Whether a field is a resource's key. Campaign's metadata tells of no keys (contracts/campaign.md §4), but its records do.

use serde_json::{Map, Value};

use crate::{
    Client, Error, Misconfiguration, RecordKey, Reply,
    classify::Target,
    exchange::{List, parse},
    observer::Operation,
    transport::Request,
};

/// The key of no record.
const NOBODY: &str = "00000000-0000-4000-8000-000000000000";

/// Records that are looked at for one with a value in the field.
const SAMPLE: &str = "100";

impl Client {
    /// Checks, as far as that can be told without a write, that the records of a resource are found by a field: one that has a
    /// value there must be found by it. Where none has, only that the resource has a key at all can be told; the rest is
    /// seen when the first record has been inserted ([`prove_key`](Self::prove_key)).
    ///
    /// # Errors
    /// [`Misconfiguration::KeyNotDeclared`] where it is no key, or the call fails.
    pub async fn check_key(&self, resource: &str, field: &str) -> Result<(), Error> {
        let sample = self.sample(resource).await?;
        let keyed = sample
            .iter()
            .find_map(|record| Some((record, keyed_by(record, field)?)));
        let Some((record, key)) = keyed else {
            // A resource that is not addressed by keys takes it for something else, and says so.
            return match RecordKey::new(NOBODY) {
                Ok(nobody) => self.get(resource, &nobody).await.map(drop),
                Err(_) => Ok(()),
            };
        };
        match self.get(resource, &key).await? {
            Some(found) if found.get("PKey") == record.get("PKey") => Ok(()),
            found => {
                let status = if found.is_some() { 200 } else { 404 };
                let text = format!("a record whose {field} is {key} is not found by that");
                Err(not_declared(resource, status, text))
            }
        }
    }

    /// Proves that a record which has just been inserted is found by its key. Where no record had a value in the key's field
    /// before, this is the only way to know that a resource is addressed by it.
    ///
    /// # Errors
    /// [`Misconfiguration::KeyNotDeclared`] where the record is not found, or the call fails.
    pub async fn prove_key(&self, resource: &str, key: &RecordKey) -> Result<(), Error> {
        if self.get(resource, key).await?.is_some() {
            return Ok(());
        }
        let text = format!("the record {key} has been inserted but is not found by its key");
        Err(not_declared(resource, 404, text))
    }

    async fn sample(&self, resource: &str) -> Result<Vec<Map<String, Value>>, Error> {
        let mut url = self.inner.resource_url(resource, None)?;
        url.query_pairs_mut().append_pair("_lineCount", SAMPLE);
        let request = Request {
            operation: Operation::LookUp,
            url,
            body: None,
            target: Target::Collection { resource },
            keep_record: false,
        };
        let body = self.inner.transport.send(&request, &mut 0).await?;
        Ok(parse::<List>(&body)?.content)
    }
}

fn not_declared(resource: &str, status: u16, text: String) -> Error {
    Error::Configuration {
        problem: Misconfiguration::KeyNotDeclared {
            resource: resource.to_owned(),
        },
        reply: Box::new(Reply {
            status,
            text,
            request_id: None,
            request: None,
        }),
    }
}

/// The key that a record has in a field, if it can be one.
fn keyed_by(record: &Map<String, Value>, field: &str) -> Option<RecordKey> {
    let text = match record.get(field)? {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    RecordKey::new(text).ok()
}
