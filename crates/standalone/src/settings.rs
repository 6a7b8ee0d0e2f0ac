//! The settings every process has, made from the flags.

use crosswalk_runtime::{
    service::ServiceSettings,
    settings::{AdminSettings, CommonSections, Problem, ShutdownSettings, TelemetrySettings, Validate},
};
use serde::{Deserialize, Serialize};

use crate::Options;

/// The embedded broker logs every request at `info`, which would drown everything else and slow it down. Who wants that can
/// still name `nisshi`: the last directive about it counts.
const BROKER_LEVEL: &str = "nisshi=warn";

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
                level: format!("{BROKER_LEVEL},{}", options.log),
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
