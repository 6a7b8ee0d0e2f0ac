//! `Catalog`.

use std::sync::Arc;

use crosswalk_core::{InstanceId, mapping::MAX_NAME_LENGTH};
use crosswalk_proto::{
    api,
    v1::{self, GetTableRequest, ListTablesRequest, ListTablesResponse, Table, catalog_server::Catalog},
};
use tonic::{Request, Response, Status, async_trait};

use super::cut;
use crate::{
    catalog_cache::Question,
    error::ApiError,
    parse::{instance_name, next_page_token, page, table_id},
    shared::{Shared, instance},
    system::System,
};

pub(crate) struct CatalogService(pub(crate) Arc<Shared>);

#[async_trait]
impl Catalog for CatalogService {
    async fn list_tables(&self, request: Request<ListTablesRequest>) -> Result<Response<ListTablesResponse>, Status> {
        Ok(Response::new(self.list(request.get_ref()).await?))
    }

    async fn get_table(&self, request: Request<GetTableRequest>) -> Result<Response<Table>, Status> {
        Ok(Response::new(self.get(request.get_ref()).await?))
    }
}

impl CatalogService {
    async fn list(&self, request: &ListTablesRequest) -> Result<ListTablesResponse, ApiError> {
        let id = instance_name("parent", &request.parent)?;
        let system = system(request.system)?;
        if request.search.chars().count() > MAX_NAME_LENGTH {
            let description = format!("at most {MAX_NAME_LENGTH} characters are possible");
            return Err(ApiError::field("search", "TOO_LONG", description));
        }
        let list = format!("{}/{system}/{}", request.parent, request.search);
        let page = page(&list, request.page_size, &request.page_token)?;
        let tables = self.ask(id, system, None, request.refresh).await?;
        let search = request.search.to_lowercase();
        let fits = |table: &&Table| {
            search.is_empty()
                || table.table_id.to_lowercase().contains(&search)
                || table.display_name.to_lowercase().contains(&search)
        };
        let found: Vec<&Table> = tables.iter().filter(fits).collect();
        let total = i32::try_from(found.len()).unwrap_or(i32::MAX);
        let after = page.after.as_deref();
        let rest = found
            .into_iter()
            .filter(|table| after.is_none_or(|after| table.table_id.as_str() > after));
        let (shown, more) = cut(rest.take(page.size + 1).collect(), page.size);
        let last = shown.last().filter(|_| more);
        Ok(ListTablesResponse {
            next_page_token: last
                .map(|last| next_page_token(&list, &last.table_id))
                .unwrap_or_default(),
            tables: shown.into_iter().cloned().collect(),
            total,
        })
    }

    async fn get(&self, request: &GetTableRequest) -> Result<Table, ApiError> {
        let id = instance_name("parent", &request.parent)?;
        let system = system(request.system)?;
        table_id(&request.table_id)?;
        let table = request.table_id.clone();
        let tables = self.ask(id, system, Some(table.clone()), request.refresh).await?;
        tables
            .first()
            .cloned()
            .ok_or_else(|| ApiError::NotFound(format!("{table} in {system}")))
    }

    /// What a system says of one table, or of all; sorted by id.
    async fn ask(
        &self,
        id: InstanceId,
        system: System,
        table: Option<String>,
        refresh: bool,
    ) -> Result<Arc<Vec<Table>>, ApiError> {
        let (state, systems) = (self.0.state().await?, &self.0.systems);
        let instance = instance(&state, &id)?;
        let question = Question {
            instance: id.clone(),
            settings: instance.etag,
            system,
            table: table.clone(),
        };
        let ask = async {
            let mut tables: Vec<Table> = match (system, &table) {
                (System::Dynamics, None) => {
                    let tables = systems.ask_dynamics(&state, &id, instance, async |client| client.tables().await);
                    tables.await?.into_iter().map(api::table).collect()
                }
                (System::Dynamics, Some(name)) => {
                    let table = systems.ask_dynamics(&state, &id, instance, async |client| client.table(name).await);
                    vec![api::table(table.await?)]
                }
                (System::Campaign, None) => {
                    let resources =
                        systems.ask_campaign(&state, &id, instance, async |client| client.resources().await);
                    resources.await?.into_iter().map(api::resource).collect()
                }
                (System::Campaign, Some(name)) => {
                    let resource =
                        systems.ask_campaign(&state, &id, instance, async |client| client.resource(name).await);
                    vec![api::resource(resource.await?)]
                }
            };
            tables.sort_by(|one, other| one.table_id.cmp(&other.table_id));
            Ok(tables)
        };
        let answer = self.0.catalogs.answer(question, refresh, ask).await;
        answer.map_err(|failure| match (failure.code, table) {
            ("DYNAMICS_TABLE_NOT_FOUND" | "CAMPAIGN_RESOURCE_NOT_FOUND", Some(table)) => {
                ApiError::NotFound(format!("{table} in {}", failure.system))
            }
            _ => failure.into(),
        })
    }
}

fn system(system: i32) -> Result<System, ApiError> {
    match v1::System::try_from(system) {
        Ok(v1::System::Dynamics) => Ok(System::Dynamics),
        Ok(v1::System::Campaign) => Ok(System::Campaign),
        _ => {
            let description = "must be SYSTEM_DYNAMICS or SYSTEM_CAMPAIGN";
            Err(ApiError::field("system", "REQUIRED", description))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_system_must_be_named() {
        for (asked, known) in [(0, false), (1, true), (2, true), (3, false)] {
            assert_eq!(system(asked).is_ok(), known, "{asked}");
        }
    }
}
