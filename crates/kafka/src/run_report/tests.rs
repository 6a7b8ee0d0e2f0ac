use std::sync::atomic::{AtomicUsize, Ordering};

use crosswalk_core::WorkflowId;

use super::*;
use crate::{Kafka, KafkaSettings, Producer};

const DEADLINE: Duration = Duration::from_secs(30);

/// A producer that has no room for another record, and no broker to give one to.
async fn full_producer() -> Producer {
    let settings = KafkaSettings {
        bootstrap: "127.0.0.1:1".to_owned(),
        ..KafkaSettings::default()
    };
    let producer = Producer::new(&Kafka::new(settings, "test")).unwrap();
    let enqueue = || producer.enqueue("topic", "key", None);
    while let Ok(taken) = tokio::time::timeout(Duration::from_millis(50), enqueue()).await {
        drop(taken.unwrap());
    }
    producer
}

#[tokio::test(flavor = "multi_thread")]
async fn reporting_turns_while_the_broker_is_away_and_is_not_watched_after_its_end() {
    let reporter = Reporter::new(full_producer().await, "workers".to_owned());
    let turns = Arc::new(AtomicUsize::new(0));
    let counted = Arc::downgrade(&turns);
    reporter.on_turn(move |name| {
        assert_eq!(name, "reports about instances/prod/workflows/ingress");
        let turns = counted.upgrade();
        move || {
            turns.iter().for_each(|turns| {
                turns.fetch_add(1, Ordering::Relaxed);
            });
        }
    });
    let workflow = WorkflowName {
        instance: "prod".parse().unwrap(),
        workflow: WorkflowId::Ingress,
    };
    let run = RunId(uuid::Uuid::nil());
    let report = RunReport::start(&reporter, "worker", Role::CampaignWriter, &workflow, run);
    let turned_and_ended = async {
        while turns.load(Ordering::Relaxed) < 2 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        drop(report);
        while Arc::strong_count(&turns) > 1 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let in_time = tokio::time::timeout(DEADLINE, turned_and_ended).await;
    assert!(in_time.is_ok(), "only {} turns", turns.load(Ordering::Relaxed));
}
