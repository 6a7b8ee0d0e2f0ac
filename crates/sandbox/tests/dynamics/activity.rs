//! Live activity and stopping.

use std::time::Duration;

use reqwest::Method;
use serde_json::json;

use crate::client::Environment;

#[tokio::test]
async fn live_activity_edits_adds_and_deletes_until_switched_off() {
    let environment = Environment::with_contacts(50).await;
    let (_, last) = environment
        .read_all("contacts?$select=firstname", "odata.track-changes")
        .await;
    let link = last["@odata.deltaLink"].as_str().unwrap();
    let live = json!({"mode": "live", "changes_per_second": 400});
    environment
        .admin(Method::PUT, "/activity", Some(live))
        .await
        .expect(200);
    let deadline = tokio::time::Instant::now() + Duration::from_secs(20);
    loop {
        let rows = environment.get(link).await.expect(200).rows();
        let deleted = rows.iter().filter(|row| row["reason"] == "deleted").count();
        let seeded: Vec<_> = (0..50)
            .map(|index| crosswalk_sandbox::seed::contact_id(1, index).to_string())
            .collect();
        let edited = rows
            .iter()
            .filter(|row| seeded.iter().any(|id| row["contactid"] == json!(id)))
            .count();
        let added = rows.len() - deleted - edited;
        if deleted > 0 && edited > 0 && added > 0 {
            break;
        }
        assert!(
            tokio::time::Instant::now() < deadline,
            "{edited} edited, {added} added, {deleted} deleted"
        );
    }
    environment
        .admin(Method::PUT, "/activity", Some(json!({"mode": "off"})))
        .await
        .expect(200);
    assert_eq!(
        environment.admin(Method::GET, "/activity", None).await.json(),
        json!({"mode": "off"})
    );
}

#[tokio::test]
async fn stopped_sandbox_no_longer_answers() {
    let environment = Environment::start().await;
    let url = environment.api("WhoAmI");
    environment.get("WhoAmI").await.expect(200);
    environment.sandbox.stop().await;
    assert!(reqwest::Client::new().get(url).send().await.is_err());
}
