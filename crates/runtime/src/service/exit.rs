//! Exit codes of every service: 0, 1 for an unhappy `healthcheck`, else those of sysexits(3).

use crate::error::chain;
use crate::sealing::KeyError;
use crate::settings::{SecretError, SettingsError};

/// It did what it was asked to.
pub const SUCCESS: u8 = 0;

/// `healthcheck`: the service is not ready, or not there. Docker knows no other code for it.
pub const NOT_READY: u8 = 1;

/// The command line is wrong (`EX_USAGE`).
pub const USAGE: u8 = 64;

/// The service failed (`EX_SOFTWARE`). Starting it again may help.
pub const FAILURE: u8 = 70;

/// The configuration is wrong (`EX_CONFIG`). Starting it again does not help.
pub const CONFIGURATION: u8 = 78;

/// The exit code for an error: [`CONFIGURATION`] if a wrong setting is at the bottom of it, else [`FAILURE`].
#[must_use]
pub fn code(error: &(dyn std::error::Error + 'static)) -> u8 {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if error.is::<SettingsError>() || error.is::<SecretError>() || error.is::<KeyError>() {
            return CONFIGURATION;
        }
        cause = error.source();
    }
    FAILURE
}

/// Logs why the service ends and returns the exit code.
pub(super) fn report(error: &(dyn std::error::Error + 'static)) -> u8 {
    let code = code(error);
    tracing::error!(exit.code = code, error = %chain(error), "service failed");
    code
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::service::ServiceFailure;
    use crate::settings::{Problem, SecretSource};

    #[test]
    fn wrong_settings_anywhere_in_the_chain_are_a_configuration_error() {
        let problem = SettingsError::from(Problem::new("kafka.brokers", "must not be empty"));
        let wrapped = ServiceFailure::Build(anyhow::Error::new(problem).context("no Kafka"));
        assert_eq!(code(&wrapped), CONFIGURATION);
        let secret = SecretSource::Unset.read("sealing.key").expect_err("nothing is set");
        assert_eq!(
            code(&ServiceFailure::Build(KeyError::from(secret).into())),
            CONFIGURATION
        );
        assert_eq!(code(&ServiceFailure::Build(anyhow::anyhow!("no Kafka"))), FAILURE);
    }
}
