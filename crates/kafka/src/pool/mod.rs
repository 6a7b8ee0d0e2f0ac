//! The keyed work pool: many keys in flight, one job per key, offsets that move only behind finished work.
//!
//! A consumer assigns partitions to the pool and offers it every record it reads; the pool hands each record to a
//! [`Handler`] and says which offset may be committed. It has two layers:
//!
//! * [`Scheduler`] decides and is pure: no clock (time comes in as a [`Duration`](std::time::Duration) since the pool
//!   was made), no task, no IO. Everything that can be got wrong about order, offsets and bounds is decided here, and
//!   property tests drive it through arbitrary interleavings.
//! * [`Pool`] and [`Driver`] act: the driver is the one task that starts jobs and takes their verdicts, the pool is the
//!   cheap handle of everybody else. Both reach the scheduler through one lock, held for microseconds and never across
//!   an `await`. An offer therefore knows at once whether there is room, no second queue stands in front of the bounds,
//!   and the synchronous callbacks of a consumer can use the pool as it is.
//!
//! # Invariants
//! * Of one key at most one job is in flight, even across a revocation and a new assignment of its partition.
//! * Within an assignment the jobs of a key carry rising offsets. While a key waits, a newer change of it is absorbed
//!   by the older one ([`Coalesce`]); a job in flight is never changed.
//! * The offset to commit is the first unfinished one. A record is finished when the job that carries it, or the newer
//!   change that absorbed it, is. A record that is parked, since it waits for something outside the pool, holds back the
//!   commit and nothing else; a newer change that it absorbs is parked once it has been tried too, which is at once.
//! * Records, those that are parked aside, and bytes are bounded over the pool, with a guaranteed share for each
//!   partition. Full means refused and offered again later, never dropped.
//! * What finishes after its partition was revoked frees its slot and does nothing else.

mod capacity;
mod concurrency;
mod driver;
mod handle;
mod handler;
mod job;
mod offset;
mod partition;
mod rate;
mod record;
mod scheduler;
mod settings;
mod stats;

pub use driver::{Backoff, Driver};
pub use handle::Pool;
pub use handler::{Cause, Failure, Handler, Verdict};
pub use job::{Job, Next, Outcome};
pub use offset::{Assignment, Generation, NextOffset, PartitionId};
pub use rate::Rate;
pub use record::{Accepted, Closed, Coalesce, Record, Refused};
pub use scheduler::Scheduler;
pub use settings::{ConcurrencySettings, PoolSettings};
pub use stats::{Pause, Stats};
