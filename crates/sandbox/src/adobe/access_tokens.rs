//! Access tokens: issued, remembered until they expire, and revocable all at once.

use std::collections::HashMap;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use parking_lot::{Mutex, RwLock};
use rand::rngs::StdRng;
use rand::{RngCore, SeedableRng};
use serde_json::json;

use super::time::{self, Milliseconds};

/// Expired tokens are forgotten when so many are remembered.
const SWEEP_AT: usize = 1024;

/// The tokens in circulation.
pub(super) struct AccessTokens {
    expiry: RwLock<HashMap<String, Milliseconds>>,
    random: Mutex<StdRng>,
    lifetime: Duration,
    client_id: String,
}

impl AccessTokens {
    pub(super) fn new(seed: u64, lifetime: Duration, client_id: &str) -> Self {
        Self {
            expiry: RwLock::default(),
            // Another process must not issue the same tokens, or it would know those of the one before it.
            random: Mutex::new(StdRng::seed_from_u64(seed ^ time::now().cast_unsigned())),
            lifetime,
            client_id: client_id.to_owned(),
        }
    }

    /// A new token for `scope`, with the seconds it is valid. Those issued before stay valid.
    pub(super) fn issue(&self, scope: &str) -> (String, u64) {
        let now = time::now();
        let milliseconds = i64::try_from(self.lifetime.as_millis()).unwrap_or(i64::MAX / 2);
        let token = self.make(scope, now, milliseconds);
        let mut expiry = self.expiry.write();
        if expiry.len() >= SWEEP_AT {
            expiry.retain(|_, expires| *expires > now);
        }
        expiry.insert(token.clone(), now + milliseconds);
        // Seconds left when the answer is under way: 86399 for a day, as the product says.
        (token, self.lifetime.saturating_sub(Duration::from_millis(1)).as_secs())
    }

    /// Whether the token was issued here, has not expired and was not revoked.
    pub(super) fn is_valid(&self, token: &str) -> bool {
        self.expiry
            .read()
            .get(token)
            .is_some_and(|expires| *expires > time::now())
    }

    /// Makes every token issued so far invalid.
    pub(super) fn revoke_all(&self) {
        self.expiry.write().clear();
    }

    /// A token of the form IMS uses: a JWT whose times are in milliseconds and stand in texts (contracts/campaign.md
    /// §1.1). The signature is noise: nobody but the issuer could check it anyway.
    fn make(&self, scope: &str, now: Milliseconds, lifetime: i64) -> String {
        let mut noise = [0; 256 + 16];
        self.random.lock().fill_bytes(&mut noise);
        let (signature, id) = noise.split_at(256);
        let header = json!({"alg": "RS256", "x5u": "ims_na1-key-at-1.cer", "kid": "ims_na1-key-at-1", "itt": "at"});
        let payload = json!({
            "id": URL_SAFE_NO_PAD.encode(id),
            "type": "access_token",
            "client_id": self.client_id,
            "user_id": "0A1B2C3D4E5F67890A1B2C3D@techacct.adobe.com",
            "as": "ims-na1",
            "scope": scope,
            "created_at": now.to_string(),
            "expires_in": lifetime.to_string(),
        });
        let part = |json: serde_json::Value| URL_SAFE_NO_PAD.encode(json.to_string());
        format!(
            "{}.{}.{}",
            part(header),
            part(payload),
            URL_SAFE_NO_PAD.encode(signature)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn token_is_valid_until_revoked_and_a_new_one_does_not_end_the_old() {
        let tokens = AccessTokens::new(1, Duration::from_secs(86_400), "client");
        let (first, seconds) = tokens.issue("openid");
        let (second, _) = tokens.issue("openid");
        assert_eq!(seconds, 86_399);
        assert_ne!(first, second);
        assert!(tokens.is_valid(&first) && tokens.is_valid(&second));
        assert!(!tokens.is_valid(&first[1..]));
        tokens.revoke_all();
        assert!(!tokens.is_valid(&first) && !tokens.is_valid(&second));
    }

    #[test]
    fn expired_token_is_invalid() {
        let tokens = AccessTokens::new(1, Duration::ZERO, "client");
        let (token, _) = tokens.issue("openid");
        assert!(!tokens.is_valid(&token));
    }

    #[test]
    fn token_is_a_jwt_with_times_in_milliseconds_as_texts() {
        let (token, _) = AccessTokens::new(1, Duration::from_secs(60), "client").issue("openid");
        let payload = token.split('.').nth(1).unwrap();
        let payload: serde_json::Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap();
        assert_eq!(payload["expires_in"], "60000");
        assert_eq!(payload["type"], "access_token");
        assert!(payload["created_at"].as_str().unwrap().parse::<i64>().unwrap() > 1_700_000_000_000);
    }
}
