//! Service protection limits, per application user and virtual web server (contracts/dataverse.md §7).

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use http::{HeaderMap, StatusCode, header};
use parking_lot::Mutex;

use super::errors::ApiError;

/// The limits and how many servers share the load.
#[derive(Debug, Clone, PartialEq)]
pub struct ServiceProtection {
    /// Virtual web servers; each has its own limits.
    pub servers: usize,
    /// Requests in the window.
    pub requests: usize,
    /// Combined execution time in the window.
    pub execution: Duration,
    /// Length of the sliding window.
    pub window: Duration,
    /// Requests at one moment.
    pub concurrent: usize,
}

impl Default for ServiceProtection {
    /// The product's documented limits, on four servers.
    fn default() -> Self {
        Self {
            servers: 4,
            requests: 6000,
            execution: Duration::from_secs(1200),
            window: Duration::from_secs(300),
            concurrent: 52,
        }
    }
}

/// Requests of one slice of the window.
#[derive(Debug, Clone, Copy)]
struct Slice {
    start: Instant,
    requests: usize,
    execution: Duration,
}

#[derive(Debug, Default)]
struct Server {
    slices: VecDeque<Slice>,
    running: usize,
    /// Requests refused since the limits last held: makes `Retry-After` grow while a client keeps pushing.
    refused: u32,
}

/// The counters of all servers.
#[derive(Debug)]
pub(crate) struct Limiter {
    limits: ServiceProtection,
    servers: Vec<Mutex<Server>>,
}

/// A request let through: gives back its place when dropped, and charges the time it ran.
pub(crate) struct Admission<'limiter> {
    limiter: &'limiter Limiter,
    /// The server that answers.
    pub server: usize,
    started: Instant,
    /// Requests left in this server's window.
    pub requests_left: usize,
    /// Execution time left in this server's window.
    pub execution_left: Duration,
}

impl Limiter {
    /// Nothing counted yet.
    pub(crate) fn new(limits: ServiceProtection) -> Self {
        let servers = (0..limits.servers.max(1))
            .map(|_| Mutex::new(Server::default()))
            .collect();
        Self { limits, servers }
    }

    /// The server a request reaches: the one its affinity cookie names, else any.
    pub(crate) fn server_of(&self, headers: &HeaderMap) -> usize {
        let cookies = headers
            .get_all(header::COOKIE)
            .iter()
            .filter_map(|value| value.to_str().ok());
        cookies
            .flat_map(|cookies| cookies.split(';'))
            .find_map(|cookie| cookie.trim().strip_prefix("ARRAffinity="))
            .and_then(|value| (0..self.servers.len()).find(|server| affinity_cookie(*server) == value))
            .unwrap_or_else(|| rand::random_range(0..self.servers.len()))
    }

    /// Lets a request in, or says which limit it breaks.
    pub(crate) fn admit(&self, server: usize) -> Result<Admission<'_>, ApiError> {
        let now = Instant::now();
        let mut state = self.servers[server].lock();
        while state
            .slices
            .front()
            .is_some_and(|slice| now - slice.start >= self.limits.window)
        {
            state.slices.pop_front();
        }
        let requests: usize = state.slices.iter().map(|slice| slice.requests).sum();
        let execution: Duration = state.slices.iter().map(|slice| slice.execution).sum();
        if let Some((code, text)) = self.broken_limit(requests, execution, state.running) {
            state.refused = state.refused.saturating_add(1);
            let mut error = ApiError::new(StatusCode::TOO_MANY_REQUESTS, code, text);
            error.retry_after = Some(self.retry_after(&state, now, code));
            return Err(error);
        }
        state.refused = 0;
        state.running += 1;
        self.count(&mut state, now);
        Ok(Admission {
            limiter: self,
            server,
            started: now,
            requests_left: self.limits.requests.saturating_sub(requests + 1),
            execution_left: self.limits.execution.saturating_sub(execution),
        })
    }

    fn broken_limit(&self, requests: usize, execution: Duration, running: usize) -> Option<(&'static str, String)> {
        let ServiceProtection {
            requests: most,
            execution: longest,
            window,
            concurrent,
            ..
        } = &self.limits;
        let seconds = window.as_secs();
        if running >= *concurrent {
            return Some((
                "0x80072326",
                format!("Number of concurrent requests exceeded the limit of {concurrent}."),
            ));
        }
        if requests >= *most {
            let text =
                format!("Number of requests exceeded the limit of {most} over time window of {seconds} seconds.");
            return Some(("0x80072322", text));
        }
        (execution >= *longest).then(|| {
            let limit = super::labels::grouped(&longest.as_millis().to_string());
            let text = format!(
                "Combined execution time of incoming requests exceeded limit of {limit} milliseconds over time window \
                 of {seconds} seconds. Decrease number of concurrent requests or reduce the duration of requests and \
                 try again later."
            );
            ("0x80072321", text)
        })
    }

    /// Until the oldest slice leaves the window, and longer the more a client pushes.
    fn retry_after(&self, state: &Server, now: Instant, code: &str) -> u32 {
        let wait = match state.slices.front() {
            Some(slice) if code != "0x80072326" => self.limits.window.saturating_sub(now - slice.start),
            _ => Duration::from_secs(1),
        };
        let seconds = u32::try_from(wait.as_secs() + 1).unwrap_or(u32::MAX);
        seconds.saturating_add(state.refused / 10).min(600)
    }

    /// Slices are a hundredth of the window, so that memory and exactness are bounded.
    fn count(&self, state: &mut Server, now: Instant) {
        let length = self.limits.window / 100;
        match state.slices.back_mut() {
            Some(slice) if now - slice.start < length => slice.requests += 1,
            _ => state.slices.push_back(Slice {
                start: now,
                requests: 1,
                execution: Duration::ZERO,
            }),
        }
    }
}

impl Drop for Admission<'_> {
    fn drop(&mut self) {
        let mut state = self.limiter.servers[self.server].lock();
        state.running -= 1;
        if let Some(slice) = state.slices.back_mut() {
            slice.execution += self.started.elapsed();
        }
    }
}

/// Value of the affinity cookie of a server: 64 hexadecimal digits.
pub(crate) fn affinity_cookie(server: usize) -> String {
    let half = uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_OID, format!("server {server}").as_bytes()).simple();
    format!("{half}{half}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limiter(change: impl FnOnce(&mut ServiceProtection)) -> Limiter {
        let mut limits = ServiceProtection {
            servers: 1,
            ..ServiceProtection::default()
        };
        change(&mut limits);
        Limiter::new(limits)
    }

    #[test]
    fn requests_over_the_limit_are_refused_with_a_growing_delay() {
        let limiter = limiter(|limits| limits.requests = 2);
        assert_eq!(limiter.admit(0).unwrap().requests_left, 1);
        assert_eq!(limiter.admit(0).unwrap().requests_left, 0);
        let delays: Vec<u32> = (0..40)
            .map(|_| limiter.admit(0).err().and_then(|error| error.retry_after).unwrap())
            .collect();
        assert!(delays[39] > delays[0], "{delays:?}");
        assert_eq!(limiter.admit(0).err().unwrap().code, "0x80072322");
    }

    #[test]
    fn concurrency_is_given_back_when_a_request_ends() {
        let limiter = limiter(|limits| limits.concurrent = 1);
        let running = limiter.admit(0).unwrap();
        assert_eq!(limiter.admit(0).err().unwrap().code, "0x80072326");
        drop(running);
        assert!(limiter.admit(0).is_ok());
    }

    #[test]
    fn spent_execution_time_is_refused_with_its_own_code() {
        let limiter = limiter(|limits| limits.execution = Duration::ZERO);
        let error = limiter.admit(0).err().unwrap();
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
    fn affinity_cookie_pins_to_its_server() {
        let limiter = Limiter::new(ServiceProtection::default());
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
