use std::future::{pending, ready};

use futures::future::join_all;
use tokio::sync::oneshot;

use super::*;

const SECOND: Duration = Duration::from_secs(1);

/// Renewed from the 75th second on.
const LIFE: Duration = Duration::from_secs(100);

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the token endpoint is busy")]
struct Busy {
    after: Option<Duration>,
}

impl Classify for Busy {
    fn class(&self) -> Class {
        Class::Retry { after: self.after }
    }
}

const BUSY: Busy = Busy { after: None };

type Cache = TokenCache<u32, Busy>;
type Outcome = Result<Issued<u32>, Busy>;

fn cache() -> Cache {
    Cache::new("the system", LIFE)
}

fn issued(token: u32) -> Outcome {
    Ok(Issued {
        token,
        asked_at: Instant::now(),
        life: LIFE,
    })
}

/// A request that is never to be sent.
fn none() -> future::Ready<Outcome> {
    panic!("a token is asked for although there is one")
}

/// A request that ends when the test says so, and how it says so.
fn request() -> (oneshot::Sender<Outcome>, impl Future<Output = Outcome>) {
    let (end, ended) = oneshot::channel();
    (end, async { ended.await.expect("the test ends every request") })
}

async fn tell(end: oneshot::Sender<Outcome>, outcome: Outcome) {
    end.send(outcome).expect("the request is under way");
    tokio::task::yield_now().await;
}

/// A cache with token 1, which ends soon.
async fn ending_soon() -> (Cache, Arc<u32>) {
    let cache = cache();
    let token = cache.current(|| ready(issued(1))).await.expect("it is given out");
    tokio::time::advance(75 * SECOND).await;
    (cache, token)
}

#[tokio::test(start_paused = true)]
async fn token_is_kept_until_its_margin() {
    let cache = cache();
    assert_eq!(*cache.current(|| ready(issued(1))).await.expect("it is given out"), 1);
    tokio::time::advance(74 * SECOND).await;
    assert_eq!(*cache.current(none).await.expect("it is kept"), 1);
}

#[tokio::test(start_paused = true)]
async fn callers_that_wait_share_one_request_and_its_error_and_later_ones_ask_anew() {
    let cache = cache();
    let (end, asked) = request();
    let first = cache.current(|| asked);
    let others = join_all((0..50).map(|_| cache.current(none)));
    let (first, others, ()) = tokio::join!(first, others, tell(end, Err(BUSY)));
    assert_eq!(first, Err(BUSY));
    assert!(others.iter().all(|other| *other == Err(BUSY)));
    assert_eq!(*cache.current(|| ready(issued(1))).await.expect("it is given out"), 1);
}

#[tokio::test(start_paused = true)]
async fn request_goes_on_when_the_caller_who_began_it_goes_away() {
    let cache = cache();
    let (end, asked) = request();
    let given_up = tokio::time::timeout(SECOND, cache.current(|| asked)).await;
    assert!(given_up.is_err());
    let (token, ()) = tokio::join!(cache.current(none), tell(end, issued(1)));
    assert_eq!(*token.expect("it is given out"), 1);
}

#[tokio::test(start_paused = true)]
async fn early_renewal_keeps_nobody_waiting_and_is_asked_for_once() {
    let (cache, _) = ending_soon().await;
    let (end, asked) = request();
    assert_eq!(*cache.current(|| asked).await.expect("it is still good"), 1);
    for _ in 0..10 {
        assert_eq!(*cache.current(none).await.expect("it is still good"), 1);
    }
    tell(end, issued(2)).await;
    assert_eq!(*cache.current(none).await.expect("it is renewed"), 2);
}

#[tokio::test(start_paused = true)]
async fn failed_early_renewal_keeps_the_token_until_its_end() {
    let (cache, _) = ending_soon().await;
    cache.current(|| ready(Err(BUSY))).await.expect("it is still good");
    tokio::task::yield_now().await;
    assert_eq!(*cache.current(none).await.expect("it is still good"), 1);
    tokio::time::advance(25 * SECOND).await;
    assert_eq!(cache.current(|| ready(Err(BUSY))).await, Err(BUSY), "it has ended");
}

#[tokio::test(start_paused = true)]
async fn failed_early_renewal_is_tried_again_after_a_pause_or_when_the_other_side_says() {
    let cache = Cache::new("the system", 3_600 * SECOND);
    let day = |token| Issued {
        token,
        asked_at: Instant::now(),
        life: LONGEST_LIFE,
    };
    cache.current(|| ready(Ok(day(1)))).await.expect("it is given out");
    tokio::time::advance(LONGEST_LIFE - 3_600 * SECOND).await;
    for (after, pause) in [(None, 30), (Some(5 * SECOND), 30), (Some(120 * SECOND), 120)] {
        cache
            .current(|| ready(Err(Busy { after })))
            .await
            .expect("it is still good");
        tokio::task::yield_now().await;
        tokio::time::advance((pause - 1) * SECOND).await;
        cache.current(none).await.expect("it is still good");
        tokio::time::advance(SECOND).await;
    }
    cache.current(|| ready(Ok(day(2)))).await.expect("it is still good");
    tokio::task::yield_now().await;
    assert_eq!(*cache.current(none).await.expect("it is renewed"), 2);
}

#[tokio::test(start_paused = true)]
async fn discarded_token_is_not_handed_out_again_even_if_its_renewal_fails() {
    let (cache, refused) = ending_soon().await;
    let (end, asked) = request();
    cache.current(|| asked).await.expect("it is still good");
    cache.discard(&refused);
    let (next, ()) = tokio::join!(cache.current(none), tell(end, Err(BUSY)));
    assert_eq!(next, Err(BUSY));
    assert_eq!(*cache.current(|| ready(issued(2))).await.expect("it is given out"), 2);
}

#[tokio::test(start_paused = true)]
async fn newer_token_outlives_the_refusal_of_an_older_one() {
    let (cache, refused) = ending_soon().await;
    cache.current(|| ready(issued(2))).await.expect("it is still good");
    tokio::task::yield_now().await;
    cache.discard(&refused);
    assert_eq!(*cache.current(none).await.expect("it is kept"), 2);
}

#[tokio::test(start_paused = true)]
async fn renewal_on_demand_asks_whatever_is_kept_and_keeps_it_if_it_fails() {
    let cache = cache();
    assert_eq!(*cache.renew(|| ready(issued(1))).await.expect("it is given out"), 1);
    assert_eq!(cache.renew(|| ready(Err(BUSY))).await, Err(BUSY));
    assert_eq!(*cache.current(none).await.expect("it is still good"), 1);
    assert_eq!(*cache.renew(|| ready(issued(2))).await.expect("it is given out"), 2);
}

#[tokio::test(start_paused = true)]
async fn token_without_life_serves_whoever_waited_for_it_and_nobody_else() {
    let cache = cache();
    let dead = |token| Issued {
        token,
        asked_at: Instant::now(),
        life: Duration::ZERO,
    };
    assert_eq!(*cache.current(|| ready(Ok(dead(1)))).await.expect("it is given out"), 1);
    assert_eq!(*cache.current(|| ready(Ok(dead(2)))).await.expect("it is given out"), 2);
    let hung = tokio::time::timeout(SECOND, cache.current(pending::<Outcome>)).await;
    assert!(hung.is_err(), "nothing is kept");
}
