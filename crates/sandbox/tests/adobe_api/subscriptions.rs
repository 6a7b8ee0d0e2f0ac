//! Subscriptions of profiles to services, by the URLs that profiles and services give (contracts/campaign.md §2.2, §2.9).

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{CORE, EXT, Server};

const SERVICE: &str = "profileAndServices/service";

struct Subscribed {
    server: Server,
    profile: Value,
    service: Value,
}

impl Subscribed {
    /// A profile and a service that have nothing to do with each other yet.
    async fn not_yet() -> Self {
        let server = Server::start().await;
        let body = json!({"firstName": "Ann", "lastName": "Lee", "email": "ann@example.com", "mobilePhone": "+33 1"});
        let profile = server.post(CORE, &body).await.expect(201);
        let service = server
            .post(SERVICE, &json!({"name": "SVC1", "label": "Sport Newsletter"}))
            .await
            .expect(201);
        Self {
            server,
            profile,
            service,
        }
    }

    /// The same, and the profile subscribes by its own URL: with the subscription.
    async fn start() -> (Self, Value) {
        let this = Self::not_yet().await;
        let body = json!({"service": {"PKey": this.service["PKey"]}, "origin": "web"});
        let subscription = this.post(&this.profile, &body).await;
        (this, subscription)
    }

    async fn post(&self, owner: &Value, body: &Value) -> Value {
        let url = subscriptions(owner);
        self.server.call_url(Method::POST, url, Some(body)).await.expect(201)
    }

    async fn list(&self, owner: &Value) -> Value {
        self.get(subscriptions(owner)).await
    }

    async fn get(&self, url: &str) -> Value {
        self.server.call_url(Method::GET, url, None).await.expect(200)
    }
}

fn subscriptions(owner: &Value) -> &str {
    owner["subscriptions"]["href"].as_str().unwrap()
}

fn href(record: &Value) -> &str {
    record["href"].as_str().unwrap()
}

#[tokio::test]
async fn profile_subscribes_by_its_own_url_and_gets_the_record_of_the_contract() {
    let (this, subscription) = Subscribed::start().await;
    let key = subscription["PKey"].as_str().unwrap();
    assert_eq!(
        href(&subscription),
        format!("{}{key}", subscriptions(&this.profile)),
        "it is found below the collection"
    );
    let (profile, service) = (&this.profile, &this.service);
    assert_eq!(
        subscription,
        json!({
            "PKey": key, "created": subscription["created"], "email": "ann@example.com", "expirationDate": "",
            "href": href(&subscription), "metadata": "subscriptionRcp", "mobilePhone": "+33 1", "origin": "web",
            "service": {"PKey": service["PKey"], "href": service["href"], "label": "Sport Newsletter",
                "name": "SVC1", "title": "Sport Newsletter (SVC1)"},
            "serviceName": "SVC1",
            "subscriber": {"PKey": profile["PKey"], "email": "ann@example.com", "firstName": "Ann",
                "href": profile["href"], "lastName": "Lee", "title": "Ann Lee (ann@example.com)"},
            "subscriptionDate": subscription["created"], "title": "Sport Newsletter (SVC1)",
        })
    );
    assert_eq!(this.get(href(&subscription)).await, subscription);
}

#[tokio::test]
async fn service_takes_a_subscriber_by_its_own_url() {
    let this = Subscribed::not_yet().await;
    let body = json!({"subscriber": {"PKey": this.profile["PKey"]}});
    let subscription = this.post(&this.service, &body).await;
    assert!(href(&subscription).starts_with(subscriptions(&this.service)));
    assert_eq!(subscription["subscriber"]["PKey"], this.profile["PKey"]);
    assert_eq!(subscription["service"]["PKey"], this.service["PKey"]);
}

#[tokio::test]
async fn subscription_is_listed_on_both_sides_and_on_no_other() {
    let (this, subscription) = Subscribed::start().await;
    let (other_profile, other_service) = (
        this.server.post(CORE, &json!({})).await.expect(201),
        this.server.post(SERVICE, &json!({})).await.expect(201),
    );
    for owner in [&this.profile, &this.service] {
        let page = this.list(owner).await;
        assert_eq!(page["count"]["value"], 1);
        assert_eq!(page["content"][0]["PKey"], subscription["PKey"]);
        assert!(href(&page["content"][0]).starts_with(subscriptions(owner)));
        let count = page["count"]["href"].as_str().unwrap();
        assert!(count.contains("/subscriptions//_count?_lineStart=@"), "{count}");
        assert_eq!(this.get(count).await, json!({"count": 1}));
    }
    for owner in [&other_profile, &other_service] {
        assert_eq!(this.list(owner).await["content"], json!([]));
    }
    let key = subscription["PKey"].as_str().unwrap();
    let elsewhere = format!("{}{key}", subscriptions(&other_profile));
    for method in [Method::GET, Method::DELETE] {
        this.server.call_url(method, &elsewhere, None).await.expect(404);
    }
    assert_eq!(
        this.list(&this.profile).await["count"]["value"],
        1,
        "it cannot be deleted from elsewhere"
    );
}

#[tokio::test]
async fn subscribers_are_listed_page_by_page() {
    let this = Subscribed::not_yet().await;
    for number in 0..5 {
        let profile = this.server.profile(json!({"externalId": number.to_string()})).await;
        let body = json!({"subscriber": {"PKey": profile["PKey"]}});
        this.post(&this.service, &body).await;
    }
    let mut names = Vec::new();
    let mut next = Some(format!("{}?_lineCount=2", subscriptions(&this.service)));
    while let Some(url) = next {
        let page = this.get(&url).await;
        let rows = page["content"].as_array().unwrap();
        names.extend(
            rows.iter()
                .map(|row| row["subscriber"]["PKey"].as_str().unwrap().to_owned()),
        );
        next = page["next"]["href"].as_str().map(str::to_owned);
    }
    names.sort();
    names.dedup();
    assert_eq!(names.len(), 5);
}

#[tokio::test]
async fn delete_of_a_subscription_is_answered_with_204_and_leaves_profile_and_service() {
    let (this, subscription) = Subscribed::start().await;
    let answer = this.server.call_url(Method::DELETE, href(&subscription), None).await;
    assert_eq!((answer.status, answer.text.as_str()), (204, ""));
    this.server
        .call_url(Method::GET, href(&subscription), None)
        .await
        .expect(404);
    for owner in [&this.profile, &this.service] {
        assert_eq!(this.list(owner).await["content"], json!([]));
        this.get(href(owner)).await;
    }
    let body = json!({"service": {"PKey": this.service["PKey"]}});
    this.post(&this.profile, &body).await;
}

#[tokio::test]
async fn delete_of_the_url_of_the_service_deletes_the_service_and_its_subscriptions() {
    let (this, subscription) = Subscribed::start().await;
    let service = href(&subscription["service"]).to_owned();
    this.server.call_url(Method::DELETE, &service, None).await.expect(200);
    this.server.call_url(Method::GET, &service, None).await.expect(404);
    assert_eq!(this.list(&this.profile).await["content"], json!([]));
    this.get(href(&this.profile)).await;
}

#[tokio::test]
async fn deleted_profile_leaves_no_subscription_behind() {
    let (this, _) = Subscribed::start().await;
    this.server
        .call_url(Method::DELETE, href(&this.profile), None)
        .await
        .expect(200);
    assert_eq!(this.list(&this.service).await["content"], json!([]));
    assert_eq!(this.server.sandbox().count("subscriptionRcp"), Ok(0));
}

#[tokio::test]
async fn second_subscription_to_one_service_violates_the_composite_key() {
    let (this, _) = Subscribed::start().await;
    let body = json!({"subscriber": {"PKey": this.profile["PKey"]}});
    let answer = this
        .server
        .call_url(Method::POST, subscriptions(&this.service), Some(&body))
        .await;
    assert_eq!(answer.expect(500)["error_code"], "PGS-220000");
}

#[tokio::test]
async fn bodies_of_subscriptions_are_checked_as_those_of_other_records() {
    let this = Subscribed::not_yet().await;
    let url = subscriptions(&this.profile);
    let post = async |body: Value| this.server.call_url(Method::POST, url, Some(&body)).await;
    let garbled = post(json!({"service": {"PKey": "@garbled"}})).await.expect(500);
    assert!(garbled["message"].as_str().unwrap().contains("'Service (nms:service)'"));
    let missing = post(json!({"service": {"PKey": "SVC9"}})).await.expect(404);
    assert!(missing["message"].as_str().unwrap().contains("from key 'SVC9' ("));
    post(json!({"x": 1})).await.expect(500);
    post(json!({"serviceName": "SVC1"})).await.expect(500);
    let by_name = post(json!({"service": {"PKey": "SVC1"}})).await.expect(201);
    assert_eq!(by_name["service"]["PKey"], this.service["PKey"]);
}

#[tokio::test]
async fn subscriptions_are_met_below_their_owners_only() {
    let (this, subscription) = Subscribed::start().await;
    this.server.get("profileAndServices/subscriptionRcp").await.expect(404);
    let index = this.server.get("profileAndServices/").await.expect(200);
    assert!(index.get("service").is_some() && index.get("subscriptionRcp").is_none());
    let description = this
        .server
        .get("profileAndServices/resourceType/subscriptionRcp")
        .await
        .expect(200);
    assert_eq!(description["content"]["service"]["resTarget"], "service");
    assert_eq!(this.get(href(&description)).await, description);
    let filters = this.get(description["filters"]["href"].as_str().unwrap()).await;
    assert_eq!(filters, json!({}));
    for method in [Method::PATCH, Method::PUT] {
        let url = href(&subscription);
        this.server.call_url(method, url, Some(&json!({}))).await.expect(405);
    }
    let garbled = format!("{}@garbled", subscriptions(&this.profile));
    let answer = this.server.call_url(Method::GET, &garbled, None).await.expect(500);
    assert_eq!(answer["error_code"], "XTK-170036");
    this.server
        .get(&format!("{EXT}/nobody/subscriptions"))
        .await
        .expect(404);
}
