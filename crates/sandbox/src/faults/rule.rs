//! One fault rule: which requests it is about, what happens to them, how often.

use rand::Rng;
use rand::rngs::SmallRng;
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
    /// A message on many rows of one table.
    Bulk,
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
    /// The request reaches the service twice, as when a gateway repeats it; the answer is the second's. Dynamics only.
    DeliverTwice,
    /// The normal answer, in which every row of the page comes twice. Dynamics' lists and deltas only.
    RepeatRows,
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
    /// How many matching requests it still spares before it hits the first: the third page of a read, say.
    #[serde(default)]
    pub after: u64,
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
            after: 0,
        }
    }

    /// The same rule, sparing the first `after` matching requests.
    #[must_use]
    pub fn after(mut self, after: u64) -> Self {
        self.after = after;
        self
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

    /// Why the rule cannot be taken, if it cannot: a probability outside 0 to 1, a status that is no error status, or an
    /// effect where it would have none.
    pub fn problem(&self) -> Option<String> {
        if !(0.0..=1.0).contains(&self.probability) {
            return Some(format!("probability: {} is not between 0 and 1", self.probability));
        }
        match self.effect {
            Effect::Status { status } | Effect::CommitThenStatus { status } if !(400..600).contains(&status) => {
                Some(format!("effect.status: {status} is not between 400 and 599"))
            }
            Effect::DeliverTwice if self.side != Some(Side::Dynamics) => {
                Some("side: deliver_twice is for side dynamics only".to_owned())
            }
            Effect::RepeatRows
                if self.side != Some(Side::Dynamics)
                    || !matches!(self.operation, Some(Operation::List | Operation::Delta)) =>
            {
                Some("operation: repeat_rows is for operations list and delta of side dynamics only".to_owned())
            }
            _ => None,
        }
    }

    /// Whether the rule hits this request. A matching request counts as spared while there are requests to spare; dice
    /// are rolled for the others only.
    pub(super) fn hits(&mut self, side: Side, operation: Operation, random: &mut SmallRng) -> bool {
        let matches =
            self.side.is_none_or(|wanted| wanted == side) && self.operation.is_none_or(|wanted| wanted == operation);
        if !matches || self.times == Some(0) {
            return false;
        }
        if self.after > 0 {
            self.after -= 1;
            return false;
        }
        self.probability >= 1.0 || random.random_bool(self.probability.clamp(0.0, 1.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn effects_are_refused_where_they_would_have_none() {
        let everywhere: Rule = serde_json::from_str(r#"{"effect":{"kind":"deliver_twice"}}"#).unwrap();
        assert!(everywhere.problem().unwrap().starts_with("side"));
        let writes = Rule::new(Side::Dynamics, Operation::Create, Effect::RepeatRows);
        assert!(writes.problem().unwrap().starts_with("operation"));
        let twice = Rule::new(Side::Dynamics, Operation::Create, Effect::DeliverTwice);
        assert_eq!(twice.problem(), None);
        assert_eq!(
            Rule::new(Side::Dynamics, Operation::Delta, Effect::RepeatRows).problem(),
            None
        );
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
}
