//! The sandbox as a process, and what is asked of its admin listener: changes in Dynamics, figures of Campaign.

use std::{path::Path, time::Duration};

use anyhow::Context as _;
use crosswalk_sandbox::{
    counters::CountersSnapshot,
    faults::{Operation, Side},
};
use crosswalk_standalone::demo_instance;
use crosswalk_tests::{Process, command, eventually};
use reqwest::{Client, Method, RequestBuilder};
use serde::Deserialize;
use serde_json::{Value, json};

/// The contacts take a while to be made.
const READY_WITHIN: Duration = Duration::from_secs(120);

/// A sandbox in a process of its own.
pub(crate) struct Sandbox {
    /// The process.
    pub(crate) process: Process,
    admin: String,
    microsoft: String,
    adobe: String,
    client: Client,
}

/// One write that Campaign took or refused, as its write journal tells it.
#[derive(Debug, Deserialize)]
pub(crate) struct JournalEntry {
    /// Its place in the order of commits.
    pub(crate) sequence: u64,
    /// `POST`, `PATCH` or `DELETE`.
    pub(crate) method: String,
    /// `externalId` of the profile.
    pub(crate) key: String,
    /// Status Campaign gave.
    pub(crate) status: u16,
    /// When it was committed or refused.
    pub(crate) time: String,
    /// The body as it was sent.
    pub(crate) body: Value,
}

#[derive(Deserialize)]
struct Journal {
    writes: Vec<JournalEntry>,
}

impl Sandbox {
    /// Starts a sandbox with that many contacts and no profile.
    pub(crate) async fn start(contacts: u64, seed: u64, directory: &Path) -> anyhow::Result<Self> {
        let mut command = command("crosswalk-sandbox")?;
        command.args(["--listen", "127.0.0.1:0"]);
        command.args(["--contacts", &contacts.to_string(), "--seed", &seed.to_string()]);
        let mut process = Process::spawn(command, &directory.join("sandbox.log"))?;
        let printed = eventually("the sandbox", READY_WITHIN, || {
            let printed = process.check().and_then(|()| process.output());
            async move {
                let printed = printed?;
                anyhow::ensure!(word_behind(&printed, "Admin").is_some(), "it printed: {printed}");
                Ok(printed)
            }
        })
        .await?;
        let address = |name: &str| word_behind(&printed, name).with_context(|| format!("{printed} names no {name}"));
        Ok(Self {
            process,
            admin: address("Admin")?,
            microsoft: address("Dynamics 365")?,
            adobe: address("Adobe Campaign")?,
            client: Client::builder().no_proxy().build()?,
        })
    }

    /// URL of Dynamics.
    pub(crate) fn microsoft(&self) -> &str {
        &self.microsoft
    }

    /// URL of Campaign, without a trailing slash.
    pub(crate) fn adobe(&self) -> &str {
        &self.adobe
    }

    /// How long Campaign takes for a call from now on.
    pub(crate) async fn set_latency(&self, latency: Duration) -> anyhow::Result<()> {
        let body = json!({"side": "campaign", "milliseconds": u64::try_from(latency.as_millis())?});
        self.answer(self.request(Method::PUT, "latency").json(&body)).await?;
        Ok(())
    }

    /// Sets all counters to zero.
    pub(crate) async fn reset_counters(&self) -> anyhow::Result<()> {
        self.answer(self.request(Method::POST, "counters/reset")).await?;
        Ok(())
    }

    /// Calls that Campaign answered for records, whatever the answer: everything but tokens and metadata.
    pub(crate) async fn record_calls(&self) -> anyhow::Result<u64> {
        let counters: CountersSnapshot = self.answer(self.request(Method::GET, "counters")).await?.json().await?;
        let campaign = counters.get(&Side::Campaign).into_iter().flatten();
        let for_records = campaign.filter(|(operation, _)| **operation != Operation::Metadata);
        Ok(for_records.map(|(_, counts)| counts.calls).sum())
    }

    /// Profiles in Campaign.
    pub(crate) async fn profiles(&self) -> anyhow::Result<u64> {
        let count = self.json("campaign/resources/profile/count").await?;
        count["count"].as_u64().context("the sandbox tells no count")
    }

    /// A contact as it is in Dynamics.
    pub(crate) async fn contact(&self, id: &str) -> anyhow::Result<Value> {
        self.json(&format!("dynamics/tables/contact/rows/{id}")).await
    }

    /// The profile of a contact; an error if there is none.
    pub(crate) async fn profile(&self, id: &str) -> anyhow::Result<Value> {
        self.json(&format!("campaign/resources/profile/rows/{id}")).await
    }

    /// Edits a contact as a user of Dynamics would.
    pub(crate) async fn edit_contact(&self, id: &str, changes: &Value) -> anyhow::Result<()> {
        let path = format!("dynamics/tables/contact/rows/{id}");
        self.answer(self.request(Method::PATCH, &path).json(changes)).await?;
        Ok(())
    }

    /// Adds a contact as a user of Dynamics would, and returns its id.
    pub(crate) async fn add_contact(&self, row: &Value) -> anyhow::Result<String> {
        let request = self.request(Method::POST, "dynamics/tables/contact/rows").json(row);
        let row: Value = self.answer(request).await?.json().await?;
        let id = row["contactid"].as_str().context("a new contact without an id")?;
        Ok(id.to_owned())
    }

    /// Deletes a contact as a user of Dynamics would.
    pub(crate) async fn delete_contact(&self, id: &str) -> anyhow::Result<()> {
        let path = format!("dynamics/tables/contact/rows/{id}");
        self.answer(self.request(Method::DELETE, &path)).await?;
        Ok(())
    }

    /// Calls `each` with every contact of Dynamics.
    pub(crate) async fn each_contact(&self, each: impl FnMut(Value) -> anyhow::Result<()>) -> anyhow::Result<()> {
        self.each_line("dynamics/tables/contact/export", each).await
    }

    /// Calls `each` with every profile of Campaign.
    pub(crate) async fn each_profile(&self, each: impl FnMut(Value) -> anyhow::Result<()>) -> anyhow::Result<()> {
        self.each_line("campaign/resources/profile/export", each).await
    }

    /// Lets Campaign keep a journal of its last writes, as many as said; without a number it keeps none.
    pub(crate) async fn keep_journal(&self, writes: Option<u64>) -> anyhow::Result<()> {
        let request = self.request(Method::PUT, "campaign/writes");
        let body = json!({"enabled": writes.is_some(), "capacity": writes});
        self.answer(request.json(&body)).await?;
        Ok(())
    }

    /// The writes in Campaign's journal behind a place in it, so many at most.
    pub(crate) async fn journal(&self, after: u64, limit: Option<usize>) -> anyhow::Result<Vec<JournalEntry>> {
        let limit = limit.map(|limit| format!("&limit={limit}")).unwrap_or_default();
        let request = self.request(Method::GET, &format!("campaign/writes?after={after}{limit}"));
        let journal: Journal = self.answer(request).await?.json().await?;
        Ok(journal.writes)
    }

    /// From now on Campaign answers nothing: connections drop.
    pub(crate) async fn break_campaign(&self) -> anyhow::Result<()> {
        let rule = json!({"side": "campaign", "effect": {"kind": "reset"}});
        self.answer(self.request(Method::POST, "faults").json(&rule)).await?;
        Ok(())
    }

    /// Campaign answers again.
    pub(crate) async fn mend_campaign(&self) -> anyhow::Result<()> {
        self.answer(self.request(Method::DELETE, "faults")).await?;
        Ok(())
    }

    /// An access token for Dynamics.
    pub(crate) async fn dynamics_token(&self) -> anyhow::Result<String> {
        let instance = demo_instance(&self.microsoft, &self.adobe);
        let dynamics = instance.dynamics.context("the demo has no Dynamics")?;
        let form = [
            ("grant_type", "client_credentials".to_owned()),
            ("client_id", dynamics.client_id),
            ("client_secret", dynamics.client_secret),
            ("scope", format!("{}/.default", self.microsoft)),
        ];
        let url = format!("{}/{}/oauth2/v2.0/token", self.microsoft, dynamics.tenant_id);
        let answer: Value = self.answer(self.client.post(url).form(&form)).await?.json().await?;
        let token = answer["access_token"].as_str().context("the sandbox gives no token")?;
        Ok(token.to_owned())
    }

    async fn json(&self, path: &str) -> anyhow::Result<Value> {
        Ok(self.answer(self.request(Method::GET, path)).await?.json().await?)
    }

    async fn each_line(&self, path: &str, mut each: impl FnMut(Value) -> anyhow::Result<()>) -> anyhow::Result<()> {
        let mut response = self.answer(self.request(Method::GET, path)).await?;
        let mut pending = Vec::new();
        while let Some(chunk) = response.chunk().await? {
            pending.extend_from_slice(&chunk);
            let Some(end) = pending.iter().rposition(|byte| *byte == b'\n') else {
                continue;
            };
            for line in pending[..end].split(|byte| *byte == b'\n') {
                each(serde_json::from_slice(line)?)?;
            }
            pending.drain(..=end);
        }
        anyhow::ensure!(pending.is_empty(), "{path} ended in the middle of a line");
        Ok(())
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}/{path}", self.admin))
    }

    async fn answer(&self, request: RequestBuilder) -> anyhow::Result<reqwest::Response> {
        let response = request.send().await?;
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        anyhow::bail!("the sandbox answers {status}: {}", response.text().await?)
    }
}

/// The last word of the line that begins with `name`.
fn word_behind(printed: &str, name: &str) -> Option<String> {
    let line = printed.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().last().map(str::to_owned)
}
