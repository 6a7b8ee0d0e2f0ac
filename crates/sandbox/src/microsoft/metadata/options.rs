//! Option sets on the wire (contracts/dataverse.md §4.3).

use serde_json::{Value, json};

use super::labels::{label, metadata_id};
use crate::microsoft::schema::{ColumnDefinition, ColumnKind, OptionChoice, OptionSet, TableDefinition};

/// The option set of a choice, state or status column.
pub(super) fn option_set(kind: &ColumnKind, set: &OptionSet) -> Value {
    let set_type = match kind {
        ColumnKind::State(_) => "State",
        ColumnKind::Status(_) => "Status",
        _ => "Picklist",
    };
    let options: Vec<Value> = set.options.iter().map(|choice| option_of(kind, choice)).collect();
    let mut body = head(&set.name, set_type, set.is_global);
    body["Options"] = options.into();
    body
}

/// The two options of a yes/no column.
pub(super) fn boolean_options(table: &TableDefinition, column: &ColumnDefinition) -> Value {
    let mut body = head(
        &format!("{}_{}", table.logical_name, column.logical_name),
        "Boolean",
        false,
    );
    if let ColumnKind::Boolean {
        false_label,
        true_label,
        ..
    } = &column.kind
    {
        body["TrueOption"] = option(1, Some(true_label));
        body["FalseOption"] = option(0, Some(false_label));
    }
    body
}

fn head(name: &str, set_type: &str, is_global: bool) -> Value {
    json!({
        "MetadataId": metadata_id(&["optionset", name]),
        "HasChanged": null,
        "IsCustomOptionSet": false,
        "IsGlobal": is_global,
        "IsManaged": true,
        "Name": name,
        "OptionSetType": set_type,
        "DisplayName": label(Some(name)),
        "Description": label(None),
    })
}

fn option_of(kind: &ColumnKind, choice: &OptionChoice) -> Value {
    let mut body = option(choice.value, choice.label.as_deref());
    match kind {
        ColumnKind::State(_) => {
            body["@odata.type"] = "#Microsoft.Dynamics.CRM.StateOptionMetadata".into();
            body["DefaultStatus"] = choice.linked.into();
            body["InvariantName"] = choice.label.clone().into();
        }
        ColumnKind::Status(_) => {
            body["@odata.type"] = "#Microsoft.Dynamics.CRM.StatusOptionMetadata".into();
            body["State"] = choice.linked.into();
            body["TransitionData"] = Value::Null;
        }
        _ => {}
    }
    body
}

fn option(value: i32, text: Option<&str>) -> Value {
    json!({
        "Value": value, "Color": null, "IsManaged": true, "ExternalValue": null, "ParentValues": [], "Tag": null,
        "IsHidden": false, "MetadataId": null, "HasChanged": null, "Label": label(text), "Description": label(None),
    })
}
