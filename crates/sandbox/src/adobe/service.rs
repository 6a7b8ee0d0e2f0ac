//! Services and the subscriptions of profiles to them (contracts/campaign.md §2.2 and §2.9).

use std::sync::Arc;

use super::definition::{Definition, Family};
use super::enumeration;
use super::field::{Access, Computed, Field, FieldKind};
use super::filter::{Filter, ParameterKind};
use super::profile::row_fields;

/// Name of the resource of subscriptions.
pub(super) const SUBSCRIPTION: &str = "subscriptionRcp";

/// The `service` resource.
pub(super) fn service() -> Definition {
    let mut fields = row_fields();
    fields.extend(service_fields());
    Definition::new(("service", "Service", "nms:service"), "Services", fields)
        .with_own_key("name", &["name"])
        .with_filter(|service| {
            let channel = [(service.known_id("messageType"), "channel")];
            Filter::equals(("byChannel", "By channel type"), &channel, ParameterKind::Enumeration)
        })
        .with_filter(|service| {
            let fields = ["label", "name"].map(|name| service.known_id(name));
            Filter::by_text("By name or label", fields.to_vec())
        })
        .with_filter(|service| Filter::by_planning(service.known_id("start"), service.known_id("end")))
        .with_filter(|service| {
            let target = [(service.known_id("targetResource"), "targetResource")];
            Filter::equals(
                ("byTargetResource", "By targeting resource"),
                &target,
                ParameterKind::Text,
            )
        })
}

/// Subscriptions: met below the profile and the service they join only. A profile subscribes to a service once; that it
/// cannot twice is a convention of ours.
pub(super) fn subscription() -> Definition {
    Definition::new(
        (SUBSCRIPTION, "Subscriptions", "nms:subscriptionRcp"),
        "Subscriptions of profiles to services",
        subscription_fields(),
    )
    .family(Family::Nested)
    .with_own_key("subscription", &["service", "subscriber"])
}

fn service_fields() -> Vec<Field> {
    let enumeration = |name, label, members| Field::new(name, label, FieldKind::Enumeration(Arc::new(members)));
    let flag = |name, label| Field::new(name, label, FieldKind::Boolean);
    let date = |name, label| Field::new(name, label, FieldKind::Date);
    vec![
        flag("builtIn", "Built-in application object").access(Access::ReadOnly),
        Field::text("desc", "Description", 512),
        date("end", "End date"),
        flag("isExternal", "Is external resource"),
        flag("isTemplate", "Template"),
        Field::text("label", "Label", 128),
        flag("limitedDuration", "Limited duration"),
        date("mainDate", "Date"),
        enumeration("messageType", "Channel", enumeration::message_type()),
        enumeration("mode", "Mode", enumeration::service_mode()),
        Field::text("name", "ID", 64).generated("SVC"),
        Field::text("publicLabel", "Service label", 128),
        date("start", "Start date"),
        Field::text("subScenarioEventType", "Subscription confirmation event", 255),
        Field::new(
            "subscriptions",
            "Subscriptions",
            FieldKind::Collection {
                target: SUBSCRIPTION,
                link: "service",
            },
        )
        .access(Access::ReadOnly),
        Field::text("targetResource", "Targeting dimension", 255).empty_text("profile"),
        Field::new("template", "Service template", FieldKind::Link { target: "service" })
            .link_members(&["PKey", "title"]),
        Field::text("thumbnail", "Thumbnail", 255),
        Field::computed("title", "Service", FieldKind::Text { length: 255 }, Computed::Title),
        Field::text("unsubScenarioEventType", "Unsubscription confirmation event", 255),
        Field::new("validityDuration", "Validity duration", FieldKind::Duration),
    ]
}

fn subscription_fields() -> Vec<Field> {
    let text = |name, label, computed| Field::computed(name, label, FieldKind::Text { length: 255 }, computed);
    let moment = |name, label| Field::computed(name, label, FieldKind::DateTime, Computed::Created);
    let linked = |link, field| Computed::Linked { link, field };
    vec![
        text("PKey", "Main resource ID", Computed::PrimaryKey),
        moment("created", "Created"),
        text("email", "Email", linked("subscriber", "email")),
        Field::new("expirationDate", "Expiration date", FieldKind::DateTime),
        Field::computed("href", "URL", FieldKind::Memo, Computed::Href),
        Field::text("metadata", "Resource", 64)
            .empty_text(SUBSCRIPTION)
            .access(Access::ReadOnly),
        text("mobilePhone", "Mobile", linked("subscriber", "mobilePhone")),
        Field::text("origin", "Origin", 255),
        Field::new("service", "Service", FieldKind::Link { target: "service" })
            .link_members(&["PKey", "href", "label", "name", "title"])
            .indexed(),
        text("serviceName", "Service name", linked("service", "name")),
        Field::new("subscriber", "Subscriber", FieldKind::Link { target: "profile" })
            .link_members(&["PKey", "email", "firstName", "href", "lastName", "title"])
            .indexed(),
        moment("subscriptionDate", "Subscription date"),
        text("title", "Subscription", linked("service", "title")),
    ]
}
