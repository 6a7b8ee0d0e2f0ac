//! `crosswalk catalog`.

use crosswalk_proto::v1::{AlternateKey, Field, GetTableRequest, ListTablesRequest, System, Table};

use crate::{
    arguments::{CatalogCommand, GlobalArguments, SystemName},
    connection::Connection,
    failure::Failure,
    output::{DASH, Output, details, shorten, table},
};

/// Longest list of options in a table row; JSON has them all.
const OPTIONS_CHARACTERS: usize = 80;

/// Runs a command on the catalogs.
pub(crate) async fn catalog(
    arguments: &GlobalArguments,
    output: Output,
    command: CatalogCommand,
) -> Result<(), Failure> {
    let connection = Connection::open(arguments).await?;
    match command {
        CatalogCommand::Tables {
            system,
            search,
            refresh,
        } => tables(&connection, output, system, search.unwrap_or_default(), refresh).await,
        CatalogCommand::Table { table, system, refresh } => {
            one_table(&connection, output, table, system, refresh).await
        }
    }
}

async fn tables(
    connection: &Connection,
    output: Output,
    system: SystemName,
    search: String,
    refresh: bool,
) -> Result<(), Failure> {
    let mut request = ListTablesRequest {
        parent: connection.instance().into(),
        system: System::from(system).into(),
        page_size: 1000,
        page_token: String::new(),
        search,
        refresh,
    };
    let mut tables = Vec::new();
    loop {
        let response = connection.catalog().list_tables(request.clone()).await;
        let page = response.map_err(|status| connection.failure(&status))?.into_inner();
        tables.extend(page.tables);
        if page.next_page_token.is_empty() {
            break;
        }
        request.page_token = page.next_page_token;
        request.refresh = false;
    }
    output.write(&tables, |tables| match system {
        SystemName::Dynamics => dynamics_tables(tables),
        SystemName::Campaign => campaign_resources(tables),
    })
}

fn dynamics_tables(tables: &[Table]) -> String {
    let row = |entry: &Table| {
        let tracking = if entry.change_tracking { "on" } else { "off" };
        [
            entry.table_id.clone(),
            entry.display_name.clone(),
            tracking.to_owned(),
            or_dash(&entry.primary_key),
        ]
    };
    table(
        ["TABLE", "NAME", "CHANGE TRACKING", "PRIMARY KEY"],
        tables.iter().map(row),
    )
}

fn campaign_resources(tables: &[Table]) -> String {
    table(
        ["RESOURCE", "NAME"],
        tables
            .iter()
            .map(|entry| [entry.table_id.clone(), entry.display_name.clone()]),
    )
}

async fn one_table(
    connection: &Connection,
    output: Output,
    table_id: String,
    system: SystemName,
    refresh: bool,
) -> Result<(), Failure> {
    let parent = connection.instance().into();
    let request = GetTableRequest {
        parent,
        system: System::from(system).into(),
        table_id,
        refresh,
    };
    let response = connection.catalog().get_table(request).await;
    output.write(
        &response.map_err(|status| connection.failure(&status))?.into_inner(),
        whole,
    )
}

fn whole(entry: &Table) -> String {
    let mut rows = vec![("Table", entry.table_id.clone()), ("Name", entry.display_name.clone())];
    if entry.system() == System::Dynamics {
        rows.push(("Primary key", or_dash(&entry.primary_key)));
        let tracking = if entry.change_tracking {
            "on"
        } else {
            "off; without, the table cannot be mapped"
        };
        rows.push(("Change tracking", tracking.to_owned()));
        let keys: Vec<String> = entry.alternate_keys.iter().map(alternate_key).collect();
        rows.push(("Alternate keys", or_dash(&keys.join("; "))));
    }
    let header = ["FIELD", "NAME", "TYPE", "LENGTH", "MAPPABLE", "OPTIONS"];
    format!(
        "{}\n\n{}",
        details(rows),
        table(header, entry.fields.iter().map(field_row))
    )
}

fn alternate_key(key: &AlternateKey) -> String {
    let columns = key.field_ids.join(", ");
    let note = if key.active { "" } else { ", not active" };
    format!("{} ({columns}){note}", key.key_id)
}

fn field_row(field: &Field) -> [String; 6] {
    [
        field.field_id.clone(),
        field.display_name.clone(),
        field.r#type.clone(),
        field
            .max_length
            .map_or_else(|| DASH.to_owned(), |length| length.to_string()),
        if field.mappable { "yes" } else { "no" }.to_owned(),
        options(field),
    ]
}

fn options(field: &Field) -> String {
    let labelled = field.options.iter().map(|option| {
        if option.label.is_empty() {
            option.value.clone()
        } else {
            format!("{} = {}", option.value, option.label)
        }
    });
    shorten(&labelled.collect::<Vec<_>>().join(", "), OPTIONS_CHARACTERS)
}

fn or_dash(text: &str) -> String {
    if text.is_empty() {
        DASH.to_owned()
    } else {
        text.to_owned()
    }
}
