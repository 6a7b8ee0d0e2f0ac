//! Bulk messages: CreateMultiple, UpdateMultiple, UpsertMultiple (contracts/dataverse.md §5.6).

use reqwest::Method;
use serde_json::{Value, json};

use crate::client::{Answer, Environment, object};

const ABSENT: &str = "a1000000-0000-0000-0000-00000000000a";
const ALSO_ABSENT: &str = "a1000000-0000-0000-0000-00000000000b";

/// Rows as targets of a bulk message on `table`.
fn targets(table: &str, rows: &[Value]) -> Value {
    let target = |row: &Value| {
        let mut target = object(row.clone());
        let kind = format!("Microsoft.Dynamics.CRM.{table}");
        target.entry("@odata.type").or_insert(kind.into());
        target
    };
    json!({"Targets": rows.iter().map(target).collect::<Vec<_>>()})
}

async fn send(environment: &Environment, message: &str, table: &str, rows: &[Value]) -> Answer {
    let path = format!("{table}s/Microsoft.Dynamics.CRM.{message}");
    environment.post(&path, targets(table, rows)).await
}

#[tokio::test]
async fn create_multiple_answers_the_ids_in_the_order_of_the_targets() {
    let environment = Environment::start().await;
    let rows = [
        json!({"firstname": "Ada", "emailaddress1": "ada@example.com"}),
        json!({"firstname": "Bo", "contactid": ABSENT}),
        json!({"@odata.type": "#Microsoft.Dynamics.CRM.contact", "firstname": "Cy"}),
    ];
    let answer = send(&environment, "CreateMultiple", "contact", &rows).await.expect(200);
    assert_eq!(
        answer.header("content-type"),
        "application/json; odata.metadata=minimal"
    );
    let body = answer.json();
    let context = environment.api("$metadata#Microsoft.Dynamics.CRM.CreateMultipleResponse");
    assert_eq!(body["@odata.context"], json!(context));
    let ids = body["Ids"].as_array().unwrap();
    assert_eq!((ids.len(), &ids[1]), (3, &json!(ABSENT)));
    for (id, row) in ids.iter().zip(&rows) {
        let found = environment.get(&format!("contacts({})", id.as_str().unwrap())).await;
        assert_eq!(found.expect(200).json()["firstname"], row["firstname"]);
    }
}

#[tokio::test]
async fn equal_targets_of_create_multiple_make_separate_rows() {
    let environment = Environment::start().await;
    let answer = send(
        &environment,
        "CreateMultiple",
        "contact",
        &vec![json!({"firstname": "Ada"}); 2],
    )
    .await;
    let ids = answer.expect(200).json()["Ids"].clone();
    assert_ne!(ids[0], ids[1]);
    assert_eq!(environment.sandbox.dynamics().count("contact").unwrap(), 2);
}

#[tokio::test]
async fn one_refused_row_takes_the_whole_message_back() {
    let environment = Environment::start().await;
    let id = environment.contact(json!({"firstname": "Ada"}));
    let before = environment.get(&format!("contacts({id})")).await.json();
    let (_, last) = environment
        .read_all("contacts?$select=firstname", "odata.track-changes")
        .await;
    let too_long = json!({"firstname": "x".repeat(51)});
    let with_id = |mut row: Value, id: &str| {
        row["contactid"] = json!(id);
        row
    };
    let change = with_id(json!({"firstname": "Bo"}), &id);
    let cases = [
        ("CreateMultiple", vec![json!({"firstname": "Bo"}), too_long.clone()]),
        (
            "UpsertMultiple",
            vec![change.clone(), with_id(too_long.clone(), ABSENT)],
        ),
    ];
    for (message, rows) in cases {
        send(&environment, message, "contact", &rows)
            .await
            .expect_error(400, "0x80044331");
    }
    let second = environment.contact(json!({}));
    let rows = [change, with_id(too_long, &second)];
    send(&environment, "UpdateMultiple", "contact", &rows)
        .await
        .expect_error(400, "0x80044331");
    assert_eq!(environment.get(&format!("contacts({id})")).await.json(), before);
    let delta = environment.get(last["@odata.deltaLink"].as_str().unwrap()).await.rows();
    assert_eq!(delta.len(), 1, "only the second contact is new: {delta:?}");
    assert_eq!(delta[0]["contactid"], json!(second));
}

#[tokio::test]
async fn duplicate_keys_are_worded_as_bulk_messages_word_them() {
    let environment = Environment::start().await;
    let rows = vec![json!({"contactid": ABSENT}); 2];
    let text = send(&environment, "CreateMultiple", "contact", &rows)
        .await
        .expect_error(412, "0x80040237");
    assert_eq!(text, "Cannot insert duplicate key.");
    assert_eq!(environment.sandbox.dynamics().count("contact").unwrap(), 0);
    let rows = vec![json!({"accountnumber": "1"}); 2];
    send(&environment, "CreateMultiple", "account", &rows)
        .await
        .expect_error(412, "0x80060892");
    environment
        .get("accounts(accountnumber='1')")
        .await
        .expect_error(404, "0x80060891");
}

#[tokio::test]
async fn update_multiple_applies_the_first_of_targets_with_one_id() {
    let environment = Environment::start().await;
    let [first, second] = [(); 2].map(|()| environment.contact(json!({"firstname": "Ada"})));
    let rows = [
        json!({"contactid": first, "jobtitle": "Buyer"}),
        json!({"contactid": second, "jobtitle": "Clerk"}),
        json!({"contactid": first.to_uppercase(), "jobtitle": "Driver", "firstname": "Eve"}),
    ];
    let answer = send(&environment, "UpdateMultiple", "contact", &rows).await.expect(204);
    assert_eq!(answer.text, "");
    let row = environment.get(&format!("contacts({first})")).await.json();
    assert_eq!((&row["jobtitle"], &row["firstname"]), (&json!("Buyer"), &json!("Ada")));
    let row = environment.get(&format!("contacts({second})")).await.json();
    assert_eq!(row["jobtitle"], "Clerk");
}

#[tokio::test]
async fn update_multiple_names_all_rows_that_do_not_exist_and_changes_none() {
    let environment = Environment::start().await;
    let id = environment.contact(json!({}));
    let rows = [
        json!({"contactid": id, "jobtitle": "Buyer"}),
        json!({"contactid": ABSENT}),
        json!({"contactid": ALSO_ABSENT}),
    ];
    let text = send(&environment, "UpdateMultiple", "contact", &rows)
        .await
        .expect_error(404, "0x80040217");
    assert_eq!(text, format!("Contact With Ids = {ABSENT}, {ALSO_ABSENT} Do Not Exist"));
    let row = environment.get(&format!("contacts({id})")).await.json();
    assert_eq!(row["jobtitle"], Value::Null);
}

#[tokio::test]
async fn update_multiple_knows_no_alternate_keys() {
    let environment = Environment::start().await;
    environment.row("account", json!({"name": "A", "accountnumber": "1"}));
    for row in [
        json!({"@odata.id": "accounts(accountnumber='1')", "name": "B"}),
        json!({"accountnumber": "1", "name": "B"}),
    ] {
        send(&environment, "UpdateMultiple", "account", &[row])
            .await
            .expect_error(400, "0x80040203");
    }
    assert_eq!(environment.get("accounts(accountnumber='1')").await.json()["name"], "A");
}

#[tokio::test]
async fn upsert_multiple_creates_or_changes_by_id_and_by_alternate_key() {
    let environment = Environment::start().await;
    environment.row("account", json!({"name": "A", "accountnumber": "1"}));
    let before = environment.sandbox.dynamics().count("account").unwrap();
    let rows = [
        json!({"@odata.id": "accounts(accountnumber='1')", "name": "A2", "accountnumber": "ignored"}),
        json!({"@odata.id": "/accounts(accountnumber='2')", "name": "B"}),
        json!({"@odata.id": environment.api("accounts(accountnumber='3')"), "name": "C"}),
        json!({"accountid": ABSENT, "name": "D"}),
    ];
    let answer = send(&environment, "UpsertMultiple", "account", &rows).await.expect(204);
    assert_eq!(answer.text, "");
    send(
        &environment,
        "UpsertMultiple",
        "account",
        &[json!({"accountid": ABSENT, "name": "D2"})],
    )
    .await
    .expect(204);
    assert_eq!(environment.sandbox.dynamics().count("account").unwrap(), before + 3);
    for (key, name) in [
        ("accountnumber='1'", "A2"),
        ("accountnumber='2'", "B"),
        ("accountnumber='3'", "C"),
        (ABSENT, "D2"),
    ] {
        let row = environment.get(&format!("accounts({key})")).await.expect(200).json();
        assert_eq!(row["name"], name);
    }
}

#[tokio::test]
async fn upsert_multiple_refuses_two_targets_for_one_row() {
    let environment = Environment::start().await;
    let id = environment.row("account", json!({"name": "A", "accountnumber": "1"}));
    let before = environment.sandbox.dynamics().count("account").unwrap();
    let by_key = |number: &str| json!({"@odata.id": format!("accounts(accountnumber='{number}')"), "name": "B"});
    let by_id = |id: &str| json!({"accountid": id, "name": "B"});
    for rows in [
        [by_key("1"), by_key("1")],
        [by_key("2"), by_key("2")],
        [by_id(ABSENT), by_id(ABSENT)],
        [by_id(&id), by_key("1")],
    ] {
        let text = send(&environment, "UpsertMultiple", "account", &rows)
            .await
            .expect_error(412, "0x80040237");
        assert_eq!(text, "Cannot insert duplicate key.");
        assert_eq!(environment.sandbox.dynamics().count("account").unwrap(), before);
        assert_eq!(environment.get("accounts(accountnumber='1')").await.json()["name"], "A");
    }
    for row in [
        json!({"name": "B"}),
        json!({"@odata.id": format!("contacts({ABSENT})")}),
    ] {
        send(&environment, "UpsertMultiple", "account", &[row])
            .await
            .expect_error(400, "0x80040203");
    }
}

#[tokio::test]
async fn every_target_must_have_the_type_of_the_table() {
    let environment = Environment::start().await;
    let path = "contacts/Microsoft.Dynamics.CRM.CreateMultiple";
    let of = |kind: &str| json!({"Targets": [{"@odata.type": kind, "firstname": "Ada"}]});
    let cases = [
        (json!({"Targets": [{"firstname": "Ada"}]}), "0x80048d19", "@odata.type"),
        (of("Microsoft.Dynamics.CRM.nosuch"), "0x80048d19", "nosuch"),
        (of("contact"), "0x80048d19", "contact"),
        (of("Microsoft.Dynamics.CRM.account"), "0x80040203", "account"),
        (json!({"Targets": []}), "0x80040203", "empty"),
        (json!({"Targets": ["Ada"]}), "0x80048d19", "Ada"),
        (json!({}), "0x80048d19", "Targets"),
        (json!({"Targets": [], "Extra": 1}), "0x80048d19", "Extra"),
    ];
    for (body, code, text) in cases {
        let found = environment.post(path, body).await.expect_error(400, code);
        assert!(found.contains(text), "{found} is not about {text}");
    }
    let mixed = json!({"Targets": [
        {"@odata.type": "Microsoft.Dynamics.CRM.contact", "firstname": "Ada"}, {"firstname": "Bo"},
    ]});
    environment.post(path, mixed).await.expect_error(400, "0x80048d19");
    assert_eq!(environment.sandbox.dynamics().count("contact").unwrap(), 0);
}

#[tokio::test]
async fn standard_tables_have_no_delete_multiple_and_tables_of_the_system_no_message_at_all() {
    let environment = Environment::start().await;
    let id = environment.contact(json!({}));
    let text = send(&environment, "DeleteMultiple", "contact", &[json!({"contactid": id})])
        .await
        .expect_error(501, "0x8006088a");
    assert_eq!(text, "DeleteMultiple has not yet been implemented.");
    for message in ["CreateMultiple", "UpdateMultiple", "UpsertMultiple"] {
        let text = send(&environment, message, "systemuser", &[json!({"firstname": "X"})])
            .await
            .expect_error(400, "0x80040800");
        assert!(text.contains(&format!("The '{message}' method")), "{text}");
    }
    for path in [
        "contacts/CreateMultiple",
        "contactz/Microsoft.Dynamics.CRM.CreateMultiple",
    ] {
        environment
            .post(path, targets("contact", &[json!({})]))
            .await
            .expect_error(404, "0x80060888");
    }
}

#[tokio::test]
async fn availability_can_be_asked_for_with_literals_and_with_aliases() {
    let environment = Environment::start().await;
    let declaration =
        json!({"schema_name": "new_Order", "columns": [{"name": "new_Number", "type": "string", "length": 20}]});
    environment
        .admin(Method::POST, "/dynamics/tables", Some(declaration))
        .await
        .expect(201);
    let ask = async |message: &str, table: &str| {
        let select = "sdkmessagefilters?$select=sdkmessagefilterid&$filter=";
        let literal = format!("{select}sdkmessageid/name eq '{message}' and primaryobjecttypecode eq '{table}'");
        let aliased = format!(
            "{select}sdkmessageid/name eq @message and primaryobjecttypecode eq @table&@message='{message}'&@table='{table}'"
        );
        let answer = environment.get(&literal).await.expect(200).json();
        assert_eq!(answer, environment.get(&aliased).await.expect(200).json());
        answer
    };
    for table in ["contact", "account", "new_order"] {
        for message in ["CreateMultiple", "UpdateMultiple", "UpsertMultiple"] {
            let rows = ask(message, table).await["value"].as_array().unwrap().clone();
            assert_eq!(rows.len(), 1, "{message} of {table}");
            assert!(rows[0]["sdkmessagefilterid"].is_string());
            assert_eq!(rows[0].as_object().unwrap().len(), 2, "{rows:?}");
        }
        assert_eq!(ask("DeleteMultiple", table).await["value"], json!([]));
    }
    assert_eq!(ask("CreateMultiple", "systemuser").await["value"], json!([]));
    let context = environment.api("$metadata#sdkmessagefilters(sdkmessagefilterid)");
    assert_eq!(ask("Create", "contact").await["@odata.context"], json!(context));
    environment
        .get("sdkmessagefilters?$select=nosuch")
        .await
        .expect_error(400, "0x80060888");
}

#[tokio::test]
async fn a_bulk_message_counts_as_one_request_of_its_own_kind() {
    let environment = Environment::with(|config| config.dynamics.service_protection.servers = 1).await;
    environment.sandbox.counters().reset();
    let answer = send(&environment, "CreateMultiple", "contact", &vec![json!({}); 50])
        .await
        .expect(200);
    assert_eq!(answer.header("x-ms-ratelimit-burst-remaining-xrm-requests"), "5999");
    let shown = environment.admin(Method::GET, "/counters", None).await.json();
    assert_eq!(
        shown,
        json!({"dynamics": {"bulk": {"calls": 1, "by_status": {"200": 1}}}})
    );
}

#[tokio::test]
async fn a_body_over_the_limit_of_the_message_context_is_refused() {
    let environment = Environment::start().await;
    let body = vec![b' '; 122_526_106];
    let request = environment
        .request(Method::POST, "contacts/Microsoft.Dynamics.CRM.CreateMultiple")
        .header("Content-Type", "application/json")
        .body(body);
    let answer = Answer::of(request.send().await.unwrap()).await;
    answer.expect_error(413, "0x8004418a");
}
