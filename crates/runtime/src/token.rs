//! Access tokens: one for all callers, asked for once however many wait, renewed before it ends without anybody waiting,
//! replaced when it is refused.
//!
//! Two systems give tokens, by requests of their own; what is kept, for how long, and who waits for whom is the same.

use std::sync::Arc;
use std::time::Duration;

use crosswalk_core::{Class, Classify};
use futures::FutureExt as _;
use futures::future::{self, BoxFuture};
use parking_lot::Mutex;
use tokio::time::Instant;
use tracing::Instrument as _;

use crate::error::chain;

#[cfg(test)]
mod tests;

/// Longest life believed: no system that we know gives tokens for longer.
const LONGEST_LIFE: Duration = Duration::from_secs(24 * 60 * 60);

/// How long to wait at least before an early renewal that failed is tried again.
const RENEWAL_PAUSE: Duration = Duration::from_secs(30);

/// A token that has just been given out.
#[derive(Debug)]
pub struct Issued<T> {
    /// The token, in whatever form its user needs it.
    pub token: T,
    /// When it was asked for: it is younger than we think, never older.
    pub asked_at: Instant,
    /// How long it lives.
    pub life: Duration,
}

/// Keeps the token of one system. Callers bring the request along, which runs in a task of its own: whoever goes away
/// while it runs takes nothing from the others.
pub struct TokenCache<T, E> {
    shared: Arc<Shared<T, E>>,
}

struct Shared<T, E> {
    /// Who gives the tokens, for the log.
    system: &'static str,
    renewal_margin: Duration,
    state: Mutex<State<T, E>>,
}

struct State<T, E> {
    kept: Option<Kept<T>>,
    /// The request that is under way. Whoever comes meanwhile and needs its outcome, token or error, shares it.
    request: Option<Request<T, E>>,
}

struct Kept<T> {
    token: Arc<T>,
    renew_at: Instant,
    expires_at: Instant,
}

type Request<T, E> = future::Shared<BoxFuture<'static, Result<Arc<T>, E>>>;

impl<T, E> TokenCache<T, E>
where
    T: Send + Sync + 'static,
    E: std::error::Error + Classify + Clone + Send + Sync + 'static,
{
    /// Renews tokens `renewal_margin` before their end, or a quarter of their life where that is less. `system` says in the
    /// log whose tokens they are.
    #[must_use]
    pub fn new(system: &'static str, renewal_margin: Duration) -> Self {
        let state = State {
            kept: None,
            request: None,
        };
        Self {
            shared: Arc::new(Shared {
                system,
                renewal_margin,
                state: Mutex::new(state),
            }),
        }
    }

    /// The token to use now. Waits for `request` only where there is none that is good; one that ends soon is renewed
    /// besides, and goes on being used until that has succeeded.
    ///
    /// # Errors
    /// There is no good token and the request failed. Whoever waited for the same request gets the same error; whoever
    /// comes later asks anew.
    pub async fn current<Asked>(&self, request: impl FnOnce() -> Asked) -> Result<Arc<T>, E>
    where
        Asked: Future<Output = Result<Issued<T>, E>> + Send + 'static,
    {
        let request = {
            let mut state = self.shared.state.lock();
            match state.good(Instant::now()) {
                Some((token, ends_soon)) => {
                    if ends_soon && state.request.is_none() {
                        drop(self.begin(&mut state, request(), Purpose::Precaution));
                    }
                    return Ok(token);
                }
                None => self.join_or_begin(&mut state, request),
            }
        };
        request.await
    }

    /// A new token, whatever is kept. The kept one stays if the request fails.
    ///
    /// # Errors
    /// The request failed.
    pub async fn renew<Asked>(&self, request: impl FnOnce() -> Asked) -> Result<Arc<T>, E>
    where
        Asked: Future<Output = Result<Issued<T>, E>> + Send + 'static,
    {
        let request = self.join_or_begin(&mut self.shared.state.lock(), request);
        request.await
    }

    /// Drops a token that was refused, unless a newer one has taken its place. It is not handed out again.
    pub fn discard(&self, refused: &Arc<T>) {
        let mut state = self.shared.state.lock();
        state.kept.take_if(|kept| Arc::ptr_eq(&kept.token, refused));
    }

    fn join_or_begin<Asked>(&self, state: &mut State<T, E>, request: impl FnOnce() -> Asked) -> Request<T, E>
    where
        Asked: Future<Output = Result<Issued<T>, E>> + Send + 'static,
    {
        match &state.request {
            Some(under_way) => under_way.clone(),
            None => self.begin(state, request(), Purpose::Need),
        }
    }

    fn begin<Asked>(&self, state: &mut State<T, E>, asked: Asked, purpose: Purpose) -> Request<T, E>
    where
        Asked: Future<Output = Result<Issued<T>, E>> + Send + 'static,
    {
        let shared = Arc::clone(&self.shared);
        let request = async move {
            let outcome = asked.await;
            shared.settle(outcome, purpose)
        };
        let request = request.in_current_span().boxed().shared();
        state.request = Some(request.clone());
        // Its end is noticed by whoever shares it, and by the next one who needs a token.
        tokio::spawn(request.clone());
        request
    }
}

/// Why a token is asked for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Purpose {
    /// Somebody waits for it.
    Need,
    /// The present one ends soon; nobody waits.
    Precaution,
}

impl<T, E> State<T, E> {
    /// The kept token, if it is still good, and whether it ends soon.
    fn good(&self, now: Instant) -> Option<(Arc<T>, bool)> {
        let kept = self.kept.as_ref().filter(|kept| now < kept.expires_at)?;
        Some((Arc::clone(&kept.token), now >= kept.renew_at))
    }
}

impl<T, E: std::error::Error + Classify + 'static> Shared<T, E> {
    /// Takes note of how a request has ended.
    fn settle(&self, outcome: Result<Issued<T>, E>, purpose: Purpose) -> Result<Arc<T>, E> {
        let mut state = self.state.lock();
        state.request = None;
        match outcome {
            Ok(issued) => {
                let life = issued.life.min(LONGEST_LIFE);
                let expires_at = issued.asked_at + life;
                let token = Arc::new(issued.token);
                state.kept = Some(Kept {
                    token: Arc::clone(&token),
                    renew_at: expires_at - self.renewal_margin.min(life / 4),
                    expires_at,
                });
                Ok(token)
            }
            Err(error) => {
                if let Some(kept) = &mut state.kept {
                    kept.renew_at = kept.renew_at.max(Instant::now() + pause(&error));
                }
                if purpose == Purpose::Precaution {
                    tracing::warn!(system = self.system, error = %chain(&error), "early renewal of a token failed");
                }
                Err(error)
            }
        }
    }
}

/// How long early renewal waits after an error.
fn pause(error: &impl Classify) -> Duration {
    match error.class() {
        Class::Retry { after: Some(after) } => after.max(RENEWAL_PAUSE),
        _ => RENEWAL_PAUSE,
    }
}
