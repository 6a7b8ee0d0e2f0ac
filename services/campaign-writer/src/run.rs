//! One run of an ingress workflow on this replica: the partitions it holds, worked off by one pool.

use std::{sync::Arc, time::Duration};

use crosswalk_core::{
    WorkflowName,
    control::{Configuration, Run},
    worker::{Passed, Phase, Role},
};
use crosswalk_kafka::{
    ControlLog, DeadLetters, Kafka, KafkaError, Ledger, Producer, Queue, QueueMember, Reporter, RunReport, Share,
    Sweeps,
    pool::{Cause, Failure, NextOffset, PartitionId, Pool, Rate},
};
use crosswalk_runtime::{
    error::{Cancelled, chain},
    health::Liveness,
    retry::{Backoff, HindranceTracker, Retry, RetryPolicy},
    sealing::SealingKeys,
};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::{
    drift,
    failure::RunError,
    hidden::Hidden,
    progress::{CAMPAIGN, Progress},
    proof::{Target, prove},
    purge,
    settings::WriterSettings,
    sweep::Sweeper,
    table::subject,
    work::Work,
    write::Writer,
};

/// How often the pool's numbers go into the report.
const PUBLISH_INTERVAL: Duration = Duration::from_millis(250);

/// What all runs of this process share.
pub(crate) struct Shared {
    pub(crate) control: ControlLog,
    pub(crate) reporter: Reporter,
    pub(crate) kafka: Kafka,
    pub(crate) producer: Producer,
    /// For entries of the ledger.
    pub(crate) ledger_producer: Producer,
    pub(crate) keys: SealingKeys,
    pub(crate) settings: WriterSettings,
    pub(crate) worker: String,
    /// How long work in flight may take to finish when a run ends.
    pub(crate) drain: Duration,
    pub(crate) liveness: Liveness,
}

/// Writes until the run is not wanted any more.
pub(crate) async fn run(shared: Arc<Shared>, workflow: WorkflowName, run: Run, cancel: CancellationToken) {
    let report = RunReport::start(
        &shared.reporter,
        &shared.worker,
        Role::CampaignWriter,
        &workflow,
        run.id,
    );
    let running = Running {
        shared,
        workflow,
        run,
        report,
    };
    match running.write(&cancel).await {
        Ok(()) | Err(RunError::Cancelled(_)) => {}
        Err(error) => {
            tracing::error!(workflow = %running.workflow, error = %chain(&error), "a run has failed");
            running.report.set_phase(Phase::Failed(error.failure()));
            // Said until somebody starts the workflow again.
            cancel.cancelled().await;
        }
    }
    running.report.set_phase(Phase::Stopped);
}

struct Running {
    shared: Arc<Shared>,
    workflow: WorkflowName,
    run: Run,
    report: RunReport,
}

impl Running {
    async fn write(&self, cancel: &CancellationToken) -> Result<(), RunError> {
        let progress = Progress::default();
        let (writer, member) = self.open(&progress, cancel).await?;
        let topics = writer.topics.clone();
        let watched = Watched {
            target: Arc::clone(&writer.target),
            ledger: writer.ledger.clone(),
            hidden: writer.hidden.clone(),
            progress: progress.clone(),
        };
        let backoff = Backoff::default();
        let delay = Box::new(move |attempt, after, jitter| backoff.delay(attempt, after, jitter));
        let (pool, driver) = Pool::new(&self.shared.settings.writing.pool(), writer, delay);
        let driving = tokio::spawn(driver.run());
        let queue = Queue::consume(member, pool.clone(), Some(watched.ledger.clone()), Work::decode)?;
        queue.on_turn(self.shared.liveness.beats(&format!("queue of {}", self.workflow)));

        let keep = self.shared.settings.writing.keep_written;
        let group = self.group();
        let purging = purge::keep_purging(&self.shared.kafka, &group, &topics, &watched.ledger, keep);
        let result = tokio::select! {
            result = self.watch(&pool, &queue, &watched, cancel) => result,
            never = purging => match never {},
        };
        if result.is_ok() {
            self.report.set_phase(Phase::Stopping);
        }
        let finished = pool.stop(Instant::now() + self.shared.drain).await;
        if let Err(error) = queue.stop(finished).await {
            tracing::warn!(workflow = %self.workflow, error = %chain(&*error), "the queue was not left in good order");
        }
        // It ends with the pool; why it ended early, if it did, is known from the pool, unless it was by a defect.
        let driven = driving.await;
        watched.publish(&pool, &self.report);
        match driven {
            Err(error) if error.is_panic() => Err(RunError::Defect("the work pool has ended".to_owned())),
            _ => result,
        }
    }

    /// The group of the replicas that write for this workflow.
    fn group(&self) -> String {
        let topics = self.shared.kafka.topics();
        topics.writer_group(&self.workflow, Role::CampaignWriter)
    }

    /// Proves that the run can write and joins its group, waiting for what passes by itself.
    async fn open(
        &self,
        progress: &Progress,
        cancel: &CancellationToken,
    ) -> Result<(Writer, QueueMember<Writer>), RunError> {
        let policy = RetryPolicy::forever(Backoff::default());
        let mut hindrances = HindranceTracker::new(CAMPAIGN);
        let retry = Retry::new(&policy, cancel, "open a run")
            .observe(|event| self.report.set_hindrance(hindrances.after(event)));
        let open = cancel.run_until_cancelled(retry.run(|| self.open_once(progress)));
        Ok(open.await.ok_or(Cancelled)??)
    }

    async fn open_once(&self, progress: &Progress) -> Result<(Writer, QueueMember<Writer>), RunError> {
        let (shared, configuration) = (&self.shared, &self.run.configuration);
        let proof = prove(shared, &self.workflow.instance, configuration);
        let (target, opened) = tokio::try_join!(proof, async { Ok(self.open_topics().await?) })?;
        let writer = Writer {
            target: Arc::new(target),
            topics: opened.topics,
            sweeper: Sweeper {
                sweeps: opened.sweeps,
                producer: shared.producer.clone(),
                ledger: opened.ledger.clone(),
                max_share: shared.settings.writing.max_missing_share,
            },
            ledger: opened.ledger,
            dead_letters: opened.dead_letters,
            hidden: Hidden::default(),
            progress: progress.clone(),
            run: self.run.id,
        };
        Ok((writer, opened.member))
    }

    /// Opens what the run needs of Kafka. The group is joined meanwhile, since that takes longest.
    async fn open_topics(&self) -> Result<Opened, KafkaError> {
        let (kafka, instance) = (&self.shared.kafka, &self.workflow.instance);
        let Configuration { mappings, settings, .. } = &*self.run.configuration;
        let tables = || mappings.iter().map(|mapping| mapping.definition.source_table.as_str());
        let specs: Vec<_> = tables()
            .map(|table| kafka.topics().ingress_spec(instance, table))
            .collect();
        kafka.ensure_topics(&specs).await?;
        let topics: Vec<String> = specs.into_iter().map(|spec| spec.name).collect();
        let member = QueueMember::join(kafka, &self.group(), &topics)?;

        let subjects = mappings.iter().map(|mapping| subject(mapping, settings));
        let producer = || self.shared.producer.clone();
        let ledger_producer = self.shared.ledger_producer.clone();
        let (dead_letters, ledger, sweeps) = tokio::try_join!(
            DeadLetters::open(kafka, producer(), &self.workflow),
            Ledger::open(kafka, ledger_producer, instance, tables().zip(subjects)),
            Sweeps::open(kafka, producer(), instance),
        )?;
        Ok(Opened {
            topics,
            member,
            dead_letters,
            ledger,
            sweeps,
        })
    }

    /// Reports until the run is not wanted any more or cannot go on.
    async fn watch(
        &self,
        pool: &Pool<Writer>,
        queue: &Queue,
        watched: &Watched,
        cancel: &CancellationToken,
    ) -> Result<(), RunError> {
        let mut share = queue.share();
        let mut publish = tokio::time::interval(PUBLISH_INTERVAL);
        self.take_share(pool, *share.borrow_and_update());
        let drift = drift::watch(&watched.target, &self.shared.settings.writing);
        tokio::pin!(drift);
        loop {
            tokio::select! {
                () = cancel.cancelled() => return Ok(()),
                failure = pool.failed() => return Err(cause(&failure)),
                ended = queue.ended() => return Err(ended.err().map_or(RunError::Cancelled(Cancelled), RunError::Kafka)),
                error = watched.ledger.failed() => return Err(RunError::Kafka(error)),
                error = &mut drift => return Err(error),
                _ = publish.tick() => {
                    self.report.set_passed(self.passed(pool));
                    watched.publish(pool, &self.report);
                }
                Ok(()) = share.changed() => self.take_share(pool, *share.borrow_and_update()),
            }
        }
    }

    fn passed(&self, pool: &Pool<Writer>) -> Vec<Passed> {
        let mappings = &self.run.configuration.mappings;
        let passed = |(partition, offset): (PartitionId, NextOffset)| {
            Some(Passed {
                table: mappings
                    .get(usize::from(partition.topic))?
                    .definition
                    .source_table
                    .clone(),
                partition: partition.partition,
                offset: offset.get(),
            })
        };
        pool.passed().into_iter().filter_map(passed).collect()
    }

    /// RUNNING as soon as partitions are assigned and their ledgers restored; the rate is that share of the configured one.
    fn take_share(&self, pool: &Pool<Writer>, share: Share) {
        if share.assigned > 0 && share.ready == share.assigned {
            self.report.set_phase(Phase::Running);
        }
        if let Some(rate) = self.shared.settings.writing.calls_per_second {
            let part = share.assigned.max(1) as f64 / share.total.max(1) as f64;
            pool.set_rate(Rate::per_second(rate * part));
        }
    }
}

/// What a run has open at Kafka.
struct Opened {
    topics: Vec<String>,
    member: QueueMember<Writer>,
    dead_letters: DeadLetters,
    ledger: Ledger,
    sweeps: Sweeps,
}

/// What is looked at while a run goes on.
struct Watched {
    target: Arc<Target>,
    ledger: Ledger,
    hidden: Hidden,
    progress: Progress,
}

impl Watched {
    fn publish(&self, pool: &Pool<Writer>, report: &RunReport) {
        let waiting = self.hidden.count(|partition| self.ledger.holds(partition));
        self.progress.publish(&pool.stats(), waiting, report);
    }
}

fn cause(failure: &Failure<RunError>) -> RunError {
    match &failure.cause {
        Cause::Fatal(error) => error.clone(),
        cause => RunError::Defect(chain(cause).to_string()),
    }
}
