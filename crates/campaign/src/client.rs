//! The client: a handle on one Campaign instance.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use crosswalk_core::schema::Resource;
use serde_json::{Map, Value};
use url::Url;

use crate::classify::Target;
use crate::connection::append;
use crate::exchange::{Exchange, parse};
use crate::metadata;
use crate::observer::{Observer, Operation};
use crate::transport::{Request, Transport};
use crate::write::upsert;
use crate::{Action, Addressing, ClientSettings, Connection, Endpoint, Error, RecordKey, Write, Written, WrittenKind};

/// A client of one Campaign instance. Cloning is cheap and shares connections and token.
///
/// No method tries again by itself, but for one replay after a refused token: the caller owns the retry policy and learns
/// from [`crosswalk_core::Classify`] what to do.
#[derive(Clone)]
pub struct Client {
    pub(crate) inner: Arc<Inner>,
}

/// Whether a deleted record was there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deleted {
    /// It was, and is no more.
    Existed,
    /// There was none.
    AlreadyGone,
}

impl Client {
    /// Makes a client; no call is sent.
    ///
    /// # Errors
    /// [`Error::InvalidConnection`]: e.g. plain HTTP to another machine.
    pub fn new(connection: &Connection, settings: &ClientSettings) -> Result<Self, Error> {
        Self::build(connection, settings, None)
    }

    /// Makes a client that tells `observer` about every HTTP request.
    ///
    /// # Errors
    /// As [`Client::new`].
    pub fn with_observer(
        connection: &Connection,
        settings: &ClientSettings,
        observer: Arc<dyn Observer>,
    ) -> Result<Self, Error> {
        Self::build(connection, settings, Some(observer))
    }

    fn build(
        connection: &Connection,
        settings: &ClientSettings,
        observer: Option<Arc<dyn Observer>>,
    ) -> Result<Self, Error> {
        connection.validate()?;
        settings.validate()?;
        let inner = Inner {
            transport: Transport::new(connection, settings, observer)?,
            endpoint: settings.endpoint,
            endpoint_url: append(&connection.campaign_url(), &[settings.endpoint.path()]),
            addressing: settings.addressing.clone(),
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Gets a new access token, which proves the credentials now. Whether they open this instance, only a call such as
    /// [`Client::resource`] shows.
    ///
    /// # Errors
    /// IMS refuses or does not answer.
    pub async fn authenticate(&self) -> Result<(), Error> {
        self.inner.transport.authenticate().await
    }

    /// The resources that the endpoint exposes, sorted by name, without their fields.
    ///
    /// # Errors
    /// The call fails.
    pub async fn resources(&self) -> Result<Vec<Resource>, Error> {
        // The index stands at the endpoint itself, with a slash at the end.
        let url = append(&self.inner.endpoint_url, &[""]);
        let target = Target::Metadata {
            resource: self.inner.endpoint.path(),
        };
        let request = Request {
            operation: Operation::Metadata,
            url,
            body: None,
            target,
            keep_record: false,
        };
        let body = self.inner.transport.send(&request, &mut 0).await?;
        Ok(metadata::resources(&parse(&body)?))
    }

    /// One resource with its fields.
    ///
    /// # Errors
    /// [`crate::Misconfiguration::ResourceNotFound`] where there is none, or the call fails.
    pub async fn resource(&self, name: &str) -> Result<Resource, Error> {
        let description = self.inner.describe(name, &mut 0).await?;
        metadata::resource(name, &description)
    }

    /// POST of a new record. The body is a JSON object and must hold the key.
    ///
    /// # Errors
    /// [`Error::DuplicateKey`] where the record exists, or the call fails. After [`Error::NoAnswer`] and
    /// [`Error::Transient`] the record may exist all the same; [`Client::write`] copes with that.
    pub async fn insert(&self, resource: &str, body: Bytes) -> Result<(), Error> {
        self.inner.insert(resource, body, false, &mut 0).await.map(drop)
    }

    /// PATCH of a record; `false` where there is none. The body may hold the key, with the same value.
    ///
    /// # Errors
    /// The call fails.
    pub async fn update(&self, resource: &str, key: &RecordKey, body: Bytes) -> Result<bool, Error> {
        Exchange::new(&self.inner, resource, key).update(body).await
    }

    /// DELETE of a record.
    ///
    /// # Errors
    /// The call fails.
    pub async fn delete(&self, resource: &str, key: &RecordKey) -> Result<Deleted, Error> {
        Exchange::new(&self.inner, resource, key).delete().await
    }

    /// One record as Campaign has it; `None` where there is none.
    ///
    /// # Errors
    /// The call fails.
    pub async fn get(&self, resource: &str, key: &RecordKey) -> Result<Option<Map<String, Value>>, Error> {
        Exchange::new(&self.inner, resource, key).get().await
    }

    /// Brings a record into the wanted state, whatever state it is in; repeating it is harmless.
    ///
    /// # Errors
    /// The call fails. [`Error::DuplicateKey`] then means that another record holds one of the body's unique values.
    pub async fn write(&self, write: Write<'_>) -> Result<Written, Error> {
        let mut exchange = Exchange::new(&self.inner, write.resource, write.key);
        let kind = match &write.action {
            Action::Upsert { insert, update, known } => {
                // Without a key of its own the resource may not keep a second record from being made.
                let look_first = *known || self.inner.addressing != Addressing::CustomKey;
                upsert(&mut exchange, &write, (insert.clone(), update.clone()), look_first).await?
            }
            Action::Delete => match exchange.delete().await? {
                Deleted::Existed => WrittenKind::Deleted,
                Deleted::AlreadyGone => WrittenKind::AlreadyGone,
            },
        };
        Ok(Written {
            calls: exchange.calls,
            kind,
        })
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Client")
            .field("endpoint", &self.inner.endpoint_url.as_str())
            .finish_non_exhaustive()
    }
}

/// What all clones of a client share.
pub(crate) struct Inner {
    pub(crate) transport: Transport,
    endpoint: Endpoint,
    endpoint_url: Url,
    pub(crate) addressing: Addressing,
}

impl Inner {
    /// The URL of a resource, or of what lies below it: a key or a filter.
    pub(crate) fn resource_url(&self, resource: &str, below: Option<&str>) -> Result<Url, Error> {
        check_name(resource)?;
        Ok(match below {
            Some(below) => append(&self.endpoint_url, &[resource, below]),
            None => append(&self.endpoint_url, &[resource]),
        })
    }

    /// POST.
    pub(crate) async fn insert(
        &self,
        resource: &str,
        body: Bytes,
        keep_record: bool,
        calls: &mut u32,
    ) -> Result<Vec<u8>, Error> {
        let url = self.resource_url(resource, None)?;
        let target = Target::Collection { resource };
        let request = Request {
            operation: Operation::Insert,
            url,
            body: Some(body),
            target,
            keep_record,
        };
        self.transport.send(&request, calls).await
    }

    /// The description of a resource (contracts/campaign.md §2.3).
    pub(crate) async fn describe(&self, resource: &str, calls: &mut u32) -> Result<Map<String, Value>, Error> {
        check_name(resource)?;
        let url = append(&self.endpoint_url, &["resourceType", resource]);
        let target = Target::Metadata { resource };
        let request = Request {
            operation: Operation::Metadata,
            url,
            body: None,
            target,
            keep_record: false,
        };
        parse(&self.transport.send(&request, calls).await?)
    }

    /// The URL of a link, kept as it is (§2.6), if it leads to the gateway that we send credentials to.
    pub(crate) fn follow(&self, href: Option<&str>) -> Result<Url, Error> {
        let href = href.ok_or_else(|| Error::UnexpectedAnswer {
            problem: "a row has no href".to_owned(),
        })?;
        let url = Url::parse(href).map_err(|error| Error::UnexpectedAnswer {
            problem: format!("an href is no URL: {error}"),
        })?;
        let origin = url.origin();
        if origin == self.endpoint_url.origin() {
            Ok(url)
        } else {
            Err(Error::ForeignLink {
                origin: origin.ascii_serialization(),
            })
        }
    }
}

/// Names of resources come from mappings. Anything but an API name would change the path.
fn check_name(resource: &str) -> Result<(), Error> {
    let name_characters = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    if resource.is_empty() || !resource.bytes().all(name_characters) {
        return Err(Error::InvalidConnection {
            problem: format!("`{resource}` is not the API name of a resource"),
        });
    }
    Ok(())
}
