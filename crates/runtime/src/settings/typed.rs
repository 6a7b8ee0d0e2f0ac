//! From merged values to a typed struct, going on after each error until all are known.

use std::collections::BTreeSet;

use serde::de::DeserializeOwned;
use serde_json::Value as Json;
use serde_path_to_error::{Segment, Track};

use super::tree::{KeyPath, Step, Tree, is_within};
use super::{Problem, Validate};

/// Reads the tree as `T`.
///
/// serde stops at the first error. So each offending value is reported, then replaced by its default (or taken away where
/// there is none), and reading starts over; every round mends one value, so it ends. `None` when not even the defaults can
/// be read.
pub(super) fn read<T: DeserializeOwned + Validate>(tree: Tree, problems: &mut Vec<Problem>) -> Option<T> {
    let mut reading = Reading {
        tree,
        mended: BTreeSet::new(),
        problems,
    };
    let settings: T = reading.run()?;
    reading.validate(&settings);
    Some(settings)
}

struct Reading<'a> {
    tree: Tree,
    /// Paths that were reported and mended. An error that only follows from mending one is not reported.
    mended: BTreeSet<KeyPath>,
    problems: &'a mut Vec<Problem>,
}

impl Reading<'_> {
    fn run<T: DeserializeOwned>(&mut self) -> Option<T> {
        loop {
            let mut ignored = Vec::new();
            let mut track = Track::new();
            let tracked = serde_path_to_error::Deserializer::new(self.tree.values(), &mut track);
            let result: Result<T, _> = serde_ignored::deserialize(tracked, |path| ignored.push(ignored_steps(&path)));
            match result {
                Ok(settings) => {
                    ignored.into_iter().for_each(|steps| self.report_unknown(steps));
                    return Some(settings);
                }
                Err(error) => {
                    let path = self.place_of(self.tree.named(error_steps(&track.path())));
                    let message = error.to_string();
                    if !self.retype(&path, &message) {
                        self.mend(path, &message)?;
                    }
                }
            }
        }
    }

    /// The nearest place that has a value: the path of an error in an enum may end in the name of a variant.
    fn place_of(&self, mut path: KeyPath) -> KeyPath {
        while self.tree.at(&path).is_none()
            && let Some(parent) = path.parent()
        {
            path = parent;
        }
        path
    }

    /// What comes from the environment or a flag is text at first. Where that is the wrong kind of value, it is read as
    /// another kind. The error of an enum or an untagged type does not say which of its parts it means, so all are tried.
    fn retype(&mut self, path: &KeyPath, message: &str) -> bool {
        let is_wrong_kind = message.starts_with("invalid type") || message.starts_with("data did not match");
        is_wrong_kind && self.tree.retype(path, message.ends_with("expected a sequence"))
    }

    fn mend(&mut self, path: KeyPath, message: &str) -> Option<()> {
        if !self.follows_from_mending(&path, message) {
            let message = self.with_example(&path, message);
            self.report(&path, &message);
        }
        let mut place = path;
        while !self.tree.reset(&place) {
            self.mended.insert(place.clone());
            place = place.parent()?;
        }
        self.mended.insert(place);
        Some(())
    }

    fn follows_from_mending(&self, path: &KeyPath, message: &str) -> bool {
        let missing = message
            .strip_prefix("missing field `")
            .and_then(|rest| rest.strip_suffix('`'));
        let path = missing.map_or_else(|| path.clone(), |field| path.key(field));
        self.mended
            .iter()
            .any(|mended| mended.starts_with(&path) || path.starts_with(mended))
    }

    /// Adds the default where it is a plain value: it shows the form that is expected.
    fn with_example(&self, path: &KeyPath, message: &str) -> String {
        match self.tree.default_at(path) {
            Some(default @ (Json::Bool(_) | Json::Number(_) | Json::String(_))) => {
                format!("{message} (default: {default})")
            }
            _ => message.to_owned(),
        }
    }

    fn report_unknown(&mut self, steps: Vec<Step>) {
        let path = self.tree.named(steps);
        if self.tree.default_at(&path).is_none() {
            let message = format!("unknown key{}", self.known_keys_beside(&path));
            self.report(&path, &message);
        }
    }

    fn known_keys_beside(&self, path: &KeyPath) -> String {
        let section = path.parent().and_then(|section| self.tree.default_at(&section));
        let Some(Json::Object(fields)) = section else {
            return String::new();
        };
        let mut keys: Vec<_> = fields.keys().map(|key| format!("`{key}`")).collect();
        keys.sort();
        format!(", expected one of {}", keys.join(", "))
    }

    fn report(&mut self, path: &KeyPath, message: &str) {
        let problem = Problem::new(path.to_string(), message);
        self.problems.push(placed(problem, &self.tree.origins_of(path)));
    }

    /// Rules are checked even if some values were mended, except for the keys that already have a problem.
    fn validate(&mut self, settings: &impl Validate) {
        let mended: Vec<_> = self.mended.iter().map(KeyPath::to_string).collect();
        for problem in settings.problems() {
            let is_known = mended
                .iter()
                .any(|key| is_within(key, problem.key()) || is_within(problem.key(), key));
            if !is_known {
                let origins = self.tree.origins_of_key(problem.key());
                self.problems.push(placed(problem, &origins));
            }
        }
    }
}

fn placed(problem: Problem, origins: &[&str]) -> Problem {
    if origins.is_empty() {
        problem
    } else {
        problem.set_by(origins.join(", "))
    }
}

fn error_steps(path: &serde_path_to_error::Path) -> Vec<Step> {
    let steps = path.iter().map_while(|segment| match segment {
        Segment::Seq { index } => Some(Step::Index(*index)),
        Segment::Map { key } => Some(Step::Key(key.clone())),
        Segment::Enum { variant } => Some(Step::Key(variant.clone())),
        Segment::Unknown => None,
    });
    steps.collect()
}

fn ignored_steps(path: &serde_ignored::Path<'_>) -> Vec<Step> {
    let (parent, step) = match path {
        serde_ignored::Path::Root => return Vec::new(),
        serde_ignored::Path::Seq { parent, index } => (parent, Some(Step::Index(*index))),
        serde_ignored::Path::Map { parent, key } => (parent, Some(Step::Key(key.clone()))),
        serde_ignored::Path::Some { parent }
        | serde_ignored::Path::NewtypeStruct { parent }
        | serde_ignored::Path::NewtypeVariant { parent } => (parent, None),
    };
    let mut steps = ignored_steps(parent);
    steps.extend(step);
    steps
}
