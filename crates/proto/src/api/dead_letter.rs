//! Dead letters.

use crosswalk_core::{dead_letter::DeadLetter, mapping::shown_value};

use crate::v1;

/// A dead letter, whole. `listed` is what a list shows of it.
#[must_use]
pub fn dead_letter(listed: v1::DeadLetter, letter: DeadLetter) -> v1::DeadLetter {
    let fault = |fault: crosswalk_core::dead_letter::FieldFault| v1::DeadLetterFault {
        target_field: fault.field,
        source_field: fault.source,
        code: fault.code,
        message: fault.message,
    };
    let columns = letter.source_row.iter().flat_map(|row| &row.columns);
    let (answer_status, answer) = letter
        .answer
        .map(|answer| (i32::from(answer.status), answer.text))
        .unwrap_or_default();
    let (request_line, request) = letter
        .request
        .map(|request| (request.line, request.body))
        .unwrap_or_default();
    v1::DeadLetter {
        faults: letter.faults.into_iter().map(fault).collect(),
        run_id: letter.run.to_string(),
        place: letter.place.map(|place| v1::QueuePlace {
            topic: place.topic,
            partition: place.partition,
            offset: place.offset,
        }),
        source_row: columns
            .map(|(name, value)| v1::DeadLetterValue {
                field: name.to_string(),
                value: shown_value(value),
            })
            .collect(),
        request_json: String::from_utf8_lossy(&request).into_owned(),
        request_line,
        answer_status,
        answer,
        ..listed
    }
}
