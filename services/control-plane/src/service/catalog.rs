//! `Catalog`.

use std::sync::Arc;

use crosswalk_proto::{
    api,
    v1::{GetTableRequest, ListTablesRequest, ListTablesResponse, System, Table, catalog_server::Catalog},
};
use tonic::{Request, Response, Status, async_trait};

use crate::{
    error::ApiError,
    parse::{instance_name, table_id},
    shared::{Shared, instance},
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
        let (state, systems) = (self.0.state().await?, &self.0.systems);
        let instance = instance(&state, &id)?;
        let tables = if system == System::Dynamics {
            let tables = systems
                .ask_dynamics(&state, &id, instance, async |client| client.tables().await)
                .await?;
            tables.into_iter().map(api::table).collect()
        } else {
            let tables = systems
                .ask_campaign(&state, &id, instance, async |client| client.resources().await)
                .await?;
            tables.into_iter().map(api::resource).collect()
        };
        Ok(ListTablesResponse { tables })
    }

    async fn get(&self, request: &GetTableRequest) -> Result<Table, ApiError> {
        let id = instance_name("parent", &request.parent)?;
        let system = system(request.system)?;
        table_id(&request.table_id)?;
        let (state, systems, table) = (self.0.state().await?, &self.0.systems, &request.table_id);
        let instance = instance(&state, &id)?;
        let answer = if system == System::Dynamics {
            let table = systems.ask_dynamics(&state, &id, instance, async |client| client.table(table).await);
            table.await.map(api::table)
        } else {
            let table = systems.ask_campaign(&state, &id, instance, async |client| client.resource(table).await);
            table.await.map(api::resource)
        };
        answer.map_err(|failure| match failure.code {
            "DYNAMICS_TABLE_NOT_FOUND" | "CAMPAIGN_RESOURCE_NOT_FOUND" => {
                ApiError::NotFound(format!("{table} in {}", failure.system))
            }
            _ => failure.into(),
        })
    }
}

fn system(system: i32) -> Result<System, ApiError> {
    match System::try_from(system) {
        Ok(system @ (System::Dynamics | System::Campaign)) => Ok(system),
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
