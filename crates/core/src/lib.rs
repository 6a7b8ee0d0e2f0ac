#![doc = include_str!("../README.md")]

mod class;
pub mod control;
pub mod dead_letter;
pub mod ledger;
mod loopback;
pub mod mapping;
mod name;
mod record;
mod retry_after;
pub mod schema;
mod secret;
pub mod status;
mod value;
pub mod worker;

pub use class::{Class, Classify};
pub use loopback::is_loopback_host;
pub use name::{ID_MAX_LENGTH, InstanceId, MappingId, NameError, ResourceName, WorkflowId, WorkflowName};
pub use record::{Change, ChangeKind, Epoch, Origin, Rejection, Row};
pub use retry_after::{LONGEST_RETRY_AFTER, retry_after};
pub use secret::{NONCE_LENGTH, SealedSecret};
pub use value::{Choice, Value};
