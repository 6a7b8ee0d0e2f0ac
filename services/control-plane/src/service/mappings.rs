//! `Mappings`.

use std::sync::Arc;

use crosswalk_core::{
    InstanceId, MappingId, ResourceName,
    control::{self, Change, Instance, State},
    mapping::{MappedTypes, TableMapping, links, store_labels_as_values, validate},
    schema::{Resource, Table},
};
use crosswalk_proto::{
    api,
    v1::{
        CreateMappingRequest, DeleteMappingRequest, EstimateMappingRequest, EstimateMappingResponse, GetMappingRequest,
        ListMappingsRequest, ListMappingsResponse, Mapping, PreviewMappingRequest, PreviewMappingResponse,
        ReplayMappingRequest, UpdateMappingRequest, mappings_server::Mappings,
    },
};
use futures::{FutureExt as _, StreamExt as _, TryStreamExt as _, stream::BoxStream};
use pbjson_types::Empty;
use tonic::{Request, Response, Status, async_trait};

use super::{cut, estimate, preview, replay};
use crate::{
    error::{ApiError, Violations},
    parse::{
        add_problems, check_fixed, ingress_of, mapping_definition, mapping_id, mapping_name, next_page_token, page,
        required_etag,
    },
    shared::{Shared, already_exists, instance},
    system::SystemFailure,
};

/// Mappings of which it is found out at once whether their replays have begun.
const CONCURRENT_LOOKS: usize = 4;

pub(crate) struct MappingsService(pub(crate) Arc<Shared>);

#[async_trait]
impl Mappings for MappingsService {
    async fn get_mapping(&self, request: Request<GetMappingRequest>) -> Result<Response<Mapping>, Status> {
        let (instance, id) = mapping_name("name", &request.get_ref().name)?;
        let state = self.0.state().await?;
        Ok(Response::new(shown(&self.0, &state, &instance, &id).await?))
    }

    async fn list_mappings(
        &self,
        request: Request<ListMappingsRequest>,
    ) -> Result<Response<ListMappingsResponse>, Status> {
        Ok(Response::new(self.list(request.get_ref()).await?))
    }

    async fn create_mapping(&self, request: Request<CreateMappingRequest>) -> Result<Response<Mapping>, Status> {
        Ok(Response::new(self.create(request.into_inner()).await?))
    }

    async fn update_mapping(&self, request: Request<UpdateMappingRequest>) -> Result<Response<Mapping>, Status> {
        Ok(Response::new(self.update(request.into_inner()).await?))
    }

    async fn delete_mapping(&self, request: Request<DeleteMappingRequest>) -> Result<Response<Empty>, Status> {
        let request = request.get_ref();
        let (instance, id) = mapping_name("name", &request.name)?;
        let state = self.0.state().await?;
        let present = mapping(&state, &instance, &id)?.etag;
        let resource = ResourceName::Mapping { instance, mapping: id };
        let etag = required_etag("etag", &request.etag, &resource, present)?;
        self.0.append(resource, Some(etag), Change::DeleteMapping).await?;
        Ok(Response::new(Empty {}))
    }

    async fn replay_mapping(&self, request: Request<ReplayMappingRequest>) -> Result<Response<Mapping>, Status> {
        Ok(Response::new(replay::request(&self.0, request.get_ref()).await?))
    }

    async fn preview_mapping(
        &self,
        request: Request<PreviewMappingRequest>,
    ) -> Result<Response<PreviewMappingResponse>, Status> {
        Ok(Response::new(preview::preview(&self.0, request.into_inner()).await?))
    }

    type EstimateMappingStream = BoxStream<'static, Result<EstimateMappingResponse, Status>>;

    async fn estimate_mapping(
        &self,
        request: Request<EstimateMappingRequest>,
    ) -> Result<Response<Self::EstimateMappingStream>, Status> {
        let answers = estimate::estimate(Arc::clone(&self.0), request.get_ref()).await?;
        Ok(Response::new(answers.boxed()))
    }
}

impl MappingsService {
    async fn list(&self, request: &ListMappingsRequest) -> Result<ListMappingsResponse, ApiError> {
        let id = ingress_of("parent", &request.parent)?;
        let list = format!("{}/mappings", request.parent);
        let page = page(&list, request.page_size, &request.page_token)?;
        let state = self.0.state().await?;
        let after = page.after.as_deref();
        let mappings = instance(&state, &id)?.mappings().map(|(mapping, _)| mapping);
        let rest = mappings.filter(|mapping| after.is_none_or(|after| mapping.as_str() > after));
        let (page_ids, more) = cut(rest.take(page.size + 1).collect(), page.size);
        let last = page_ids.last().filter(|_| more);
        let next_page_token = last.map(|last| next_page_token(&list, last.as_str()));
        let mappings: Vec<_> = page_ids
            .iter()
            .map(|mapping| shown(&self.0, &state, &id, mapping).boxed())
            .collect();
        let mappings = futures::stream::iter(mappings).buffered(CONCURRENT_LOOKS);
        Ok(ListMappingsResponse {
            next_page_token: next_page_token.unwrap_or_default(),
            mappings: mappings.try_collect().await?,
        })
    }

    async fn create(&self, request: CreateMappingRequest) -> Result<Mapping, ApiError> {
        let instance_id = ingress_of("parent", &request.parent)?;
        let id = mapping_id("mapping_id", &request.mapping_id)?;
        let resource = ResourceName::Mapping {
            instance: instance_id.clone(),
            mapping: id.clone(),
        };
        let state = self.0.state().await?;
        if instance(&state, &instance_id)?.mapping(&id).is_some() {
            return Err(already_exists(&resource));
        }
        let mut wanted = mapping_definition(request.mapping.unwrap_or_default())?;
        check_unused(instance(&state, &instance_id)?, &wanted)?;
        let (table, target) = catalogs(&self.0, &state, &instance_id, &wanted).await?;
        wanted = completed(wanted, &table);
        wanted.types = MappedTypes::of(&wanted, &table, &target);
        let mut violations = Violations::default();
        if !table.change_tracking {
            let description = "does not track changes; switch on \"Track changes\" in the table's properties";
            violations.add("mapping.dynamics_table", "CHANGE_TRACKING_OFF", description);
        }
        add_problems(&mut violations, validate(&wanted, &table, &target));
        violations.finish()?;
        self.check_key(&state, &instance_id, &wanted).await?;
        let state = self
            .0
            .append(resource, None, Change::PutMapping(Box::new(wanted)))
            .await?;
        shown(&self.0, &state, &instance_id, &id).await
    }

    /// Campaign must find records by the key field, as far as it tells without a write.
    async fn check_key(&self, state: &State, id: &InstanceId, wanted: &TableMapping) -> Result<(), ApiError> {
        let checked = self
            .0
            .systems
            .ask_campaign(state, id, instance(state, id)?, async |client| {
                client.check_key(&wanted.target_resource, &wanted.key.target).await
            })
            .await;
        let mut violations = Violations::default();
        found(
            checked,
            "mapping.key.campaign_field",
            "CAMPAIGN_KEY_NOT_DECLARED",
            &mut violations,
        )?;
        violations.finish()
    }

    async fn update(&self, request: UpdateMappingRequest) -> Result<Mapping, ApiError> {
        let message = request.mapping.unwrap_or_default();
        let (instance_id, id) = mapping_name("mapping.name", &message.name)?;
        let resource = ResourceName::Mapping {
            instance: instance_id.clone(),
            mapping: id.clone(),
        };
        let state = self.0.state().await?;
        let present = mapping(&state, &instance_id, &id)?;
        let etag = required_etag("mapping.etag", &message.etag, &resource, present.etag)?;
        let mut wanted = mapping_definition(message)?;
        check_fixed(&mut wanted, &present.definition)?;
        let (table, target) = catalogs(&self.0, &state, &instance_id, &wanted).await?;
        wanted = completed(wanted, &table);
        wanted.types = MappedTypes::of(&wanted, &table, &target);
        let mut violations = Violations::default();
        add_problems(&mut violations, validate(&wanted, &table, &target));
        violations.finish()?;
        let state = self
            .0
            .append(resource, Some(etag), Change::PutMapping(Box::new(wanted)))
            .await?;
        shown(&self.0, &state, &instance_id, &id).await
    }
}

/// A definition with everything that the table's metadata tells: the key's column, values for labels, links.
pub(super) fn completed(mut mapping: TableMapping, table: &Table) -> TableMapping {
    if mapping.key.source.is_empty() {
        mapping.key.source.clone_from(&table.primary_id);
    }
    let mut mapping = store_labels_as_values(mapping, table);
    mapping.links = links(&mapping, table);
    mapping
}

/// What both systems say of the mapping's tables. A table that is not there is a wrong field, not a failed system.
pub(super) async fn catalogs(
    shared: &Shared,
    state: &State,
    id: &InstanceId,
    mapping: &TableMapping,
) -> Result<(Table, Resource), ApiError> {
    let present = instance(state, id)?;
    let systems = &shared.systems;
    let (table, resource) = tokio::join!(
        systems.ask_dynamics(state, id, present, async |client| client
            .table(&mapping.source_table)
            .await),
        systems.ask_campaign(state, id, present, async |client| client
            .resource(&mapping.target_resource)
            .await),
    );
    let mut violations = Violations::default();
    let table = found(
        table,
        "mapping.dynamics_table",
        "DYNAMICS_TABLE_NOT_FOUND",
        &mut violations,
    )?;
    let resource = found(
        resource,
        "mapping.campaign_resource",
        "CAMPAIGN_RESOURCE_NOT_FOUND",
        &mut violations,
    )?;
    violations.finish()?;
    table
        .zip(resource)
        .ok_or_else(|| ApiError::NotFound("the table".to_owned()))
}

/// The log would refuse it as well; here it costs neither calls nor an entry, and the other mapping can be named.
fn check_unused(instance: &Instance, wanted: &TableMapping) -> Result<(), ApiError> {
    let in_use = |reason, what, table, other| {
        let message =
            format!("the {what} `{table}` is mapped by `{other}` already; change that mapping, or delete it first");
        Err(ApiError::AlreadyExists { reason, message })
    };
    for (other, mapping) in instance.mappings() {
        let TableMapping {
            source_table,
            target_resource,
            ..
        } = &*mapping.definition;
        if *source_table == wanted.source_table {
            return in_use("DYNAMICS_TABLE_IN_USE", "Dynamics table", source_table, other);
        }
        if *target_resource == wanted.target_resource {
            return in_use("CAMPAIGN_RESOURCE_IN_USE", "Campaign resource", target_resource, other);
        }
    }
    Ok(())
}

/// Turns the failure that says that a table is not there into a violation.
fn found<T>(
    answer: Result<T, SystemFailure>,
    field: &str,
    not_found: &'static str,
    violations: &mut Violations,
) -> Result<Option<T>, ApiError> {
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(failure) if failure.code == not_found => {
            violations.add(field, not_found, failure.message);
            Ok(None)
        }
        Err(failure) => Err(failure.into()),
    }
}

/// A mapping as the API shows it.
pub(super) async fn shown(
    shared: &Shared,
    state: &State,
    id: &InstanceId,
    mapping_id: &MappingId,
) -> Result<Mapping, ApiError> {
    let (instance, mapping) = (instance(state, id)?, mapping(state, id, mapping_id)?);
    let positions = &shared.connected()?.positions;
    let pending = positions.pending_replay(id, instance, mapping).await;
    Ok(api::mapping(id, mapping_id, mapping, pending))
}

pub(super) fn mapping<'a>(
    state: &'a State,
    id: &InstanceId,
    mapping: &MappingId,
) -> Result<&'a control::Mapping, ApiError> {
    instance(state, id)?.mapping(mapping).ok_or_else(|| {
        let name = ResourceName::Mapping {
            instance: id.clone(),
            mapping: mapping.clone(),
        };
        ApiError::NotFound(name.to_string())
    })
}
