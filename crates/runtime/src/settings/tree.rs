//! The merged values as a tree, with the place where each was set.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use config::{Map, Value, ValueKind};
use serde_json::Value as Json;

/// The way from the root to a value.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(super) struct KeyPath(Vec<Step>);

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Step {
    Key(String),
    Index(usize),
}

impl KeyPath {
    pub(super) fn key(&self, key: impl Into<String>) -> Self {
        self.step(Step::Key(key.into()))
    }

    pub(super) fn step(&self, step: Step) -> Self {
        let mut steps = self.0.clone();
        steps.push(step);
        Self(steps)
    }

    pub(super) fn parent(&self) -> Option<Self> {
        self.0.split_last().map(|(_, parent)| Self(parent.to_vec()))
    }

    pub(super) fn starts_with(&self, other: &Self) -> bool {
        self.0.starts_with(&other.0)
    }
}

impl fmt::Display for KeyPath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, step) in self.0.iter().enumerate() {
            match step {
                Step::Key(key) if position == 0 => write!(formatter, "{key}")?,
                Step::Key(key) => write!(formatter, ".{key}")?,
                Step::Index(index) => write!(formatter, "[{index}]")?,
            }
        }
        Ok(())
    }
}

/// Merged values, the defaults below them, and where each value was set.
///
/// Paths keep naming what they named at first: when an element of a list is taken away, those after it keep their index.
#[derive(Debug)]
pub(super) struct Tree {
    values: Json,
    /// Of each list that lost elements: the first index of every element that is left.
    left: BTreeMap<KeyPath, Vec<usize>>,
    defaults: Json,
    /// Of every leaf that is not a default.
    origins: BTreeMap<KeyPath, String>,
    /// Texts that were given another type; each is tried once.
    retyped: BTreeSet<KeyPath>,
}

impl Tree {
    pub(super) fn new(merged: Map<String, Value>, defaults: Json) -> Self {
        let mut origins = BTreeMap::new();
        let values = plain(
            Value::new(None, ValueKind::Table(merged)),
            &KeyPath::default(),
            &mut origins,
        );
        Self {
            values,
            left: BTreeMap::new(),
            defaults,
            origins,
            retyped: BTreeSet::new(),
        }
    }

    pub(super) fn values(&self) -> &Json {
        &self.values
    }

    /// The lasting name of a place that was found in [`values`](Self::values).
    pub(super) fn named(&self, steps: impl IntoIterator<Item = Step>) -> KeyPath {
        steps.into_iter().fold(KeyPath::default(), |list, step| match step {
            Step::Index(position) => {
                let index = self.left.get(&list).and_then(|left| left.get(position)).copied();
                list.step(Step::Index(index.unwrap_or(position)))
            }
            key @ Step::Key(_) => list.step(key),
        })
    }

    /// Where [`values`](Self::values) has a path now; `None` if it was taken away.
    fn position(&self, path: &KeyPath) -> Option<Vec<Step>> {
        let mut list = KeyPath::default();
        let mut position = Vec::with_capacity(path.0.len());
        for step in &path.0 {
            position.push(match (step, self.left.get(&list)) {
                (Step::Index(index), Some(left)) => Step::Index(left.iter().position(|other| other == index)?),
                _ => step.clone(),
            });
            list = list.step(step.clone());
        }
        Some(position)
    }

    pub(super) fn default_at(&self, path: &KeyPath) -> Option<&Json> {
        walk(&self.defaults, &path.0)
    }

    pub(super) fn at(&self, path: &KeyPath) -> Option<&Json> {
        walk(&self.values, &self.position(path)?)
    }

    fn at_mut(&mut self, path: &KeyPath) -> Option<&mut Json> {
        let position = self.position(path)?;
        walk_mut(&mut self.values, &position)
    }

    /// The places where the value or its parts were set, without repetition; empty for a default.
    pub(super) fn origins_of(&self, path: &KeyPath) -> Vec<&str> {
        self.origins_where(|key| key.starts_with(path) || path.starts_with(key))
    }

    /// As [`origins_of`](Self::origins_of), for a path that was written down.
    pub(super) fn origins_of_key(&self, path: &str) -> Vec<&str> {
        self.origins_where(|key| {
            let key = key.to_string();
            is_within(&key, path) || is_within(path, &key)
        })
    }

    /// An origin belongs to a leaf, or to the text that a list or table was read from.
    fn origins_where(&self, concerns: impl Fn(&KeyPath) -> bool) -> Vec<&str> {
        let mut origins: Vec<&str> = Vec::new();
        for (_, origin) in self.origins.iter().filter(|(key, _)| concerns(key)) {
            if !origins.contains(&origin.as_str()) {
                origins.push(origin);
            }
        }
        origins
    }

    /// Puts the default in place of a value, or takes the value away where there is none. False when that changes nothing.
    pub(super) fn reset(&mut self, path: &KeyPath) -> bool {
        self.origins.retain(|key, _| !key.starts_with(path));
        let default = self.default_at(path).cloned();
        let current = self.at(path);
        if current.is_none() || current == default.as_ref() {
            return false;
        }
        let Some(default) = default else {
            return self.remove(path);
        };
        self.left.retain(|list, _| !list.starts_with(path));
        self.at_mut(path).is_some_and(|value| {
            *value = default;
            true
        })
    }

    fn remove(&mut self, path: &KeyPath) -> bool {
        let (Some(list), Some(position)) = (path.parent(), self.position(path)) else {
            return false;
        };
        let Some(last) = position.last() else { return false };
        match (self.at_mut(&list), last) {
            (Some(Json::Object(fields)), Step::Key(key)) => fields.remove(key).is_some(),
            (Some(Json::Array(values)), Step::Index(index)) if *index < values.len() => {
                values.remove(*index);
                let before = values.len() + 1;
                self.left
                    .entry(list)
                    .or_insert_with(|| (0..before).collect())
                    .remove(*index);
                true
            }
            _ => false,
        }
    }

    /// Reads texts from the environment or flags at `path` and below as TOML values, or as comma-separated lists where a
    /// list is wanted. False when that changes nothing.
    pub(super) fn retype(&mut self, path: &KeyPath, list_wanted: bool) -> bool {
        let texts: Vec<KeyPath> = self
            .origins
            .range(path.clone()..)
            .take_while(|(key, _)| key.starts_with(path))
            .filter(|(_, origin)| !origin.starts_with("file "))
            .map(|(key, _)| key.clone())
            .collect();
        let mut changed = false;
        for key in texts {
            let is_list = list_wanted && key == *path;
            let Some(Json::String(text)) = self.at(&key) else {
                continue;
            };
            let Some(value) = typed(text).or_else(|| is_list.then(|| list(text))) else {
                continue;
            };
            if self.retyped.insert(key.clone())
                && let Some(place) = self.at_mut(&key)
            {
                *place = value;
                changed = true;
            }
        }
        changed
    }
}

/// Whether one written path is another or leads on from it.
pub(super) fn is_within(path: &str, section: &str) -> bool {
    path.strip_prefix(section)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
}

fn walk<'a>(root: &'a Json, path: &[Step]) -> Option<&'a Json> {
    path.iter().try_fold(root, |value, step| match step {
        Step::Key(key) => value.get(key),
        Step::Index(index) => value.get(index),
    })
}

fn walk_mut<'a>(root: &'a mut Json, path: &[Step]) -> Option<&'a mut Json> {
    path.iter().try_fold(root, |value, step| match step {
        Step::Key(key) => value.get_mut(key),
        Step::Index(index) => value.get_mut(index),
    })
}

/// The text as a TOML value of another type than text, if it is one.
fn typed(text: &str) -> Option<Json> {
    let mut document: toml::Table = format!("value = {text}").parse().ok()?;
    let value = document.remove("value").filter(|_| document.is_empty())?;
    match plain(toml_value(value, None), &KeyPath::default(), &mut BTreeMap::new()) {
        Json::String(_) | Json::Null => None,
        value => Some(value),
    }
}

fn list(text: &str) -> Json {
    let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
    Json::Array(items.map(|item| Json::String(item.to_owned())).collect())
}

/// The same value for the `config` crate. Dates become text: settings have no use for a date type.
pub(super) fn toml_value(value: toml::Value, origin: Option<&String>) -> Value {
    let kind = match value {
        toml::Value::String(text) => ValueKind::String(text),
        toml::Value::Integer(number) => ValueKind::I64(number),
        toml::Value::Float(number) => ValueKind::Float(number),
        toml::Value::Boolean(value) => ValueKind::Boolean(value),
        toml::Value::Datetime(date) => ValueKind::String(date.to_string()),
        toml::Value::Array(values) => {
            ValueKind::Array(values.into_iter().map(|value| toml_value(value, origin)).collect())
        }
        toml::Value::Table(fields) => ValueKind::Table(
            fields
                .into_iter()
                .map(|(key, value)| (key, toml_value(value, origin)))
                .collect(),
        ),
    };
    Value::new(origin, kind)
}

/// The value as JSON, whose deserialiser has the clearest messages; origins of leaves go into `origins`.
fn plain(value: Value, path: &KeyPath, origins: &mut BTreeMap<KeyPath, String>) -> Json {
    let origin = value.origin().map(str::to_owned);
    let remember = |is_leaf: bool| {
        if let Some(origin) = origin.filter(|_| is_leaf) {
            origins.insert(path.clone(), origin);
        }
    };
    match value.kind {
        ValueKind::Table(fields) => {
            remember(fields.is_empty());
            let fields = fields.into_iter().map(|(key, value)| {
                let value = plain(value, &path.key(key.clone()), origins);
                (key, value)
            });
            Json::Object(fields.collect())
        }
        ValueKind::Array(values) => {
            remember(values.is_empty());
            let values = values.into_iter().enumerate();
            Json::Array(
                values
                    .map(|(index, value)| plain(value, &path.step(Step::Index(index)), origins))
                    .collect(),
            )
        }
        kind => {
            remember(true);
            scalar(kind)
        }
    }
}

fn scalar(kind: ValueKind) -> Json {
    match kind {
        ValueKind::Boolean(value) => Json::Bool(value),
        ValueKind::I64(number) => Json::from(number),
        ValueKind::U64(number) => Json::from(number),
        ValueKind::Float(number) => Json::from(number),
        ValueKind::String(text) => Json::String(text),
        // Wider integers exist in no layer; tables and arrays are no scalars.
        ValueKind::I128(_) | ValueKind::U128(_) | ValueKind::Table(_) | ValueKind::Array(_) | ValueKind::Nil => {
            Json::Null
        }
    }
}
