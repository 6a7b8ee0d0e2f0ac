//! A shop: orders of contacts, their lines, and the parcels these are sent in, with the resources that Campaign keeps them
//! in. Each row points to the one above it, and Campaign hides it until that is there.

use rand::Rng;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::{account_id, contact_id, id_of, random_of};
use crate::adobe::{
    Adobe, Cardinality, DefinitionError, FieldDefinition, FieldType, FilterDefinition, KeyDefinition, LinkDefinition,
    ResourceDefinition,
};
use crate::microsoft::{ApiError, ColumnDeclaration, ColumnType, Dynamics, TableDeclaration};

/// The states of an order.
const STATES: [(i32, &str); 4] = [
    (100_000_000, "Open"),
    (100_000_001, "Paid"),
    (100_000_002, "Shipped"),
    (100_000_003, "Returned"),
];
/// What a buyer may want to hear of.
const INTERESTS: [(i32, &str); 4] = [(1, "Books"), (2, "Garden"), (3, "Music"), (4, "Travel")];
const PRODUCTS: [&str; 6] = ["Lampe", "Książka", "紅茶", "Guitarra", "Chaise", "Notebook"];
const CARRIERS: [&str; 3] = ["DHL", "Poste", "Correos"];

/// The id of the order of an index.
pub fn order_id(seed: u64, index: u64) -> Uuid {
    id_of("order", seed, index)
}

/// The id of the order line of an index.
pub fn order_line_id(seed: u64, index: u64) -> Uuid {
    id_of("orderline", seed, index)
}

/// The id of the parcel of an index.
pub fn parcel_id(seed: u64, index: u64) -> Uuid {
    id_of("parcel", seed, index)
}

/// The tables of the shop, each after the one it looks up.
#[must_use]
pub fn tables() -> Vec<TableDeclaration> {
    vec![
        table(
            "new_Order",
            "Order",
            vec![
                column("new_Number", "Number", ColumnType::String { length: 40 }),
                column("new_Contact", "Contact", lookup("contact")),
                column("new_Account", "Account", lookup("account")),
                column("new_State", "State", choices(&STATES)),
                column("new_Interests", "Interests", multiple(&INTERESTS)),
                column("new_Total", "Total", ColumnType::Money),
                column("new_OrderedOn", "Ordered On", ColumnType::DateTime),
                column("new_DueOn", "Due On", ColumnType::Date),
                column("new_Gift", "Gift", yes_or_no()),
                column("new_Remark", "Remark", ColumnType::Memo { length: 2_000 }),
            ],
        ),
        table(
            "new_OrderLine",
            "Order Line",
            vec![
                column("new_Product", "Product", ColumnType::String { length: 100 }),
                column("new_Order", "Order", lookup("new_order")),
                column("new_Quantity", "Quantity", ColumnType::Integer),
                column("new_Weight", "Weight", ColumnType::Decimal { precision: 3 }),
                column("new_Discount", "Discount", ColumnType::Double),
                column("new_Barcode", "Barcode", ColumnType::Bigint),
                column("new_Returned", "Returned", yes_or_no()),
            ],
        ),
        table(
            "new_Parcel",
            "Parcel",
            vec![
                column("new_Tracking", "Tracking Number", ColumnType::String { length: 60 }),
                column("new_OrderLine", "Order Line", lookup("new_orderline")),
                column("new_Carrier", "Carrier", ColumnType::String { length: 30 }),
                column("new_SentOn", "Sent On", ColumnType::DateTime),
                column("new_Delivered", "Delivered", yes_or_no()),
            ],
        ),
    ]
}

/// The resources Campaign keeps the shop in, each after the one it is linked to.
#[must_use]
pub fn resources() -> Vec<ResourceDefinition> {
    let text = |length| FieldType::String { length };
    vec![
        resource(
            "cusAccount",
            vec![
                field("cusName", text(160)),
                field("cusNumber", text(40)),
                field("cusEmployees", FieldType::Long),
            ],
            Vec::new(),
        ),
        resource(
            "cusOrder",
            vec![
                field("cusNumber", text(40)),
                field("cusContactId", text(36)),
                field("cusAccountId", text(36)),
                field("cusState", enumeration(&["Open", "Paid", "Shipped", "Returned"])),
                field("cusInterests", text(255)),
                field("cusTotal", FieldType::Double),
                field("cusOrderedOn", FieldType::DateTime),
                field("cusDueOn", FieldType::Date),
                field("cusGift", FieldType::Boolean),
                field("cusRemark", FieldType::Memo),
            ],
            vec![
                link("cusContact", "profile", Cardinality::One, "cusContactId", "externalId"),
                link(
                    "cusAccount",
                    "cusAccount",
                    Cardinality::ZeroOrOne,
                    "cusAccountId",
                    "cusId",
                ),
            ],
        ),
        resource(
            "cusOrderLine",
            vec![
                field("cusProduct", text(100)),
                field("cusOrderId", text(36)),
                field("cusQuantity", FieldType::Long),
                field("cusWeight", FieldType::Double),
                field("cusDiscount", FieldType::Float),
                field("cusBarcode", FieldType::Int64),
                field("cusReturned", FieldType::Boolean),
            ],
            vec![link("cusOrder", "cusOrder", Cardinality::One, "cusOrderId", "cusId")],
        ),
        resource(
            "cusParcel",
            vec![
                field("cusTracking", text(60)),
                field("cusOrderLineId", text(36)),
                field("cusCarrier", text(30)),
                field("cusSentOn", FieldType::DateTime),
                field("cusDelivered", FieldType::Boolean),
            ],
            vec![link(
                "cusOrderLine",
                "cusOrderLine",
                Cardinality::One,
                "cusOrderLineId",
                "cusId",
            )],
        ),
    ]
}

/// Publishes the shop on both sides.
pub(crate) fn publish(dynamics: &Dynamics, campaign: &Adobe) -> Result<(), PublishError> {
    for table in tables() {
        dynamics.add_table(&table)?;
    }
    for organisation in campaign.organisations() {
        for resource in resources() {
            organisation.add_resource(&resource)?;
        }
    }
    Ok(())
}

/// Why the shop could not be published: a defect of its definitions.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PublishError {
    #[error("the shop's tables: {0}")]
    Table(#[from] ApiError),
    #[error("the shop's resources: {0}")]
    Resource(#[from] DefinitionError),
}

/// Creates the orders of these indices, each with a line and a parcel, for contacts with indices below `contacts`.
///
/// # Errors
/// If the tables or the contacts are not there, or an order is there already.
pub fn create_orders(
    dynamics: &Dynamics,
    seed: u64,
    contacts: u64,
    orders: std::ops::Range<u64>,
) -> Result<(), ApiError> {
    for index in orders {
        let mut random = random_of("order", seed, index);
        let contact = contact_id(seed, random.random_range(0..contacts.max(1)));
        dynamics.create("new_order", &order(seed, index, contact, &mut random))?;
        dynamics.create("new_orderline", &order_line(seed, index, &mut random))?;
        dynamics.create("new_parcel", &parcel(seed, index, &mut random))?;
    }
    Ok(())
}

fn order(seed: u64, index: u64, contact: Uuid, random: &mut impl Rng) -> Map<String, Value> {
    let (state, _) = STATES[random.random_range(0..STATES.len())];
    let mut row = object(json!({
        "new_orderid": order_id(seed, index),
        "new_number": format!("O-{index:07}"),
        "new_Contact@odata.bind": format!("/contacts({contact})"),
        "new_state": state,
        "new_total": f64::from(random.random_range(100..100_000)) / 100.0,
        "new_orderedon": format!("2026-0{}-1{}T08:{:02}:00Z", 1 + index % 9, index % 10, index % 60),
        "new_dueon": format!("2026-1{}-2{}", index % 3, index % 9),
        "new_gift": random.random_bool(0.2),
    }));
    if random.random_bool(0.3) {
        let account = account_id(seed, random.random_range(0..1_000));
        row.insert(
            "new_Account@odata.bind".to_owned(),
            json!(format!("/accounts({account})")),
        );
    }
    if random.random_bool(0.5) {
        row.insert("new_interests".to_owned(), json!("1,3"));
        row.insert("new_remark".to_owned(), json!("bitte klingeln\nsecond floor"));
    }
    row
}

fn order_line(seed: u64, index: u64, random: &mut impl Rng) -> Map<String, Value> {
    object(json!({
        "new_orderlineid": order_line_id(seed, index),
        "new_product": PRODUCTS[random.random_range(0..PRODUCTS.len())],
        "new_Order@odata.bind": format!("/new_orders({})", order_id(seed, index)),
        "new_quantity": random.random_range(1..20),
        "new_weight": f64::from(random.random_range(1..50_000)) / 1_000.0,
        "new_discount": f64::from(random.random_range(0..8)) / 8.0,
        "new_barcode": 4_000_000_000_000_i64 + i64::try_from(index).unwrap_or(0),
        "new_returned": false,
    }))
}

fn parcel(seed: u64, index: u64, random: &mut impl Rng) -> Map<String, Value> {
    object(json!({
        "new_parcelid": parcel_id(seed, index),
        "new_tracking": format!("T{index:010}"),
        "new_OrderLine@odata.bind": format!("/new_orderlines({})", order_line_id(seed, index)),
        "new_carrier": CARRIERS[random.random_range(0..CARRIERS.len())],
        "new_senton": format!("2026-10-{:02}T17:30:00Z", 1 + index % 28),
        "new_delivered": random.random_bool(0.7),
    }))
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}

fn table(schema_name: &str, label: &str, columns: Vec<ColumnDeclaration>) -> TableDeclaration {
    TableDeclaration {
        schema_name: schema_name.to_owned(),
        entity_set: None,
        label: Some(label.to_owned()),
        change_tracking: true,
        columns,
    }
}

fn column(name: &str, label: &str, kind: ColumnType) -> ColumnDeclaration {
    ColumnDeclaration {
        name: name.to_owned(),
        label: Some(label.to_owned()),
        kind,
    }
}

fn lookup(target: &str) -> ColumnType {
    ColumnType::Lookup {
        targets: vec![target.to_owned()],
    }
}

fn owned(options: &[(i32, &str)]) -> Vec<(i32, String)> {
    options
        .iter()
        .map(|(value, label)| (*value, (*label).to_owned()))
        .collect()
}

fn choices(options: &[(i32, &str)]) -> ColumnType {
    ColumnType::Picklist {
        options: owned(options),
    }
}

fn multiple(options: &[(i32, &str)]) -> ColumnType {
    ColumnType::MultiSelect {
        options: owned(options),
    }
}

fn yes_or_no() -> ColumnType {
    ColumnType::Boolean {
        labels: ("No".to_owned(), "Yes".to_owned()),
    }
}

/// Every resource of the shop is keyed by the id of its row in Dynamics.
fn resource(name: &str, mut fields: Vec<FieldDefinition>, links: Vec<LinkDefinition>) -> ResourceDefinition {
    fields.insert(0, field("cusId", FieldType::String { length: 36 }));
    ResourceDefinition {
        name: name.to_owned(),
        label: None,
        fields,
        links,
        keys: vec![KeyDefinition {
            name: "cusId".to_owned(),
            fields: vec!["cusId".to_owned()],
        }],
        filters: vec![FilterDefinition {
            name: "byCusId".to_owned(),
            field: "cusId".to_owned(),
            parameter: "cusId_parameter".to_owned(),
            further: Vec::new(),
        }],
    }
}

fn field(name: &str, kind: FieldType) -> FieldDefinition {
    FieldDefinition {
        name: name.to_owned(),
        label: None,
        kind,
    }
}

fn enumeration(names: &[&str]) -> FieldType {
    FieldType::Enumeration {
        values: names
            .iter()
            .map(|name| ((*name).to_owned(), (*name).to_owned()))
            .collect(),
    }
}

fn link(name: &str, target: &str, cardinality: Cardinality, field: &str, target_field: &str) -> LinkDefinition {
    LinkDefinition {
        name: name.to_owned(),
        target: target.to_owned(),
        cardinality,
        field: field.to_owned(),
        target_field: target_field.to_owned(),
    }
}
