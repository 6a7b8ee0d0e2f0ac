//! How many records the mapped tables hold, as far as is known: asked for in the background when somebody looks, so that
//! nobody waits for it.

use std::{
    collections::{HashMap, HashSet},
    convert::Infallible,
    time::Duration,
};

use crosswalk_core::{
    InstanceId,
    control::{Etag, Instance, State},
};
use crosswalk_runtime::error::chain;
use parking_lot::Mutex;
use tokio::{sync::Notify, time::Instant};

use crate::{
    error::ApiError,
    shared::{Shared, instance},
};

/// How long a count will do: that of the service itself is up to a day old (contracts/dataverse.md §3.8).
const KEPT_FOR: Duration = Duration::from_secs(6 * 3_600);

/// How long it will do that a count could not be had.
const UNKNOWN_FOR: Duration = Duration::from_secs(900);

/// A table of an instance with one version of its settings: another one may lead elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Asked {
    instance: InstanceId,
    settings: Etag,
    table: String,
}

/// What is known of a table.
#[derive(Debug, Clone, Copy)]
struct Counted {
    /// `None`: it could not be had.
    rows: Option<u64>,
    at: Instant,
}

impl Counted {
    fn will_do(&self) -> bool {
        let kept_for = if self.rows.is_some() { KEPT_FOR } else { UNKNOWN_FOR };
        self.at.elapsed() < kept_for
    }
}

/// How many records tables hold.
#[derive(Default)]
pub(crate) struct RecordCounts {
    counted: Mutex<HashMap<Asked, Counted>>,
    /// Tables that somebody wanted to know of.
    wanted: Mutex<HashSet<Asked>>,
    is_wanted: Notify,
}

impl RecordCounts {
    /// How many records the mapped tables of an instance hold together, as far as is known: there may be more. What is not
    /// known will be asked for.
    pub(crate) fn of_mapped(&self, id: &InstanceId, instance: &Instance) -> Option<u64> {
        let counted = self.counted.lock();
        let mut total = None;
        for (_, mapping) in instance.mappings() {
            let asked = Asked {
                instance: id.clone(),
                settings: instance.etag,
                table: mapping.definition.source_table.clone(),
            };
            let known = counted.get(&asked);
            if let Some(rows) = known.and_then(|known| known.rows) {
                total = Some(rows.saturating_add(total.unwrap_or_default()));
            }
            if !known.is_some_and(Counted::will_do) && self.wanted.lock().insert(asked) {
                self.is_wanted.notify_one();
            }
        }
        total
    }

    /// Somebody has been told how many rows a table has.
    pub(crate) fn note(&self, id: &InstanceId, instance: &Instance, table: &str, rows: u64) {
        let asked = Asked {
            instance: id.clone(),
            settings: instance.etag,
            table: table.to_owned(),
        };
        self.put(asked, Some(rows));
    }

    fn put(&self, asked: Asked, rows: Option<u64>) {
        self.wanted.lock().remove(&asked);
        let at = Instant::now();
        self.counted.lock().insert(asked, Counted { rows, at });
    }

    /// Forgets what no mapping is about any more.
    fn keep(&self, state: &State) {
        let is_mapped = |asked: &Asked| {
            let instance = state.instance(&asked.instance);
            instance.is_some_and(|instance| {
                let mut mappings = instance.mappings();
                instance.etag == asked.settings
                    && mappings.any(|(_, mapping)| mapping.definition.source_table == asked.table)
            })
        };
        self.counted.lock().retain(|asked, _| is_mapped(asked));
        self.wanted.lock().retain(|asked| is_mapped(asked));
    }

    /// Asks for what is wanted, one table after the other.
    pub(crate) async fn run(&self, shared: &Shared) -> Infallible {
        loop {
            self.is_wanted.notified().await;
            if let Ok(state) = shared.state().await {
                self.keep(&state);
            }
            loop {
                let next = self.wanted.lock().iter().next().cloned();
                let Some(asked) = next else { break };
                let rows = match count(shared, &asked).await {
                    Ok(rows) => Some(rows),
                    Err(error) => {
                        tracing::debug!(table.name = asked.table, error = %chain(&error), "rows cannot be counted");
                        None
                    }
                };
                self.put(asked, rows);
            }
        }
    }
}

async fn count(shared: &Shared, asked: &Asked) -> Result<u64, ApiError> {
    let state = shared.state().await?;
    let present = instance(&state, &asked.instance)?;
    let rows = shared
        .systems
        .ask_dynamics(&state, &asked.instance, present, async |client| {
            let table = client.table(&asked.table).await?;
            client.total_record_count(&table).await
        });
    Ok(rows.await?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{ingress, stopped_state};

    fn wanted(counts: &RecordCounts) -> Vec<String> {
        let wanted = counts.wanted.lock();
        let mut tables: Vec<String> = wanted.iter().map(|asked| asked.table.clone()).collect();
        tables.sort();
        tables
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_not_known_is_asked_for_and_nobody_waits() {
        let (state, id) = (stopped_state(&["account", "contact"]), ingress().instance);
        let instance = instance(&state, &id).unwrap();
        let counts = RecordCounts::default();
        assert_eq!(counts.of_mapped(&id, instance), None);
        assert_eq!(wanted(&counts), ["account", "contact"]);
        counts.note(&id, instance, "contact", 7);
        assert_eq!(counts.of_mapped(&id, instance), Some(7), "as far as is known");
        counts.note(&id, instance, "account", 3);
        assert_eq!(counts.of_mapped(&id, instance), Some(10));
        assert_eq!(wanted(&counts), [""; 0]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_count_is_asked_for_again_when_it_is_old_and_stands_until_then() {
        let (state, id) = (stopped_state(&["contact"]), ingress().instance);
        let instance = instance(&state, &id).unwrap();
        let counts = RecordCounts::default();
        counts.note(&id, instance, "contact", 7);
        tokio::time::advance(KEPT_FOR).await;
        assert_eq!(counts.of_mapped(&id, instance), Some(7));
        assert_eq!(wanted(&counts), ["contact"]);
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_mapped_no_more_is_forgotten() {
        let (state, id) = (stopped_state(&["account", "contact"]), ingress().instance);
        let instance = instance(&state, &id).unwrap();
        let counts = RecordCounts::default();
        counts.note(&id, instance, "account", 3);
        counts.of_mapped(&id, instance);
        counts.keep(&stopped_state(&[]));
        assert!(counts.counted.lock().is_empty() && wanted(&counts).is_empty());
    }
}
