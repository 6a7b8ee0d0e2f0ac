//! Fault rules: what a caller asks the sandbox to do wrong, and how often.
//!
//! Rules are looked at in the order they were added; the first that matches and whose dice fall applies. Rolls come from
//! a seeded generator, so that the same calls in the same order meet the same faults.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use serde::{Deserialize, Serialize};

/// One of the four remote systems the sandbox stands in for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// The Microsoft token endpoint.
    Entra,
    /// The Dataverse Web API.
    Dynamics,
    /// The Adobe token endpoint.
    Ims,
    /// The Campaign REST API.
    Campaign,
}

impl Side {
    /// Every side, in the order of their discriminants.
    pub const ALL: [Self; 4] = [Self::Entra, Self::Dynamics, Self::Ims, Self::Campaign];
}

/// What a request asks for, as faults and counters tell requests apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Operation {
    /// An access token.
    Token,
    /// Definitions of tables, columns, resources.
    Metadata,
    /// A page of rows.
    List,
    /// A page of changes since a delta token.
    Delta,
    /// One row.
    Get,
    /// A new row.
    Create,
    /// A change of a row, upserts included.
    Update,
    /// The removal of a row.
    Delete,
    /// A multipart batch.
    Batch,
    /// A number of rows.
    Count,
    /// Anything else.
    Other,
}

/// What a rule does to the requests it hits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Effect {
    /// 429 in the product's own form, with a `Retry-After` header.
    Throttle {
        /// Value of `Retry-After`, in seconds.
        retry_after_seconds: u32,
    },
    /// This status with the product's body for it; the request has no effect.
    Status {
        /// HTTP status, 400 to 599.
        status: u16,
    },
    /// The normal answer, this much later.
    Slow {
        /// Delay before the request is handled, in milliseconds.
        milliseconds: u64,
    },
    /// The connection drops without an answer; the request has no effect.
    Reset,
    /// The request takes effect, the answer is this status.
    CommitThenStatus {
        /// HTTP status, 400 to 599.
        status: u16,
    },
    /// The request takes effect, then the connection drops without an answer.
    CommitThenReset,
}

/// One fault rule.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// The side it applies to; absent: all.
    #[serde(default)]
    pub side: Option<Side>,
    /// The operation it applies to; absent: all.
    #[serde(default)]
    pub operation: Option<Operation>,
    /// What happens.
    pub effect: Effect,
    /// Share of the matching requests that are hit, 0 to 1.
    #[serde(default = "certain")]
    pub probability: f64,
    /// How many requests it still hits before it is used up; absent: until it is removed.
    #[serde(default)]
    pub times: Option<u64>,
}

fn certain() -> f64 {
    1.0
}

impl Rule {
    /// A rule that hits every request of `operation` on `side` until it is removed.
    pub fn new(side: Side, operation: Operation, effect: Effect) -> Self {
        Self {
            side: Some(side),
            operation: Some(operation),
            effect,
            probability: 1.0,
            times: None,
        }
    }

    /// The same rule, used up after `times` hits.
    #[must_use]
    pub fn times(mut self, times: u64) -> Self {
        self.times = Some(times);
        self
    }

    /// The same rule, hitting only this share of the matching requests.
    #[must_use]
    pub fn probability(mut self, probability: f64) -> Self {
        self.probability = probability;
        self
    }

    /// Why the rule cannot be taken, if it cannot: a probability outside 0 to 1 or a status that is no error status.
    pub fn problem(&self) -> Option<String> {
        if !(0.0..=1.0).contains(&self.probability) {
            return Some(format!("probability: {} is not between 0 and 1", self.probability));
        }
        match self.effect {
            Effect::Status { status } | Effect::CommitThenStatus { status } if !(400..600).contains(&status) => {
                Some(format!("effect.status: {status} is not between 400 and 599"))
            }
            _ => None,
        }
    }

    fn matches(&self, side: Side, operation: Operation) -> bool {
        self.side.is_none_or(|wanted| wanted == side) && self.operation.is_none_or(|wanted| wanted == operation)
    }
}

/// A rule with its id and how often it has hit.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ListedRule {
    /// The id [`Faults::add`] returned.
    pub id: u64,
    /// Requests hit so far.
    pub hits: u64,
    /// The rule; `times` counts down.
    #[serde(flatten)]
    pub rule: Rule,
}

struct State {
    rules: Vec<ListedRule>,
    next_id: u64,
    random: SmallRng,
}

/// All fault rules and added latencies of one sandbox. Shared by both products.
pub struct Faults {
    state: Mutex<State>,
    /// Lets requests skip the lock while there is no rule.
    any: AtomicBool,
    latency_micros: [AtomicU64; Side::ALL.len()],
}

impl Faults {
    /// No rules and no latency; `seed` fixes the dice.
    pub fn new(seed: u64) -> Self {
        Self {
            state: Mutex::new(State {
                rules: Vec::new(),
                next_id: 1,
                random: SmallRng::seed_from_u64(seed),
            }),
            any: AtomicBool::new(false),
            latency_micros: Default::default(),
        }
    }

    /// Adds a rule behind those there are and returns its id. [`Rule::problem`] says beforehand whether it makes sense.
    pub fn add(&self, rule: Rule) -> u64 {
        let mut state = self.state.lock();
        let id = state.next_id;
        state.next_id += 1;
        state.rules.push(ListedRule { id, hits: 0, rule });
        self.any.store(true, Ordering::Release);
        id
    }

    /// Removes a rule; false if there is none of that id (any more).
    pub fn remove(&self, id: u64) -> bool {
        let mut state = self.state.lock();
        let before = state.rules.len();
        state.rules.retain(|listed| listed.id != id);
        self.any.store(!state.rules.is_empty(), Ordering::Release);
        state.rules.len() != before
    }

    /// Removes every rule. Latencies stay.
    pub fn clear(&self) {
        self.state.lock().rules.clear();
        self.any.store(false, Ordering::Release);
    }

    /// The rules in force, in the order they are looked at. Used-up rules are gone.
    pub fn list(&self) -> Vec<ListedRule> {
        self.state.lock().rules.clone()
    }

    /// What shall happen to one request. Counts as a hit: call it once per request.
    pub fn decide(&self, side: Side, operation: Operation) -> Option<Effect> {
        if !self.any.load(Ordering::Acquire) {
            return None;
        }
        let mut state = self.state.lock();
        let State { rules, random, .. } = &mut *state;
        let index = rules.iter().position(|listed| {
            listed.rule.matches(side, operation)
                && listed.rule.times != Some(0)
                && (listed.rule.probability >= 1.0 || random.random_bool(listed.rule.probability.clamp(0.0, 1.0)))
        })?;
        let listed = &mut rules[index];
        listed.hits += 1;
        let effect = listed.rule.effect.clone();
        if let Some(times) = &mut listed.rule.times {
            *times -= 1;
            if *times == 0 {
                rules.remove(index);
                self.any.store(!rules.is_empty(), Ordering::Release);
            }
        }
        Some(effect)
    }

    /// Sets the time every request of a side waits before it is handled.
    pub fn set_latency(&self, side: Side, latency: Duration) {
        let micros = u64::try_from(latency.as_micros()).unwrap_or(u64::MAX);
        self.latency_micros[side as usize].store(micros, Ordering::Relaxed);
    }

    /// The time every request of a side waits before it is handled.
    pub fn latency(&self, side: Side) -> Duration {
        Duration::from_micros(self.latency_micros[side as usize].load(Ordering::Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_matching_rule_applies_until_used_up() {
        let faults = Faults::new(1);
        faults.add(Rule::new(Side::Dynamics, Operation::Get, Effect::Reset).times(1));
        faults.add(Rule::new(
            Side::Dynamics,
            Operation::Get,
            Effect::Status { status: 503 },
        ));
        assert_eq!(faults.decide(Side::Dynamics, Operation::List), None);
        assert_eq!(faults.decide(Side::Dynamics, Operation::Get), Some(Effect::Reset));
        assert_eq!(
            faults.decide(Side::Dynamics, Operation::Get),
            Some(Effect::Status { status: 503 })
        );
        assert_eq!(faults.list().len(), 1, "the used-up rule is gone");
    }

    #[test]
    fn same_seed_gives_the_same_dice() {
        let hits = |seed| {
            let faults = Faults::new(seed);
            faults.add(Rule::new(Side::Ims, Operation::Token, Effect::Reset).probability(0.5));
            (0..64)
                .map(|_| faults.decide(Side::Ims, Operation::Token).is_some())
                .collect::<Vec<_>>()
        };
        assert_eq!(hits(7), hits(7));
        assert_ne!(hits(7), hits(8));
        assert!(hits(7).contains(&true) && hits(7).contains(&false));
    }

    #[test]
    fn rule_without_side_and_operation_hits_everything() {
        let faults = Faults::new(1);
        let rule: Rule = serde_json::from_str(r#"{"effect":{"kind":"throttle","retry_after_seconds":9}}"#).unwrap();
        let id = faults.add(rule);
        assert_eq!(
            faults.decide(Side::Campaign, Operation::Create),
            Some(Effect::Throttle { retry_after_seconds: 9 })
        );
        assert!(faults.remove(id));
        assert_eq!(faults.decide(Side::Campaign, Operation::Create), None);
    }

    #[test]
    fn unknown_field_in_a_rule_is_refused_by_name() {
        let error = serde_json::from_str::<Rule>(r#"{"effect":{"kind":"reset"},"chance":1}"#).unwrap_err();
        assert!(error.to_string().contains("chance"), "{error}");
    }

    #[test]
    fn impossible_probability_and_status_are_problems() {
        let rule = Rule::new(Side::Ims, Operation::Token, Effect::Status { status: 200 });
        assert!(rule.problem().unwrap().starts_with("effect.status"));
        let rule = Rule::new(Side::Ims, Operation::Token, Effect::Reset).probability(1.5);
        assert!(rule.problem().unwrap().starts_with("probability"));
    }

    #[test]
    fn latency_is_kept_per_side() {
        let faults = Faults::new(1);
        faults.set_latency(Side::Campaign, Duration::from_millis(20));
        assert_eq!(faults.latency(Side::Campaign), Duration::from_millis(20));
        assert_eq!(faults.latency(Side::Dynamics), Duration::ZERO);
    }
}
