use std::os::unix::fs::PermissionsExt as _;

use super::*;
use crate::settings::{SecretSource, Validate as _};

const PLACE: &[u8] = b"instances/stage dynamics.client_secret";

fn key() -> SealingKey {
    SealingKey::generate().expect("the operating system has random numbers")
}

fn keys() -> SealingKeys {
    SealingKeys::new(key(), [])
}

#[test]
fn sealed_secret_opens_in_its_place() {
    let keys = keys();
    let sealed = keys.seal(b"hunter2", PLACE).expect("it is small");
    assert!(!sealed.ciphertext.windows(7).any(|window| window == b"hunter2"));
    assert_eq!(keys.open(&sealed, PLACE).expect("it opens").expose_secret(), b"hunter2");
    assert_eq!(
        keys.open_text(&sealed, PLACE).expect("it opens").expose_secret(),
        "hunter2"
    );
}

#[test]
fn same_secret_is_sealed_differently_each_time() {
    let keys = keys();
    let (one, other) = (
        keys.seal(b"x", PLACE).expect("small"),
        keys.seal(b"x", PLACE).expect("small"),
    );
    assert_ne!(one.nonce, other.nonce);
    assert_ne!(one.ciphertext, other.ciphertext);
}

#[test]
fn secret_does_not_open_elsewhere_or_after_any_change() {
    let keys = keys();
    let sealed = keys.seal(b"hunter2", PLACE).expect("it is small");
    let refused = SealingError::Refused {
        key_id: sealed.key_id.clone(),
    };
    let refusal = |sealed: &SealedSecret, place: &[u8]| keys.open(sealed, place).expect_err("it must not open");
    assert_eq!(refusal(&sealed, b"instances/prod dynamics.client_secret"), refused);
    for index in 0..sealed.ciphertext.len() {
        let mut changed = sealed.clone();
        changed.ciphertext[index] ^= 1;
        assert_eq!(refusal(&changed, PLACE), refused, "byte {index}");
    }
    let mut changed = sealed.clone();
    changed.nonce[0] ^= 1;
    assert_eq!(refusal(&changed, PLACE), refused);
    let cut = SealedSecret {
        ciphertext: sealed.ciphertext[..8].to_vec(),
        ..sealed
    };
    assert_eq!(refusal(&cut, PLACE), refused);
}

#[test]
fn older_keys_open_and_the_primary_seals() {
    let (old, new) = (key(), key());
    let sealed = SealingKeys::new(old.clone(), []).seal(b"x", PLACE).expect("small");
    let rotated = SealingKeys::new(new.clone(), [old]);
    assert_eq!(
        rotated
            .open(&sealed, PLACE)
            .expect("the old key is there")
            .expose_secret(),
        b"x"
    );
    assert_eq!(rotated.seal(b"y", PLACE).expect("small").key_id, new.id());
}

#[test]
fn missing_key_is_named_with_what_to_do() {
    let sealed = keys().seal(b"x", PLACE).expect("small");
    let error = keys().open(&sealed, PLACE).expect_err("another key");
    assert_eq!(
        error,
        SealingError::UnknownKey {
            key_id: sealed.key_id.clone()
        }
    );
    let text = error.to_string();
    assert!(
        text.contains(&sealed.key_id) && text.contains("sealing.older_keys"),
        "{text}"
    );
}

#[test]
fn bytes_that_are_no_text_are_told_apart() {
    let keys = keys();
    let sealed = keys.seal(&[0xff, 0xfe], PLACE).expect("small");
    assert_eq!(
        keys.open_text(&sealed, PLACE).expect_err("no text"),
        SealingError::NotText
    );
}

#[test]
fn id_follows_from_the_key_and_debug_shows_nothing_else() {
    let text = SecretString::from("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=");
    let unpadded = SecretString::from("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8\n");
    let (one, other) = (SealingKey::from_base64(&text), SealingKey::from_base64(&unpadded));
    let (one, other) = (one.expect("32 bytes"), other.expect("32 bytes"));
    assert_eq!(one.id(), other.id());
    assert_ne!(one.id(), key().id());
    assert_eq!(format!("{one:?}"), format!("SealingKey {{ id: {:?}, .. }}", one.id()));
    let keys = format!("{:?}", SealingKeys::new(one.clone(), [other]));
    assert_eq!(
        keys,
        format!("SealingKeys {{ primary: {:?}, older: [], .. }}", one.id())
    );
}

#[test]
fn generated_key_file_is_private_and_is_the_key_from_then_on() {
    let directory = tempfile::tempdir().expect("the test may write");
    let path = directory.path().join("sealing.key");
    let made = SealingKey::load_or_generate(&path).expect("it is made");
    let mode = std::fs::metadata(&path).expect("it is there").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert_eq!(SealingKey::load_or_generate(&path).expect("it is read").id(), made.id());
    assert!(made.write_new(&path).is_err(), "a key file is never overwritten");
    let settings = SealingSettings {
        key: SecretSource::File(path),
        ..Default::default()
    };
    assert_eq!(
        settings
            .keys()
            .expect("it is read")
            .seal(b"x", PLACE)
            .expect("small")
            .key_id,
        made.id()
    );
}

#[test]
fn file_with_something_else_is_neither_used_nor_overwritten() {
    let directory = tempfile::tempdir().expect("the test may write");
    let path = directory.path().join("sealing.key");
    std::fs::write(&path, "not a key").expect("the test may write");
    let error = SealingKey::load_or_generate(&path).expect_err("no key");
    assert!(matches!(error, KeyFileError::Malformed { .. }), "{error}");
    assert_eq!(std::fs::read_to_string(&path).expect("it is there"), "not a key");
}

#[test]
fn unusable_keys_name_their_setting_and_show_nothing() {
    let wrong = SecretSource::Value(SecretString::from("hunter2"));
    let good = SecretSource::Value(SecretString::from("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="));
    for (settings, name) in [
        (SealingSettings::default(), "`sealing.key` is not set"),
        (
            SealingSettings {
                key: wrong.clone(),
                older_keys: vec![],
            },
            "`sealing.key` is not a key",
        ),
        (
            SealingSettings {
                key: good,
                older_keys: vec![wrong],
            },
            "`sealing.older_keys[0]` is not a key",
        ),
    ] {
        let error = settings.keys().expect_err("unusable").to_string();
        assert!(error.starts_with(name) && !error.contains("hunter2"), "{error}");
    }
}

#[test]
fn every_key_that_cannot_be_used_is_a_problem_of_the_settings() {
    let problems = |settings: &SealingSettings| -> Vec<String> {
        let problems = settings.problems();
        problems.iter().map(ToString::to_string).collect()
    };
    let value = |text: &str| SecretSource::Value(SecretString::from(text));
    let good = value("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=");
    let settings = SealingSettings {
        key: SecretSource::Unset,
        older_keys: vec![
            good.clone(),
            value("hunter2"),
            SecretSource::File("/nowhere/key".into()),
        ],
    };
    let expected = [
        "`key` (default): is not set: name a file with sealing.key.file, or an environment variable with \
         sealing.key.environment",
        "`older_keys[1]` (default): is not a key: expected 32 bytes in base64, as `head -c 32 /dev/urandom | base64` makes \
         them",
        "`older_keys[2]` (default): cannot be read from file /nowhere/key: No such file or directory (os error 2)",
    ];
    assert_eq!(problems(&settings), expected);
    let settings = SealingSettings {
        key: good,
        older_keys: Vec::new(),
    };
    assert_eq!(problems(&settings), [""; 0]);
}
