//! How much memory profiles take and how fast they are written. Run by hand:
//! `cargo run --release -p crosswalk-sandbox --example adobe_load -- [profiles] [connections]`.
//!
//! The load generator speaks HTTP by hand, so that it costs little beside the server it shares the machine with.
#![expect(clippy::print_stdout, reason = "an example that reports what it measured")]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use anyhow::{Context, Result};
use crosswalk_sandbox::adobe::{Adobe, AdobeConfig};
use crosswalk_sandbox::counters::Counters;
use crosswalk_sandbox::faults::Faults;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

#[tokio::main]
async fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1).map(|argument| argument.parse::<u64>());
    let profiles = arguments.next().transpose()?.unwrap_or(1_000_000);
    let connections = arguments.next().transpose()?.unwrap_or(32);

    let adobe = Adobe::new(
        AdobeConfig::default(),
        Arc::new(Faults::new(1)),
        Arc::new(Counters::new()),
    );
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?.to_string();
    let router = adobe.router();
    tokio::spawn(async move { axum::serve(listener, router).await });
    let token = token(&address).await?;

    println!("resident before: {} MiB", resident_mebibytes()?);
    let load = Load {
        address,
        token,
        profiles,
        connections,
    };
    load.run("POST", |number| ("profile".to_owned(), profile(number, "first")))
        .await?;
    println!("resident with {profiles} profiles: {} MiB", resident_mebibytes()?);
    load.run("PATCH", |number| {
        (format!("profile/{}", id(number)), profile(number, "second"))
    })
    .await?;
    println!("resident after changing each: {} MiB", resident_mebibytes()?);
    load.run("GET", |number| (format!("profile/{}", id(number)), String::new()))
        .await?;
    time_export(&adobe)
}

struct Load {
    address: String,
    token: String,
    profiles: u64,
    connections: u64,
}

impl Load {
    /// Sends one request a profile over all connections and prints the rate.
    async fn run(
        &self,
        method: &'static str,
        request: impl Fn(u64) -> (String, String) + Copy + Send + 'static,
    ) -> Result<()> {
        let next = Arc::new(AtomicU64::new(0));
        let started = Instant::now();
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..self.connections {
            let (next, profiles) = (Arc::clone(&next), self.profiles);
            let (address, token) = (self.address.clone(), self.token.clone());
            tasks.spawn(async move {
                let mut connection = Connection(TcpStream::connect(&address).await?);
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= profiles {
                        return anyhow::Ok(());
                    }
                    let (path, body) = request(number);
                    let head = format!(
                        "{method} /sandbox/campaign/profileAndServicesExt/{path} HTTP/1.1\r\nHost: {address}\r\n\
                         X-Api-Key: sandbox-client\r\nAuthorization: Bearer {token}\r\n\
                         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
                        body.len()
                    );
                    connection
                        .send(&head)
                        .await
                        .with_context(|| format!("{method} {path}"))?;
                }
            });
        }
        while let Some(finished) = tasks.join_next().await {
            finished??;
        }
        let seconds = started.elapsed().as_secs_f64();
        println!(
            "{method}: {:.0} a second ({seconds:.1} s)",
            self.profiles as f64 / seconds
        );
        Ok(())
    }
}

struct Connection(TcpStream);

impl Connection {
    /// Sends a request and reads its answer, which must be a success; returns the body.
    async fn send(&mut self, request: &str) -> Result<String> {
        self.0.write_all(request.as_bytes()).await?;
        let mut answer = Vec::with_capacity(8192);
        let head_length = loop {
            anyhow::ensure!(self.0.read_buf(&mut answer).await? > 0, "the connection was closed");
            if let Some(end) = answer.windows(4).position(|window| window == b"\r\n\r\n") {
                break end + 4;
            }
        };
        let head = std::str::from_utf8(&answer[..head_length])?;
        anyhow::ensure!(head.starts_with("HTTP/1.1 20"), "{head}");
        let length = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length: "))
            .context("no length")?;
        let length: usize = length.parse()?;
        while answer.len() < head_length + length {
            anyhow::ensure!(self.0.read_buf(&mut answer).await? > 0, "the connection was closed");
        }
        Ok(String::from_utf8(answer.split_off(head_length))?)
    }
}

async fn token(address: &str) -> Result<String> {
    let form = "client_id=sandbox-client&client_secret=sandbox-secret&grant_type=client_credentials&scope=openid";
    let request = format!("POST /ims/token/v3?{form} HTTP/1.1\r\nHost: {address}\r\nContent-Length: 0\r\n\r\n");
    let answer = Connection(TcpStream::connect(address).await?).send(&request).await?;
    let answer: serde_json::Value = serde_json::from_str(&answer)?;
    Ok(answer["access_token"].as_str().context("no token")?.to_owned())
}

/// An id of the length and variety of a GUID.
fn id(number: u64) -> String {
    let noise = number.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    format!(
        "{:08x}-{:04x}-4{:03x}-8000-{number:012x}",
        noise >> 32,
        noise >> 16 & 0xffff,
        noise & 0xfff
    )
}

/// A profile with 25 values, as a sync of contacts writes them.
fn profile(number: u64, nickname: &str) -> String {
    let (id, last_name, visits) = (id(number), number % 5000, number % 100);
    let (no_email, no_phone) = (number.is_multiple_of(3), number.is_multiple_of(5));
    [
        format!(r#"{{"externalId":"{id}","firstName":"First{number}","lastName":"Last{last_name}","middleName":"M","#),
        format!(r#""salutation":"Dr","email":"person.{number}@example.com","birthDate":"1984-02-29","fax":"","#),
        format!(r#""gender":"female","phone":"+1 555 {number:07}","mobilePhone":"+1 556 {number:07}","#),
        format!(r#""preferredLanguage":"en_gb","blackListEmail":{no_email},"blackListPhone":{no_phone},"#),
        format!(r#""blackListFax":false,"cusLoyaltyLevel":"gold","cusNickname":"{nickname}","cusVisits":{visits},"#),
        r#""cusSpend":12.5,"cusLastPurchase":"2019-09-26 11:49:48.817Z","cusVip":true,"#.to_owned(),
        format!(r#""location":{{"address1":"{number} Main Street","city":"Springfield","zipCode":"33101","#),
        r#""countryCode":"US"}}"#.to_owned(),
    ]
    .concat()
}

/// Prints the time of one export of everything.
fn time_export(adobe: &Arc<Adobe>) -> Result<()> {
    let started = Instant::now();
    let organisation = adobe.organisations().first().context("no organisation")?;
    let bytes: usize = organisation.export("profile")?.map(|piece| piece.len()).sum();
    println!(
        "export: {} MiB in {:.1} s",
        bytes >> 20,
        started.elapsed().as_secs_f64()
    );
    Ok(())
}

/// Resident set of this process: server and load generator.
fn resident_mebibytes() -> Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .context("no VmRSS")?;
    let kibibytes: u64 = line.trim().trim_end_matches(" kB").parse()?;
    Ok(kibibytes / 1024)
}
