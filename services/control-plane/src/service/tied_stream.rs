//! Streams of answers that a task of their own works for.

use futures::{Stream, stream};
use tokio::sync::mpsc;
use tokio_util::task::AbortOnDropHandle;
use tonic::Status;

use crate::error::ApiError;

/// The answers that `work` sends, then how it ended: well, by its error, or as a defect if it panicked.
///
/// The work is dropped together with the stream: nobody waits for it then.
pub(super) fn tied<T, Work>(work: impl FnOnce(mpsc::Sender<T>) -> Work) -> impl Stream<Item = Result<T, Status>>
where
    T: Send + 'static,
    Work: Future<Output = Result<(), ApiError>> + Send + 'static,
{
    let (answers, received) = mpsc::channel(1);
    let task = AbortOnDropHandle::new(tokio::spawn(work(answers)));
    stream::unfold((received, Some(task)), |(mut received, task)| async move {
        if let Some(answer) = received.recv().await {
            return Some((Ok(answer), (received, task)));
        }
        let error = match task?.await {
            Ok(Ok(())) => return None,
            Ok(Err(error)) => error,
            Err(ended) if ended.is_panic() => {
                tracing::error!(error = %ended, "a call of the API has ended by a defect");
                ApiError::Defect
            }
            Err(_) => ApiError::Draining,
        };
        Some((Err(error.into()), (received, None)))
    })
}

#[cfg(test)]
mod tests {
    use futures::StreamExt as _;
    use tonic::Code;

    use super::*;

    async fn codes(answers: impl Stream<Item = Result<u32, Status>>) -> Vec<Result<u32, Code>> {
        let codes = answers.map(|answer| answer.map_err(|status| status.code()));
        codes.collect().await
    }

    #[tokio::test]
    async fn answers_come_first_then_how_the_work_ended() {
        let well = tied(async |answers: mpsc::Sender<u32>| {
            let _ = answers.send(1).await;
            let _ = answers.send(2).await;
            Ok(())
        });
        assert_eq!(codes(well).await, [Ok(1), Ok(2)]);
        let badly = tied(async |answers: mpsc::Sender<u32>| {
            let _ = answers.send(1).await;
            Err(ApiError::Draining)
        });
        assert_eq!(codes(badly).await, [Ok(1), Err(Code::Unavailable)]);
    }

    #[tokio::test]
    async fn work_that_panics_ends_the_stream_with_an_error() {
        let panicking = tied(async |answers: mpsc::Sender<u32>| -> Result<(), ApiError> {
            let _ = answers.send(1).await;
            panic!("on purpose")
        });
        assert_eq!(codes(panicking).await, [Ok(1), Err(Code::Internal)]);
    }

    #[tokio::test]
    async fn nobody_works_for_a_stream_that_is_dropped() {
        let (alive, mut ended) = mpsc::channel::<()>(1);
        let answers = tied(async move |answers: mpsc::Sender<u32>| {
            let _alive = alive;
            let _ = answers.send(1).await;
            std::future::pending().await
        });
        let mut answers = Box::pin(answers);
        assert!(answers.next().await.is_some());
        drop(answers);
        assert_eq!(ended.recv().await, None, "the work was dropped");
    }
}
