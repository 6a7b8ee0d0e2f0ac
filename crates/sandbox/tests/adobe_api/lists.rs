use std::collections::BTreeSet;

use crosswalk_sandbox::adobe::AdobeConfig;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{CORE, EXT, Server};

async fn with_profiles(count: usize) -> Server {
    let server = Server::start().await;
    for number in 0..count {
        let record = json!({"externalId": format!("{number:03}"), "lastName": format!("L{}", number % 10),
            "email": format!("p{number}@example.com"), "cusVisits": number as i64 - 2});
        server.sandbox().create("profile", &record).unwrap();
    }
    server
}

fn ids(page: &Value) -> Vec<String> {
    let content = page["content"].as_array().unwrap();
    content
        .iter()
        .map(|record| record["externalId"].as_str().unwrap().to_owned())
        .collect()
}

/// Follows `next` from a path to the end.
async fn scan(server: &Server, path: &str) -> Vec<Value> {
    let mut pages = vec![server.get(path).await.expect(200)];
    while let Some(next) = pages.last().unwrap()["next"]["href"].as_str() {
        let next = next.to_owned();
        pages.push(server.call_url(Method::GET, &next, None).await.expect(200));
        assert!(pages.len() < 100, "the scan ends");
    }
    pages
}

#[tokio::test]
async fn empty_list_is_no_error() {
    let server = Server::start().await;
    let page = server.get(EXT).await.expect(200);
    assert_eq!(page["content"], json!([]));
    assert_eq!(page["count"]["value"], 0);
    assert_eq!(page["serverSidePagination"], true);
    assert!(page.get("next").is_none());
}

#[tokio::test]
async fn pages_have_25_rows_and_all_of_them_make_the_table() {
    let server = with_profiles(60).await;
    let pages = scan(&server, EXT).await;
    let sizes: Vec<usize> = pages.iter().map(|page| ids(page).len()).collect();
    assert_eq!(sizes, [25, 25, 10]);
    let all: BTreeSet<String> = pages.iter().flat_map(ids).collect();
    assert_eq!(all.len(), 60);
    assert!(
        pages.iter().all(|page| page["count"].get("value").is_none()),
        "no count where there are several pages"
    );
}

#[tokio::test]
async fn hrefs_have_the_double_slashes_and_parameters_of_the_product() {
    let server = with_profiles(3).await;
    let page = server
        .get(&format!("{EXT}?_lineCount=2&_order=externalId%20desc&unknown=1"))
        .await
        .expect(200);
    let base = format!("{}/sandbox/campaign/{EXT}", server.url);
    let count = page["count"]["href"].as_str().unwrap();
    let next = page["next"]["href"].as_str().unwrap();
    assert!(count.starts_with(&format!(
        "{base}//_count?_lineCount=2&_order=externalId%20desc&unknown=1&_lineStart=@"
    )));
    assert!(
        next.starts_with(&format!(
            "{base}/?_lineCount=2&_order=externalId%20desc&unknown=1&_lineStart=@"
        )),
        "{next}"
    );
    assert_eq!(
        server.call_url(Method::GET, count, None).await.expect(200),
        json!({"count": 3})
    );
    assert_eq!(
        ids(&server.call_url(Method::GET, next, None).await.expect(200)),
        ["000"]
    );
    let filtered = server.get(&format!("{EXT}/byText?text=L1")).await.expect(200);
    assert_eq!(filtered["count"]["value"], 1);
    let count = filtered["count"]["href"].as_str().unwrap();
    assert!(
        count.starts_with(&format!("{base}//byText/_count?text=L1&_lineStart=@")),
        "{count}"
    );
    assert_eq!(
        server.call_url(Method::GET, count, None).await.expect(200),
        json!({"count": 1})
    );
}

#[tokio::test]
async fn line_count_is_clamped_and_must_be_a_positive_number() {
    let server = with_profiles(30).await;
    assert_eq!(
        ids(&server.get(&format!("{EXT}?_lineCount=30")).await.expect(200)).len(),
        30
    );
    assert_eq!(
        ids(&server.get(&format!("{EXT}?_lineCount=99999")).await.expect(200)).len(),
        30
    );
    for wrong in ["0", "-1", "many", "1.5", ""] {
        server.get(&format!("{EXT}?_lineCount={wrong}")).await.expect(500);
    }
}

#[tokio::test]
async fn cursors_are_opaque_and_bound_to_their_query() {
    let server = with_profiles(3).await;
    let page = server.get(&format!("{EXT}?_lineCount=1")).await.expect(200);
    let next = page["next"]["href"].as_str().unwrap();
    let cursor = next.split_once("_lineStart=").unwrap().1;
    server
        .get(&format!("{EXT}?_lineCount=2&_lineStart={cursor}"))
        .await
        .expect(200);
    for path in [
        format!("{EXT}?_order=email&_lineStart={cursor}"),
        format!("{EXT}/byText?text=L&_lineStart={cursor}"),
        format!("{CORE}?_lineStart={cursor}"),
        format!("{EXT}?_lineStart={}", &cursor[..cursor.len() - 2]),
        format!("{EXT}?_lineStart=25"),
    ] {
        server.get(&path).await.expect(500);
    }
}

#[tokio::test]
async fn big_tables_have_no_next_unless_it_is_forced() {
    let config = AdobeConfig {
        big_table_threshold: 29,
        ..AdobeConfig::default()
    };
    let server = Server::start_with(config).await;
    for number in 0..30 {
        server
            .sandbox()
            .create("profile", &json!({"externalId": number.to_string()}))
            .unwrap();
    }
    let page = server.get(EXT).await.expect(200);
    assert!(page.get("next").is_none() && page["count"].get("value").is_none());
    let pages = scan(&server, &format!("{EXT}?_forcePagination=true")).await;
    assert_eq!(pages.iter().map(|page| ids(page).len()).sum::<usize>(), 30);
    server.sandbox().delete("profile", "7").unwrap();
    assert!(
        server.get(EXT).await.expect(200).get("next").is_some(),
        "29 rows are not above the threshold"
    );
}

#[tokio::test]
async fn inserts_and_deletes_shift_the_rows_of_later_pages() {
    let server = with_profiles(40).await;
    let first = server.get(EXT).await.expect(200);
    let next = first["next"]["href"].as_str().unwrap();
    server
        .sandbox()
        .create("profile", &json!({"externalId": "new"}))
        .unwrap();
    let shifted = server.call_url(Method::GET, next, None).await.expect(200);
    assert_eq!(ids(&shifted)[0], ids(&first)[24], "a row comes twice");
    for id in &ids(&first)[..5] {
        server.sandbox().delete("profile", id).unwrap();
    }
    let shifted = server.call_url(Method::GET, next, None).await.expect(200);
    let missed: Vec<String> = (0..40)
        .map(|number| format!("{number:03}"))
        .filter(|id| !ids(&first).contains(id) && !ids(&shifted).contains(id))
        .collect();
    assert_eq!(missed.len(), 4, "rows are missed: {missed:?}");
}

#[tokio::test]
async fn order_sorts_by_sortable_fields_in_both_directions() {
    let server = with_profiles(12).await;
    let ascending = ids(&server.get(&format!("{EXT}?_order=cusVisits")).await.expect(200));
    let expected: Vec<String> = (0..12).map(|number| format!("{number:03}")).collect();
    assert_eq!(ascending, expected, "negative numbers first");
    let descending = ids(&server
        .get(&format!("{EXT}?_order=cusVisits+desc&_lineCount=3"))
        .await
        .expect(200));
    assert_eq!(descending, ["011", "010", "009"]);
    let pages = scan(&server, &format!("{EXT}?_order=lastName&_lineCount=5")).await;
    let names: Vec<Value> = pages
        .iter()
        .flat_map(|page| page["content"].as_array().unwrap())
        .map(|row| row["lastName"].clone())
        .collect();
    assert_eq!(names.len(), 12);
    assert!(names.is_sorted_by_key(|name| name.as_str().unwrap().to_owned()));
    for wrong in ["nothing", "location", "age", "subscriptions", "cusNotes"] {
        let answer = server.get(&format!("{EXT}?_order={wrong}")).await.expect(500);
        assert_eq!(
            answer["message"],
            format!("'{wrong}' property is not valid for the 'profile' resource.")
        );
    }
    server.get(&format!("{CORE}?_order=cusVisits")).await.expect(500);
}

#[tokio::test]
async fn filters_select_by_email_text_key_and_time() {
    let server = with_profiles(12).await;
    let get = async |path: &str| ids(&server.get(&format!("{EXT}/{path}")).await.expect(200));
    assert_eq!(get("byEmail?email=p7%40example.com").await, ["007"]);
    assert_eq!(get("byEmail?email=nobody%40example.com").await, Vec::<String>::new());
    assert_eq!(get("byText?text=L1&_order=externalId").await, ["001", "011"]);
    assert_eq!(get("byText?text=l1").await, Vec::<String>::new(), "case counts");
    assert_eq!(
        get("byText?text=p1&filterType=email&_order=externalId").await,
        ["001", "010", "011"]
    );
    assert_eq!(get("byText?text=p1&filterType=lastName").await, Vec::<String>::new());
    assert_eq!(get("byExternalId?externalId_parameter=003").await, ["003"]);
    assert_eq!(
        get("byText/byExternalId?text=L1&externalId_parameter=011").await,
        ["011"],
        "filters can be chained"
    );
    assert_eq!(
        get("byExternalId?externalId=003").await.len(),
        12,
        "a filter without its parameter is not enabled"
    );

    server
        .sandbox()
        .update("profile", "005", &json!({"firstName": "Ann"}))
        .unwrap();
    let changed = server.read("005").await["lastModified"].as_str().unwrap().to_owned();
    let since = changed.replace(' ', "%20");
    assert!(
        get(&format!("byLastModifiedSince?lastModified_parameter={since}"))
            .await
            .contains(&"005".to_owned())
    );
    assert_eq!(
        get("byLastModifiedSince?lastModified_parameter=2100-01-01T00:00:00Z").await,
        Vec::<String>::new()
    );
    server
        .get(&format!("{EXT}/byLastModifiedSince?lastModified_parameter=yesterday"))
        .await
        .expect(500);
}

#[tokio::test]
async fn custom_field_is_filtered_by_its_short_name() {
    let server = Server::start().await;
    server
        .profile(json!({"externalId": "1", "cusNickname": "Dancer"}))
        .await;
    server
        .profile(json!({"externalId": "2", "cusNickname": "Singer"}))
        .await;
    let page = server
        .get(&format!("{EXT}/byText?cusNickname=Dan&filterType=Nickname"))
        .await
        .expect(200);
    assert_eq!(ids(&page), ["1"]);
}

#[tokio::test]
async fn unknown_filter_is_an_error() {
    let server = Server::start().await;
    for path in [
        "byHobby",
        "byHobby/byText",
        "byemail2",
        "byExternalID?externalId_parameter=1",
    ] {
        let status = server.get(&format!("{EXT}/{path}")).await.status;
        assert_eq!(status, if path == "byemail2" { 404 } else { 500 }, "{path}");
    }
    server
        .get(&format!("{CORE}/byExternalId?externalId_parameter=1"))
        .await
        .expect(500);
}

#[tokio::test]
async fn field_name_in_the_path_projects_to_its_values() {
    let server = with_profiles(3).await;
    let page = server.get(&format!("{CORE}/email?_order=email")).await.expect(200);
    assert_eq!(
        page["content"],
        json!(["p0@example.com", "p1@example.com", "p2@example.com"])
    );
    assert_eq!(page["count"]["value"], 3);
}

#[tokio::test]
async fn json_suffix_is_the_default_format() {
    let server = with_profiles(1).await;
    let page = server.get(&format!("{EXT}.json")).await.expect(200);
    assert_eq!(ids(&page), ["000"]);
}
