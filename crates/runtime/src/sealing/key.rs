//! A key for sealing: 32 random bytes, written as base64.

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use chacha20poly1305::Key;
use chacha20poly1305::aead::Generate as _;
use crosswalk_core::{Class, Classify};
use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret as _, SecretBox, SecretString};
use sha2::{Digest as _, Sha256};

use crate::settings::SecretError;

const KEY_LENGTH: usize = 32;

/// Owner may read and write, nobody else anything.
const OWNER_ONLY: u32 = 0o600;

/// People cut off the `=` at the end, and so do some tools.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A key that cannot be used. None of the messages show any part of it.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// It cannot be had.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// It is something else.
    #[error("`{key}` is not a key: expected 32 bytes in base64, as `head -c 32 /dev/urandom | base64` makes them")]
    Malformed {
        /// The dotted key of the setting.
        key: String,
    },
}

/// A key file that cannot be read or made.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    /// The file is there but holds something else.
    #[error(
        "{path} holds no key: expected 32 bytes in base64; secrets sealed with the key that was there are lost without it"
    )]
    Malformed {
        /// The file.
        path: PathBuf,
    },
    /// The file cannot be read or written.
    #[error("key file {path} cannot be {action}")]
    File {
        /// The file.
        path: PathBuf,
        /// What was tried: `read` or `written`.
        action: &'static str,
        /// What the operating system says.
        #[source]
        source: io::Error,
    },
    /// The operating system gives no random numbers.
    #[error("no key can be made: the operating system gives no random numbers")]
    NoRandomness,
}

impl Classify for KeyError {
    fn class(&self) -> Class {
        Class::Fatal
    }
}

impl Classify for KeyFileError {
    fn class(&self) -> Class {
        Class::Fatal
    }
}

/// One key. Its id follows from its bytes, so nobody has to name keys or keep names and keys together.
pub struct SealingKey {
    id: String,
    bytes: SecretBox<[u8; KEY_LENGTH]>,
}

impl SealingKey {
    /// A new random key.
    ///
    /// # Errors
    /// [`KeyFileError::NoRandomness`].
    pub fn generate() -> Result<Self, KeyFileError> {
        let key = Zeroizing::new(<[u8; KEY_LENGTH]>::from(
            Key::try_generate().map_err(|_| KeyFileError::NoRandomness)?,
        ));
        Ok(Self::from_bytes(&key))
    }

    /// Reads base64, with or without padding. `None` when it is not 32 bytes.
    #[must_use]
    pub fn from_base64(text: &SecretString) -> Option<Self> {
        let bytes = Zeroizing::new(BASE64.decode(text.expose_secret().trim()).ok()?);
        Some(Self::from_bytes(bytes.as_slice().try_into().ok()?))
    }

    fn from_bytes(bytes: &[u8; KEY_LENGTH]) -> Self {
        let digest = Sha256::new()
            .chain_update(b"crosswalk sealing key id")
            .chain_update(bytes)
            .finalize();
        let id = digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        Self {
            id,
            bytes: SecretBox::new(Box::new(*bytes)),
        }
    }

    /// 16 hexadecimal digits of a hash of the key; tells keys apart and gives nothing away.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The key in `path`, or a new one that is written there first, readable by the owner only.
    ///
    /// For the standalone process, which makes its own key on the first start. Elsewhere the operator provides the key.
    ///
    /// # Errors
    /// When the file cannot be read or written, or holds something else; it is never overwritten.
    pub fn load_or_generate(path: &Path) -> Result<Self, KeyFileError> {
        match std::fs::read_to_string(path) {
            Ok(text) => {
                let key = Self::from_base64(&SecretString::from(text));
                key.ok_or_else(|| KeyFileError::Malformed { path: path.to_owned() })
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let key = Self::generate()?;
                key.write_new(path)?;
                Ok(key)
            }
            Err(source) => Err(KeyFileError::File {
                path: path.to_owned(),
                action: "read",
                source,
            }),
        }
    }

    /// Writes the key to a new file that only the owner may read.
    ///
    /// # Errors
    /// When the file exists already, or cannot be written.
    pub fn write_new(&self, path: &Path) -> Result<(), KeyFileError> {
        let write = || {
            let mut file = OpenOptions::new()
                .write(true)
                .create_new(true)
                .mode(OWNER_ONLY)
                .open(path)?;
            let text = Zeroizing::new(format!("{}\n", BASE64.encode(self.expose())));
            file.write_all(text.as_bytes())?;
            file.sync_all()?;
            // The entry in the directory has to last as well: what the key seals does.
            let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty());
            File::open(directory.unwrap_or(Path::new(".")))?.sync_all()
        };
        write().map_err(|source| KeyFileError::File {
            path: path.to_owned(),
            action: "written",
            source,
        })
    }

    pub(super) fn expose(&self) -> &[u8; KEY_LENGTH] {
        self.bytes.expose_secret()
    }
}

impl Clone for SealingKey {
    fn clone(&self) -> Self {
        Self {
            id: self.id.clone(),
            bytes: SecretBox::new(Box::new(*self.expose())),
        }
    }
}

impl fmt::Debug for SealingKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("SealingKey")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}
