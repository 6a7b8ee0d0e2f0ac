//! Calls per record, when many records change: edits, edits of columns that are not mapped, deletions.

use crosswalk_tests::eventually;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use serde_json::{Value, json};

use crate::{
    contacts::Contacts,
    report::{Report, say},
    system::{LONGEST_PHASE, System},
};

/// Changes made at the same time in Dynamics.
const AUTHORS: usize = 16;

/// Edits each contact once, in a field that is mapped.
pub(crate) async fn updates(system: &mut System, contacts: &Contacts, report: &mut Report) -> anyhow::Result<()> {
    say("an edit of each contact");
    system.sandbox.reset_counters().await?;
    edit_each(system, contacts, &json!({"nickname": "edited"})).await?;
    let wanted = u64::try_from(contacts.ids.len())?;
    // Looking at all profiles is dear, so it waits until enough calls have come.
    until_called(system, wanted).await?;
    eventually("the edit in every profile", LONGEST_PHASE, || async {
        let mut edited = 0;
        let count = |profile: Value| {
            edited += u64::from(profile["cusNickname"] == "edited");
            Ok(())
        };
        system.sandbox.each_profile(count).await?;
        anyhow::ensure!(edited == wanted, "{edited} of {wanted} profiles have it");
        Ok(())
    })
    .await?;
    finish(system, "calls per update", wanted, "after the updates", report).await
}

/// Edits each contact once, in a column that is not mapped: nothing changes for Campaign.
pub(crate) async fn unchanged(system: &mut System, contacts: &Contacts, report: &mut Report) -> anyhow::Result<()> {
    say("an edit of each contact that changes nothing for Campaign");
    system.sandbox.reset_counters().await?;
    edit_each(system, contacts, &json!({"jobtitle": "edited"})).await?;
    // What is read last shows that all before it was read; the backlog shows the rest.
    let last = &contacts.ids[0];
    system
        .sandbox
        .edit_contact(last, &json!({"nickname": "the last"}))
        .await?;
    eventually("the last edit", LONGEST_PHASE, || async {
        let profile = system.sandbox.profile(last).await?;
        anyhow::ensure!(profile["cusNickname"] == "the last", "{profile}");
        Ok(())
    })
    .await?;
    system.until_settled().await?;
    system.check_running().await?;
    let calls = system.sandbox.record_calls().await?;
    let for_the_last = 1;
    anyhow::ensure!(calls >= for_the_last, "the last edit was written without a call");
    let calls = (calls - for_the_last) as f64 / contacts.ids.len() as f64;
    report.add("calls per unchanged record", "calls", [calls]);
    Ok(())
}

/// Adds a tenth of the contacts, while the workflow runs.
pub(crate) async fn additions(system: &mut System, contacts: &Contacts, report: &mut Report) -> anyhow::Result<()> {
    say("additions");
    let added = contacts.ids.len() / 10;
    let wanted = system.sandbox.profiles().await? + u64::try_from(added)?;
    system.sandbox.reset_counters().await?;
    let row = json!({"lastname": "Added"});
    stream::iter(0..added)
        .map(|_| system.sandbox.add_contact(&row))
        .buffer_unordered(AUTHORS)
        .try_collect::<Vec<String>>()
        .await?;
    until_profiles(system, wanted).await?;
    finish(
        system,
        "calls per addition",
        u64::try_from(added)?,
        "after the additions",
        report,
    )
    .await
}

/// Deletes every second contact.
pub(crate) async fn deletes(system: &mut System, report: &mut Report) -> anyhow::Result<()> {
    say("the deletion of every second contact");
    let mut present = Vec::new();
    let collect = |profile: Value| {
        present.extend(profile["externalId"].as_str().map(str::to_owned));
        Ok(())
    };
    system.sandbox.each_profile(collect).await?;
    let deleted: Vec<&String> = present.iter().step_by(2).collect();
    system.sandbox.reset_counters().await?;
    stream::iter(&deleted)
        .map(|id| system.sandbox.delete_contact(id))
        .buffer_unordered(AUTHORS)
        .try_collect::<()>()
        .await?;
    let left = u64::try_from(present.len() - deleted.len())?;
    until_profiles(system, left).await?;
    let deleted = u64::try_from(deleted.len())?;
    finish(system, "calls per delete", deleted, "after the deletions", report).await
}

async fn edit_each(system: &System, contacts: &Contacts, changes: &Value) -> anyhow::Result<()> {
    stream::iter(&contacts.ids)
        .map(|id| system.sandbox.edit_contact(id, changes))
        .buffer_unordered(AUTHORS)
        .try_collect::<()>()
        .await
}

async fn until_profiles(system: &System, wanted: u64) -> anyhow::Result<()> {
    eventually("the profiles", LONGEST_PHASE, || async {
        let profiles = system.sandbox.profiles().await?;
        anyhow::ensure!(profiles == wanted, "{profiles} profiles, not {wanted}");
        Ok(())
    })
    .await
}

async fn until_called(system: &System, wanted: u64) -> anyhow::Result<()> {
    eventually("the calls", LONGEST_PHASE, || async {
        let calls = system.sandbox.record_calls().await?;
        anyhow::ensure!(calls >= wanted, "{calls} of {wanted} calls");
        Ok(())
    })
    .await
}

async fn finish(
    system: &mut System,
    figure: &str,
    records: u64,
    moment: &str,
    report: &mut Report,
) -> anyhow::Result<()> {
    system.until_settled().await?;
    system.check()?;
    system.check_running().await?;
    let calls = system.sandbox.record_calls().await?;
    report.add(figure, "calls", [calls as f64 / records as f64]);
    report.memory(moment, system)
}
