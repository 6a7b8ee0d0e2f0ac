//! `$batch`: order, form of the answer, stopping and going on, headers and URLs of operations
//! (contracts/dataverse.md §5.7).

use reqwest::Method;
use serde_json::json;

use crate::batch_client::{Item, bare, body, change_set, operation, request, write};
use crate::client::{Answer, Environment};

const ROOT: &str = "/api/data/v9.2";
const ABSENT: &str = "a1000000-0000-0000-0000-00000000000a";

#[tokio::test]
async fn the_contracts_example_is_answered_in_the_contracts_form() {
    let environment = Environment::start().await;
    let id = environment.contact(json!({"firstname": "Ada", "lastname": "King"}));
    let contact = format!("{ROOT}/contacts({id})");
    let patch = request(
        &format!("PATCH {contact}"),
        &["Content-Type: application/json; type=entry", "If-Match: *"],
        r#"{"telephone1":"+1 555 0100"}"#,
    );
    let post = write(
        &format!("POST {ROOT}/accounts"),
        &json!({"name": "Follow up", "primarycontactid@odata.bind": format!("/contacts({id})")}),
    );
    let get = request(
        &format!("GET {contact}?$select=fullname"),
        &["Accept: application/json"],
        "",
    );
    let answer = environment
        .batch_to_the_end(&[change_set(&[patch, post]), operation(&get)])
        .await
        .expect(200);
    assert_eq!(answer.header("odata-version"), "4.0");
    let items = answer.items();
    let [Item::ChangeSet(written), Item::Operation(read)] = items.as_slice() else {
        panic!("{items:?}");
    };
    let url = environment.api(&format!("contacts({id})"));
    assert_eq!((written[0].content_id.as_deref(), written[0].status), (Some("1"), 204));
    assert_eq!(
        (&written[0].headers["Location"], &written[0].headers["OData-EntityId"]),
        (&url, &url)
    );
    assert_eq!((written[1].content_id.as_deref(), written[1].status), (Some("2"), 204));
    let account = environment
        .get(&written[1].headers["Location"])
        .await
        .expect(200)
        .json();
    assert_eq!(account["_primarycontactid_value"], json!(id));
    assert_eq!((read.content_id.as_deref(), read.status), (None, 200));
    assert_eq!(read.headers["Content-Type"], "application/json; odata.metadata=minimal");
    assert_eq!(read.headers["OData-Version"], "4.0");
    assert_eq!(read.json()["fullname"], "Ada King");
    assert_eq!(
        environment.get(&format!("contacts({id})")).await.json()["telephone1"],
        "+1 555 0100"
    );
}

#[tokio::test]
async fn without_continue_on_error_the_first_failure_ends_the_batch_with_its_status() {
    let environment = Environment::start().await;
    let present = environment.contact(json!({"firstname": "Ada"}));
    let get = |id: &str| operation(&bare(&format!("GET {ROOT}/contacts({id})?$select=firstname")));
    let present = present.as_str();
    let parts = [present, present, ABSENT, present, present].map(get);
    let answer = environment.batch(&parts).await.expect(404);
    let operations = answer.operations();
    assert_eq!(
        operations.iter().map(|part| part.status).collect::<Vec<_>>(),
        [200, 200, 404]
    );
    operations[2].expect_error(404, "0x80040217");
    assert!(operations[2].headers.contains_key("REQ_ID"));
}

#[tokio::test]
async fn plain_operations_before_a_failure_stay_and_those_behind_it_do_not_run() {
    let environment = Environment::start().await;
    let create = |name: String| operation(&write(&format!("POST {ROOT}/contacts"), &json!({"firstname": name})));
    let parts = [create("Ada".into()), create("x".repeat(51)), create("Bo".into())];
    let answer = environment.batch(&parts).await.expect(400);
    let operations = answer.operations();
    assert_eq!((operations.len(), operations[0].status), (2, 204));
    operations[1].expect_error(400, "0x80044331");
    let rows = environment.get("contacts?$select=firstname").await.rows();
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0]["firstname"], "Ada");
}

#[tokio::test]
async fn with_continue_on_error_every_operation_answers_for_itself() {
    let environment = Environment::start().await;
    let present = environment.contact(json!({"firstname": "Ada"}));
    let get = |id: &str| operation(&bare(&format!("GET {ROOT}/contacts({id})?$select=firstname")));
    let present = present.as_str();
    let parts = [ABSENT, present, ABSENT, present].map(get);
    let answer = environment.batch_to_the_end(&parts).await.expect(200);
    let statuses: Vec<_> = answer.operations().iter().map(|part| part.status).collect();
    assert_eq!(statuses, [404, 200, 404, 200]);
    let answer = environment
        .send_batch(&[("Prefer", "odata.continue-on-error=false")], body(&parts))
        .await
        .expect(404);
    assert_eq!(answer.operations().len(), 1);
}

#[tokio::test]
async fn headers_belong_to_the_operation_they_stand_in() {
    let environment = Environment::start().await;
    let create = format!("POST {ROOT}/contacts?$select=firstname");
    let with = request(
        &create,
        &["Content-Type: application/json", "Prefer: return=representation"],
        r#"{"firstname":"Ada"}"#,
    );
    let without = write(&create, &json!({"firstname": "Bo"}));
    let conditional = request(
        &format!("PATCH {ROOT}/contacts({ABSENT})"),
        &["Content-Type: application/json", "If-Match: *"],
        "{}",
    );
    let parts = [operation(&with), operation(&without), operation(&conditional)];
    let headers = [("Prefer", "return=representation,odata.include-annotations=\"*\"")];
    let answer = environment.send_batch(&headers, body(&parts)).await.expect(404);
    let operations = answer.operations();
    assert_eq!(operations[0].status, 201);
    assert_eq!(operations[0].json()["firstname"], "Ada");
    assert_eq!(operations[0].headers["Preference-Applied"], "return=representation");
    assert!(!operations[0].headers.contains_key("Location"));
    assert_eq!(operations[1].status, 204, "the batch's own preference is not inherited");
    let error = operations[2].json()["error"].clone();
    assert_eq!(error.as_object().unwrap().len(), 2, "{error}");
}

#[tokio::test]
async fn urls_may_be_absolute_or_paths_and_longer_than_elsewhere() {
    let environment = Environment::start().await;
    environment.contact(json!({"firstname": "Ada"}));
    let names = format!("firstname eq '{}' or firstname eq 'Ada'", "x".repeat(40_000));
    let filter = names.replace(' ', "%20");
    let parts = [
        operation(&bare(&format!("GET {}", environment.api("contacts?$select=firstname")))),
        operation(&bare(&format!("GET {ROOT}/contacts?$filter={filter}"))),
        operation(&bare(&format!("GET {ROOT}/contacts?$filter=firstname eq 'Ada'"))),
    ];
    let answer = environment.batch(&parts).await.expect(200);
    for part in answer.operations() {
        assert_eq!(part.json()["value"].as_array().unwrap().len(), 1, "{}", part.text);
    }
    let elsewhere = operation(&bare("GET /other/contacts"));
    let answer = environment.batch(&[elsewhere]).await.expect(404);
    answer.operations()[0].expect_error(404, "0x80060888");
    for refused in ["contacts".to_owned(), format!("{ROOT}/{}", "x".repeat(65_536))] {
        let part = operation(&bare(&format!("GET {refused}")));
        environment.batch(&[part]).await.expect_error(400, "0x80060888");
    }
}

#[tokio::test]
async fn boundaries_may_be_unquoted_and_an_empty_batch_has_an_empty_answer() {
    let environment = Environment::start().await;
    let send = async |content_type: &str, body: &str| {
        let request = environment
            .request(Method::POST, "$batch")
            .header("Content-Type", content_type)
            .body(body.to_owned());
        Answer::of(request.send().await.unwrap()).await
    };
    let get = operation(&bare(&format!("GET {ROOT}/WhoAmI")));
    let body = format!("--dwa_batch_1\r\n{get}\r\n--dwa_batch_1--");
    let answer = send("multipart/mixed;boundary=dwa_batch_1", &body).await.expect(200);
    assert_eq!(answer.operations()[0].status, 200);
    let answer = send("multipart/mixed; boundary=b", "--b--\r\n").await.expect(200);
    assert!(answer.items().is_empty());
}

#[tokio::test]
async fn a_batch_counts_as_one_request_and_as_one_answer() {
    let environment = Environment::with(|config| config.dynamics.service_protection.servers = 1).await;
    environment.sandbox.counters().reset();
    let get = operation(&bare(&format!("GET {ROOT}/WhoAmI")));
    let answer = environment.batch(&vec![get; 20]).await.expect(200);
    assert_eq!(answer.header("x-ms-ratelimit-burst-remaining-xrm-requests"), "5999");
    let shown = environment.admin(Method::GET, "/counters", None).await.json();
    assert_eq!(
        shown,
        json!({"dynamics": {"batch": {"calls": 1, "by_status": {"200": 1}}}})
    );
}
