//! Workflows: one, with one external signal activity, to be controlled and triggered (contracts/campaign.md §2.1 and
//! §6.3, case 10). What a workflow reads as, and what a call that is not refused is answered with, are not public:
//! conventions of ours.

use bytes::Bytes;
use http::{Method, StatusCode};
use parking_lot::Mutex;
use serde_json::json;

use super::body::{self, Json};
use super::campaign::Reply;
use super::dispatch::not_allowed;
use super::error::CampaignError;
use super::opaque::Context;
use super::organisation::Organisation;
use super::query::invalid;
use super::time::{self, Milliseconds};

/// Id of the workflow.
const ID: &str = "WKF1";
const LABEL: &str = "Workflows";
const ACTIVITY: &str = "signal1";
/// Number of the pseudo resource whose one row is the workflow. Those of the metadata come before.
const WORKFLOW_NUMBER: u16 = u16::MAX - 2;
/// Number of the pseudo resource whose one row is the signal activity.
const ACTIVITY_NUMBER: u16 = u16::MAX - 3;
const ROW: u32 = 1;
/// Longest body of a signal.
const SIGNAL_LIMIT: usize = 64 * 1024;

/// What the signal activity declares.
const PARAMETERS: [(&str, ParameterType); 4] = [
    ("audience", ParameterType::String),
    ("limit", ParameterType::Number),
    ("since", ParameterType::DateTime),
    ("test", ParameterType::Boolean),
];

#[derive(Clone, Copy)]
enum ParameterType {
    String,
    Number,
    Boolean,
    DateTime,
}

impl ParameterType {
    fn name(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Number => "number",
            Self::Boolean => "boolean",
            Self::DateTime => "date/time",
        }
    }

    /// Numbers and booleans may stand in texts, as in the published sample.
    fn takes(self, value: &Json<'_>) -> bool {
        match (self, value) {
            (Self::Number, Json::Integer(_) | Json::Number(_)) | (Self::Boolean, Json::Boolean(_)) => true,
            (Self::String, Json::Text(_)) => true,
            (Self::Number, Json::Text(text)) => text.parse::<f64>().is_ok(),
            (Self::Boolean, Json::Text(text)) => text == "true" || text == "false",
            (Self::DateTime, Json::Text(text)) => time::parse_datetime(text).is_some(),
            _ => false,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Status {
    Started,
    Paused,
    Stopped,
}

impl Status {
    fn name(self) -> &'static str {
        match self {
            Self::Started => "started",
            Self::Paused => "paused",
            Self::Stopped => "stopped",
        }
    }

    /// The status after a command; one that does not fit the status has no effect.
    fn after(self, command: &str) -> Option<Self> {
        match (command, self) {
            ("start", _) | ("resume", Self::Paused) => Some(Self::Started),
            ("pause", Self::Started) => Some(Self::Paused),
            ("stop", _) => Some(Self::Stopped),
            ("pause" | "resume", status) => Some(status),
            _ => None,
        }
    }
}

struct State {
    status: Status,
    last_signal: Option<Milliseconds>,
}

/// The workflow of an organisation.
pub(super) struct Workflow(Mutex<State>);

impl Default for Workflow {
    fn default() -> Self {
        Self(Mutex::new(State {
            status: Status::Started,
            last_signal: None,
        }))
    }
}

/// A call below `/workflow` that the gateway has let through.
pub(super) struct WorkflowCall<'a> {
    pub(super) organisation: &'a Organisation,
    pub(super) base_url: &'a str,
    /// Path segments after `workflow`.
    pub(super) segments: &'a [String],
    pub(super) signal_interval_seconds: u64,
}

impl WorkflowCall<'_> {
    pub(super) fn dispatch(&self, method: &Method, body: &Bytes) -> Result<Reply, CampaignError> {
        let segments: Vec<&str> = self.segments.iter().map(String::as_str).collect();
        let ["execution", id, rest @ ..] = segments.as_slice() else {
            return Err(CampaignError::UnknownResource {
                resource: segments.join("/"),
            });
        };
        self.check_id(id)?;
        match (method, rest) {
            (&Method::GET, []) => Ok(done(self.record())),
            (&Method::POST, ["commands"]) => self.command(body),
            (&Method::POST, ["activities", "activity", activity, "trigger"]) => {
                self.check_key((ACTIVITY_NUMBER, "Activities", "xtk:workflow:activity"), activity)?;
                self.trigger(body)
            }
            (_, [] | ["commands"] | ["activities", "activity", _, "trigger"]) => Err(not_allowed(method)),
            _ => Err(CampaignError::UnknownResource {
                resource: rest.join("/"),
            }),
        }
    }

    fn check_id(&self, id: &str) -> Result<(), CampaignError> {
        if id.starts_with('@') {
            return self.check_key((WORKFLOW_NUMBER, LABEL, "xtk:workflow"), id);
        }
        if id == ID {
            return Ok(());
        }
        Err(CampaignError::KeyOfUriNotFound {
            label: LABEL.to_owned(),
            resource: "workflow".to_owned(),
            key: id.to_owned(),
        })
    }

    fn check_key(&self, (number, label, schema): (u16, &str, &str), key: &str) -> Result<(), CampaignError> {
        match self.organisation.sealer.row(number, key) {
            Some(ROW) => Ok(()),
            _ => Err(CampaignError::UndecodablePrimaryKey {
                name: key.strip_prefix('@').unwrap_or(key).to_owned(),
                label: label.to_owned(),
                schema: schema.to_owned(),
            }),
        }
    }

    fn record(&self) -> Vec<u8> {
        let key = |number| {
            let sealer = &self.organisation.sealer;
            sealer.primary_key(number, ROW, Context::Record)
        };
        let (workflow, activity) = (key(WORKFLOW_NUMBER), key(ACTIVITY_NUMBER));
        let (base, organisation) = (self.base_url, self.organisation.name());
        let url = format!("{base}/{organisation}/campaign/workflow/execution/{workflow}");
        let status = self.organisation.workflow.0.lock().status;
        let signal = json!({
            "PKey": activity,
            "label": "External signal",
            "name": ACTIVITY,
            "trigger": {"href": format!("{url}/activities/activity/{activity}/trigger/")},
        });
        json!({
            "PKey": workflow,
            "activities": {"activity": {ACTIVITY: signal}},
            "commands": {"href": format!("{url}/commands/")},
            "href": url,
            "label": "Workflow",
            "name": ID,
            "status": status.name(),
        })
        .to_string()
        .into_bytes()
    }

    fn command(&self, body: &[u8]) -> Result<Reply, CampaignError> {
        let members = body::parse(body)?;
        let command = members.iter().find(|(name, _)| name == "method");
        let command = command.and_then(|(_, value)| value.text()).unwrap_or("");
        let mut state = self.organisation.workflow.0.lock();
        state.status = state.status.after(command).ok_or_else(|| invalid("method", command))?;
        Ok(done(Vec::new()))
    }

    fn trigger(&self, body: &[u8]) -> Result<Reply, CampaignError> {
        check_signal(body)?;
        let mut state = self.organisation.workflow.0.lock();
        if state.status != Status::Started {
            return Err(misuse("The workflow is not running.".to_owned()));
        }
        let now = time::now();
        let interval = i64::try_from(self.signal_interval_seconds.saturating_mul(1000)).unwrap_or(i64::MAX);
        if state
            .last_signal
            .is_some_and(|last| now.saturating_sub(last) < interval)
        {
            let seconds = self.signal_interval_seconds;
            return Err(misuse(format!("The activity takes one signal in {seconds} seconds.")));
        }
        state.last_signal = Some(now);
        Ok(done(Vec::new()))
    }
}

/// Looks at what a signal brings with it.
fn check_signal(body: &[u8]) -> Result<(), CampaignError> {
    if body.len() > SIGNAL_LIMIT {
        return Err(misuse(format!("The body is longer than {SIGNAL_LIMIT} bytes.")));
    }
    let members = body::parse(body)?;
    let member = |wanted: &str| members.iter().find(|(name, _)| name == wanted).map(|(_, value)| value);
    if member("source").and_then(Json::text).is_none_or(str::is_empty) {
        return Err(misuse("'source' parameter is missing.".to_owned()));
    }
    let parameters = match member("parameters") {
        None | Some(Json::Null) => return Ok(()),
        Some(Json::Object(parameters)) => parameters,
        Some(_) => return Err(misuse("'parameters' is not an object.".to_owned())),
    };
    for (name, value) in parameters {
        let Some((_, kind)) = PARAMETERS.iter().find(|(declared, _)| declared == name) else {
            return Err(misuse(format!("'{name}' parameter isn't defined in signal activity.")));
        };
        if !kind.takes(value) {
            let kind = kind.name();
            return Err(misuse(format!("'{name}' parameter is not of type '{kind}'.")));
        }
    }
    Ok(())
}

fn misuse(reason: String) -> CampaignError {
    CampaignError::SignalActivity { reason }
}

fn done(body: Vec<u8>) -> Reply {
    Reply {
        status: StatusCode::OK,
        body,
    }
}
