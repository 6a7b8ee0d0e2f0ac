//! What a start with the draft would read of a table: the rule of the reader (docs/architecture.md), told beforehand.

use crosswalk_core::{
    Epoch, Origin,
    control::{InstanceSettings, Mapping},
};
use crosswalk_proto::{
    record::{self, Checkpoint, ReplayRead},
    v1::estimate_mapping_response::Read,
};

/// What a start would read, and as what its rows would be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Start {
    pub(super) read: Read,
    /// The origin of the rows; where only changes are read, that of a replay, which is what is estimated then.
    pub(super) origin: Origin,
    /// Whether what does not differ is written as well.
    pub(super) force: bool,
    pub(super) epoch: Epoch,
}

impl Start {
    /// What a start would read after the last checkpoint of the table.
    pub(super) fn after(
        checkpoint: Option<&Checkpoint>,
        settings: &InstanceSettings,
        mapping: &Mapping,
        columns: &[String],
    ) -> Self {
        let Some(last) = checkpoint else {
            return Self::first_load(Epoch(1));
        };
        let (present, next) = (last.epoch, Epoch(last.epoch.0 + 1));
        if last.mapping_uid != mapping.uid
            || last.source != settings.dynamics_address()
            || last.target != settings.campaign_address()
        {
            return Self::first_load(next);
        }
        let asked = mapping.replay.map(|replay| ReplayRead {
            id: replay.id,
            force: replay.force,
        });
        if let Some(replay) = asked.filter(|asked| last.replay != Some(*asked)) {
            return Self::replay(replay.force, next);
        }
        let same_columns = last.columns == columns;
        let epoch = if same_columns { present } else { next };
        let is_position = same_columns && last.superseded_link.is_none();
        match last.read {
            record::Read::Initial => Self::first_load(epoch),
            record::Read::Replay => Self::replay(last.replay.is_some_and(|replay| replay.force), epoch),
            record::Read::Recovery => Self::recovery(epoch),
            // No version tells which rows have been queued, so all of them are.
            record::Read::Rebase | record::Read::Changes if !is_position && last.version.is_none() => {
                Self::recovery(next)
            }
            record::Read::Rebase | record::Read::Changes => Self {
                read: Read::Changes,
                ..Self::replay(false, next)
            },
        }
    }

    const fn first_load(epoch: Epoch) -> Self {
        Self {
            read: Read::FirstLoad,
            origin: Origin::Initial,
            force: false,
            epoch,
        }
    }

    const fn replay(force: bool, epoch: Epoch) -> Self {
        Self {
            read: Read::Replay,
            origin: Origin::Replay,
            force,
            epoch,
        }
    }

    const fn recovery(epoch: Epoch) -> Self {
        Self {
            read: Read::Recovery,
            origin: Origin::Change,
            force: false,
            epoch,
        }
    }
}

#[cfg(test)]
mod tests {
    use crosswalk_core::control::{Change, EntryId, State};
    use crosswalk_proto::record::Position;
    use jiff::Timestamp;
    use uuid::Uuid;

    use super::*;
    use crate::testing::{apply, ingress, stopped_state};

    const COLUMNS: &str = "firstname";

    fn contact(state: &State) -> (&InstanceSettings, &Mapping) {
        let instance = state.instance(&ingress().instance).unwrap();
        let mapping = instance.mapping(&"contact".parse().unwrap()).unwrap();
        (&instance.settings, mapping)
    }

    fn checkpoint(state: &State, read: record::Read) -> Checkpoint {
        let (settings, mapping) = contact(state);
        Checkpoint {
            unit: "ingress/contact".to_owned(),
            mapping_uid: mapping.uid,
            columns: vec![COLUMNS.to_owned()],
            epoch: Epoch(3),
            position: Position::Delta("https://x/delta".to_owned()),
            read,
            records: 10,
            expected: None,
            time: Timestamp::UNIX_EPOCH,
            version: Some(9),
            superseded_link: None,
            source: settings.dynamics_address().to_owned(),
            target: settings.campaign_address(),
            replay: None,
            redriven: None,
        }
    }

    fn start(state: &State, checkpoint: Option<&Checkpoint>) -> Start {
        let (settings, mapping) = contact(state);
        Start::after(checkpoint, settings, mapping, &[COLUMNS.to_owned()])
    }

    fn asked(force: bool) -> State {
        let mut state = stopped_state(&["contact"]);
        let name = format!("{}/mappings/contact", ingress());
        apply(&mut state, &name, Change::RequestReplay { force });
        state
    }

    #[test]
    fn a_table_without_a_position_of_its_mapping_and_systems_is_loaded_for_the_first_time() {
        let state = stopped_state(&["contact"]);
        assert_eq!(start(&state, None), Start::first_load(Epoch(1)));
        let present = || checkpoint(&state, record::Read::Changes);
        for void in [
            Checkpoint {
                mapping_uid: EntryId(Uuid::from_u128(99)),
                ..present()
            },
            Checkpoint {
                source: "https://other.crm4.dynamics.com".to_owned(),
                ..present()
            },
            Checkpoint {
                target: "https://mc.adobe.io/other".to_owned(),
                ..present()
            },
        ] {
            assert_eq!(start(&state, Some(&void)), Start::first_load(Epoch(4)));
        }
        assert_eq!(
            start(&asked(true), None),
            Start::first_load(Epoch(1)),
            "what is read for the first time need not be replayed"
        );
    }

    #[test]
    fn a_replay_that_has_been_asked_for_is_what_is_read_with_its_force() {
        for force in [false, true] {
            let state = asked(force);
            let last = checkpoint(&state, record::Read::Changes);
            assert_eq!(start(&state, Some(&last)), Start::replay(force, Epoch(4)));
        }
    }

    #[test]
    fn a_read_of_the_whole_table_goes_on_as_what_it_was() {
        let state = asked(true);
        let begun = contact(&state).1.replay.map(|replay| ReplayRead {
            id: replay.id,
            force: replay.force,
        });
        for (read, expected) in [
            (record::Read::Initial, Start::first_load(Epoch(3))),
            (record::Read::Replay, Start::replay(true, Epoch(3))),
            (record::Read::Recovery, Start::recovery(Epoch(3))),
        ] {
            let last = Checkpoint {
                replay: begun,
                ..checkpoint(&state, read)
            };
            assert_eq!(start(&state, Some(&last)), expected);
            let other_columns = Checkpoint {
                columns: Vec::new(),
                ..last
            };
            let anew = Start {
                epoch: Epoch(4),
                ..expected
            };
            assert_eq!(start(&state, Some(&other_columns)), anew);
        }
    }

    #[test]
    fn from_its_position_on_only_changes_are_read_and_the_figures_are_those_of_a_replay() {
        let state = stopped_state(&["contact"]);
        let present = || checkpoint(&state, record::Read::Changes);
        let other_columns = Checkpoint {
            columns: Vec::new(),
            ..present()
        };
        for last in [&present(), &other_columns] {
            let start = start(&state, Some(last));
            assert_eq!(
                (start.read, start.origin, start.force),
                (Read::Changes, Origin::Replay, false)
            );
        }
        let without_versions = Checkpoint {
            version: None,
            ..other_columns
        };
        assert_eq!(start(&state, Some(&without_versions)), Start::recovery(Epoch(4)));
    }
}
