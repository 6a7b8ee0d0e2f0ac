//! Reading the body of an unsuccessful answer.
//!
//! Campaign's texts are public, the JSON around them is not (contracts/campaign.md §6.2): any body is accepted, and all
//! the texts in it are searched.

use serde::Deserialize;
use serde_json::Value;

use crate::error::Rejection;

/// The most codes kept of one text.
const MAX_CODES: usize = 8;

/// What a body says.
pub(super) struct Message {
    /// All texts of a JSON body, one after the other, or the body itself.
    pub(super) text: String,
    /// The gateway's six-digit `error_code` (§6.1).
    pub(super) gateway_code: Option<u32>,
    /// The numeric `code` of the second gateway envelope (§6.1).
    numeric_code: Option<u64>,
}

impl Message {
    pub(super) fn read(body: &[u8]) -> Self {
        let Ok(json) = serde_json::from_slice::<Value>(body) else {
            return Self {
                text: String::from_utf8_lossy(body).into_owned(),
                gateway_code: None,
                numeric_code: None,
            };
        };
        let mut text = String::new();
        collect_texts(&json, &mut text);
        Self {
            text,
            gateway_code: gateway_code(&json),
            numeric_code: json.get("code").and_then(Value::as_u64),
        }
    }

    /// The two answers to a wrong address; configuration errors despite their status (§6.1).
    pub(super) fn is_wrong_address(&self) -> bool {
        matches!(self.numeric_code, Some(500 | 502)) && self.has("oops")
    }

    /// Whether a 500 says that trying again is pointless (§6.4).
    pub(super) fn is_final(&self) -> bool {
        self.codes()
            .iter()
            .any(|code| code.starts_with("XTK-") || code.starts_with("RST-3600") || code == "PGS-220000")
            || self.is_duplicate()
            || self.has("property is not valid")
            || self.has("that is read-only")
            || self.has("enumeration")
            || self.has("value too long")
    }

    /// Message codes of the form `XTK-170036`, each once, in order.
    pub(super) fn codes(&self) -> Vec<String> {
        let mut codes: Vec<String> = Vec::new();
        for window in self.text.as_bytes().windows(10) {
            let is_code = window[..3].iter().all(u8::is_ascii_uppercase)
                && window[3] == b'-'
                && window[4..].iter().all(u8::is_ascii_digit);
            if is_code && codes.len() < MAX_CODES {
                let code = String::from_utf8_lossy(window);
                if codes.iter().all(|known| *known != code) {
                    codes.push(code.into_owned());
                }
            }
        }
        codes
    }

    /// A unique key is taken (§4.3). `PGS-220000` is PostgreSQL's code for any error; without the database's own words
    /// the contract's rule takes it for a duplicate.
    pub(super) fn is_duplicate(&self) -> bool {
        self.has("with the same key")
            || self.has("duplicate key value")
            || (self.text.contains("PGS-220000") && !self.text.contains("ERROR:"))
    }

    /// The value of the key that is taken.
    pub(super) fn duplicate_key(&self) -> Option<String> {
        let named = between(&self.text, "with the same key '", "' already exists");
        named.or_else(|| between(&self.text, ")=(", ") already exists"))
    }

    /// The key of a missing record or link target, without the `:0` that stands behind a key of the address (§6.3 no. 3
    /// and 4).
    pub(super) fn missing_key(&self) -> Option<String> {
        self.text.find("Unable to find document")?;
        let key = between(&self.text, "from key '", "' (").or_else(|| between(&self.text, "from key '", "'"))?;
        Some(key.strip_suffix(":0").map(str::to_owned).unwrap_or(key))
    }

    /// Whether Campaign tried to decrypt the key as a PKey, which it does where no identification key is declared
    /// (§6.3 no. 1).
    pub(super) fn takes_for_handle(&self, key: &str) -> bool {
        self.text.contains("XTK-170036")
            && (self.text.contains(&format!("'{key}' attribute unknown")) || self.text.contains(&format!("= @{key}'")))
    }

    /// The field of `'x' property is not valid for the 'profile' resource` (§6.3 no. 8).
    pub(super) fn unknown_field(&self) -> Option<String> {
        quoted_before(&self.text, " property is not valid")
    }

    /// The field of `Cannot update the 'age' property that is read-only` (§6.3 no. 7).
    pub(super) fn read_only_field(&self) -> Option<String> {
        quoted_before(&self.text, " property that is read-only")
    }

    /// Why one record was refused.
    pub(super) fn rejection(&self) -> Rejection {
        if self.text.contains("XTK-170049") {
            Rejection::DataPolicy
        } else if self.has("enumeration") {
            Rejection::NotInEnumeration
        } else if self.has("too long") || self.has("exceeds the maximum") {
            Rejection::TooLong
        } else if self.text.contains("RST-360012") {
            Rejection::KeyMismatch
        } else {
            Rejection::Other
        }
    }

    /// The field a refusal names: `… of the '@gender' field`, `… the 'email' field` (§6.3 no. 6).
    pub(super) fn field(&self) -> Option<String> {
        let field = quoted_before(&self.text, " field").or_else(|| quoted_before(&self.text, " attribute"))?;
        Some(field.trim_start_matches('@').to_owned())
    }

    fn has(&self, needle: &str) -> bool {
        let needle = needle.as_bytes();
        self.text
            .as_bytes()
            .windows(needle.len())
            .any(|window| window.eq_ignore_ascii_case(needle))
    }
}

fn gateway_code(json: &Value) -> Option<u32> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Code {
        Text(String),
        Number(u32),
    }
    let code = match Code::deserialize(json.get("error_code")?).ok()? {
        Code::Text(text) if text.len() == 6 => text.parse().ok()?,
        Code::Text(_) => return None,
        Code::Number(number) => number,
    };
    (100_000..1_000_000).contains(&code).then_some(code)
}

fn collect_texts(json: &Value, text: &mut String) {
    match json {
        Value::String(part) => {
            if !text.is_empty() {
                text.push(' ');
            }
            text.push_str(part);
        }
        Value::Array(values) => values.iter().for_each(|value| collect_texts(value, text)),
        Value::Object(members) => members.values().for_each(|value| collect_texts(value, text)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// The text between the first `start` and the first `end` after it.
fn between(text: &str, start: &str, end: &str) -> Option<String> {
    let (_, rest) = text.split_once(start)?;
    let (inner, _) = rest.split_once(end)?;
    Some(inner.to_owned())
}

/// The name in single quotes directly before `end`.
fn quoted_before(text: &str, end: &str) -> Option<String> {
    let place = text.find(&format!("'{end}"))?;
    let (_, name) = text[..place].rsplit_once('\'')?;
    (!name.is_empty() && name.len() <= 255).then(|| name.to_owned())
}
