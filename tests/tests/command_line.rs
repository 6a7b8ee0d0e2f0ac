//! The command line tool against a whole Crosswalk; what it does with each answer is tested where it lives.

use crosswalk_proto::v1::{Mapping, Workflow, workflow::Status};
use crosswalk_tests::{PATIENCE, Ran, Service, World, WorldOptions, eventually};
use serde_json::json;

async fn world(contacts: u64) -> anyhow::Result<World> {
    World::start(WorldOptions {
        contacts,
        ..WorldOptions::default()
    })
    .await
}

fn check_refused(ran: &Ran, code: i32, parts: &[&str]) -> anyhow::Result<()> {
    anyhow::ensure!(
        ran.code == code && ran.stdout.is_empty(),
        "not exit code {code}: {ran:?}"
    );
    for part in parts {
        anyhow::ensure!(ran.stderr.contains(part), "`{part}` is missing:\n{}", ran.stderr);
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn start_wait_returns_with_the_totals_of_the_load_and_stop_wait_when_it_has_stopped() -> anyhow::Result<()> {
    const CONTACTS: i64 = 1_000;
    let mut world = world(CONTACTS as u64).await?;
    let crosswalk = world.command_line()?;
    let started = crosswalk
        .run(&["workflows", "start", "ingress", "--wait", "--output", "json"])
        .await?;
    let loaded: Workflow = serde_json::from_value(started.json()?)?;
    let progress = loaded.progress.unwrap_or_default();
    assert_eq!((loaded.status(), loaded.backlog), (Status::Running, Some(0)));
    assert_eq!(
        progress.records_written + progress.records_rejected,
        CONTACTS,
        "{progress:?}"
    );
    assert!(started.stderr.contains("started ingress as run"), "{started:?}");
    // It was loaded when the command came back, not some time later.
    let verdict = world.oracle().check_exact()?;
    assert_eq!(verdict.equal + verdict.rejected, CONTACTS as usize, "{verdict:?}");

    let again = crosswalk.run(&["workflows", "start", "ingress"]).await?;
    check_refused(&again, 1, &["started already", "WORKFLOW_ALREADY_STARTED"])?;

    let stopped = crosswalk
        .run(&["workflows", "stop", "ingress", "--wait", "-o", "json"])
        .await?;
    let stopped: Workflow = serde_json::from_value(stopped.json()?)?;
    assert_eq!((stopped.status(), stopped.stopping), (Status::Stopped, false));
    world.check_processes()
}

#[tokio::test(flavor = "multi_thread")]
async fn json_output_is_what_the_api_says() -> anyhow::Result<()> {
    let world = world(1).await?;
    let crosswalk = world.command_line()?;
    let shown = crosswalk.run(&["mappings", "get", "contact", "-o", "json"]).await?;
    let shown: Mapping = serde_json::from_value(shown.json()?)?;
    assert_eq!(shown, world.api(0)?.mapping().await?);

    let listed = crosswalk.run(&["workflows", "list", "-o", "json"]).await?;
    let listed: Vec<Workflow> = serde_json::from_value(listed.json()?)?;
    let statuses: Vec<_> = listed.iter().map(Workflow::status).collect();
    assert_eq!(statuses, [Status::Stopped; 3]);

    let tested = crosswalk.run(&["instances", "test", "-o", "json"]).await?.json()?;
    assert_eq!(
        (&tested["dynamics"]["ok"], &tested["campaign"]["ok"]),
        (&json!(true), &json!(true))
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn starting_what_cannot_run_tells_why_each_time_until_it_is_mended() -> anyhow::Result<()> {
    let world = world(20).await?;
    let crosswalk = world.command_line()?;
    let start = ["workflows", "start", "ingress", "--wait"];
    world.sandbox.dynamics().switches().set_secret_expired(true);
    for _ in 0..2 {
        let ran = crosswalk.run(&start).await?;
        check_refused(
            &ran,
            3,
            &["ingress is FAILED", "DYNAMICS_AUTHENTICATION_FAILED", "client secret"],
        )?;
    }
    world.sandbox.dynamics().switches().set_secret_expired(false);
    let ran = crosswalk.run(&start).await?;
    assert_eq!(ran.code, 0, "{ran:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_input_is_named_and_changes_nothing() -> anyhow::Result<()> {
    const APPLY: &[&str] = &["mappings", "apply", "-f", "-"];
    let world = world(1).await?;
    let crosswalk = world.command_line()?;
    let mut api = world.api(0)?;
    let before = api.mapping().await?;
    let file = serde_json::to_value(&before)?;
    let edited = |pointer: &str, value: serde_json::Value| -> anyhow::Result<String> {
        let mut file = file.clone();
        let place = file.pointer_mut(pointer);
        *place.ok_or_else(|| anyhow::anyhow!("{pointer} is not there"))? = value;
        Ok(file.to_string())
    };
    let outdated = Mapping {
        etag: "999999".to_owned(),
        fields: before.fields[1..].to_vec(),
        ..before.clone()
    };
    let outdated = serde_json::to_string(&outdated)?;
    let cases: [(&[&str], String, i32, &[&str]); 9] = [
        (
            &["workflows", "start", "sideways"],
            String::new(),
            2,
            &["sideways", "ingress"],
        ),
        (
            &["workflows", "start", "egress"],
            String::new(),
            1,
            &["not available yet"],
        ),
        (
            &["-i", "elsewhere", "workflows", "start", "ingress"],
            String::new(),
            1,
            &["instances/elsewhere"],
        ),
        (
            &["mappings", "get", "account"],
            String::new(),
            1,
            &["mappings/account", "NOT_FOUND"],
        ),
        (
            APPLY,
            "{\"name\": \"contact\",".to_owned(),
            2,
            &["standard input", "line 1"],
        ),
        (
            APPLY,
            json!({ "name": before.name, "dynamicsTabel": "contact" }).to_string(),
            2,
            &["dynamicsTabel"],
        ),
        (
            APPLY,
            edited("/fields/0/dynamicsField", json!("nosuchcolumn"))?,
            1,
            &["mapping.fields[0].dynamics_field", "nosuchcolumn", "INVALID_ARGUMENT"],
        ),
        (
            APPLY,
            edited("/fields/1/campaignField", json!("noSuchField"))?,
            1,
            &["mapping.fields[1].campaign_field", "noSuchField"],
        ),
        (APPLY, outdated, 1, &["ABORTED", "etag"]),
    ];
    for (arguments, input, code, parts) in cases {
        let ran = crosswalk.run_with_input(arguments, &input).await?;
        check_refused(&ran, code, parts)?;
        assert_eq!(api.mapping().await?, before, "{arguments:?} changed the mapping");
        assert_eq!(api.ingress().await?.status(), Status::Stopped, "{arguments:?}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_control_plane_that_is_gone_is_told_and_found_again() -> anyhow::Result<()> {
    let mut world = world(1).await?;
    let crosswalk = world.command_line()?;
    world.kill(Service::ControlPlane, 0).await?;
    let ran = crosswalk.run(&["workflows", "list"]).await?;
    check_refused(
        &ran,
        5,
        &["no Crosswalk server answers at http://127.0.0.1:", "--endpoint"],
    )?;
    world.spawn(Service::ControlPlane, 0)?;
    eventually("an answer", PATIENCE, || async {
        crosswalk.run(&["workflows", "list", "-o", "json"]).await?.json()
    })
    .await?;
    Ok(())
}
