//! Mappings in memory, with etags and a few checks.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicU64, Ordering},
};

use crosswalk_proto::v1::{
    CreateMappingRequest, DeleteMappingRequest, EstimateMappingRequest, EstimateMappingResponse, FieldDifference,
    FieldMapping, Filter, GetMappingRequest, ListMappingsRequest, ListMappingsResponse, Mapping, MappingOptions,
    PendingReplay, Preview, PreviewMappingRequest, PreviewMappingResponse, PreviewValue, ReplayMappingRequest,
    UpdateMappingRequest, estimate_mapping_response::Read, mapping_options::OverLong, mappings_server::Mappings,
    preview::Effect, preview_mapping_request::Records,
};
use futures::{StreamExt as _, stream::BoxStream};
use parking_lot::Mutex;
use tonic::{Code, Request, Response, Status};

use super::{bad_fields, error, seconds_ago};

/// The name of the mapping that is there at first.
pub(crate) const CONTACT: &str = "instances/demo/workflows/ingress/mappings/contact";

/// The state of the mappings service.
pub(crate) struct MappingsState {
    mappings: Mutex<BTreeMap<String, Mapping>>,
    version: AtomicU64,
}

impl Default for MappingsState {
    fn default() -> Self {
        let field = |dynamics: &str, campaign: &str| FieldMapping {
            dynamics_field: dynamics.to_owned(),
            campaign_field: campaign.to_owned(),
            apply_updates: Some(true),
        };
        let contact = Mapping {
            name: CONTACT.to_owned(),
            dynamics_table: "contact".to_owned(),
            campaign_resource: "profile".to_owned(),
            key: Some(field("contactid", "externalId")),
            fields: vec![field("firstname", "firstName"), field("emailaddress1", "email")],
            options: Some(MappingOptions {
                over_long: OverLong::Truncate.into(),
                ..MappingOptions::default()
            }),
            create_time: seconds_ago(90_000),
            update_time: seconds_ago(4_000),
            etag: "7".to_owned(),
            filter: Some(Filter::default()),
            ..Mapping::default()
        };
        Self {
            mappings: Mutex::new([(CONTACT.to_owned(), contact)].into()),
            version: AtomicU64::new(8),
        }
    }
}

impl MappingsState {
    /// The mapping with this name.
    pub(crate) fn find(&self, name: &str) -> Option<Mapping> {
        self.mappings.lock().get(name).cloned()
    }

    fn store(&self, mapping: Mapping) -> Mapping {
        let etag = self.version.fetch_add(1, Ordering::Relaxed).to_string();
        let mapping = Mapping {
            etag,
            update_time: seconds_ago(0),
            ..mapping
        };
        self.mappings.lock().insert(mapping.name.clone(), mapping.clone());
        mapping
    }

    fn present(&self, name: &str) -> Result<Mapping, Status> {
        self.find(name)
            .ok_or_else(|| error(Code::NotFound, "MAPPING_NOT_FOUND", &format!("there is no {name}")))
    }
}

fn check(mapping: &Mapping) -> Result<(), Status> {
    let unknown: Vec<_> = mapping
        .fields
        .iter()
        .enumerate()
        .filter(|(_, field)| field.campaign_field.starts_with("unknown"))
        .map(|(index, field)| {
            let field = &field.campaign_field;
            (
                format!("mapping.fields[{index}].campaign_field"),
                format!("`{field}` is not a field of profile"),
            )
        })
        .collect();
    if unknown.is_empty() {
        return Ok(());
    }
    let violations: Vec<_> = unknown
        .iter()
        .map(|(field, reason)| (field.as_str(), reason.as_str()))
        .collect();
    Err(bad_fields("the mapping does not fit the two systems", &violations))
}

fn check_etag(present: &Mapping, etag: &str) -> Result<(), Status> {
    if present.etag == etag {
        return Ok(());
    }
    let message = format!(
        "{} has been changed: its etag is {}, not {etag}",
        present.name, present.etag
    );
    Err(error(Code::Aborted, "ETAG_MISMATCH", &message))
}

#[tonic::async_trait]
impl Mappings for MappingsState {
    async fn get_mapping(&self, request: Request<GetMappingRequest>) -> Result<Response<Mapping>, Status> {
        self.present(&request.into_inner().name).map(Response::new)
    }

    async fn list_mappings(
        &self,
        _request: Request<ListMappingsRequest>,
    ) -> Result<Response<ListMappingsResponse>, Status> {
        let mappings = self.mappings.lock().values().cloned().collect();
        Ok(Response::new(ListMappingsResponse {
            mappings,
            next_page_token: String::new(),
        }))
    }

    async fn create_mapping(&self, request: Request<CreateMappingRequest>) -> Result<Response<Mapping>, Status> {
        let CreateMappingRequest {
            parent,
            mapping_id,
            mapping,
        } = request.into_inner();
        let mapping = mapping.ok_or_else(|| Status::invalid_argument("no mapping"))?;
        check(&mapping)?;
        let name = format!("{parent}/mappings/{mapping_id}");
        if self.find(&name).is_some() {
            return Err(error(Code::AlreadyExists, "MAPPING_EXISTS", "it exists"));
        }
        Ok(Response::new(self.store(Mapping {
            name,
            create_time: seconds_ago(0),
            ..mapping
        })))
    }

    async fn update_mapping(&self, request: Request<UpdateMappingRequest>) -> Result<Response<Mapping>, Status> {
        let mapping = request
            .into_inner()
            .mapping
            .ok_or_else(|| Status::invalid_argument("no mapping"))?;
        check(&mapping)?;
        let present = self.present(&mapping.name)?;
        check_etag(&present, &mapping.etag)?;
        Ok(Response::new(self.store(Mapping {
            create_time: present.create_time,
            ..mapping
        })))
    }

    async fn replay_mapping(&self, request: Request<ReplayMappingRequest>) -> Result<Response<Mapping>, Status> {
        let ReplayMappingRequest { name, force, .. } = request.into_inner();
        let pending_replay = Some(PendingReplay {
            request_time: seconds_ago(0),
            force,
            started: false,
        });
        Ok(Response::new(self.store(Mapping {
            pending_replay,
            ..self.present(&name)?
        })))
    }

    async fn preview_mapping(
        &self,
        request: Request<PreviewMappingRequest>,
    ) -> Result<Response<PreviewMappingResponse>, Status> {
        let Some(Records::RecordId(record_id)) = request.into_inner().records else {
            return Err(Status::invalid_argument("only one record is known here"));
        };
        if record_id == "filtered" {
            let mut preview = Preview {
                record_id,
                failing_conditions: vec![0],
                deletion_unknown: true,
                ..Preview::default()
            };
            preview.set_effect(Effect::Filtered);
            return Ok(Response::new(PreviewMappingResponse {
                previews: vec![preview],
            }));
        }
        let preview = Preview {
            record_id,
            effect: Effect::Update.into(),
            mapped_json: r#"{"firstName":"Ada"}"#.to_owned(),
            source: vec![PreviewValue {
                dynamics_field: "firstname".to_owned(),
                value: "Ada of Dynamics".to_owned(),
            }],
            differences: vec![
                FieldDifference {
                    campaign_field: "firstName".to_owned(),
                    mapped: "\"Ada\"".to_owned(),
                    held: "\"Augusta\"".to_owned(),
                    only_by_replay: false,
                },
                FieldDifference {
                    campaign_field: "cusNotes".to_owned(),
                    mapped: "\"new\"".to_owned(),
                    held: "\"old\"".to_owned(),
                    only_by_replay: true,
                },
            ],
            ..Preview::default()
        };
        Ok(Response::new(PreviewMappingResponse {
            previews: vec![preview],
        }))
    }

    type EstimateMappingStream = BoxStream<'static, Result<EstimateMappingResponse, Status>>;

    async fn estimate_mapping(
        &self,
        request: Request<EstimateMappingRequest>,
    ) -> Result<Response<Self::EstimateMappingStream>, Status> {
        let mapping = self.present(&request.into_inner().name)?;
        let answer = |rows, done| EstimateMappingResponse {
            read: Read::Changes.into(),
            rows,
            expected_rows: Some(1_200),
            creates: rows,
            calls: rows,
            done,
            ..EstimateMappingResponse::default()
        };
        // A resource that makes the server end before it has gone through the table.
        let is_whole = mapping.campaign_resource != "cusCut";
        let answers = [Ok(answer(600, false)), Ok(answer(1_200, is_whole))];
        Ok(Response::new(tokio_stream::iter(answers).boxed()))
    }

    async fn delete_mapping(
        &self,
        request: Request<DeleteMappingRequest>,
    ) -> Result<Response<pbjson_types::Empty>, Status> {
        let DeleteMappingRequest { name, etag } = request.into_inner();
        check_etag(&self.present(&name)?, &etag)?;
        self.mappings.lock().remove(&name);
        Ok(Response::new(pbjson_types::Empty {}))
    }
}
