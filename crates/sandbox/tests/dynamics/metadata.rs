//! Metadata (contracts/dataverse.md §4, §8).

use serde_json::{Value, json};

use crate::client::Environment;

const CONTACT: &str = "EntityDefinitions(LogicalName='contact')";

async fn cast(environment: &Environment, attribute: &str, kind: &str, rest: &str) -> Value {
    let path =
        format!("{CONTACT}/Attributes(LogicalName='{attribute}')/Microsoft.Dynamics.CRM.{kind}AttributeMetadata{rest}");
    environment.get(&path).await.expect(200).json()
}

#[tokio::test]
async fn table_definition_has_the_selected_properties_and_its_id() {
    let environment = Environment::start().await;
    let select = "LogicalName,EntitySetName,PrimaryIdAttribute,PrimaryNameAttribute,ChangeTrackingEnabled,ObjectTypeCode,\
                  OwnershipType,DisplayName";
    let body = environment
        .get(&format!("{CONTACT}?$select={select}"))
        .await
        .expect(200)
        .json();
    assert_eq!(body["EntitySetName"], "contacts");
    assert_eq!(body["PrimaryIdAttribute"], "contactid");
    assert_eq!(body["PrimaryNameAttribute"], "fullname");
    assert_eq!(body["ChangeTrackingEnabled"], true);
    assert_eq!(body["ObjectTypeCode"], 2);
    assert_eq!(body["OwnershipType"], "UserOwned");
    assert_eq!(body["DisplayName"]["UserLocalizedLabel"]["Label"], "Contact");
    assert_eq!(body["DisplayName"]["LocalizedLabels"][0]["LanguageCode"], 1033);
    assert!(body["MetadataId"].is_string());
    assert!(body.get("SchemaName").is_none());
    let context = environment.api(&format!("$metadata#EntityDefinitions({select})/$entity"));
    assert_eq!(body["@odata.context"], json!(context));
    let id = body["MetadataId"].as_str().unwrap();
    let by_id = environment
        .get(&format!("EntityDefinitions({id})?$select=LogicalName"))
        .await
        .expect(200)
        .json();
    assert_eq!(by_id["LogicalName"], "contact");
    environment
        .get("EntityDefinitions(LogicalName='nosuch')")
        .await
        .expect(404);
}

#[tokio::test]
async fn definitions_can_be_filtered_by_simple_comparisons_only() {
    let environment = Environment::start().await;
    let names = async |filter: &str| -> Vec<String> {
        let path = format!("EntityDefinitions?$select=LogicalName&$filter={filter}");
        let rows = environment.get(&path).await.expect(200).rows();
        rows.iter()
            .map(|row| row["LogicalName"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(names("ChangeTrackingEnabled eq true").await, ["contact", "account"]);
    assert_eq!(
        names("OwnershipType eq Microsoft.Dynamics.CRM.OwnershipTypes'UserOwned'").await,
        ["contact", "account"]
    );
    assert_eq!(
        names("CanChangeTrackingBeEnabled/Value eq true and LogicalName ne 'contact'").await,
        ["account"]
    );
    let refused = environment
        .get("EntityDefinitions?$filter=startswith(LogicalName,'con')")
        .await;
    let text = refused.expect_error(501, "0x8006088a");
    assert_eq!(
        text,
        "The \"startswith\" function isn't supported for Metadata Entities."
    );
    environment
        .sandbox
        .dynamics()
        .set_change_tracking("contact", false)
        .unwrap();
    assert_eq!(names("ChangeTrackingEnabled eq true").await, ["account"]);
}

#[tokio::test]
async fn attributes_carry_types_and_base_properties() {
    let environment = Environment::start().await;
    let select = "LogicalName,AttributeType,AttributeTypeName,AttributeOf,IsValidForCreate,IsValidForUpdate,DisplayName,\
                  RequiredLevel,IsPrimaryId,IsPrimaryName";
    let rows = environment
        .get(&format!("{CONTACT}/Attributes?$select={select}"))
        .await
        .expect(200)
        .rows();
    let find = |name: &str| {
        rows.iter()
            .find(|row| row["LogicalName"] == name)
            .unwrap_or_else(|| panic!("no {name}"))
    };
    let first = find("firstname");
    assert_eq!(first["@odata.type"], "#Microsoft.Dynamics.CRM.StringAttributeMetadata");
    assert_eq!(first["AttributeTypeName"]["Value"], "StringType");
    assert_eq!(first["RequiredLevel"]["Value"], "Recommended");
    assert_eq!(find("lastname")["RequiredLevel"]["Value"], "ApplicationRequired");
    assert_eq!(
        (
            &find("fullname")["IsValidForCreate"],
            &find("fullname")["IsPrimaryName"]
        ),
        (&json!(false), &json!(true))
    );
    assert_eq!(
        (
            &find("statecode")["IsValidForCreate"],
            &find("statecode")["IsValidForUpdate"]
        ),
        (&json!(false), &json!(true))
    );
    assert_eq!(find("contactid")["IsPrimaryId"], true);
    assert_eq!(find("parentcustomerid")["AttributeTypeName"]["Value"], "CustomerType");
    assert_eq!(find("parentcustomeridname")["AttributeOf"], "parentcustomerid");
    assert_eq!(
        find("donotsendmm")["DisplayName"]["UserLocalizedLabel"]["Label"],
        "Send Marketing Materials"
    );
    let unlabelled = find("utcconversiontimezonecode");
    assert_eq!(
        unlabelled["DisplayName"],
        json!({"LocalizedLabels": [], "UserLocalizedLabel": null})
    );
    environment
        .get(&format!("{CONTACT}/Attributes?$select=MaxLength"))
        .await
        .expect(400);
}

#[tokio::test]
async fn casts_show_type_specific_properties() {
    let environment = Environment::start().await;
    let text = cast(
        &environment,
        "emailaddress1",
        "String",
        "?$select=LogicalName,MaxLength,FormatName",
    )
    .await;
    assert_eq!(
        (&text["MaxLength"], &text["FormatName"]["Value"]),
        (&json!(100), &json!("Email"))
    );
    let date = cast(
        &environment,
        "birthdate",
        "DateTime",
        "?$select=Format,DateTimeBehavior",
    )
    .await;
    assert_eq!(date["DateTimeBehavior"]["Value"], "DateOnly");
    let moment = cast(&environment, "lastusedincampaign", "DateTime", "").await;
    assert_eq!(
        (&moment["Format"], &moment["DateTimeBehavior"]["Value"]),
        (&json!("DateOnly"), &json!("UserLocal"))
    );
    let lookup = cast(&environment, "parentcustomerid", "Lookup", "?$select=Targets").await;
    assert_eq!(lookup["Targets"], json!(["account", "contact"]));
    let latitude = cast(&environment, "address1_latitude", "Double", "").await;
    assert_eq!(
        (&latitude["MinValue"], &latitude["Precision"]),
        (&json!(-90.0), &json!(5))
    );
    let path =
        format!("{CONTACT}/Attributes/Microsoft.Dynamics.CRM.MemoAttributeMetadata?$select=LogicalName,MaxLength");
    let memos = environment.get(&path).await.expect(200).rows();
    assert!(
        memos
            .iter()
            .any(|memo| memo["LogicalName"] == "description" && memo["MaxLength"] == 2000)
    );
    assert!(memos.iter().all(|memo| memo["LogicalName"] != "firstname"));
    environment
        .get(&format!(
            "{CONTACT}/Attributes/Microsoft.Dynamics.CRM.EnumAttributeMetadata"
        ))
        .await
        .expect(404);
}

#[tokio::test]
async fn option_sets_expand_with_labels() {
    let environment = Environment::start().await;
    let gender = cast(
        &environment,
        "gendercode",
        "Picklist",
        "?$select=LogicalName&$expand=OptionSet,GlobalOptionSet",
    )
    .await;
    assert_eq!(gender["OptionSet"]["Name"], "contact_gendercode");
    assert_eq!(gender["OptionSet"]["OptionSetType"], "Picklist");
    let options = gender["OptionSet"]["Options"].as_array().unwrap();
    let labels: Vec<_> = options
        .iter()
        .map(|option| option["Label"]["UserLocalizedLabel"]["Label"].as_str().unwrap())
        .collect();
    assert_eq!(labels, ["Male", "Female"]);
    assert_eq!(
        gender["GlobalOptionSet"]["MetadataId"],
        gender["OptionSet"]["MetadataId"]
    );
    let path = format!(
        "{CONTACT}/Attributes/Microsoft.Dynamics.CRM.StatusAttributeMetadata?$select=LogicalName&$expand=OptionSet($select=Options)"
    );
    let status = environment.get(&path).await.expect(200).rows()[0].clone();
    assert_eq!(status["OptionSet"]["Options"][1]["State"], 1);
    let state = cast(&environment, "statecode", "State", "?$expand=OptionSet").await;
    assert_eq!(state["OptionSet"]["Options"][1]["DefaultStatus"], 2);
}

#[tokio::test]
async fn consent_labels_are_not_uniform() {
    let environment = Environment::start().await;
    let path = format!(
        "{CONTACT}/Attributes/Microsoft.Dynamics.CRM.BooleanAttributeMetadata?$select=LogicalName,DefaultValue&$expand=OptionSet"
    );
    let rows = environment.get(&path).await.expect(200).rows();
    let cases = [
        ("donotemail", "Allow", "Do Not Allow", false),
        ("donotbulkemail", "Allow", "Do Not Allow", false),
        ("donotphone", "Allow", "Do Not Allow", false),
        ("donotfax", "Allow", "Do Not Allow", false),
        ("donotpostalmail", "Allow", "Do Not Allow", false),
        ("donotbulkpostalmail", "No", "Yes", false),
        ("donotsendmm", "Send", "Do Not Send", false),
        ("followemail", "Do Not Allow", "Allow", true),
        ("marketingonly", "No", "Yes", false),
    ];
    for (name, false_label, true_label, default) in cases {
        let row = rows.iter().find(|row| row["LogicalName"] == name).unwrap();
        let label = |option: &str| row["OptionSet"][option]["Label"]["UserLocalizedLabel"]["Label"].clone();
        assert_eq!(
            (label("FalseOption"), label("TrueOption")),
            (json!(false_label), json!(true_label)),
            "{name}"
        );
        assert_eq!(row["DefaultValue"], default, "{name}");
    }
}

#[tokio::test]
async fn relationships_name_the_navigation_properties() {
    let environment = Environment::start().await;
    let path = format!(
        "{CONTACT}/ManyToOneRelationships?$select=ReferencingAttribute,ReferencedEntity,ReferencedAttribute,\
         ReferencingEntityNavigationPropertyName&$filter=ReferencingAttribute eq 'parentcustomerid'"
    );
    let rows = environment.get(&path).await.expect(200).rows();
    let pairs: Vec<_> = rows
        .iter()
        .map(|row| {
            (
                row["ReferencedEntity"].as_str().unwrap(),
                row["ReferencingEntityNavigationPropertyName"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        pairs,
        [
            ("account", "parentcustomerid_account"),
            ("contact", "parentcustomerid_contact")
        ]
    );
    assert_eq!(rows[0]["ReferencedAttribute"], "accountid");
}

#[tokio::test]
async fn keys_expand_on_the_table_and_list_alone() {
    let environment = Environment::start().await;
    let path = "EntityDefinitions(LogicalName='account')?$select=LogicalName&$expand=Keys($select=SchemaName,KeyAttributes,EntityKeyIndexStatus)";
    let body = environment.get(path).await.expect(200).json();
    assert_eq!(body["Keys"][0]["KeyAttributes"], json!(["accountnumber"]));
    assert_eq!(body["Keys"][0]["EntityKeyIndexStatus"], "Active");
    let contact_keys = environment.get(&format!("{CONTACT}/Keys")).await.expect(200).rows();
    assert!(contact_keys.is_empty(), "contact has no alternate key out of the box");
}

#[tokio::test]
async fn removed_column_vanishes_from_metadata_and_changes_the_metadata_version() {
    let environment = Environment::with_contacts(1).await;
    let version = async || {
        let body = environment
            .get_with("contacts?$top=1", "odata.include-annotations=\"*\"")
            .await
            .json();
        body["@Microsoft.Dynamics.CRM.globalmetadataversion"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let before = version().await;
    environment
        .sandbox
        .dynamics()
        .set_column_removed("contact", "fax", true)
        .unwrap();
    assert_ne!(version().await, before);
    environment
        .get(&format!("{CONTACT}/Attributes(LogicalName='fax')"))
        .await
        .expect(404);
    environment
        .get("contacts?$select=fax")
        .await
        .expect_error(400, "0x80060888");
    environment
        .post("contacts", json!({"fax": "1"}))
        .await
        .expect_error(400, "0x80048d19");
    let csdl = environment.get("$metadata").await.expect(200);
    assert!(!csdl.text.contains("Name=\"fax\"") && csdl.text.contains("Name=\"telephone1\""));
}

#[tokio::test]
async fn service_document_and_csdl_list_the_entity_sets() {
    let environment = Environment::start().await;
    let sets = environment.get("").await.expect(200).rows();
    assert!(
        sets.iter()
            .any(|set| set["url"] == "contacts" && set["kind"] == "EntitySet")
    );
    let csdl = environment.get("$metadata").await.expect(200);
    assert_eq!(csdl.header("content-type"), "application/xml");
    for part in [
        "<EntityType Name=\"contact\"",
        "<PropertyRef Name=\"contactid\" />",
        "<Property Name=\"birthdate\" Type=\"Edm.Date\" />",
        "<Property Name=\"_parentcustomerid_value\" Type=\"Edm.Guid\" />",
        "<NavigationProperty Name=\"parentcustomerid_account\" Type=\"mscrm.account\"",
        "<EntitySet Name=\"contacts\" EntityType=\"Microsoft.Dynamics.CRM.contact\">",
        "Org.OData.Capabilities.V1.ChangeTracking",
    ] {
        assert!(csdl.text.contains(part), "{part}");
    }
}
