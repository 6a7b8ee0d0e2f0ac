//! The shop of the sandbox: accounts, and orders, lines and parcels that hang below contacts.

use crosswalk_proto::v1::{Mapping, MappingOptions, mapping_options::ChoiceForm};

use crate::{
    field,
    oracle::{Pairing, Rule},
};

/// The pairings of the shop, parents first.
pub(crate) static SHOP: [Pairing; 4] = [
    Pairing {
        table: "account",
        id: "accountid",
        resource: "cusAccount",
        key: "cusId",
        fields: &[
            ("name", "cusName", Rule::Text { longest: 160 }),
            ("accountnumber", "cusNumber", Rule::Text { longest: 40 }),
            ("numberofemployees", "cusEmployees", Rule::Number),
        ],
    },
    Pairing {
        table: "new_order",
        id: "new_orderid",
        resource: "cusOrder",
        key: "cusId",
        fields: &[
            ("new_number", "cusNumber", Rule::Text { longest: 40 }),
            ("new_contact", "cusContactId", Rule::Lookup),
            ("new_account", "cusAccountId", Rule::Lookup),
            (
                "new_state",
                "cusState",
                Rule::Label(
                    &[
                        (100_000_000, "Open"),
                        (100_000_001, "Paid"),
                        (100_000_002, "Shipped"),
                        (100_000_003, "Returned"),
                    ],
                    "none",
                ),
            ),
            (
                "new_interests",
                "cusInterests",
                Rule::Labels(&[("1", "Books"), ("2", "Garden"), ("3", "Music"), ("4", "Travel")]),
            ),
            ("new_total", "cusTotal", Rule::Fraction),
            ("new_orderedon", "cusOrderedOn", Rule::Moment),
            ("new_dueon", "cusDueOn", Rule::Text { longest: 10 }),
            ("new_gift", "cusGift", Rule::Flag),
            ("new_remark", "cusRemark", Rule::Text { longest: 2_000 }),
        ],
    },
    Pairing {
        table: "new_orderline",
        id: "new_orderlineid",
        resource: "cusOrderLine",
        key: "cusId",
        fields: &[
            ("new_product", "cusProduct", Rule::Text { longest: 100 }),
            ("new_order", "cusOrderId", Rule::Lookup),
            ("new_quantity", "cusQuantity", Rule::Number),
            ("new_weight", "cusWeight", Rule::Fraction),
            ("new_discount", "cusDiscount", Rule::Fraction),
            ("new_barcode", "cusBarcode", Rule::Number),
            ("new_returned", "cusReturned", Rule::Flag),
        ],
    },
    Pairing {
        table: "new_parcel",
        id: "new_parcelid",
        resource: "cusParcel",
        key: "cusId",
        fields: &[
            ("new_tracking", "cusTracking", Rule::Text { longest: 60 }),
            ("new_orderline", "cusOrderLineId", Rule::Lookup),
            ("new_carrier", "cusCarrier", Rule::Text { longest: 30 }),
            ("new_senton", "cusSentOn", Rule::Moment),
            ("new_delivered", "cusDelivered", Rule::Flag),
        ],
    },
];

impl Pairing {
    /// The mapping that brings the table to the resource.
    pub(crate) fn mapping(&self, apply_deletes: bool) -> Mapping {
        Mapping {
            dynamics_table: self.table.to_owned(),
            campaign_resource: self.resource.to_owned(),
            key: Some(field(self.id, self.key)),
            fields: self
                .pairs()
                .iter()
                .map(|(source, target)| field(source, target))
                .collect(),
            options: Some(MappingOptions {
                apply_deletes,
                choices: ChoiceForm::Label.into(),
                ..MappingOptions::default()
            }),
            ..Mapping::default()
        }
    }
}
