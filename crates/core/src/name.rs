//! Names: the ids people choose, and the resource names the API and the control log use (design §9).

use std::{fmt, str::FromStr};

/// A name that does not follow its rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// The id breaks the pattern of ids.
    #[error("`{0}` is not a valid id: 1 to {max} characters, lower-case letters, digits and hyphens, starting with a letter and not ending with a hyphen", max = ID_MAX_LENGTH)]
    InvalidId(String),
    /// No workflow has this id.
    #[error("`{0}` is not a workflow: there are `ingress`, `egress` and `opt-in-out`")]
    UnknownWorkflow(String),
    /// The resource name has no known form.
    #[error("`{0}` is not a resource name")]
    UnknownForm(String),
}

/// The longest id, in characters. Kafka allows topic names of 249 characters and ours hold two ids.
pub const ID_MAX_LENGTH: usize = 40;

fn check_id(id: &str) -> Result<(), NameError> {
    let bytes = id.as_bytes();
    let pattern = (1..=ID_MAX_LENGTH).contains(&bytes.len())
        && bytes[0].is_ascii_lowercase()
        && bytes[bytes.len() - 1] != b'-'
        && bytes
            .iter()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || *byte == b'-');
    if pattern {
        Ok(())
    } else {
        Err(NameError::InvalidId(id.chars().take(80).collect()))
    }
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Box<str>);

        impl $name {
            /// The id as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = NameError;

            fn from_str(text: &str) -> Result<Self, NameError> {
                check_id(text).map(|()| Self(text.into()))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(&self.0)
            }
        }
    };
}

id! {
    /// The id of an instance: one Dynamics environment paired with one Campaign instance, e.g. `prod`.
    InstanceId
}
id! {
    /// The id of a table mapping, unique in its workflow, e.g. `contact`.
    MappingId
}

/// One of the three workflows every instance has (design §1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum WorkflowId {
    /// Dynamics 365 to Campaign: contacts and custom tables.
    Ingress,
    /// Campaign to Dynamics 365: email events.
    Egress,
    /// Opt-out flags, in one direction, the other, or both.
    OptInOut,
}

impl WorkflowId {
    /// All of them, in the order they are shown.
    pub const ALL: [Self; 3] = [Self::Ingress, Self::Egress, Self::OptInOut];

    /// The id in names and topics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ingress => "ingress",
            Self::Egress => "egress",
            Self::OptInOut => "opt-in-out",
        }
    }

    /// What the position of a table's read is kept under, e.g. `ingress/contact`.
    #[must_use]
    pub fn unit(self, table: &str) -> String {
        format!("{self}/{table}")
    }

    /// The name on the screen.
    #[must_use]
    pub const fn display_name(self) -> &'static str {
        match self {
            Self::Ingress => "Microsoft Dynamics 365 to Campaign",
            Self::Egress => "Campaign to Microsoft Dynamics 365",
            Self::OptInOut => "Opt-In/Out",
        }
    }
}

impl fmt::Display for WorkflowId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl FromStr for WorkflowId {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        Self::ALL
            .into_iter()
            .find(|id| id.as_str() == text)
            .ok_or_else(|| NameError::UnknownWorkflow(text.chars().take(80).collect()))
    }
}

/// A workflow of an instance: `instances/{instance}/workflows/{workflow}`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WorkflowName {
    /// The instance it belongs to.
    pub instance: InstanceId,
    /// Which of the three.
    pub workflow: WorkflowId,
}

impl fmt::Display for WorkflowName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "instances/{}/workflows/{}", self.instance, self.workflow)
    }
}

/// The name of a resource in the control log.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ResourceName {
    /// `instances/{instance}`.
    Instance(InstanceId),
    /// `instances/{instance}/workflows/{workflow}`.
    Workflow(WorkflowName),
    /// `instances/{instance}/workflows/ingress/mappings/{mapping}`.
    Mapping {
        /// The instance it belongs to.
        instance: InstanceId,
        /// Its id.
        mapping: MappingId,
    },
    /// `instances/{instance}/workflows/{workflow}/deadLetters`: the dead letters of a workflow, taken together.
    DeadLetters(WorkflowName),
}

impl ResourceName {
    /// The instance the resource is, or belongs to.
    #[must_use]
    pub const fn instance(&self) -> &InstanceId {
        match self {
            Self::Instance(instance) | Self::Mapping { instance, .. } => instance,
            Self::Workflow(name) | Self::DeadLetters(name) => &name.instance,
        }
    }
}

impl fmt::Display for ResourceName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Instance(instance) => write!(formatter, "instances/{instance}"),
            Self::Workflow(name) => name.fmt(formatter),
            Self::Mapping { instance, mapping } => {
                write!(formatter, "instances/{instance}/workflows/ingress/mappings/{mapping}")
            }
            Self::DeadLetters(name) => write!(formatter, "{name}/deadLetters"),
        }
    }
}

impl FromStr for ResourceName {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let segments: Vec<&str> = text.split('/').collect();
        match segments.as_slice() {
            ["instances", instance] => Ok(Self::Instance(instance.parse()?)),
            ["instances", instance, "workflows", workflow] => Ok(Self::Workflow(WorkflowName {
                instance: instance.parse()?,
                workflow: workflow.parse()?,
            })),
            ["instances", instance, "workflows", "ingress", "mappings", mapping] => Ok(Self::Mapping {
                instance: instance.parse()?,
                mapping: mapping.parse()?,
            }),
            ["instances", instance, "workflows", workflow, "deadLetters"] => Ok(Self::DeadLetters(WorkflowName {
                instance: instance.parse()?,
                workflow: workflow.parse()?,
            })),
            _ => Err(NameError::UnknownForm(text.chars().take(200).collect())),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn ids_outside_the_pattern_are_refused() {
        for id in [
            "",
            "A",
            "1a",
            "-a",
            "a-",
            "a_b",
            "a.b",
            "ä",
            "a/b",
            &"a".repeat(ID_MAX_LENGTH + 1),
        ] {
            assert!(id.parse::<InstanceId>().is_err(), "{id} should be refused");
        }
    }

    #[test]
    fn names_of_unknown_form_are_refused() {
        for name in [
            "",
            "instances",
            "instances/",
            "instances/a/b",
            "instances/a/workflows/egress/mappings/m",
            "x/a",
        ] {
            assert!(name.parse::<ResourceName>().is_err(), "{name} should be refused");
        }
    }

    proptest! {
        #[test]
        fn a_resource_name_reads_back_as_written(
            instance in "[a-z]([a-z0-9-]{0,20}[a-z0-9])?",
            mapping in "[a-z]([a-z0-9-]{0,20}[a-z0-9])?",
            form in 0..4,
        ) {
            let instance: InstanceId = instance.parse().unwrap();
            let name = match form {
                0 => ResourceName::Instance(instance),
                1 => ResourceName::Workflow(WorkflowName { instance, workflow: WorkflowId::OptInOut }),
                2 => ResourceName::DeadLetters(WorkflowName { instance, workflow: WorkflowId::Ingress }),
                _ => ResourceName::Mapping { instance, mapping: mapping.parse().unwrap() },
            };
            prop_assert_eq!(name.to_string().parse::<ResourceName>().unwrap(), name);
        }
    }
}
