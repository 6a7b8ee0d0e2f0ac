//! A whole service process, from its command line to its exit code, with the example service.

use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, ChildStderr, Command, Output, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

const DEADLINE: Duration = Duration::from_secs(20);

/// Cargo builds examples together with tests, next to them.
fn example() -> PathBuf {
    let test = std::env::current_exe().expect("this test is a file");
    let profile = test.ancestors().nth(2).expect("target/<profile>/deps/<test>");
    let example = profile.join("examples").join("service");
    assert!(
        example.exists(),
        "{} is not built: run all targets of this crate",
        example.display()
    );
    example
}

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(example());
    command
        .args(["--set", "telemetry.format=json"])
        .args(arguments)
        .env_remove("CROSSWALK_CONFIG");
    command
}

fn run(command: &mut Command) -> (Option<i32>, String, String) {
    let Output { status, stdout, stderr } = command.output().expect("the example runs");
    let text = |bytes| String::from_utf8(bytes).expect("output is text");
    (status.code(), text(stdout), text(stderr))
}

/// A running example; killed when the test ends, whatever its outcome.
struct Running {
    child: Child,
    lines: mpsc::Receiver<String>,
    seen: Vec<String>,
}

impl Running {
    fn start(arguments: &[&str]) -> Self {
        let mut command = command(&["--set", "admin.listen=127.0.0.1:0"]);
        let mut child = command
            .args(arguments)
            .stderr(Stdio::piped())
            .spawn()
            .expect("the example starts");
        let stderr = child.stderr.take().expect("standard error is a pipe");
        Self {
            child,
            lines: lines_of(stderr),
            seen: Vec::new(),
        }
    }

    /// The next log line with this message.
    fn line(&mut self, message: &str) -> serde_json::Value {
        let deadline = Instant::now() + DEADLINE;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let line = self.lines.recv_timeout(left);
            assert!(line.is_ok(), "no line with {message:?} in {:#?}", self.seen);
            let line = line.expect("just checked");
            let parsed: serde_json::Value = serde_json::from_str(&line).expect("every line is a JSON object");
            self.seen.push(line);
            if parsed["message"] == message {
                return parsed;
            }
        }
    }

    fn signal(&self, name: &str) {
        let status = Command::new("kill")
            .args(["-s", name, &self.child.id().to_string()])
            .status();
        assert!(status.expect("kill is there").success());
    }

    fn exit_code(mut self) -> Option<i32> {
        let deadline = Instant::now() + DEADLINE;
        loop {
            if let Some(status) = self.child.try_wait().expect("it is our child") {
                return status.code();
            }
            assert!(Instant::now() < deadline, "the process does not end: {:#?}", self.seen);
            // The end of standard error comes with the end of the process, so this is not a busy loop.
            if let Ok(line) = self.lines.recv_timeout(Duration::from_millis(50)) {
                self.seen.push(line);
            }
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn lines_of(stderr: ChildStderr) -> mpsc::Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        for line in BufReader::new(stderr).lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    receiver
}

#[test]
fn check_config_prints_the_settings_without_secrets() {
    let mut command = command(&["check-config", "--set", "ticker.interval=3s"]);
    let (code, stdout, stderr) = run(command.env("CROSSWALK__TICKER__PASSWORD", "hunter2"));
    assert_eq!((code, stderr.as_str()), (Some(0), ""));
    assert!(
        stdout.contains("interval = \"3s\"") && stdout.contains("password = \"[redacted]\""),
        "{stdout}"
    );
    assert!(!stdout.contains("hunter2"), "{stdout}");
}

#[test]
fn wrong_configuration_exits_78_and_names_every_problem() {
    let mut command = command(&["--set", "ticker.intervall=3s"]);
    let (code, _, stderr) = run(command.env("CROSSWALK__ADMIN__LISTEN", "localhost"));
    assert_eq!(code, Some(78));
    assert!(
        stderr.contains("`ticker.intervall` (flag --set ticker.intervall): unknown field"),
        "{stderr}"
    );
    assert!(
        stderr.contains("`admin.listen` (environment variable CROSSWALK__ADMIN__LISTEN): invalid"),
        "{stderr}"
    );
}

#[test]
fn unreadable_secret_is_a_configuration_error() {
    let running = Running::start(&["--set", "ticker.password.file=/nowhere/password"]);
    assert_eq!(running.exit_code(), Some(78));
}

#[test]
fn wrong_command_line_exits_64_and_help_exits_0() {
    assert_eq!(run(&mut command(&["--sett", "a=b"])).0, Some(64));
    let (code, stdout, _) = run(&mut command(&["--help"]));
    assert_eq!(code, Some(0));
    assert!(stdout.contains("check-config"), "{stdout}");
}

#[test]
fn service_becomes_ready_and_leaves_cleanly_on_a_signal() {
    for signal in ["TERM", "INT"] {
        let mut running = Running::start(&[]);
        let starting = running.line("starting");
        assert_eq!(starting["service.name"], "example");
        let admin = running.line("admin port is open")["admin.address"].clone();
        let listen = format!("admin.listen={}", admin.as_str().expect("an address"));
        running.line("service started");

        let deadline = Instant::now() + DEADLINE;
        let mut health = run(&mut command(&["healthcheck", "--set", &listen]));
        while health.0 != Some(0) && Instant::now() < deadline {
            assert_eq!(health.0, Some(1), "{health:?}");
            health = run(&mut command(&["healthcheck", "--set", &listen]));
        }
        assert_eq!(health.1, "{\"ready\":true,\"missing\":[]}\n");

        running.signal(signal);
        assert_eq!(
            running.line("stopping; a second signal drops the work under way")["signal.name"],
            format!("SIG{signal}")
        );
        running.line("service stopped");
        assert_eq!(running.exit_code(), Some(0));
        assert_eq!(
            run(&mut command(&["healthcheck", "--set", &listen])).0,
            Some(1),
            "nobody is there any more"
        );
    }
}

#[test]
fn second_signal_drops_the_work_under_way() {
    let mut running = Running::start(&["--set", "ticker.stubborn=true", "--set", "shutdown.drain_deadline=1h"]);
    running.line("service started");
    running.signal("TERM");
    running.line("stopping; a second signal drops the work under way");
    running.signal("TERM");
    let failed = running.line("service failed");
    let error = failed["error"].as_str().expect("a text");
    assert_eq!(
        error,
        "work was dropped when the service stopped: ticker did not leave in time"
    );
    assert_eq!(running.exit_code(), Some(70));
}

#[test]
fn work_that_outlasts_the_drain_deadline_is_dropped() {
    let mut running = Running::start(&["--set", "ticker.stubborn=true", "--set", "shutdown.drain_deadline=50ms"]);
    running.line("service started");
    running.signal("TERM");
    running.line("service failed");
    assert_eq!(running.exit_code(), Some(70));
}

#[test]
fn failing_task_exits_70_and_says_why() {
    let mut running = Running::start(&["--set", "ticker.interval=1ms", "--set", "ticker.fails_after=3"]);
    assert_eq!(
        running.line("service failed")["error"],
        "task `ticker` failed: out of ticks"
    );
    assert_eq!(running.exit_code(), Some(70));
}

#[test]
fn admin_port_in_use_says_which_setting_to_change() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = taken.local_addr().expect("it is bound");
    let mut running = Running::start(&["--set", &format!("admin.listen={address}")]);
    let failed = running.line("service failed");
    assert_eq!(
        failed["error"],
        format!("{address} is in use; choose another with admin.listen")
    );
    assert_eq!(running.exit_code(), Some(70));
}
