//! Messages of the API read from files, as proto3 JSON or as TOML of the same shape.

use std::{
    fs,
    io::{self, Read as _},
    path::Path,
};

use serde::de::DeserializeOwned;

use crate::failure::Failure;

/// Reads one message from a file, or from standard input if it is `-`. What begins with `{` is JSON, all else TOML.
///
/// # Errors
/// [`Failure::Usage`], naming the place, if the file cannot be read or is not such a message; unknown fields are errors.
pub(crate) fn read_message<Message: DeserializeOwned>(path: &Path) -> Result<Message, Failure> {
    let shown = if is_standard_input(path) {
        "standard input".to_owned()
    } else {
        path.display().to_string()
    };
    let text = read_text(path).map_err(|error| Failure::Usage(format!("cannot read {shown}: {error}")))?;
    parse_message(&text).map_err(|problem| Failure::Usage(format!("{shown}: {problem}")))
}

/// Reads a secret from a file; a line end after it is not part of it.
///
/// # Errors
/// [`Failure::Usage`] if the file cannot be read or holds nothing.
pub(crate) fn read_secret(path: &Path) -> Result<String, Failure> {
    let text = fs::read_to_string(path)
        .map_err(|error| Failure::Usage(format!("cannot read the secret in {}: {error}", path.display())))?;
    let secret = text.trim_end_matches(['\r', '\n']);
    if secret.is_empty() {
        return Err(Failure::Usage(format!("the secret file {} is empty", path.display())));
    }
    Ok(secret.to_owned())
}

fn is_standard_input(path: &Path) -> bool {
    path.as_os_str() == "-"
}

fn read_text(path: &Path) -> io::Result<String> {
    if !is_standard_input(path) {
        return fs::read_to_string(path);
    }
    let mut text = String::new();
    io::stdin().lock().read_to_string(&mut text)?;
    Ok(text)
}

/// Parses a message; the error says where in the file the problem is.
fn parse_message<Message: DeserializeOwned>(text: &str) -> Result<Message, String> {
    if text.trim().is_empty() {
        return Err("there is nothing in it".to_owned());
    }
    if text.trim_start().starts_with('{') {
        let mut json = serde_json::Deserializer::from_str(text);
        let message = serde_path_to_error::deserialize(&mut json).map_err(|error| describe(&error))?;
        json.end().map_err(|error| error.to_string())?;
        return Ok(message);
    }
    let toml: toml::Table = toml::from_str(text).map_err(|error| error.to_string().trim_end().to_owned())?;
    let json = json_object(toml);
    serde_path_to_error::deserialize(json).map_err(|error| describe(&error))
}

fn describe(error: &serde_path_to_error::Error<serde_json::Error>) -> String {
    let path = error.path().to_string();
    if path == "." {
        error.inner().to_string()
    } else {
        format!("{path}: {}", error.inner())
    }
}

fn json_object(table: toml::Table) -> serde_json::Value {
    serde_json::Value::Object(table.into_iter().map(|(key, value)| (key, json_value(value))).collect())
}

/// A date of TOML becomes its text, which is how proto3 JSON writes timestamps.
fn json_value(value: toml::Value) -> serde_json::Value {
    match value {
        toml::Value::String(text) => text.into(),
        toml::Value::Integer(number) => number.into(),
        toml::Value::Float(number) => number.into(),
        toml::Value::Boolean(flag) => flag.into(),
        toml::Value::Datetime(moment) => moment.to_string().into(),
        toml::Value::Array(values) => values.into_iter().map(json_value).collect(),
        toml::Value::Table(table) => json_object(table),
    }
}

#[cfg(test)]
mod tests {
    use crosswalk_proto::v1::{FieldMapping, Mapping, MappingOptions, mapping_options::OverLong};

    use super::*;

    fn expected() -> Mapping {
        Mapping {
            dynamics_table: "contact".to_owned(),
            fields: vec![FieldMapping {
                apply_updates: None,
                dynamics_field: "emailaddress1".to_owned(),
                campaign_field: "email".to_owned(),
            }],
            options: Some(MappingOptions {
                apply_deletes: true,
                over_long: OverLong::Truncate.into(),
                ..MappingOptions::default()
            }),
            create_time: Some(pbjson_types::Timestamp {
                seconds: 1_790_000_000,
                nanos: 0,
            }),
            ..Mapping::default()
        }
    }

    #[test]
    fn json_and_toml_of_the_same_shape_are_the_same_message() {
        let json = r#" {
            "dynamicsTable": "contact",
            "fields": [{"dynamicsField": "emailaddress1", "campaignField": "email"}],
            "options": {"applyDeletes": true, "overLong": "OVER_LONG_TRUNCATE"},
            "createTime": "2026-09-21T14:13:20Z"
        }"#;
        let toml = r#"
            dynamicsTable = "contact"
            createTime = 2026-09-21T14:13:20Z
            fields = [{ dynamicsField = "emailaddress1", campaignField = "email" }]
            [options]
            applyDeletes = true
            overLong = "OVER_LONG_TRUNCATE"
        "#;
        assert_eq!(parse_message::<Mapping>(json), Ok(expected()));
        assert_eq!(parse_message::<Mapping>(toml), Ok(expected()));
    }

    #[test]
    fn unknown_fields_are_named_with_their_place() {
        let nested = parse_message::<Mapping>(r#"{"fields": [{"dynamicsField": "a"}, {"campaignFeld": "b"}]}"#);
        let problem = nested.expect_err("the field is unknown");
        assert!(
            problem.contains("fields[1]") && problem.contains("`campaignFeld`"),
            "{problem}"
        );

        let toml = parse_message::<Mapping>("[options]\napplyDelete = true\n").expect_err("the field is unknown");
        assert!(toml.contains("options") && toml.contains("`applyDelete`"), "{toml}");
    }

    #[test]
    fn wrong_types_broken_syntax_and_leftovers_are_errors() {
        for text in [
            "",
            " \n",
            "{",
            "{} {}",
            "dynamicsTable = ",
            "dynamicsTable = 5",
            r#"{"fields": {}}"#,
        ] {
            assert!(parse_message::<Mapping>(text).is_err(), "`{text}` was accepted");
        }
    }
}
