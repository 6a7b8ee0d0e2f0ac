//! `$metadata`: the CSDL of the tables served.

use std::fmt::Write;

use axum::response::Response;
use http::{HeaderValue, StatusCode};

use crate::microsoft::errors::{ApiError, bytes_response};
use crate::microsoft::schema::{ColumnKind, TableDefinition};
use crate::microsoft::store::{Organization, Table};

/// `GET $metadata`.
pub(in crate::microsoft) fn csdl(organization: &Organization) -> Response {
    let mut xml = String::from(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\
         <edmx:Edmx Version=\"4.0\" xmlns:edmx=\"http://docs.oasis-open.org/odata/ns/edmx\"><edmx:DataServices>\
         <Schema Namespace=\"Microsoft.Dynamics.CRM\" Alias=\"mscrm\" xmlns=\"http://docs.oasis-open.org/odata/ns/edm\">\
         <EntityType Name=\"crmbaseentity\" Abstract=\"true\" />",
    );
    let written = write_schema(&mut xml, organization);
    xml.push_str("</Schema></edmx:DataServices></edmx:Edmx>");
    match written {
        Ok(()) => bytes_response(
            StatusCode::OK,
            HeaderValue::from_static("application/xml"),
            xml.into_bytes(),
        ),
        Err(error) => {
            ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, "0x80040216", error.to_string()).into_response(false)
        }
    }
}

fn write_schema(xml: &mut String, organization: &Organization) -> std::fmt::Result {
    let definitions = || organization.tables().iter().map(Table::definition);
    for table in definitions() {
        write_entity_type(xml, table)?;
    }
    xml.push_str("<EntityContainer Name=\"System\">");
    for table in definitions() {
        let (set, name) = (&table.entity_set_name, &table.logical_name);
        write!(
            xml,
            "<EntitySet Name=\"{set}\" EntityType=\"Microsoft.Dynamics.CRM.{name}\">"
        )?;
        for (navigation, target) in navigations(table) {
            let target_set = organization
                .table_named(target)
                .map(|index| &organization.table(index).definition().entity_set_name);
            if let Some(target_set) = target_set {
                write!(
                    xml,
                    "<NavigationPropertyBinding Path=\"{navigation}\" Target=\"{target_set}\" />"
                )?;
            }
        }
        if table.change_tracking_enabled {
            xml.push_str(
                "<Annotation Term=\"Org.OData.Capabilities.V1.ChangeTracking\"><Record>\
                 <PropertyValue Property=\"Supported\" Bool=\"true\" /></Record></Annotation>",
            );
        }
        xml.push_str("</EntitySet>");
    }
    xml.push_str("</EntityContainer>");
    Ok(())
}

fn write_entity_type(xml: &mut String, table: &TableDefinition) -> std::fmt::Result {
    let (name, id) = (&table.logical_name, &table.primary_id().logical_name);
    write!(
        xml,
        "<EntityType Name=\"{name}\" BaseType=\"mscrm.crmbaseentity\"><Key><PropertyRef Name=\"{id}\" /></Key>"
    )?;
    for (_, column) in table.live_columns() {
        write!(
            xml,
            "<Property Name=\"{}\" Type=\"{}\"",
            column.property,
            column.kind.edm_type()
        )?;
        if matches!(column.kind, ColumnKind::Text { .. } | ColumnKind::Memo { .. }) {
            xml.push_str(" Unicode=\"false\"");
        }
        xml.push_str(" />");
    }
    for (navigation, target) in navigations(table) {
        write!(
            xml,
            "<NavigationProperty Name=\"{navigation}\" Type=\"mscrm.{target}\" Nullable=\"false\" />"
        )?;
    }
    xml.push_str("</EntityType>");
    Ok(())
}

/// Navigation properties with their target tables; the owner, which has two targets under one name, once.
fn navigations(table: &TableDefinition) -> Vec<(&str, &str)> {
    let mut navigations: Vec<(&str, &str)> = Vec::new();
    for (_, column) in table.live_columns() {
        if let ColumnKind::Lookup { targets, .. } = &column.kind {
            for target in targets {
                if navigations.last().is_none_or(|(last, _)| *last != target.navigation) {
                    navigations.push((&target.navigation, &target.table));
                }
            }
        }
    }
    navigations
}
