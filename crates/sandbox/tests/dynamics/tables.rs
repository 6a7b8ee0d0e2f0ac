//! Tables that a customizer declares, and changes of their columns (contracts/dataverse.md §3, §4).

use reqwest::Method;
use serde_json::{Value, json};

use crate::client::Environment;

fn orders() -> Value {
    json!({
        "schema_name": "new_Order",
        "label": "Order",
        "columns": [
            {"name": "new_Number", "type": "string", "length": 20},
            {"name": "new_Contact", "type": "lookup", "targets": ["contact"]},
            {"name": "new_Buyer", "type": "lookup", "targets": ["contact", "account"]},
            {"name": "new_State", "type": "picklist", "options": [[1, "Open"], [2, "Paid"]]},
            {"name": "new_Tags", "type": "multi_select", "options": [[1, "A"], [2, "B"]]},
            {"name": "new_Total", "type": "money"},
            {"name": "new_Weight", "type": "decimal", "precision": 3},
            {"name": "new_Rate", "type": "double"},
            {"name": "new_Code", "type": "bigint"},
            {"name": "new_Count", "type": "integer"},
            {"name": "new_Gift", "type": "boolean"},
            {"name": "new_On", "type": "date_time"},
            {"name": "new_Due", "type": "date"},
            {"name": "new_Text", "type": "memo", "length": 100},
            {"name": "new_Token", "type": "unique_identifier"},
        ],
    })
}

async fn with_orders() -> Environment {
    let environment = Environment::start().await;
    environment
        .admin(Method::POST, "/dynamics/tables", Some(orders()))
        .await
        .expect(201);
    environment
}

#[tokio::test]
async fn declared_table_has_metadata_and_takes_every_kind_of_value() {
    let environment = with_orders().await;
    let definition = environment
        .get("EntityDefinitions(LogicalName='new_order')?$select=EntitySetName,IsCustomEntity,ChangeTrackingEnabled")
        .await
        .expect(200)
        .json();
    assert_eq!(definition["EntitySetName"], "new_orders");
    assert_eq!(definition["IsCustomEntity"], true);
    assert_eq!(definition["ChangeTrackingEnabled"], true);
    let contact = environment.contact(json!({"lastname": "Byron"}));
    let row = json!({
        "new_number": "O-1",
        "new_Contact@odata.bind": format!("/contacts({contact})"),
        "new_buyer_contact@odata.bind": format!("/contacts({contact})"),
        "new_state": 2, "new_tags": "1,2", "new_total": 12.5, "new_weight": 1.234, "new_rate": 0.25,
        "new_code": 4_000_000_000_000_i64, "new_count": 3, "new_gift": true, "new_on": "2026-01-31T21:59:01Z",
        "new_due": "2026-02-01", "new_text": "a\nb", "new_token": "6f0cbd41-0000-4000-8000-000000000001",
    });
    let answer = environment.post("new_orders", row).await.expect(204);
    let row = environment
        .get(answer.header("odata-entityid"))
        .await
        .expect(200)
        .json();
    assert_eq!(row["_new_contact_value"], contact);
    assert_eq!(row["_new_buyer_value"], contact);
    assert_eq!(row["new_tags"], "1,2");
    assert_eq!(row["new_due"], "2026-02-01");
    assert_eq!(row["statecode"], 0);
    let refused = environment.post("new_orders", json!({"new_state": 9})).await;
    assert_eq!(refused.status.as_u16(), 400);
}

#[tokio::test]
async fn declared_table_tracks_changes_and_deletes() {
    let environment = with_orders().await;
    let kept = environment.row("new_order", json!({"new_number": "1"}));
    let first = environment
        .get_with("new_orders?$select=new_number", "odata.track-changes")
        .await
        .expect(200)
        .json();
    assert_eq!(first["value"].as_array().unwrap().len(), 1);
    let gone = environment.row("new_order", json!({"new_number": "2"}));
    environment.delete(&format!("new_orders({gone})")).await.expect(204);
    environment
        .patch(&format!("new_orders({kept})"), json!({"new_number": "3"}))
        .await
        .expect(204);
    let delta = environment
        .get(first["@odata.deltaLink"].as_str().unwrap())
        .await
        .expect(200)
        .rows();
    assert_eq!(delta.len(), 2, "{delta:?}");
    assert!(delta.iter().any(|row| row["new_number"] == "3"));
    assert!(delta.iter().any(|row| row["id"] == gone));
}

#[tokio::test]
async fn deleting_a_row_clears_the_lookups_to_it() {
    let environment = with_orders().await;
    let contact = environment.contact(json!({"lastname": "Byron"}));
    let bound = json!({"new_Contact@odata.bind": format!("/contacts({contact})")});
    let order = environment.row("new_order", bound);
    environment.delete(&format!("contacts({contact})")).await.expect(204);
    let row = environment
        .get(&format!("new_orders({order})"))
        .await
        .expect(200)
        .json();
    assert_eq!(row["_new_contact_value"], Value::Null);
}

#[tokio::test]
async fn changed_columns_keep_values_of_the_same_type_only() {
    let environment = with_orders().await;
    let order = environment.row(
        "new_order",
        json!({"new_number": "O-1", "new_state": 2, "new_count": 3}),
    );
    let changes = json!({
        "put": [
            {"name": "new_State", "type": "picklist", "options": [[1, "Open"], [2, "Settled"], [3, "Lost"]]},
            {"name": "new_Count", "type": "string", "length": 10},
            {"name": "new_Extra", "type": "boolean"},
        ],
        "remove": ["new_rate"],
    });
    environment
        .admin(Method::PATCH, "/dynamics/tables/new_order/columns", Some(changes))
        .await
        .expect(204);
    let row = environment
        .get(&format!("new_orders({order})"))
        .await
        .expect(200)
        .json();
    assert_eq!(row["new_number"], "O-1");
    assert_eq!(row["new_state"], 2);
    assert_eq!(row["new_count"], Value::Null);
    assert!(row.get("new_rate").is_none());
    environment
        .patch(
            &format!("new_orders({order})"),
            json!({"new_state": 3, "new_count": "many", "new_extra": true}),
        )
        .await
        .expect(204);
    let labels = environment
        .get(
            "EntityDefinitions(LogicalName='new_order')/Attributes(LogicalName='new_state')/\
             Microsoft.Dynamics.CRM.PicklistAttributeMetadata?$select=LogicalName&$expand=OptionSet",
        )
        .await
        .expect(200);
    assert!(
        labels.text.contains("Settled") && !labels.text.contains("Paid"),
        "{}",
        labels.text
    );
}

#[tokio::test]
async fn import_creates_a_row_a_line_and_names_the_first_bad_one() {
    let environment = with_orders().await;
    let import = |lines: &str| {
        let url = format!("{}/dynamics/tables/new_order/import", environment.sandbox.admin_url());
        environment.http.post(url).body(lines.to_owned()).send()
    };
    let answer = import("{\"new_number\":\"1\"}\n\n{\"new_number\":\"2\"}\n")
        .await
        .unwrap();
    assert_eq!(answer.json::<Value>().await.unwrap()["created"], 2);
    let answer = import("{\"new_number\":\"3\"}\n{\"new_state\":7}\n").await.unwrap();
    assert_eq!(answer.status().as_u16(), 400);
    let text = answer.text().await.unwrap();
    assert!(text.contains("line 2"), "{text}");
    assert_eq!(environment.sandbox.dynamics().count("new_order").unwrap(), 3);
}

#[tokio::test]
async fn impossible_tables_are_refused_with_what_is_wrong() {
    let environment = with_orders().await;
    let column = |kind: Value| json!({"schema_name": "new_Other", "columns": [kind]});
    let cases = [
        (orders(), "there is a table new_order already"),
        (column(json!({"name": "a b", "type": "bigint"})), "is no schema name"),
        (
            column(json!({"name": "new_X", "type": "lookup", "targets": ["nothing"]})),
            "there is no table nothing",
        ),
        (
            column(json!({"name": "StateCode", "type": "bigint"})),
            "two columns statecode",
        ),
        (column(json!({"name": "new_X", "type": "money_bag"})), "money_bag"),
    ];
    for (declaration, wanted) in cases {
        let answer = environment
            .admin(Method::POST, "/dynamics/tables", Some(declaration))
            .await
            .expect(400);
        assert!(answer.text.contains(wanted), "{}", answer.text);
    }
}

#[tokio::test]
async fn shop_has_orders_lines_and_parcels_that_point_to_each_other() {
    let environment = Environment::with(|config| {
        config.contacts = 10;
        config.orders = Some(20);
    })
    .await;
    for table in ["new_order", "new_orderline", "new_parcel"] {
        assert_eq!(environment.sandbox.dynamics().count(table).unwrap(), 20);
    }
    let parcels = environment
        .get("new_parcels?$select=new_tracking,_new_orderline_value")
        .await
        .expect(200)
        .rows();
    assert!(parcels.iter().all(|parcel| parcel["_new_orderline_value"].is_string()));
    let campaign = environment.sandbox.campaign().organisation("sandbox").unwrap();
    assert_eq!(campaign.count("cusParcel").unwrap(), 0);
}
