//! Resource names and ids in requests.

use std::str::FromStr;

use crosswalk_core::{InstanceId, MappingId, NameError, ResourceName, WorkflowId, WorkflowName};

use crate::error::ApiError;

const REASON: &str = "NAME_INVALID";

/// `instances/{instance}`.
pub(crate) fn instance_name(field: &str, text: &str) -> Result<InstanceId, ApiError> {
    match resource(field, text, "instances/{instance}")? {
        ResourceName::Instance(instance) => Ok(instance),
        _ => Err(wrong_form(field, "instances/{instance}")),
    }
}

/// `instances/{instance}/workflows/{workflow}`.
pub(crate) fn workflow_name(field: &str, text: &str) -> Result<WorkflowName, ApiError> {
    match resource(field, text, "instances/{instance}/workflows/{workflow}")? {
        ResourceName::Workflow(name) => Ok(name),
        _ => Err(wrong_form(field, "instances/{instance}/workflows/{workflow}")),
    }
}

/// `instances/{instance}/workflows/ingress`: the only workflow with mappings.
pub(crate) fn ingress_of(field: &str, text: &str) -> Result<InstanceId, ApiError> {
    let name = workflow_name(field, text)?;
    if name.workflow == WorkflowId::Ingress {
        Ok(name.instance)
    } else {
        Err(wrong_form(
            field,
            "instances/{instance}/workflows/ingress, the only workflow with mappings",
        ))
    }
}

/// `instances/{instance}/workflows/ingress/mappings/{mapping}`.
pub(crate) fn mapping_name(field: &str, text: &str) -> Result<(InstanceId, MappingId), ApiError> {
    const FORM: &str = "instances/{instance}/workflows/ingress/mappings/{mapping}";
    match resource(field, text, FORM)? {
        ResourceName::Mapping { instance, mapping } => Ok((instance, mapping)),
        _ => Err(wrong_form(field, FORM)),
    }
}

/// The id that an instance is to have.
pub(crate) fn instance_id(field: &str, text: &str) -> Result<InstanceId, ApiError> {
    id(field, text)
}

/// The id that a mapping is to have.
pub(crate) fn mapping_id(field: &str, text: &str) -> Result<MappingId, ApiError> {
    id(field, text)
}

fn id<T: FromStr<Err = NameError>>(field: &str, text: &str) -> Result<T, ApiError> {
    if text.is_empty() {
        return Err(ApiError::field(field, "REQUIRED", "must be set"));
    }
    text.parse()
        .map_err(|error: NameError| ApiError::field(field, "ID_INVALID", error.to_string()))
}

fn resource(field: &str, text: &str, form: &str) -> Result<ResourceName, ApiError> {
    text.parse().map_err(|error| match error {
        NameError::UnknownForm(_) => wrong_form(field, form),
        other => ApiError::field(field, REASON, other.to_string()),
    })
}

fn wrong_form(field: &str, form: &str) -> ApiError {
    ApiError::field(field, REASON, format!("must be {form}"))
}
