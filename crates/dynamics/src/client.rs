//! The client: what a service can ask a Dataverse environment.

use std::fmt;
use std::sync::Arc;

use crosswalk_core::schema::Table;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use jiff::Timestamp;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use url::Url;
use uuid::Uuid;

use crate::answer::{Answer, classify, retry_after};
use crate::connection::Endpoints;
use crate::http_client::{HttpClient, Received};
use crate::observer::{Nobody, Observer, Operation};
use crate::page::{Page, PageLink, SourceChange, parse_row};
use crate::token::{Credentials, TokenSource};
use crate::{ClientSettings, Connection, Error, Selection, metadata};

/// Largest page that the service gives (contracts/dataverse.md §2.3).
const MAX_PAGE_SIZE: u32 = 5_000;

/// A client of one Dataverse environment. Cheap to clone; clones share connections and token.
///
/// Nothing is retried here but a request refused with 401, once, with a new token: callers retry by the error's
/// [class](crosswalk_core::Classify).
#[derive(Clone)]
pub struct Client {
    http: HttpClient,
    shared: Arc<Shared>,
}

struct Shared {
    endpoints: Endpoints,
    tokens: TokenSource,
    headers: HeaderMap,
    page_preferences: HeaderValue,
    max_page_bytes: usize,
    max_metadata_bytes: usize,
}

impl fmt::Debug for Client {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Client({})", self.shared.endpoints.api)
    }
}

/// Who the environment takes us for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Identity {
    /// The application user.
    pub user_id: Uuid,
    /// Its business unit.
    pub business_unit_id: Uuid,
    /// The organization, i.e. the environment.
    pub organization_id: Uuid,
}

/// One GET request.
struct Request<'a> {
    operation: Operation,
    url: Url,
    /// The table whose rows are asked for.
    table: Option<&'a str>,
    header: Option<(HeaderName, HeaderValue)>,
    limit: usize,
}

impl Client {
    /// Makes a client; nothing is sent yet.
    ///
    /// # Errors
    /// [`Error::InvalidConnection`] for a setting that cannot be right; https is required but on loopback.
    pub fn new(connection: Connection, settings: &ClientSettings) -> Result<Self, Error> {
        let endpoints = Endpoints::new(&connection)?;
        if !(1..=MAX_PAGE_SIZE).contains(&settings.page_size) {
            let reason = format!("is not between 1 and {MAX_PAGE_SIZE}");
            return Err(Error::InvalidConnection {
                field: "page_size",
                reason,
            });
        }
        let credentials = Credentials {
            endpoint: endpoints.token.clone(),
            scope: endpoints.scope.clone(),
            client_id: connection.client_id,
            client_secret: connection.client_secret,
        };
        let http = HttpClient::new(settings, !endpoints.loopback, Arc::new(Nobody))?;
        let preferences = format!("odata.track-changes,odata.maxpagesize={}", settings.page_size);
        let shared = Shared {
            endpoints,
            tokens: TokenSource::new(credentials, settings.token_renewal_margin),
            headers: common_headers(),
            page_preferences: HeaderValue::try_from(preferences).expect("digits and letters stand in a header"),
            max_page_bytes: settings.max_page_bytes,
            max_metadata_bytes: settings.max_metadata_bytes,
        };
        Ok(Self {
            http,
            shared: Arc::new(shared),
        })
    }

    /// This client with an observer of its HTTP exchanges.
    #[must_use]
    pub fn with_observer(mut self, observer: Arc<dyn Observer>) -> Self {
        self.http.observer = observer;
        self
    }

    /// Asks who we are; proves the address, the credentials and the membership in the environment.
    ///
    /// # Errors
    /// Among others [`Error::Authentication`], [`Error::NotAMember`], [`Error::NotDataverse`].
    pub async fn who_am_i(&self) -> Result<Identity, Error> {
        self.get_json(Operation::Identity, &["WhoAmI"], None).await
    }

    /// All tables that have rows to read, without their columns, sorted by logical name.
    ///
    /// # Errors
    /// As for any request.
    pub async fn tables(&self) -> Result<Vec<Table>, Error> {
        metadata::tables(self).await
    }

    /// A table with its columns: types, lengths, options with labels, targets of lookups. Makes eleven requests.
    ///
    /// # Errors
    /// [`Error::TableNotFound`], and as for any request.
    pub async fn table(&self, logical_name: &str) -> Result<Table, Error> {
        metadata::table(self, logical_name).await
    }

    /// Begins a tracked read of a table: its first page (contracts/dataverse.md §3.2).
    ///
    /// # Errors
    /// Among others [`Error::ChangeTrackingOff`], [`Error::PrivilegeMissing`], [`Error::ColumnNotFound`].
    pub async fn first_page(&self, selection: &Selection) -> Result<Page, Error> {
        let segments = [selection.entity_set()];
        let url = self
            .shared
            .endpoints
            .below_api(&segments, Some(&selection.select_option()));
        self.page(selection, url).await
    }

    /// Goes on from a link: the next page, or the changes since.
    ///
    /// The selection must be the one that the read began with: the link carries the columns.
    ///
    /// # Errors
    /// [`Error::ExpiredDeltaToken`] if the table must be read from the beginning. A link that the service cannot read
    /// is asked for once more before that is believed (contracts/dataverse.md §12, question 9).
    /// [`Error::ForeignLink`] if the link leads elsewhere.
    pub async fn next_page(&self, selection: &Selection, link: &PageLink) -> Result<Page, Error> {
        let url = self.shared.endpoints.own_link(link.address())?;
        match self.page(selection, url.clone()).await {
            Err(Error::ExpiredDeltaToken(answer)) if !answer.is_expired_version_stamp() => {
                self.page(selection, url).await
            }
            outcome => outcome,
        }
    }

    /// One row by its id; none if there is no such row.
    ///
    /// # Errors
    /// [`Error::RejectedRow`] if a value does not fit its column, and as for any request.
    pub async fn row(&self, selection: &Selection, id: Uuid) -> Result<Option<SourceChange>, Error> {
        let record = format!("{}({id})", selection.entity_set());
        let select = selection.select_option();
        let request = Request {
            operation: Operation::Row,
            url: self.shared.endpoints.below_api(&[&record], Some(&select)),
            table: Some(selection.table()),
            header: None,
            limit: self.shared.max_metadata_bytes,
        };
        match self.get(request).await {
            Ok(body) => parse_row(&body, selection).map(Some),
            Err(Error::Refused(answer)) if answer.is_missing_row() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// How many rows the table has, by a count of the service's own that is up to a day old
    /// (contracts/dataverse.md §3.8).
    ///
    /// # Errors
    /// [`Error::TableNotFound`] if the service does not count this table, and as for any request.
    pub async fn total_record_count(&self, table: &Table) -> Result<u64, Error> {
        metadata::total_record_count(self, table).await
    }

    async fn page(&self, selection: &Selection, url: Url) -> Result<Page, Error> {
        let request = Request {
            operation: Operation::Page,
            url,
            table: Some(selection.table()),
            header: Some((HeaderName::from_static("prefer"), self.shared.page_preferences.clone())),
            limit: self.shared.max_page_bytes,
        };
        let body = self.get(request).await?;
        let selection = selection.clone();
        // Typing 5,000 rows takes tens of milliseconds, too long for a thread that also drives connections.
        match tokio::task::spawn_blocking(move || Page::parse(&body, &selection)).await {
            Ok(page) => page,
            Err(failure) if failure.is_panic() => std::panic::resume_unwind(failure.into_panic()),
            Err(_) => Err(Error::Cancelled),
        }
    }

    /// Reads a JSON document below the Web API; `Consistency` makes a change to the metadata visible at once instead
    /// of half a minute later (contracts/dataverse.md §2.2).
    pub(crate) async fn get_json<T: DeserializeOwned>(
        &self,
        operation: Operation,
        segments: &[&str],
        query: Option<&str>,
    ) -> Result<T, Error> {
        let consistency = (
            HeaderName::from_static("consistency"),
            HeaderValue::from_static("Strong"),
        );
        let request = Request {
            operation,
            url: self.shared.endpoints.below_api(segments, query),
            table: None,
            header: (operation == Operation::Metadata).then_some(consistency),
            limit: self.shared.max_metadata_bytes,
        };
        let body = self.get(request).await?;
        serde_json::from_slice(&body).map_err(|error| Error::from_json(operation.name(), error))
    }

    /// On a 401 drops the token, fetches a new one once, retries once, then fails (contracts/dataverse.md §1.5).
    async fn get(&self, request: Request<'_>) -> Result<Vec<u8>, Error> {
        let token = self.shared.tokens.token(&self.http).await?;
        let mut received = self.send(&request, &token).await?;
        if received.status == StatusCode::UNAUTHORIZED {
            self.shared.tokens.discard(&token);
            let token = self.shared.tokens.token(&self.http).await?;
            received = self.send(&request, &token).await?;
        }
        if received.status == StatusCode::OK {
            return Ok(received.body);
        }
        let after = retry_after(&received.headers, Timestamp::now());
        let answer = Answer::new(received.status.as_u16(), &received.headers, &received.body);
        Err(classify(answer, after, request.table))
    }

    async fn send(&self, request: &Request<'_>, authorization: &HeaderValue) -> Result<Received, Error> {
        let mut builder = self
            .http
            .client
            .get(request.url.clone())
            .headers(self.shared.headers.clone())
            .header(header::AUTHORIZATION, authorization);
        if let Some((name, value)) = &request.header {
            builder = builder.header(name, value);
        }
        self.http.exchange(request.operation, builder, request.limit).await
    }
}

/// Sent with every request (contracts/dataverse.md §2.2).
fn common_headers() -> HeaderMap {
    HeaderMap::from_iter([
        (header::ACCEPT, HeaderValue::from_static("application/json")),
        (
            HeaderName::from_static("odata-maxversion"),
            HeaderValue::from_static("4.0"),
        ),
        (
            HeaderName::from_static("odata-version"),
            HeaderValue::from_static("4.0"),
        ),
        (header::IF_NONE_MATCH, HeaderValue::from_static("null")),
    ])
}
