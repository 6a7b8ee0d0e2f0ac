//! Logs of a process: one subscriber, installed once, and panics in it.
//!
//! Lines go to standard error, so that standard output belongs to the commands that print something. What is logged and how
//! it is worded: messages in lower case without a final stop, everything variable in fields, no secrets, no payloads.

use std::backtrace::{Backtrace, BacktraceStatus};
use std::io::IsTerminal as _;
use std::panic::PanicHookInfo;
use std::sync::OnceLock;

use tracing::Subscriber;
use tracing_subscriber::filter::ParseError;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer as _, Registry};

use crate::settings::{LogFormat, TelemetrySettings};
use crate::supervise::panic_message;

/// Logs cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// The level is not a filter.
    #[error("`telemetry.level` is not a filter")]
    Level(#[from] ParseError),
}

/// Installs the subscriber of this process and logs panics from now on.
///
/// Only the first call of a process does anything: services that share a process, and tests, share its logs. A subscriber
/// that somebody else has installed is left in place.
///
/// # Errors
/// When the level is not a filter; [`load`](crate::settings::load) has checked it already.
pub fn init(settings: &TelemetrySettings) -> Result<(), TelemetryError> {
    static INSTALLED: OnceLock<()> = OnceLock::new();
    let use_colours = std::io::stderr().is_terminal();
    let subscriber = subscriber(settings, std::io::stderr, use_colours)?;
    INSTALLED.get_or_init(|| {
        if subscriber.try_init().is_ok() {
            std::panic::set_hook(Box::new(log_panic));
        }
    });
    Ok(())
}

fn subscriber<W>(
    settings: &TelemetrySettings,
    writer: W,
    use_colours: bool,
) -> Result<impl Subscriber + Send + Sync, ParseError>
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let filter = EnvFilter::try_new(&settings.level)?;
    let lines = tracing_subscriber::fmt::layer().with_writer(writer);
    let lines = match settings.format {
        LogFormat::Human => lines.with_ansi(use_colours).boxed(),
        LogFormat::Json => lines.json().flatten_event(true).boxed(),
    };
    Ok(Registry::default().with(filter).with(lines))
}

fn log_panic(panic: &PanicHookInfo<'_>) {
    let message = panic_message(panic.payload());
    let location = panic.location().map(ToString::to_string);
    let thread = std::thread::current();
    // Empty unless RUST_BACKTRACE asks for it.
    let backtrace = Backtrace::capture();
    let backtrace = (backtrace.status() == BacktraceStatus::Captured).then(|| backtrace.to_string());
    tracing::error!(
        panic.message = message,
        panic.location = location,
        panic.backtrace = backtrace,
        thread.name = thread.name(),
        "a thread panicked"
    );
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::Arc;

    use parking_lot::Mutex;

    use super::*;

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    impl Lines {
        fn of(settings: &TelemetrySettings, log: impl FnOnce()) -> String {
            let lines = Self::default();
            let writer = lines.clone();
            let subscriber = subscriber(settings, move || writer.clone(), false).expect("the tests use valid levels");
            tracing::subscriber::with_default(subscriber, log);
            String::from_utf8(lines.0.lock().clone()).expect("log lines are text")
        }
    }

    fn settings(format: LogFormat, level: &str) -> TelemetrySettings {
        TelemetrySettings {
            format,
            level: level.to_owned(),
        }
    }

    #[test]
    fn json_lines_carry_fields_and_spans() {
        let text = Lines::of(&settings(LogFormat::Json, "info"), || {
            let _task = tracing::info_span!("task", task.name = "reader").entered();
            tracing::info!(row.count = 3, "page read");
        });
        let line: serde_json::Value = serde_json::from_str(&text).expect("one JSON object");
        assert_eq!(
            (&line["message"], &line["level"]),
            (&"page read".into(), &"INFO".into())
        );
        assert_eq!(line["row.count"], 3);
        assert_eq!(line["span"]["task.name"], "reader");
    }

    #[test]
    fn human_lines_are_plain_text() {
        let text = Lines::of(&settings(LogFormat::Human, "info"), || {
            tracing::info!(row.count = 3, "page read");
        });
        assert!(
            text.contains("INFO") && text.contains("page read row.count=3"),
            "{text}"
        );
    }

    #[test]
    fn level_filters_by_severity_and_target() {
        let text = Lines::of(&settings(LogFormat::Human, "warn,chatty=debug"), || {
            tracing::info!("dropped");
            tracing::warn!("kept");
            tracing::debug!(target: "chatty", "wanted");
        });
        assert!(
            !text.contains("dropped") && text.contains("kept") && text.contains("wanted"),
            "{text}"
        );
    }

    #[test]
    fn panics_are_logged_with_their_place() {
        let text = Lines::of(&settings(LogFormat::Json, "info"), || {
            std::panic::set_hook(Box::new(log_panic));
            let _ = std::panic::catch_unwind(|| panic!("lane {} is gone", 7));
            let _ = std::panic::take_hook();
        });
        let line = text
            .lines()
            .find(|line| line.contains("lane 7 is gone"))
            .expect("the panic is logged");
        let line: serde_json::Value = serde_json::from_str(line).expect("one JSON object");
        assert!(
            line["panic.location"]
                .as_str()
                .is_some_and(|place| place.contains("telemetry.rs")),
            "{line}"
        );
    }

    #[test]
    fn initialising_twice_is_harmless() {
        init(&TelemetrySettings::default()).expect("the default level is a filter");
        init(&settings(LogFormat::Json, "debug")).expect("the second call changes nothing");
        assert!(
            init(&settings(LogFormat::Json, "info,=")).is_err(),
            "but a bad level is still told"
        );
    }
}
