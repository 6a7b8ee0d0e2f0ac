//! SIGKILL at any moment: nothing is lost, and both systems come to agree.
#![allow(clippy::print_stdout, reason = "whoever repeats a round needs its seed")]

use std::time::Duration;

use crosswalk_tests::{PATIENCE, Service, World, WorldOptions};
use rand::{Rng as _, SeedableRng as _, rngs::StdRng};
use serde_json::json;

/// Rounds at each submission; `make soak` asks for more.
const ROUNDS: u32 = 2;

fn seed() -> u64 {
    std::env::var("CROSSWALK_TEST_SEED")
        .ok()
        .and_then(|seed| seed.parse().ok())
        .unwrap_or_else(rand::random)
}

fn rounds() -> u32 {
    std::env::var("CROSSWALK_TEST_ROUNDS")
        .ok()
        .and_then(|rounds| rounds.parse().ok())
        .unwrap_or(ROUNDS)
}

/// Kills and restarts a random process, at a random moment, several times, while contacts change.
async fn kill_and_restart(world: &mut World, random: &mut StdRng, kills: u32) -> anyhow::Result<()> {
    let contacts = world.contact_ids(50)?;
    for kill in 0..kills {
        for (count, id) in contacts.iter().enumerate() {
            if random.random_bool(0.3) {
                world.edit_contact(
                    *id,
                    &json!({ "nickname": (u64::from(kill) * 100 + count as u64).to_string() }),
                )?;
            }
        }
        let service = Service::ALL[random.random_range(0..Service::ALL.len())];
        let replica = random.random_range(0..world.replicas(service));
        // The moment is what is random here, not something that is waited for.
        tokio::time::sleep(Duration::from_millis(random.random_range(0..400))).await;
        world.kill(service, replica).await?;
        tokio::time::sleep(Duration::from_millis(random.random_range(0..200))).await;
        world.spawn(service, replica)?;
    }
    Ok(())
}

async fn survives_kills(readers: usize, writers: usize) -> anyhow::Result<()> {
    for round in 0..rounds() {
        let seed = seed().wrapping_add(u64::from(round));
        println!("round {round}: CROSSWALK_TEST_SEED={seed}");
        let mut random = StdRng::seed_from_u64(seed);
        let options = WorldOptions {
            contacts: 1_500,
            readers,
            writers,
            ..WorldOptions::default()
        };
        let mut world = World::start(options).await?;
        if world.kafka.is_embedded() {
            // The embedded broker never forgets a group member that is killed while it joins. It serves one process, which
            // takes the broker with it when it is killed; services of their own run on Apache Kafka.
            println!("skipped: CROSSWALK_TEST_KAFKA names no Kafka");
            return Ok(());
        }
        world.api(0)?.start().await?;
        kill_and_restart(&mut world, &mut random, 4).await?;
        world
            .until_settled(PATIENCE)
            .await
            .map_err(|error| error.context(format!("seed {seed}")))?;
        kill_and_restart(&mut world, &mut random, 3).await?;
        world
            .until_settled(PATIENCE)
            .await
            .map_err(|error| error.context(format!("seed {seed}")))?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_services_lose_nothing_with_one_replica_of_each() -> anyhow::Result<()> {
    survives_kills(1, 1).await
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_services_lose_nothing_with_three_readers_and_writers() -> anyhow::Result<()> {
    survives_kills(3, 3).await
}
