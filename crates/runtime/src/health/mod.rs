//! Whether a service may be sent work (readiness) and whether it should be restarted (liveness).

mod liveness;
mod readiness;

pub use self::liveness::{Heartbeat, Liveness, SilentLoop};
pub use self::readiness::{Latch, Readiness};
