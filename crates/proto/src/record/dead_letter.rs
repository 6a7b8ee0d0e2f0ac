//! Dead letters.

use crosswalk_core::{
    Row,
    control::RunId,
    dead_letter::{DeadLetter, FieldFault, QueuePlace, RefusedRequest, RefusingAnswer},
};
use prost::Message;

use super::{
    DecodeError,
    change::{from_column, to_column},
    milliseconds, timestamp, uuid, wire,
};

/// Encodes a dead letter for its topic.
#[must_use]
pub fn encode_dead_letter(letter: DeadLetter) -> Vec<u8> {
    let (answer, answer_status) = letter
        .answer
        .map_or_else(Default::default, |answer| (answer.text, answer.status));
    let (request_line, request) = letter
        .request
        .map_or_else(Default::default, |request| (request.line, request.body));
    wire::DeadLetter {
        code: letter.code,
        message: letter.message,
        faults: letter.faults.into_iter().map(to_fault).collect(),
        table: letter.table,
        place: letter.place.map(|place| wire::QueuePlace {
            topic: place.topic,
            partition: place.partition,
            offset: place.offset,
        }),
        source_row: letter
            .source_row
            .map_or_else(Vec::new, |row| row.columns.into_iter().map(to_column).collect()),
        request,
        request_line,
        answer,
        answer_status: answer_status.into(),
        read_at_milliseconds: milliseconds(letter.read_at),
        time_milliseconds: milliseconds(letter.time),
        run_id: letter.run.0.as_bytes().to_vec(),
    }
    .encode_to_vec()
}

/// Decodes a dead letter from its topic.
///
/// # Errors
/// If the bytes are not a dead letter.
pub fn decode_dead_letter(bytes: &[u8]) -> Result<DeadLetter, DecodeError> {
    let message = wire::DeadLetter::decode(bytes)?;
    let columns = message
        .source_row
        .into_iter()
        .map(from_column)
        .collect::<Result<Vec<_>, _>>()?;
    let is_request = !message.request_line.is_empty() || !message.request.is_empty();
    let status = u16::try_from(message.answer_status).map_err(|_| DecodeError::Unknown("answer_status"))?;
    Ok(DeadLetter {
        code: message.code,
        message: message.message,
        faults: message.faults.into_iter().map(from_fault).collect(),
        table: message.table,
        place: message.place.map(|place| QueuePlace {
            topic: place.topic,
            partition: place.partition,
            offset: place.offset,
        }),
        source_row: (!columns.is_empty()).then_some(Row { columns }),
        request: is_request.then_some(RefusedRequest {
            line: message.request_line,
            body: message.request,
        }),
        answer: (status != 0).then_some(RefusingAnswer {
            status,
            text: message.answer,
        }),
        read_at: timestamp(message.read_at_milliseconds, "read_at_milliseconds")?,
        time: timestamp(message.time_milliseconds, "time_milliseconds")?,
        run: RunId(uuid(&message.run_id, "run_id")?),
    })
}

fn to_fault(fault: FieldFault) -> wire::FieldFault {
    wire::FieldFault {
        field: fault.field,
        source: fault.source,
        code: fault.code,
        message: fault.message,
    }
}

fn from_fault(fault: wire::FieldFault) -> FieldFault {
    FieldFault {
        field: fault.field,
        source: fault.source,
        code: fault.code,
        message: fault.message,
    }
}

#[cfg(test)]
mod tests {
    use crosswalk_core::Value;
    use jiff::Timestamp;
    use uuid::Uuid;

    use super::*;

    #[test]
    fn a_dead_letter_reads_back_as_written() {
        let full = DeadLetter {
            code: "TOO_LONG".into(),
            message: "cut it".into(),
            faults: vec![FieldFault {
                field: "firstName".into(),
                source: "firstname".into(),
                code: "TOO_LONG".into(),
                message: "cut it".into(),
            }],
            table: "contact".into(),
            place: Some(QueuePlace {
                topic: "t".into(),
                partition: 3,
                offset: 12,
            }),
            source_row: Some(Row {
                columns: vec![("firstname".into(), Value::Text("x".into()))],
            }),
            request: Some(RefusedRequest {
                line: "POST /profile".into(),
                body: b"{}".to_vec(),
            }),
            answer: Some(RefusingAnswer {
                status: 500,
                text: "PGS-220000".into(),
            }),
            read_at: Timestamp::from_millisecond(1_790_000_000_001).unwrap(),
            time: Timestamp::from_millisecond(1_790_000_000_002).unwrap(),
            run: RunId(Uuid::from_u128(1)),
        };
        let bare = DeadLetter {
            place: None,
            source_row: None,
            answer: None,
            request: None,
            ..full.clone()
        };
        for letter in [full, bare] {
            assert_eq!(decode_dead_letter(&encode_dead_letter(letter.clone())).unwrap(), letter);
        }
    }
}
