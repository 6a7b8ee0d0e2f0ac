//! `crosswalk mappings`.

use insta::assert_snapshot;
use serde_json::json;

use crate::{
    run::{run, run_with_input},
    server::{CONTACT, Server},
};

const ACCOUNT: &str = r#"
dynamicsTable = "account"
campaignResource = "cusCompany"
key = { campaignField = "externalId" }
fields = [{ dynamicsField = "name", campaignField = "label" }]
"#;

#[tokio::test]
async fn list_and_get_show_what_goes_where() {
    let server = Server::start().await;
    let list = run(&server, &["mappings", "list"]).await;
    let get = run(&server, &["mappings", "get", "contact"]).await;
    assert_snapshot!(format!("{}\n{}", list.transcript(), get.transcript()), @r"
    exit 0
    --- stdout
    MAPPING  DYNAMICS TABLE  CAMPAIGN RESOURCE  KEY                     FIELDS  UPDATED
    contact  contact         profile            contactid → externalId  2       1 h ago
    --- stderr

    exit 0
    --- stdout
    Mapping:            contact
    Dynamics table:     contact
    Campaign resource:  profile
    Options:            overLong = OVER_LONG_TRUNCATE
    Created:            25 h ago
    Updated:            1 h ago

    DYNAMICS FIELD  TYPE    CAMPAIGN FIELD  TYPE  UPDATES
    contactid       –       externalId      –     key
    firstname       –       firstName       –     yes
    emailaddress1   String  email           –     yes
    --- stderr
    the types of profile are not known: Dynamics 365 has no table `profile`
    ");
}

#[tokio::test]
async fn apply_creates_a_mapping_that_is_not_there() {
    let server = Server::start().await;
    let ran = run_with_input(&server, &["mappings", "apply", "--id", "account", "-f", "-"], ACCOUNT).await;
    assert_snapshot!(ran.transcript(), @r"
    exit 0
    --- stdout
    SETTING               BEFORE  AFTER
    dynamicsTable         –       account
    campaignResource      –       cusCompany
    key.campaignField     –       externalId
    fields[label]         –       name
    options.applyDeletes  –       false
    options.overLong      –       OVER_LONG_REJECT
    options.choices       –       CHOICE_FORM_TECHNICAL_VALUE
    options.empty         –       EMPTY_VALUE_CLEAR
    --- stderr
    created mapping account
    ");
    let stored = server
        .mappings
        .find("instances/demo/workflows/ingress/mappings/account")
        .expect("is there");
    assert_eq!(stored.campaign_resource, "cusCompany");
}

#[tokio::test]
async fn what_get_writes_can_be_applied_and_changes_nothing() {
    let server = Server::start().await;
    let before = server.mappings.find(CONTACT);
    let file = run(&server, &["mappings", "get", "contact", "--output", "json"])
        .await
        .stdout;
    assert!(file.contains("createTime") && file.contains("etag"), "{file}");
    let ran = run_with_input(&server, &["mappings", "apply", "-f", "-", "-o", "json"], &file).await;
    assert_eq!(
        (ran.json()["action"].clone(), ran.json()["changes"].clone()),
        (json!("unchanged"), json!([]))
    );
    assert_eq!(server.mappings.find(CONTACT), before);
}

#[tokio::test]
async fn edited_file_changes_just_what_was_edited() {
    let server = Server::start().await;
    let file = run(&server, &["mappings", "get", "contact", "--output", "json"])
        .await
        .stdout;
    let edited = file
        .replace("emailaddress1", "emailaddress2")
        .replace("OVER_LONG_TRUNCATE", "OVER_LONG_REJECT");
    let directory = tempfile::tempdir().expect("is made");
    let path = directory.path().join("contact.json");
    std::fs::write(&path, edited).expect("is written");
    let ran = run(&server, &["mappings", "apply", "-f", path.to_str().expect("is UTF-8")]).await;
    assert_snapshot!(ran.transcript(), @r"
    exit 0
    --- stdout
    SETTING           BEFORE              AFTER
    fields[email]     emailaddress1       emailaddress2
    options.overLong  OVER_LONG_TRUNCATE  OVER_LONG_REJECT
    --- stderr
    updated mapping contact
    ");
    let stored = server.mappings.find(CONTACT).expect("is there");
    assert_eq!(stored.fields[1].dynamics_field, "emailaddress2");
}

#[tokio::test]
async fn stale_etag_is_refused_and_none_replaces_what_is_there() {
    let server = Server::start().await;
    let mut file = run(&server, &["mappings", "get", "contact", "--output", "json"])
        .await
        .json();
    file["etag"] = json!("6");
    file["fields"] = json!([]);
    let stale = run_with_input(&server, &["mappings", "apply", "-f", "-"], &file.to_string()).await;
    assert_snapshot!(stale.transcript(), @r"
    exit 1
    --- stdout
    --- stderr
    error: instances/demo/workflows/ingress/mappings/contact has been changed: its etag is 7, not 6 (ABORTED, ETAG_MISMATCH)
    hint: somebody changed it meanwhile: get it anew, repeat your change, and try again
    ");

    file["etag"] = json!("");
    let ran = run_with_input(
        &server,
        &["mappings", "apply", "-f", "-", "-o", "json"],
        &file.to_string(),
    )
    .await;
    assert_eq!(ran.json()["action"], "updated");
    assert_eq!(server.mappings.find(CONTACT).expect("is there").fields, []);
}

#[tokio::test]
async fn key_left_to_be_detected_keeps_the_present_one() {
    let server = Server::start().await;
    let mut file = run(&server, &["mappings", "get", "contact", "--output", "json"])
        .await
        .json();
    file["key"] = json!({"campaignField": "externalId"});
    let ran = run_with_input(
        &server,
        &["mappings", "apply", "-f", "-", "-o", "json"],
        &file.to_string(),
    )
    .await;
    assert_eq!(ran.json()["action"], "unchanged");
}

#[tokio::test]
async fn unknown_field_is_named_with_its_place_and_nothing_is_sent() {
    let server = Server::start().await;
    let before = server.mappings.find(CONTACT);
    let file = r#"{"fields": [{"dynamicsField": "name", "campaignFeld": "label"}]}"#;
    let ran = run_with_input(&server, &["mappings", "apply", "--id", "contact", "-f", "-"], file).await;
    assert_eq!((ran.code, ran.stdout.as_str()), (2, ""));
    assert!(ran.stderr.starts_with("error: standard input: fields[0]"), "{ran:?}");
    assert!(ran.stderr.contains("unknown field `campaignFeld`"), "{ran:?}");
    assert_eq!(server.mappings.find(CONTACT), before);
}

#[tokio::test]
async fn file_of_another_instance_needs_an_explicit_id() {
    let server = Server::start().await;
    let file = CONTACT.replace("demo", "stage");
    let file = json!({"name": file, "dynamicsTable": "contact", "etag": "99"}).to_string();
    let refused = run_with_input(&server, &["mappings", "apply", "-f", "-"], &file).await;
    assert_eq!(refused.code, 2, "{refused:?}");
    assert!(
        refused.stderr.contains("is no mapping of instances/demo"),
        "{refused:?}"
    );
    let copied = run_with_input(&server, &["mappings", "apply", "--id", "copy", "-f", "-"], &file).await;
    assert_eq!(copied.code, 0, "{copied:?}");
}

#[tokio::test]
async fn deleted_mapping_is_gone() {
    let server = Server::start().await;
    let ran = run(&server, &["mappings", "delete", "contact"]).await;
    assert_eq!(
        (ran.code, ran.stdout.as_str(), ran.stderr.as_str()),
        (0, "", "deleted mapping contact\n")
    );
    assert_eq!(server.mappings.find(CONTACT), None);
    assert_eq!(run(&server, &["mappings", "get", "contact"]).await.code, 1);
}

#[tokio::test]
async fn replay_says_when_it_begins_and_get_shows_it() {
    let server = Server::start().await;
    let ran = run(&server, &["mappings", "replay", "contact", "--force"]).await;
    assert!(ran.code == 0 && ran.stderr.contains("at the next start"), "{ran:?}");
    let shown = run(&server, &["mappings", "get", "contact"]).await;
    assert!(shown.stdout.contains("of all records"), "{shown:?}");
}

#[tokio::test]
async fn preview_shows_the_source_row_the_mapped_row_and_what_campaign_holds() {
    let server = Server::start().await;
    let ran = run(&server, &["mappings", "preview", "contact", "--record", "a1"]).await;
    assert_snapshot!(ran.transcript(), @r#"
    exit 0
    --- stdout
    Record:      a1
    Effect:      UPDATE
    Mapped row:  {"firstName":"Ada"}
    DYNAMICS FIELD  VALUE
    firstname       Ada of Dynamics
    CAMPAIGN FIELD  CAMPAIGN HOLDS  WOULD BE  WRITTEN BY
    firstName       "Augusta"       "Ada"     any change
    cusNotes        "old"           "new"     a replay only
    --- stderr
    "#);
}

#[tokio::test]
async fn preview_names_the_conditions_of_the_saved_mapping_that_do_not_hold() {
    let server = Server::start().await;
    let mut mapping = run(&server, &["mappings", "get", "contact", "-o", "json"]).await.json();
    mapping["filter"] = json!({"conditions": [
        {"dynamicsField": "statecode", "operator": "OPERATOR_NOT_EQUALS", "values": ["1"]}]});
    run_with_input(&server, &["mappings", "apply", "-f", "-"], &mapping.to_string()).await;
    let ran = run(&server, &["mappings", "preview", "contact", "--record", "filtered"]).await;
    for expected in ["statecode not equals `1`", "FILTERED; DELETE if Crosswalk wrote it"] {
        assert!(ran.stdout.contains(expected), "{expected} in {ran:?}");
    }
}

#[tokio::test]
async fn estimate_tells_the_calls_of_the_whole_table() {
    let server = Server::start().await;
    let ran = run(&server, &["mappings", "estimate", "contact"]).await;
    assert!(ran.code == 0 && ran.stdout.contains("1,200"), "{ran:?}");
    assert!(ran.stdout.contains("a replay; a start without one"), "{ran:?}");
    let json = run(&server, &["mappings", "estimate", "contact", "-o", "json"])
        .await
        .json();
    assert_eq!(json["done"], true);
}

#[tokio::test]
async fn an_estimate_that_the_server_ends_early_is_no_wrong_usage() {
    let server = Server::start().await;
    let cut = ACCOUNT.replace("cusCompany", "cusCut");
    run_with_input(&server, &["mappings", "apply", "--id", "account", "-f", "-"], &cut).await;
    let ran = run(&server, &["mappings", "estimate", "account"]).await;
    assert!(
        ran.code == 1 && ran.stderr.contains("before the whole table"),
        "{ran:?}"
    );
}

#[tokio::test]
async fn filters_replacements_and_updates_are_settings_like_any_other() {
    let server = Server::start().await;
    let mut mapping = run(&server, &["mappings", "get", "contact", "-o", "json"]).await.json();
    mapping["fields"][0]["applyUpdates"] = json!(false);
    mapping["replacements"] = json!([{"dynamicsField": "firstname", "existingValue": "A", "newValue": "B"}]);
    mapping["filter"] = json!({"combination": "COMBINATION_OR", "conditions": [
        {"dynamicsField": "statecode", "operator": "OPERATOR_NOT_EQUALS", "values": ["1"]}]});
    let file = mapping.to_string();
    let ran = run_with_input(&server, &["mappings", "apply", "-f", "-"], &file).await;
    for expected in [
        "firstname (without updates)",
        "replacements[firstname][A]",
        "statecode not equals `1`",
    ] {
        assert!(ran.stdout.contains(expected), "{expected} in {ran:?}");
    }
    let shown = run(&server, &["mappings", "get", "contact"]).await;
    assert!(shown.stdout.contains("statecode not equals `1`"), "{shown:?}");
    let again = run(&server, &["mappings", "get", "contact", "-o", "json"])
        .await
        .json()
        .to_string();
    let again = run_with_input(&server, &["mappings", "apply", "-f", "-"], &again).await;
    assert!(again.stderr.contains("is so already"), "{again:?}");
}
