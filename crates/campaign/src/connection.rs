//! Where a Campaign instance is and who we are to it.

use crosswalk_core::is_loopback_host;
use http::HeaderValue;
use secrecy::SecretString;
use url::Url;

use crate::Error;

/// Where a Campaign instance is and the OAuth Server-to-Server credential it accepts (contracts/campaign.md §1).
///
/// `Debug` does not show the secret.
#[derive(Debug, Clone)]
pub struct Connection {
    /// The API gateway, in production `https://mc.adobe.io`. A path is kept as a prefix of every call.
    pub api_url: Url,
    /// The instance's name in the URL, e.g. `acme` or `acme-mkt-stage`; not the IMS organisation id.
    pub organization: String,
    /// The identity service, in production `https://ims-na1.adobelogin.com`.
    pub ims_url: Url,
    /// The credential's client id, sent as `X-Api-Key` too.
    pub client_id: String,
    /// The credential's secret.
    pub client_secret: SecretString,
    /// The scopes to ask for. Adobe does not publish a fixed list, so this is configuration (§1.1).
    pub scopes: Vec<String>,
}

impl Connection {
    /// Checks what can be checked without a call.
    pub(crate) fn validate(&self) -> Result<(), Error> {
        check_url("api_url", &self.api_url)?;
        check_url("ims_url", &self.ims_url)?;
        let name_characters = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        if self.organization.is_empty() || !self.organization.bytes().all(name_characters) {
            return Err(invalid(
                "organization must be the instance's name in the URL: letters, digits, `-` and `_`",
            ));
        }
        if self.client_id.is_empty() || HeaderValue::from_str(&self.client_id).is_err() {
            return Err(invalid("client_id must be printable ASCII and not empty"));
        }
        Ok(())
    }

    /// `{api_url}/{organization}/campaign`, without a slash at the end.
    pub(crate) fn campaign_url(&self) -> Url {
        append(&self.api_url, &[&self.organization, "campaign"])
    }

    /// The token endpoint (§1.1).
    pub(crate) fn token_url(&self) -> Url {
        append(&self.ims_url, &["ims", "token", "v3"])
    }
}

/// The URL with more path segments, each percent-encoded.
///
/// A segment `.` or `..` would be dropped: [`crate::RecordKey`] and the checks of resource names rule them out.
pub(crate) fn append(base: &Url, segments: &[&str]) -> Url {
    let mut url = base.clone();
    if let Ok(mut path) = url.path_segments_mut() {
        path.pop_if_empty().extend(segments);
    }
    url
}

/// Whether the URL's host is this machine.
pub(crate) fn is_loopback(url: &Url) -> bool {
    url.host_str().is_some_and(is_loopback_host)
}

/// Credentials travel with every call, so plain HTTP is for loopback only.
fn check_url(name: &str, url: &Url) -> Result<(), Error> {
    let secure = url.scheme() == "https" || (url.scheme() == "http" && is_loopback(url));
    if !secure {
        return Err(invalid(&format!("{name} must begin with https://")));
    }
    if url.query().is_some() || url.fragment().is_some() || !url.username().is_empty() || url.password().is_some() {
        return Err(invalid(&format!("{name} must have no user, query or fragment")));
    }
    Ok(())
}

fn invalid(problem: &str) -> Error {
    Error::InvalidConnection {
        problem: problem.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn connection(api_url: &str, organization: &str) -> Connection {
        Connection {
            api_url: api_url.parse().unwrap(),
            organization: organization.to_owned(),
            ims_url: "https://ims-na1.adobelogin.com".parse().unwrap(),
            client_id: "id".to_owned(),
            client_secret: "top-secret".into(),
            scopes: vec!["openid".to_owned()],
        }
    }

    #[test]
    fn plain_http_is_accepted_on_loopback_only() {
        for (url, accepted) in [
            ("https://mc.adobe.io", true),
            ("http://127.0.0.1:8092", true),
            ("http://[::1]:8092", true),
            ("http://localhost:8092", true),
            ("http://campaign.localhost:8092", true),
            ("http://mc.adobe.io", false),
            ("http://localhost.example.com", false),
            ("ftp://127.0.0.1", false),
            ("https://user:pw@mc.adobe.io", false),
            ("https://mc.adobe.io/?a=b", false),
        ] {
            assert_eq!(connection(url, "acme").validate().is_ok(), accepted, "{url}");
        }
    }

    #[test]
    fn organization_must_be_one_path_segment() {
        for (organization, accepted) in [
            ("acme", true),
            ("acme-mkt-stage1", true),
            ("", false),
            ("..", false),
            ("a/b", false),
        ] {
            assert_eq!(
                connection("https://mc.adobe.io", organization).validate().is_ok(),
                accepted,
                "{organization}"
            );
        }
    }

    #[test]
    fn urls_keep_a_path_prefix_of_the_gateway() {
        let plain = connection("https://mc.adobe.io", "acme");
        assert_eq!(plain.campaign_url().as_str(), "https://mc.adobe.io/acme/campaign");
        assert_eq!(
            plain.token_url().as_str(),
            "https://ims-na1.adobelogin.com/ims/token/v3"
        );
        let prefixed = connection("https://proxy.example.com/adobe/", "acme");
        assert_eq!(
            prefixed.campaign_url().as_str(),
            "https://proxy.example.com/adobe/acme/campaign"
        );
    }

    #[test]
    fn debug_does_not_show_the_secret() {
        assert!(!format!("{:?}", connection("https://mc.adobe.io", "acme")).contains("top-secret"));
    }
}
