//! Section `sealing`: where the keys are.

use std::iter;

use serde::{Deserialize, Serialize};

use super::{KeyError, SealingKey, SealingKeys};
use crate::error::chain;
use crate::settings::{Problem, SecretSource, Validate};

/// The name that the section must stand under.
const SECTION: &str = "sealing";

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
        let primary = read("key", &self.key)?;
        let older = self.older().map(|(name, source)| read(&name, source));
        Ok(SealingKeys::new(primary, older.collect::<Result<Vec<_>, _>>()?))
    }

    /// The earlier keys, each with its name in this section.
    fn older(&self) -> impl Iterator<Item = (String, &SecretSource)> {
        let older = self.older_keys.iter().enumerate();
        older.map(|(index, source)| (format!("older_keys[{index}]"), source))
    }
}

/// `name` is the key's name in this section.
fn read(name: &str, source: &SecretSource) -> Result<SealingKey, KeyError> {
    let key = format!("{SECTION}.{name}");
    let secret = source.read(&key)?;
    SealingKey::from_base64(&secret).ok_or(KeyError::Malformed { key })
}

impl Validate for SealingSettings {
    /// Reads every key, so that one which is missing or malformed shows before anything is started.
    fn problems(&self) -> Vec<Problem> {
        let all = iter::once(("key".to_owned(), &self.key)).chain(self.older());
        let faulty = all.filter_map(|(name, source)| {
            let message = chain(&read(&name, source).err()?).to_string();
            // The message begins with the key, which a problem tells by itself.
            let fault = message
                .strip_prefix(&format!("`{SECTION}.{name}` "))
                .unwrap_or(&message);
            Some(Problem::new(name, fault))
        });
        faulty.collect()
    }
}
