//! Bulk messages on the rows of one table (contracts/dataverse.md §5.6). All tables of the sandbox are standard tables: a
//! call takes effect as a whole or not at all, and an error does not say which row it is about.

use std::collections::HashSet;

use axum::response::Response;
use http::StatusCode;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::errors::{ApiError, json_response};
use super::keys::{RowKey, parse_reference};
use super::literal::parse_guid;
use super::request::ApiRequest;
use super::schema::TableDefinition;
use super::validate::cannot_convert;
use super::write::{Writing, no_content};

/// In front of the name of every action, and of every type.
const NAMESPACE: &str = "Microsoft.Dynamics.CRM.";
/// Code of a row that is there already.
const DUPLICATE: &str = "0x80040237";

type Target = Map<String, Value>;

/// A message on many rows of one table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BulkMessage {
    /// `CreateMultiple`: new rows.
    Create,
    /// `UpdateMultiple`: changes of rows.
    Update,
    /// `UpsertMultiple`: changes of rows, or new ones.
    Upsert,
    /// `DeleteMultiple`: removals; for elastic tables only.
    Delete,
}

impl BulkMessage {
    /// All of them.
    pub(crate) const ALL: [Self; 4] = [Self::Create, Self::Update, Self::Upsert, Self::Delete];

    /// The name, without the namespace.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Create => "CreateMultiple",
            Self::Update => "UpdateMultiple",
            Self::Upsert => "UpsertMultiple",
            Self::Delete => "DeleteMultiple",
        }
    }

    /// The message a URL segment calls: bound actions are called by their full name.
    pub(crate) fn of_segment(segment: &str) -> Option<Self> {
        let name = segment.strip_prefix(NAMESPACE)?;
        Self::ALL.into_iter().find(|message| message.name() == name)
    }

    /// Whether a table has the message: those whose rows clients make and change have all but the last. UpsertMultiple
    /// is there where both of the others are.
    pub(crate) fn is_available(self, table: &TableDefinition) -> bool {
        self != Self::Delete && table.capabilities.create && table.capabilities.update
    }
}

/// `POST /contacts/Microsoft.Dynamics.CRM.<message>`.
pub(crate) fn run(message: BulkMessage, request: &ApiRequest, writing: &mut Writing<'_>) -> Result<Response, ApiError> {
    let definition = writing.definition();
    if message == BulkMessage::Delete {
        return Err(ApiError::not_implemented(
            "DeleteMultiple has not yet been implemented.",
        ));
    }
    if !message.is_available(&definition) {
        return Err(ApiError::unsupported_message(message.name(), &definition));
    }
    let targets = targets(message, request, writing)?;
    match message {
        BulkMessage::Create => {
            let ids = writing.all_or_nothing(|writing| create_all(writing, &targets))?;
            let body = json!({
                "@odata.context": request.context("Microsoft.Dynamics.CRM.CreateMultipleResponse"),
                "Ids": ids,
            });
            return Ok(json_response(StatusCode::OK, &body));
        }
        BulkMessage::Update => writing.all_or_nothing(|writing| update_all(writing, &targets))?,
        _ => writing.all_or_nothing(|writing| upsert_all(writing, targets))?,
    }
    Ok(no_content())
}

/// Each target makes a row, also if it looks like another. Ids are in the order of the targets.
fn create_all(writing: &mut Writing<'_>, targets: &[Target]) -> Result<Vec<Uuid>, ApiError> {
    targets
        .iter()
        .map(|target| writing.create(target).map_err(of_many))
        .collect()
}

/// Rows are named by their primary id. Of targets with the same id the first counts, the others are passed over.
fn update_all(writing: &mut Writing<'_>, targets: &[Target]) -> Result<(), ApiError> {
    let definition = writing.definition();
    let mut named = HashSet::new();
    let mut changes = Vec::with_capacity(targets.len());
    for target in targets {
        let id = primary_id(&definition, target)?.ok_or_else(|| {
            invalid_argument(format!(
                "Every target of UpdateMultiple must have its primary key '{}'; alternate keys are not supported.",
                definition.primary_id().logical_name
            ))
        })?;
        if named.insert(id) {
            changes.push((id, target));
        }
    }
    let table = writing.organization.table(writing.table);
    let missing: Vec<Uuid> = changes
        .iter()
        .map(|(id, _)| *id)
        .filter(|id| table.row(*id).is_none())
        .collect();
    if !missing.is_empty() {
        return Err(rows_not_found(&definition, &missing));
    }
    changes
        .into_iter()
        .try_for_each(|(id, target)| writing.update(id, target).map_err(of_many))
}

/// Rows are named by their primary id, or by `@odata.id` with any key. Two targets for one row are refused.
fn upsert_all(writing: &mut Writing<'_>, targets: Vec<Target>) -> Result<(), ApiError> {
    let mut written = HashSet::new();
    for target in targets {
        let key = upsert_key(writing, &target)?;
        if key
            .find(writing.organization, writing.table)
            .is_some_and(|id| written.contains(&id))
        {
            return Err(of_many(ApiError::duplicate()));
        }
        written.insert(writing.upsert(&key, target).map_err(of_many)?);
    }
    Ok(())
}

fn upsert_key(writing: &Writing<'_>, target: &Target) -> Result<RowKey, ApiError> {
    let definition = writing.definition();
    if let Some(reference) = target.get("@odata.id") {
        let reference = reference
            .as_str()
            .ok_or_else(|| cannot_convert(&definition, reference, "Edm.String"))?;
        let (table, key) = parse_reference(writing.organization, reference)?;
        if table != writing.table {
            return Err(other_table(&definition, reference));
        }
        return Ok(key);
    }
    let id = primary_id(&definition, target)?.ok_or_else(|| {
        invalid_argument(format!(
            "Every target of UpsertMultiple must have its primary key '{}' or '@odata.id' with an alternate key.",
            definition.primary_id().logical_name
        ))
    })?;
    Ok(RowKey::Id(id))
}

fn primary_id(table: &TableDefinition, target: &Target) -> Result<Option<Uuid>, ApiError> {
    let Some(value) = target.get(&table.primary_id().logical_name) else {
        return Ok(None);
    };
    let id = value.as_str().and_then(parse_guid);
    id.map(Some).ok_or_else(|| cannot_convert(table, value, "Edm.Guid"))
}

/// The targets in the body, each with the type of the table it is sent to.
fn targets(message: BulkMessage, request: &ApiRequest, writing: &Writing<'_>) -> Result<Vec<Target>, ApiError> {
    let definition = writing.definition();
    let set = &definition.entity_set_name;
    let refused = |text: String| ApiError::payload(set, &format!("Microsoft.OData.ODataException: {text}"));
    let mut body = request.json(set)?;
    let Some(Value::Array(values)) = body.remove("Targets") else {
        return Err(refused(format!(
            "The parameter 'Targets' of the operation '{}' must be a collection.",
            message.name()
        )));
    };
    if let Some(unknown) = body.keys().find(|name| !name.contains('@')) {
        return Err(refused(format!(
            "The parameter '{unknown}' in the request payload is not a valid parameter for the operation '{}'.",
            message.name()
        )));
    }
    if values.is_empty() {
        return Err(invalid_argument(format!(
            "The parameter 'Targets' of the operation '{}' must not be empty.",
            message.name()
        )));
    }
    let mut targets = Vec::with_capacity(values.len());
    for value in values {
        let Value::Object(target) = value else {
            return Err(refused(format!(
                "A row was expected in 'Targets', but '{value}' was found."
            )));
        };
        check_type(writing, &definition, &target)?;
        targets.push(target);
    }
    Ok(targets)
}

/// `@odata.type` must be there, and be that of the table: the parameter itself is of an abstract type.
fn check_type(writing: &Writing<'_>, table: &TableDefinition, target: &Target) -> Result<(), ApiError> {
    let refused = |text: String| {
        ApiError::payload(
            &table.entity_set_name,
            &format!("Microsoft.OData.ODataException: {text}"),
        )
    };
    let Some(named) = target.get("@odata.type") else {
        return Err(refused(
            "An instance of the abstract type 'Microsoft.Dynamics.CRM.crmbaseentity' cannot be made. Every row in \
             'Targets' must have the annotation '@odata.type'."
                .to_owned(),
        ));
    };
    let text = named.as_str().unwrap_or_default();
    let name = text.strip_prefix('#').unwrap_or(text).strip_prefix(NAMESPACE);
    match name {
        Some(name) if name == table.logical_name => Ok(()),
        Some(name) if writing.organization.table_named(name).is_some() => Err(other_table(table, name)),
        _ => Err(refused(format!(
            "A type named {named} could not be resolved by the model. When a model is available, each type name must \
             resolve to a valid type."
        ))),
    }
}

fn other_table(table: &TableDefinition, found: &str) -> ApiError {
    invalid_argument(format!(
        "All rows in 'Targets' must be of the entity '{}', but '{found}' was found.",
        table.logical_name
    ))
}

fn invalid_argument(text: String) -> ApiError {
    ApiError::new(StatusCode::BAD_REQUEST, "0x80040203", text)
}

fn rows_not_found(table: &TableDefinition, ids: &[Uuid]) -> ApiError {
    let ids: Vec<String> = ids.iter().map(Uuid::to_string).collect();
    let text = format!("{} With Ids = {} Do Not Exist", table.schema_name, ids.join(", "));
    ApiError::new(StatusCode::NOT_FOUND, "0x80040217", text)
}

/// The error of one row as bulk messages word it.
fn of_many(mut error: ApiError) -> ApiError {
    if error.code == DUPLICATE {
        "Cannot insert duplicate key.".clone_into(&mut error.message);
    }
    error
}
