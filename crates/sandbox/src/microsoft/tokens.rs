//! Access tokens: issuing, checking, revoking.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use parking_lot::RwLock;
use serde_json::json;
use uuid::Uuid;

/// An application registered in the directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Application {
    /// Has an application user in the environment: this one.
    Member(Uuid),
    /// Can get tokens, but is no member of the organization: Dataverse answers 403 (contracts/dataverse.md §1.4).
    Stranger,
}

#[derive(Debug, Clone, Copy)]
struct Issued {
    application: Application,
    expires: Instant,
}

/// The live access tokens of one environment.
#[derive(Debug, Default)]
pub(crate) struct Tokens {
    issued: RwLock<HashMap<String, Issued>>,
}

impl Tokens {
    /// Issues a token. It looks like a JWT, as the product's does, but only this sandbox can tell whether it is valid.
    pub(crate) fn issue(
        &self,
        application: Application,
        client_id: &str,
        tenant: &str,
        audience: &str,
        lifetime: Duration,
    ) -> String {
        let now = jiff::Timestamp::now().as_second();
        let header = json!({"typ": "JWT", "alg": "RS256", "kid": "sandbox"});
        let claims = json!({
            "aud": audience, "iss": format!("https://sts.windows.net/{tenant}/"), "iat": now, "nbf": now,
            "exp": now + lifetime.as_secs() as i64, "appid": client_id, "tid": tenant, "uti": Uuid::new_v4(),
        });
        let part = |value: &serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signature = URL_SAFE_NO_PAD.encode([*Uuid::new_v4().as_bytes(), *Uuid::new_v4().as_bytes()].concat());
        let token = format!("{}.{}.{signature}", part(&header), part(&claims));
        let now = Instant::now();
        let mut issued = self.issued.write();
        issued.retain(|_, known| known.expires > now);
        issued.insert(
            token.clone(),
            Issued {
                application,
                expires: now + lifetime,
            },
        );
        token
    }

    /// The application a token was issued to, if the token is valid now.
    pub(crate) fn check(&self, token: &str) -> Option<Application> {
        let issued = self.issued.read();
        issued
            .get(token)
            .filter(|known| known.expires > Instant::now())
            .map(|known| known.application)
    }

    /// Makes every token issued so far invalid.
    pub(crate) fn revoke_all(&self) {
        self.issued.write().clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_end_by_age_and_by_revocation() {
        let tokens = Tokens::default();
        let member = Application::Member(Uuid::from_u128(7));
        let issue = |lifetime| tokens.issue(member, "client", "tenant", "https://org", lifetime);
        let token = issue(Duration::from_secs(60));
        assert_eq!(tokens.check(&token), Some(member));
        assert_eq!(tokens.check(&issue(Duration::ZERO)), None);
        tokens.revoke_all();
        assert_eq!(tokens.check(&token), None);
    }
}
