//! Resource names: `instances/{instance}`, `…/workflows/{workflow}`, `…/workflows/ingress/mappings/{mapping}`.

use std::fmt;

use crate::{arguments::WorkflowId, failure::Failure};

/// The name of an instance, from which those of its parts derive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct InstanceName(String);

impl InstanceName {
    /// The name of the instance with this id.
    pub(crate) fn new(id: &str) -> Self {
        Self(format!("instances/{id}"))
    }

    /// The name of one of its workflows.
    pub(crate) fn workflow(&self, id: WorkflowId) -> String {
        format!("{self}/workflows/{}", id.as_str())
    }

    /// The name of one of its mappings.
    pub(crate) fn mapping(&self, id: &str) -> String {
        format!("{}/mappings/{id}", self.workflow(WorkflowId::Ingress))
    }

    /// The id of the mapping with this name, which must be one of this instance.
    ///
    /// # Errors
    /// [`Failure::Usage`] if it is a name of something else.
    pub(crate) fn mapping_id<'name>(&self, name: &'name str) -> Result<&'name str, Failure> {
        name.strip_prefix(&self.mapping("")).filter(|id| !id.is_empty() && !id.contains('/')).ok_or_else(|| {
            Failure::Usage(format!(
                "the file's name `{name}` is no mapping of {self}; choose the instance with --instance, or say with --id \
                 that the file is a template"
            ))
        })
    }
}

impl fmt::Display for InstanceName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl From<&InstanceName> for String {
    fn from(name: &InstanceName) -> Self {
        name.0.clone()
    }
}

/// The id at the end of a resource name.
pub(crate) fn id_of(name: &str) -> &str {
    name.rsplit_once('/').map_or(name, |(_, id)| id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mapping_names_of_another_instance_are_refused() {
        let instance = InstanceName::new("stage");
        assert_eq!(
            instance
                .mapping_id("instances/stage/workflows/ingress/mappings/contact")
                .expect("is one of stage"),
            "contact"
        );
        for name in [
            "instances/prod/workflows/ingress/mappings/contact",
            "instances/stage/workflows/egress/mappings/contact",
            "instances/stage/workflows/ingress/mappings/",
            "instances/stage/workflows/ingress/mappings/a/b",
            "contact",
        ] {
            assert!(instance.mapping_id(name).is_err(), "`{name}` was accepted");
        }
    }
}
