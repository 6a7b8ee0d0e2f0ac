//! Measures what a sandbox costs: memory for many contacts, and the time of a page of 5,000 rows over HTTP.
//!
//! `cargo run -p crosswalk-sandbox --example footprint -- 1000000`

use std::io::Write;
use std::time::Instant;

use anyhow::Context;
use crosswalk_sandbox::{Sandbox, SandboxConfig};

const COLUMNS: &str = "firstname,lastname,middlename,salutation,emailaddress1,telephone1,mobilephone,birthdate,gendercode,\
                       familystatuscode,donotemail,donotbulkemail,donotphone,donotfax,donotpostalmail,address1_line1,\
                       address1_city,address1_postalcode,address1_country,address1_stateorprovince,jobtitle,statecode,\
                       statuscode,createdon,modifiedon";
const PAGES: usize = 20;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let contacts = std::env::args()
        .nth(1)
        .map_or(Ok(100_000), |text| text.parse())
        .context("number of contacts")?;
    let mut out = std::io::stdout();
    let started = Instant::now();
    let sandbox = Sandbox::start(SandboxConfig {
        contacts,
        ..SandboxConfig::default()
    })
    .await?;
    writeln!(
        out,
        "{contacts} contacts in {:?}, resident {} MiB",
        started.elapsed(),
        resident_mebibytes()?
    )?;
    let http = reqwest::Client::new();
    let token = token(&http, &sandbox.microsoft_url()).await?;
    let mut url = format!("{}/api/data/v9.2/contacts?$select={COLUMNS}", sandbox.microsoft_url());
    let mut times = Vec::new();
    let mut size = 0;
    for _ in 0..PAGES {
        let request = http
            .get(&url)
            .bearer_auth(&token)
            .header("Prefer", "odata.track-changes,odata.maxpagesize=5000");
        let started = Instant::now();
        let body = request.send().await?.error_for_status()?.bytes().await?;
        times.push(started.elapsed());
        size = body.len();
        let page: serde_json::Value = serde_json::from_slice(&body)?;
        let Some(next) = page["@odata.nextLink"].as_str() else {
            break;
        };
        next.clone_into(&mut url);
    }
    times.sort();
    writeln!(
        out,
        "{} pages, {size} bytes: fastest {:?}, median {:?}",
        times.len(),
        times[0],
        times[times.len() / 2]
    )?;
    sandbox.stop().await;
    Ok(())
}

async fn token(http: &reqwest::Client, microsoft: &str) -> anyhow::Result<String> {
    let config = crosswalk_sandbox::microsoft::DynamicsConfig::default();
    let scope = format!("{microsoft}/.default");
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", &config.client_id),
        ("client_secret", &config.client_secret),
        ("scope", &scope),
    ];
    let url = format!("{microsoft}/{}/oauth2/v2.0/token", config.tenant_id);
    let body: serde_json::Value = http.post(url).form(&form).send().await?.json().await?;
    body["access_token"]
        .as_str()
        .map(str::to_owned)
        .context("no token in the answer")
}

fn resident_mebibytes() -> anyhow::Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .context("no VmRSS")?;
    Ok(line.trim().trim_end_matches(" kB").parse::<u64>()? / 1024)
}
