//! Asking an admin port, as `healthcheck` does.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use axum::http::{Request, StatusCode, header};
use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::body::Bytes;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

/// No answer worth reading on the admin port is longer, in bytes.
const BODY_LIMIT: usize = 16 * 1024 * 1024;

/// What an admin port answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The body, as text.
    pub body: String,
}

/// An admin port that gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum ProbeError {
    /// Nobody listens there.
    #[error("nothing answers on {address}")]
    Connect {
        /// The address that was tried.
        address: SocketAddr,
        /// What the operating system says.
        #[source]
        source: std::io::Error,
    },
    /// Somebody listens, but does not answer as a service does.
    #[error("no answer from {address}")]
    Http {
        /// The address that was asked.
        address: SocketAddr,
        /// What went wrong.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// It took too long.
    #[error("no answer from {address} within {} s", .timeout.as_secs_f64())]
    Timeout {
        /// The address that was asked.
        address: SocketAddr,
        /// How long we waited.
        timeout: Duration,
    },
}

/// Sends `GET path` to an admin port and waits for the whole answer, for at most `timeout`.
///
/// An address that means "all of this machine's" is asked on loopback.
///
/// # Errors
/// When there is no answer. An unhappy answer is not an error.
pub async fn probe(address: SocketAddr, path: &str, timeout: Duration) -> Result<Answer, ProbeError> {
    let address = reachable(address);
    match tokio::time::timeout(timeout, get(address, path)).await {
        Ok(answer) => answer,
        Err(_) => Err(ProbeError::Timeout { address, timeout }),
    }
}

fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

async fn get(address: SocketAddr, path: &str) -> Result<Answer, ProbeError> {
    let stream = TcpStream::connect(address)
        .await
        .map_err(|source| ProbeError::Connect { address, source })?;
    exchange(stream, address, path)
        .await
        .map_err(|source| ProbeError::Http { address, source })
}

async fn exchange(
    stream: TcpStream,
    address: SocketAddr,
    path: &str,
) -> Result<Answer, Box<dyn std::error::Error + Send + Sync>> {
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    let request = Request::get(path)
        .header(header::HOST, address.to_string())
        .header(header::CONNECTION, "close")
        .body(Empty::<Bytes>::new())?;
    let answer = async {
        let (head, body) = sender.send_request(request).await?.into_parts();
        let body = Limited::new(body, BODY_LIMIT).collect().await?.to_bytes();
        Ok(Answer {
            status: head.status,
            body: String::from_utf8_lossy(&body).into_owned(),
        })
    };
    // The connection makes progress only while it is polled; what it has to say about its end shows in the answer.
    let connection = async {
        let _ = connection.await;
        std::future::pending().await
    };
    tokio::select! {
        answer = answer => answer,
        never = connection => never,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::chain;

    const TIMEOUT: Duration = Duration::from_millis(200);

    #[tokio::test]
    async fn silence_closed_ports_and_strangers_are_told_apart() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        let silent = probe(address, "/readyz", TIMEOUT).await.expect_err("nobody accepts");
        assert_eq!(silent.to_string(), format!("no answer from {address} within 0.2 s"));

        let stranger = tokio::spawn(async move {
            // The first connection is the one that was given up above.
            for _ in 0..2 {
                let (mut stream, _) = listener.accept().await.expect("a client comes");
                let _ = tokio::io::AsyncWriteExt::write_all(&mut stream, b"SSH-2.0-OpenSSH_9.2\r\n").await;
            }
        });
        let error = probe(address, "/readyz", Duration::from_secs(5))
            .await
            .expect_err("that is not HTTP");
        assert!(matches!(error, ProbeError::Http { .. }), "{}", chain(&error));
        stranger.await.expect("the stranger is gone, and the port with it");
        let error = probe(address, "/readyz", TIMEOUT).await.expect_err("nobody listens");
        assert_eq!(error.to_string(), format!("nothing answers on {address}"));
    }

    #[test]
    fn unspecified_address_is_asked_on_loopback() {
        for (listen, asked) in [
            ("0.0.0.0:1", "127.0.0.1:1"),
            ("[::]:2", "[::1]:2"),
            ("10.0.0.1:3", "10.0.0.1:3"),
        ] {
            let listen: SocketAddr = listen.parse().expect("an address");
            assert_eq!(reachable(listen).to_string(), asked);
        }
    }
}
