//! Sealing of secrets that have to be stored: XChaCha20-Poly1305 under a key from a file or the environment.
//!
//! Instance credentials live in the control log (design.md §10), which many may read; sealed, they are of use only to who
//! has the key. Each sealed value is bound to its place by *associated data*, such as the name of the resource and field:
//! copied to another place it does not open. The 192-bit nonce is random, which is safe for any number of values.
//!
//! To change the key, make the new one `sealing.key` and add the old one to `sealing.older_keys`; values sealed from then
//! on use the new key, earlier ones still open.

mod key;
mod settings;

use std::collections::BTreeMap;
use std::fmt;

use chacha20poly1305::aead::{Aead as _, Generate as _, Payload};
use chacha20poly1305::{KeyInit as _, XChaCha20Poly1305, XNonce};
use crosswalk_core::{Class, Classify, SealedSecret};
use secrecy::{ExposeSecret as _, SecretSlice, SecretString};

pub use self::key::{KeyError, KeyFileError, SealingKey};
pub use self::settings::SealingSettings;

/// Why a secret could not be sealed or opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SealingError {
    /// It was sealed with a key we do not have.
    #[error(
        "the secret was sealed with key {key_id}, which is not configured: add that key to sealing.older_keys, or enter the secret again"
    )]
    UnknownKey {
        /// The key that is missing.
        key_id: String,
    },
    /// It does not open although the key is the right one.
    #[error(
        "the secret does not open with key {key_id}: it was changed after it was sealed, or moved here from another place; enter it again"
    )]
    Refused {
        /// The key that was tried.
        key_id: String,
    },
    /// It opens, but is not text.
    #[error("the secret is not text: enter it again")]
    NotText,
    /// It is too large to be encrypted.
    #[error("the secret is too large to be sealed")]
    TooLarge,
    /// The operating system gives no random numbers.
    #[error("the secret cannot be sealed: the operating system gives no random numbers")]
    NoRandomness,
}

impl SealingError {
    /// Stable code for people and programs.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        "CREDENTIALS_UNREADABLE"
    }
}

impl Classify for SealingError {
    fn class(&self) -> Class {
        Class::Fatal
    }
}

/// The keys of a process: one to seal with, all to open with.
#[derive(Clone)]
pub struct SealingKeys {
    primary: SealingKey,
    by_id: BTreeMap<String, SealingKey>,
}

impl SealingKeys {
    /// Seals with `primary`; opens with it and with `older`.
    #[must_use]
    pub fn new(primary: SealingKey, older: impl IntoIterator<Item = SealingKey>) -> Self {
        let all = older.into_iter().chain([primary.clone()]);
        Self {
            by_id: all.map(|key| (key.id().to_owned(), key)).collect(),
            primary,
        }
    }

    /// Seals a secret for one place. `associated_data` names the place and is needed again to open it.
    ///
    /// # Errors
    /// [`SealingError::TooLarge`] and [`SealingError::NoRandomness`].
    pub fn seal(&self, plaintext: &[u8], associated_data: &[u8]) -> Result<SealedSecret, SealingError> {
        let nonce = XNonce::try_generate().map_err(|_| SealingError::NoRandomness)?;
        let message = Payload {
            msg: plaintext,
            aad: associated_data,
        };
        let ciphertext = cipher(&self.primary)
            .encrypt(&nonce, message)
            .map_err(|_| SealingError::TooLarge)?;
        Ok(SealedSecret {
            key_id: self.primary.id().to_owned(),
            nonce: nonce.into(),
            ciphertext,
        })
    }

    /// Opens a secret that was sealed for the place that `associated_data` names.
    ///
    /// # Errors
    /// [`SealingError::UnknownKey`] and [`SealingError::Refused`].
    pub fn open(&self, sealed: &SealedSecret, associated_data: &[u8]) -> Result<SecretSlice<u8>, SealingError> {
        let key_id = || sealed.key_id.clone();
        let key = self
            .by_id
            .get(&sealed.key_id)
            .ok_or_else(|| SealingError::UnknownKey { key_id: key_id() })?;
        let message = Payload {
            msg: &sealed.ciphertext,
            aad: associated_data,
        };
        let plaintext = cipher(key).decrypt(&XNonce::from(sealed.nonce), message);
        plaintext
            .map(SecretSlice::from)
            .map_err(|_| SealingError::Refused { key_id: key_id() })
    }

    /// Opens a secret that is text, such as a password.
    ///
    /// # Errors
    /// As [`open`](Self::open), and [`SealingError::NotText`].
    pub fn open_text(&self, sealed: &SealedSecret, associated_data: &[u8]) -> Result<SecretString, SealingError> {
        let plaintext = self.open(sealed, associated_data)?;
        let text = std::str::from_utf8(plaintext.expose_secret()).map_err(|_| SealingError::NotText)?;
        Ok(SecretString::from(text))
    }
}

fn cipher(key: &SealingKey) -> XChaCha20Poly1305 {
    XChaCha20Poly1305::new(key.expose().into())
}

impl fmt::Debug for SealingKeys {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let older = self.by_id.keys().filter(|id| *id != self.primary.id());
        formatter
            .debug_struct("SealingKeys")
            .field("primary", &self.primary.id())
            .field("older", &older.collect::<Vec<_>>())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
