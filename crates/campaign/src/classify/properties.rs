//! Whatever the other side sends, it gets a class.

use crosswalk_core::{Class, Classify};
use proptest::prelude::*;

use super::tests::{FILTER, KEY, LINK, METADATA, PROFILE, RECORD, classify_text};
use super::*;

proptest! {
    #[test]
    fn any_answer_gets_a_class(
        status in 100_u16..600,
        body in proptest::collection::vec(any::<u8>(), 0..300),
    ) {
        let status = StatusCode::from_u16(status).unwrap();
        for target in [PROFILE, RECORD, LINK, METADATA, FILTER] {
            let answer = Answer { status, headers: &HeaderMap::new(), body: &body };
            let error = classify(answer, target, Timestamp::UNIX_EPOCH);
            prop_assert!(error.class() != Class::Cancelled);
            prop_assert!(error.to_string().len() < 8_000);
        }
    }

    #[test]
    fn fragments_of_known_texts_get_a_class(
        parts in proptest::collection::vec(
            prop_oneof![
                Just("'"), Just(" property is not valid"), Just("with the same key '"), Just("' already exists"),
                Just("PGS-220000"), Just("XTK-170036"), Just("Unable to find document"), Just("from key '"), Just("' ("),
                Just(":0"), Just("@"), Just(" field"), Just("é"), Just("\""), Just("\\u0027"), Just("{\"message\":\""),
                Just("\"}"), Just("= @"), Just(" attribute unknown"), Just(KEY),
            ],
            0..20,
        ),
        status in prop_oneof![Just(400_u16), Just(404), Just(500)],
    ) {
        let text = parts.concat();
        for target in [PROFILE, RECORD, LINK, METADATA, FILTER] {
            prop_assert!(classify_text(status, &text, target).class() != Class::Cancelled);
        }
    }
}
