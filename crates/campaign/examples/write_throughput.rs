//! How many records a second the client writes, by calls in flight and latency of the other side.
//!
//! `cargo run --release -p crosswalk-campaign --example write_throughput`. Client and a server that does nothing but
//! answer share the machine's cores, so the numbers are a lower bound.

use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use axum::Router;
use axum::http::Method;
use axum::response::IntoResponse;
use crosswalk_campaign::{Action, Client, ClientSettings, Connection, Links, RecordKey, Write};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

const RECORDS: usize = 50_000;
const TOKEN: &str = r#"{"access_token":"token","expires_in":86399}"#;
const CHANGED: &str = r#"{"PKey":"@a","href":"h"}"#;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut out = std::io::stdout();
    for (lanes, latency) in [(64, 0), (256, 0), (512, 20)] {
        let client = client(Duration::from_millis(latency)).await?;
        client.authenticate().await?;
        let start = Instant::now();
        write_all(&client, lanes).await?;
        let rate = RECORDS as f64 / start.elapsed().as_secs_f64();
        writeln!(out, "{lanes} calls in flight, {latency} ms each: {rate:.0} records/s")?;
    }
    Ok(())
}

async fn write_all(client: &Client, lanes: usize) -> Result<(), Box<dyn std::error::Error>> {
    let next = Arc::new(AtomicUsize::new(0));
    let mut writers: JoinSet<Result<(), Box<dyn std::error::Error + Send + Sync>>> = JoinSet::new();
    for _ in 0..lanes {
        let (client, next) = (client.clone(), Arc::clone(&next));
        writers.spawn(async move {
            loop {
                let record = next.fetch_add(1, Ordering::Relaxed);
                if record >= RECORDS {
                    return Ok(());
                }
                let key = RecordKey::new(format!("6f0cbd41-0000-4000-8000-{record:012}"))?;
                let body = format!(r#"{{"externalId":"{key}","firstName":"Ann","lastName":"Lee","gender":"female"}}"#);
                let action = Action::upsert(body, true);
                client
                    .write(Write {
                        resource: "profile",
                        key: &key,
                        links: &Links::default(),
                        action,
                    })
                    .await?;
            }
        });
    }
    while let Some(outcome) = writers.join_next().await {
        outcome?.map_err(|error| error.to_string())?;
    }
    Ok(())
}

async fn client(latency: Duration) -> Result<Client, Box<dyn std::error::Error>> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url: url::Url = format!("http://{}", listener.local_addr()?).parse()?;
    let router = Router::new().fallback(move |method: Method| async move {
        if method == Method::POST {
            return TOKEN.into_response();
        }
        if !latency.is_zero() {
            tokio::time::sleep(latency).await;
        }
        CHANGED.into_response()
    });
    tokio::spawn(async move { axum::serve(listener, router).await });
    let connection = Connection {
        api_url: url.clone(),
        organization: "acme".to_owned(),
        ims_url: url,
        client_id: "client".to_owned(),
        client_secret: "secret".into(),
        scopes: vec!["openid".to_owned()],
    };
    Ok(Client::new(&connection, &ClientSettings::default())?)
}
