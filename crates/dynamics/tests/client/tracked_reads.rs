//! Initial reads, deltas and single rows against the sandbox.

use std::collections::BTreeSet;
use std::time::Duration;

use crosswalk_core::schema::ColumnType;
use crosswalk_core::{ChangeKind, Choice, Class, Classify, Value};
use crosswalk_dynamics::{Error, PageLink, Selection};
use crosswalk_sandbox::faults::{Effect, Operation};
use rust_decimal::Decimal;
use serde_json::json;
use uuid::Uuid;

use crate::environment::{Environment, contact, read_to_the_end, row};

fn text(text: &str) -> Value {
    Value::Text(text.into())
}

#[tokio::test]
async fn initial_read_gives_every_row_once_and_the_position_at_its_end() {
    let environment = Environment::start().await;
    let created = environment.create_many(12);
    let client = environment.client_with_pages_of(5);
    let selection = contact(&client, &["firstname"]).await;
    let first = client.first_page(&selection).await.unwrap();
    assert_eq!(first.changes.len(), 5);
    let (changes, end) = read_to_the_end(&client, &selection, first).await;
    let mut read: Vec<Uuid> = changes.iter().map(|change| change.id).collect();
    read.sort();
    assert_eq!(read, created);
    assert!(changes.iter().all(|change| change.version.is_some()));
    assert!(matches!(end, PageLink::Delta(_)));
}

#[tokio::test]
async fn delta_gives_what_was_changed_added_and_deleted_since() {
    let environment = Environment::start().await;
    let ids = environment.create_many(10);
    let client = environment.client_with_pages_of(2);
    let selection = contact(&client, &["firstname"]).await;
    let first = client.first_page(&selection).await.unwrap();
    let (before, end) = read_to_the_end(&client, &selection, first).await;

    let changes = json!({"firstname": "Grace"});
    environment
        .dynamics()
        .update("contact", ids[1], changes.as_object().unwrap())
        .unwrap();
    environment.dynamics().delete("contact", ids[2]).unwrap();
    let added = environment.create(&json!({"firstname": "Edsger"}));
    let page = client.next_page(&selection, &end).await.unwrap();
    let (delta, end) = read_to_the_end(&client, &selection, page).await;

    assert_eq!(delta.len(), 3, "{delta:?}");
    let of = |id| delta.iter().find(|change| change.id == id).unwrap();
    assert_eq!(row(of(ids[1])).get("firstname"), Some(&text("Grace")));
    assert_eq!(row(of(added)).get("firstname"), Some(&text("Edsger")));
    assert_eq!((&of(ids[2]).kind, of(ids[2]).version), (&ChangeKind::Delete, None));
    let earlier = before.iter().find(|change| change.id == ids[1]).unwrap();
    assert!(
        of(ids[1]).version > earlier.version,
        "the version rises with every change"
    );

    let page = client.next_page(&selection, &end).await.unwrap();
    assert_eq!(page.changes, []);
    assert!(matches!(page.next, PageLink::Delta(_)));
}

#[tokio::test]
async fn values_come_typed() {
    let environment = Environment::start().await;
    let account = json!({"name": "Contoso"});
    let account = environment
        .dynamics()
        .create("account", account.as_object().unwrap())
        .unwrap();
    let id = environment.create(&json!({
        "firstname": "Žofie 😀 \"x\"\\",
        "birthdate": "1990-01-31",
        "gendercode": 2,
        "donotbulkemail": true,
        "numberofchildren": 3,
        "annualincome": 12345.67,
        "address1_latitude": 47.63877,
        "parentcustomerid_account@odata.bind": format!("/accounts({account})"),
    }));
    let client = environment.client();
    let columns = [
        "parentcustomerid",
        "address1_latitude",
        "annualincome",
        "numberofchildren",
        "donotbulkemail",
        "donotemail",
        "gendercode",
        "birthdate",
        "lastname",
        "firstname",
        "statecode",
        "contactid",
    ];
    let selection = contact(&client, &columns).await;
    let page = client.first_page(&selection).await.unwrap();
    assert_eq!((page.changes.len(), page.rejected), (1, vec![]));
    let labelled = |value, label: &str| {
        Value::Choice(Choice {
            value,
            label: Some(label.into()),
        })
    };
    let expected = [
        Value::Guid(account),
        Value::Double(47.638_77),
        Value::Decimal(Decimal::new(1_234_567, 2)),
        Value::Integer(3),
        Value::Boolean(true),
        Value::Boolean(false),
        labelled(2, "Female"),
        Value::Date("1990-01-31".parse().unwrap()),
        Value::Null,
        text("Žofie 😀 \"x\"\\"),
        labelled(0, "Active"),
        Value::Guid(id),
    ];
    let read = row(&page.changes[0]);
    let names: Vec<&str> = read.columns.iter().map(|(name, _)| &**name).collect();
    let values: Vec<&Value> = read.columns.iter().map(|(_, value)| value).collect();
    assert_eq!(names, columns);
    assert_eq!(values, expected.iter().collect::<Vec<_>>());
}

#[tokio::test]
async fn every_readable_column_of_varied_contacts_can_be_read() {
    let environment = Environment::with_contacts(2_000).await;
    let client = environment.client_with_pages_of(700);
    let table = client.table("contact").await.unwrap();
    let columns: Vec<String> = table
        .columns
        .iter()
        .filter(|column| column.readable && column.column_type != ColumnType::Unsupported)
        .map(|column| column.logical_name.clone())
        .collect();
    let selection = Selection::new(&table, &columns).unwrap();
    let first = client.first_page(&selection).await.unwrap();
    let (changes, _) = read_to_the_end(&client, &selection, first).await;
    let ids: BTreeSet<Uuid> = changes.iter().map(|change| change.id).collect();
    assert_eq!((changes.len(), ids.len()), (2_000, 2_000));
    for change in &changes {
        let id = row(change).get("contactid");
        assert_eq!(id, Some(&Value::Guid(change.id)));
        assert_eq!(row(change).columns.len(), columns.len());
    }
    let filled = |name: &str| {
        changes
            .iter()
            .filter(|change| !row(change).get(name).unwrap().is_empty())
            .count()
    };
    assert!(filled("emailaddress1") > 1_000 && filled("birthdate") > 0 && filled("gendercode") > 0);
}

#[tokio::test]
async fn single_row_is_read_by_its_id() {
    let environment = Environment::start().await;
    let id = environment.create(&json!({"firstname": "Ada"}));
    let client = environment.client();
    let selection = contact(&client, &["firstname"]).await;
    let found = client.row(&selection, id).await.unwrap().unwrap();
    assert_eq!((found.id, row(&found).get("firstname")), (id, Some(&text("Ada"))));
    let in_page = client.first_page(&selection).await.unwrap().changes.remove(0);
    assert_eq!(found, in_page);
    assert_eq!(client.row(&selection, Uuid::from_u128(7)).await.unwrap(), None);
}

#[tokio::test]
async fn expired_and_damaged_positions_ask_for_a_new_read() {
    let environment = Environment::start().await;
    environment.create_many(3);
    let client = environment.client();
    let selection = contact(&client, &["firstname"]).await;
    let PageLink::Delta(end) = client.first_page(&selection).await.unwrap().next else {
        panic!("more than a page")
    };
    environment.dynamics().expire_delta_tokens(None).unwrap();
    let (address, _) = end.split_once("deltatoken=").unwrap();
    for link in [end.clone(), format!("{address}deltatoken=nonsense")] {
        let error = client.next_page(&selection, &PageLink::Delta(link)).await.unwrap_err();
        assert!(matches!(error, Error::ExpiredDeltaToken(_)), "{error:?}");
    }
    let again = client.first_page(&selection).await.unwrap();
    client.next_page(&selection, &again.next).await.unwrap();
}

#[tokio::test]
async fn changes_of_the_environment_fail_with_their_code() {
    let environment = Environment::start().await;
    environment.create_many(3);
    let client = environment.client();
    let selection = contact(&client, &["firstname", "parentcustomerid"]).await;
    let position = client.first_page(&selection).await.unwrap().next;
    let dynamics = environment.dynamics();

    dynamics.set_change_tracking("contact", false).unwrap();
    let error = client.first_page(&selection).await.unwrap_err();
    assert_eq!(
        (error.class(), error.code()),
        (Class::Fatal, "DYNAMICS_CHANGE_TRACKING_OFF")
    );
    dynamics.set_change_tracking("contact", true).unwrap();

    dynamics
        .switches()
        .set_revoked_privileges(BTreeSet::from(["contact".to_owned()]));
    let error = client.next_page(&selection, &position).await.unwrap_err();
    assert_eq!(
        (error.class(), error.code()),
        (Class::Fatal, "DYNAMICS_PRIVILEGE_MISSING")
    );
    dynamics.switches().set_revoked_privileges(BTreeSet::new());

    dynamics
        .set_column_removed("contact", "parentcustomerid", true)
        .unwrap();
    let error = client.first_page(&selection).await.unwrap_err();
    assert_eq!(
        (error.class(), error.code()),
        (Class::Fatal, "DYNAMICS_COLUMN_NOT_FOUND")
    );
    assert_eq!(
        error.to_string(),
        "there is no column parentcustomerid in table contact"
    );
}

#[tokio::test]
async fn table_that_is_gone_is_named() {
    let environment = Environment::start().await;
    let client = environment.client();
    let mut table = client.table("contact").await.unwrap();
    table.entity_set = "contactz".to_owned();
    let selection = Selection::new(&table, &["firstname".to_owned()]).unwrap();
    for error in [
        client.first_page(&selection).await.unwrap_err(),
        client.row(&selection, Uuid::from_u128(7)).await.unwrap_err(),
    ] {
        assert_eq!(
            (error.class(), error.code()),
            (Class::Fatal, "DYNAMICS_TABLE_NOT_FOUND"),
            "{error:?}"
        );
    }
}

#[tokio::test]
async fn revoked_tokens_do_not_stop_a_read() {
    let environment = Environment::start().await;
    environment.create_many(4);
    let client = environment.client_with_pages_of(2);
    let selection = contact(&client, &["firstname"]).await;
    let first = client.first_page(&selection).await.unwrap();
    let before = environment.tokens_asked_for();
    environment.dynamics().revoke_access_tokens();
    let (changes, _) = read_to_the_end(&client, &selection, first).await;
    assert_eq!((changes.len(), environment.tokens_asked_for() - before), (4, 1));
}

#[tokio::test]
async fn troubles_of_the_moment_are_tried_again() {
    let environment = Environment::start().await;
    environment.create_many(2);
    let client = environment.client();
    let selection = contact(&client, &["firstname"]).await;
    let after = Some(Duration::from_secs(9));
    for (effect, class) in [
        (Effect::Throttle { retry_after_seconds: 9 }, Class::Retry { after }),
        (Effect::Reset, Class::RETRY),
        (Effect::Status { status: 502 }, Class::RETRY),
        (Effect::Status { status: 503 }, Class::RETRY),
        (Effect::Status { status: 504 }, Class::RETRY),
    ] {
        environment.fail(Operation::List, effect.clone());
        let error = client.first_page(&selection).await.unwrap_err();
        assert_eq!(error.class(), class, "{effect:?}: {error:?}");
        assert_eq!(client.first_page(&selection).await.unwrap().changes.len(), 2);
    }
}
