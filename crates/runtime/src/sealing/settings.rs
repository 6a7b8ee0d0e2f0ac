//! Section `sealing`: where the keys are.

use serde::{Deserialize, Serialize};

use super::{KeyError, SealingKey, SealingKeys};
use crate::settings::{Problem, SecretSource, Validate};

/// Section `sealing`: the keys under which credentials are stored. All services of an installation have the same.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SealingSettings {
    /// The key that new secrets are sealed with: 32 bytes in base64.
    pub key: SecretSource,
    /// Earlier keys, to open what they have sealed.
    pub older_keys: Vec<SecretSource>,
}

impl SealingSettings {
    /// Reads the keys from where the settings say they are. The section must stand under the name `sealing`.
    ///
    /// # Errors
    /// When a key is not set, cannot be read, or is not 32 bytes in base64.
    pub fn keys(&self) -> Result<SealingKeys, KeyError> {
        let primary = read(&self.key, "sealing.key".to_owned())?;
        let older = self.older_keys.iter().enumerate();
        let older = older.map(|(index, source)| read(source, format!("sealing.older_keys[{index}]")));
        Ok(SealingKeys::new(primary, older.collect::<Result<Vec<_>, _>>()?))
    }
}

fn read(source: &SecretSource, key: String) -> Result<SealingKey, KeyError> {
    let secret = source.read(&key)?;
    SealingKey::from_base64(&secret).ok_or(KeyError::Malformed { key })
}

impl Validate for SealingSettings {
    /// Only that older keys come with a key; whether the keys can be read shows when [`keys`](Self::keys) reads them.
    fn problems(&self) -> Vec<Problem> {
        if !self.older_keys.is_empty() && !self.key.is_set() {
            return vec![Problem::new(
                "key",
                "must be set when there are older keys: nothing could be sealed",
            )];
        }
        Vec::new()
    }
}
