#![doc = include_str!("../README.md")]

mod checkpoints;
mod client;
mod client_log;
mod control_log;
mod dead_letters;
mod error;
mod lag;
pub mod pool;
mod producer;
mod queue;
mod reports;
mod run_report;
mod runs;
mod settings;
mod slots;
mod tail;
mod topics;

pub use checkpoints::Checkpoints;
pub use client::Kafka;
pub use control_log::{Action, Appended, ControlLog, History, Revision};
pub use dead_letters::DeadLetters;
pub use error::KafkaError;
pub use lag::LagMeter;
pub use producer::{Pending, Producer};
pub use queue::{Queue, QueueRecord, Share};
pub use reports::{Reporter, Reports};
pub use run_report::{REPORT_INTERVAL, RunReport};
pub use runs::keep_runs;
pub use settings::{ClientOptions, KafkaSettings};
pub use slots::{Held, Slot, Slots};
pub use topics::{QUEUE_PARTITIONS, SLOTS, TopicNames, TopicSpec};
