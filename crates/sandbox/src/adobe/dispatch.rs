//! Which call to a resource is what (contracts/campaign.md §2.2 and §2.3).

use std::sync::Arc;

use bytes::Bytes;
use http::{Method, StatusCode};
use serde_json::Value;

use super::campaign::Reply;
use super::definition::FieldId;
use super::error::CampaignError;
use super::field::FieldKind;
use super::filter::looks_like_filter;
use super::list::{ListRequest, Selection};
use super::metadata;
use super::opaque::Context;
use super::organisation::{Organisation, Resource};
use super::records::success_status;
use super::render::{Collection, View};

/// A call the gateway has let through.
pub(super) struct Call<'a> {
    pub(super) organisation: &'a Organisation,
    pub(super) view: View<'a>,
    pub(super) segments: &'a [String],
    pub(super) query: &'a str,
}

impl Call<'_> {
    /// The answer.
    pub(super) fn dispatch(&self, method: &Method, body: &Bytes) -> Result<Reply, CampaignError> {
        let _schema = self.organisation.schema.read();
        let Some((name, rest)) = self.segments.split_first() else {
            return document(method, || metadata::index(self.organisation, &self.view));
        };
        if name == "resourceType" {
            return self.describe(method, rest);
        }
        if rest == ["metadata"] && *method == Method::GET {
            let resource = self.organisation.described_resource(name, self.view.visibility)?;
            return document(method, || metadata::resource(self.organisation, &resource, &self.view));
        }
        let resource = &*self.organisation.exposed_resource(name, self.view.visibility)?;
        if let [key, collection, rest @ ..] = rest
            && let Some((target, link)) = self.collection(resource, collection)
        {
            return self.dispatch_collection(method, (resource, key, collection), (&target, link), rest, body);
        }
        let rest_of_path: Vec<&str> = rest.iter().map(String::as_str).collect();
        let answer = match (method, rest_of_path.as_slice()) {
            (&Method::POST, []) => self.organisation.create_record(resource, self.view, body)?,
            (&Method::PATCH, []) => self.organisation.update_record(resource, self.view, None, body)?,
            (&Method::PATCH, [key]) => self.organisation.update_record(resource, self.view, Some(key), body)?,
            (&Method::DELETE, [key]) => {
                self.organisation.delete_record(resource, self.view, key)?;
                Vec::new()
            }
            (&Method::GET, _) => self.read(resource, self.view, rest)?,
            _ => return Err(not_allowed(method)),
        };
        Ok(Reply {
            status: success_status(method.as_str(), &resource.definition),
            body: answer,
        })
    }

    /// The resource and link of a collection of a resource, if it has one of this name.
    fn collection(&self, resource: &Resource, name: &str) -> Option<(Arc<Resource>, FieldId)> {
        let id = resource.definition.visible_id(name, self.view.visibility)?;
        let FieldKind::Collection { target, link } = resource.definition.field(id).kind else {
            return None;
        };
        let target = self.organisation.resource(target)?;
        let link = target.definition.id(link)?;
        Some((target, link))
    }

    /// What is asked of the rows linked to one row: a list, a new one, one of them (contracts/campaign.md §2.2).
    fn dispatch_collection(
        &self,
        method: &Method,
        (owner, key, name): (&Resource, &str, &str),
        (resource, link): (&Resource, FieldId),
        rest: &[String],
        body: &Bytes,
    ) -> Result<Reply, CampaignError> {
        let row = {
            let table = owner.table.read();
            self.organisation.locate(owner, &table, &self.view, key)?
        };
        let token = self
            .organisation
            .sealer
            .primary_key(owner.number, row, Context::Collection);
        let path = format!("{}/{token}/{name}", owner.definition.name);
        let view = View {
            collection: Some(Collection { path: &path, link, row }),
            ..self.view
        };
        let answer = match (method, rest) {
            (&Method::POST, []) => self.organisation.create_record(resource, view, body)?,
            (&Method::DELETE, [key]) => {
                self.organisation.delete_record(resource, view, key)?;
                Vec::new()
            }
            (&Method::GET, _) => self.read(resource, view, rest)?,
            _ => return Err(not_allowed(method)),
        };
        Ok(Reply {
            status: success_status(method.as_str(), &resource.definition),
            body: answer,
        })
    }

    /// `resourceType`, `resourceType/<resource>` and `resourceType/<PKey>/filters/`.
    fn describe(&self, method: &Method, rest: &[String]) -> Result<Reply, CampaignError> {
        match rest {
            [] => document(method, || metadata::index(self.organisation, &self.view)),
            [name] => {
                let resource = self.organisation.described_resource(name, self.view.visibility)?;
                document(method, || metadata::resource(self.organisation, &resource, &self.view))
            }
            [token, filters] if filters == "filters" => {
                let resource = metadata::resource_of_token(self.organisation, token);
                let resource = resource.ok_or_else(|| CampaignError::UndecodablePrimaryKey {
                    name: token.strip_prefix('@').unwrap_or(token).to_owned(),
                    label: "Resources".to_owned(),
                    schema: "nms:resourceType".to_owned(),
                })?;
                document(method, || metadata::filters(self.organisation, &resource, &self.view))
            }
            [name, ..] => Err(CampaignError::UnknownResource { resource: name.clone() }),
        }
    }

    /// A list, a count, or one record.
    fn read(&self, resource: &Resource, view: View<'_>, rest: &[String]) -> Result<Vec<u8>, CampaignError> {
        let (segments, count) = match rest.split_last() {
            Some((last, before)) if last == "_count" => (before, true),
            _ => (rest, false),
        };
        if let Some(selection) = Selection::of(&resource.definition, view.visibility, segments) {
            let list = ListRequest {
                resource,
                view,
                selection,
                segments,
                query: self.query,
            };
            return if count {
                list.count(self.organisation)
            } else {
                list.page(self.organisation)
            };
        }
        let unknown_filter = |segment: &str| CampaignError::UnknownFilter {
            filter: segment.to_owned(),
            resource: resource.definition.name.to_owned(),
        };
        match rest {
            [key] => match self.organisation.read_record(resource, view, key) {
                Err(_) if looks_like_filter(key) => Err(unknown_filter(key)),
                result => result,
            },
            [first, ..] if looks_like_filter(first) => Err(unknown_filter(first)),
            _ => Err(CampaignError::UnknownResource {
                resource: rest.join("/"),
            }),
        }
    }
}

/// A document that can be read only.
fn document(method: &Method, make: impl FnOnce() -> Value) -> Result<Reply, CampaignError> {
    if *method != Method::GET {
        return Err(not_allowed(method));
    }
    Ok(Reply {
        status: StatusCode::OK,
        body: make().to_string().into_bytes(),
    })
}

pub(super) fn not_allowed(method: &Method) -> CampaignError {
    CampaignError::MethodNotAllowed {
        method: method.to_string(),
    }
}
