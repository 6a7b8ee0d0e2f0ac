//! Dead letters: what is kept of a record that Campaign, or the mapping, refused.

use crosswalk_core::{
    Change, ChangeKind, Rejection,
    control::RunId,
    dead_letter::{DeadLetter, FieldFault, QueuePlace, RefusedRequest, RefusingAnswer},
    mapping::RejectedRow,
};
use crosswalk_proto::record::DecodeError;
use crosswalk_runtime::error::{advised, chain};
use jiff::Timestamp;

use crate::table::MappedTable;

/// Why a record is set aside.
pub(crate) enum Reason {
    /// It is not a record of this topic.
    Unreadable(DecodeError),
    /// Its key cannot address a record.
    Key(String),
    /// The reader could not queue its row.
    Source(Rejection),
    /// The mapping cannot be applied to its row.
    Row(RejectedRow),
    /// Campaign refused it.
    Campaign(crosswalk_campaign::Error),
}

impl Reason {
    /// The dead letter of a record.
    pub(crate) fn letter(
        &self,
        table: &MappedTable,
        place: QueuePlace,
        change: Option<&Change>,
        run: RunId,
    ) -> DeadLetter {
        let (code, message, faults) = self.words(table);
        let reply = match self {
            Self::Campaign(error) => error.reply(),
            Self::Unreadable(_) | Self::Key(_) | Self::Source(_) | Self::Row(_) => None,
        };
        let answer = reply.map(|reply| RefusingAnswer {
            status: reply.status,
            text: reply.text.clone(),
        });
        let request = reply.and_then(|reply| reply.request.as_ref());
        let request = request.map(|request| RefusedRequest {
            line: format!("{} {}", request.method, request.path),
            body: request.body.to_vec(),
        });
        let source_row = match change.map(|change| &change.kind) {
            Some(ChangeKind::Upsert(row)) => Some(row.clone()),
            Some(ChangeKind::Rejected(_) | ChangeKind::Delete | ChangeKind::Absent | ChangeKind::EpochEnd) | None => {
                None
            }
        };
        let time = Timestamp::now();
        DeadLetter {
            code,
            message,
            faults,
            table: table.source().to_owned(),
            place: Some(place),
            source_row,
            request,
            answer,
            read_at: change.map_or(time, |change| change.read_at),
            time,
            run,
        }
    }

    fn words(&self, table: &MappedTable) -> (String, String, Vec<FieldFault>) {
        match self {
            Self::Unreadable(error) => ("RECORD_UNREADABLE".to_owned(), chain(error).to_string(), Vec::new()),
            Self::Key(problem) => ("KEY_INVALID".to_owned(), problem.clone(), Vec::new()),
            Self::Source(rejection) => {
                let fault = rejection.column.as_ref().map(|column| FieldFault {
                    field: table.target_of(column).to_owned(),
                    source: column.clone(),
                    code: rejection.code.clone(),
                    message: rejection.message.clone(),
                });
                (
                    rejection.code.clone(),
                    rejection.message.clone(),
                    fault.into_iter().collect(),
                )
            }
            Self::Row(row) => {
                let faults: Vec<FieldFault> = row.errors.iter().map(fault).collect();
                let code = faults
                    .first()
                    .map_or_else(|| "ROW_REJECTED".to_owned(), |fault| fault.code.clone());
                (code, row.to_string(), faults)
            }
            Self::Campaign(error) => {
                let message = advised(error, error.advice());
                let fault = error.field().map(|field| FieldFault {
                    field: field.to_owned(),
                    source: table.source_of(field).to_owned(),
                    code: error.code().to_owned(),
                    message: message.clone(),
                });
                (error.code().to_owned(), message, fault.into_iter().collect())
            }
        }
    }
}

fn fault(error: &crosswalk_core::mapping::FieldError) -> FieldFault {
    FieldFault {
        field: error.field.clone(),
        source: error.source.clone(),
        code: error.code.to_owned(),
        message: error.message.clone(),
    }
}
