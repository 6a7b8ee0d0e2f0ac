//! Authentication answers and the headers of every answer (contracts/dataverse.md §1.5, §2.4).

use serde_json::json;

use crate::client::{Answer, Environment, TENANT};

#[tokio::test]
async fn without_a_valid_token_401_names_the_tenant_and_has_no_body() {
    let mut environment = Environment::start().await;
    environment.token = "eyJ.not.valid".to_owned();
    let bad = environment.get("WhoAmI").await.expect(401);
    let none = Answer::of(environment.http.get(environment.api("WhoAmI")).send().await.unwrap())
        .await
        .expect(401);
    for answer in [bad, none] {
        assert_eq!(answer.text, "");
        let challenge = answer.header("www-authenticate");
        let microsoft = environment.sandbox.microsoft_url();
        let expected =
            format!("Bearer authorization_uri={microsoft}/{TENANT}/oauth2/authorize, resource_id={microsoft}/");
        assert_eq!(challenge, expected);
    }
}

#[tokio::test]
async fn revoked_access_tokens_get_401_until_a_new_one_is_fetched() {
    let mut environment = Environment::start().await;
    environment.sandbox.dynamics().revoke_access_tokens();
    environment.get("WhoAmI").await.expect(401);
    let microsoft = environment.sandbox.microsoft_url();
    environment.token = crate::client::fetch_token(&environment.http, &microsoft, crate::client::CLIENT_ID).await;
    environment.get("WhoAmI").await.expect(200);
}

#[tokio::test]
async fn every_answer_carries_the_products_headers() {
    let environment = Environment::start().await;
    let answer = environment.get("WhoAmI").await.expect(200);
    assert_eq!(answer.header("odata-version"), "4.0");
    assert_eq!(
        answer.header("content-type"),
        "application/json; odata.metadata=minimal"
    );
    assert_eq!(answer.headers.get_all("x-ms-service-request-id").iter().count(), 2);
    assert_eq!(answer.header("x-ms-ratelimit-time-remaining-xrm-requests"), "1,200.00");
    assert_eq!(answer.header("x-ms-ratelimit-burst-remaining-xrm-requests"), "5999");
    assert_eq!(answer.header("x-ms-dop-hint"), "48");
    assert!(answer.header("set-cookie").starts_with("ARRAffinity="));
    let ids: Vec<_> = answer.headers.get_all("x-ms-service-request-id").iter().collect();
    assert!(ids.contains(&answer.headers.get("req_id").unwrap()));
}

#[tokio::test]
async fn who_am_i_names_user_unit_and_organization() {
    let environment = Environment::start().await;
    let body = environment.get("WhoAmI").await.expect(200).json();
    let config = environment.sandbox.dynamics().config();
    assert_eq!(body["UserId"], json!(config.application_user_id));
    assert_eq!(body["BusinessUnitId"], json!(config.business_unit_id));
    assert_eq!(body["OrganizationId"], json!(config.organization_id));
    let context = environment.api("$metadata#Microsoft.Dynamics.CRM.WhoAmIResponse");
    assert_eq!(body["@odata.context"], json!(context));
}

#[tokio::test]
async fn unknown_segments_and_methods_have_their_own_errors() {
    let environment = Environment::start().await;
    let text = environment.get("contactz").await.expect_error(404, "0x80060888");
    assert_eq!(text, "Resource not found for the segment 'contactz'.");
    environment.get("Contacts").await.expect_error(404, "0x80060888");
    environment.delete("contacts").await.expect_error(405, "0x8006088a");
    environment
        .get("contacts?$skip=1")
        .await
        .expect_error(400, "0x80060888");
    environment
        .get("contacts?$Select=firstname")
        .await
        .expect_error(400, "0x80060888");
    environment
        .post("contacts/Microsoft.Dynamics.CRM.NoSuchAction", json!({}))
        .await
        .expect_error(404, "0x80060888");
    environment
        .post("WhoAmI", json!({}))
        .await
        .expect_error(405, "0x8006088a");
    environment.get("$metadata").await.expect(200);
}

#[tokio::test]
async fn revoked_privilege_forbids_reading_that_table_only() {
    let environment = Environment::with_contacts(1).await;
    let tables = ["contact".to_owned()].into();
    environment.sandbox.dynamics().switches().set_revoked_privileges(tables);
    let plain = environment.get("contacts").await.expect_error(403, "0x80040220");
    assert!(plain.contains("is missing prvReadContact privilege"), "{plain}");
    let tracked = environment
        .get_with("contacts", "odata.track-changes")
        .await
        .expect_error(403, "0x80040220");
    assert!(
        tracked.starts_with("SecLib::CheckPrivilege failed. User: "),
        "{tracked}"
    );
    assert!(
        tracked.contains("PrivilegeName: prvReadContact") && tracked.contains("Required Depth: Global"),
        "{tracked}"
    );
    environment.get("accounts").await.expect(200);
}

#[tokio::test]
async fn errors_carry_extra_members_when_annotations_are_asked_for() {
    let environment = Environment::start().await;
    let error = environment
        .get_with("contactz", "odata.include-annotations=\"*\"")
        .await
        .expect(404)
        .json();
    assert_eq!(
        error["error"]["@Microsoft.PowerApps.CDS.ErrorDetails.OperationStatus"],
        "0"
    );
    assert!(error["error"]["@Microsoft.PowerApps.CDS.HelpLink"].is_string());
    let bare = environment.get("contactz").await.json();
    assert_eq!(bare["error"].as_object().unwrap().len(), 2);
}
