//! The life of a service, the same for all of them.
//!
//! [`run`] is the whole main of a service process: arguments, settings, telemetry, a log line with version and redacted
//! configuration, the admin port, then the service itself, and the exit code. [`serve`] is the part of it that another
//! process can host: the standalone process and tests call it with a [`Context`] of their own, and it installs neither
//! signals nor a subscriber.
//!
//! The service itself is one async function, *build*: it takes a [`Context`] and its settings, opens its ports, spawns its
//! tasks on the context's supervisor, and returns.

mod arguments;
mod context;
pub mod exit;
mod lifecycle;
mod probe;
mod process;

pub use self::context::{Context, ServiceInfo};
pub use self::lifecycle::{ServiceFailure, serve};
pub use self::probe::{Answer, ProbeError, probe};
pub use self::process::{run, run_with};

use crate::settings::{CommonSections, Settings};

/// The settings of a service: its own sections and those that every service has.
pub trait ServiceSettings: Settings {
    /// The sections that every service has.
    fn common(&self) -> CommonSections<'_>;
}
