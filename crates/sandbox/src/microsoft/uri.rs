//! The resource path of a Web API URL, and keys in parentheses.

use percent_encoding::percent_decode_str;

use super::errors::ApiError;

/// One segment of a path: a name, and what stood in parentheses behind it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Segment {
    /// The name.
    pub name: String,
    /// The text between the parentheses; `None` without parentheses.
    pub key: Option<String>,
}

/// A part of a key: `name=literal`, or a lone literal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct KeyPart {
    /// The name; `None` for a lone literal.
    pub name: Option<String>,
    /// The literal, quotes and all.
    pub literal: String,
}

/// Splits a percent-encoded path (without the service root) into segments.
pub(crate) fn segments(path: &str) -> Result<Vec<Segment>, ApiError> {
    path.split('/').filter(|part| !part.is_empty()).map(segment).collect()
}

fn segment(encoded: &str) -> Result<Segment, ApiError> {
    let text = percent_decode_str(encoded)
        .decode_utf8()
        .map_err(|_| ApiError::bad_request("The request URI is not valid."))?
        .into_owned();
    match text.split_once('(') {
        None => Ok(Segment { name: text, key: None }),
        Some((name, rest)) => {
            let key = rest.strip_suffix(')').ok_or_else(|| {
                ApiError::bad_request(format!(
                    "Bad Request - Error in query syntax: unbalanced parentheses in '{text}'."
                ))
            })?;
            Ok(Segment {
                name: name.to_owned(),
                key: Some(key.to_owned()),
            })
        }
    }
}

/// Splits the text between parentheses at the commas that stand outside quotes.
pub(crate) fn key_parts(key: &str) -> Vec<KeyPart> {
    split_outside_quotes(key, ',')
        .into_iter()
        .filter(|part| !part.trim().is_empty())
        .map(|part| {
            let mut sides = split_outside_quotes(part, '=');
            if sides.len() == 2 {
                let literal = sides.remove(1).trim().to_owned();
                KeyPart {
                    name: Some(sides.remove(0).trim().to_owned()),
                    literal,
                }
            } else {
                KeyPart {
                    name: None,
                    literal: part.trim().to_owned(),
                }
            }
        })
        .collect()
}

/// The text of a quoted literal with doubled quotes undone; `None` if it is not quoted.
pub(crate) fn unquote(literal: &str) -> Option<String> {
    let inner = literal.strip_prefix('\'')?.strip_suffix('\'')?;
    Some(inner.replace("''", "'"))
}

fn split_outside_quotes(text: &str, separator: char) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut start = 0;
    let mut quoted = false;
    for (position, character) in text.char_indices() {
        if character == '\'' {
            quoted = !quoted;
        } else if character == separator && !quoted {
            parts.push(&text[start..position]);
            start = position + character.len_utf8();
        }
    }
    parts.push(&text[start..]);
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_keep_names_and_keys_apart() {
        let segments = segments("/contacts(a1)/parentcustomerid_account/$ref").unwrap();
        let names: Vec<_> = segments.iter().map(|segment| segment.name.as_str()).collect();
        assert_eq!(names, ["contacts", "parentcustomerid_account", "$ref"]);
        assert_eq!(segments[0].key.as_deref(), Some("a1"));
        assert!(super::segments("contacts(a1").is_err());
    }

    #[test]
    fn key_parts_split_outside_quotes_only() {
        let parts = key_parts("a='x,y=z',b=5");
        assert_eq!(parts.len(), 2);
        assert_eq!(
            (parts[0].name.as_deref(), parts[0].literal.as_str()),
            (Some("a"), "'x,y=z'")
        );
        assert_eq!(unquote("'O''Neil'").as_deref(), Some("O'Neil"));
        assert_eq!(unquote("5"), None);
    }
}
