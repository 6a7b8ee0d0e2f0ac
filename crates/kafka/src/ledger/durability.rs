//! Knowing that what was settled is durable, without anybody waiting for each record.

use std::{sync::Arc, time::Duration};

use crosswalk_core::{Class, Classify};
use futures::future::BoxFuture;
use parking_lot::Mutex;
use tokio::sync::{mpsc, watch};

use crate::{KafkaError, Pending};

/// How long to wait before an entry that was not acknowledged is sent again. The producer has tried for two minutes by then.
const PAUSE: Duration = Duration::from_millis(500);

/// All entries that were issued before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Ticket(u64);

/// An entry that has been handed to the producer.
pub(super) struct Issued {
    /// Comes when it is acknowledged; `None` if the producer has not taken it yet.
    pub(super) pending: Option<Pending>,
    /// Sends what is known by then once more; `None` if that is nobody's business any more.
    pub(super) again: Box<dyn FnMut() -> BoxFuture<'static, Result<Option<Pending>, KafkaError>> + Send>,
}

/// Counts the entries that were issued, and how many of them, from the first, are acknowledged.
pub(super) struct Durability {
    issued: Mutex<(u64, mpsc::UnboundedSender<Issued>)>,
    acknowledged: watch::Receiver<u64>,
    failed: watch::Receiver<Option<Arc<KafkaError>>>,
}

impl Durability {
    /// Must be made within a runtime. What waits for its acknowledgement is bounded by the producer's buffer, in which it is.
    pub(super) fn new() -> Self {
        let (sender, receiver) = mpsc::unbounded_channel();
        let (publish_count, acknowledged) = watch::channel(0);
        let (publish_failure, failed) = watch::channel(None);
        tokio::spawn(acknowledge(receiver, publish_count, publish_failure));
        Self {
            issued: Mutex::new((0, sender)),
            acknowledged,
            failed,
        }
    }

    pub(super) fn issue(&self, entry: Issued) {
        let mut issued = self.issued.lock();
        issued.0 += 1;
        // Nobody receives any more when the ledger has failed, which whoever waits learns from there.
        let _ = issued.1.send(entry);
    }

    pub(super) fn ticket(&self) -> Ticket {
        Ticket(self.issued.lock().0)
    }

    pub(super) fn is_durable(&self, ticket: Ticket) -> bool {
        *self.acknowledged.borrow() >= ticket.0
    }

    /// Waits until everything issued before the ticket is durable; for ever if the ledger has failed.
    pub(super) async fn durable(&self, ticket: Ticket) {
        let mut acknowledged = self.acknowledged.clone();
        if acknowledged.wait_for(|count| *count >= ticket.0).await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    /// Waits until an entry could not be made durable.
    pub(super) async fn failed(&self) -> Arc<KafkaError> {
        let mut failed = self.failed.clone();
        match failed
            .wait_for(Option::is_some)
            .await
            .ok()
            .and_then(|failure| failure.clone())
        {
            Some(error) => error,
            None => std::future::pending().await,
        }
    }
}

async fn acknowledge(
    mut issued: mpsc::UnboundedReceiver<Issued>,
    publish_count: watch::Sender<u64>,
    publish_failure: watch::Sender<Option<Arc<KafkaError>>>,
) {
    while let Some(entry) = issued.recv().await {
        if let Err(error) = make_durable(entry).await {
            publish_failure.send_replace(Some(Arc::new(error)));
            // The count never goes on, so nothing behind it is committed.
            publish_failure.closed().await;
            return;
        }
        publish_count.send_modify(|count| *count += 1);
    }
}

async fn make_durable(entry: Issued) -> Result<(), KafkaError> {
    let Issued { mut pending, mut again } = entry;
    loop {
        let sent = match pending.take() {
            Some(pending) => pending,
            None => match again().await {
                Ok(Some(pending)) => pending,
                Ok(None) => return Ok(()),
                Err(error) => {
                    wait_if_passing(error).await?;
                    continue;
                }
            },
        };
        match sent.acknowledged().await {
            Ok(_) => return Ok(()),
            Err(error) => wait_if_passing(error).await?,
        }
    }
}

/// A broker that is away is waited for without end (design §8); gives back an error that no waiting mends.
async fn wait_if_passing(error: KafkaError) -> Result<(), KafkaError> {
    if !matches!(error.class(), Class::Retry { .. }) {
        return Err(error);
    }
    tracing::warn!(error = %error, "a ledger entry was not acknowledged; it is sent again");
    tokio::time::sleep(PAUSE).await;
    Ok(())
}
