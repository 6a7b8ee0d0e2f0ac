//! Opaque tokens: PKeys, encrypted ids and paging cursors (contracts/campaign.md §2.6 and §3.1).
//!
//! A token is an authenticated encryption of what it stands for under the organisation's own secret. Garbled ones, and
//! those of another organisation or resource, do not decode. Tokens of one row share a prefix and differ by context.

use std::hash::{DefaultHasher, Hash, Hasher};

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use chacha20poly1305::aead::{Aead, KeyInit};
use chacha20poly1305::{ChaCha20Poly1305, Key, Nonce};
use rand::rngs::StdRng;
use rand::{RngCore, SeedableRng};

use super::table::RowId;

const NONCE_LENGTH: usize = 12;
/// Resource, row and context. With nonce and tag a token is 40 bytes, so that its standard base64 ends in `==`, as the
/// product's encrypted ids do.
const ROW_LENGTH: usize = 12;
const CURSOR_LENGTH: usize = 16;

/// Where a row was met; the same row has another token in another place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Context {
    /// The record itself.
    Record,
    /// A collection `href` of the record.
    Collection,
    /// The result of a filter.
    Filtered,
    /// The encrypted id, which is no key.
    CryptedId,
}

/// Makes and reads the tokens of one organisation.
pub(super) struct Sealer {
    cipher: ChaCha20Poly1305,
    secret: u64,
}

impl Sealer {
    pub(super) fn new(seed: u64, organisation: &str) -> Self {
        let secret = hash((seed, organisation));
        let mut random = StdRng::seed_from_u64(secret);
        let mut key = [0; 32];
        random.fill_bytes(&mut key);
        Self {
            cipher: ChaCha20Poly1305::new(&Key::from(key)),
            secret,
        }
    }

    /// The PKey of a row of the resource with this number.
    pub(super) fn primary_key(&self, resource: u16, row: RowId, context: Context) -> String {
        let mut token = String::with_capacity(56);
        token.push('@');
        URL_SAFE_NO_PAD.encode_string(self.seal_row(resource, row, context), &mut token);
        token
    }

    /// The `cryptedId` of a row.
    pub(super) fn crypted_id(&self, resource: u16, row: RowId) -> String {
        STANDARD.encode(self.seal_row(resource, row, Context::CryptedId))
    }

    /// The ACS id of a row: a UUID that only seed, organisation and row decide.
    pub(super) fn acs_id(&self, resource: u16, row: RowId) -> uuid::Uuid {
        let halves = (
            hash((self.secret, resource, row, 'a')),
            hash((self.secret, resource, row, 'b')),
        );
        uuid::Builder::from_random_bytes(uuid::Uuid::from_u64_pair(halves.0, halves.1).into_bytes()).into_uuid()
    }

    /// The row of a resource a PKey stands for, from whatever context.
    pub(super) fn row(&self, resource: u16, primary_key: &str) -> Option<RowId> {
        let plain: [u8; ROW_LENGTH] = self.open(primary_key)?.try_into().ok()?;
        let (resource_bytes, rest) = plain.split_first_chunk()?;
        let (row_bytes, _) = rest.split_first_chunk()?;
        (u16::from_be_bytes(*resource_bytes) == resource).then(|| RowId::from_be_bytes(*row_bytes))
    }

    /// A cursor that continues a query at a line.
    pub(super) fn cursor(&self, line: u64, query: u64) -> String {
        let mut plain = [0; CURSOR_LENGTH];
        plain[..8].copy_from_slice(&line.to_be_bytes());
        plain[8..].copy_from_slice(&query.to_be_bytes());
        format!("@{}", URL_SAFE_NO_PAD.encode(self.seal(&plain, (line, query))))
    }

    /// The line a cursor of this query stands for.
    pub(super) fn line(&self, cursor: &str, query: u64) -> Option<u64> {
        let plain: [u8; CURSOR_LENGTH] = self.open(cursor)?.try_into().ok()?;
        let (line, rest) = plain.split_first_chunk()?;
        let (made_for, _) = rest.split_first_chunk()?;
        (u64::from_be_bytes(*made_for) == query).then(|| u64::from_be_bytes(*line))
    }

    fn seal_row(&self, resource: u16, row: RowId, context: Context) -> Vec<u8> {
        let mut plain = [0; ROW_LENGTH];
        plain[..2].copy_from_slice(&resource.to_be_bytes());
        plain[2..6].copy_from_slice(&row.to_be_bytes());
        plain[10..].copy_from_slice(&(context as u16).to_be_bytes());
        self.seal(&plain, (resource, row))
    }

    /// Encrypts under a nonce that depends on `identity` only: what one row's tokens have in common stays visible as a
    /// common prefix. That would be careless in earnest; here it is the behaviour to imitate.
    fn seal(&self, plain: &[u8], identity: impl Hash + Copy) -> Vec<u8> {
        let mut nonce = [0; NONCE_LENGTH];
        nonce[..8].copy_from_slice(&hash((self.secret, identity, 1)).to_be_bytes());
        nonce[8..].copy_from_slice(&hash((self.secret, identity, 2)).to_be_bytes()[..4]);
        let sealed = self
            .cipher
            .encrypt(&Nonce::from(nonce), plain)
            .expect("a few bytes are never too long to encrypt");
        [&nonce[..], &sealed].concat()
    }

    fn open(&self, token: &str) -> Option<Vec<u8>> {
        let bytes = URL_SAFE_NO_PAD.decode(token.strip_prefix('@')?).ok()?;
        let (nonce, sealed) = bytes.split_first_chunk::<NONCE_LENGTH>()?;
        self.cipher.decrypt(&Nonce::from(*nonce), sealed).ok()
    }
}

/// A hash that is the same in every process.
pub(super) fn hash(value: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_one_row_decode_alike_share_a_prefix_and_differ() {
        let sealer = Sealer::new(1, "sandbox");
        let record = sealer.primary_key(3, 42, Context::Record);
        let collection = sealer.primary_key(3, 42, Context::Collection);
        assert_ne!(record, collection);
        assert_eq!(record[..25], collection[..25]);
        assert!((45..=160).contains(&record.len()));
        assert_eq!(sealer.row(3, &record), Some(42));
        assert_eq!(sealer.row(3, &collection), Some(42));
        assert!(sealer.crypted_id(3, 42).ends_with("=="));
    }

    #[test]
    fn foreign_and_garbled_keys_do_not_decode() {
        let sealer = Sealer::new(1, "sandbox");
        let key = sealer.primary_key(3, 42, Context::Record);
        assert_eq!(Sealer::new(1, "sandbox-mkt-stage").row(3, &key), None);
        assert_eq!(Sealer::new(2, "sandbox").row(3, &key), None);
        assert_eq!(sealer.row(4, &key), None, "another resource");
        let other = if &key[5..6] == "A" { "B" } else { "A" };
        let flipped = format!("{}{other}{}", &key[..5], &key[6..]);
        for garbled in ["", "@", "@O5iRp40EGA", &key[1..], &key[..key.len() - 1], &flipped] {
            assert_eq!(sealer.row(3, garbled), None, "{garbled}");
        }
    }

    #[test]
    fn cursor_is_good_for_its_query_only() {
        let sealer = Sealer::new(1, "sandbox");
        let cursor = sealer.cursor(25, 7);
        assert_eq!(sealer.line(&cursor, 7), Some(25));
        assert_eq!(sealer.line(&cursor, 8), None);
        assert_eq!(sealer.line(&sealer.primary_key(3, 42, Context::Record), 7), None);
    }
}
