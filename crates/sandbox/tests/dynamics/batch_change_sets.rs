//! Change sets: all or nothing, and references to operations before (contracts/dataverse.md §5.7).

use serde_json::{Value, json};

use crate::batch_client::{Item, bare, change_set, operation, request, write};
use crate::client::Environment;

const ROOT: &str = "/api/data/v9.2";
const ABSENT: &str = "a1000000-0000-0000-0000-00000000000a";

#[tokio::test]
async fn one_failure_takes_the_whole_change_set_back_and_is_its_only_answer() {
    let environment = Environment::start().await;
    let account = environment.row("account", json!({"name": "A"}));
    let id = environment.contact(json!({"parentcustomerid_account@odata.bind": format!("/accounts({account})")}));
    let (_, last) = environment
        .read_all("contacts?$select=firstname", "odata.track-changes")
        .await;
    let before = environment.get(&format!("contacts({id})")).await.json();
    let set = change_set(&[
        write(&format!("POST {ROOT}/contacts"), &json!({"firstname": "Ada"})),
        write(&format!("PATCH {ROOT}/contacts({id})"), &json!({"firstname": "Bo"})),
        bare(&format!("DELETE {ROOT}/accounts({account})")),
        write(&format!("POST {ROOT}/contacts"), &json!({"firstname": "x".repeat(51)})),
        write(&format!("POST {ROOT}/contacts"), &json!({"firstname": "Cy"})),
    ]);
    let answer = environment.batch(&[set]).await.expect(400);
    let parts = answer.change_set();
    assert_eq!(parts.len(), 1);
    assert_eq!(parts[0].content_id.as_deref(), Some("4"));
    parts[0].expect_error(400, "0x80044331");
    assert_eq!(environment.get(&format!("contacts({id})")).await.json(), before);
    assert_eq!(environment.sandbox.dynamics().count("contact").unwrap(), 1);
    environment.get(&format!("accounts({account})")).await.expect(200);
    let delta = environment.get(last["@odata.deltaLink"].as_str().unwrap()).await;
    assert_eq!(delta.rows(), Vec::<Value>::new(), "nothing has changed");
}

#[tokio::test]
async fn behind_a_failed_change_set_nothing_runs_unless_errors_are_passed_over() {
    let environment = Environment::start().await;
    let create = |name: &str| write(&format!("POST {ROOT}/contacts"), &json!({"firstname": name}));
    let failing = change_set(&[create("Ada"), bare(&format!("DELETE {ROOT}/contacts({ABSENT})"))]);
    let parts = [failing, change_set(&[create("Bo")]), operation(&create("Cy"))];
    let stopped = environment.batch(&parts).await.expect(404);
    assert_eq!(stopped.items().len(), 1);
    assert_eq!(environment.sandbox.dynamics().count("contact").unwrap(), 0);
    let whole = environment.batch_to_the_end(&parts).await.expect(200);
    let items = whole.items();
    let [Item::ChangeSet(failed), Item::ChangeSet(done), Item::Operation(last)] = items.as_slice() else {
        panic!("{items:?}");
    };
    failed[0].expect_error(404, "0x80040217");
    assert_eq!((failed.len(), done[0].status, last.status), (1, 204, 204));
    assert_eq!(environment.sandbox.dynamics().count("contact").unwrap(), 2);
}

#[tokio::test]
async fn references_stand_for_rows_written_before_in_urls_and_links() {
    let environment = Environment::start().await;
    let set = change_set(&[
        write(&format!("POST {ROOT}/contacts"), &json!({"firstname": "Ada"})),
        write("PUT $1/lastname", &json!({"value": "Byron"})),
        write("PATCH $1", &json!({"jobtitle": "Countess"})),
        write(
            &format!("POST {ROOT}/accounts"),
            &json!({"name": "A", "primarycontactid@odata.bind": "$1"}),
        ),
        write(&format!("POST {ROOT}/accounts"), &json!({"name": "B"})),
        write("PUT $5/primarycontactid/$ref", &json!({"@odata.id": "$1"})),
        write("PUT $5/parentaccountid/$ref", &json!({"@odata.id": "$4"})),
    ]);
    let answer = environment.batch(&[set]).await.expect(200);
    let parts = answer.change_set();
    assert!(parts.iter().all(|part| part.status == 204), "{parts:?}");
    for silent in [1, 5, 6] {
        assert!(!parts[silent].headers.contains_key("Location"), "{:?}", parts[silent]);
        assert!(!parts[silent].headers.contains_key("OData-EntityId"));
    }
    let contact = environment.get(&parts[0].headers["Location"]).await.expect(200).json();
    assert_eq!(
        (&contact["fullname"], &contact["jobtitle"]),
        (&json!("Ada Byron"), &json!("Countess"))
    );
    assert_eq!(parts[2].headers["Location"], parts[0].headers["Location"]);
    let [first, second] = [3, 4].map(|part: usize| environment.get(&parts[part].headers["Location"]));
    let (first, second) = (first.await.expect(200).json(), second.await.expect(200).json());
    assert_eq!(first["_primarycontactid_value"], contact["contactid"]);
    assert_eq!(second["_primarycontactid_value"], contact["contactid"]);
    assert_eq!(second["_parentaccountid_value"], first["accountid"]);
}

#[tokio::test]
async fn references_to_alternate_keys_keep_letters_beyond_ascii() {
    let environment = Environment::start().await;
    let path = "accounts(accountnumber='%C3%A9-1')";
    let set = change_set(&[
        write(&format!("PATCH {ROOT}/{path}"), &json!({"name": "A"})),
        write("PATCH $1", &json!({"name": "B"})),
        write(
            &format!("POST {ROOT}/accounts"),
            &json!({"name": "C", "parentaccountid@odata.bind": "$2"}),
        ),
    ]);
    let answer = environment.batch(&[set]).await.expect(200);
    let row = environment.get(path).await.expect(200).json();
    assert_eq!((&row["name"], &row["accountnumber"]), (&json!("B"), &json!("é-1")));
    let child = environment
        .get(&answer.change_set()[2].headers["Location"])
        .await
        .json();
    assert_eq!(child["_parentaccountid_value"], row["accountid"]);
}

#[tokio::test]
async fn references_ahead_to_elsewhere_and_to_rows_that_were_shown_are_unknown() {
    let environment = Environment::start().await;
    let create = write(&format!("POST {ROOT}/contacts"), &json!({"firstname": "Ada"}));
    let shown = request(
        &format!("POST {ROOT}/contacts"),
        &["Content-Type: application/json", "Prefer: return=representation"],
        "{}",
    );
    let use_of = |id: usize| write(&format!("PATCH ${id}"), &json!({"lastname": "Byron"}));
    for (set, id, unknown) in [
        (change_set(&[use_of(2), create.clone()]), "1", "$2"),
        (change_set(&[create.clone(), use_of(7)]), "2", "$7"),
        (change_set(&[shown, use_of(1)]), "2", "$1"),
    ] {
        let answer = environment.batch(&[set]).await.expect(400);
        let parts = answer.change_set();
        assert_eq!(parts[0].content_id.as_deref(), Some(id));
        assert_eq!(
            parts[0].expect_error(400, "0x80060888"),
            format!("Content-ID Reference: '{unknown}' does not exist in the batch context.")
        );
    }
    let parts = [change_set(&[create]), operation(&use_of(1))];
    let answer = environment.batch(&parts).await.expect(400);
    assert_eq!(answer.items().len(), 2);
    assert_eq!(environment.sandbox.dynamics().count("contact").unwrap(), 1);
}

#[tokio::test]
async fn operations_see_what_was_written_before_them_in_the_same_change_set() {
    let environment = Environment::start().await;
    let path = format!("{ROOT}/contacts({ABSENT})");
    let exists = request(
        &format!("PATCH {path}"),
        &["Content-Type: application/json", "If-None-Match: *"],
        "{}",
    );
    let set = change_set(&[write(&format!("PATCH {path}"), &json!({"firstname": "Ada"})), exists]);
    let answer = environment.batch(&[set]).await.expect(412);
    answer.change_set()[0].expect_error(412, "0x80040237");
    let set = change_set(&[
        write(&format!("PATCH {path}"), &json!({"firstname": "Ada"})),
        bare(&format!("DELETE {path}")),
        write(&format!("PATCH {path}"), &json!({"lastname": "Byron"})),
    ]);
    environment.batch(&[set]).await.expect(200);
    let row = environment.get(&format!("contacts({ABSENT})")).await.expect(200).json();
    assert_eq!(row["fullname"], "Byron");
}

#[tokio::test]
async fn bulk_messages_in_a_change_set_are_taken_back_with_it() {
    let environment = Environment::start().await;
    let kind = "Microsoft.Dynamics.CRM.contact";
    let many = write(
        &format!("POST {ROOT}/contacts/Microsoft.Dynamics.CRM.CreateMultiple"),
        &json!({"Targets": [{"@odata.type": kind, "firstname": "Ada"}, {"@odata.type": kind, "firstname": "Bo"}]}),
    );
    let gone = bare(&format!("DELETE {ROOT}/contacts({ABSENT})"));
    environment
        .batch(&[change_set(&[many.clone(), gone])])
        .await
        .expect(404);
    assert_eq!(environment.sandbox.dynamics().count("contact").unwrap(), 0);
    let answer = environment.batch(&[change_set(&[many])]).await.expect(200);
    let parts = answer.change_set();
    assert_eq!(parts[0].status, 200);
    assert_eq!(parts[0].json()["Ids"].as_array().unwrap().len(), 2);
}
