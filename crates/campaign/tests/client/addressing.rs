//! How records are addressed: by a key in the path, or by the link that a published filter finds.

use crosswalk_campaign::{Addressing, Client, ClientSettings, Deleted, Endpoint, Written, WrittenKind};
use crosswalk_core::{Class, Classify};
use serde_json::json;

use crate::server::{Answer, Seen, Server, key};
use crate::writes::{BODY, PROFILE, changed, created, delete, server, upsert};

#[tokio::test]
async fn keys_are_encoded_into_one_path_segment() {
    let server = server(created(), changed(), Answer::new(200, "")).await;
    let client = server.client();
    for (text, encoded) in [
        ("a b", "a%20b"),
        ("50%", "50%25"),
        ("a?b#c", "a%3Fb%23c"),
        ("é", "%C3%A9"),
    ] {
        assert_eq!(client.delete("profile", &key(text)).await.unwrap(), Deleted::Existed);
        assert_eq!(server.api_calls().pop().unwrap(), format!("DELETE {PROFILE}/{encoded}"));
    }
}

#[tokio::test]
async fn names_that_would_change_the_path_are_refused_without_a_call() {
    let server = server(created(), changed(), Answer::new(200, "")).await;
    let client = server.client();
    for resource in ["", "..", "profile/x", "a?b"] {
        let error = client.insert(resource, "{}".into()).await.unwrap_err();
        assert_eq!(error.class(), Class::Fatal, "{resource}");
        client.resource(resource).await.unwrap_err();
    }
    assert_eq!(server.api_requests().len(), 0);
    let addressing = Addressing::PublishedFilter {
        filter: "..".to_owned(),
        parameter: "p".to_owned(),
    };
    let settings = ClientSettings {
        addressing,
        ..ClientSettings::default()
    };
    assert!(Client::new(&server.connection(), &settings).is_err());
}

#[tokio::test]
async fn endpoint_family_is_a_setting() {
    let server = server(created(), changed(), Answer::new(200, "")).await;
    let settings = ClientSettings {
        endpoint: Endpoint::CustomResources,
        ..ClientSettings::default()
    };
    server
        .client_with(&settings)
        .insert("cusOrder", "{}".into())
        .await
        .unwrap();
    assert_eq!(server.api_calls(), ["POST /acme/campaign/customResources/cusOrder"]);
}

/// A server with a filter that finds these hrefs.
async fn filtered(hrefs: impl Fn(&Seen) -> Vec<String> + Send + Sync + 'static) -> Server {
    Server::with_tokens(move |seen, _| match seen.method.as_str() {
        "GET" => {
            let content: Vec<_> = hrefs(seen)
                .into_iter()
                .map(|href| json!({"PKey": "@a", "href": href}))
                .collect();
            Answer::new(
                200,
                json!({"content": content, "serverSidePagination": true}).to_string(),
            )
        }
        "POST" => created(),
        _ => changed(),
    })
    .await
}

fn by_filter() -> ClientSettings {
    ClientSettings {
        addressing: Addressing::by_external_id_filter(),
        ..ClientSettings::default()
    }
}

fn own_href(seen: &Seen) -> String {
    // Double slashes and odd segments of a link are kept as they are.
    format!(
        "http://{}{PROFILE}//@Ab_c-1?x=%2F",
        seen.headers["host"].to_str().expect("a host is ASCII")
    )
}

#[tokio::test]
async fn published_filter_leads_to_the_link_of_the_one_row() {
    let server = filtered(|seen| vec![own_href(seen)]).await;
    let client = server.client_with(&by_filter());
    for known in [true, false] {
        assert_eq!(
            upsert(&client, known).await.unwrap(),
            Written {
                calls: 2,
                kind: WrittenKind::Updated
            }
        );
    }
    assert_eq!(
        delete(&client).await.unwrap(),
        Written {
            calls: 2,
            kind: WrittenKind::Deleted
        }
    );
    let look_up = format!("GET {PROFILE}/byExternalId?externalId_parameter=k1&_lineCount=2");
    let link = format!("{PROFILE}//@Ab_c-1?x=%2F");
    let (patch, delete) = (format!("PATCH {link}"), format!("DELETE {link}"));
    let expected = [&look_up, &patch, &look_up, &patch, &look_up, &delete];
    assert_eq!(server.api_calls().iter().collect::<Vec<_>>(), expected);

    let row = client.get("profile", &key("k1")).await.unwrap().unwrap();
    assert_eq!(row["PKey"], "@a");
    assert_eq!(server.api_requests().len(), 7);
}

#[tokio::test]
async fn published_filter_that_finds_nothing_means_a_new_record() {
    let server = filtered(|_| Vec::new()).await;
    let client = server.client_with(&by_filter());
    assert_eq!(
        upsert(&client, false).await.unwrap(),
        Written {
            calls: 2,
            kind: WrittenKind::Inserted
        }
    );
    assert_eq!(
        delete(&client).await.unwrap(),
        Written {
            calls: 1,
            kind: WrittenKind::AlreadyGone
        }
    );
    assert_eq!(client.get("profile", &key("k1")).await.unwrap(), None);
    assert!(!client.update("profile", &key("k1"), BODY.into()).await.unwrap());
}

#[tokio::test]
async fn two_rows_under_one_key_are_left_alone() {
    let server = filtered(|seen| vec![own_href(seen), own_href(seen)]).await;
    let error = upsert(&server.client_with(&by_filter()), true).await.unwrap_err();
    assert_eq!(
        (error.code(), error.class()),
        ("CAMPAIGN_KEY_AMBIGUOUS", Class::Rejected)
    );
    assert!(error.to_string().contains("`k1`"), "{error}");
    assert_eq!(server.api_requests().len(), 1);
}

#[tokio::test]
async fn links_to_elsewhere_are_not_followed() {
    for href in [
        "http://127.0.0.1:1/x",
        "https://mc.adobe.io/acme/campaign/profileAndServicesExt/profile/@a",
    ] {
        let server = filtered(move |_| vec![href.to_owned()]).await;
        let error = upsert(&server.client_with(&by_filter()), true).await.unwrap_err();
        assert_eq!((error.code(), error.class()), ("CAMPAIGN_LINK_FOREIGN", Class::Fatal));
    }
    let server = filtered(|_| vec!["no url".to_owned()]).await;
    let error = upsert(&server.client_with(&by_filter()), true).await.unwrap_err();
    assert_eq!(error.code(), "CAMPAIGN_ANSWER_UNEXPECTED");
}

#[tokio::test]
async fn missing_filter_stops_the_workflow() {
    let text = "RST-360011 An error has occurred - please contact your administrator.";
    for answer in [Answer::new(500, text), Answer::new(404, "")] {
        let server = Server::with_tokens(move |_, _| answer.clone()).await;
        let error = upsert(&server.client_with(&by_filter()), true).await.unwrap_err();
        assert_eq!(
            (error.code(), error.class()),
            ("CAMPAIGN_FILTER_NOT_FOUND", Class::Fatal)
        );
    }
}
