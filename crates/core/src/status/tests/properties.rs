//! What holds for all reports.

use jiff::{SignedDuration, Timestamp};
use proptest::{prelude::*, sample};

use super::{CHANGED, at, failure, report, run_id, started, stopped};
use crate::{
    WorkflowId,
    status::{Status, status},
    worker::{
        Failure, Hindrance, Phase,
        Role::{self, CampaignWriter, DynamicsReader},
        WorkerReport,
    },
};

/// Times near the thresholds, and the ends of time.
fn times() -> impl Strategy<Value = Timestamp> {
    prop_oneof![
        8 => (-40_000..40_000_i64).prop_map(|offset| at(CHANGED + offset)),
        1 => sample::select(vec![Timestamp::MIN, Timestamp::MAX]),
    ]
}

fn phases() -> impl Strategy<Value = Phase> {
    prop_oneof![
        1 => Just(Phase::Starting),
        4 => Just(Phase::Running),
        1 => times().prop_map(|since| Phase::Failed(Failure { since, ..failure("BROKEN", CHANGED) })),
        1 => Just(Phase::Stopping),
        1 => Just(Phase::Stopped),
        1 => Just(Phase::Standby),
    ]
}

fn any_report() -> impl Strategy<Value = WorkerReport> {
    let roles = sample::select(vec![DynamicsReader, CampaignWriter]);
    let hindrances = proptest::option::of(times().prop_map(|until| Hindrance::Throttled {
        by: "Dynamics 365".into(),
        until,
    }));
    (roles, phases(), 0..2_u128, times(), times(), hindrances).prop_map(
        |(role, phase, run, time, phase_since, hindrance)| WorkerReport {
            run: run_id(run),
            time,
            phase_since,
            hindrance,
            ..report(role, phase, CHANGED)
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_000, ..ProptestConfig::default() })]

    #[test]
    fn every_state_has_a_status_and_a_failure_if_and_only_if_it_is_failed(
        id in sample::select(WorkflowId::ALL.to_vec()),
        wanted in any::<bool>(),
        reports in proptest::collection::vec(any_report(), 0..6),
        now in times(),
    ) {
        let workflow = if wanted { started() } else { stopped() };
        let found = status(id, &workflow, &reports, now);
        prop_assert_eq!(found.failure.is_some(), found.status == Status::Failed);
        prop_assert_eq!(wanted, found.status != Status::Stopped);
        prop_assert!(!found.stopping || found.status == Status::Stopped);
        if let Some(failure) = &found.failure {
            prop_assert_eq!(found.since, Some(failure.since));
        }
        for (place, hindrance) in found.hindrances.iter().enumerate() {
            prop_assert!(!found.hindrances[..place].contains(hindrance), "told twice: {:?}", hindrance);
        }
    }

    #[test]
    fn a_running_workflow_has_a_live_proof_of_every_needed_role(
        reports in proptest::collection::vec(any_report(), 0..8),
        now in times(),
    ) {
        let found = status(WorkflowId::Ingress, &started(), &reports, now);
        let proved = |role: Role| {
            reports.iter().any(|report| {
                report.role == role
                    && report.run == run_id(1)
                    && report.phase == Phase::Running
                    && now.duration_since(report.time).abs() <= SignedDuration::from_secs(5)
            })
        };
        if found.status == Status::Running {
            prop_assert!(proved(DynamicsReader) && proved(CampaignWriter));
        }
    }

    #[test]
    fn the_order_of_reports_does_not_change_the_status(
        reports in proptest::collection::vec(any_report(), 0..6),
        now in times(),
    ) {
        let reversed: Vec<WorkerReport> = reports.iter().rev().cloned().collect();
        let (one, other) = (
            status(WorkflowId::Ingress, &started(), &reports, now),
            status(WorkflowId::Ingress, &started(), &reversed, now),
        );
        prop_assert_eq!((one.status, one.since, one.failure), (other.status, other.since, other.failure));
    }
}
