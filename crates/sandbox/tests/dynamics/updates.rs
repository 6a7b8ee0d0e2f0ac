//! The status matrix of updates, upserts and deletes, conditions, alternate keys (contracts/dataverse.md §5.2 to §5.4).

use reqwest::Method;
use serde_json::{Value, json};

use crate::client::Environment;

const ABSENT: &str = "a1000000-0000-0000-0000-00000000000a";

#[tokio::test]
async fn patch_without_condition_updates_or_creates() {
    let environment = Environment::start().await;
    let path = format!("contacts({ABSENT})");
    let created = environment.patch(&path, json!({"firstname": "Ada"})).await.expect(204);
    assert_eq!(created.header("odata-entityid"), environment.api(&path));
    let updated = environment.patch(&path, json!({"lastname": "Byron"})).await.expect(204);
    assert_eq!(updated.header("odata-entityid"), environment.api(&path));
    assert_eq!(environment.get(&path).await.json()["fullname"], "Ada Byron");
}

#[tokio::test]
async fn representation_tells_update_from_create() {
    let environment = Environment::start().await;
    let path = format!("contacts({ABSENT})?$select=firstname");
    let prefer = [("Prefer", "return=representation")];
    environment
        .send(Method::PATCH, &path, &prefer, json!({"firstname": "A"}))
        .await
        .expect(201);
    let updated = environment
        .send(Method::PATCH, &path, &prefer, json!({"firstname": "B"}))
        .await
        .expect(200);
    assert_eq!(updated.json()["firstname"], "B");
    assert_eq!(updated.json()["contactid"], ABSENT);
}

#[tokio::test]
async fn conditions_decide_as_documented() {
    let environment = Environment::start().await;
    let id = environment.contact(json!({"firstname": "Ada"}));
    let (present, absent) = (format!("contacts({id})"), format!("contacts({ABSENT})"));
    let etag = environment.get(&present).await.header("etag").to_owned();
    let send = async |method: Method, path: &str, name: &str, value: &str| {
        environment
            .send(method, path, &[(name, value)], json!({"jobtitle": "x"}))
            .await
    };
    let text = send(Method::PATCH, &absent, "If-Match", "*")
        .await
        .expect_error(404, "0x80040217");
    assert_eq!(text, format!("contact With Id = {ABSENT} Does Not Exist"));
    send(Method::PATCH, &absent, "If-Match", &etag)
        .await
        .expect_error(404, "0x80040217");
    send(Method::PATCH, &present, "If-Match", "*").await.expect(204);
    let text = send(Method::PATCH, &present, "If-Match", &etag)
        .await
        .expect_error(412, "0x80060882");
    assert_eq!(
        text,
        "The version of the existing record doesn't match the RowVersion property provided."
    );
    let etag = environment.get(&present).await.header("etag").to_owned();
    send(Method::PATCH, &present, "If-Match", &etag).await.expect(204);
    send(Method::PATCH, &present, "If-None-Match", "*")
        .await
        .expect_error(412, "0x80040237");
    send(Method::DELETE, &present, "If-Match", "W/\"1\"")
        .await
        .expect_error(412, "0x80060882");
    send(Method::PATCH, &absent, "If-None-Match", "*").await.expect(204);
    let etag = environment.get(&present).await.header("etag").to_owned();
    send(Method::DELETE, &present, "If-Match", &etag).await.expect(204);
    environment.delete(&present).await.expect_error(404, "0x80040217");
}

#[tokio::test]
async fn single_properties_can_be_set_and_cleared() {
    let environment = Environment::start().await;
    let id = environment.contact(json!({"lastname": "Byron", "telephone1": "1"}));
    let path = format!("contacts({id})");
    environment
        .send(Method::PUT, &format!("{path}/lastname"), &[], json!({"value": "King"}))
        .await
        .expect(204);
    environment.delete(&format!("{path}/telephone1")).await.expect(204);
    let row = environment.get(&path).await.json();
    assert_eq!((&row["lastname"], &row["telephone1"]), (&json!("King"), &Value::Null));
    environment
        .delete(&format!("contacts({ABSENT})/telephone1"))
        .await
        .expect_error(404, "0x80040217");
}

#[tokio::test]
async fn every_update_raises_the_version() {
    let environment = Environment::start().await;
    let id = environment.contact(json!({"firstname": "Ada"}));
    let path = format!("contacts({id})");
    let version = async || environment.get(&path).await.json()["versionnumber"].as_u64().unwrap();
    let before = version().await;
    environment.patch(&path, json!({"firstname": "Ada"})).await.expect(204);
    assert!(version().await > before, "an unchanged value counts as an update");
}

#[tokio::test]
async fn deactivation_sets_the_matching_reason_and_rejects_others() {
    let environment = Environment::start().await;
    let id = environment.contact(json!({}));
    let path = format!("contacts({id})");
    environment.patch(&path, json!({"statecode": 1})).await.expect(204);
    let row = environment.get(&path).await.json();
    assert_eq!((&row["statecode"], &row["statuscode"]), (&json!(1), &json!(2)));
    let text = environment
        .patch(&path, json!({"statecode": 1, "statuscode": 1}))
        .await
        .expect_error(400, "0x80048408");
    assert!(
        text.contains("1 is not a valid status code for state code ContactState.Inactive"),
        "{text}"
    );
    environment
        .patch(&path, json!({"statecode": 0, "statuscode": 1}))
        .await
        .expect(204);
}

#[tokio::test]
async fn alternate_keys_address_rows_and_are_repeated_in_the_answer() {
    let environment = Environment::start().await;
    let path = "accounts(accountnumber='A-7')";
    let text = environment.get(path).await.expect_error(404, "0x80060891");
    assert_eq!(
        text,
        "A record with the specified key values does not exist in account entity"
    );
    environment
        .send(Method::PATCH, path, &[("If-Match", "*")], json!({"name": "A"}))
        .await
        .expect_error(404, "0x80060891");
    let created = environment.patch(path, json!({"name": "A"})).await.expect(204);
    assert_eq!(created.header("odata-entityid"), environment.api(path));
    let row = environment.get(path).await.expect(200).json();
    assert_eq!((&row["name"], &row["accountnumber"]), (&json!("A"), &json!("A-7")));
    environment
        .patch(
            path,
            json!({"accountnumber": "ignored when the row exists", "name": "B"}),
        )
        .await
        .expect(204);
    assert_eq!(
        environment
            .get("accounts(accountnumber='a-7')")
            .await
            .expect(200)
            .json()["name"],
        "B"
    );
    environment.delete(path).await.expect(204);
    environment.delete(path).await.expect_error(404, "0x80060891");
}

#[tokio::test]
async fn duplicate_alternate_key_and_undeclared_key_are_refused() {
    let environment = Environment::start().await;
    environment.row("account", json!({"name": "A", "accountnumber": "1"}));
    let text = environment
        .post("accounts", json!({"name": "B", "accountnumber": "1"}))
        .await
        .expect_error(412, "0x80060892");
    assert!(
        text.starts_with("Entity Key Account Number violated. A record with the same value for Account Number"),
        "{text}"
    );
    environment.row("account", json!({"name": "no number"}));
    environment.row("account", json!({"name": "no number either"}));
    let text = environment
        .get("contacts(emailaddress1='a%40example.com')")
        .await
        .expect_error(400, "0x80060888");
    assert!(
        text.starts_with("The key in the request URI is not valid for resource 'Microsoft.Dynamics.CRM.contact'."),
        "{text}"
    );
    environment.get("contacts(not-a-guid)").await.expect(400);
}

#[tokio::test]
async fn declared_key_of_several_columns_works_in_any_order() {
    let environment = Environment::start().await;
    let id = environment.contact(json!({"employeeid": "E1", "numberofchildren": 2}));
    environment
        .sandbox
        .dynamics()
        .declare_key("contact", "new_Both", &["employeeid", "numberofchildren"])
        .unwrap();
    for key in [
        "employeeid='E1',numberofchildren=2",
        "numberofchildren=2,employeeid='E1'",
    ] {
        assert_eq!(
            environment.get(&format!("contacts({key})")).await.expect(200).json()["contactid"],
            json!(id)
        );
    }
    environment
        .post("contacts", json!({"employeeid": "e1", "numberofchildren": 2}))
        .await
        .expect_error(412, "0x80060892");
}
