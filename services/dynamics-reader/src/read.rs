//! Reading one unit: a table, page by page, for as long as its slot is held (design §6).

use std::{sync::Arc, time::Duration};

use crosswalk_core::{
    WorkflowName,
    control::{InstanceSettings, PinnedMapping, RunId},
    worker::{Hindrance, Phase},
};
use crosswalk_dynamics::{Answer, Error as DynamicsError, Page, PageLink};
use crosswalk_kafka::{Checkpoints, DeadLetters};
use crosswalk_proto::record::{Checkpoint, Position};
use crosswalk_runtime::{
    error::{Cancelled, chain},
    retry::{Backoff, Retry, RetryEvent, RetryPolicy},
};
use jiff::Timestamp;
use tokio::{
    sync::Mutex,
    time::{Instant, Interval, MissedTickBehavior},
};
use tokio_util::sync::CancellationToken;

use crate::{
    failure::UnitError,
    page::{Destination, Queued},
    plan::{Progress, Reading},
    proof::{Source, prove},
    run::{Shared, UnitReport},
};

/// One table of one run.
pub(crate) struct Unit {
    pub(crate) shared: Arc<Shared>,
    pub(crate) workflow: WorkflowName,
    pub(crate) run: RunId,
    pub(crate) settings: Arc<InstanceSettings>,
    pub(crate) mapping: PinnedMapping,
    pub(crate) report: UnitReport,
}

/// Everything a unit needs once it has been proved to run.
struct Opened {
    source: Source,
    destination: Destination,
    checkpoints: Checkpoints,
    unit: String,
    columns: Vec<String>,
    /// When a checkpoint was last written.
    saved: parking_lot::Mutex<Option<Instant>>,
}

/// How often the position is written while nothing changes. It moves with every poll, and an old one expires.
const QUIET_SAVE_INTERVAL: Duration = Duration::from_secs(60);

impl Unit {
    /// Reads until cancelled. What has been fetched when that happens is still queued, so that no record of this reader
    /// is on its way any more when another one takes over.
    pub(crate) async fn read(&self, cancel: &CancellationToken) -> Result<(), UnitError> {
        let opened = self
            .until(cancel, self.retrying(cancel, "open a unit", || self.open()))
            .await?;
        let progress = self
            .until(
                cancel,
                self.retrying(cancel, "load a checkpoint", || self.load(&opened)),
            )
            .await?;
        self.report.set_phase(Phase::Running);
        let progress = Mutex::new(progress);
        self.retrying(cancel, "queue a page", || async {
            self.read_on(&opened, &mut *progress.lock().await, cancel).await
        })
        .await
    }

    async fn open(&self) -> Result<Opened, UnitError> {
        let (shared, definition) = (&self.shared, &*self.mapping.definition);
        let source = prove(shared, &self.workflow.instance, &self.settings, definition).await?;
        let topics = shared.kafka.topics();
        let spec = topics.ingress_spec(&self.workflow.instance, &definition.source_table);
        let topic = spec.name.clone();
        shared.kafka.ensure_topics(&[spec]).await?;
        let dead_letters = DeadLetters::open(&shared.kafka, shared.producer.clone(), &self.workflow).await?;
        let table = definition.source_table.clone();
        let destination = Destination {
            producer: shared.producer.clone(),
            topic,
            dead_letters,
            table,
            run: self.run,
        };
        let checkpoints = Checkpoints::open(&shared.kafka, shared.producer.clone(), &self.workflow.instance).await?;
        let unit = format!("{}/{}", self.workflow.workflow, definition.source_table);
        let columns = source.selection.columns().map(str::to_owned).collect();
        Ok(Opened {
            source,
            destination,
            checkpoints,
            unit,
            columns,
            saved: parking_lot::Mutex::default(),
        })
    }

    async fn load(&self, opened: &Opened) -> Result<Progress, UnitError> {
        let checkpoint = opened.checkpoints.load(&opened.unit, CancellationToken::new()).await?;
        let mut progress = Progress::after(checkpoint, self.mapping.uid, &opened.columns);
        self.expect_rows(opened, &mut progress).await;
        tracing::info!(unit = opened.unit, epoch = progress.epoch.0, reading = ?progress.reading, "reading");
        Ok(progress)
    }

    /// At the beginning of an initial read, asks how many rows there are, for people who watch. Not worth failing for.
    async fn expect_rows(&self, opened: &Opened, progress: &mut Progress) {
        if progress.reading == Reading::Initial && progress.link.is_none() {
            progress.expected = opened.source.client.total_record_count(&opened.source.table).await.ok();
        }
        self.show(progress);
    }

    async fn read_on(
        &self,
        opened: &Opened,
        progress: &mut Progress,
        cancel: &CancellationToken,
    ) -> Result<(), UnitError> {
        let mut polls = tokio::time::interval(self.shared.settings.reading.poll_interval);
        polls.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut fetched = None;
        loop {
            let page = match fetched.take() {
                Some(page) => page,
                None => self.fetch(opened, progress.link.as_ref(), cancel).await,
            };
            let page = match page {
                Err(UnitError::Dynamics(DynamicsError::ExpiredDeltaToken(answer))) => {
                    self.begin_anew(opened, progress, &answer).await;
                    continue;
                }
                page => page?,
            };
            let next = page.next.clone();
            // The next page is fetched while this one is queued, so that neither side waits for the other.
            let (queued, following) = tokio::join!(
                opened.destination.queue(page, progress),
                self.fetch_following(opened, &next, cancel)
            );
            fetched = following;
            match self.advance(opened, progress, next, queued?, cancel).await {
                Err(UnitError::Dynamics(DynamicsError::ExpiredDeltaToken(answer))) => {
                    self.begin_anew(opened, progress, &answer).await;
                    fetched = None;
                    continue;
                }
                result => result?,
            }
            if fetched.is_none() {
                self.wait(&mut polls, cancel).await?;
            }
        }
    }

    /// A position that has expired is no failure: the table is read again, under the next epoch.
    async fn begin_anew(&self, opened: &Opened, progress: &mut Progress, answer: &Answer) {
        tracing::warn!(unit = opened.unit, answer = %answer, "the position has expired; the table is read anew");
        *progress = progress.next_epoch();
        self.expect_rows(opened, progress).await;
    }

    /// Moves behind a page that has been queued, and makes that durable.
    async fn advance(
        &self,
        opened: &Opened,
        progress: &mut Progress,
        next: PageLink,
        mut queued: Queued,
        cancel: &CancellationToken,
    ) -> Result<(), UnitError> {
        if let (PageLink::Delta(_), Reading::Rebase { superseded, .. }) = (&next, &progress.reading) {
            queued += self
                .queue_superseded(opened, progress, superseded.clone(), cancel)
                .await?;
        }
        let was_changes = progress.reading == Reading::Changes;
        progress.advance(next, queued);
        let is_quiet = was_changes && queued.records + queued.rejected == 0;
        if !is_quiet
            || opened
                .saved
                .lock()
                .is_none_or(|saved| saved.elapsed() >= QUIET_SAVE_INTERVAL)
        {
            opened.checkpoints.save(&self.checkpoint(opened, progress)).await?;
            *opened.saved.lock() = Some(Instant::now());
        }
        self.report.set_hindrance(None);
        self.report.count(|counts| {
            counts.done += queued.records;
            counts.rejected += queued.rejected;
            if queued.records + queued.rejected > 0 {
                counts.last_progress = Some(Timestamp::now());
            }
        });
        self.show(progress);
        Ok(())
    }

    /// What was deleted between the last read with the old columns and the first with the new ones is told by no page of
    /// the new read; the old link tells it, with everything else that has changed since. Those rows lack the new columns,
    /// which leaves the fields of these alone.
    async fn queue_superseded(
        &self,
        opened: &Opened,
        progress: &Progress,
        superseded: String,
        cancel: &CancellationToken,
    ) -> Result<Queued, UnitError> {
        let mut queued = Queued::default();
        let mut link = PageLink::Next(superseded);
        while let PageLink::Next(_) = link {
            let page = self.fetch(opened, Some(&link), cancel).await?;
            link = page.next.clone();
            queued += opened.destination.queue_all(page, progress).await?;
        }
        Ok(queued)
    }

    async fn fetch_following(
        &self,
        opened: &Opened,
        next: &PageLink,
        cancel: &CancellationToken,
    ) -> Option<Result<Page, UnitError>> {
        match next {
            PageLink::Next(_) => Some(self.fetch(opened, Some(next), cancel).await),
            PageLink::Delta(_) => None,
        }
    }

    async fn fetch(
        &self,
        opened: &Opened,
        link: Option<&PageLink>,
        cancel: &CancellationToken,
    ) -> Result<Page, UnitError> {
        let source = &opened.source;
        let fetch = || async {
            Ok(match link {
                None => source.client.first_page(&source.selection).await?,
                Some(link) => source.client.next_page(&source.selection, link).await?,
            })
        };
        self.until(cancel, self.retrying(cancel, "fetch a page", fetch)).await
    }

    async fn wait(&self, polls: &mut Interval, cancel: &CancellationToken) -> Result<(), UnitError> {
        tokio::select! {
            () = cancel.cancelled() => Err(Cancelled.into()),
            _ = polls.tick() => Ok(()),
        }
    }

    async fn until<T>(
        &self,
        cancel: &CancellationToken,
        work: impl Future<Output = Result<T, UnitError>>,
    ) -> Result<T, UnitError> {
        cancel.run_until_cancelled(work).await.unwrap_or(Err(Cancelled.into()))
    }

    /// Retries for as long as the error's class says so, and says so in the report.
    async fn retrying<T, Operation, Attempt>(
        &self,
        cancel: &CancellationToken,
        name: &'static str,
        operation: Operation,
    ) -> Result<T, UnitError>
    where
        Operation: FnMut() -> Attempt,
        Attempt: Future<Output = Result<T, UnitError>>,
    {
        let policy = RetryPolicy::forever(Backoff::default());
        let began = Timestamp::now();
        let retry =
            Retry::new(&policy, cancel, name).observe(|event| self.report.set_hindrance(hindrance(event, began)));
        Ok(retry.run(operation).await?)
    }

    fn checkpoint(&self, opened: &Opened, progress: &Progress) -> Checkpoint {
        let (position, initial) = match (&progress.link, &progress.reading) {
            (Some(PageLink::Delta(link)), _) => (Position::Delta(link.clone()), false),
            (Some(PageLink::Next(link)), reading) => (Position::Next(link.clone()), *reading == Reading::Initial),
            (None, _) => (Position::Next(String::new()), true),
        };
        let superseded_link = match &progress.reading {
            Reading::Rebase { superseded, .. } => Some(superseded.clone()),
            Reading::Initial | Reading::Changes => None,
        };
        Checkpoint {
            unit: opened.unit.clone(),
            mapping_uid: self.mapping.uid,
            columns: opened.columns.clone(),
            epoch: progress.epoch,
            position,
            initial,
            records: progress.records,
            expected: progress.expected,
            time: Timestamp::now(),
            version: progress.version,
            superseded_link,
        }
    }

    /// While an initial read goes on, people see how far it is.
    fn show(&self, progress: &Progress) {
        let expected = if progress.reading == Reading::Initial {
            progress.expected
        } else {
            None
        };
        self.report.count(|counts| counts.expected = expected);
    }
}

fn hindrance(event: RetryEvent<'_>, began: Timestamp) -> Option<Hindrance> {
    match event {
        RetryEvent::Waiting {
            delay, throttled: true, ..
        } => Some(Hindrance::Throttled {
            by: "Dynamics 365".into(),
            until: Timestamp::now() + delay,
        }),
        RetryEvent::Waiting { error, .. } => Some(Hindrance::Retrying {
            error: chain(error).to_string(),
            since: began,
        }),
        RetryEvent::Recovered { .. } => None,
    }
}
