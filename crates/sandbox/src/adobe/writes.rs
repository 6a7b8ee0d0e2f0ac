//! The write journal: what was written, in which order, for tests to compare with what should have been.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use bytes::Bytes;
use parking_lot::Mutex;
use serde::Serialize;
use serde_json::Value;

use super::time::{self, Milliseconds};

const DEFAULT_CAPACITY: usize = 100_000;

/// One write that reached Campaign, committed or refused.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct WriteEntry {
    /// Order of the commits, also of those of one row. Numbers go on over the life of the sandbox and have no gaps.
    pub sequence: u64,
    /// When it was committed or refused, as `2019-09-26 11:49:48.817Z`.
    pub time: String,
    /// The organisation written to.
    pub organisation: String,
    /// `POST`, `PATCH` or `DELETE`.
    pub method: &'static str,
    /// Name of the resource.
    pub resource: String,
    /// The row's custom key (`externalId` of profiles) before the write, or of the new row; empty if unknown.
    pub key: String,
    /// Status Campaign gave. A fault may have kept it from the client.
    pub status: u16,
    /// The body as it was sent: JSON where it is JSON, else a string; `null` without a body.
    pub body: Value,
}

/// State of the write journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct WriteJournalState {
    /// Whether writes are kept.
    pub enabled: bool,
    /// How many are kept at most; the oldest go first.
    pub capacity: usize,
    /// How many are kept now.
    pub length: usize,
    /// How many were dropped for want of room since it was cleared.
    pub dropped: u64,
}

/// A write as it is kept: the body is turned to JSON only when somebody asks.
pub(super) struct Write {
    pub(super) sequence: u64,
    pub(super) organisation: String,
    pub(super) method: &'static str,
    pub(super) resource: &'static str,
    pub(super) key: String,
    pub(super) status: u16,
    pub(super) body: Bytes,
}

struct State {
    writes: VecDeque<(Milliseconds, Write)>,
    capacity: usize,
    dropped: u64,
}

/// A bounded list of writes, off until it is switched on.
pub struct WriteJournal {
    enabled: AtomicBool,
    next_sequence: AtomicU64,
    state: Mutex<State>,
}

impl Default for WriteJournal {
    fn default() -> Self {
        Self {
            enabled: AtomicBool::new(false),
            next_sequence: AtomicU64::new(1),
            state: Mutex::new(State {
                writes: VecDeque::new(),
                capacity: DEFAULT_CAPACITY,
                dropped: 0,
            }),
        }
    }
}

impl WriteJournal {
    /// Begins to keep writes, at most `capacity` of them (default 100,000).
    pub fn enable(&self, capacity: Option<usize>) {
        let mut state = self.state.lock();
        state.capacity = capacity.unwrap_or(state.capacity);
        while state.writes.len() > state.capacity {
            state.writes.pop_front();
            state.dropped += 1;
        }
        self.enabled.store(true, Ordering::Release);
    }

    /// Keeps no more writes; those kept stay.
    pub fn disable(&self) {
        self.enabled.store(false, Ordering::Release);
    }

    /// Forgets what is kept.
    pub fn clear(&self) {
        let mut state = self.state.lock();
        state.writes.clear();
        state.dropped = 0;
    }

    /// Whether writes are kept, and how many.
    pub fn state(&self) -> WriteJournalState {
        let state = self.state.lock();
        WriteJournalState {
            enabled: self.is_enabled(),
            capacity: state.capacity,
            length: state.writes.len(),
            dropped: state.dropped,
        }
    }

    /// The writes kept with a sequence number above `after`, in the order of their numbers, at most `limit`.
    pub fn entries(&self, after: u64, limit: usize) -> Vec<WriteEntry> {
        let state = self.state.lock();
        let mut entries: Vec<WriteEntry> = state
            .writes
            .iter()
            .filter(|(_, write)| write.sequence > after)
            .map(|(moment, write)| write.entry(*moment))
            .collect();
        drop(state);
        // Numbers are drawn at the commit, entries added after it: neighbours may stand the other way round.
        entries.sort_by_key(|entry| entry.sequence);
        entries.truncate(limit);
        entries
    }

    pub(super) fn is_enabled(&self) -> bool {
        self.enabled.load(Ordering::Acquire)
    }

    /// The next number. Draw it while the table is locked, so that numbers of one row are in the order of its commits.
    pub(super) fn draw_sequence(&self) -> u64 {
        self.next_sequence.fetch_add(1, Ordering::Relaxed)
    }

    pub(super) fn add(&self, write: Write) {
        let mut state = self.state.lock();
        if state.capacity == 0 {
            state.dropped += 1;
            return;
        }
        if state.writes.len() == state.capacity {
            state.writes.pop_front();
            state.dropped += 1;
        }
        state.writes.push_back((time::now(), write));
    }
}

impl Write {
    fn entry(&self, moment: Milliseconds) -> WriteEntry {
        let body = if self.body.is_empty() {
            Value::Null
        } else {
            serde_json::from_slice(&self.body)
                .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&self.body).into_owned()))
        };
        WriteEntry {
            sequence: self.sequence,
            time: time::datetime_text(moment),
            organisation: self.organisation.clone(),
            method: self.method,
            resource: self.resource.to_owned(),
            key: self.key.clone(),
            status: self.status,
            body,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(journal: &WriteJournal, body: &'static str) -> Write {
        Write {
            sequence: journal.draw_sequence(),
            organisation: "sandbox".into(),
            method: "PATCH",
            resource: "profile",
            key: "1".into(),
            status: 200,
            body: Bytes::from_static(body.as_bytes()),
        }
    }

    #[test]
    fn full_journal_drops_the_oldest_and_says_so() {
        let journal = WriteJournal::default();
        journal.enable(Some(2));
        for body in ["{}", "not json", ""] {
            journal.add(write(&journal, body));
        }
        let bodies: Vec<Value> = journal.entries(0, 10).into_iter().map(|entry| entry.body).collect();
        assert_eq!(bodies, [Value::String("not json".into()), Value::Null]);
        assert_eq!(
            journal.state(),
            WriteJournalState {
                enabled: true,
                capacity: 2,
                length: 2,
                dropped: 1
            }
        );
    }

    #[test]
    fn entries_come_in_the_order_of_their_numbers() {
        let journal = WriteJournal::default();
        journal.enable(None);
        let (first, second) = (write(&journal, "1"), write(&journal, "2"));
        journal.add(second);
        journal.add(first);
        let sequences = |after| {
            journal
                .entries(after, 10)
                .iter()
                .map(|entry| entry.sequence)
                .collect::<Vec<_>>()
        };
        assert_eq!(sequences(0), [1, 2]);
        assert_eq!(sequences(1), [2]);
    }
}
