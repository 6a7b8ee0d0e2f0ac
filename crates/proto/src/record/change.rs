//! Changes of source records, in the queue topics.

use std::{str::FromStr, sync::Arc};

use crosswalk_core::{Change, ChangeKind, Choice, Epoch, Origin, Rejection, Row, Value, control::EntryId};
use jiff::{Timestamp, civil::Date};
use prost::Message;
use rust_decimal::Decimal;

use super::{DecodeError, milliseconds, timestamp, uuid, wire};

const UNIX_EPOCH: Date = jiff::civil::date(1970, 1, 1);

/// Encodes a change for its topic.
#[must_use]
pub fn encode_change(change: Change) -> Vec<u8> {
    use wire::change::Kind;
    let mut message = wire::Change {
        origin: to_origin(change.origin).into(),
        version: change.version,
        epoch: change.epoch.0,
        read_at_milliseconds: milliseconds(change.read_at),
        mapping_uid: change.mapping.0.as_bytes().to_vec(),
        force: change.force,
        ..wire::Change::default()
    };
    let kind = match change.kind {
        ChangeKind::Upsert(row) => {
            message.columns = row.columns.into_iter().map(to_column).collect();
            Kind::Unspecified
        }
        ChangeKind::Rejected(rejection) => {
            (message.code, message.message, message.column) = (rejection.code, rejection.message, rejection.column);
            Kind::Rejected
        }
        ChangeKind::Delete => Kind::Delete,
        ChangeKind::Absent => Kind::Absent,
        ChangeKind::EpochEnd => Kind::EpochEnd,
    };
    message.kind = kind.into();
    message.encode_to_vec()
}

/// Decodes a change from its topic.
///
/// # Errors
/// If the bytes are not a change, or one of a newer release.
pub fn decode_change(bytes: &[u8]) -> Result<Change, DecodeError> {
    use wire::change::Kind;
    let message = wire::Change::decode(bytes)?;
    let kind = match Kind::try_from(message.kind) {
        Ok(Kind::Unspecified) => {
            let columns = message.columns.into_iter().map(from_column).collect::<Result<_, _>>()?;
            ChangeKind::Upsert(Row { columns })
        }
        Ok(Kind::Rejected) => ChangeKind::Rejected(Box::new(Rejection {
            column: message.column,
            code: message.code,
            message: message.message,
        })),
        Ok(Kind::Delete) => ChangeKind::Delete,
        Ok(Kind::Absent) => ChangeKind::Absent,
        Ok(Kind::EpochEnd) => ChangeKind::EpochEnd,
        Err(_) => return Err(DecodeError::Unknown("kind")),
    };
    Ok(Change {
        origin: from_origin(message.origin)?,
        version: message.version,
        epoch: Epoch(message.epoch),
        force: message.force,
        read_at: timestamp(message.read_at_milliseconds, "read_at_milliseconds")?,
        mapping: EntryId(uuid(&message.mapping_uid, "mapping_uid")?),
        kind,
    })
}

const fn to_origin(origin: Origin) -> wire::change::Origin {
    match origin {
        Origin::Initial => wire::change::Origin::Initial,
        Origin::Replay => wire::change::Origin::Replay,
        Origin::Change => wire::change::Origin::Change,
        Origin::Redrive => wire::change::Origin::Redrive,
    }
}

fn from_origin(origin: i32) -> Result<Origin, DecodeError> {
    match wire::change::Origin::try_from(origin) {
        Ok(wire::change::Origin::Initial) => Ok(Origin::Initial),
        Ok(wire::change::Origin::Replay) => Ok(Origin::Replay),
        Ok(wire::change::Origin::Change) => Ok(Origin::Change),
        Ok(wire::change::Origin::Redrive) => Ok(Origin::Redrive),
        Ok(wire::change::Origin::Unspecified) | Err(_) => Err(DecodeError::Unknown("origin")),
    }
}

pub(super) fn to_column((name, value): (Box<str>, Value)) -> wire::Column {
    use wire::column::Value as Wire;
    let value = match value {
        Value::Null => None,
        Value::Boolean(value) => Some(Wire::Boolean(value)),
        Value::Integer(value) => Some(Wire::Integer(value)),
        Value::Decimal(value) => Some(Wire::Decimal(value.to_string())),
        Value::Double(value) => Some(Wire::Double(value)),
        Value::Text(value) => Some(Wire::Text(value.into_string())),
        Value::Timestamp(value) => Some(Wire::Timestamp(value.as_microsecond())),
        Value::Date(value) => Some(Wire::Date(days_since_epoch(value))),
        Value::Guid(value) => Some(Wire::Guid(value.as_bytes().to_vec())),
        Value::Choice(value) => Some(Wire::Choice(to_choice(value))),
        Value::Choices(values) => Some(Wire::Choices(wire::Choices {
            options: values.into_iter().map(to_choice).collect(),
        })),
    };
    wire::Column {
        name: name.into_string(),
        value,
    }
}

pub(super) fn from_column(column: wire::Column) -> Result<(Box<str>, Value), DecodeError> {
    use wire::column::Value as Wire;
    let value = match column.value {
        None => Value::Null,
        Some(Wire::Boolean(value)) => Value::Boolean(value),
        Some(Wire::Integer(value)) => Value::Integer(value),
        Some(Wire::Decimal(value)) => {
            Value::Decimal(Decimal::from_str(&value).map_err(|_| DecodeError::Unknown("decimal"))?)
        }
        Some(Wire::Double(value)) => Value::Double(value),
        Some(Wire::Text(value)) => Value::Text(value.into_boxed_str()),
        Some(Wire::Timestamp(value)) => {
            Value::Timestamp(Timestamp::from_microsecond(value).map_err(|_| DecodeError::Unknown("timestamp"))?)
        }
        Some(Wire::Date(days)) => Value::Date(date_of(days)?),
        Some(Wire::Guid(bytes)) => Value::Guid(uuid(&bytes, "guid")?),
        Some(Wire::Choice(value)) => Value::Choice(from_choice(value)),
        Some(Wire::Choices(values)) => Value::Choices(values.options.into_iter().map(from_choice).collect()),
    };
    Ok((column.name.into_boxed_str(), value))
}

fn to_choice(choice: Choice) -> wire::Choice {
    wire::Choice {
        value: choice.value,
        label: choice.label.map(|label| label.to_string()),
    }
}

fn from_choice(choice: wire::Choice) -> Choice {
    Choice {
        value: choice.value,
        label: choice.label.map(Arc::from),
    }
}

fn days_since_epoch(date: Date) -> i32 {
    let span = date.duration_since(UNIX_EPOCH);
    i32::try_from(span.as_hours() / 24).expect("a civil date is within ten thousand years of 1970")
}

fn date_of(days: i32) -> Result<Date, DecodeError> {
    UNIX_EPOCH
        .checked_add(jiff::SignedDuration::from_hours(i64::from(days) * 24))
        .map_err(|_| DecodeError::Unknown("date"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;

    fn choice() -> impl Strategy<Value = Choice> {
        (any::<i32>(), proptest::option::of(".{0,10}")).prop_map(|(value, label)| Choice {
            value,
            label: label.map(Arc::from),
        })
    }

    fn value() -> impl Strategy<Value = Value> {
        prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::Boolean),
            any::<i64>().prop_map(Value::Integer),
            (any::<i64>(), 0..20_u32).prop_map(|(number, scale)| Value::Decimal(Decimal::new(number, scale))),
            any::<f64>()
                .prop_filter("NaN is no value", |number| !number.is_nan())
                .prop_map(Value::Double),
            ".{0,40}".prop_map(|text| Value::Text(text.into())),
            (-62_135_596_800_000_000_i64..253_402_207_200_000_000)
                .prop_map(|micros| Value::Timestamp(Timestamp::from_microsecond(micros).unwrap())),
            (-4_000_i32..=2_000_000).prop_map(|days| Value::Date(date_of(days).unwrap())),
            any::<u128>().prop_map(|bits| Value::Guid(Uuid::from_u128(bits))),
            choice().prop_map(Value::Choice),
            proptest::collection::vec(choice(), 0..4).prop_map(Value::Choices),
        ]
    }

    fn change() -> impl Strategy<Value = Change> {
        let row = proptest::collection::vec(("[a-z_]{1,12}", value()), 0..8).prop_map(|columns| Row {
            columns: columns
                .into_iter()
                .map(|(name, value)| (name.into_boxed_str(), value))
                .collect(),
        });
        let kind = prop_oneof![
            3 => row.prop_map(ChangeKind::Upsert),
            1 => ("[A-Z_]{1,20}", ".{0,40}", proptest::option::of("[a-z]{1,20}")).prop_map(|(code, message, column)| {
                ChangeKind::Rejected(Box::new(Rejection { column, code, message }))
            }),
            1 => Just(ChangeKind::Delete),
            1 => Just(ChangeKind::Absent),
            1 => Just(ChangeKind::EpochEnd),
        ];
        let origin = prop_oneof![
            Just(Origin::Initial),
            Just(Origin::Replay),
            Just(Origin::Change),
            Just(Origin::Redrive)
        ];
        (
            origin,
            proptest::option::of(any::<u64>()),
            any::<u64>(),
            0_i64..4_000_000_000_000,
            any::<u128>(),
            any::<bool>(),
            kind,
        )
            .prop_map(|(origin, version, epoch, read_at, mapping, force, kind)| Change {
                origin,
                version,
                epoch: Epoch(epoch),
                force,
                read_at: Timestamp::from_millisecond(read_at).unwrap(),
                mapping: EntryId(Uuid::from_u128(mapping)),
                kind,
            })
    }

    proptest! {
        #[test]
        fn a_change_reads_back_as_written(change in change()) {
            prop_assert_eq!(decode_change(&encode_change(change.clone())).unwrap(), change);
        }

        #[test]
        fn foreign_bytes_are_an_error_or_a_change_but_never_a_panic(
            bytes in proptest::collection::vec(any::<u8>(), 0..200),
        ) {
            let _ = decode_change(&bytes);
        }
    }

    #[test]
    fn a_change_of_unknown_origin_is_refused() {
        let bytes = wire::Change {
            origin: 77,
            ..wire::Change::default()
        }
        .encode_to_vec();
        assert_eq!(decode_change(&bytes), Err(DecodeError::Unknown("origin")));
    }
}
