//! Secrets as they lie in the control log.

use std::fmt;

/// Length of a nonce in bytes.
pub const NONCE_LENGTH: usize = 24;

/// A secret sealed with XChaCha20-Poly1305 (design §10). Only a process that holds the named key can open it.
#[derive(Clone, PartialEq, Eq)]
pub struct SealedSecret {
    /// Which key seals it.
    pub key_id: String,
    /// Random, different for each seal.
    pub nonce: [u8; NONCE_LENGTH],
    /// The secret, encrypted, and 16 bytes that prove that nothing was changed.
    pub ciphertext: Vec<u8>,
}

impl fmt::Debug for SealedSecret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "SealedSecret(key {})", self.key_id)
    }
}
