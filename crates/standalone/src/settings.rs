//! The settings every process has, made from the flags.

use crosswalk_runtime::{
    service::ServiceSettings,
    settings::{AdminSettings, Problem, ShutdownSettings, TelemetrySettings, Validate, within},
};
use serde::{Deserialize, Serialize};

use crate::Options;

/// The settings every process has, made from the flags.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StandaloneSettings {
    telemetry: TelemetrySettings,
    admin: AdminSettings,
    shutdown: ShutdownSettings,
}

impl StandaloneSettings {
    /// What the flags say.
    #[must_use]
    pub fn of(options: &Options) -> Self {
        Self {
            telemetry: TelemetrySettings {
                level: options.log.clone(),
                ..TelemetrySettings::default()
            },
            admin: AdminSettings {
                listen: options.admin_listen,
            },
            shutdown: ShutdownSettings::default(),
        }
    }
}

impl Validate for StandaloneSettings {
    fn problems(&self) -> Vec<Problem> {
        [
            within("telemetry", self.telemetry.problems()),
            within("admin", self.admin.problems()),
            within("shutdown", self.shutdown.problems()),
        ]
        .concat()
    }
}

impl ServiceSettings for StandaloneSettings {
    fn telemetry(&self) -> &TelemetrySettings {
        &self.telemetry
    }

    fn admin(&self) -> &AdminSettings {
        &self.admin
    }

    fn shutdown(&self) -> &ShutdownSettings {
        &self.shutdown
    }
}
