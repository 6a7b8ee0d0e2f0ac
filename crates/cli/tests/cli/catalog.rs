//! `crosswalk catalog`.

use insta::assert_snapshot;

use crate::{run::run, server::Server};

#[tokio::test]
async fn tables_of_dynamics_say_whether_they_are_tracked() {
    let server = Server::start().await;
    assert_snapshot!(run(&server, &["catalog", "tables", "--system", "dynamics"]).await.transcript(), @r"
    exit 0
    --- stdout
    TABLE    NAME     CHANGE TRACKING  PRIMARY KEY
    contact  Contact  on               contactid
    invoice  Invoice  off              invoiceid
    --- stderr
    ");
}

#[tokio::test]
async fn resources_of_campaign_have_no_dynamics_columns() {
    let server = Server::start().await;
    assert_snapshot!(run(&server, &["catalog", "tables", "--system", "campaign"]).await.transcript(), @r"
    exit 0
    --- stdout
    RESOURCE  NAME
    profile   Profiles
    service   Services
    --- stderr
    ");
}

#[tokio::test]
async fn table_shows_types_lengths_and_options() {
    let server = Server::start().await;
    let ran = run(&server, &["catalog", "table", "contact", "--system", "dynamics"]).await;
    assert_snapshot!(ran.transcript(), @r"
    exit 0
    --- stdout
    Table:            contact
    Name:             Contact
    Primary key:      contactid
    Change tracking:  on
    Alternate keys:   new_numberkey (new_number); new_namekey (firstname, lastname), not active

    FIELD          NAME    TYPE      LENGTH  MAPPABLE  OPTIONS
    emailaddress1  Email   String    100     yes
    gendercode     Gender  Picklist  –       yes       1 = Male, 2 = Female, 3
    entityimage    Image   Virtual   –       no
    --- stderr
    ");
    let json = run(
        &server,
        &["-o", "json", "catalog", "table", "contact", "--system", "dynamics"],
    )
    .await
    .json();
    assert_eq!(json["fields"][1]["options"][0]["label"], "Male");
}

#[tokio::test]
async fn unknown_table_is_a_refusal() {
    let server = Server::start().await;
    let ran = run(&server, &["catalog", "table", "kontact", "--system", "dynamics"]).await;
    assert_eq!(ran.code, 1);
    assert!(
        ran.stderr
            .contains("Dynamics 365 has no table `kontact` (NOT_FOUND, TABLE_NOT_FOUND)"),
        "{ran:?}"
    );
}
