//! Change tracking (contracts/dataverse.md §3).

use serde_json::{Value, json};
use uuid::Uuid;

use crate::client::{Environment, object};

const TRACK: &str = "odata.track-changes";
const SELECT: &str = "contacts?$select=firstname,lastname";

async fn delta_link(environment: &Environment) -> String {
    let (_, last) = environment.read_all(SELECT, TRACK).await;
    link_of(&last)
}

fn link_of(page: &Value) -> String {
    page["@odata.deltaLink"]
        .as_str()
        .unwrap_or_else(|| panic!("no delta link in {page}"))
        .to_owned()
}

fn parsed(id: &str) -> Uuid {
    Uuid::try_parse(id).unwrap()
}

#[tokio::test]
async fn initial_read_gives_every_row_and_one_delta_link_at_the_end() {
    let environment = Environment::with_contacts(5).await;
    let (rows, last) = environment
        .read_all(SELECT, "odata.track-changes,odata.maxpagesize=2")
        .await;
    assert_eq!(rows.len(), 5);
    let names: Vec<_> = object(rows[0].clone()).keys().cloned().collect();
    for name in ["@odata.etag", "firstname", "lastname", "contactid"] {
        assert!(names.contains(&name.to_owned()), "{names:?}");
    }
    assert_eq!(names.len(), 4);
    let link = link_of(&last);
    let (start, token) = link.split_once("&$deltatoken=").unwrap();
    assert_eq!(start, environment.api(SELECT));
    let (version, time) = token.split_once("%21").unwrap();
    assert!(version.parse::<u64>().is_ok(), "{token}");
    assert!(
        time.len() > 20 && time.contains("%2f") && time.contains("%20") && time.contains("%3a"),
        "{token}"
    );
    assert_eq!(
        last["@odata.context"],
        json!(environment.api("$metadata#contacts(firstname,lastname)"))
    );
}

#[tokio::test]
async fn delta_holds_changed_rows_whole_and_deleted_rows_bare() {
    let environment = Environment::start().await;
    let kept = environment.contact(json!({"firstname": "Ada", "lastname": "Byron"}));
    let gone = environment.contact(json!({"firstname": "Bo"}));
    let link = delta_link(&environment).await;
    let dynamics = environment.sandbox.dynamics();
    // A column outside $select counts as a change too.
    dynamics
        .update("contact", parsed(&kept), &object(json!({"telephone1": "1"})))
        .unwrap();
    dynamics.delete("contact", parsed(&gone)).unwrap();
    let added = environment.contact(json!({"firstname": "Cy"}));
    let page = environment.get(&link).await.expect(200).json();
    assert_eq!(
        page["@odata.context"],
        json!(environment.api("$metadata#contacts(firstname,lastname)/$delta"))
    );
    let rows = page["value"].as_array().unwrap();
    assert_eq!(rows.len(), 3);
    assert_eq!(
        (rows[0]["contactid"].as_str(), rows[0]["lastname"].as_str()),
        (Some(kept.as_str()), Some("Byron"))
    );
    assert_eq!(rows[1]["contactid"], json!(added));
    let deleted = json!({
        "@odata.context": environment.api("$metadata#contacts/$deletedEntity"), "id": gone, "reason": "deleted",
    });
    assert_eq!(rows[2], deleted);
    assert!(page["@odata.deltaLink"].is_string());
}

#[tokio::test]
async fn empty_delta_gives_a_usable_new_link_and_tokens_can_be_used_twice() {
    let environment = Environment::with_contacts(2).await;
    let link = delta_link(&environment).await;
    let empty = environment.get(&link).await.expect(200).json();
    assert_eq!(empty["value"], json!([]));
    let newer = link_of(&empty);
    environment.contact(json!({"firstname": "Ada"}));
    for link in [&link, &link, &newer] {
        assert_eq!(environment.get(link).await.expect(200).rows().len(), 1);
    }
}

#[tokio::test]
async fn large_delta_pages_and_ends_with_the_link() {
    let environment = Environment::start().await;
    let doomed: Vec<_> = (0..4)
        .map(|_| environment.contact(json!({"firstname": "Old"})))
        .collect();
    let link = delta_link(&environment).await;
    for number in 0..7 {
        environment.contact(json!({"firstname": format!("New {number}")}));
    }
    for id in &doomed {
        environment.sandbox.dynamics().delete("contact", parsed(id)).unwrap();
    }
    for size in [1, 3, 7, 11, 12] {
        let (rows, last) = environment.read_all(&link, &format!("odata.maxpagesize={size}")).await;
        assert_eq!(
            rows.iter().filter(|row| row.get("firstname").is_some()).count(),
            7,
            "page size {size}"
        );
        assert_eq!(
            rows.iter().filter(|row| row["reason"] == "deleted").count(),
            4,
            "page size {size}"
        );
        link_of(&last);
    }
}

#[tokio::test]
async fn each_row_comes_once_in_its_latest_state() {
    let environment = Environment::start().await;
    let link = delta_link(&environment).await;
    let dynamics = environment.sandbox.dynamics();
    let id = environment.contact(json!({"firstname": "A"}));
    for name in ["B", "C"] {
        dynamics
            .update("contact", parsed(&id), &object(json!({"firstname": name})))
            .unwrap();
    }
    let passing = environment.contact(json!({"firstname": "Short-lived"}));
    dynamics.delete("contact", parsed(&passing)).unwrap();
    let rows = environment.get(&link).await.rows();
    assert_eq!(rows.len(), 2);
    assert_eq!(rows[0]["firstname"], "C");
    assert_eq!(
        rows[1]["id"],
        json!(passing),
        "created and deleted between polls still gives the deletion"
    );
    dynamics
        .create("contact", &object(json!({"contactid": passing, "firstname": "Back"})))
        .unwrap();
    let rows = environment.get(&link).await.rows();
    assert!(rows.iter().any(|row| row["firstname"] == "Back"));
    assert!(
        rows.iter().all(|row| row.get("reason").is_none()),
        "a recreated row is not deleted"
    );
}

#[tokio::test]
async fn changes_during_the_initial_read_come_in_the_first_delta() {
    let environment = Environment::with_contacts(6).await;
    let first = environment
        .get_with(SELECT, "odata.track-changes,odata.maxpagesize=3")
        .await
        .expect(200)
        .json();
    let read = first["value"][0]["contactid"].as_str().unwrap();
    let changes = object(json!({"firstname": "Changed behind the cursor"}));
    environment
        .sandbox
        .dynamics()
        .update("contact", parsed(read), &changes)
        .unwrap();
    let next = first["@odata.nextLink"].as_str().unwrap();
    // Further pages stay tracked without repeating the preference.
    let (_, last) = environment.read_all(next, "odata.maxpagesize=3").await;
    let rows = environment.get(&link_of(&last)).await.rows();
    assert_eq!(rows[0]["firstname"], "Changed behind the cursor");
}

#[tokio::test]
async fn changes_after_a_delta_began_wait_for_the_next_one() {
    let environment = Environment::start().await;
    let link = delta_link(&environment).await;
    let ids: Vec<_> = (0..4)
        .map(|number| environment.contact(json!({"firstname": number.to_string()})))
        .collect();
    let first = environment
        .get_with(&link, "odata.maxpagesize=2")
        .await
        .expect(200)
        .json();
    environment
        .sandbox
        .dynamics()
        .update("contact", parsed(&ids[3]), &object(json!({"firstname": "late"})))
        .unwrap();
    let (rest, last) = environment
        .read_all(first["@odata.nextLink"].as_str().unwrap(), "odata.maxpagesize=2")
        .await;
    assert_eq!(rest.len(), 1);
    let rows = environment.get(&link_of(&last)).await.rows();
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0]["firstname"], "late");
}

#[tokio::test]
async fn four_options_are_refused_under_tracking() {
    let environment = Environment::with_contacts(1).await;
    for (option, value) in [
        ("$filter", "firstname eq 'a'"),
        ("$orderby", "firstname"),
        ("$expand", "ownerid"),
        ("$top", "1"),
    ] {
        let answer = environment.get_with(&format!("contacts?{option}={value}"), TRACK).await;
        let text = answer.expect_error(400, "0x80060888");
        let expected = format!("The \"{option}\" query parameter isn't supported when Change Tracking is enabled.");
        assert_eq!(text, expected);
    }
}

#[tokio::test]
async fn table_without_tracking_says_so() {
    let environment = Environment::with_contacts(1).await;
    let link = delta_link(&environment).await;
    environment
        .sandbox
        .dynamics()
        .set_change_tracking("contact", false)
        .unwrap();
    let text = environment
        .get_with("contacts", TRACK)
        .await
        .expect_error(400, "0x80072491");
    assert_eq!(text, "Entity contact isn't enabled for change tracking.");
    environment.get(&link).await.expect_error(400, "0x80072491");
    environment.get("contacts").await.expect(200);
}

#[tokio::test]
async fn expired_tokens_ask_for_a_full_sync_and_newer_ones_work() {
    let environment = Environment::with_contacts(1).await;
    let link = delta_link(&environment).await;
    environment
        .sandbox
        .dynamics()
        .expire_delta_tokens(Some("contact"))
        .unwrap();
    let text = environment.get(&link).await.expect_error(400, "0x80044352");
    assert_eq!(
        text,
        "Version stamp associated with the client has expired. Please perform a full sync."
    );
    let newer = delta_link(&environment).await;
    environment.get(&newer).await.expect(200);
}

#[tokio::test]
async fn tokens_age_by_the_retention_setting_of_the_organization() {
    let environment = Environment::with_contacts(1).await;
    let organizations = environment
        .get("organizations?$select=expirechangetrackingindays")
        .await
        .expect(200)
        .rows();
    assert_eq!(organizations[0]["expirechangetrackingindays"], 7);
    let link = delta_link(&environment).await;
    let (start, token) = link.split_once("$deltatoken=").unwrap();
    let (version, _) = token.split_once("%21").unwrap();
    let old = format!("{start}$deltatoken={version}%2101%2f30%2f2020%2008%3a10%3a44");
    environment.get(&old).await.expect_error(400, "0x80044352");
    let id = organizations[0]["organizationid"].as_str().unwrap();
    environment
        .patch(
            &format!("organizations({id})"),
            json!({"expirechangetrackingindays": 0}),
        )
        .await
        .expect(204);
    environment.get(&link).await.expect_error(400, "0x80044352");
}

#[tokio::test]
async fn malformed_and_future_tokens_are_invalid_version_stamps() {
    let environment = Environment::with_contacts(1).await;
    for token in ["garbage", "%21", "99999999999%2101%2f30%2f2026%2008%3a10%3a44"] {
        environment
            .get(&format!("{SELECT}&$deltatoken={token}"))
            .await
            .expect_error(400, "0x80044183");
    }
}

#[tokio::test]
async fn changes_can_be_counted_without_reading_them() {
    let environment = Environment::start().await;
    let id = environment.contact(json!({"firstname": "A"}));
    let link = delta_link(&environment).await;
    let (_, token) = link.split_once("$deltatoken=").unwrap();
    environment.contact(json!({"firstname": "B"}));
    environment.sandbox.dynamics().delete("contact", parsed(&id)).unwrap();
    let answer = environment
        .get(&format!("contacts/$count?$deltatoken={token}"))
        .await
        .expect(200);
    assert_eq!(answer.text.trim_start_matches('\u{feff}'), "2");
}

#[tokio::test]
async fn annotations_and_tracking_go_together() {
    let environment = Environment::start().await;
    environment.contact(json!({"firstname": "A", "gendercode": 2}));
    let prefer = "odata.track-changes,odata.include-annotations=\"OData.Community.Display.V1.FormattedValue\"";
    let (rows, last) = environment.read_all("contacts?$select=gendercode", prefer).await;
    assert_eq!(
        rows[0]["gendercode@OData.Community.Display.V1.FormattedValue"],
        "Female"
    );
    link_of(&last);
}

#[tokio::test]
async fn delta_link_with_a_removed_column_is_refused() {
    let environment = Environment::with_contacts(1).await;
    let link = delta_link(&environment).await;
    environment
        .sandbox
        .dynamics()
        .set_column_removed("contact", "lastname", true)
        .unwrap();
    let text = environment.get(&link).await.expect_error(400, "0x80060888");
    assert_eq!(
        text,
        "Could not find a property named 'lastname' on type 'Microsoft.Dynamics.CRM.contact'."
    );
    environment
        .sandbox
        .dynamics()
        .set_column_removed("contact", "lastname", false)
        .unwrap();
    environment.get(&link).await.expect(200);
}
