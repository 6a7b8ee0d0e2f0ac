//! The catalogs of both systems.

use crosswalk_proto::v1::{
    AlternateKey, Field, GetTableRequest, ListTablesRequest, ListTablesResponse, Option as Choice, System, Table,
    catalog_server::Catalog,
};
use tonic::{Code, Request, Response, Status};

use super::error;

/// The catalog service.
pub(crate) struct Catalogs;

fn table(table_id: &str, display_name: &str, system: System) -> Table {
    let is_dynamics = system == System::Dynamics;
    Table {
        table_id: table_id.to_owned(),
        display_name: display_name.to_owned(),
        system: system.into(),
        change_tracking: is_dynamics && table_id != "invoice",
        primary_key: if is_dynamics {
            format!("{table_id}id")
        } else {
            String::new()
        },
        fields: Vec::new(),
        alternate_keys: Vec::new(),
    }
}

fn contact_keys() -> Vec<AlternateKey> {
    let key = |key_id: &str, field_ids: &[&str], active| AlternateKey {
        key_id: key_id.to_owned(),
        field_ids: field_ids.iter().map(ToString::to_string).collect(),
        active,
    };
    vec![
        key("new_numberkey", &["new_number"], true),
        key("new_namekey", &["firstname", "lastname"], false),
    ]
}

fn contact_fields() -> Vec<Field> {
    let field = |field_id: &str, display_name: &str, kind: &str, max_length| Field {
        field_id: field_id.to_owned(),
        display_name: display_name.to_owned(),
        r#type: kind.to_owned(),
        max_length,
        options: Vec::new(),
        mappable: true,
        targets: Vec::new(),
    };
    let choice = |value: &str, label: &str| Choice {
        value: value.to_owned(),
        label: label.to_owned(),
    };
    let gender = Field {
        options: vec![choice("1", "Male"), choice("2", "Female"), choice("3", "")],
        ..field("gendercode", "Gender", "Picklist", None)
    };
    let image = Field {
        mappable: false,
        ..field("entityimage", "Image", "Virtual", None)
    };
    vec![field("emailaddress1", "Email", "String", Some(100)), gender, image]
}

#[tonic::async_trait]
impl Catalog for Catalogs {
    async fn list_tables(&self, request: Request<ListTablesRequest>) -> Result<Response<ListTablesResponse>, Status> {
        let system = request.into_inner().system();
        let tables = match system {
            System::Campaign => vec![
                table("profile", "Profiles", system),
                table("service", "Services", system),
            ],
            _ => vec![table("contact", "Contact", system), table("invoice", "Invoice", system)],
        };
        Ok(Response::new(ListTablesResponse {
            tables,
            ..ListTablesResponse::default()
        }))
    }

    async fn get_table(&self, request: Request<GetTableRequest>) -> Result<Response<Table>, Status> {
        let request = request.into_inner();
        if request.table_id != "contact" {
            let message = format!("Dynamics 365 has no table `{}`", request.table_id);
            return Err(error(Code::NotFound, "TABLE_NOT_FOUND", &message));
        }
        Ok(Response::new(Table {
            fields: contact_fields(),
            alternate_keys: contact_keys(),
            ..table("contact", "Contact", request.system())
        }))
    }
}
