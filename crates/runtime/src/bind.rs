//! Opening a port, with errors that say what to do.

use std::io::{self, ErrorKind};
use std::net::SocketAddr;

use tokio::net::TcpListener;

/// A port that cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// Another process has it.
    #[error("{address} is in use; choose another with {key}")]
    InUse {
        /// The address that was asked for.
        address: SocketAddr,
        /// The setting that says so.
        key: &'static str,
    },
    /// The operating system reserves it.
    #[error("{address} may not be opened by this user; choose a port above 1023 with {key}")]
    Denied {
        /// The address that was asked for.
        address: SocketAddr,
        /// The setting that says so.
        key: &'static str,
    },
    /// No network interface has this address.
    #[error("{address} is not an address of this machine; choose another with {key}, like 127.0.0.1 or 0.0.0.0")]
    NotLocal {
        /// The address that was asked for.
        address: SocketAddr,
        /// The setting that says so.
        key: &'static str,
    },
    /// Anything else.
    #[error("{address}, set by {key}, cannot be opened")]
    Other {
        /// The address that was asked for.
        address: SocketAddr,
        /// The setting that says so.
        key: &'static str,
        /// What the operating system says.
        #[source]
        source: io::Error,
    },
}

/// Listens on `address`. `key` is the setting it came from, which the error names.
///
/// # Errors
/// See [`BindError`].
pub async fn bind(address: SocketAddr, key: &'static str) -> Result<TcpListener, BindError> {
    TcpListener::bind(address).await.map_err(|source| match source.kind() {
        ErrorKind::AddrInUse => BindError::InUse { address, key },
        ErrorKind::PermissionDenied => BindError::Denied { address, key },
        ErrorKind::AddrNotAvailable => BindError::NotLocal { address, key },
        _ => BindError::Other { address, key, source },
    })
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    #[tokio::test]
    async fn port_in_use_names_the_setting_to_change() {
        let listener = bind((Ipv4Addr::LOCALHOST, 0).into(), "admin.listen")
            .await
            .expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        let error = bind(address, "admin.listen").await.expect_err("the port is taken");
        assert_eq!(
            error.to_string(),
            format!("{address} is in use; choose another with admin.listen")
        );
    }

    #[tokio::test]
    async fn foreign_address_is_told_apart() {
        // TEST-NET-1 of RFC 5737: never the address of an interface.
        let error = bind((Ipv4Addr::new(192, 0, 2, 1), 0).into(), "api.listen")
            .await
            .expect_err("not ours");
        assert!(
            matches!(error, BindError::NotLocal { key: "api.listen", .. }),
            "{error}"
        );
    }
}
