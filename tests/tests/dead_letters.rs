//! Records that are set aside: each with its reason, mended, redriven, and never over a newer change.

use crosswalk_proto::v1::{
    DeadLetterFilter, DiscardDeadLettersRequest, GetDeadLetterRequest, ListDeadLettersRequest, Mapping,
    RedriveDeadLettersRequest, mapping_options::OverLong,
};
use crosswalk_tests::{Api, INGRESS, PATIENCE, World, WorldOptions, eventually, field};
use serde_json::{Value, json};
use tonic::Code;
use tonic_types::StatusExt as _;
use uuid::Uuid;

/// Contacts, most of them sound.
const CONTACTS: usize = 10_000;

/// Contacts poisoned in each way.
const EACH: usize = 10;

#[tokio::test(flavor = "multi_thread")]
async fn poisoned_records_are_set_aside_by_reason_and_written_when_mended_and_redriven() -> anyhow::Result<()> {
    let mut world = World::start(WorldOptions {
        contacts: 0,
        page_size: 500,
        ..WorldOptions::default()
    })
    .await?;
    let mut api = world.api(0)?;
    api.edit_mapping(|mapping| {
        mapping.fields.push(field("employeeid", "cusPoints"));
        mapping.fields.push(field("externaluseridentifier", "cusTier"));
    })
    .await?;
    let poisons = [
        json!({ "firstname": "far longer than the thirty characters" }),
        json!({ "nickname": "bell \u{7}" }),
        json!({ "emailaddress1": "no address at all" }),
        json!({ "employeeid": "seven" }),
        json!({ "externaluseridentifier": "300" }),
    ];
    let mut poisoned = Vec::new();
    for number in 0..CONTACTS {
        let id = world.add_contact(&format!("Contact {number}"))?;
        if let Some(poison) = poisons.get(number / EACH) {
            world.edit_contact(id, poison)?;
            poisoned.push(id);
        }
    }
    world.start_ingress().await?;
    api.until("everything settled", PATIENCE, |workflow| {
        let progress = workflow.progress.unwrap_or_default();
        progress.records_written + progress.records_rejected >= CONTACTS as i64 && workflow.backlog == Some(0)
    })
    .await?;
    assert_eq!(world.profile_count()?, CONTACTS - poisoned.len());
    let counts = api.set_aside().await?;
    let each = u64::try_from(EACH)?;
    for code in ["TOO_LONG", "FORBIDDEN_CHARACTER", "NOT_A_NUMBER", "OUT_OF_RANGE"] {
        assert_eq!(counts.get(code), Some(&each), "{code} in {counts:?}");
    }
    assert_eq!(counts.values().sum::<u64>(), 5 * each, "{counts:?}");
    assert_eq!(counts.get("CAMPAIGN_DATA_POLICY"), Some(&each), "{counts:?}");
    check_a_letter(&mut api, &world).await?;
    check_a_refusal(&mut api, poisoned[2 * EACH]).await?;

    api.edit_mapping(|mapping| {
        mapping.fields.retain(|field| {
            !["nickname", "emailaddress1", "employeeid", "externaluseridentifier"]
                .contains(&field.dynamics_field.as_str())
        });
        mapping.fields.push(field("employeeid", "cusLoyaltyLevel"));
        mapping.fields.push(field("externaluseridentifier", "cusNotes"));
        if let Some(options) = &mut mapping.options {
            options.set_over_long(OverLong::Truncate);
        }
    })
    .await?;
    api.stop_and_wait().await?;
    world.start_ingress().await?;
    // One of them is changed before it is redriven: what is written is the newest.
    world.edit_contact(poisoned[0], &json!({ "lastname": "Newest" }))?;
    for code in counts.keys() {
        let request = RedriveDeadLettersRequest {
            parent: INGRESS.to_owned(),
            names: Vec::new(),
            filter: Some(DeadLetterFilter {
                code: code.clone(),
                ..DeadLetterFilter::default()
            }),
        };
        let answer = api.dead_letters.redrive_dead_letters(request).await?.into_inner();
        assert!(!answer.waits_for_start);
    }
    eventually("all contacts to be profiles", PATIENCE, || async {
        anyhow::ensure!(world.profile_count()? == CONTACTS, "{} are", world.profile_count()?);
        Ok(())
    })
    .await?;
    eventually("no dead letters", PATIENCE, || {
        let mut api = api.clone();
        async move {
            let left = api.set_aside().await?;
            anyhow::ensure!(left.is_empty(), "{left:?}");
            Ok(())
        }
    })
    .await?;
    assert_eq!(world.profile(poisoned[0])?["lastName"], "Newest");
    assert_eq!(world.profile(poisoned[3 * EACH])?["cusLoyaltyLevel"], "seven");
    Ok(())
}

/// A dead letter shows what was read, what was sent, and why it was refused.
async fn check_a_letter(api: &mut Api, world: &World) -> anyhow::Result<()> {
    let request = ListDeadLettersRequest {
        parent: INGRESS.to_owned(),
        filter: Some(DeadLetterFilter {
            code: "TOO_LONG".to_owned(),
            ..DeadLetterFilter::default()
        }),
        page_size: 3,
        page_token: String::new(),
    };
    let page = api.dead_letters.list_dead_letters(request.clone()).await?.into_inner();
    assert_eq!((page.dead_letters.len(), page.total), (3, EACH as u64));
    let next = ListDeadLettersRequest {
        page_token: page.next_page_token,
        ..request
    };
    let next = api.dead_letters.list_dead_letters(next).await?.into_inner();
    assert_ne!(next.dead_letters[0].name, page.dead_letters[0].name);
    let name = page.dead_letters[0].name.clone();
    let letter = api
        .dead_letters
        .get_dead_letter(GetDeadLetterRequest { name })
        .await?
        .into_inner();
    assert_eq!(letter.faults[0].target_field, "firstName");
    assert_eq!(letter.faults[0].source_field, "firstname");
    let row = letter.source_row.iter().find(|value| value.field == "firstname");
    assert!(
        row.is_some_and(|value| value.value.starts_with("far longer")),
        "{:?}",
        letter.source_row
    );
    assert!(letter.place.is_some());
    assert!(world.profile(letter.record_id.parse()?).is_err());
    Ok(())
}

/// A letter of what Campaign refused shows the request and the answer.
async fn check_a_refusal(api: &mut Api, contact: Uuid) -> anyhow::Result<()> {
    let name = format!("{INGRESS}/deadLetters/contact.{contact}");
    let letter = api.dead_letters.get_dead_letter(GetDeadLetterRequest { name }).await?;
    let letter = letter.into_inner();
    let fault = &letter.faults[0];
    assert_eq!(
        (fault.target_field.as_str(), fault.source_field.as_str()),
        ("email", "emailaddress1")
    );
    assert!(letter.request_line.starts_with("POST /"), "{}", letter.request_line);
    assert!(letter.request_line.ends_with("/profile"), "{}", letter.request_line);
    let request: Value = serde_json::from_str(&letter.request_json)?;
    assert_eq!(request["email"], "no address at all");
    assert_eq!(request["externalId"], contact.to_string());
    assert_eq!(letter.answer_status, 500);
    assert!(!letter.answer.is_empty());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_discarded_letter_is_gone_and_the_record_is_written_with_its_next_change() -> anyhow::Result<()> {
    let mut world = World::start(WorldOptions {
        contacts: 0,
        ..WorldOptions::default()
    })
    .await?;
    let mut api = world.api(0)?;
    let id = world.add_contact("Lovelace")?;
    world.edit_contact(id, &json!({ "firstname": "far longer than the thirty characters" }))?;
    world.start_ingress().await?;
    api.until_set_aside("TOO_LONG", 1).await?;
    let request = DiscardDeadLettersRequest {
        parent: INGRESS.to_owned(),
        names: vec![format!("{INGRESS}/deadLetters/contact.{id}")],
        filter: None,
    };
    assert_eq!(
        api.dead_letters
            .discard_dead_letters(request.clone())
            .await?
            .into_inner()
            .count,
        1
    );
    assert!(api.set_aside().await?.is_empty());
    let again = api.dead_letters.discard_dead_letters(request).await;
    assert_eq!(again.map_err(|status| status.code()).err(), Some(Code::NotFound));
    world.edit_contact(id, &json!({ "firstname": "Ada" }))?;
    world.until_settled(PATIENCE).await.map(drop)
}

#[tokio::test(flavor = "multi_thread")]
async fn letters_that_are_too_many_to_be_listed_are_discarded_by_reason() -> anyhow::Result<()> {
    let mut world = World::start(WorldOptions {
        contacts: 0,
        control_plane_settings: &[("CROSSWALK__API__DEAD_LETTERS_LISTED", "5")],
        ..WorldOptions::default()
    })
    .await?;
    let api = world.api(0)?;
    for number in 0..10 {
        let id = world.add_contact(&format!("Contact {number}"))?;
        let poison = if number < 7 {
            json!({ "firstname": "far longer than the thirty characters" })
        } else {
            json!({ "nickname": "bell \u{7}" })
        };
        world.edit_contact(id, &poison)?;
    }
    world.start_ingress().await?;
    api.until("ten records set aside", PATIENCE, |workflow| {
        workflow.progress.unwrap_or_default().records_rejected >= 10
    })
    .await?;
    let refused = api
        .clone()
        .set_aside()
        .await
        .map_err(|status| status.get_error_details());
    let reason = refused
        .err()
        .and_then(|details| details.error_info().map(|info| info.reason.clone()));
    assert_eq!(reason.as_deref(), Some("TOO_MANY_DEAD_LETTERS"));

    let discard = async |code: &str| {
        let request = DiscardDeadLettersRequest {
            parent: INGRESS.to_owned(),
            names: Vec::new(),
            filter: Some(DeadLetterFilter {
                code: code.to_owned(),
                ..DeadLetterFilter::default()
            }),
        };
        let discarded = api.dead_letters.clone().discard_dead_letters(request).await?;
        anyhow::Ok(discarded.into_inner().count)
    };
    assert_eq!(discard("TOO_LONG").await?, 7);
    let left: Vec<_> = api.clone().set_aside().await?.into_iter().collect();
    assert_eq!(
        left,
        [("FORBIDDEN_CHARACTER".to_owned(), 3)],
        "with fewer they are listed again"
    );
    assert_eq!(discard("").await?, 3);
    assert!(api.clone().set_aside().await?.is_empty());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn one_letter_that_is_redriven_by_its_name_leaves_the_others_where_they_are() -> anyhow::Result<()> {
    let mut world = World::start(WorldOptions {
        contacts: 0,
        ..WorldOptions::default()
    })
    .await?;
    let [chosen, other] = [world.add_contact("Lovelace")?, world.add_contact("Hopper")?];
    for contact in [chosen, other] {
        world.edit_contact(
            contact,
            &json!({ "firstname": "far longer than Campaign's field for it" }),
        )?;
    }
    world.start_ingress().await?;
    let mut api = world.api(0)?;
    api.until_set_aside("TOO_LONG", 2).await?;
    let truncate = |mapping: &mut Mapping| {
        let options = mapping.options.get_or_insert_default();
        options.set_over_long(OverLong::Truncate);
    };
    api.edit_mapping(truncate).await?;
    api.stop_and_wait().await?;
    world.start_ingress().await?;

    let name = |contact: Uuid| format!("{INGRESS}/deadLetters/contact.{contact}");
    let request = RedriveDeadLettersRequest {
        parent: INGRESS.to_owned(),
        names: vec![name(chosen)],
        filter: None,
    };
    let answer = api.dead_letters.redrive_dead_letters(request).await?.into_inner();
    assert_eq!(answer.count, 1);
    api.until_set_aside("TOO_LONG", 1).await?;
    assert_eq!(world.profile(chosen)?["lastName"], "Lovelace");
    assert!(world.profile(other).is_err());
    let left = GetDeadLetterRequest { name: name(other) };
    assert_eq!(
        api.dead_letters.get_dead_letter(left).await?.into_inner().code,
        "TOO_LONG"
    );

    // A letter that is not there is named, and nothing is redriven.
    let unknown = RedriveDeadLettersRequest {
        parent: INGRESS.to_owned(),
        names: vec![name(other), name(chosen)],
        filter: None,
    };
    let refused = api.dead_letters.redrive_dead_letters(unknown).await.unwrap_err();
    assert_eq!(refused.code(), Code::NotFound, "{refused:?}");
    assert!(refused.message().contains(&chosen.to_string()), "{refused:?}");
    Ok(())
}
