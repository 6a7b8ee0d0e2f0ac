//! The table of design §5, line by line.

mod properties;

use std::sync::Arc;

use jiff::Timestamp;
use uuid::Uuid;

use super::{NO_WORKER, Status, WorkflowStatus, status};
use crate::{
    SealedSecret, WorkflowId, WorkflowName,
    control::{
        CampaignSettings, Configuration, Desired, DynamicsSettings, Etag, InstanceSettings, LastChange, LogOffset, Run,
        RunId, Workflow,
    },
    worker::{
        Counts, Failure, Hindrance, Phase,
        Role::{self, CampaignWriter, DynamicsReader},
        WorkerReport,
    },
};

/// When the workflow was started or stopped, in milliseconds; all times of these tests count from the epoch.
const CHANGED: i64 = 1_000_000;

fn at(milliseconds: i64) -> Timestamp {
    Timestamp::from_millisecond(milliseconds).unwrap()
}

fn run_id(number: u128) -> RunId {
    RunId(Uuid::from_u128(number))
}

fn settings() -> InstanceSettings {
    let secret = SealedSecret {
        key_id: String::new(),
        nonce: [0; 24],
        ciphertext: Vec::new(),
    };
    InstanceSettings {
        display_name: "Production".into(),
        dynamics: DynamicsSettings {
            environment_url: String::new(),
            authority_url: String::new(),
            tenant_id: String::new(),
            client_id: String::new(),
            client_secret: secret.clone(),
        },
        campaign: CampaignSettings {
            api_url: String::new(),
            organization: String::new(),
            ims_url: String::new(),
            client_id: String::new(),
            client_secret: secret,
            scopes: Vec::new(),
        },
    }
}

fn workflow(desired: Desired) -> Workflow {
    let mut workflow = Workflow::new(Etag(LogOffset(7)));
    workflow.desired = desired;
    workflow.last_change = Some(LastChange {
        actor: "ann".into(),
        time: at(CHANGED),
    });
    workflow
}

/// A workflow started as run 1.
fn started() -> Workflow {
    let configuration = Arc::new(Configuration {
        settings: Arc::new(settings()),
        mappings: Vec::new(),
    });
    workflow(Desired::Started(Run {
        id: run_id(1),
        revision: LogOffset(7),
        started: at(CHANGED),
        configuration,
    }))
}

fn stopped() -> Workflow {
    workflow(Desired::Stopped)
}

/// A report about run 1, in its phase since 500 ms before.
fn report(role: Role, phase: Phase, time: i64) -> WorkerReport {
    WorkerReport {
        worker: format!("{role}-1"),
        role,
        workflow: WorkflowName {
            instance: "prod".parse().unwrap(),
            workflow: WorkflowId::Ingress,
        },
        run: run_id(1),
        time: at(time),
        phase,
        phase_since: at(time - 500),
        hindrance: None,
        counts: Counts::default(),
        passed: Vec::new(),
    }
}

fn of_run(run: u128, report: WorkerReport) -> WorkerReport {
    WorkerReport {
        run: run_id(run),
        ..report
    }
}

fn hindered(by: &Hindrance, report: WorkerReport) -> WorkerReport {
    WorkerReport {
        hindrance: Some(by.clone()),
        ..report
    }
}

fn failure(code: &str, since: i64) -> Failure {
    Failure {
        code: code.into(),
        message: "do something".into(),
        since: at(since),
    }
}

fn failed(code: &str, since: i64) -> Phase {
    Phase::Failed(failure(code, since))
}

fn ingress(workflow: &Workflow, reports: &[WorkerReport], now: i64) -> WorkflowStatus {
    status(WorkflowId::Ingress, workflow, reports, at(now))
}

fn both_running(time: i64) -> [WorkerReport; 2] {
    [DynamicsReader, CampaignWriter].map(|role| report(role, Phase::Running, time))
}

#[test]
fn a_workflow_that_is_not_wanted_is_stopped_whatever_is_reported() {
    for phase in [
        Phase::Starting,
        Phase::Running,
        failed("BROKEN", CHANGED),
        Phase::Stopping,
        Phase::Stopped,
    ] {
        let found = ingress(&stopped(), &[report(DynamicsReader, phase.clone(), CHANGED)], CHANGED);
        assert_eq!(found.status, Status::Stopped, "{phase:?}");
        assert_eq!((found.failure, found.since), (None, Some(at(CHANGED))), "{phase:?}");
    }
    assert_eq!(ingress(&stopped(), &[], CHANGED).status, Status::Stopped);
}

#[test]
fn a_workflow_nobody_ever_started_is_stopped_since_an_unknown_time() {
    let mut workflow = stopped();
    workflow.last_change = None;
    assert_eq!(ingress(&workflow, &[], CHANGED).since, None);
}

#[test]
fn a_stopped_workflow_is_stopping_while_a_live_worker_still_runs_it() {
    for (phase, age, stopping) in [
        (Phase::Starting, 0, true),
        (Phase::Running, 0, true),
        (Phase::Running, 5_000, true),
        (Phase::Stopping, 5_000, true),
        (Phase::Running, 5_001, false),
        (Phase::Stopped, 0, false),
        (Phase::Standby, 0, false),
        (failed("BROKEN", CHANGED), 0, false),
    ] {
        let reports = [report(CampaignWriter, phase.clone(), CHANGED)];
        let found = ingress(&stopped(), &reports, CHANGED + age);
        assert_eq!(found.stopping, stopping, "{phase:?} {age} ms ago");
    }
}

#[test]
fn a_started_workflow_without_reports_is_starting() {
    let found = ingress(&started(), &[], CHANGED + 1);
    assert_eq!((found.status, found.since), (Status::Starting, Some(at(CHANGED))));
    assert_eq!((found.failure, found.stopping), (None, false));
}

#[test]
fn a_workflow_runs_when_every_needed_role_has_a_live_worker_running_it() {
    let mut reports = both_running(CHANGED + 2_000);
    reports[1].phase_since = at(CHANGED + 1_900);
    let found = ingress(&started(), &reports, CHANGED + 2_000);
    assert_eq!(found.status, Status::Running);
    assert_eq!(found.since, Some(at(CHANGED + 1_900)), "since the last role runs");
    assert_eq!((found.failure, found.stopping), (None, false));
}

#[test]
fn a_workflow_is_starting_while_any_needed_role_does_not_run() {
    let now = CHANGED + 2_000;
    for other in [Phase::Starting, Phase::Standby, Phase::Stopping, Phase::Stopped] {
        for (running, role) in [(DynamicsReader, CampaignWriter), (CampaignWriter, DynamicsReader)] {
            let reports = [report(running, Phase::Running, now), report(role, other.clone(), now)];
            let found = ingress(&started(), &reports, now);
            assert_eq!(found.status, Status::Starting, "{role} {other:?}");
        }
    }
    let alone = [report(DynamicsReader, Phase::Running, now)];
    assert_eq!(ingress(&started(), &alone, now).status, Status::Starting);
}

#[test]
fn one_running_replica_of_a_role_is_enough() {
    let now = CHANGED + 2_000;
    let mut reports = both_running(now).to_vec();
    reports.push(WorkerReport {
        worker: "campaign-writer-2".into(),
        ..report(CampaignWriter, Phase::Starting, now)
    });
    assert_eq!(ingress(&started(), &reports, now).status, Status::Running);
}

#[test]
fn a_worker_counts_as_live_for_five_seconds() {
    let reports = both_running(CHANGED);
    assert_eq!(ingress(&started(), &reports, CHANGED + 5_000).status, Status::Running);
    assert_eq!(ingress(&started(), &reports, CHANGED + 5_001).status, Status::Starting);
}

#[test]
fn a_reported_failure_fails_the_workflow_though_others_run() {
    let now = CHANGED + 2_000;
    let mut reports = both_running(now).to_vec();
    reports.push(report(
        DynamicsReader,
        failed("DYNAMICS_AUTHENTICATION_FAILED", CHANGED + 700),
        now,
    ));
    let found = ingress(&started(), &reports, now);
    assert_eq!((found.status, found.since), (Status::Failed, Some(at(CHANGED + 700))));
    assert_eq!(
        found.failure,
        Some(failure("DYNAMICS_AUTHENTICATION_FAILED", CHANGED + 700))
    );
}

#[test]
fn of_several_failures_the_first_one_is_told() {
    let now = CHANGED + 2_000;
    let mut reports = [
        report(DynamicsReader, failed("SECOND", CHANGED + 900), now),
        report(CampaignWriter, failed("FIRST", CHANGED + 800), now),
    ];
    for _ in 0..2 {
        let found = ingress(&started(), &reports, now);
        assert_eq!(found.failure, Some(failure("FIRST", CHANGED + 800)));
        reports.reverse();
    }
}

#[test]
fn a_failed_worker_that_is_dead_does_not_count() {
    let now = CHANGED + 10_000;
    let mut reports = both_running(now).to_vec();
    reports.push(report(DynamicsReader, failed("BROKEN", CHANGED), now - 5_001));
    assert_eq!(ingress(&started(), &reports, now).status, Status::Running);
}

#[test]
fn reports_of_older_runs_prove_nothing() {
    let now = CHANGED + 2_000;
    let running = both_running(now).map(|report| of_run(0, report));
    assert_eq!(ingress(&started(), &running, now).status, Status::Starting);
    let broken = [of_run(0, report(CampaignWriter, failed("BROKEN", now), now))];
    assert_eq!(ingress(&started(), &broken, now).status, Status::Starting);
    let throttled = Hindrance::Throttled {
        by: "Dynamics 365".into(),
        until: at(now),
    };
    let hindered = [of_run(
        0,
        hindered(&throttled, report(DynamicsReader, Phase::Running, now)),
    )];
    assert_eq!(ingress(&started(), &hindered, now).hindrances, []);
}

#[test]
fn a_workflow_that_nobody_picks_up_for_thirty_seconds_has_failed() {
    assert_eq!(ingress(&started(), &[], CHANGED + 30_000).status, Status::Starting);
    let found = ingress(&started(), &[], CHANGED + 30_001);
    assert_eq!((found.status, found.since), (Status::Failed, Some(at(CHANGED))));
    let failure = found.failure.unwrap();
    assert_eq!((failure.code.as_str(), failure.since), (NO_WORKER, at(CHANGED)));
    assert!(failure.message.contains("dynamics-reader"), "{}", failure.message);
}

#[test]
fn a_role_whose_last_worker_was_seen_thirty_seconds_ago_fails_the_workflow_since_then() {
    let last_seen = CHANGED + 60_000;
    for (present, gone) in [(DynamicsReader, CampaignWriter), (CampaignWriter, DynamicsReader)] {
        let reports = |now| {
            [
                report(present, Phase::Running, now),
                report(gone, Phase::Running, last_seen),
            ]
        };
        let (at_limit, after) = (last_seen + 30_000, last_seen + 30_001);
        assert_eq!(
            ingress(&started(), &reports(at_limit), at_limit).status,
            Status::Starting
        );
        let failure = ingress(&started(), &reports(after), after).failure.unwrap();
        assert_eq!((failure.code.as_str(), failure.since), (NO_WORKER, at(last_seen)));
        assert!(failure.message.contains(gone.service()), "{}", failure.message);
    }
}

#[test]
fn a_workflow_without_workers_recovers_by_itself_when_they_return() {
    let now = CHANGED + 90_000;
    assert_eq!(ingress(&started(), &[], now).status, Status::Failed);
    let returning = [DynamicsReader, CampaignWriter].map(|role| report(role, Phase::Starting, now));
    let found = ingress(&started(), &returning, now);
    assert_eq!((found.status, found.failure), (Status::Starting, None));
    assert_eq!(ingress(&started(), &both_running(now), now).status, Status::Running);
}

#[test]
fn a_worker_that_still_ends_an_older_run_is_not_missing() {
    let now = CHANGED + 60_000;
    let reports = [DynamicsReader, CampaignWriter].map(|role| of_run(0, report(role, Phase::Stopping, now)));
    assert_eq!(ingress(&started(), &reports, now).status, Status::Starting);
}

#[test]
fn a_workflow_that_no_service_works_for_yet_stays_starting() {
    for id in [WorkflowId::Egress, WorkflowId::OptInOut] {
        let found = status(id, &started(), &[], at(CHANGED + 3_600_000));
        assert_eq!((found.status, found.failure), (Status::Starting, None), "{id}");
    }
}

#[test]
fn a_worker_whose_clock_is_a_little_ahead_counts_as_live() {
    let reports = both_running(CHANGED + 5_001);
    assert_eq!(ingress(&started(), &reports, CHANGED + 1).status, Status::Running);
    assert!(ingress(&stopped(), &reports, CHANGED + 1).stopping);
}

#[test]
fn a_report_from_the_future_proves_nothing_and_hides_no_missing_worker() {
    let reports = both_running(CHANGED + 600_000);
    assert_eq!(ingress(&started(), &reports, CHANGED + 1).status, Status::Starting);
    assert!(!ingress(&stopped(), &reports, CHANGED + 1).stopping);
    let found = ingress(&started(), &reports, CHANGED + 30_001);
    assert_eq!(found.failure.map(|failure| failure.code).as_deref(), Some(NO_WORKER));
}

#[test]
fn a_start_by_a_clock_that_is_ahead_is_not_yet_without_workers() {
    assert_eq!(ingress(&started(), &[], CHANGED - 600_000).status, Status::Starting);
}

#[test]
fn each_hindrance_is_told_once_and_does_not_change_the_status() {
    let now = CHANGED + 2_000;
    let throttled = Hindrance::Throttled {
        by: "Adobe Campaign".into(),
        until: at(now + 30_000),
    };
    let retrying = Hindrance::Retrying {
        error: "timed out".into(),
        since: at(now - 100),
    };
    let reports = [
        hindered(&throttled, report(CampaignWriter, Phase::Running, now)),
        hindered(&retrying, report(DynamicsReader, Phase::Running, now)),
        hindered(&throttled, report(CampaignWriter, Phase::Running, now)),
        hindered(&retrying, report(DynamicsReader, Phase::Running, now)),
    ];
    let found = ingress(&started(), &reports, now);
    assert_eq!(found.status, Status::Running);
    assert_eq!(found.hindrances, [throttled, retrying]);
}

#[test]
fn a_dead_worker_holds_nothing_up() {
    let retrying = Hindrance::Retrying {
        error: "timed out".into(),
        since: at(CHANGED),
    };
    let reports = [hindered(&retrying, report(DynamicsReader, Phase::Running, CHANGED))];
    assert_eq!(ingress(&started(), &reports, CHANGED + 5_001).hindrances, []);
}
