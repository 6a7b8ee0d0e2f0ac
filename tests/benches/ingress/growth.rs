//! A number of records that grows until all are there.

use std::time::{Duration, Instant};

use crate::system::System;

/// How often it is looked how many there are.
const INTERVAL: Duration = Duration::from_millis(20);

/// Without a new one for this long, it is stuck.
const STUCK_AFTER: Duration = Duration::from_secs(60);

/// How many records there were when.
pub(crate) struct Growth {
    /// How many there were when any were first seen.
    pub(crate) first: u64,
    pub(crate) first_at: Instant,
    /// How many there were in the end.
    pub(crate) last: u64,
    pub(crate) last_at: Instant,
}

impl Growth {
    /// Looks until as many are there as wanted; an error if a process ends, or nothing comes any more.
    pub(crate) async fn watch(
        system: &mut System,
        wanted: u64,
        count: impl AsyncFn(&System) -> anyhow::Result<u64>,
    ) -> anyhow::Result<Self> {
        let (mut first, mut last, mut last_at) = (None, 0, Instant::now());
        while last < wanted {
            tokio::time::sleep(INTERVAL).await;
            let present = count(system).await?;
            if present > last {
                (last, last_at) = (present, Instant::now());
                first.get_or_insert((last, last_at));
            }
            system.check()?;
            anyhow::ensure!(
                last_at.elapsed() < STUCK_AFTER,
                "nothing has come behind {last} of {wanted} records: {:?}",
                system.api.ingress().await?
            );
        }
        let (first, first_at) = first.unwrap_or((last, last_at));
        Ok(Self {
            first,
            first_at,
            last,
            last_at,
        })
    }

    /// Records per second from the first that were seen to the last.
    pub(crate) fn steady_rate(&self) -> f64 {
        (self.last - self.first) as f64 / (self.last_at - self.first_at).as_secs_f64()
    }
}
