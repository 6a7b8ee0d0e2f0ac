//! What a mapped row comes to: the bodies to send, and the hashes by which they are known again.

use super::{PayloadHash, PayloadHashes};
use crate::mapping::{CompiledMapping, Part, Payload};

/// Room for a usual row, so that its body is not moved while it grows.
const USUAL_BYTES: usize = 1_024;

/// The bodies of a mapped row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bodies {
    /// All fields, as a record is made with.
    pub all: Vec<u8>,
    /// Without the fields that only an insert writes; none where there is no such field.
    pub updates: Option<Vec<u8>>,
    /// What is remembered of them.
    pub hashes: PayloadHashes,
}

impl Bodies {
    /// The bodies of a row that has been mapped by `mapping`.
    #[must_use]
    pub fn of(mapping: &CompiledMapping, payload: &Payload<'_>) -> Self {
        let body = |part| {
            let mut body = Vec::with_capacity(USUAL_BYTES);
            payload.write_json(part, &mut body);
            body
        };
        let all = body(Part::All);
        if !mapping.has_insert_only_fields() {
            let hashes = PayloadHashes {
                updates: PayloadHash::of(&all),
                insert_only: PayloadHash::of(&[]),
            };
            return Self {
                all,
                updates: None,
                hashes,
            };
        }
        let updates = body(Part::Updates);
        let hashes = PayloadHashes {
            updates: PayloadHash::of(&updates),
            insert_only: PayloadHash::of(&body(Part::InsertOnly)),
        };
        Self {
            all,
            updates: Some(updates),
            hashes,
        }
    }
}
