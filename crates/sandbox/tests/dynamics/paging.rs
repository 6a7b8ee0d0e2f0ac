//! Paging (contracts/dataverse.md §2.6) and counting (§3.8).

use std::collections::HashSet;

use crate::client::Environment;

#[tokio::test]
async fn pages_hold_what_was_asked_for_and_every_row_comes_once() {
    let environment = Environment::with_contacts(25).await;
    let first = environment
        .get_with("contacts?$select=firstname", "odata.maxpagesize=10")
        .await
        .expect(200);
    assert_eq!(first.rows().len(), 10);
    assert_eq!(first.header("preference-applied"), "odata.maxpagesize=10");
    let (rows, last) = environment
        .read_all("contacts?$select=firstname", "odata.maxpagesize=10")
        .await;
    let ids: HashSet<_> = rows
        .iter()
        .map(|row| row["contactid"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!((rows.len(), ids.len()), (25, 25));
    assert!(last.get("@odata.nextLink").is_none());
    assert!(last.get("@odata.deltaLink").is_none());
}

#[tokio::test]
async fn a_page_never_exceeds_5000_rows() {
    let environment = Environment::with_contacts(5001).await;
    for prefer in ["odata.maxpagesize=9999", "x=y"] {
        let page = environment
            .get_with("contacts?$select=contactid", prefer)
            .await
            .expect(200);
        assert_eq!(page.rows().len(), 5000);
        assert!(page.json()["@odata.nextLink"].is_string());
    }
}

#[tokio::test]
async fn next_link_is_an_encoded_xml_cookie_that_rejects_edits() {
    let environment = Environment::with_contacts(5).await;
    let page = environment
        .get_with("contacts?$select=lastname", "odata.maxpagesize=2")
        .await
        .expect(200)
        .json();
    let next = page["@odata.nextLink"].as_str().unwrap();
    let start =
        environment.api("contacts?$select=lastname&$skiptoken=%3Ccookie%20pagenumber=%222%22%20pagingcookie=%22%253C");
    assert!(next.starts_with(&start), "{next}");
    let edited = next.replace("pagenumber=%222", "pagenumber=%223");
    environment.get_with(&edited, "odata.maxpagesize=2").await.expect(400);
}

#[tokio::test]
async fn top_limits_unless_a_page_size_is_asked_for() {
    let environment = Environment::with_contacts(10).await;
    let top = environment.get("contacts?$top=3").await.expect(200).json();
    assert_eq!(top["value"].as_array().unwrap().len(), 3);
    assert!(top.get("@odata.nextLink").is_none());
    let paged = environment
        .get_with("contacts?$top=3", "odata.maxpagesize=4")
        .await
        .expect(200);
    assert_eq!(paged.rows().len(), 4);
    environment.get("contacts?$top=few").await.expect(400);
}

#[tokio::test]
async fn sorted_reads_page_through_in_order() {
    let environment = Environment::with_contacts(40).await;
    let (rows, _) = environment
        .read_all(
            "contacts?$select=createdon&$orderby=createdon desc",
            "odata.maxpagesize=7",
        )
        .await;
    let moments: Vec<_> = rows
        .iter()
        .map(|row| row["createdon"].as_str().unwrap().to_owned())
        .collect();
    let mut sorted = moments.clone();
    sorted.sort_by(|left, right| right.cmp(left));
    assert_eq!(moments.len(), 40);
    assert_eq!(moments, sorted);
}

#[tokio::test]
async fn counts_stop_at_5000_and_start_with_a_byte_order_mark() {
    let environment = Environment::with_contacts(5100).await;
    let response = environment
        .request(reqwest::Method::GET, "contacts/$count")
        .send()
        .await
        .unwrap();
    assert_eq!(response.headers()["content-type"], "text/plain");
    assert_eq!(response.bytes().await.unwrap().as_ref(), b"\xEF\xBB\xBF5000");
    let body = environment
        .get_with("contacts?$count=true&$top=1", "odata.include-annotations=\"*\"")
        .await
        .json();
    assert_eq!(body["@odata.count"], 5000);
    assert_eq!(body["@Microsoft.Dynamics.CRM.totalrecordcount"], 5000);
    assert_eq!(body["@Microsoft.Dynamics.CRM.totalrecordcountlimitexceeded"], true);
    let uncounted = environment
        .get_with("contacts?$top=1", "odata.include-annotations=\"*\"")
        .await
        .json();
    assert_eq!(uncounted["@Microsoft.Dynamics.CRM.totalrecordcount"], -1);
    assert!(uncounted.get("@odata.count").is_none());
    for call in [
        "RetrieveTotalRecordCount(EntityNames=['contact'])",
        "RetrieveTotalRecordCount(EntityNames=@p1)?@p1=[\"contact\"]",
    ] {
        let total = environment.get(call).await.expect(200).json();
        assert_eq!(total["EntityRecordCountCollection"]["Keys"][0], "contact");
        assert_eq!(total["EntityRecordCountCollection"]["Values"][0], 5100);
    }
}

#[tokio::test]
async fn filtered_counts_count_matching_rows_only() {
    let environment = Environment::start().await;
    for name in ["Ada", "Bo", "ADA"] {
        environment.contact(serde_json::json!({"firstname": name}));
    }
    let answer = environment
        .get("contacts/$count?$filter=firstname eq 'ada'")
        .await
        .expect(200);
    assert_eq!(answer.text.trim_start_matches('\u{feff}'), "2");
}
