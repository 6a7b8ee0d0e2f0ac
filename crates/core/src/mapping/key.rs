//! Record ids as text: the Kafka key of a change and the value of the target's key field.

use uuid::Uuid;

/// Length of a record id as text, in characters.
pub const KEY_LENGTH: u32 = 36;

/// A Dynamics record id as it stands in Campaign and in Kafka keys: lower-case, hyphenated, no braces
/// (contracts/campaign.md §4.2).
#[must_use]
pub fn key_text(id: Uuid) -> String {
    id.as_hyphenated().to_string()
}

/// The record id that a text spells, in any usual spelling of a GUID; `None` where it spells none.
#[must_use]
pub fn parse_key(text: &str) -> Option<Uuid> {
    Uuid::try_parse(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_of_an_id_becomes_the_same_text() {
        let expected = "a1b2c3d4-0000-4000-8000-0000000000ff";
        for spelling in [
            expected,
            "A1B2C3D4-0000-4000-8000-0000000000FF",
            "{A1B2C3D4-0000-4000-8000-0000000000ff}",
        ] {
            let id = parse_key(spelling).expect("a GUID");
            assert_eq!(key_text(id), expected);
        }
        assert_eq!(expected.len(), KEY_LENGTH as usize);
    }

    #[test]
    fn other_texts_are_no_ids() {
        for text in [
            "",
            "42",
            "a1b2c3d4-0000-4000-8000",
            "a1b2c3d4-0000-4000-8000-0000000000fg",
        ] {
            assert_eq!(parse_key(text), None, "{text}");
        }
    }
}
