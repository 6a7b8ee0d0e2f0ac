//! The query string and the `Prefer` header.

use http::HeaderMap;
use percent_encoding::percent_decode_str;

use crate::microsoft::errors::ApiError;

/// Options change tracking refuses (contracts/dataverse.md §3.4).
pub(crate) const OPTIONS_REFUSED_UNDER_TRACKING: [&str; 4] = ["$filter", "$orderby", "$expand", "$top"];

const KNOWN: [&str; 10] = [
    "$select",
    "$filter",
    "$orderby",
    "$top",
    "$expand",
    "$count",
    "$skiptoken",
    "$deltatoken",
    "$apply",
    "$id",
];
const NOT_SUPPORTED: [&str; 3] = ["$skip", "$search", "$format"];

/// The decoded query string. Option names are case-sensitive.
#[derive(Debug, Clone, Default)]
pub(crate) struct QueryOptions {
    pairs: Vec<(String, String)>,
    /// The raw query without paging and delta tokens: what links to further pages repeat.
    pub repeated: String,
}

impl QueryOptions {
    /// Decodes a raw query string and refuses system options the service does not know.
    pub(crate) fn parse(raw: &str) -> Result<Self, ApiError> {
        let mut pairs = Vec::new();
        let mut repeated = Vec::new();
        for part in raw.split('&').filter(|part| !part.is_empty()) {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            let name = decode(name)?;
            if NOT_SUPPORTED.contains(&name.as_str()) {
                return Err(ApiError::bad_request(format!(
                    "The query parameter {name} is not supported"
                )));
            }
            if name.starts_with('$') && !KNOWN.contains(&name.as_str()) {
                return Err(ApiError::bad_request(format!(
                    "The query parameter '{name}' is not supported or is not valid."
                )));
            }
            if name != "$skiptoken" && name != "$deltatoken" {
                repeated.push(part);
            }
            pairs.push((name, decode(value)?));
        }
        Ok(Self {
            repeated: repeated.join("&"),
            pairs,
        })
    }

    /// The value of an option or parameter alias.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.pairs
            .iter()
            .find(|(found, _)| found == name)
            .map(|(_, value)| value.as_str())
    }

    /// The value of an option with parameter aliases (`@p`) outside quotes replaced by their values.
    pub(crate) fn resolved(&self, name: &str) -> Option<String> {
        let value = self.get(name)?;
        Some(
            self.pairs
                .iter()
                .filter(|(alias, _)| alias.starts_with('@'))
                .fold(value.to_owned(), |text, (alias, value)| {
                    replace_word(&text, alias, value)
                }),
        )
    }

    /// Whether `$count=true`.
    pub(crate) fn counts(&self) -> bool {
        self.get("$count") == Some("true")
    }

    /// `$top` as a number.
    pub(crate) fn top(&self) -> Result<Option<usize>, ApiError> {
        let Some(text) = self.get("$top") else { return Ok(None) };
        text.parse().map(Some).map_err(|_| {
            ApiError::bad_request(format!(
                "Invalid value '{text}' for $top query option found. The $top query option requires a non-negative \
                 integer value."
            ))
        })
    }
}

fn decode(text: &str) -> Result<String, ApiError> {
    let spaced = text.replace('+', " ");
    let decoded = percent_decode_str(&spaced).decode_utf8();
    decoded
        .map(std::borrow::Cow::into_owned)
        .map_err(|_| ApiError::bad_request("The request URI is not valid."))
}

fn replace_word(text: &str, word: &str, by: &str) -> String {
    let mut result = String::new();
    let mut quoted = false;
    let mut rest = text;
    while let Some(character) = rest.chars().next() {
        let follows = rest
            .strip_prefix(word)
            .filter(|after| !quoted && !after.starts_with(|next: char| next.is_alphanumeric() || next == '_'));
        if let Some(after) = follows {
            result.push_str(by);
            rest = after;
            continue;
        }
        quoted ^= character == '\'';
        result.push(character);
        rest = &rest[character.len_utf8()..];
    }
    result
}

/// What the `Prefer` headers ask for.
#[derive(Debug, Clone, Default)]
pub(crate) struct Preferences {
    /// `odata.maxpagesize`.
    pub max_page_size: Option<usize>,
    /// `odata.track-changes`.
    pub track_changes: bool,
    /// `return=representation`.
    pub representation: bool,
    /// `odata.continue-on-error`: a batch goes on behind an operation that fails.
    pub continue_on_error: bool,
    /// Patterns of `odata.include-annotations`; empty: none.
    annotations: Vec<String>,
    /// The value of `odata.include-annotations` as it was sent.
    annotations_raw: Option<String>,
}

impl Preferences {
    /// Reads one or several `Prefer` headers.
    pub(crate) fn parse(headers: &HeaderMap) -> Self {
        let mut preferences = Self::default();
        for value in headers.get_all("prefer") {
            let text = String::from_utf8_lossy(value.as_bytes());
            for part in split_outside_double_quotes(&text) {
                preferences.take(part.trim());
            }
        }
        preferences
    }

    fn take(&mut self, preference: &str) {
        let (name, value) = preference.split_once('=').unwrap_or((preference, ""));
        let value = value.trim();
        match name.trim().to_ascii_lowercase().as_str() {
            "odata.maxpagesize" | "maxpagesize" => {
                self.max_page_size = value.trim_matches('"').parse().ok().filter(|size| *size > 0);
            }
            "odata.track-changes" | "track-changes" => self.track_changes = true,
            "odata.continue-on-error" | "continue-on-error" => self.continue_on_error = value != "false",
            "return" => self.representation = value == "representation",
            "odata.include-annotations" | "include-annotations" => {
                self.annotations_raw = Some(value.to_owned());
                self.annotations = value
                    .trim_matches('"')
                    .split(',')
                    .map(|pattern| pattern.trim().to_owned())
                    .collect();
            }
            _ => {}
        }
    }

    /// Whether an annotation is to be written: its name, a prefix ending in `*`, or `*`, was asked for, and no pattern
    /// with a leading `-` excludes it.
    pub(crate) fn includes(&self, annotation: &str) -> bool {
        let covers = |pattern: &str| match pattern.strip_suffix('*') {
            Some(prefix) => annotation.starts_with(prefix),
            None => annotation == pattern,
        };
        let (excluding, including): (Vec<_>, Vec<_>) =
            self.annotations.iter().partition(|pattern| pattern.starts_with('-'));
        including.iter().any(|pattern| covers(pattern)) && !excluding.iter().any(|pattern| covers(&pattern[1..]))
    }

    /// Whether any annotation was asked for.
    pub(crate) fn any_annotation(&self) -> bool {
        !self.annotations.is_empty()
    }

    /// `Preference-Applied` for a read.
    pub(crate) fn applied(&self) -> Vec<String> {
        let mut applied = Vec::new();
        if self.track_changes {
            applied.push("odata.track-changes".to_owned());
        }
        if let Some(size) = self.max_page_size {
            applied.push(format!("odata.maxpagesize={size}"));
        }
        if let Some(raw) = &self.annotations_raw {
            applied.push(format!("odata.include-annotations={raw}"));
        }
        applied
    }
}

fn split_outside_double_quotes(text: &str) -> Vec<&str> {
    let mut quoted = false;
    text.split(move |character: char| {
        quoted ^= character == '"';
        character == ',' && !quoted
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn preferences(values: &[&str]) -> Preferences {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append("prefer", value.parse().unwrap());
        }
        Preferences::parse(&headers)
    }

    #[test]
    fn preferences_may_share_a_header_or_not() {
        for values in [
            &["odata.track-changes,odata.maxpagesize=7"][..],
            &["odata.track-changes", "odata.maxpagesize=7"],
        ] {
            let preferences = preferences(values);
            assert!(preferences.track_changes);
            assert_eq!(preferences.max_page_size, Some(7));
        }
    }

    #[test]
    fn annotation_patterns_select_by_wildcard_and_exclude_by_minus() {
        let formatted = "OData.Community.Display.V1.FormattedValue";
        assert!(preferences(&["odata.include-annotations=\"*\""]).includes(formatted));
        let list = preferences(&["odata.include-annotations=\"OData.Community.*,-OData.Community.Display.*\""]);
        assert!(!list.includes(formatted));
        assert!(!preferences(&["odata.include-annotations=\"Microsoft.*\""]).includes(formatted));
        assert!(!preferences(&[]).includes(formatted));
    }

    #[test]
    fn aliases_are_replaced_outside_quotes_only() {
        let options = QueryOptions::parse("$filter=fullname%20eq%20@p%20or%20x%20eq%20'@p'&@p='y'").unwrap();
        assert_eq!(options.resolved("$filter").unwrap(), "fullname eq 'y' or x eq '@p'");
    }

    #[test]
    fn links_repeat_everything_but_the_tokens() {
        let options = QueryOptions::parse("$select=a,b&$skiptoken=x&$count=true").unwrap();
        assert_eq!(options.repeated, "$select=a,b&$count=true");
        assert!(options.counts());
    }
}
