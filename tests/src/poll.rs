//! Waiting for a condition.

use std::time::Duration;

use anyhow::bail;
use tokio::time::Instant;

const INTERVAL: Duration = Duration::from_millis(20);

/// Waits until `condition` gives a value, and returns it.
///
/// `condition` says with an error what it saw instead.
///
/// # Errors
/// If that takes longer than `deadline`; the error says what was waited for and what was seen last.
pub async fn eventually<T, F>(what: &str, deadline: Duration, mut condition: impl FnMut() -> F) -> anyhow::Result<T>
where
    F: Future<Output = anyhow::Result<T>>,
{
    let end = Instant::now() + deadline;
    loop {
        let seen = match condition().await {
            Ok(value) => return Ok(value),
            Err(seen) => seen,
        };
        if Instant::now() > end {
            bail!(
                "{what} did not come within {} s; last seen: {seen:#}",
                deadline.as_secs()
            );
        }
        tokio::time::sleep(INTERVAL).await;
    }
}
