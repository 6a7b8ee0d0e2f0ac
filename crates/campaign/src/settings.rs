//! How the client talks, as opposed to where to.

use std::time::Duration;

use crate::Error;

/// How the client talks. The defaults fit production.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientSettings {
    /// Longest wait for a connection.
    pub connect_timeout: Duration,
    /// Longest wait for a whole answer. Above the gateway's own limit (60 s, contracts/campaign.md §6.6), so that its
    /// 504 arrives before we give up.
    pub request_timeout: Duration,
    /// Largest answer read into memory, in bytes. Metadata of a large resource is the largest answer we ask for.
    pub max_response_bytes: usize,
    /// Idle connections kept; at least the number of calls in flight, or connections are made anew all the time.
    pub max_idle_connections: usize,
    /// How long an idle connection is kept.
    pub idle_timeout: Duration,
    /// How long before its end a token is renewed; at most a quarter of its life. Adobe suggests an hour (§1.1).
    pub token_renewal_margin: Duration,
    /// The endpoint family of the resources.
    pub endpoint: Endpoint,
    /// How a record is addressed by its key.
    pub addressing: Addressing,
}

impl Default for ClientSettings {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(10),
            request_timeout: Duration::from_secs(70),
            max_response_bytes: 16 * 1024 * 1024,
            max_idle_connections: 1024,
            idle_timeout: Duration::from_secs(50),
            token_renewal_margin: Duration::from_secs(3600),
            endpoint: Endpoint::default(),
            addressing: Addressing::default(),
        }
    }
}

impl ClientSettings {
    /// Checks what a wrong setting would otherwise turn into a wrong address.
    pub(crate) fn validate(&self) -> Result<(), Error> {
        let Addressing::PublishedFilter { filter, parameter } = &self.addressing else {
            return Ok(());
        };
        let name_characters = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        if [filter, parameter]
            .iter()
            .any(|name| name.is_empty() || !name.bytes().all(name_characters))
        {
            let problem = "filter and parameter of the addressing must be names: letters, digits and `_`".to_owned();
            return Err(Error::InvalidConnection { problem });
        }
        Ok(())
    }
}

/// The endpoint families that serve resources (contracts/campaign.md §2.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Endpoint {
    /// Profile and service without custom fields.
    ProfileAndServices,
    /// Profile and service with custom fields, and every custom resource linked to the profile.
    #[default]
    ProfileAndServicesExt,
    /// Custom resources not linked to the profile.
    CustomResources,
}

impl Endpoint {
    /// The path segment.
    #[must_use]
    pub const fn path(self) -> &'static str {
        match self {
            Self::ProfileAndServices => "profileAndServices",
            Self::ProfileAndServicesExt => "profileAndServicesExt",
            Self::CustomResources => "customResources",
        }
    }
}

/// How a record is addressed by its key (contracts/campaign.md §4.2).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Addressing {
    /// `…/profile/<key>`: the resource declares the key as an identification key. One call a write.
    #[default]
    CustomKey,
    /// `…/profile/<filter>?<parameter>=<key>`, then the `href` of the one row found. Two calls a write, for resources
    /// where Campaign does not accept the key in the path.
    PublishedFilter {
        /// The filter's path element, e.g. `byExternalId`.
        filter: String,
        /// Its parameter, e.g. `externalId_parameter`.
        parameter: String,
    },
}

impl Addressing {
    /// By the filter that Adobe's own integration asks for, or by the key itself.
    #[must_use]
    pub fn by_filter(by_filter: bool) -> Self {
        if by_filter {
            Self::by_external_id_filter()
        } else {
            Self::CustomKey
        }
    }

    /// The published filter that Adobe's own integration asks for: `byExternalId` with `externalId_parameter`.
    #[must_use]
    pub fn by_external_id_filter() -> Self {
        Self::PublishedFilter {
            filter: "byExternalId".to_owned(),
            parameter: "externalId_parameter".to_owned(),
        }
    }
}
