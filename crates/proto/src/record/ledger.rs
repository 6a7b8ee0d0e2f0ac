//! The ledger: what a writer knows of the records it has settled.

use crosswalk_core::{
    Epoch,
    ledger::{Known, PayloadHash, PayloadHashes, Standing, Subject},
};
use prost::Message;

use super::{DecodeError, wire};

/// Encodes what is known of a record for its topic.
#[must_use]
pub fn encode_ledger_entry(subject: Subject, known: &Known) -> Vec<u8> {
    use wire::ledger_entry::Standing as Wire;
    let standing = match known.standing {
        Standing::Written => Wire::Written,
        Standing::Hidden => Wire::Hidden,
        Standing::Outdated => Wire::Outdated,
        Standing::Rejected => Wire::Rejected,
    };
    wire::LedgerEntry {
        subject: subject.0,
        standing: standing.into(),
        updates_hash: known.hashes.updates.0,
        insert_only_hash: known.hashes.insert_only.0,
        version: known.version,
        epoch: known.epoch.0,
    }
    .encode_to_vec()
}

/// Decodes what is known of a record, and for what subject.
///
/// # Errors
/// If the bytes are not an entry, or one of a newer release.
pub fn decode_ledger_entry(bytes: &[u8]) -> Result<(Subject, Known), DecodeError> {
    use wire::ledger_entry::Standing as Wire;
    let message = wire::LedgerEntry::decode(bytes)?;
    let standing = match Wire::try_from(message.standing) {
        Ok(Wire::Written) => Standing::Written,
        Ok(Wire::Hidden) => Standing::Hidden,
        Ok(Wire::Outdated) => Standing::Outdated,
        Ok(Wire::Rejected) => Standing::Rejected,
        Ok(Wire::Unspecified) | Err(_) => return Err(DecodeError::Unknown("standing")),
    };
    let known = Known {
        standing,
        hashes: PayloadHashes {
            updates: PayloadHash(message.updates_hash),
            insert_only: PayloadHash(message.insert_only_hash),
        },
        version: message.version,
        epoch: Epoch(message.epoch),
    };
    Ok((Subject(message.subject), known))
}

/// What the end of an epoch found in one partition of a ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SweepCount {
    /// What the ledger is a ledger of.
    pub subject: Subject,
    /// The epoch.
    pub epoch: Epoch,
    /// Records that are at the destination.
    pub written: u64,
    /// Those of them that the epoch's read did not find.
    pub missing: u64,
}

/// Encodes the count of one partition.
#[must_use]
pub fn encode_sweep_count(count: &SweepCount) -> Vec<u8> {
    wire::SweepCount {
        subject: count.subject.0,
        epoch: count.epoch.0,
        written: count.written,
        missing: count.missing,
    }
    .encode_to_vec()
}

/// Decodes the count of one partition.
///
/// # Errors
/// If the bytes are not one.
pub fn decode_sweep_count(bytes: &[u8]) -> Result<SweepCount, DecodeError> {
    let message = wire::SweepCount::decode(bytes)?;
    Ok(SweepCount {
        subject: Subject(message.subject),
        epoch: Epoch(message.epoch),
        written: message.written,
        missing: message.missing,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_reads_back_as_written() {
        for standing in [
            Standing::Written,
            Standing::Hidden,
            Standing::Outdated,
            Standing::Rejected,
        ] {
            let known = Known {
                standing,
                hashes: PayloadHashes {
                    updates: PayloadHash(u64::MAX),
                    insert_only: PayloadHash::UNKNOWN,
                },
                version: 921_050,
                epoch: Epoch(3),
            };
            let bytes = encode_ledger_entry(Subject(17), &known);
            assert_eq!(decode_ledger_entry(&bytes), Ok((Subject(17), known)));
            assert!(bytes.len() <= 48, "{} bytes", bytes.len());
        }
    }

    #[test]
    fn a_count_reads_back_as_written() {
        let count = SweepCount {
            subject: Subject(9),
            epoch: Epoch(2),
            written: 1_000,
            missing: 3,
        };
        assert_eq!(decode_sweep_count(&encode_sweep_count(&count)), Ok(count));
    }

    #[test]
    fn an_entry_of_a_newer_release_is_refused() {
        let bytes = wire::LedgerEntry {
            standing: 9,
            ..wire::LedgerEntry::default()
        }
        .encode_to_vec();
        assert_eq!(decode_ledger_entry(&bytes), Err(DecodeError::Unknown("standing")));
    }
}
