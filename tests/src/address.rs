//! Addresses that stay with the test that took them.

use std::net::{Ipv4Addr, SocketAddr};

use anyhow::Context as _;
use tokio::net::TcpSocket;

/// An address on loopback that is given to nobody else until this is dropped.
///
/// It is held by a socket that is bound with `SO_REUSEADDR` and never listens. Linux hands its port out to nobody who asks
/// for a free one, and yet lets a server listen on it, which sets `SO_REUSEADDR` too, as often as one is started there.
/// Other systems would refuse the server; there, the port is merely free at the moment.
pub(crate) struct ReservedAddress {
    address: SocketAddr,
    _reservation: Option<TcpSocket>,
}

impl ReservedAddress {
    /// Takes a free port.
    ///
    /// # Errors
    /// If there is none.
    pub(crate) fn new() -> anyhow::Result<Self> {
        let socket = TcpSocket::new_v4()?;
        socket.set_reuseaddr(true)?;
        socket.bind((Ipv4Addr::LOCALHOST, 0).into()).context("no free port")?;
        Ok(Self {
            address: socket.local_addr()?,
            _reservation: cfg!(target_os = "linux").then_some(socket),
        })
    }

    /// The address.
    pub(crate) const fn get(&self) -> SocketAddr {
        self.address
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use tokio::net::{TcpListener, TcpStream};

    use super::*;

    #[tokio::test]
    async fn server_after_server_can_listen_on_a_reserved_address_and_nobody_answers_in_between() {
        let reserved = ReservedAddress::new().expect("a free port");
        for _ in 0..2 {
            assert!(TcpStream::connect(reserved.get()).await.is_err());
            let server = TcpListener::bind(reserved.get()).await.expect("it is ours");
            let (client, accepted) = tokio::join!(TcpStream::connect(reserved.get()), server.accept());
            client.expect("the server listens");
            accepted.expect("the client connects");
        }
    }
}
