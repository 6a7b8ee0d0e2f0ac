//! Reports of workers.

use crosswalk_core::{
    ResourceName,
    control::RunId,
    worker::{Counts, Failure, Hindrance, Passed, Phase, Role, WorkerReport},
};
use prost::Message;

use super::{DecodeError, milliseconds, timestamp, uuid, wire};

/// Encodes a report for its topic.
#[must_use]
pub fn encode_report(report: &WorkerReport) -> Vec<u8> {
    use wire::worker_report::{Hindrance as WireHindrance, Phase as WirePhase};
    let (phase, failure) = match &report.phase {
        Phase::Starting => (WirePhase::Starting, None),
        Phase::Standby => (WirePhase::Standby, None),
        Phase::Running => (WirePhase::Running, None),
        Phase::Failed(failure) => (WirePhase::Failed, Some(to_failure(failure))),
        Phase::Stopping => (WirePhase::Stopping, None),
        Phase::Stopped => (WirePhase::Stopped, None),
    };
    let hindrance = report.hindrance.as_ref().map(|hindrance| match hindrance {
        Hindrance::Throttled { by, until } => WireHindrance::Throttled(wire::Throttled {
            by: by.clone(),
            until_milliseconds: milliseconds(*until),
        }),
        Hindrance::Retrying { error, since } => WireHindrance::Retrying(wire::Retrying {
            error: error.clone(),
            since_milliseconds: milliseconds(*since),
        }),
        Hindrance::Waiting { what, since } => WireHindrance::WaitingFor(wire::Waiting {
            what: what.clone(),
            since_milliseconds: milliseconds(*since),
        }),
    });
    wire::WorkerReport {
        worker: report.worker.clone(),
        role: report.role.service().into(),
        workflow: report.workflow.to_string(),
        run_id: report.run.0.as_bytes().to_vec(),
        time_milliseconds: milliseconds(report.time),
        phase: phase.into(),
        phase_since_milliseconds: milliseconds(report.phase_since),
        failure,
        hindrance,
        done: report.counts.done,
        rejected: report.counts.rejected,
        skipped: report.counts.skipped,
        waiting: report.counts.waiting,
        in_flight: report.counts.in_flight,
        initial_read: report.counts.initial_read,
        expected: report.counts.expected,
        last_progress_milliseconds: report.counts.last_progress.map(milliseconds),
        passed: report.passed.iter().map(to_passed).collect(),
    }
    .encode_to_vec()
}

/// Decodes a report from its topic.
///
/// # Errors
/// If the bytes are not a report, or one of a newer release.
pub fn decode_report(bytes: &[u8]) -> Result<WorkerReport, DecodeError> {
    let message = wire::WorkerReport::decode(bytes)?;
    let ResourceName::Workflow(workflow) = message.workflow.parse()? else {
        return Err(DecodeError::Unknown("workflow"));
    };
    let last_progress = message.last_progress_milliseconds;
    Ok(WorkerReport {
        role: from_role(&message.role)?,
        workflow,
        run: RunId(uuid(&message.run_id, "run_id")?),
        time: timestamp(message.time_milliseconds, "time_milliseconds")?,
        phase: from_phase(message.phase, message.failure)?,
        phase_since: timestamp(message.phase_since_milliseconds, "phase_since_milliseconds")?,
        hindrance: message.hindrance.map(from_hindrance).transpose()?,
        counts: Counts {
            done: message.done,
            rejected: message.rejected,
            skipped: message.skipped,
            waiting: message.waiting,
            in_flight: message.in_flight,
            initial_read: message.initial_read,
            expected: message.expected,
            last_progress: last_progress
                .map(|time| timestamp(time, "last_progress_milliseconds"))
                .transpose()?,
        },
        passed: message.passed.into_iter().map(from_passed).collect(),
        worker: message.worker,
    })
}

fn to_passed(passed: &Passed) -> wire::Passed {
    wire::Passed {
        table: passed.table.clone(),
        partition: passed.partition,
        offset: passed.offset,
    }
}

fn from_passed(passed: wire::Passed) -> Passed {
    Passed {
        table: passed.table,
        partition: passed.partition,
        offset: passed.offset,
    }
}

fn from_role(name: &str) -> Result<Role, DecodeError> {
    [Role::DynamicsReader, Role::CampaignWriter]
        .into_iter()
        .find(|role| role.service() == name)
        .ok_or(DecodeError::Unknown("role"))
}

fn from_phase(phase: i32, failure: Option<wire::Failure>) -> Result<Phase, DecodeError> {
    use wire::worker_report::Phase as Wire;
    match Wire::try_from(phase) {
        Ok(Wire::Starting) => Ok(Phase::Starting),
        Ok(Wire::Standby) => Ok(Phase::Standby),
        Ok(Wire::Running) => Ok(Phase::Running),
        Ok(Wire::Failed) => Ok(Phase::Failed(from_failure(
            failure.ok_or(DecodeError::Missing("failure"))?,
        )?)),
        Ok(Wire::Stopping) => Ok(Phase::Stopping),
        Ok(Wire::Stopped) => Ok(Phase::Stopped),
        Ok(Wire::Unspecified) | Err(_) => Err(DecodeError::Unknown("phase")),
    }
}

fn to_failure(failure: &Failure) -> wire::Failure {
    wire::Failure {
        code: failure.code.clone(),
        message: failure.message.clone(),
        since_milliseconds: milliseconds(failure.since),
    }
}

fn from_failure(failure: wire::Failure) -> Result<Failure, DecodeError> {
    Ok(Failure {
        code: failure.code,
        message: failure.message,
        since: timestamp(failure.since_milliseconds, "since_milliseconds")?,
    })
}

fn from_hindrance(hindrance: wire::worker_report::Hindrance) -> Result<Hindrance, DecodeError> {
    use wire::worker_report::Hindrance as Wire;
    Ok(match hindrance {
        Wire::Throttled(throttled) => Hindrance::Throttled {
            by: throttled.by,
            until: timestamp(throttled.until_milliseconds, "until_milliseconds")?,
        },
        Wire::Retrying(retrying) => Hindrance::Retrying {
            error: retrying.error,
            since: timestamp(retrying.since_milliseconds, "since_milliseconds")?,
        },
        Wire::WaitingFor(waiting) => Hindrance::Waiting {
            what: waiting.what,
            since: timestamp(waiting.since_milliseconds, "since_milliseconds")?,
        },
    })
}

#[cfg(test)]
mod tests {
    use crosswalk_core::{WorkflowId, WorkflowName};
    use jiff::Timestamp;
    use uuid::Uuid;

    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_790_000_000 + second).unwrap()
    }

    #[test]
    fn a_report_of_every_phase_reads_back_as_written() {
        let failure = Failure {
            code: "X".into(),
            message: "do y".into(),
            since: at(3),
        };
        let phases = [
            Phase::Starting,
            Phase::Standby,
            Phase::Running,
            Phase::Failed(failure),
            Phase::Stopping,
            Phase::Stopped,
        ];
        let hindrances = [
            None,
            Some(Hindrance::Throttled {
                by: "Adobe Campaign".into(),
                until: at(9),
            }),
            Some(Hindrance::Waiting {
                what: "the first load of contact".into(),
                since: at(1),
            }),
            Some(Hindrance::Retrying {
                error: "connection reset".into(),
                since: at(1),
            }),
        ];
        for phase in phases {
            for hindrance in hindrances.clone() {
                let report = WorkerReport {
                    worker: "dynamics-reader-1".into(),
                    role: Role::DynamicsReader,
                    workflow: WorkflowName {
                        instance: "demo".parse().unwrap(),
                        workflow: WorkflowId::Ingress,
                    },
                    run: RunId(Uuid::from_u128(1)),
                    time: at(5),
                    phase: phase.clone(),
                    phase_since: at(4),
                    hindrance,
                    counts: Counts {
                        done: 1,
                        rejected: 2,
                        skipped: 5,
                        waiting: 6,
                        in_flight: 3,
                        initial_read: true,
                        expected: Some(4),
                        last_progress: Some(at(2)),
                    },
                    passed: vec![Passed {
                        table: "contact".into(),
                        partition: 7,
                        offset: 921,
                    }],
                };
                assert_eq!(decode_report(&encode_report(&report)).unwrap(), report);
            }
        }
    }
}
