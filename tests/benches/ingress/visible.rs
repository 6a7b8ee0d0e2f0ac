//! How long a change in Dynamics takes to show in Campaign, while nothing else goes on.
//!
//! Changes are made at random moments, each in a contact of its own, and Campaign's write journal is read every few
//! milliseconds: a change is visible when its write has been committed there. The spacing is such that a few are under way
//! at any moment; each waits for the next poll by itself.

use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::Context as _;
use parking_lot::Mutex;
use rand::{Rng as _, SeedableRng as _, rngs::StdRng, seq::SliceRandom as _};
use serde_json::json;

use crate::{
    arguments::Arguments,
    contacts::Contacts,
    report::{Report, say},
    sandbox::JournalEntry,
    system::System,
};

/// How often the journal is read; what is measured is at most this and a request too long.
const INTERVAL: Duration = Duration::from_millis(4);

/// The longest pause between two changes; the mean is half of it.
const LONGEST_PAUSE_MS: u64 = 200;

/// Writes that the journal keeps; far more than come between two looks.
const JOURNAL: u64 = 100_000;

/// A change that has not shown by then is lost.
const LOST_AFTER: Duration = Duration::from_secs(60);

/// What is done to a contact.
#[derive(Debug, Clone, Copy)]
enum Change {
    Edit,
    Add,
    Delete,
}

impl Change {
    const ALL: [Self; 3] = [Self::Edit, Self::Add, Self::Delete];

    const fn figure(self) -> &'static str {
        match self {
            Self::Edit => "edit to visible",
            Self::Add => "addition to visible",
            Self::Delete => "deletion to visible",
        }
    }
}

/// Changes under way: what their write will carry, and when they were made.
type UnderWay = Arc<Mutex<HashMap<String, (Change, Instant)>>>;

/// Makes the changes and measures from the moment before each is asked for until its write is in Campaign's journal.
pub(crate) async fn measure(
    arguments: &Arguments,
    system: &mut System,
    contacts: &Contacts,
    report: &mut Report,
) -> anyhow::Result<()> {
    say(&format!(
        "{} edits, additions and deletions, one by one",
        arguments.samples
    ));
    let system = &*system;
    system.sandbox.keep_journal(Some(JOURNAL)).await?;
    let under_way = UnderWay::default();
    let wanted = usize::try_from(arguments.samples)? * Change::ALL.len();
    let seen = tokio::try_join!(
        make(arguments, system, contacts, &under_way),
        observe(system, wanted, &under_way)
    )?
    .1;
    system.sandbox.keep_journal(None).await?;

    let interval = arguments.poll_interval.as_secs_f64() * 1000.0;
    for (change, elapsed) in seen {
        let milliseconds = elapsed.as_secs_f64() * 1000.0;
        report.add(change.figure(), "ms", [milliseconds]);
        report.add("change to visible, all kinds", "ms", [milliseconds]);
        report.add(
            "change to visible, less the poll interval",
            "ms",
            [milliseconds - interval],
        );
    }
    report.memory("after the single changes", system)
}

/// Makes as many changes of each kind as wanted, mixed.
async fn make(arguments: &Arguments, system: &System, contacts: &Contacts, under_way: &UnderWay) -> anyhow::Result<()> {
    let mut random = StdRng::seed_from_u64(arguments.seed);
    let mut changes: Vec<Change> = (0..arguments.samples).flat_map(|_| Change::ALL).collect();
    changes.shuffle(&mut random);
    let mut ids = contacts.ids.clone();
    ids.shuffle(&mut random);
    let mut ids = ids.into_iter();
    for (number, change) in changes.into_iter().enumerate() {
        let pause = random.random_range(0..LONGEST_PAUSE_MS * 1000);
        tokio::time::sleep(Duration::from_micros(pause)).await;
        let mark = format!("change {number}");
        let mut next = || ids.next().context("too few contacts");
        let begin = |mark: String| under_way.lock().insert(mark, (change, Instant::now()));
        match change {
            Change::Edit => {
                let id = next()?;
                begin(mark.clone());
                system.sandbox.edit_contact(&id, &json!({"nickname": mark})).await?;
            }
            Change::Add => {
                begin(mark.clone());
                let row = json!({"lastname": "Added", "nickname": mark});
                system.sandbox.add_contact(&row).await?;
            }
            Change::Delete => {
                let id = next()?;
                begin(id.clone());
                system.sandbox.delete_contact(&id).await?;
            }
        }
    }
    Ok(())
}

/// Reads the journal until all changes have been seen.
async fn observe(system: &System, wanted: usize, under_way: &UnderWay) -> anyhow::Result<Vec<(Change, Duration)>> {
    let mut seen = Vec::new();
    let mut position = 0;
    while seen.len() < wanted {
        tokio::time::sleep(INTERVAL).await;
        let entries = system.sandbox.journal(position, None).await?;
        let now = Instant::now();
        for entry in entries {
            position = position.max(entry.sequence);
            let Some(mark) = mark(&entry) else { continue };
            if let Some((change, begin)) = under_way.lock().remove(mark) {
                seen.push((change, now - begin));
            }
        }
        let lost = under_way
            .lock()
            .iter()
            .find_map(|(mark, (change, begin))| (begin.elapsed() > LOST_AFTER).then(|| format!("{change:?} `{mark}`")));
        if let Some(lost) = lost {
            anyhow::bail!("not in Campaign after {} s: {lost}", LOST_AFTER.as_secs());
        }
    }
    Ok(seen)
}

/// What tells a change's write from others: the id of a deletion, else the nickname. Refused writes show nothing.
fn mark(entry: &JournalEntry) -> Option<&str> {
    match (entry.status, entry.method.as_str()) {
        (200..300, "DELETE") => Some(&entry.key),
        (200..300, _) => entry.body["cusNickname"].as_str(),
        _ => None,
    }
}
