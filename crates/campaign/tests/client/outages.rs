//! Credentials that fail and outages that pass, against the sandbox's Campaign.

use crosswalk_campaign::{Client, ClientSettings, Connection, Written, WrittenKind};
use crosswalk_core::{Class, Classify};
use crosswalk_sandbox::faults::{Effect, Operation, Side};
use serde_json::json;
use tokio::task::JoinSet;

use crate::campaign::{Campaign, ID, upsert};
use crate::server::key;

#[tokio::test]
async fn wrong_credentials_say_what_is_wrong() {
    type Change = fn(&mut Connection);
    let campaign = Campaign::start().await;
    for (change, code) in [
        (
            (|connection| connection.client_secret = "wrong".into()) as Change,
            "CAMPAIGN_AUTHENTICATION_FAILED",
        ),
        (
            |connection| connection.client_id = "wrong".to_owned(),
            "CAMPAIGN_AUTHENTICATION_FAILED",
        ),
        (
            |connection| connection.scopes = vec!["nothing".to_owned()],
            "CAMPAIGN_SCOPE_MISSING",
        ),
    ] {
        let mut connection = campaign.connection.clone();
        change(&mut connection);
        let client = Client::new(&connection, &ClientSettings::default()).unwrap();
        let error = client.authenticate().await.unwrap_err();
        assert_eq!((error.code(), error.class()), (code, Class::Fatal), "{error}");
    }
    let mut connection = campaign.connection.clone();
    connection.organization = "other".to_owned();
    let client = Client::new(&connection, &ClientSettings::default()).unwrap();
    client.authenticate().await.unwrap();
    let error = client.resources().await.unwrap_err();
    assert_eq!(
        (error.code(), error.class()),
        ("CAMPAIGN_ORGANIZATION_NOT_ALLOWED", Class::Fatal),
        "{error}"
    );
}

#[tokio::test]
async fn secret_that_expires_later_stops_the_workflow_at_the_next_token() {
    let campaign = Campaign::start().await;
    let client = campaign.client();
    upsert(&client, ID, &json!({}), false).await.unwrap();
    campaign
        .adobe
        .change_switches(|switches| switches.secret_expired = true);
    upsert(&client, ID, &json!({}), true).await.unwrap();
    campaign.adobe.revoke_access_tokens();
    let error = upsert(&client, ID, &json!({}), true).await.unwrap_err();
    assert_eq!(
        (error.code(), error.class()),
        ("CAMPAIGN_AUTHENTICATION_FAILED", Class::Fatal)
    );
}

#[tokio::test]
async fn outages_are_tried_again_and_say_when() {
    let campaign = Campaign::start().await;
    let client = campaign.client();
    client.authenticate().await.unwrap();
    let after = Some(std::time::Duration::from_secs(9));
    for (effect, class) in [
        (Effect::Throttle { retry_after_seconds: 9 }, Class::Retry { after }),
        (Effect::Status { status: 500 }, Class::RETRY),
        (Effect::Status { status: 502 }, Class::RETRY),
        (Effect::Status { status: 503 }, Class::RETRY),
        (Effect::Status { status: 504 }, Class::RETRY),
    ] {
        campaign.fault(Operation::Create, effect);
        let error = upsert(&client, ID, &json!({}), false).await.unwrap_err();
        assert_eq!(error.class(), class, "{error}");
    }
    assert_eq!(campaign.count(), 0);
}

#[tokio::test]
async fn insert_whose_answer_was_lost_becomes_an_update() {
    let campaign = Campaign::start().await;
    let client = campaign.client();
    campaign.fault(Operation::Create, Effect::CommitThenStatus { status: 504 });
    let error = upsert(&client, ID, &json!({"firstName": "Ann"}), false)
        .await
        .unwrap_err();
    assert_eq!(error.class(), Class::RETRY);
    let written = upsert(&client, ID, &json!({"firstName": "Ann"}), false).await.unwrap();
    assert_eq!(
        written,
        Written {
            calls: 2,
            kind: WrittenKind::Updated
        }
    );
    assert_eq!(campaign.count(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn token_revoked_among_calls_in_flight_costs_no_record_and_one_token() {
    const ROUNDS: u64 = 5;
    const WRITERS: usize = 40;
    let campaign = Campaign::start().await;
    let client = campaign.client();
    for round in 0..ROUNDS {
        let before = campaign.count();
        let mut writers = JoinSet::new();
        for writer in 0..WRITERS {
            let client = client.clone();
            writers.spawn(async move {
                let id = format!("{round}-{writer}");
                upsert(&client, &id, &json!({}), false)
                    .await
                    .map(|written| written.kind)
            });
        }
        while campaign.count() == before {
            tokio::task::yield_now().await;
        }
        campaign.adobe.revoke_access_tokens();
        while let Some(outcome) = writers.join_next().await {
            assert_eq!(outcome.unwrap().unwrap(), WrittenKind::Inserted);
        }
        // So that no call of the next round meets this revocation and the next.
        client.get("profile", &key("0-0")).await.unwrap().unwrap();
    }
    assert_eq!(campaign.count(), WRITERS * ROUNDS as usize);
    assert_eq!(campaign.counters.calls(Side::Ims, Operation::Token), 1 + ROUNDS);
}
