//! Filters out of the box, and those that customers declare (contracts/campaign.md §3.4).

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{CORE, EXT, Server};

const SERVICE: &str = "profileAndServices/service";

/// The values of a field in the answer to a list request, in alphabetical order.
async fn values(server: &Server, path: &str, field: &str) -> Vec<String> {
    let page = server.get(path).await.expect(200);
    let rows = page["content"].as_array().unwrap();
    let mut values: Vec<String> = rows.iter().map(|row| row[field].as_str().unwrap().to_owned()).collect();
    values.sort();
    values
}

async fn with_birthdays() -> Server {
    let server = Server::start().await;
    for (id, birth_date) in [
        ("leap", "1984-02-29"),
        ("march", "1990-03-01"),
        ("new-year", "2001-01-01"),
        ("silvester", "1970-12-31"),
        ("unknown", ""),
    ] {
        server.profile(json!({"externalId": id, "birthDate": birth_date})).await;
    }
    server
}

#[tokio::test]
async fn birthdays_are_found_by_day_month_and_period() {
    let server = with_birthdays().await;
    let born = async |query: &str| values(&server, &format!("{EXT}/birthday?{query}"), "externalId").await;
    assert_eq!(born("type=absolute&operator=equal&day=29&month=2").await, ["leap"]);
    assert_eq!(born("precision=month&month=3").await, ["march"]);
    assert_eq!(
        born("operator=between&day=31&month=12&endDay=1&endMonth=3&includeEnd=false").await,
        ["leap", "new-year", "silvester"]
    );
    assert_eq!(born("day=2&month=2").await, Vec::<String>::new());
    assert_eq!(born("").await.len(), 5, "not enabled without parameters");
    server.get(&format!("{EXT}/birthday?day=30&month=2")).await.expect(500);
}

#[tokio::test]
async fn birthdays_are_found_relative_to_today() {
    let server = Server::start().await;
    let today = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date();
    for (id, days) in [("today", 0), ("in-3", 3), ("in-9", 9)] {
        let date = today.checked_add(jiff::Span::new().days(days)).unwrap();
        let birth_date = format!("1984-{:02}-{:02}", date.month(), date.day());
        server.profile(json!({"externalId": id, "birthDate": birth_date})).await;
    }
    let born =
        async |query: &str| values(&server, &format!("{EXT}/birthday?type=relative&{query}"), "externalId").await;
    assert_eq!(born("relativeValue=current").await, ["today"]);
    assert_eq!(born("relativeValue=next&nextUnitsValue=5").await, ["in-3"]);
    assert_eq!(
        born("relativeValue=previous&previousUnitsValue=5").await,
        Vec::<String>::new()
    );
}

#[tokio::test]
async fn filters_by_audiences_and_deliveries_find_nobody() {
    let server = with_birthdays().await;
    for path in [
        "byStaticAudience?audience=@abc",
        "hasReceivedDelivery?delivery=@abc",
        "hasOpenedDelivery?delivery=@abc",
        "hasClickedDelivery?delivery=@abc",
        "byStaticAudience/byText?audience=@abc&text=",
    ] {
        for endpoint in [CORE, EXT] {
            let page = server.get(&format!("{endpoint}/{path}")).await.expect(200);
            assert_eq!(page["content"], json!([]), "{path}");
            assert_eq!(page["count"]["value"], 0, "{path}");
        }
    }
}

#[tokio::test]
async fn profile_filter_selects_one_profile_by_its_key() {
    let server = with_birthdays().await;
    let key = server.read("march").await["PKey"].as_str().unwrap().to_owned();
    let path = format!("{EXT}/profile?profile={key}");
    assert_eq!(values(&server, &path, "externalId").await, ["march"]);
    let combined = format!("{EXT}/profile/birthday?profile={key}&day=29&month=2");
    assert_eq!(values(&server, &combined, "externalId").await, Vec::<String>::new());
    let garbled = server.get(&format!("{EXT}/profile?profile=@garbled")).await.expect(500);
    assert_eq!(garbled["error_code"], "XTK-170036");
    server.delete(&format!("{EXT}/march")).await.expect(200);
    assert_eq!(values(&server, &path, "externalId").await, Vec::<String>::new());
}

#[tokio::test]
async fn subscribers_are_those_who_subscribed_to_the_service() {
    let server = with_birthdays().await;
    let service = server.post(SERVICE, &json!({"name": "SVC1"})).await.expect(201);
    server.post(SERVICE, &json!({"name": "SVC2"})).await.expect(201);
    let key = service["PKey"].as_str().unwrap();
    let subscribers = format!("{EXT}/subscribers?service={key}");
    assert_eq!(values(&server, &subscribers, "externalId").await, Vec::<String>::new());
    for id in ["leap", "march"] {
        let subscriptions = server.read(id).await["subscriptions"]["href"].clone();
        let body = json!({"service": {"PKey": key}});
        server
            .call_url(Method::POST, subscriptions.as_str().unwrap(), Some(&body))
            .await
            .expect(201);
    }
    assert_eq!(values(&server, &subscribers, "externalId").await, ["leap", "march"]);
    assert_eq!(
        values(&server, &format!("{EXT}/subscribers?service=SVC2"), "externalId").await,
        Vec::<String>::new()
    );
    assert_eq!(
        server
            .get(&format!("{EXT}/subscribers/_count?service={key}"))
            .await
            .expect(200),
        json!({"count": 2})
    );
}

#[tokio::test]
async fn services_are_filtered_by_channel_text_target_and_period() {
    let server = Server::start().await;
    for service in [
        json!({"name": "A", "label": "sport", "messageType": "sms", "start": "2026-01-01", "end": "2026-01-31"}),
        json!({"name": "B", "label": "sport too", "start": "2026-02-01"}),
        json!({"name": "C", "label": "news", "targetResource": "cusOrder", "end": "2025-12-31"}),
    ] {
        server.post(SERVICE, &service).await.expect(201);
    }
    let names = async |path: &str| values(&server, &format!("{SERVICE}/{path}"), "name").await;
    assert_eq!(names("byChannel?channel=sms").await, ["A"]);
    assert_eq!(names("byChannel?channel=email").await, ["B", "C"]);
    assert_eq!(names("byText?text=sport").await, ["A", "B"]);
    assert_eq!(names("byText?text=C").await, ["C"]);
    assert_eq!(names("byChannel/byText?channel=email&text=sport").await, ["B"]);
    assert_eq!(names("byTargetResource?targetResource=profile").await, ["A", "B"]);
    assert_eq!(names("byTargetResource?targetResource=cusOrder").await, ["C"]);
    assert_eq!(names("byPlanning?startDate=2026-01-15&endDate=2026-01-20").await, ["A"]);
    assert_eq!(names("byPlanning?startDate=2026-02-01&endDate=2026-02-28").await, ["B"]);
    assert_eq!(names("byPlanning?endDate=2026-01-01").await, ["A", "C"]);
    for wrong in ["byChannel?channel=fax", "byPlanning?startDate=soon", "byEmail?email=x"] {
        server.get(&format!("{SERVICE}/{wrong}")).await.expect(500);
    }
}

#[tokio::test]
async fn filter_type_names_one_of_three_fields_or_a_custom_one() {
    let server = Server::start().await;
    server
        .profile(json!({"externalId": "1", "firstName": "Doe", "phone": "Doe", "cusNickname": "Dancer"}))
        .await;
    let found = async |query: &str| values(&server, &format!("{EXT}/byText?{query}"), "externalId").await;
    assert_eq!(found("text=Do&filterType=firstName").await, ["1"]);
    assert_eq!(found("text=oe&filterType=firstName").await, Vec::<String>::new());
    assert_eq!(found("cusNickname=Dan&filterType=Nickname").await, ["1"]);
    for wrong in ["phone", "externalId", "nothing"] {
        server
            .get(&format!("{EXT}/byText?text=Do&filterType={wrong}"))
            .await
            .expect(500);
    }
    server
        .get(&format!("{CORE}/byText?cusNickname=Dan&filterType=Nickname"))
        .await
        .expect(500);
}

fn transactions() -> Value {
    json!({
        "name": "cusTransaction",
        "fields": [
            {"name": "cusAmount", "type": "double"},
            {"name": "cusCategory", "type": "string", "length": 20},
            {"name": "cusCrmId", "type": "long"},
            {"name": "cusPaid", "type": "boolean"},
            {"name": "cusDay", "type": "date"},
            {"name": "cusState", "type": "enumeration", "values": [["open", "Open"], ["closed", "Closed"]]},
        ],
        "keys": [{"name": "identification", "fields": ["cusCategory", "cusCrmId"]}],
        "filters": [
            {"name": "byAmount", "field": "cusAmount", "parameter": "amount_parameter"},
            {"name": "byPaid", "field": "cusPaid", "parameter": "paid_parameter"},
            {"name": "byDay", "field": "cusDay", "parameter": "day_parameter"},
            {"name": "byState", "field": "cusState", "parameter": "state_parameter"},
            {"name": "byidentification_key", "field": "cusCategory", "parameter": "category_parameter",
             "further": [{"field": "cusCrmId", "parameter": "crm_id_parameter"}]},
        ],
    })
}

#[tokio::test]
async fn declared_filters_compare_values_of_every_type() {
    let server = Server::start().await;
    server
        .admin(Method::POST, "resources", Some(&transactions()))
        .await
        .expect(201);
    let resource = "profileAndServicesExt/cusTransaction";
    for row in [
        json!({"cusCategory": "spring", "cusCrmId": 1, "cusAmount": 100, "cusPaid": true, "cusDay": "2026-03-01"}),
        json!({"cusCategory": "summer", "cusCrmId": 2, "cusAmount": 2.5, "cusState": "closed"}),
    ] {
        server.post(resource, &row).await.expect(201);
    }
    let found = async |query: &str| values(&server, &format!("{resource}/{query}"), "cusCategory").await;
    assert_eq!(found("byAmount?amount_parameter=100").await, ["spring"]);
    assert_eq!(found("byAmount?amount_parameter=2.5").await, ["summer"]);
    assert_eq!(found("byPaid?paid_parameter=true").await, ["spring"]);
    assert_eq!(found("byPaid?paid_parameter=false").await, ["summer"]);
    assert_eq!(found("byDay?day_parameter=2026-03-01").await, ["spring"]);
    assert_eq!(found("byState?state_parameter=closed").await, ["summer"]);
    assert_eq!(found("byState?state_parameter=none").await, ["spring"]);
    for wrong in ["byAmount?amount_parameter=much", "byDay?day_parameter=today"] {
        server.get(&format!("{resource}/{wrong}")).await.expect(500);
    }
}

#[tokio::test]
async fn composite_key_is_enforced_and_looked_up_by_a_filter_on_its_fields() {
    let server = Server::start().await;
    server
        .admin(Method::POST, "resources", Some(&transactions()))
        .await
        .expect(201);
    let resource = "profileAndServicesExt/cusTransaction";
    for (category, id) in [("spring", 1), ("spring", 123_456), ("summer", 123_456)] {
        let row = json!({"cusCategory": category, "cusCrmId": id, "cusAmount": id});
        server.post(resource, &row).await.expect(201);
    }
    let page = server
        .get(&format!(
            "{resource}/byidentification_key?category_parameter=spring&crm_id_parameter=123456"
        ))
        .await
        .expect(200);
    assert_eq!(page["count"]["value"], 1);
    assert_eq!(page["content"][0]["cusAmount"], 123_456.0);
    let refused = server
        .post(resource, &json!({"cusCategory": "spring", "cusCrmId": 1}))
        .await
        .expect(500);
    assert_eq!(
        refused["message"],
        "A 'cusTransaction' with the same key 'spring, 1' already exists. PGS-220000 PostgreSQL error: ERROR:  \
         duplicate key value violates unique constraint \"cusTransaction_identification\" DETAIL:  Key (scuscategory, \
         icuscrmid)=(spring, 1) already exists."
    );
}

#[tokio::test]
async fn impossible_filters_are_refused_with_what_is_wrong() {
    let server = Server::start().await;
    for (name, field, parameter, wanted) in [
        ("amount", "cusAmount", "amount_parameter", "begins with"),
        ("byAmount", "cusAmount", "amount", "ends with"),
        ("byAmount", "cusNone", "amount_parameter", "there is no field cusNone"),
        ("byCreated", "created", "created_parameter", "holds no value"),
    ] {
        let mut definition = transactions();
        definition["filters"] = json!([{"name": name, "field": field, "parameter": parameter}]);
        let refusal = server
            .admin(Method::POST, "resources", Some(&definition))
            .await
            .expect(400);
        let message = refusal["error"]["message"].as_str().unwrap();
        assert!(message.contains(wanted), "{message}");
    }
}

#[tokio::test]
async fn cursor_of_a_filter_on_a_custom_field_is_bound_to_its_value() {
    let server = Server::start().await;
    for id in ["1", "2"] {
        server.profile(json!({"externalId": id, "cusNickname": "Dancer"})).await;
    }
    let query = "byText?filterType=Nickname&_lineCount=1";
    let page = server.get(&format!("{EXT}/{query}&cusNickname=Dan")).await.expect(200);
    let next = page["next"]["href"].as_str().unwrap();
    server.call_url(Method::GET, next, None).await.expect(200);
    let cursor = next.split_once("_lineStart=").unwrap().1;
    server
        .get(&format!("{EXT}/{query}&cusNickname=D&_lineStart={cursor}"))
        .await
        .expect(500);
}
