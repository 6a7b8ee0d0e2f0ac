//! Creating, and what a payload may hold (contracts/dataverse.md §5.1, §5.5).

use reqwest::Method;
use serde_json::{Value, json};

use crate::client::Environment;

#[tokio::test]
async fn create_answers_204_with_the_new_rows_url() {
    let environment = Environment::start().await;
    let answer = environment
        .post("contacts", json!({"firstname": "Ada", "lastname": "Byron"}))
        .await
        .expect(204);
    let url = answer.header("odata-entityid");
    assert!(
        url.starts_with(&environment.api("contacts(")) && url.ends_with(')'),
        "{url}"
    );
    let row = environment.get(url).await.expect(200).json();
    assert_eq!(row["fullname"], "Ada Byron");
    assert_eq!(row["donotemail"], false);
    assert_eq!(row["followemail"], true);
    let user = environment.sandbox.dynamics().config().application_user_id;
    assert_eq!(row["_ownerid_value"], json!(user));
}

#[tokio::test]
async fn create_with_representation_answers_201_and_honours_select() {
    let environment = Environment::start().await;
    let headers = [("Prefer", "return=representation")];
    let answer = environment
        .send(
            Method::POST,
            "contacts?$select=firstname",
            &headers,
            json!({"firstname": "Ada"}),
        )
        .await
        .expect(201);
    assert_eq!(answer.header("preference-applied"), "return=representation");
    assert!(!answer.headers.contains_key("odata-entityid"));
    let row = answer.json();
    assert_eq!(row["firstname"], "Ada");
    assert!(row["contactid"].is_string());
    assert!(row.get("lastname").is_none());
}

#[tokio::test]
async fn create_takes_an_own_id_once() {
    let environment = Environment::start().await;
    let id = "a1000000-0000-0000-0000-000000000001";
    let answer = environment.post("contacts", json!({"contactid": id})).await.expect(204);
    assert_eq!(
        answer.header("odata-entityid"),
        environment.api(&format!("contacts({id})"))
    );
    let text = environment
        .post("contacts", json!({"contactid": id}))
        .await
        .expect_error(412, "0x80040237");
    assert_eq!(text, "A record with matching key values already exists.");
}

#[tokio::test]
async fn server_set_columns_and_state_are_ignored_on_create() {
    let environment = Environment::start().await;
    let id = environment.contact(json!({
        "statecode": 1, "createdon": "2001-01-01T00:00:00Z", "fullname": "Not me", "firstname": "Ada", "merged": true,
    }));
    let row = environment.get(&format!("contacts({id})")).await.json();
    assert_eq!(
        (&row["statecode"], &row["fullname"], &row["merged"]),
        (&json!(0), &json!("Ada"), &json!(false))
    );
    assert!(row["createdon"].as_str().unwrap() > "2020");
}

#[tokio::test]
async fn back_dated_rows_swap_the_two_moments() {
    let environment = Environment::start().await;
    let id = environment.contact(json!({"overriddencreatedon": "2010-05-01T00:00:00Z"}));
    let row = environment.get(&format!("contacts({id})")).await.json();
    assert_eq!(row["createdon"], "2010-05-01T00:00:00Z");
    assert!(row["overriddencreatedon"].as_str().unwrap() > "2020");
}

#[tokio::test]
async fn values_are_validated() {
    let environment = Environment::start().await;
    let text = environment
        .post("contacts", json!({"firstname": "x".repeat(51)}))
        .await
        .expect_error(400, "0x80044331");
    let expected = "A validation error occurred.  The length of the 'firstname' attribute of the 'contact' entity \
                    exceeded the maximum allowed length of '50'.";
    assert_eq!(text, expected);
    environment
        .post("contacts", json!({"firstname": "é".repeat(50)}))
        .await
        .expect(204);
    let cases = [
        (json!({"numberofchildren": -1}), "0x8004432f"),
        (json!({"address1_latitude": 91.0}), "0x80044330"),
        (json!({"gendercode": 3}), "0x8004431a"),
        (json!({"birthdate": "1700-01-01"}), "0x80040239"),
        (json!({"birthdate": "1990-01-31T00:00:00Z"}), "0x80048d19"),
        (json!({"overriddencreatedon": "yesterday"}), "0x80048d19"),
        (json!({"donotemail": "yes"}), "0x80048d19"),
        (json!({"firstname": 5}), "0x80048d19"),
        (json!({"gendercode": "Male"}), "0x80048d19"),
        (json!({"nosuchcolumn": 1}), "0x80048d19"),
        (json!({"contactid": "not a guid"}), "0x80048d19"),
        (json!({"statuscode": 2}), "0x80048408"),
    ];
    for (payload, code) in cases {
        let shown = payload.to_string();
        let text = environment.post("contacts", payload).await.expect_error(400, code);
        assert!(!text.is_empty(), "{shown}");
    }
    let text = environment
        .post("contacts", json!({"gendercode": 3}))
        .await
        .expect_error(400, "0x8004431a");
    assert!(
        text.contains("The value 3 of 'gendercode' on record of type 'contact' is outside the valid range."),
        "{text}"
    );
}

#[tokio::test]
async fn malformed_json_is_a_payload_error() {
    let environment = Environment::start().await;
    let request = environment
        .request(Method::POST, "contacts")
        .header("Content-Type", "application/json")
        .body("{");
    let answer = crate::client::Answer::of(request.send().await.unwrap()).await;
    let text = answer.expect_error(400, "0x80048d19");
    assert!(
        text.starts_with("Error identified in Payload provided by the user for Entity :'contacts'"),
        "{text}"
    );
}

#[tokio::test]
async fn empty_text_and_null_clear_a_value() {
    let environment = Environment::start().await;
    let id = environment.contact(json!({"firstname": "Ada", "jobtitle": "Buyer", "gendercode": 1}));
    let path = format!("contacts({id})");
    environment
        .patch(&path, json!({"firstname": "", "jobtitle": null, "gendercode": null}))
        .await
        .expect(204);
    let row = environment.get(&path).await.json();
    assert_eq!(
        (&row["firstname"], &row["jobtitle"], &row["gendercode"]),
        (&Value::Null, &Value::Null, &Value::Null)
    );
}

#[tokio::test]
async fn lookups_are_written_through_navigation_properties() {
    let environment = Environment::start().await;
    let account = environment.row("account", json!({"name": "A", "accountnumber": "A-1"}));
    let parent = environment.contact(json!({"firstname": "Boss"}));
    let id = environment.contact(json!({"firstname": "Ada"}));
    let path = format!("contacts({id})");
    let read = async || environment.get(&path).await.expect(200).json()["_parentcustomerid_value"].clone();
    for reference in [
        format!("/accounts({account})"),
        format!("accounts({account})"),
        environment.api(&format!("accounts({account})")),
        "/accounts(accountnumber='A-1')".to_owned(),
    ] {
        environment
            .patch(&path, json!({"parentcustomerid_account@odata.bind": reference}))
            .await
            .expect(204);
        assert_eq!(read().await, json!(account), "{reference}");
        environment
            .patch(&path, json!({"parentcustomerid_account@odata.bind": null}))
            .await
            .expect(204);
        assert_eq!(read().await, Value::Null);
    }
    environment
        .patch(
            &path,
            json!({"parentcustomerid_contact@odata.bind": format!("/contacts({parent})")}),
        )
        .await
        .expect(204);
    assert_eq!(read().await, json!(parent));
    environment
        .patch(&path, json!({"parentcustomerid_account": null}))
        .await
        .expect(204);
    assert_eq!(read().await, Value::Null);
    let body = json!({"@odata.id": environment.api(&format!("accounts({account})"))});
    environment
        .send(Method::PUT, &format!("{path}/parentcustomerid_account/$ref"), &[], body)
        .await
        .expect(204);
    assert_eq!(read().await, json!(account));
    environment
        .delete(&format!("{path}/parentcustomerid_account/$ref"))
        .await
        .expect(204);
    assert_eq!(read().await, Value::Null);
}

#[tokio::test]
async fn wrong_lookup_writes_have_their_own_errors() {
    let environment = Environment::start().await;
    let account = environment.row("account", json!({"name": "A"}));
    let id = environment.contact(json!({}));
    let path = format!("contacts({id})");
    let bound = format!("/accounts({account})");
    for name in ["parentcustomerid", "ParentCustomerId_Account", "nosuch"] {
        let text = environment
            .patch(&path, json!({format!("{name}@odata.bind"): bound}))
            .await
            .expect_error(400, "0x80048d19");
        assert!(
            text.contains(&format!(
                "An undeclared property '{name}' which only has property annotations"
            )),
            "{text}"
        );
    }
    let text = environment
        .patch(&path, json!({"_parentcustomerid_value": account}))
        .await
        .expect_error(400, "0x80060888");
    let expected =
        "CRM do not support direct update of Entity Reference properties, Use Navigation properties instead.";
    assert_eq!(text, expected);
    environment
        .patch(&path, json!({"transactioncurrencyid": account}))
        .await
        .expect_error(400, "0x80060888");
    let text = environment
        .patch(&path, json!({"_parentcustomerid_value": null}))
        .await
        .expect_error(400, "0x80060888");
    assert!(
        text.starts_with("Property _parentcustomerid_value cannot be updated to null."),
        "{text}"
    );
    let text = environment
        .post("contacts", json!({"parentcustomerid_account@odata.bind": null}))
        .await
        .expect_error(400, "0x80048d19");
    assert!(text.contains("null value"), "{text}");
    let missing = json!({"parentcustomerid_account@odata.bind": "/accounts(a1000000-0000-0000-0000-000000000009)"});
    let text = environment.patch(&path, missing).await.expect_error(404, "0x80040217");
    assert_eq!(
        text,
        "account With Id = a1000000-0000-0000-0000-000000000009 Does Not Exist"
    );
    let crossed = json!({"parentcustomerid_contact@odata.bind": bound});
    environment.patch(&path, crossed).await.expect_error(400, "0x80048d19");
}

#[tokio::test]
async fn owner_may_be_a_user_or_a_team() {
    let environment = Environment::start().await;
    let id = environment.contact(json!({}));
    let path = format!("contacts({id})");
    for set in ["systemusers", "teams"] {
        let owner = environment.get(set).await.rows()[0].clone();
        let key = if set == "teams" { "teamid" } else { "systemuserid" };
        let owner = owner[key].as_str().unwrap();
        environment
            .patch(&path, json!({"ownerid@odata.bind": format!("/{set}({owner})")}))
            .await
            .expect(204);
        let row = environment
            .get_with(&path, "odata.include-annotations=\"*\"")
            .await
            .json();
        assert_eq!(row["_ownerid_value"], json!(owner));
        let table = row["_ownerid_value@Microsoft.Dynamics.CRM.lookuplogicalname"]
            .as_str()
            .unwrap();
        assert_eq!(format!("{table}s"), set);
    }
}

#[tokio::test]
async fn deleting_a_row_clears_lookups_to_it_and_that_is_a_change() {
    let environment = Environment::start().await;
    let account = environment.row("account", json!({"name": "A"}));
    let id = environment.contact(json!({"parentcustomerid_account@odata.bind": format!("/accounts({account})")}));
    let (_, last) = environment
        .read_all("contacts?$select=firstname", "odata.track-changes")
        .await;
    environment.delete(&format!("accounts({account})")).await.expect(204);
    let row = environment.get(&format!("contacts({id})")).await.json();
    assert_eq!(row["_parentcustomerid_value"], Value::Null);
    let delta = environment.get(last["@odata.deltaLink"].as_str().unwrap()).await.rows();
    assert_eq!(delta[0]["contactid"], json!(id));
}

#[tokio::test]
async fn tables_of_the_system_cannot_be_created_or_deleted() {
    let environment = Environment::start().await;
    let text = environment
        .post("systemusers", json!({"firstname": "X"}))
        .await
        .expect_error(400, "0x80040800");
    assert!(
        text.starts_with("The 'Create' method does not support entities of type 'systemuser'."),
        "{text}"
    );
    let user = environment.sandbox.dynamics().config().application_user_id;
    environment
        .delete(&format!("systemusers({user})"))
        .await
        .expect_error(400, "0x80040800");
}
