//! Reading one unit: a table, page by page, for as long as its slot is held (design §6).

use std::sync::Arc;

use crosswalk_core::{
    ChangeKind, Epoch, WorkflowName,
    control::{InstanceSettings, PinnedMapping},
    worker::Phase,
};
use crosswalk_dynamics::{Error as DynamicsError, Page, PageLink};
use crosswalk_runtime::{
    error::{Cancelled, chain},
    retry::{Backoff, HindranceTracker, Retry, RetryPolicy},
};
use jiff::Timestamp;
use parking_lot::{Mutex, RwLock};
use tokio::{
    sync::Mutex as AsyncMutex,
    time::{Instant, Interval, MissedTickBehavior},
};
use tokio_util::sync::CancellationToken;

use crate::{
    drift::AbsentOptions,
    failure::UnitError,
    page::{Destination, Queued},
    parents::Parent,
    plan::{Progress, Reading},
    position::PositionKeeper,
    proof::{Source, prove},
    run::{Shared, UnitReport},
};

/// One table of one run.
pub(crate) struct Unit {
    pub(crate) shared: Arc<Shared>,
    pub(crate) workflow: WorkflowName,
    pub(crate) settings: Arc<InstanceSettings>,
    pub(crate) mapping: PinnedMapping,
    pub(crate) report: UnitReport,
    /// The mapped tables whose records are loaded first.
    pub(crate) parents: Vec<Parent>,
}

/// Everything a unit needs once it has been proved to run.
pub(crate) struct Opened {
    /// Replaced when the table changes in a way that does no harm.
    source: RwLock<Arc<Source>>,
    pub(crate) destination: Destination,
    pub(crate) position: PositionKeeper,
    pub(crate) absent_options: AbsentOptions,
    /// When the table was last compared with what it was.
    schema_checked: Mutex<Instant>,
}

impl Opened {
    pub(crate) fn source(&self) -> Arc<Source> {
        Arc::clone(&self.source.read())
    }

    pub(crate) fn replace_source(&self, source: Source) {
        *self.source.write() = Arc::new(source);
    }
}

/// How far a unit has come.
struct Progressing {
    progress: Progress,
    /// The page at `progress.link`, if it has been fetched already.
    fetched: Option<Result<Page, UnitError>>,
}

/// What there is to read after a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum More {
    Pages,
    NothingYet,
}

impl Unit {
    /// Reads until cancelled. What has been fetched when that happens is still queued, so that no record of this reader
    /// is on its way any more when another one takes over.
    pub(crate) async fn read(&self, cancel: &CancellationToken) -> Result<(), UnitError> {
        let open = self.retrying(cancel, "open a unit", || self.open(cancel));
        let (opened, progress) = self.until(cancel, open).await?;
        self.report.set_phase(Phase::Running);
        let mut polls = tokio::time::interval(self.shared.settings.reading.poll_interval);
        polls.set_missed_tick_behavior(MissedTickBehavior::Delay);
        if progress.reading == Reading::Initial && progress.link.is_none() {
            self.until(cancel, self.wait_for_parents(cancel)).await?;
        }
        let progressing = AsyncMutex::new(Progressing {
            progress,
            fetched: None,
        });
        loop {
            let tend = || async { self.tend(&opened, &mut *progressing.lock().await, cancel).await };
            self.retrying(cancel, "tend a unit", tend).await?;
            let queue_page = || async { self.queue_page(&opened, &mut *progressing.lock().await, cancel).await };
            if self.retrying(cancel, "queue a page", queue_page).await? == More::NothingYet {
                self.wait(&mut polls, cancel).await?;
            }
        }
    }

    /// Proves that the unit can run, and finds out where it stands.
    async fn open(&self, cancel: &CancellationToken) -> Result<(Opened, Progress), UnitError> {
        let definition = &*self.mapping.definition;
        let (source, destination, (position, checkpoint)) = tokio::try_join!(
            prove(&self.shared, &self.workflow.instance, &self.settings, definition),
            self.destination(),
            PositionKeeper::open(self, cancel),
        )?;
        let columns: Vec<String> = source.selection.columns().map(str::to_owned).collect();
        let mut progress = Progress::after(checkpoint, position.subject(), &self.mapping, &columns);
        let opened = Opened {
            source: RwLock::new(Arc::new(source)),
            destination,
            position: position.with_columns(columns),
            absent_options: AbsentOptions::default(),
            schema_checked: Mutex::new(Instant::now()),
        };
        self.begin_epoch(&opened, &mut progress).await?;
        tracing::info!(unit = opened.position.unit(), epoch = progress.epoch.0, reading = ?progress.reading, "reading");
        Ok((opened, progress))
    }

    async fn destination(&self) -> Result<Destination, UnitError> {
        let (shared, table) = (&self.shared, &self.mapping.definition.source_table);
        let spec = shared.kafka.topics().ingress_spec(&self.workflow.instance, table);
        let topic = spec.name.clone();
        shared.kafka.ensure_topics(&[spec]).await?;
        Ok(Destination {
            producer: shared.producer.clone(),
            topic,
            mapping: self.mapping.uid,
        })
    }

    /// At the beginning of an initial read, asks how many rows there are, for people who watch. Not worth failing for.
    async fn expect_rows(&self, opened: &Opened, progress: &mut Progress) {
        if progress.reading.is_whole() && progress.link.is_none() {
            let source = opened.source();
            progress.expected = source.client.total_record_count(&source.table).await.ok();
        }
        self.show(progress);
    }

    /// What is to be done between pages: the table is compared with what it was, and dead letters are redriven.
    async fn tend(
        &self,
        opened: &Opened,
        progressing: &mut Progressing,
        cancel: &CancellationToken,
    ) -> Result<(), UnitError> {
        let is_due = opened.schema_checked.lock().elapsed() >= self.shared.settings.reading.schema_check_interval;
        if is_due {
            self.until(cancel, self.check_schema(opened)).await?;
            *opened.schema_checked.lock() = Instant::now();
        }
        let progress = &mut progressing.progress;
        if progress.reading == Reading::Changes && progressing.fetched.is_none() {
            self.redrive(opened, progress, cancel).await?;
        }
        Ok(())
    }

    /// Queues the next page and moves behind it.
    async fn queue_page(
        &self,
        opened: &Opened,
        progressing: &mut Progressing,
        cancel: &CancellationToken,
    ) -> Result<More, UnitError> {
        let page = match progressing.fetched.take() {
            Some(page) => page,
            None => self.fetch(opened, progressing.progress.link.as_ref(), cancel).await,
        };
        let moved = match page {
            Ok(page) => self.queue_and_fetch(opened, progressing, page, cancel).await,
            Err(error) => Err(error),
        };
        match moved {
            Err(error) if is_void(&error, &progressing.progress.reading) => {
                progressing.fetched = None;
                self.begin_anew(opened, &mut progressing.progress, &error).await?;
                Ok(More::Pages)
            }
            moved => moved,
        }
    }

    /// Queues a page and moves behind it, while the one after it is fetched, so that neither side waits for the other.
    async fn queue_and_fetch(
        &self,
        opened: &Opened,
        progressing: &mut Progressing,
        page: Page,
        cancel: &CancellationToken,
    ) -> Result<More, UnitError> {
        let next = page.next.clone();
        if !page.rejected.is_empty() {
            // Values that cannot be read may mean that a column is of another type by now.
            self.until(cancel, self.check_schema(opened)).await?;
        }
        let progress = &mut progressing.progress;
        let queue = async {
            let queued = opened.destination.queue(page, progress).await?;
            self.advance(opened, progress, next.clone(), queued, cancel).await
        };
        let (moved, following) = tokio::join!(queue, self.fetch_following(opened, &next, cancel));
        moved?;
        let more = match next {
            PageLink::Next(_) => More::Pages,
            PageLink::Delta(_) => More::NothingYet,
        };
        progressing.fetched = following;
        Ok(more)
    }

    /// A position that has expired is no failure: the table is read again, under the next epoch.
    async fn begin_anew(&self, opened: &Opened, progress: &mut Progress, error: &UnitError) -> Result<(), UnitError> {
        tracing::warn!(unit = opened.position.unit(), error = %chain(error), "the position has expired; the table is read anew");
        *progress = progress.next_epoch();
        self.begin_epoch(opened, progress).await
    }

    /// An epoch is known before the first of its records is queued: were it begun twice, what the first attempt found and
    /// somebody deleted since would pass for found by the second.
    async fn begin_epoch(&self, opened: &Opened, progress: &mut Progress) -> Result<(), UnitError> {
        self.expect_rows(opened, progress).await;
        if progress.reading.is_whole() && progress.link.is_none() && progress.epoch > Epoch(1) {
            opened.position.save(progress, false).await?;
        }
        Ok(())
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
        // Nothing can be missing of what is read for the first time.
        if matches!(next, PageLink::Delta(_)) && progress.reading.is_whole() && progress.epoch > Epoch(1) {
            opened.destination.end_epoch(progress.epoch).await?;
        }
        let was_changes = progress.reading == Reading::Changes;
        progress.advance(next, queued);
        let is_quiet = was_changes && queued.records == 0;
        opened.position.save(progress, is_quiet).await?;
        self.report.count(|counts| {
            counts.done += queued.records;
            if queued.records > 0 {
                counts.last_progress = Some(Timestamp::now());
            }
        });
        self.show(progress);
        Ok(())
    }

    /// What was deleted between the last read with the old columns and the first with the new ones is told by no page of
    /// the new read; the old link tells it. The rows it tells of lack the new columns and stand in the new read as well.
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
            let mut page = self.fetch(opened, Some(&link), cancel).await?;
            link = page.next.clone();
            page.changes.retain(|change| change.kind == ChangeKind::Delete);
            page.rejected.clear();
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
        let fetch = || async {
            let page = fetch_once(&opened.source(), link).await?;
            if self.has_labels_since(opened, &page).await? {
                return fetch_once(&opened.source(), link).await;
            }
            Ok(page)
        };
        self.until(cancel, self.retrying(cancel, "fetch a page", fetch)).await
    }

    async fn wait(&self, polls: &mut Interval, cancel: &CancellationToken) -> Result<(), UnitError> {
        tokio::select! {
            () = cancel.cancelled() => Err(Cancelled.into()),
            _ = polls.tick() => Ok(()),
        }
    }

    pub(crate) async fn until<T>(
        &self,
        cancel: &CancellationToken,
        work: impl Future<Output = Result<T, UnitError>>,
    ) -> Result<T, UnitError> {
        cancel.run_until_cancelled(work).await.unwrap_or(Err(Cancelled.into()))
    }

    /// Retries for as long as the error's class says so, and says so in the report.
    pub(crate) async fn retrying<T, Operation, Attempt>(
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
        let mut hindrances = HindranceTracker::new("Dynamics 365");
        let retry =
            Retry::new(&policy, cancel, name).observe(move |event| self.report.set_hindrance(hindrances.after(event)));
        Ok(retry.run(operation).await?)
    }

    /// While an initial read goes on, people see that it does and how far it is.
    fn show(&self, progress: &Progress) {
        let initial_read = progress.reading.is_whole();
        let expected = progress.expected.filter(|_| initial_read);
        self.report.show_read(initial_read, expected);
    }
}

/// Whether an error means that the position tells nothing any more. The link that a rebase supersedes selects the old columns,
/// one of which may be gone by now: then it cannot be followed to its end.
fn is_void(error: &UnitError, reading: &Reading) -> bool {
    match error {
        UnitError::Dynamics(DynamicsError::ExpiredDeltaToken(_)) => true,
        UnitError::Dynamics(DynamicsError::ColumnNotFound { .. }) => matches!(reading, Reading::Rebase { .. }),
        _ => false,
    }
}

async fn fetch_once(source: &Source, link: Option<&PageLink>) -> Result<Page, UnitError> {
    Ok(match link {
        None => source.client.first_page(&source.selection).await?,
        Some(link) => source.client.next_page(&source.selection, link).await?,
    })
}
