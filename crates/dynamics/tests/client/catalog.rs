//! Connection and catalog against the sandbox.

use crosswalk_core::schema::{AlternateKey, Column, ColumnType, Table};
use crosswalk_core::{Class, Classify};
use crosswalk_dynamics::{Client, ClientSettings, Connection, Error};

use crate::environment::Environment;

fn labels(column: &Column) -> Vec<(i32, &str)> {
    column
        .options
        .iter()
        .map(|option| (option.value, option.label.as_deref().unwrap_or("?")))
        .collect()
}

async fn who_am_i(environment: &Environment, change: impl FnOnce(&mut Connection)) -> Error {
    let mut connection = environment.connection();
    change(&mut connection);
    Client::new(connection, &ClientSettings::default())
        .unwrap()
        .who_am_i()
        .await
        .unwrap_err()
}

#[tokio::test]
async fn identity_is_that_of_the_application_user() {
    let environment = Environment::start().await;
    let identity = environment.client().who_am_i().await.unwrap();
    let config = environment.dynamics().config();
    assert_eq!(
        (identity.user_id, identity.organization_id, identity.business_unit_id),
        (
            config.application_user_id,
            config.organization_id,
            config.business_unit_id
        )
    );
}

#[tokio::test]
async fn wrong_credentials_fail_with_what_to_do() {
    let environment = Environment::start().await;
    let stranger = environment.dynamics().config().stranger_client_id.clone();
    for (error, code, advice) in [
        (
            who_am_i(&environment, |connection| connection.client_secret = "wrong".into()).await,
            "DYNAMICS_AUTHENTICATION_FAILED",
            "Enter the client secret's value; the secret's id is something else.",
        ),
        (
            who_am_i(&environment, |connection| {
                connection.tenant_id = "nobody.example".to_owned();
            })
            .await,
            "DYNAMICS_AUTHENTICATION_FAILED",
            "Correct the tenant id.",
        ),
        (
            who_am_i(&environment, |connection| {
                connection.client_id = "44444444-4444-4444-8444-444444444444".to_owned();
            })
            .await,
            "DYNAMICS_AUTHENTICATION_FAILED",
            "Correct the client id, or the tenant it is looked for in.",
        ),
        (
            who_am_i(&environment, |connection| connection.client_id = stranger).await,
            "DYNAMICS_NOT_A_MEMBER",
            "Add the app registration to the environment as an application user with a role.",
        ),
        (
            {
                environment.dynamics().switches().set_secret_expired(true);
                who_am_i(&environment, |_| ()).await
            },
            "DYNAMICS_AUTHENTICATION_FAILED",
            "The client secret has expired: make a new one in the app registration and enter it.",
        ),
    ] {
        assert_eq!(
            (error.class(), error.code(), error.advice()),
            (Class::Fatal, code, advice),
            "{error}"
        );
    }
}

#[tokio::test]
async fn tables_are_listed_without_their_columns() {
    let environment = Environment::start().await;
    environment.dynamics().set_change_tracking("account", false).unwrap();
    let tables = environment.client().tables().await.unwrap();
    let table = |name| tables.iter().find(|table| table.logical_name == name).unwrap();
    assert!(tables.is_sorted_by(|one, other| one.logical_name < other.logical_name));
    let contact = table("contact");
    assert_eq!(
        (
            contact.entity_set.as_str(),
            contact.primary_id.as_str(),
            contact.display_name.as_str(),
            contact.columns.len()
        ),
        ("contacts", "contactid", "Contact", 0)
    );
    assert_eq!(
        (contact.change_tracking, table("account").change_tracking),
        (true, false)
    );
}

#[tokio::test]
async fn columns_come_with_type_length_options_and_targets() {
    let environment = Environment::start().await;
    let contact = environment.client().table("contact").await.unwrap();
    let column = |name| contact.column(name).unwrap_or_else(|| panic!("no column {name}"));
    for (name, column_type, max_length) in [
        ("firstname", ColumnType::String, Some(50)),
        ("description", ColumnType::Memo, Some(2_000)),
        ("contactid", ColumnType::Uniqueidentifier, None),
        ("birthdate", ColumnType::DateOnly, None),
        // Its format is DateOnly, its behaviour is not (contracts/dataverse.md §0.9).
        ("lastusedincampaign", ColumnType::DateTime, None),
        ("annualincome", ColumnType::Money, None),
        ("numberofchildren", ColumnType::Integer, None),
        ("versionnumber", ColumnType::BigInt, None),
        ("address1_latitude", ColumnType::Double, None),
        ("donotbulkemail", ColumnType::Boolean, None),
        ("gendercode", ColumnType::Picklist, None),
        ("statecode", ColumnType::State, None),
        ("statuscode", ColumnType::Status, None),
        ("parentcustomerid", ColumnType::Customer, None),
        ("ownerid", ColumnType::Owner, None),
        ("transactioncurrencyid", ColumnType::Lookup, None),
        ("entityimage", ColumnType::Unsupported, None),
    ] {
        assert_eq!(
            (column(name).column_type, column(name).max_length),
            (column_type, max_length),
            "{name}"
        );
        assert!(column(name).readable, "{name}");
    }
    assert!(!column("parentcustomeridname").readable);
    assert_eq!(column("emailaddress1").display_name, "Email");
    assert_eq!(column("parentcustomerid").targets, ["account", "contact"]);
    assert_eq!(labels(column("gendercode")), [(1, "Male"), (2, "Female")]);
    assert_eq!(labels(column("statecode")), [(0, "Active"), (1, "Inactive")]);
    assert_eq!(labels(column("donotemail")), [(0, "Allow"), (1, "Do Not Allow")]);
    assert_eq!(labels(column("donotsendmm")), [(0, "Send"), (1, "Do Not Send")]);
    assert_eq!(labels(column("donotbulkpostalmail")), [(0, "No"), (1, "Yes")]);
}

#[tokio::test]
async fn alternate_keys_come_with_their_columns() {
    let environment = Environment::start().await;
    let account = environment.client().table("account").await.unwrap();
    let key = AlternateKey {
        logical_name: "accountnumberkey".to_owned(),
        columns: vec!["accountnumber".to_owned()],
        active: true,
    };
    assert_eq!(account.keys, [key]);
    assert_eq!(environment.client().table("contact").await.unwrap().keys, []);
}

#[tokio::test]
async fn unknown_table_is_not_found() {
    let environment = Environment::start().await;
    for name in ["contactz", "", "contact')/Attributes('x", "кontact"] {
        let error = environment.client().table(name).await.unwrap_err();
        assert_eq!(
            (error.class(), error.code()),
            (Class::Fatal, "DYNAMICS_TABLE_NOT_FOUND"),
            "{name}"
        );
    }
}

#[tokio::test]
async fn rows_are_counted_by_the_service() {
    let environment = Environment::start().await;
    environment.create_many(7);
    let client = environment.client();
    let contact = client.table("contact").await.unwrap();
    assert_eq!(client.total_record_count(&contact).await.unwrap(), 7);
    let gone = Table {
        logical_name: "contactz".to_owned(),
        ..contact
    };
    assert_eq!(
        client.total_record_count(&gone).await.unwrap_err().code(),
        "DYNAMICS_TABLE_NOT_FOUND"
    );
}
