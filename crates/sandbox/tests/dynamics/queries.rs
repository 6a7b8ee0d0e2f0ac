//! Selection, filters, annotations and value formats (contracts/dataverse.md §2.5, §2.7, §4.5).

use serde_json::{Value, json};

use crate::client::Environment;

fn names(rows: &[Value]) -> Vec<String> {
    let mut names: Vec<_> = rows
        .iter()
        .map(|row| row["firstname"].as_str().unwrap_or("null").to_owned())
        .collect();
    names.sort();
    names
}

#[tokio::test]
async fn filters_compare_combine_and_search_text() {
    let environment = Environment::start().await;
    let account = environment.row("account", json!({"name": "Contoso"}));
    environment.contact(json!({"firstname": "Ada", "gendercode": 2, "birthdate": "1990-01-31", "donotemail": true}));
    environment.contact(json!({"firstname": "Bo", "numberofchildren": 3, "annualincome": 10.5}));
    environment.contact(json!({
        "firstname": "O'Neil", "lastname": "Straße", "parentcustomerid_account@odata.bind": format!("/accounts({account})"),
    }));
    let cases = [
        ("firstname eq 'ada'", vec!["Ada"]),
        ("firstname eq 'O''Neil'", vec!["O'Neil"]),
        ("firstname ne 'Ada' and firstname ne 'Bo'", vec!["O'Neil"]),
        ("gendercode eq 2", vec!["Ada"]),
        ("gendercode eq null and not (firstname eq 'Bo')", vec!["O'Neil"]),
        ("gendercode ne null or numberofchildren ge 3", vec!["Ada", "Bo"]),
        ("numberofchildren gt 3", vec![]),
        ("birthdate lt 1990-02-01", vec!["Ada"]),
        ("donotemail eq true", vec!["Ada"]),
        ("annualincome le 10.5", vec!["Bo"]),
        ("contains(firstname,'NEI')", vec!["O'Neil"]),
        (
            "startswith(lastname,'stra') and endswith(firstname,'l')",
            vec!["O'Neil"],
        ),
        (
            "createdon ge 2020-01-01T00:00:00Z and createdon lt 2999-01-01T00:00:00Z",
            vec!["Ada", "Bo", "O'Neil"],
        ),
    ];
    for (filter, expected) in cases {
        let rows = environment
            .get(&format!("contacts?$select=firstname&$filter={filter}"))
            .await
            .expect(200)
            .rows();
        assert_eq!(names(&rows), expected, "{filter}");
    }
    let lookup = format!("contacts?$select=firstname&$filter=_parentcustomerid_value eq {account}");
    assert_eq!(names(&environment.get(&lookup).await.expect(200).rows()), ["O'Neil"]);
}

#[tokio::test]
async fn malformed_filters_are_refused() {
    let environment = Environment::start().await;
    for filter in [
        "nosuch eq 1",
        "firstname eq",
        "firstname eq 'open",
        "gendercode eq 'x'",
        "length(firstname) eq 1",
        "(firstname eq 'a'",
    ] {
        environment
            .get(&format!("contacts?$filter={filter}"))
            .await
            .expect_error(400, "0x80060888");
    }
}

#[tokio::test]
async fn selection_brings_key_etag_and_companions() {
    let environment = Environment::start().await;
    let id = environment.contact(json!({"firstname": "Ada", "address1_city": "Łódź", "annualincome": 1}));
    let row = environment
        .get(&format!("contacts({id})?$select=address1_city,annualincome"))
        .await
        .expect(200)
        .json();
    let mut members: Vec<_> = row.as_object().unwrap().keys().cloned().collect();
    members.sort();
    let expected = [
        "@odata.context",
        "@odata.etag",
        "_transactioncurrencyid_value",
        "address1_city",
        "address1_composite",
        "annualincome",
        "contactid",
    ];
    assert_eq!(members, expected);
    let context = environment.api("$metadata#contacts(address1_city,annualincome)/$entity");
    assert_eq!(row["@odata.context"], json!(context));
    let text = environment
        .get(&format!("contacts({id})?$select=nosuch"))
        .await
        .expect_error(400, "0x80060888");
    assert_eq!(
        text,
        "Could not find a property named 'nosuch' on type 'Microsoft.Dynamics.CRM.contact'."
    );
}

#[tokio::test]
async fn values_have_the_products_json_forms() {
    let environment = Environment::start().await;
    let id = environment.contact(json!({
        "firstname": "Ada", "lastname": "Łódź \"x\"\n🎉", "birthdate": "1990-01-31", "numberofchildren": 2,
        "annualincome": 5_000_000, "address1_latitude": 47.638_77, "donotemail": true, "gendercode": 1,
    }));
    let raw = environment.get(&format!("contacts({id})")).await.expect(200);
    assert!(
        raw.text.contains("\"annualincome\":5000000.0000"),
        "money keeps four decimals"
    );
    assert!(raw.text.contains("\"annualincome_base\":5000000.0000"));
    let row = raw.json();
    assert_eq!(row["lastname"], "Łódź \"x\"\n🎉");
    assert_eq!(row["fullname"], "Ada Łódź \"x\"\n🎉");
    assert_eq!(row["birthdate"], "1990-01-31");
    assert!(
        row["_transactioncurrencyid_value"].is_string(),
        "an amount brings the base currency"
    );
    assert_eq!(row["address1_latitude"], json!(47.638_77));
    assert_eq!(row["donotemail"], true);
    assert_eq!(row["middlename"], Value::Null);
    assert_eq!(row["followemail"], true);
    assert_eq!((&row["statecode"], &row["statuscode"]), (&json!(0), &json!(1)));
    let created = row["createdon"].as_str().unwrap();
    assert_eq!(
        (created.len(), created.ends_with('Z')),
        ("2026-01-31T21:59:01Z".len(), true)
    );
    assert_eq!(row["@odata.etag"], json!(format!("W/\"{}\"", row["versionnumber"])));
}

#[tokio::test]
async fn annotations_come_only_when_asked_for_and_never_for_null() {
    let environment = Environment::start().await;
    let account = environment.row("account", json!({"name": "Contoso Ltd"}));
    let id = environment.contact(json!({
        "gendercode": 2, "birthdate": "1990-01-31", "annualincome": 1234.5,
        "parentcustomerid_account@odata.bind": format!("/accounts({account})"),
    }));
    let path = format!(
        "contacts({id})?$select=gendercode,donotbulkpostalmail,birthdate,annualincome,_parentcustomerid_value,jobtitle"
    );
    let row = environment
        .get_with(&path, "odata.include-annotations=\"*\"")
        .await
        .expect(200)
        .json();
    let formatted = |property: &str| row[format!("{property}@OData.Community.Display.V1.FormattedValue")].clone();
    assert_eq!(formatted("gendercode"), "Female");
    assert_eq!(formatted("donotbulkpostalmail"), "No");
    assert_eq!(formatted("birthdate"), "1/31/1990");
    assert_eq!(formatted("annualincome"), "€1,234.50");
    assert_eq!(formatted("_parentcustomerid_value"), "Contoso Ltd");
    assert_eq!(formatted("jobtitle"), Value::Null);
    assert_eq!(
        row["_parentcustomerid_value@Microsoft.Dynamics.CRM.lookuplogicalname"],
        "account"
    );
    let navigation = "_parentcustomerid_value@Microsoft.Dynamics.CRM.associatednavigationproperty";
    assert_eq!(row[navigation], "parentcustomerid_account");
    let bare = environment.get(&path).await.expect(200);
    assert!(!bare.text.contains("FormattedValue") && !bare.text.contains("lookuplogicalname"));
}

#[tokio::test]
async fn conditional_reads_answer_304_only_for_the_same_version_without_annotations() {
    let environment = Environment::start().await;
    let id = environment.contact(json!({"firstname": "Ada"}));
    let path = format!("contacts({id})");
    let etag = environment.get(&path).await.header("etag").to_owned();
    let get = |headers: Vec<(&'static str, String)>| {
        let request = environment.request(reqwest::Method::GET, &path);
        headers
            .into_iter()
            .fold(request, |request, (name, value)| request.header(name, value))
            .send()
    };
    let unchanged = get(vec![("If-None-Match", etag.clone())]).await.unwrap();
    assert_eq!(unchanged.status(), 304);
    assert_eq!(unchanged.text().await.unwrap(), "");
    let annotated = vec![
        ("If-None-Match", etag.clone()),
        ("Prefer", "odata.include-annotations=\"*\"".to_owned()),
    ];
    assert_eq!(get(annotated).await.unwrap().status(), 200);
    assert_eq!(
        get(vec![("If-None-Match", "null".to_owned())]).await.unwrap().status(),
        200
    );
    environment.patch(&path, json!({"firstname": "Eve"})).await.expect(204);
    assert_eq!(get(vec![("If-None-Match", etag)]).await.unwrap().status(), 200);
}

#[tokio::test]
async fn single_values_can_be_read_alone() {
    let environment = Environment::start().await;
    let id = environment.contact(json!({"firstname": "Ada"}));
    let value = environment
        .get(&format!("contacts({id})/firstname"))
        .await
        .expect(200)
        .json();
    assert_eq!(value["value"], "Ada");
    assert_eq!(
        environment
            .get(&format!("contacts({id})/firstname/$value"))
            .await
            .expect(200)
            .text,
        "Ada"
    );
    environment.get(&format!("contacts({id})/lastname")).await.expect(204);
    environment
        .get(&format!("contacts({id})/nosuch"))
        .await
        .expect_error(404, "0x80060888");
}

#[tokio::test]
async fn seeded_contacts_are_the_same_for_the_same_seed_and_realistic() {
    let read = async |seed| {
        let environment = Environment::with(|config| (config.contacts, config.seed) = (3000, seed)).await;
        environment.read_all("contacts", "odata.maxpagesize=5000").await.0
    };
    let (rows, again, other) = (read(5).await, read(5).await, read(6).await);
    assert_eq!(rows, again);
    assert_ne!(rows, other);
    let texts = |name: &'static str| rows.iter().filter_map(move |row| row[name].as_str());
    let emails: std::collections::HashSet<_> = texts("emailaddress1").collect();
    assert_eq!(
        emails.len(),
        texts("emailaddress1").count(),
        "e-mail addresses are unique"
    );
    assert!(
        emails
            .iter()
            .all(|email| email.is_ascii() && email.contains("@") && email.contains("example."))
    );
    assert!(rows.iter().any(|row| row["emailaddress1"].is_null()));
    for script in [
        'א'..='ת',
        'ا'..='ي',
        'Α'..='ω',
        'А'..='я',
        '一'..='龯',
        'ぁ'..='ヺ',
        '가'..='힣',
        'अ'..='ह',
    ] {
        assert!(
            texts("fullname").any(|name| name.chars().any(|letter| script.contains(&letter))),
            "{script:?}"
        );
    }
    assert!(texts("firstname").any(|name| name.chars().count() > 30));
    assert!(rows.iter().any(|row| row["statecode"] == 1 && row["statuscode"] == 2));
    assert!(rows.iter().any(|row| row["donotbulkemail"] == true) && rows.iter().any(|row| row["followemail"] == false));
}
