//! Topics and groups: their names, their shape, and making them (design §4).

use std::{collections::HashMap, sync::Arc, time::Duration};

use crosswalk_core::{InstanceId, WorkflowId, WorkflowName, worker::Role};
use rdkafka::{
    admin::{AdminClient, AdminOptions, NewTopic, TopicReplication},
    error::RDKafkaErrorCode,
};

use tokio::{sync::Mutex, time::Instant};

use crate::{Kafka, KafkaError, client::QuietContext};

/// Partitions of the slots topic: the most replicas that can share the reading.
pub const SLOTS: i32 = 64;

/// Partitions of a queue topic: the most replicas that can share the writing of one.
pub const QUEUE_PARTITIONS: i32 = 12;

const TIMEOUT: Duration = Duration::from_secs(30);

/// How often it is looked whether a topic that has been made is known.
const LOOK_INTERVAL: Duration = Duration::from_millis(20);

/// The names of all topics and groups, with the configured prefix.
#[derive(Debug, Clone)]
pub struct TopicNames {
    prefix: Arc<str>,
}

impl TopicNames {
    pub(crate) fn new(prefix: &str) -> Self {
        Self { prefix: prefix.into() }
    }

    /// The control log.
    #[must_use]
    pub fn control(&self) -> String {
        format!("{}.control", self.prefix)
    }

    /// Worker reports.
    #[must_use]
    pub fn workers(&self) -> String {
        format!("{}.workers", self.prefix)
    }

    /// The topic that assigns reader units to replicas; always empty.
    #[must_use]
    pub fn slots(&self) -> String {
        format!("{}.slots", self.prefix)
    }

    /// Where the reader units of an instance stand.
    #[must_use]
    pub fn checkpoints(&self, instance: &InstanceId) -> String {
        format!("{}.{instance}.checkpoints", self.prefix)
    }

    /// The queue of changes of one Dynamics table.
    #[must_use]
    pub fn ingress(&self, instance: &InstanceId, table: &str) -> String {
        format!("{}.{instance}.ingress.{table}", self.prefix)
    }

    /// What the writers know of the records of one Dynamics table.
    #[must_use]
    pub fn ledger(&self, instance: &InstanceId, table: &str) -> String {
        format!("{}.{instance}.ledger.{table}", self.prefix)
    }

    /// Records of a workflow that were set aside.
    #[must_use]
    pub fn dead_letters(&self, workflow: &WorkflowName) -> String {
        format!(
            "{}.{}.{}.dead-letters",
            self.prefix, workflow.instance, workflow.workflow
        )
    }

    /// The group of the replicas that read for all instances.
    #[must_use]
    pub fn reader_group(&self, role: Role) -> String {
        format!("{}.{role}", self.prefix)
    }

    /// The group of the replicas that write for one workflow.
    #[must_use]
    pub fn writer_group(&self, workflow: &WorkflowName, role: Role) -> String {
        format!("{}.{}.{}.{role}", self.prefix, workflow.instance, workflow.workflow)
    }

    /// The specification of the control log: one partition, kept for ever, never compacted.
    #[must_use]
    pub fn control_spec(&self) -> TopicSpec {
        TopicSpec {
            name: self.control(),
            partitions: 1,
            config: KEPT_FOR_EVER,
        }
    }

    /// The specification of the topic of worker reports.
    #[must_use]
    pub fn workers_spec(&self) -> TopicSpec {
        TopicSpec {
            name: self.workers(),
            partitions: 1,
            config: DELETED_AFTER_AN_HOUR,
        }
    }

    /// The specification of the slots topic.
    #[must_use]
    pub fn slots_spec(&self) -> TopicSpec {
        TopicSpec {
            name: self.slots(),
            partitions: SLOTS,
            config: KEPT_FOR_EVER,
        }
    }

    /// The specification of an instance's checkpoints.
    #[must_use]
    pub fn checkpoints_spec(&self, instance: &InstanceId) -> TopicSpec {
        TopicSpec {
            name: self.checkpoints(instance),
            partitions: 1,
            config: COMPACTED,
        }
    }

    /// The specification of an ingress queue.
    #[must_use]
    pub fn ingress_spec(&self, instance: &InstanceId, table: &str) -> TopicSpec {
        TopicSpec {
            name: self.ingress(instance, table),
            partitions: QUEUE_PARTITIONS,
            config: KEPT_FOR_EVER,
        }
    }

    /// The specification of a ledger: partitioned as the queue it belongs to.
    #[must_use]
    pub fn ledger_spec(&self, instance: &InstanceId, table: &str) -> TopicSpec {
        TopicSpec {
            name: self.ledger(instance, table),
            partitions: QUEUE_PARTITIONS,
            config: COMPACTED,
        }
    }

    /// The specification of a workflow's dead letters.
    #[must_use]
    pub fn dead_letters_spec(&self, instance: &InstanceId, workflow: WorkflowId) -> TopicSpec {
        let name = WorkflowName {
            instance: instance.clone(),
            workflow,
        };
        TopicSpec {
            name: self.dead_letters(&name),
            partitions: 1,
            config: COMPACTED,
        }
    }
}

/// What a topic must look like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicSpec {
    /// Its name.
    pub name: String,
    /// Its partitions.
    pub partitions: i32,
    /// Its settings.
    pub config: &'static [(&'static str, &'static str)],
}

/// Queues and the control log: a workflow may stay stopped for months and nothing may be lost.
///
/// The longest retention there is instead of -1, which means for ever to Apache Kafka but "all that is older than now" to the
/// embedded broker.
const KEPT_FOR_EVER: &[(&str, &str)] = &[
    ("cleanup.policy", "delete"),
    ("retention.ms", "9223372036854775807"),
    ("retention.bytes", "-1"),
];

const DELETED_AFTER_AN_HOUR: &[(&str, &str)] = &[
    ("cleanup.policy", "delete"),
    ("retention.ms", "3600000"),
    ("segment.ms", "600000"),
];

const COMPACTED: &[(&str, &str)] = &[
    ("cleanup.policy", "compact"),
    // The last segment is never compacted; whoever starts reads all of it.
    ("segment.ms", "3600000"),
    ("min.cleanable.dirty.ratio", "0.1"),
];

/// Parts of one process would race for the same topics; those of several processes may, and only the broker's log tells of it.
static MAKING: Mutex<()> = Mutex::const_new(());

impl Kafka {
    /// Makes the topics that are not there yet, and checks the partitions of those that are.
    ///
    /// # Errors
    /// If Kafka cannot be reached, refuses, or holds a topic of that name with other partitions.
    pub async fn ensure_topics(&self, specs: &[TopicSpec]) -> Result<(), KafkaError> {
        let _turn = MAKING.lock().await;
        let admin = Arc::new(self.admin()?);
        let present = present_partitions(Arc::clone(&admin)).await?;
        let mut missing = Vec::new();
        for spec in specs {
            match present.get(&spec.name) {
                None => missing.push(spec),
                Some(&found) if i32::try_from(found) == Ok(spec.partitions) => {}
                Some(&found) => {
                    let expected = usize::try_from(spec.partitions).unwrap_or_default();
                    return Err(KafkaError::WrongPartitions {
                        topic: spec.name.clone(),
                        found,
                        expected,
                    });
                }
            }
        }
        if missing.is_empty() {
            return Ok(());
        }
        let replication = self.settings().replication.unwrap_or(-1);
        let topics: Vec<NewTopic<'_>> = missing.iter().map(|spec| new_topic(spec, replication)).collect();
        let options = AdminOptions::new()
            .operation_timeout(Some(TIMEOUT))
            .request_timeout(Some(TIMEOUT));
        let results = admin
            .create_topics(&topics, &options)
            .await
            .map_err(KafkaError::client("make topics"))?;
        for result in results {
            match result {
                Ok(name) => tracing::info!(topic.name = name, "topic made"),
                // Another process was quicker.
                Err((_, RDKafkaErrorCode::TopicAlreadyExists)) => {}
                Err((_, code)) => {
                    let source = rdkafka::error::KafkaError::AdminOp(code);
                    return Err(KafkaError::Client {
                        operation: "make a topic",
                        source,
                    });
                }
            }
        }
        until_present(admin, specs).await
    }
}

/// Waits until topics that have been made are known: a group whose leader does not know one of its topics leaves it to nobody.
async fn until_present(admin: Arc<AdminClient<QuietContext>>, specs: &[TopicSpec]) -> Result<(), KafkaError> {
    let deadline = Instant::now() + TIMEOUT;
    loop {
        let present = present_partitions(Arc::clone(&admin)).await?;
        if specs.iter().all(|spec| present.contains_key(&spec.name)) || Instant::now() > deadline {
            return Ok(());
        }
        tokio::time::sleep(LOOK_INTERVAL).await;
    }
}

fn new_topic(spec: &TopicSpec, replication: i32) -> NewTopic<'_> {
    let topic = NewTopic::new(&spec.name, spec.partitions, TopicReplication::Fixed(replication));
    spec.config
        .iter()
        .fold(topic, |topic, (key, value)| topic.set(key, value))
}

/// Partitions of all topics. Asking for single ones would make them, on a broker that makes topics by itself.
async fn present_partitions(admin: Arc<AdminClient<QuietContext>>) -> Result<HashMap<String, usize>, KafkaError> {
    let fetch = move || {
        let metadata = admin
            .inner()
            .fetch_metadata(None, TIMEOUT)
            .map_err(KafkaError::client("list topics"))?;
        Ok(metadata
            .topics()
            .iter()
            .map(|topic| (topic.name().to_owned(), topic.partitions().len()))
            .collect())
    };
    tokio::task::spawn_blocking(fetch)
        .await
        .map_err(|_| KafkaError::Cancelled)?
}
