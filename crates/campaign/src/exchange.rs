//! The calls that concern one record, and their number.

use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Map, Value};
use url::Url;

use crate::classify::Target;
use crate::client::{Deleted, Inner};
use crate::observer::Operation;
use crate::transport::Request;
use crate::{Addressing, Error, RecordKey};

/// The calls that concern one record.
pub(crate) struct Exchange<'a> {
    inner: &'a Inner,
    resource: &'a str,
    key: &'a RecordKey,
    /// HTTP requests sent to the API so far.
    pub(crate) calls: u32,
}

impl<'a> Exchange<'a> {
    pub(crate) const fn new(inner: &'a Inner, resource: &'a str, key: &'a RecordKey) -> Self {
        Self {
            inner,
            resource,
            key,
            calls: 0,
        }
    }

    /// `keep_record`: the record that is answered is given back.
    pub(crate) async fn insert(&mut self, body: Bytes, keep_record: bool) -> Result<Vec<u8>, Error> {
        self.inner
            .insert(self.resource, body, keep_record, &mut self.calls)
            .await
    }

    pub(crate) async fn update(&mut self, body: Bytes) -> Result<bool, Error> {
        let Some((url, target)) = self.address().await? else {
            return Ok(false);
        };
        let request = Request {
            operation: Operation::Update,
            url,
            body: Some(body),
            target,
            keep_record: false,
        };
        match self.inner.transport.send(&request, &mut self.calls).await {
            Ok(_) => Ok(true),
            Err(Error::NotFound { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    pub(crate) async fn delete(&mut self) -> Result<Deleted, Error> {
        let Some((url, target)) = self.address().await? else {
            return Ok(Deleted::AlreadyGone);
        };
        let request = Request {
            operation: Operation::Delete,
            url,
            body: None,
            target,
            keep_record: false,
        };
        match self.inner.transport.send(&request, &mut self.calls).await {
            Ok(_) => Ok(Deleted::Existed),
            Err(Error::NotFound { certain, .. }) => {
                self.confirm_missing(certain).await?;
                Ok(Deleted::AlreadyGone)
            }
            Err(error) => Err(error),
        }
    }

    pub(crate) async fn get(&mut self) -> Result<Option<Map<String, Value>>, Error> {
        if let Addressing::PublishedFilter { filter, parameter } = &self.inner.addressing {
            return self.look_up(filter, parameter).await;
        }
        let Some((url, target)) = self.address().await? else {
            return Ok(None);
        };
        let request = Request {
            operation: Operation::Read,
            url,
            body: None,
            target,
            keep_record: false,
        };
        match self.inner.transport.send(&request, &mut self.calls).await {
            Ok(body) => Ok(unwrap_record(parse(&body)?)),
            Err(Error::NotFound { certain, .. }) => {
                self.confirm_missing(certain).await?;
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// The URL of the record; none where the filter finds no record.
    async fn address(&mut self) -> Result<Option<(Url, Target<'a>)>, Error> {
        let (resource, key) = (self.resource, self.key.as_str());
        match &self.inner.addressing {
            Addressing::CustomKey => {
                let url = self.inner.resource_url(resource, Some(key))?;
                Ok(Some((url, Target::Record { resource, key })))
            }
            Addressing::PublishedFilter { filter, parameter } => {
                let Some(row) = self.look_up(filter, parameter).await? else {
                    return Ok(None);
                };
                let url = self.inner.follow(row.get("href").and_then(Value::as_str))?;
                Ok(Some((url, Target::Link { resource, key })))
            }
        }
    }

    /// The one record that a published filter finds (contracts/campaign.md §4.2). PKeys are never kept: the next call
    /// looks up again.
    async fn look_up(&mut self, filter: &str, parameter: &str) -> Result<Option<Map<String, Value>>, Error> {
        let mut url = self.inner.resource_url(self.resource, Some(filter))?;
        // Two rows are enough to see that the key is not unique.
        url.query_pairs_mut()
            .append_pair(parameter, self.key.as_str())
            .append_pair("_lineCount", "2");
        let target = Target::Filter {
            resource: self.resource,
            filter,
        };
        let request = Request {
            operation: Operation::LookUp,
            url,
            body: None,
            target,
            keep_record: false,
        };
        let body = self.inner.transport.send(&request, &mut self.calls).await?;
        let mut rows = parse::<List>(&body)?.content;
        match rows.len() {
            0 | 1 => Ok(rows.pop()),
            rows => Err(Error::AmbiguousKey {
                key: self.key.to_string(),
                rows,
            }),
        }
    }

    /// A 404 that does not speak of a record may mean that the resource is gone. Then nothing may be concluded about
    /// the record, least of all that its deletion is done.
    async fn confirm_missing(&mut self, certain: bool) -> Result<(), Error> {
        if certain {
            return Ok(());
        }
        self.inner.describe(self.resource, &mut self.calls).await.map(drop)
    }
}

/// Records as a list gives them (contracts/campaign.md §2.2).
#[derive(Deserialize)]
pub(crate) struct List {
    pub(crate) content: Vec<Map<String, Value>>,
}

/// A record, also where it comes wrapped in a list (contracts/campaign.md §2.2).
fn unwrap_record(mut record: Map<String, Value>) -> Option<Map<String, Value>> {
    match record.get_mut("content") {
        Some(Value::Array(rows)) => match rows.drain(..).next() {
            Some(Value::Object(row)) => Some(row),
            _ => None,
        },
        _ => Some(record),
    }
}

/// Parses an answer's body.
pub(crate) fn parse<'de, T: Deserialize<'de>>(body: &'de [u8]) -> Result<T, Error> {
    serde_json::from_slice(body).map_err(|error| Error::UnexpectedAnswer {
        problem: error.to_string(),
    })
}
