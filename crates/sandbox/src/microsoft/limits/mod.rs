//! Service protection limits (contracts/dataverse.md §7): counted for each application user on each virtual web server.
//!
//! The product lets windowed limits be overrun a little before it refuses; here they hold to the request, so that tests
//! can count on them.

mod protection;
mod window;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use http::{HeaderMap, StatusCode, header};
use parking_lot::{Mutex, RwLock};
use uuid::Uuid;

pub use self::protection::ServiceProtection;
use self::window::Window;
use super::errors::ApiError;

/// Longest `Retry-After`, in seconds, however often a client comes too early.
const LONGEST_DELAY: u32 = 600;
/// Code of too many requests at one moment.
const CONCURRENCY: &str = "0x80072326";

/// What one application user has used up on one server.
#[derive(Debug, Default)]
struct Usage {
    window: Window,
    running: usize,
    /// Requests refused since one was last let in: makes `Retry-After` grow while a client keeps pushing.
    refused: u32,
}

/// What one application user has used up on one server, for people to look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedUsage {
    /// `systemuserid` of the application user.
    pub user: Uuid,
    /// The server, from 0.
    pub server: usize,
    /// Requests in the window.
    pub requests: usize,
    /// Execution time in the window.
    pub execution: Duration,
    /// Requests under way.
    pub running: usize,
    /// Requests refused since one was last let in.
    pub refused: u32,
}

/// The counters of all users and servers.
#[derive(Debug)]
pub(crate) struct Limiter {
    limits: RwLock<ServiceProtection>,
    usages: Mutex<BTreeMap<(Uuid, usize), Usage>>,
}

/// Where a user stands on the server that answers: what the headers of §7.2 say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Standing {
    /// The server that answers.
    pub server: usize,
    /// Requests left in the window.
    pub requests_left: usize,
    /// Execution time left in the window.
    pub execution_left: Duration,
    /// `x-ms-dop-hint`.
    pub parallelism_hint: u32,
}

/// A request let through: gives back its place when dropped, and charges the time it ran.
#[derive(Debug)]
pub(crate) struct Admission<'limiter> {
    limiter: &'limiter Limiter,
    user: Uuid,
    started: Instant,
    /// Where the user stands.
    pub standing: Standing,
}

/// A request that breaks a limit.
#[derive(Debug)]
pub(crate) struct Refused {
    /// 429 with a code for each limit.
    pub error: ApiError,
    /// Where the user stands.
    pub standing: Standing,
}

impl Limiter {
    /// Nothing counted yet.
    pub(crate) fn new(limits: ServiceProtection) -> Self {
        Self {
            limits: RwLock::new(limits),
            usages: Mutex::default(),
        }
    }

    /// The limits in force.
    pub(crate) fn limits(&self) -> ServiceProtection {
        self.limits.read().clone()
    }

    /// Puts other limits in force; what was counted stays counted.
    pub(crate) fn set_limits(&self, limits: ServiceProtection) {
        *self.limits.write() = limits;
    }

    /// What everybody has used up.
    pub(crate) fn usage(&self) -> Vec<ListedUsage> {
        let length = self.limits.read().window;
        let listed = |((user, server), usage): (&(Uuid, usize), &mut Usage)| {
            usage.window.slide(Instant::now(), length);
            ListedUsage {
                user: *user,
                server: *server,
                requests: usage.window.requests(),
                execution: usage.window.execution(),
                running: usage.running,
                refused: usage.refused,
            }
        };
        self.usages.lock().iter_mut().map(listed).collect()
    }

    /// Forgets what was counted; requests under way still hold their places.
    pub(crate) fn reset(&self) {
        for usage in self.usages.lock().values_mut() {
            usage.window = Window::default();
            usage.refused = 0;
        }
    }

    /// The server a request reaches: the one its affinity cookie names, else any (§7.4).
    pub(crate) fn server_of(&self, headers: &HeaderMap) -> usize {
        let servers = self.limits.read().servers.max(1);
        let cookies = headers
            .get_all(header::COOKIE)
            .iter()
            .filter_map(|value| value.to_str().ok());
        cookies
            .flat_map(|cookies| cookies.split(';'))
            .find_map(|cookie| cookie.trim().strip_prefix("ARRAffinity="))
            .and_then(|value| (0..servers).find(|server| affinity_cookie(*server) == value))
            .unwrap_or_else(|| rand::random_range(0..servers))
    }

    /// Lets a request in, or says which limit it breaks.
    pub(crate) fn admit(&self, user: Uuid, server: usize, now: Instant) -> Result<Admission<'_>, Refused> {
        let limits = self.limits.read();
        let mut usages = self.usages.lock();
        let usage = usages.entry((user, server)).or_default();
        usage.window.slide(now, limits.window);
        let broken = broken_limit(&limits, usage);
        if broken.is_none() {
            usage.window.count(now, limits.window);
            usage.running += 1;
            usage.refused = 0;
        }
        let standing = Standing {
            server,
            requests_left: limits.requests.saturating_sub(usage.window.requests()),
            execution_left: limits.execution.saturating_sub(usage.window.execution()),
            parallelism_hint: limits.parallelism_hint,
        };
        let Some((code, text)) = broken else {
            return Ok(Admission {
                limiter: self,
                user,
                started: now,
                standing,
            });
        };
        usage.refused = usage.refused.saturating_add(1);
        let mut error = ApiError::new(StatusCode::TOO_MANY_REQUESTS, code, text);
        error.retry_after = Some(retry_after(usage, code, now, limits.window));
        Err(Refused { error, standing })
    }
}

/// Code and text of the limit a further request would break.
fn broken_limit(limits: &ServiceProtection, usage: &Usage) -> Option<(&'static str, String)> {
    let ServiceProtection {
        requests: most,
        execution: longest,
        window,
        concurrent,
        ..
    } = limits;
    let seconds = window.as_secs();
    if usage.running >= *concurrent {
        let text = format!("Number of concurrent requests exceeded the limit of {concurrent}.");
        return Some((CONCURRENCY, text));
    }
    if usage.window.requests() >= *most {
        let text = format!("Number of requests exceeded the limit of {most} over time window of {seconds} seconds.");
        return Some(("0x80072322", text));
    }
    (usage.window.execution() >= *longest).then(|| {
        let limit = super::labels::grouped(&longest.as_millis().to_string());
        let text = format!(
            "Combined execution time of incoming requests exceeded limit of {limit} milliseconds over time window of \
             {seconds} seconds. Decrease number of concurrent requests or reduce the duration of requests and try again \
             later."
        );
        ("0x80072321", text)
    })
}

/// Whole seconds until something leaves the window, and one more each time a client comes too early.
fn retry_after(usage: &Usage, code: &str, now: Instant, length: Duration) -> u32 {
    let wait = match code {
        CONCURRENCY => Duration::ZERO,
        _ => usage.window.until_it_slides(now, length),
    };
    let seconds = u32::try_from(wait.as_secs()).unwrap_or(u32::MAX);
    seconds.saturating_add(usage.refused).min(LONGEST_DELAY)
}

impl Drop for Admission<'_> {
    fn drop(&mut self) {
        let length = self.limiter.limits.read().window;
        let mut usages = self.limiter.usages.lock();
        let usage = usages.entry((self.user, self.standing.server)).or_default();
        usage.running = usage.running.saturating_sub(1);
        usage.window.charge(Instant::now(), length, self.started.elapsed());
    }
}

/// Value of the affinity cookie of a server: 64 hexadecimal digits.
pub(crate) fn affinity_cookie(server: usize) -> String {
    let half = Uuid::new_v5(&Uuid::NAMESPACE_OID, format!("server {server}").as_bytes()).simple();
    format!("{half}{half}")
}

#[cfg(test)]
mod tests {
    use super::*;

    const USER: Uuid = Uuid::from_u128(1);

    fn limiter(change: impl FnOnce(&mut ServiceProtection)) -> Limiter {
        let mut limits = ServiceProtection::default();
        change(&mut limits);
        Limiter::new(limits)
    }

    fn refusal(limiter: &Limiter, now: Instant) -> (&'static str, u32) {
        let error = limiter.admit(USER, 0, now).unwrap_err().error;
        (error.code, error.retry_after.unwrap())
    }

    #[test]
    fn the_delay_grows_with_every_request_that_comes_too_early_and_starts_anew_afterwards() {
        let limiter = limiter(|limits| limits.requests = 2);
        let now = Instant::now();
        assert_eq!(limiter.admit(USER, 0, now).unwrap().standing.requests_left, 1);
        assert_eq!(limiter.admit(USER, 0, now).unwrap().standing.requests_left, 0);
        let delays: Vec<_> = (0..4).map(|_| refusal(&limiter, now)).collect();
        assert_eq!(delays, [301, 302, 303, 304].map(|seconds| ("0x80072322", seconds)));
        assert!((0..1000).all(|_| refusal(&limiter, now).1 <= LONGEST_DELAY));
        let later = now + Duration::from_secs(300);
        drop(limiter.admit(USER, 0, later).unwrap());
        drop(limiter.admit(USER, 0, later).unwrap());
        assert_eq!(refusal(&limiter, later).1, 301);
    }

    #[test]
    fn a_client_that_waits_as_it_was_told_is_let_in() {
        let limiter = limiter(|limits| limits.requests = 1);
        let now = Instant::now();
        drop(limiter.admit(USER, 0, now).unwrap());
        let (_, seconds) = refusal(&limiter, now + Duration::from_millis(100));
        assert!(
            limiter
                .admit(
                    USER,
                    0,
                    now + Duration::from_millis(100) + Duration::from_secs(seconds.into())
                )
                .is_ok()
        );
    }

    #[test]
    fn users_and_servers_have_limits_of_their_own() {
        let limiter = limiter(|limits| limits.requests = 1);
        let now = Instant::now();
        let other = Uuid::from_u128(2);
        for (user, server) in [(USER, 0), (USER, 1), (other, 0), (other, 1)] {
            drop(limiter.admit(user, server, now).unwrap());
            assert!(limiter.admit(user, server, now).is_err());
        }
        assert_eq!(limiter.usage().len(), 4);
    }

    #[test]
    fn concurrency_is_given_back_when_a_request_ends() {
        let limiter = limiter(|limits| limits.concurrent = 1);
        let now = Instant::now();
        let running = limiter.admit(USER, 0, now).unwrap();
        assert_eq!(refusal(&limiter, now), (CONCURRENCY, 1));
        limiter.reset();
        assert_eq!(refusal(&limiter, now).0, CONCURRENCY, "a reset frees no place");
        drop(running);
        assert!(limiter.admit(USER, 0, now).is_ok());
    }

    #[test]
    fn spent_execution_time_is_refused_with_its_own_code() {
        let limiter = limiter(|limits| limits.execution = Duration::ZERO);
        let error = limiter.admit(USER, 0, Instant::now()).unwrap_err().error;
        assert_eq!(error.code, "0x80072321");
        assert!(
            error
                .message
                .contains("limit of 0 milliseconds over time window of 300 seconds"),
            "{}",
            error.message
        );
    }

    #[test]
    fn other_limits_hold_from_the_next_request_on() {
        let limiter = limiter(|limits| limits.requests = 1);
        let now = Instant::now();
        drop(limiter.admit(USER, 0, now).unwrap());
        assert!(limiter.admit(USER, 0, now).is_err());
        limiter.set_limits(ServiceProtection::default());
        assert_eq!(limiter.admit(USER, 0, now).unwrap().standing.requests_left, 5998);
        limiter.reset();
        assert_eq!(limiter.admit(USER, 0, now).unwrap().standing.requests_left, 5999);
    }

    #[test]
    fn affinity_cookie_pins_to_its_server() {
        let limiter = limiter(|_| {});
        let mut headers = HeaderMap::new();
        headers.insert(
            header::COOKIE,
            format!("a=b; ARRAffinity={}", affinity_cookie(2)).parse().unwrap(),
        );
        assert!((0..50).all(|_| limiter.server_of(&headers) == 2));
        let reached: std::collections::HashSet<_> = (0..200).map(|_| limiter.server_of(&HeaderMap::new())).collect();
        assert_eq!(reached.len(), 4);
    }
}
