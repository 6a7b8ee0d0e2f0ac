//! Live activity: contacts that keep being edited, added and deleted, as by users of Dynamics.

use std::sync::Arc;
use std::time::Duration;

use rand::rngs::SmallRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::microsoft::{ApiError, Dynamics};
use crate::sandbox::Shared;
use crate::seed::ContactSeeder;

/// Whether and how fast contacts change by themselves.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "mode", rename_all = "snake_case", deny_unknown_fields)]
pub enum Activity {
    /// Nothing changes by itself.
    Off,
    /// 70 % edits, 20 % new contacts, 10 % deletions.
    Live {
        /// Changes per second, on average; up to 10,000.
        changes_per_second: f64,
    },
}

impl Activity {
    /// Why the setting cannot be taken, if it cannot.
    pub fn problem(&self) -> Option<String> {
        match self {
            Self::Live { changes_per_second } if !(*changes_per_second > 0.0 && *changes_per_second <= 10_000.0) => {
                Some(format!(
                    "changes_per_second: {changes_per_second} is not above 0 and at most 10000"
                ))
            }
            _ => None,
        }
    }
}

/// Switches live activity at run time.
pub struct ActivityControl {
    setting: watch::Sender<Activity>,
}

impl ActivityControl {
    pub(crate) fn new(activity: Activity) -> Self {
        Self {
            setting: watch::Sender::new(activity),
        }
    }

    /// The setting in force.
    pub fn get(&self) -> Activity {
        *self.setting.borrow()
    }

    /// Changes the setting; takes effect at once.
    pub fn set(&self, activity: Activity) {
        self.setting.send_replace(activity);
    }
}

/// Works between ticks of this length, so that high rates do not need fine timers.
const TICK: Duration = Duration::from_millis(50);

/// Makes changes until `stop`.
pub(crate) async fn run(shared: Arc<Shared>, stop: CancellationToken) {
    let mut setting = shared.activity.setting.subscribe();
    let mut author = Author::new(&shared);
    loop {
        let activity = *setting.borrow_and_update();
        let Activity::Live { changes_per_second } = activity else {
            tokio::select! {
                () = stop.cancelled() => return,
                changed = setting.changed() => if changed.is_err() { return },
            }
            continue;
        };
        tokio::select! {
            () = stop.cancelled() => return,
            () = work(&mut author, &shared.dynamics, changes_per_second) => {}
            changed = setting.changed() => if changed.is_err() { return },
        }
    }
}

async fn work(author: &mut Author, dynamics: &Dynamics, changes_per_second: f64) {
    let mut ticks = tokio::time::interval(TICK);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut due = 0.0;
    loop {
        ticks.tick().await;
        due += changes_per_second * TICK.as_secs_f64();
        while due >= 1.0 {
            due -= 1.0;
            if let Err(error) = author.change(dynamics) {
                // A row may vanish between being picked and being changed.
                tracing::debug!(%error, "a live change was refused");
            }
        }
    }
}

/// Makes one change after the other from a seeded generator.
struct Author {
    random: SmallRng,
    seeder: ContactSeeder,
    next_index: u64,
}

impl Author {
    fn new(shared: &Shared) -> Self {
        let seed = shared.config.seed;
        let seeder = shared.dynamics.with_table("contact", |table| {
            ContactSeeder::new(table, seed, shared.dynamics.config())
        });
        Self {
            random: SmallRng::seed_from_u64(seed),
            seeder,
            next_index: shared.config.contacts,
        }
    }

    fn change(&mut self, dynamics: &Dynamics) -> Result<(), ApiError> {
        match self.random.random_range(0..10) {
            0..7 => match self.pick(dynamics)? {
                Some(id) => dynamics.update("contact", id, &self.edit()),
                None => self.add(dynamics),
            },
            7..9 => self.add(dynamics),
            _ => match self.pick(dynamics)? {
                Some(id) => dynamics.delete("contact", id),
                None => self.add(dynamics),
            },
        }
    }

    fn add(&mut self, dynamics: &Dynamics) -> Result<(), ApiError> {
        let payload = self.seeder.payload(self.next_index);
        self.next_index += 1;
        dynamics.create("contact", &payload).map(drop)
    }

    /// A contact at random: the first behind a random id, or the very first.
    fn pick(&mut self, dynamics: &Dynamics) -> Result<Option<Uuid>, ApiError> {
        let pivot = Uuid::from_u128(self.random.random());
        let behind = dynamics.ids_from("contact", pivot, 1)?;
        if behind.is_empty() {
            return Ok(dynamics.ids_from("contact", Uuid::nil(), 1)?.pop());
        }
        Ok(behind.first().copied())
    }

    fn edit(&mut self) -> Map<String, Value> {
        const CITIES: [&str; 5] = ["Łódź", "München", "東京", "Αθήνα", "Reykjavík"];
        const TITLES: [&str; 4] = ["Head of Buying", "Consultant", "Geschäftsführerin", "店長"];
        let random = &mut self.random;
        let (name, value) = match random.random_range(0..7) {
            0 => (
                "telephone1",
                json!(format!("+44 20 {:07}", random.random_range(0..10_000_000))),
            ),
            1 => ("address1_city", json!(CITIES.choose(random))),
            2 => ("jobtitle", json!(TITLES.choose(random))),
            3 => ("donotbulkemail", json!(random.random_bool(0.5))),
            4 => ("familystatuscode", json!(random.random_range(1..=4))),
            5 => ("numberofchildren", json!(random.random_range(0..6))),
            _ => ("mobilephone", Value::Null),
        };
        Map::from_iter([(name.to_owned(), value)])
    }
}
