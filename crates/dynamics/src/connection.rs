//! Where a Dataverse environment is and as whom to speak to it.

use crosswalk_core::is_loopback_host;
use secrecy::SecretString;
use url::Url;

use crate::Error;

/// One Dataverse environment and the application user that reads it.
#[derive(Debug, Clone)]
pub struct Connection {
    /// The environment, e.g. `https://contoso.api.crm4.dynamics.com`. The address of its Web API
    /// (`…/api/data/v9.2/`) is taken as well.
    pub environment_url: Url,
    /// Where tokens are issued, in the public cloud [`Connection::PUBLIC_AUTHORITY`].
    pub authority_url: Url,
    /// Directory id or a verified domain name of the tenant.
    pub tenant_id: String,
    /// Application (client) id of the app registration.
    pub client_id: String,
    /// The value of its client secret, not the secret's id.
    pub client_secret: SecretString,
}

impl Connection {
    /// The authority of the public cloud.
    pub const PUBLIC_AUTHORITY: &'static str = "https://login.microsoftonline.com";
}

/// The addresses that follow from a [`Connection`], checked once.
#[derive(Debug, Clone)]
pub(crate) struct Endpoints {
    /// `https://…/api/data/v9.2/`; the origin that links must share.
    pub(crate) api: Url,
    /// The token endpoint of the tenant.
    pub(crate) token: Url,
    /// `<environment url>/.default` (contracts/dataverse.md §1.1).
    pub(crate) scope: String,
    /// Whether either address is on this machine, where a proxy must not come between.
    pub(crate) loopback: bool,
}

/// Path of the Web API below the environment (contracts/dataverse.md §2.1).
const API_PATH: &str = "/api/data/v9.2/";

impl Endpoints {
    /// # Errors
    /// [`Error::InvalidConnection`] names the field that cannot be right.
    pub(crate) fn new(connection: &Connection) -> Result<Self, Error> {
        let environment = &connection.environment_url;
        let host_checked = |field, url: &Url| check_host(url).map_err(|reason| invalid(field, reason));
        let environment_is_loopback = host_checked("environment_url", environment)?;
        if !(environment.path() == "/" || environment.path().starts_with("/api/data")) {
            return Err(invalid(
                "environment_url",
                "has a path; give the address of the environment alone",
            ));
        }
        let authority_is_loopback = host_checked("authority_url", &connection.authority_url)?;
        check_tenant(&connection.tenant_id).map_err(|reason| invalid("tenant_id", reason))?;
        if connection.client_id.trim().is_empty() {
            return Err(invalid("client_id", "is empty"));
        }
        let mut api = environment.clone();
        api.set_path(API_PATH);
        Ok(Self {
            api,
            token: token_endpoint(connection)?,
            scope: format!("{}/.default", environment.origin().ascii_serialization()),
            loopback: environment_is_loopback || authority_is_loopback,
        })
    }

    /// An address below the Web API: path segments, percent-encoded here, and a query.
    pub(crate) fn below_api(&self, segments: &[&str], query: Option<&str>) -> Url {
        let mut url = self.api.clone();
        url.path_segments_mut()
            .expect("an https address always has a path")
            .pop_if_empty()
            .extend(segments);
        url.set_query(query);
        url
    }

    /// The address of a link that the service gave, if it leads to the same environment: a bearer token goes with
    /// the request (contracts/dataverse.md §2.6).
    ///
    /// # Errors
    /// [`Error::ForeignLink`] if scheme, host or port differ or the link cannot be read.
    pub(crate) fn own_link(&self, link: &str) -> Result<Url, Error> {
        let url = self.api.join(link).map_err(|_| Error::ForeignLink {
            host: "an unreadable address".into(),
        })?;
        let has_credentials = !url.username().is_empty() || url.password().is_some();
        if url.origin() != self.api.origin() || has_credentials {
            return Err(Error::ForeignLink {
                host: url.host_str().unwrap_or("no host").into(),
            });
        }
        Ok(url)
    }
}

fn invalid(field: &'static str, reason: &str) -> Error {
    Error::InvalidConnection {
        field,
        reason: reason.to_owned(),
    }
}

/// Whether the host is this machine; elsewhere https is required.
fn check_host(url: &Url) -> Result<bool, &'static str> {
    let is_loopback = is_loopback_host(url.host_str().ok_or("names no host")?);
    if !(url.scheme() == "https" || is_loopback && url.scheme() == "http") {
        return Err("must be an https address");
    }
    if url.query().is_some() || url.fragment().is_some() || !url.username().is_empty() || url.password().is_some() {
        return Err("must hold no user, query or fragment");
    }
    Ok(is_loopback)
}

fn check_tenant(tenant: &str) -> Result<(), &'static str> {
    let well_formed = tenant.starts_with(|first: char| first.is_ascii_alphanumeric())
        && tenant
            .chars()
            .all(|character| character.is_ascii_alphanumeric() || "-._".contains(character));
    if well_formed {
        Ok(())
    } else {
        Err("is neither a directory id nor a domain name")
    }
}

fn token_endpoint(connection: &Connection) -> Result<Url, Error> {
    let mut url = connection.authority_url.clone();
    url.path_segments_mut()
        .map_err(|()| invalid("authority_url", "cannot have a path"))?
        .pop_if_empty()
        .extend([connection.tenant_id.as_str(), "oauth2", "v2.0", "token"]);
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn connection(environment: &str) -> Connection {
        Connection {
            environment_url: environment.parse().unwrap(),
            authority_url: Connection::PUBLIC_AUTHORITY.parse().unwrap(),
            tenant_id: "11111111-1111-4111-8111-111111111111".to_owned(),
            client_id: "22222222-2222-4222-8222-222222222222".to_owned(),
            client_secret: SecretString::from("top-secret"),
        }
    }

    #[test]
    fn addresses_follow_from_the_environment() {
        for environment in [
            "https://contoso.crm4.dynamics.com",
            "https://contoso.crm4.dynamics.com/api/data/v9.1/",
        ] {
            let endpoints = Endpoints::new(&connection(environment)).unwrap();
            assert_eq!(
                endpoints.api.as_str(),
                "https://contoso.crm4.dynamics.com/api/data/v9.2/"
            );
            assert_eq!(endpoints.scope, "https://contoso.crm4.dynamics.com/.default");
            assert_eq!(
                endpoints.token.as_str(),
                "https://login.microsoftonline.com/11111111-1111-4111-8111-111111111111/oauth2/v2.0/token"
            );
            assert!(!endpoints.loopback);
        }
    }

    #[test]
    fn plain_http_is_refused_but_on_loopback() {
        for (environment, allowed) in [
            ("http://contoso.crm4.dynamics.com", false),
            ("http://localhost.example.com", false),
            ("http://127.0.0.1:8091", true),
            ("http://localhost:8091", true),
            ("http://dynamics.localhost:8091", true),
            ("http://[::1]:8091", true),
        ] {
            assert_eq!(
                Endpoints::new(&connection(environment)).is_ok(),
                allowed,
                "{environment}"
            );
        }
    }

    #[test]
    fn impossible_settings_are_refused_by_name() {
        let mut no_client = connection("https://contoso.crm4.dynamics.com");
        no_client.client_id = " ".to_owned();
        let mut odd_tenant = connection("https://contoso.crm4.dynamics.com");
        odd_tenant.tenant_id = "../common".to_owned();
        for (connection, expected) in [
            (no_client, "client_id"),
            (odd_tenant, "tenant_id"),
            (
                connection("https://contoso.crm4.dynamics.com/main.aspx"),
                "environment_url",
            ),
            (connection("https://user@contoso.crm4.dynamics.com"), "environment_url"),
        ] {
            let Err(Error::InvalidConnection { field, .. }) = Endpoints::new(&connection) else {
                panic!("{expected} was accepted");
            };
            assert_eq!(field, expected);
        }
    }

    #[test]
    fn links_are_followed_to_the_same_origin_only() {
        let endpoints = Endpoints::new(&connection("https://contoso.crm4.dynamics.com")).unwrap();
        for (link, own) in [
            (
                "https://contoso.crm4.dynamics.com/api/data/v9.2/contacts?$deltatoken=1",
                true,
            ),
            (
                "https://contoso.crm4.dynamics.com:443/api/data/v9.2/contacts?$deltatoken=1",
                true,
            ),
            ("contacts?$deltatoken=1", true),
            ("https://contoso.crm4.dynamics.com.evil.example/contacts", false),
            ("https://contoso.crm4.dynamics.com:8443/contacts", false),
            ("http://contoso.crm4.dynamics.com/contacts", false),
            ("https://contoso.crm4.dynamics.com@evil.example/contacts", false),
            ("//evil.example/contacts", false),
        ] {
            assert_eq!(endpoints.own_link(link).is_ok(), own, "{link}");
        }
    }

    #[test]
    fn paging_cookie_is_requested_verbatim() {
        let endpoints = Endpoints::new(&connection("https://contoso.crm4.dynamics.com")).unwrap();
        let link = "https://contoso.crm4.dynamics.com/api/data/v9.2/contacts?$select=firstname&$skiptoken=\
                    %3Ccookie%20pagenumber=%222%22%20pagingcookie=%22%253ccookie%2520page%253d%25221%2522%22%20/%3E";
        assert_eq!(endpoints.own_link(link).unwrap().as_str(), link);
    }

    #[test]
    fn debug_output_holds_no_secret() {
        let shown = format!("{:?}", connection("https://contoso.crm4.dynamics.com"));
        assert!(!shown.contains("top-secret"), "{shown}");
    }
}
