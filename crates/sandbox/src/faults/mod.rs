//! Fault rules: what a caller asks the sandbox to do wrong, and how often.
//!
//! Rules are looked at in the order they were added; the first that matches and whose dice fall applies. Rolls come from
//! a seeded generator, so that the same calls in the same order meet the same faults.

mod rule;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use rand::SeedableRng;
use rand::rngs::SmallRng;
use serde::Serialize;

pub use self::rule::{Effect, Operation, Rule, Side};

/// A rule with its id and how often it has hit.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ListedRule {
    /// The id [`Faults::add`] returned.
    pub id: u64,
    /// Requests hit so far.
    pub hits: u64,
    /// The rule; `times` and `after` count down.
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
        let index = rules
            .iter_mut()
            .position(|listed| listed.rule.hits(side, operation, random))?;
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
    fn a_rule_spares_the_first_matching_requests_and_leaves_them_to_later_rules() {
        let faults = Faults::new(1);
        faults.add(
            Rule::new(Side::Dynamics, Operation::List, Effect::Reset)
                .after(2)
                .times(1),
        );
        let slow = Effect::Slow { milliseconds: 1 };
        faults.add(Rule::new(Side::Dynamics, Operation::List, slow.clone()).times(1));
        assert_eq!(faults.decide(Side::Dynamics, Operation::Get), None);
        let met: Vec<_> = (0..4).map(|_| faults.decide(Side::Dynamics, Operation::List)).collect();
        assert_eq!(met, [Some(slow), None, Some(Effect::Reset), None]);
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
    fn latency_is_kept_per_side() {
        let faults = Faults::new(1);
        faults.set_latency(Side::Campaign, Duration::from_millis(20));
        assert_eq!(faults.latency(Side::Campaign), Duration::from_millis(20));
        assert_eq!(faults.latency(Side::Dynamics), Duration::ZERO);
    }
}
