//! The control log: entries, the state they fold to, and the rule that decides which take effect (design §5).

mod difference;
mod entry;
mod fold;
mod instance;
mod state;
#[cfg(test)]
mod tests;

pub use difference::{Difference, differences};
pub use entry::{Change, Entry, EntryId, Etag, InvalidEtag, LogOffset, RedriveSelection, RunId};
pub use fold::{Outcome, Refusal};
pub use instance::{
    CampaignSettings, DynamicsSettings, InstanceSettings, campaign_secret_purpose, dynamics_secret_purpose,
};
pub use state::{
    Configuration, Desired, Instance, LastChange, MAX_REDRIVES, Mapping, PinnedMapping, Redrive, Replay, Run, State,
    Workflow,
};
