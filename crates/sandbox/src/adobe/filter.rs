//! Filters: what can follow a resource in the path of a list, and the conditions it sets (contracts/campaign.md §3.4).

use super::definition::{Definition, FieldId};

/// Filters whose names do not begin with `by`.
const WITHOUT_PREFIX: [&str; 6] = [
    "birthday",
    "hasClickedDelivery",
    "hasOpenedDelivery",
    "hasReceivedDelivery",
    "profile",
    "subscribers",
];

/// The parameters of `birthday`, in the order of its description.
const BIRTHDAY_PARAMETERS: [(&str, ParameterKind); 12] = [
    ("type", ParameterKind::Text),
    ("precision", ParameterKind::Text),
    ("operator", ParameterKind::Text),
    ("day", ParameterKind::Number),
    ("month", ParameterKind::Number),
    ("includeStart", ParameterKind::Boolean),
    ("endDay", ParameterKind::Number),
    ("endMonth", ParameterKind::Number),
    ("includeEnd", ParameterKind::Boolean),
    ("relativeValue", ParameterKind::Text),
    ("nextUnitsValue", ParameterKind::Number),
    ("previousUnitsValue", ParameterKind::Number),
];

/// Whether a path segment can only be meant as a filter that customers declare.
pub(super) fn looks_like_filter(segment: &str) -> bool {
    segment
        .strip_prefix("by")
        .is_some_and(|rest| rest.starts_with(|first: char| first.is_ascii_uppercase()))
}

/// Whether a path segment is the name of a filter, for all that can be told without the resource.
pub(super) fn is_filter_name(segment: &str) -> bool {
    looks_like_filter(segment) || WITHOUT_PREFIX.contains(&segment)
}

/// What a parameter of a filter takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ParameterKind {
    Text,
    Number,
    Boolean,
    Date,
    Enumeration,
    /// The PKey of a row of this resource.
    Link(&'static str),
}

/// What a filter compares. Every condition names the parameters it takes.
#[derive(Debug, Clone)]
pub(super) enum Condition {
    /// The field reads exactly as the parameter.
    Equals { field: FieldId, parameter: &'static str },
    /// The field named by `filterType`, or else one of these, begins with the parameter; case counts.
    StartsWith {
        fields: Vec<FieldId>,
        parameter: &'static str,
    },
    /// The row was modified at or after the parameter.
    ModifiedSince { parameter: &'static str },
    /// The row is the one the parameter is the key of.
    Row { parameter: &'static str },
    /// A row of `through` joins the row with the one of `target` the parameter is the key of.
    Joined {
        parameter: &'static str,
        target: &'static str,
        through: &'static str,
        /// Field of `through` that links to `target`.
        link: &'static str,
        /// Field of `through` that links to the row itself.
        back: &'static str,
    },
    /// The date falls on days of the year that the parameters of `birthday` describe.
    Birthday { field: FieldId },
    /// The period between two dates has a day in common with the one between the parameters. A missing end is open.
    Overlaps {
        start: FieldId,
        end: FieldId,
        from: &'static str,
        to: &'static str,
    },
    /// Nothing: it asks for data that is never there, such as deliveries.
    Nothing,
}

impl Condition {
    /// The same condition on the fields of another definition; `None` if a field is not there.
    fn remapped(&self, map: impl Fn(FieldId) -> Option<FieldId>) -> Option<Self> {
        let mut condition = self.clone();
        match &mut condition {
            Self::Equals { field, .. } | Self::Birthday { field } => *field = map(*field)?,
            Self::StartsWith { fields, .. } => *fields = fields.iter().filter_map(|&field| map(field)).collect(),
            Self::Overlaps { start, end, .. } => (*start, *end) = (map(*start)?, map(*end)?),
            Self::ModifiedSince { .. } | Self::Row { .. } | Self::Joined { .. } | Self::Nothing => {}
        }
        Some(condition)
    }
}

/// A filter of a resource.
#[derive(Debug, Clone)]
pub(super) struct Filter {
    pub(super) name: &'static str,
    pub(super) label: &'static str,
    pub(super) parameters: Vec<(&'static str, ParameterKind)>,
    /// All of them must hold.
    pub(super) conditions: Vec<Condition>,
    /// Declared by the customer, hence not on the core endpoint.
    pub(super) custom: bool,
}

impl Filter {
    /// A filter of the product.
    fn own(
        (name, label): (&'static str, &'static str),
        parameters: &[(&'static str, ParameterKind)],
        condition: Condition,
    ) -> Self {
        Self {
            name,
            label,
            parameters: parameters.to_vec(),
            conditions: vec![condition],
            custom: false,
        }
    }

    /// A filter that compares fields with parameters.
    pub(super) fn equals(
        (name, label): (&'static str, &'static str),
        comparisons: &[(FieldId, &'static str)],
        kind: ParameterKind,
    ) -> Self {
        Self {
            name,
            label,
            parameters: comparisons.iter().map(|&(_, parameter)| (parameter, kind)).collect(),
            conditions: comparisons
                .iter()
                .map(|&(field, parameter)| Condition::Equals { field, parameter })
                .collect(),
            custom: false,
        }
    }

    /// `byText` over these fields.
    pub(super) fn by_text(label: &'static str, fields: Vec<FieldId>) -> Self {
        let parameter = "text";
        Self::own(
            ("byText", label),
            &[(parameter, ParameterKind::Text)],
            Condition::StartsWith { fields, parameter },
        )
    }

    /// Rows modified since the parameter.
    pub(super) fn modified_since(name: &'static str, label: &'static str, parameter: &'static str) -> Self {
        Self::own(
            (name, label),
            &[(parameter, ParameterKind::Date)],
            Condition::ModifiedSince { parameter },
        )
    }

    /// The row whose key is the parameter of the filter's own name.
    pub(super) fn row(name: &'static str, label: &'static str) -> Self {
        let condition = Condition::Row { parameter: name };
        Self::own((name, label), &[(name, ParameterKind::Link(name))], condition)
    }

    /// `subscribers`: those who have a subscription to a service.
    pub(super) fn subscribers() -> Self {
        let condition = Condition::Joined {
            parameter: "service",
            target: "service",
            through: "subscriptionRcp",
            link: "service",
            back: "subscriber",
        };
        Self::own(
            ("subscribers", "Subscribers"),
            &[("service", ParameterKind::Link("service"))],
            condition,
        )
    }

    /// `birthday` on a date.
    pub(super) fn birthday(field: FieldId) -> Self {
        Self::own(
            ("birthday", "Birthday"),
            &BIRTHDAY_PARAMETERS,
            Condition::Birthday { field },
        )
    }

    /// `byPlanning`: what is available in a period.
    pub(super) fn by_planning(start: FieldId, end: FieldId) -> Self {
        let (from, to) = ("startDate", "endDate");
        Self::own(
            ("byPlanning", "Available during the given period"),
            &[(from, ParameterKind::Date), (to, ParameterKind::Date)],
            Condition::Overlaps { start, end, from, to },
        )
    }

    /// A filter by rows of a resource that the sandbox never has any of.
    pub(super) fn nothing(name: &'static str, label: &'static str, parameter: &'static str) -> Self {
        let kind = ParameterKind::Link(parameter);
        Self::own((name, label), &[(parameter, kind)], Condition::Nothing)
    }

    /// The same filter, declared by the customer.
    pub(super) fn custom(mut self) -> Self {
        self.custom = true;
        self
    }

    /// The same filter for another definition of the resource; `None` if a field it compares has gone.
    pub(super) fn remapped(&self, old: &Definition, new: &Definition) -> Option<Self> {
        let map = |field: FieldId| new.id(old.field(field).name);
        let conditions: Option<Vec<Condition>> = self
            .conditions
            .iter()
            .map(|condition| condition.remapped(map))
            .collect();
        Some(Self {
            conditions: conditions?,
            ..self.clone()
        })
    }
}
