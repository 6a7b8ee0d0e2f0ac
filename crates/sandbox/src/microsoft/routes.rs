//! Finds the handler of a request by its path segments and method: reads here, everything else in `changes`.

use axum::response::Response;
use http::{HeaderName, HeaderValue, Method, StatusCode};
use serde_json::json;

use super::changes::change;
use super::delta::DeltaToken;
use super::errors::{ApiError, JSON, bytes_response, json_response};
use super::keys::RowKey;
use super::messages::message_filters;
use super::paging::{PageCookie, Position};
use super::read::{COUNT_LIMIT, CollectionQuery, count_matching, parse_filter_option, single_row, single_value};
use super::request::ApiRequest;
use super::store::{Organization, Table};
use super::tracking::{DeltaPosition, check_tracked, count_changes, delta_page, initial_page};
use super::uri::{Segment, key_parts, unquote};
use super::{Dynamics, metadata, now, privilege_id};

/// Answers a request that has been let in: reads share the tables, everything else has them to itself.
pub(super) fn dispatch(dynamics: &Dynamics, request: &ApiRequest) -> Result<Response, ApiError> {
    match request.method {
        Method::GET => read(dynamics, request, &dynamics.organization.read()),
        _ => change(dynamics, request, &mut dynamics.organization.write()),
    }
}

fn read(dynamics: &Dynamics, request: &ApiRequest, organization: &Organization) -> Result<Response, ApiError> {
    match request.segments.as_slice() {
        [] => Ok(metadata::service_document(request, organization)),
        [Segment { name, key: None }] if name == "$metadata" => Ok(metadata::csdl(organization)),
        [Segment { name, .. }] if name == "WhoAmI" => Ok(who_am_i(dynamics, request)),
        [
            Segment {
                name,
                key: Some(arguments),
            },
        ] if name == "RetrieveTotalRecordCount" => total_record_count(request, organization, arguments),
        [first, rest @ ..] if first.name == "EntityDefinitions" => {
            metadata::entity_definitions(request, organization, first, rest)
        }
        [Segment { name, key: None }] if name == "GlobalOptionSetDefinitions" => Ok(no_global_option_sets(request)),
        [Segment { name, key: None }] if name == "sdkmessagefilters" => message_filters(request, organization),
        [Segment { name, key: None }] => collection(dynamics, request, organization, name),
        [Segment { name, key: None }, Segment { name: last, key: None }] if last == "$count" => {
            count(dynamics, request, organization, name)
        }
        [Segment { name, key: Some(key) }, rest @ ..] => row(dynamics, request, organization, (name, key), rest),
        [_, unknown, ..] => Err(ApiError::unknown_segment(&unknown.name)),
    }
}

/// Every option set of the sandbox belongs to its column.
fn no_global_option_sets(request: &ApiRequest) -> Response {
    let context = request.context("GlobalOptionSetDefinitions");
    json_response(StatusCode::OK, &json!({"@odata.context": context, "value": []}))
}

fn who_am_i(dynamics: &Dynamics, request: &ApiRequest) -> Response {
    let config = dynamics.config();
    let body = json!({
        "@odata.context": request.context("Microsoft.Dynamics.CRM.WhoAmIResponse"),
        "BusinessUnitId": config.business_unit_id,
        "UserId": request.caller.user,
        "OrganizationId": config.organization_id,
    });
    json_response(StatusCode::OK, &body)
}

/// `RetrieveTotalRecordCount(EntityNames=['contact'])`, or with a parameter alias.
fn total_record_count(
    request: &ApiRequest,
    organization: &Organization,
    arguments: &str,
) -> Result<Response, ApiError> {
    let argument = arguments.strip_prefix("EntityNames=").unwrap_or_default();
    let list = request
        .options
        .get(argument)
        .unwrap_or(argument)
        .trim_matches(['[', ']']);
    let mut keys = Vec::new();
    let mut values = Vec::new();
    for part in key_parts(list) {
        let name = unquote(&part.literal).unwrap_or_else(|| part.literal.trim_matches('"').to_owned());
        let table = organization.table_named(&name).ok_or_else(|| {
            let text = format!("The entity with a name = '{name}' was not found in the MetadataCache.");
            ApiError::new(StatusCode::BAD_REQUEST, "0x80041102", text)
        })?;
        keys.push(name);
        values.push(organization.table(table).rows().len());
    }
    let body = json!({
        "@odata.context": request.context("Microsoft.Dynamics.CRM.RetrieveTotalRecordCountResponse"),
        "EntityRecordCountCollection": {"Count": keys.len(), "IsReadOnly": false, "Keys": keys, "Values": values},
    });
    Ok(json_response(StatusCode::OK, &body))
}

/// Index of the table behind an entity set.
pub(super) fn table_of_set(organization: &Organization, set: &str) -> Result<usize, ApiError> {
    organization
        .table_of_set(set)
        .ok_or_else(|| ApiError::unknown_segment(set))
}

fn collection(
    dynamics: &Dynamics,
    request: &ApiRequest,
    organization: &Organization,
    set: &str,
) -> Result<Response, ApiError> {
    let table = organization.table(table_of_set(organization, set)?);
    let body = rows(dynamics, request, organization, table)?;
    let mut response = bytes_response(StatusCode::OK, JSON, body);
    add_applied_preferences(request, &mut response);
    Ok(response)
}

/// A page of a collection: plain, tracked or delta.
fn rows(
    dynamics: &Dynamics,
    request: &ApiRequest,
    organization: &Organization,
    table: &Table,
) -> Result<Vec<u8>, ApiError> {
    let token = request.options.get("$deltatoken");
    let name = &table.definition().logical_name;
    let cookie = request
        .options
        .get("$skiptoken")
        .map(|token| PageCookie::decode(token, name))
        .transpose()?;
    let tracked_cookie = cookie.is_some_and(|cookie| {
        matches!(
            cookie.position,
            Position::Changes { .. } | Position::Key { tracked: Some(_), .. }
        )
    });
    let tracked = token.is_some() || tracked_cookie || (request.preferences.track_changes && cookie.is_none());
    dynamics.check_read_privilege(request, table, tracked)?;
    if !tracked {
        return Ok(CollectionQuery::parse(request, table)?.page(request, organization, table));
    }
    check_tracked(request, table)?;
    if let Some(token) = token {
        let token = DeltaToken::decode(token, organization, table, now())?;
        let start = DeltaPosition::of_token(token, organization);
        return delta_page(request, organization, table, start, now());
    }
    match cookie.and_then(DeltaPosition::of_cookie) {
        Some(start) if table.is_expired(start.base()) => Err(ApiError::expired_version_stamp()),
        Some(start) => delta_page(request, organization, table, start, now()),
        None => initial_page(request, organization, table, cookie, now()),
    }
}

fn add_applied_preferences(request: &ApiRequest, response: &mut Response) {
    for applied in request.preferences.applied() {
        if let Ok(value) = HeaderValue::from_str(&applied) {
            response
                .headers_mut()
                .append(HeaderName::from_static("preference-applied"), value);
        }
    }
}

/// `GET /contacts/$count`: digits behind a byte order mark, 5000 at most.
fn count(
    dynamics: &Dynamics,
    request: &ApiRequest,
    organization: &Organization,
    set: &str,
) -> Result<Response, ApiError> {
    let table = organization.table(table_of_set(organization, set)?);
    let token = request.options.get("$deltatoken");
    dynamics.check_read_privilege(request, table, token.is_some())?;
    let count = match token {
        Some(token) => {
            check_tracked(request, table)?;
            let token = DeltaToken::decode(token, organization, table, now())?;
            count_changes(table, token.version, organization.version())
        }
        None => count_matching(table, parse_filter_option(request, table)?.as_ref()).min(COUNT_LIMIT),
    };
    let body = format!("\u{feff}{count}").into_bytes();
    Ok(bytes_response(
        StatusCode::OK,
        HeaderValue::from_static("text/plain"),
        body,
    ))
}

fn row(
    dynamics: &Dynamics,
    request: &ApiRequest,
    organization: &Organization,
    (set, key): (&str, &str),
    rest: &[Segment],
) -> Result<Response, ApiError> {
    let table = table_of_set(organization, set)?;
    dynamics.check_read_privilege(request, organization.table(table), false)?;
    let key = RowKey::parse(organization.table(table).definition(), key)?;
    match rest {
        [] => single_row(request, organization, table, &key),
        [property] => single_value(request, organization, table, &key, &property.name, false),
        [property, last] if last.name == "$value" => {
            single_value(request, organization, table, &key, &property.name, true)
        }
        [.., unknown] => Err(ApiError::unknown_segment(&unknown.name)),
    }
}

impl Dynamics {
    /// 403 if the application user has lost the privilege to read a table (contracts/dataverse.md §3.6, §6.2).
    fn check_read_privilege(&self, request: &ApiRequest, table: &Table, tracked: bool) -> Result<(), ApiError> {
        let definition = table.definition();
        if !self.switches.privilege_revoked(&definition.logical_name) {
            return Ok(());
        }
        let user = request.caller.user;
        let privilege = format!("prvRead{}", definition.schema_name);
        let id = privilege_id(&privilege);
        let text = if tracked {
            format!(
                "SecLib::CheckPrivilege failed. User: {user}, PrivilegeName: {privilege}, PrivilegeId: {id}, Required \
                 Depth: Global, BusinessUnitId: {}, MetadataCache Privileges Count: 4521, User Privileges Count: 412",
                self.config.business_unit_id
            )
        } else {
            format!(
                "Principal user (Id={user}, type=8, roleCount=1, privilegeCount=412, accessMode='4 NonInteractive') is \
                 missing {privilege} privilege (Id={id}) on OTC={} for entity '{}' (LocalizedName='{}').",
                definition.object_type_code,
                definition.logical_name,
                definition.display_name.as_deref().unwrap_or(&definition.schema_name)
            )
        };
        Err(ApiError::new(StatusCode::FORBIDDEN, "0x80040220", text))
    }
}
