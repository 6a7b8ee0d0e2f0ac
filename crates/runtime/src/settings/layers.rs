//! The four layers, merged by the `config` crate. Every value remembers the layer it came from as its origin.

use std::ffi::OsStr;
use std::path::Path;

use config::{Config, ConfigError, Map, Source, Value, ValueKind};
use serde::Serialize;

use super::tree::{Tree, toml_value};
use super::{ENVIRONMENT_PREFIX, Override, Problem, Sources};

/// Merges the defaults of `T` and all sources. `None` when nothing can be read at all.
pub(super) fn merge<T: Default + Serialize>(sources: &Sources, problems: &mut Vec<Problem>) -> Option<Tree> {
    let defaults = match serde_json::to_value(T::default()) {
        Ok(defaults) => defaults,
        Err(error) => {
            problems.push(Problem::new(
                "",
                format!("the defaults cannot be written down: {error}"),
            ));
            return None;
        }
    };
    let mut builder = Config::builder().add_source(Layer::of(json_value(defaults.clone())));
    if let Some(path) = &sources.file {
        match file(path) {
            Ok(layer) => builder = builder.add_source(layer),
            Err(problem) => problems.push(problem),
        }
    }
    for layer in environment(sources, problems) {
        builder = builder.add_source(layer);
    }
    for Override { key, value } in &sources.overrides {
        let origin = Origin::Flag(key);
        builder = builder.add_source(Layer::single(key.split('.').map(str::to_owned), value, &origin));
    }
    match builder.build().and_then(|merged| merged.collect()) {
        Ok(merged) => Some(Tree::new(merged, defaults)),
        Err(error) => {
            problems.push(Problem::new("", format!("the layers cannot be merged: {error}")));
            None
        }
    }
}

/// Where a value was set, as it is shown to people.
enum Origin<'a> {
    File(&'a Path),
    Environment(&'a str),
    Flag(&'a str),
}

impl std::fmt::Display for Origin<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::File(path) => write!(formatter, "file {}", path.display()),
            Self::Environment(variable) => write!(formatter, "environment variable {variable}"),
            Self::Flag(key) => write!(formatter, "flag --set {key}"),
        }
    }
}

/// One layer, or one value of one: a tree of values with their origin.
#[derive(Debug, Clone)]
struct Layer(Map<String, Value>);

impl Layer {
    fn of(value: Value) -> Self {
        match value.kind {
            ValueKind::Table(values) => Self(values),
            _ => Self(Map::new()),
        }
    }

    fn single(path: impl DoubleEndedIterator<Item = String>, text: &str, origin: &Origin<'_>) -> Self {
        let origin = origin.to_string();
        let leaf = Value::new(Some(&origin), ValueKind::String(text.to_owned()));
        Self::of(path.rev().fold(leaf, |inner, key| {
            Value::new(Some(&origin), ValueKind::Table(Map::from_iter([(key, inner)])))
        }))
    }
}

impl Source for Layer {
    fn clone_into_box(&self) -> Box<dyn Source + Send + Sync> {
        Box::new(self.clone())
    }

    fn collect(&self) -> Result<Map<String, Value>, ConfigError> {
        Ok(self.0.clone())
    }
}

fn file(path: &Path) -> Result<Layer, Problem> {
    let origin = Origin::File(path).to_string();
    let problem = |message: String| Problem::new("--config", message).set_by(origin.clone());
    let text = std::fs::read_to_string(path).map_err(|error| problem(format!("cannot be read: {error}")))?;
    let table: toml::Table = text.parse().map_err(|error: toml::de::Error| {
        // Not the whole error, which quotes the line: it may hold a secret.
        let line = error
            .span()
            .map_or(1, |span| text[..span.start].matches('\n').count() + 1);
        problem(format!("is not TOML: line {line}: {}", error.message()))
    })?;
    Ok(Layer::of(toml_value(toml::Value::Table(table), Some(&origin))))
}

/// One layer for each variable, in the order of their names, so that the result does not depend on the process.
fn environment(sources: &Sources, problems: &mut Vec<Problem>) -> Vec<Layer> {
    let mut variables: Vec<_> = sources
        .environment
        .iter()
        .filter(|(name, _)| has_prefix(name))
        .collect();
    variables.sort();
    let mut layers = Vec::with_capacity(variables.len());
    for (name, value) in variables {
        let shown = name.to_string_lossy();
        let origin = Origin::Environment(&shown);
        let (Some(name), Some(value)) = (name.to_str(), value.to_str()) else {
            problems.push(Problem::new(shown.as_ref(), "is not valid UTF-8").set_by(origin.to_string()));
            continue;
        };
        if value.is_empty() {
            continue;
        }
        let path: Vec<_> = name[ENVIRONMENT_PREFIX.len()..]
            .split("__")
            .map(str::to_lowercase)
            .collect();
        if path.iter().any(String::is_empty) {
            let expected = format!("expected {ENVIRONMENT_PREFIX}SECTION__KEY");
            problems.push(Problem::new(name, expected).set_by(origin.to_string()));
            continue;
        }
        layers.push(Layer::single(path.into_iter(), value, &origin));
    }
    layers
}

fn has_prefix(name: &OsStr) -> bool {
    name.as_encoded_bytes().starts_with(ENVIRONMENT_PREFIX.as_bytes())
}

/// A value without an origin, which marks it as a default.
fn json_value(value: serde_json::Value) -> Value {
    let kind = match value {
        serde_json::Value::Null => ValueKind::Nil,
        serde_json::Value::Bool(value) => ValueKind::Boolean(value),
        serde_json::Value::Number(number) => match (number.as_u64(), number.as_i64()) {
            (Some(number), _) => ValueKind::U64(number),
            (None, Some(number)) => ValueKind::I64(number),
            (None, None) => ValueKind::Float(number.as_f64().unwrap_or(f64::NAN)),
        },
        serde_json::Value::String(text) => ValueKind::String(text),
        serde_json::Value::Array(values) => ValueKind::Array(values.into_iter().map(json_value).collect()),
        serde_json::Value::Object(fields) => ValueKind::Table(
            fields
                .into_iter()
                .map(|(key, value)| (key, json_value(value)))
                .collect(),
        ),
    };
    Value::new(None, kind)
}
