//! Which hosts are this machine.

use std::net::IpAddr;

/// Whether a host, as it stands in a URL or a `Host` header, is this machine: a loopback address, `localhost`, or a name
/// below `localhost`, which is loopback everywhere (RFC 6761 §6.3).
///
/// Credentials travel without TLS to such hosts only, and a port without authentication answers requests to such hosts
/// only. So what is not surely this machine is not: neither an address of all interfaces nor a name that may resolve to
/// loopback today.
#[must_use]
pub fn is_loopback_host(host: &str) -> bool {
    let bare = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    if let Ok(address) = bare.unwrap_or(host).parse::<IpAddr>() {
        return address.is_loopback();
    }
    let name = host.to_ascii_lowercase();
    name == "localhost" || name.ends_with(".localhost")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_surely_this_machine_is_loopback() {
        for (host, expected) in [
            ("localhost", true),
            ("LocalHost", true),
            ("console.localhost", true),
            ("127.0.0.1", true),
            ("127.1.2.3", true),
            ("[::1]", true),
            ("::1", true),
            ("", false),
            ("0.0.0.0", false),
            ("[::]", false),
            ("192.0.2.1", false),
            ("notlocalhost", false),
            ("localhost.example.com", false),
            ("127.0.0.1.example.com", false),
            ("[localhost", false),
        ] {
            assert_eq!(is_loopback_host(host), expected, "{host}");
        }
    }
}
