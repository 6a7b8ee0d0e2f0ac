//! The settings every process has, made from the flags.

use crosswalk_runtime::{
    service::ServiceSettings,
    settings::{AdminSettings, CommonSections, Problem, ShutdownSettings, TelemetrySettings, Validate},
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
        self.common().problems()
    }
}

impl ServiceSettings for StandaloneSettings {
    fn common(&self) -> CommonSections<'_> {
        CommonSections {
            telemetry: &self.telemetry,
            admin: &self.admin,
            shutdown: &self.shutdown,
        }
    }
}
