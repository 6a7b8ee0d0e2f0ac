//! Checkpoints: where a reader unit stands.

use crosswalk_core::{
    Epoch,
    control::{EntryId, LogOffset},
};
use jiff::Timestamp;
use prost::Message;

use super::{DecodeError, milliseconds, timestamp, uuid, wire};

/// Where a reader unit stands, written after every record before it has been acknowledged by Kafka.
#[derive(Debug, Clone, PartialEq)]
pub struct Checkpoint {
    /// The unit, e.g. `ingress/contact`; also the record's key.
    pub unit: String,
    /// The mapping the position was read for; a position of another one is void.
    pub mapping_uid: EntryId,
    /// The columns the position's link selects, in order; a link of another selection is void.
    pub columns: Vec<String>,
    /// How many times the table has been read from the beginning.
    pub epoch: Epoch,
    /// Where to go on.
    pub position: Position,
    /// What is being read.
    pub read: Read,
    /// Records queued since the epoch began.
    pub records: u64,
    /// Rows the source said it holds when the epoch began, if it said so.
    pub expected: Option<u64>,
    /// When it was written.
    pub time: Timestamp,
    /// The highest row version queued so far, if rows told any.
    pub version: Option<u64>,
    /// While the table is read anew for other columns: where the read with the old columns stands. What was deleted
    /// meanwhile is found from there.
    pub superseded_link: Option<String>,
    /// What was read: the environment's address. With another one the position is void.
    pub source: String,
    /// What it was read for: the target system's address. Another target has none of the records yet.
    pub target: String,
    /// The last replay that was asked for and has begun.
    pub replay: Option<ReplayRead>,
    /// The last request to redrive dead letters that is done.
    pub redriven: Option<LogOffset>,
}

/// What is being read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Read {
    /// The whole table, for the first time.
    Initial,
    /// The whole table, on an operator's request.
    Replay,
    /// The whole table, because the position had expired.
    Recovery,
    /// The whole table, for a link with other columns.
    Rebase,
    /// The changes since.
    Changes,
}

/// A replay that has begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReplayRead {
    /// The entry of the control log that asked for it.
    pub id: EntryId,
    /// Whether it writes what does not differ as well.
    pub force: bool,
}

/// A place in the changes of a table. The links are the source's own, opaque to us.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Position {
    /// In the midst of a read: the next page.
    Next(String),
    /// At the end of a read: the changes after it.
    Delta(String),
}

/// Encodes a checkpoint for its topic.
#[must_use]
pub fn encode_checkpoint(checkpoint: &Checkpoint) -> Vec<u8> {
    use wire::checkpoint::Position as Wire;
    wire::Checkpoint {
        unit: checkpoint.unit.clone(),
        mapping_uid: checkpoint.mapping_uid.0.as_bytes().to_vec(),
        columns: checkpoint.columns.clone(),
        epoch: checkpoint.epoch.0,
        position: Some(match &checkpoint.position {
            Position::Next(link) => Wire::NextLink(link.clone()),
            Position::Delta(link) => Wire::DeltaLink(link.clone()),
        }),
        read: to_read(checkpoint.read).into(),
        records: checkpoint.records,
        expected: checkpoint.expected,
        time_milliseconds: milliseconds(checkpoint.time),
        version: checkpoint.version,
        superseded_link: checkpoint.superseded_link.clone(),
        source: checkpoint.source.clone(),
        target: checkpoint.target.clone(),
        replay_id: checkpoint.replay.map(|replay| replay.id.0.as_bytes().to_vec()),
        replay_force: checkpoint.replay.is_some_and(|replay| replay.force),
        redriven: checkpoint.redriven.map(|offset| offset.0),
    }
    .encode_to_vec()
}

/// Decodes a checkpoint from its topic.
///
/// # Errors
/// If the bytes are not a checkpoint.
pub fn decode_checkpoint(bytes: &[u8]) -> Result<Checkpoint, DecodeError> {
    use wire::checkpoint::Position as Wire;
    let message = wire::Checkpoint::decode(bytes)?;
    Ok(Checkpoint {
        unit: message.unit,
        mapping_uid: EntryId(uuid(&message.mapping_uid, "mapping_uid")?),
        columns: message.columns,
        epoch: Epoch(message.epoch),
        position: match message.position.ok_or(DecodeError::Missing("position"))? {
            Wire::NextLink(link) => Position::Next(link),
            Wire::DeltaLink(link) => Position::Delta(link),
        },
        read: from_read(message.read)?,
        records: message.records,
        expected: message.expected,
        time: timestamp(message.time_milliseconds, "time_milliseconds")?,
        version: message.version,
        superseded_link: message.superseded_link,
        source: message.source,
        target: message.target,
        replay: match message.replay_id {
            None => None,
            Some(id) => Some(ReplayRead {
                id: EntryId(uuid(&id, "replay_id")?),
                force: message.replay_force,
            }),
        },
        redriven: message.redriven.map(LogOffset),
    })
}

const fn to_read(read: Read) -> wire::checkpoint::Read {
    use wire::checkpoint::Read as Wire;
    match read {
        Read::Initial => Wire::Initial,
        Read::Replay => Wire::Replay,
        Read::Recovery => Wire::Recovery,
        Read::Rebase => Wire::Rebase,
        Read::Changes => Wire::Changes,
    }
}

fn from_read(read: i32) -> Result<Read, DecodeError> {
    use wire::checkpoint::Read as Wire;
    match Wire::try_from(read) {
        Ok(Wire::Initial) => Ok(Read::Initial),
        Ok(Wire::Replay) => Ok(Read::Replay),
        Ok(Wire::Recovery) => Ok(Read::Recovery),
        Ok(Wire::Rebase) => Ok(Read::Rebase),
        Ok(Wire::Changes) => Ok(Read::Changes),
        Ok(Wire::Unspecified) | Err(_) => Err(DecodeError::Unknown("read")),
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn a_checkpoint_reads_back_as_written() {
        for position in [
            Position::Next("https://x/next".into()),
            Position::Delta("https://x/delta".into()),
        ] {
            let checkpoint = Checkpoint {
                unit: "ingress/contact".into(),
                mapping_uid: EntryId(Uuid::from_u128(7)),
                columns: vec!["firstname".into(), "lastname".into()],
                epoch: Epoch(3),
                position,
                read: Read::Replay,
                records: 10_000,
                expected: Some(42_317),
                time: Timestamp::from_millisecond(1_790_000_000_123).unwrap(),
                version: Some(99),
                superseded_link: Some("https://x/old".into()),
                source: "https://x".into(),
                target: "https://y/z".into(),
                replay: Some(ReplayRead {
                    id: EntryId(Uuid::from_u128(8)),
                    force: true,
                }),
                redriven: Some(LogOffset(12)),
            };
            assert_eq!(decode_checkpoint(&encode_checkpoint(&checkpoint)).unwrap(), checkpoint);
        }
    }

    #[test]
    fn a_checkpoint_without_a_position_is_refused() {
        let bytes = wire::Checkpoint {
            mapping_uid: vec![0; 16],
            read: wire::checkpoint::Read::Initial.into(),
            ..wire::Checkpoint::default()
        }
        .encode_to_vec();
        assert_eq!(decode_checkpoint(&bytes), Err(DecodeError::Missing("position")));
    }
}
