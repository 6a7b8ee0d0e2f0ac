//! Whether both systems agree. Figures of a system that lost something are void.

use std::collections::HashMap;

use crosswalk_tests::{difference, expected};
use rand::{SeedableRng as _, rngs::StdRng, seq::IndexedRandom as _};

use crate::{
    arguments::Arguments,
    contacts::{Contacts, contact_id},
    system::System,
};

/// Contacts looked at after each load.
const SPOTS: usize = 200;

/// Checks the number of profiles, and the values of some.
pub(crate) async fn spot_check(arguments: &Arguments, contacts: &Contacts, system: &System) -> anyhow::Result<()> {
    let profiles = system.sandbox.profiles().await?;
    anyhow::ensure!(
        usize::try_from(profiles)? == contacts.ids.len(),
        "{profiles} profiles of {} contacts: the figures are void",
        contacts.ids.len()
    );
    let mut random = StdRng::seed_from_u64(arguments.seed);
    for id in contacts.ids.choose_multiple(&mut random, SPOTS) {
        let contact = system.sandbox.contact(id).await?;
        let fields = expected(&contact).ok_or_else(|| anyhow::anyhow!("{id} should have been rejected"))?;
        if let Some(difference) = difference(&fields, &system.sandbox.profile(id).await?) {
            anyhow::bail!("{id}: {difference}: the figures are void");
        }
    }
    Ok(())
}

/// Checks that every contact a profile can hold has one with exactly the values it must have, and that there is no other
/// profile. Returns how many there are.
pub(crate) async fn check_all(system: &System) -> anyhow::Result<usize> {
    let mut wanted = HashMap::new();
    system
        .sandbox
        .each_contact(|contact| {
            if let Some(fields) = expected(&contact) {
                wanted.insert(contact_id(&contact)?.to_owned(), fields);
            }
            Ok(())
        })
        .await?;
    let count = wanted.len();
    system
        .sandbox
        .each_profile(|profile| {
            let id = profile["externalId"].as_str().unwrap_or_default();
            let fields = wanted.remove(id);
            let fields =
                fields.ok_or_else(|| anyhow::anyhow!("a profile too many: {profile}: the figures are void"))?;
            match difference(&fields, &profile) {
                Some(difference) => anyhow::bail!("{id}: {difference}: the figures are void"),
                None => Ok(()),
            }
        })
        .await?;
    anyhow::ensure!(
        wanted.is_empty(),
        "{} contacts have no profile, {:?} for example: the figures are void",
        wanted.len(),
        wanted.keys().next()
    );
    Ok(count)
}
