//! The two systems: their clients, kept while an instance's settings stay the same, and their failures.

use std::{collections::HashMap, fmt, sync::Arc, time::Duration};

use crosswalk_campaign::Addressing;
use crosswalk_core::{
    Class, Classify, InstanceId,
    control::{Etag, Instance, State, campaign_secret_purpose, dynamics_secret_purpose},
};
use crosswalk_runtime::{
    error::advised,
    sealing::{SealingError, SealingKeys},
};
use parking_lot::Mutex;
use tonic::Code;

use crate::{error::ApiError, settings::ApiSettings};

/// One of the two systems.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum System {
    Dynamics,
    Campaign,
}

impl fmt::Display for System {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Dynamics => "Dynamics 365",
            Self::Campaign => "Adobe Campaign",
        })
    }
}

/// Why a system does not do what it was asked for, worded for people.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{system}: {message}")]
pub(crate) struct SystemFailure {
    /// Which system.
    pub(crate) system: System,
    /// Stable code, e.g. `DYNAMICS_AUTHENTICATION_FAILED`.
    pub(crate) code: &'static str,
    /// What happened and what to do.
    pub(crate) message: String,
    class: Class,
}

impl SystemFailure {
    fn of_sealing(system: System, error: &SealingError) -> Self {
        Self {
            system,
            code: error.code(),
            message: error.to_string(),
            class: Class::Fatal,
        }
    }

    pub(crate) fn timed_out(system: System, waited: Duration) -> Self {
        let code = match system {
            System::Dynamics => "DYNAMICS_UNREACHABLE",
            System::Campaign => "CAMPAIGN_UNREACHABLE",
        };
        let message = format!(
            "no answer within {} s. Check the address and the network.",
            waited.as_secs()
        );
        Self {
            system,
            code,
            message,
            class: Class::RETRY,
        }
    }

    pub(crate) const fn status_code(&self) -> Code {
        match self.class {
            Class::Retry { .. } | Class::Cancelled => Code::Unavailable,
            Class::Rejected | Class::Fatal => Code::FailedPrecondition,
        }
    }

    pub(crate) fn retry_after(&self, default: Duration) -> Option<Duration> {
        match self.class {
            Class::Retry { after } => Some(after.unwrap_or(default)),
            Class::Cancelled => Some(default),
            Class::Rejected | Class::Fatal => None,
        }
    }
}

impl Classify for SystemFailure {
    fn class(&self) -> Class {
        self.class
    }
}

impl From<crosswalk_dynamics::Error> for SystemFailure {
    fn from(error: crosswalk_dynamics::Error) -> Self {
        let message = advised(&error, error.advice());
        Self {
            system: System::Dynamics,
            code: error.code(),
            message,
            class: error.class(),
        }
    }
}

impl From<crosswalk_campaign::Error> for SystemFailure {
    fn from(error: crosswalk_campaign::Error) -> Self {
        let message = advised(&error, error.advice());
        Self {
            system: System::Campaign,
            code: error.code(),
            message,
            class: error.class(),
        }
    }
}

impl From<SystemFailure> for ApiError {
    fn from(failure: SystemFailure) -> Self {
        Self::System(Box::new(failure))
    }
}

/// Makes clients of both systems, and keeps them while the instance's settings stay the same, so that tokens are reused.
pub(crate) struct Systems {
    keys: SealingKeys,
    timeout: Duration,
    addressing: Addressing,
    kept: Mutex<HashMap<InstanceId, Arc<Kept>>>,
}

/// The clients of one instance with one version of its settings.
struct Kept {
    etag: Etag,
    dynamics: Result<crosswalk_dynamics::Client, SystemFailure>,
    campaign: Result<crosswalk_campaign::Client, SystemFailure>,
}

impl Systems {
    /// The system timeout bounds every question as a whole.
    pub(crate) fn new(keys: SealingKeys, settings: &ApiSettings) -> Self {
        Self {
            keys,
            timeout: settings.system_timeout,
            addressing: Addressing::by_filter(settings.address_by_filter),
            kept: Mutex::default(),
        }
    }

    /// Asks Dynamics 365 with the draft settings of an instance.
    pub(crate) async fn ask_dynamics<T, Answer>(
        &self,
        state: &State,
        id: &InstanceId,
        instance: &Instance,
        question: impl FnOnce(crosswalk_dynamics::Client) -> Answer,
    ) -> Result<T, SystemFailure>
    where
        Answer: Future<Output = Result<T, crosswalk_dynamics::Error>>,
    {
        let client = self.kept(state, id, instance).dynamics.clone()?;
        self.within_timeout(System::Dynamics, question(client)).await
    }

    /// Asks Campaign with the draft settings of an instance.
    pub(crate) async fn ask_campaign<T, Answer>(
        &self,
        state: &State,
        id: &InstanceId,
        instance: &Instance,
        question: impl FnOnce(crosswalk_campaign::Client) -> Answer,
    ) -> Result<T, SystemFailure>
    where
        Answer: Future<Output = Result<T, crosswalk_campaign::Error>>,
    {
        let client = self.kept(state, id, instance).campaign.clone()?;
        self.within_timeout(System::Campaign, question(client)).await
    }

    /// Signs in to Dynamics 365 anew and reads a table's metadata; says as whom.
    pub(crate) async fn test_dynamics(&self, id: &InstanceId, instance: &Instance) -> Result<String, SystemFailure> {
        let client = self.dynamics(id, instance)?;
        let test = async {
            let identity = client.who_am_i().await?;
            client.table("contact").await?;
            Ok::<_, crosswalk_dynamics::Error>(format!(
                "Signed in as application user {} of organization {}.",
                identity.user_id, identity.organization_id
            ))
        };
        self.within_timeout(System::Dynamics, test).await
    }

    /// Signs in to Campaign anew and reads which resources there are; says how many.
    pub(crate) async fn test_campaign(&self, id: &InstanceId, instance: &Instance) -> Result<String, SystemFailure> {
        let client = self.campaign(id, instance)?;
        let test = async {
            client.authenticate().await?;
            let resources = client.resources().await?;
            let organization = &instance.settings.campaign.organization;
            Ok::<_, crosswalk_campaign::Error>(format!(
                "Signed in to {organization}; {} resources can be reached.",
                resources.len()
            ))
        };
        self.within_timeout(System::Campaign, test).await
    }

    async fn within_timeout<T, E: Into<SystemFailure>>(
        &self,
        system: System,
        answer: impl Future<Output = Result<T, E>>,
    ) -> Result<T, SystemFailure> {
        match tokio::time::timeout(self.timeout, answer).await {
            Ok(answer) => answer.map_err(Into::into),
            Err(_) => Err(SystemFailure::timed_out(system, self.timeout)),
        }
    }

    /// The clients of an instance. Those of instances that are gone are forgotten on the way.
    fn kept(&self, state: &State, id: &InstanceId, instance: &Instance) -> Arc<Kept> {
        let mut kept = self.kept.lock();
        if let Some(present) = kept.get(id).filter(|present| present.etag == instance.etag) {
            return Arc::clone(present);
        }
        let made = Arc::new(Kept {
            etag: instance.etag,
            dynamics: self.dynamics(id, instance),
            campaign: self.campaign(id, instance),
        });
        kept.retain(|id, _| state.instance(id).is_some());
        kept.insert(id.clone(), Arc::clone(&made));
        made
    }

    fn dynamics(&self, id: &InstanceId, instance: &Instance) -> Result<crosswalk_dynamics::Client, SystemFailure> {
        let settings = &instance.settings.dynamics;
        let purpose = dynamics_secret_purpose(id);
        let secret = self.keys.open_text(&settings.client_secret, purpose.as_bytes());
        let secret = secret.map_err(|error| SystemFailure::of_sealing(System::Dynamics, &error))?;
        let connection = crosswalk_dynamics::Connection::of_instance(settings, secret)?;
        let client_settings = crosswalk_dynamics::ClientSettings {
            request_timeout: self.timeout,
            ..crosswalk_dynamics::ClientSettings::default()
        };
        Ok(crosswalk_dynamics::Client::new(connection, &client_settings)?)
    }

    fn campaign(&self, id: &InstanceId, instance: &Instance) -> Result<crosswalk_campaign::Client, SystemFailure> {
        let settings = &instance.settings.campaign;
        let purpose = campaign_secret_purpose(id);
        let secret = self.keys.open_text(&settings.client_secret, purpose.as_bytes());
        let secret = secret.map_err(|error| SystemFailure::of_sealing(System::Campaign, &error))?;
        let connection = crosswalk_campaign::Connection::of_instance(settings, secret)?;
        let client_settings = crosswalk_campaign::ClientSettings {
            request_timeout: self.timeout,
            addressing: self.addressing.clone(),
            ..crosswalk_campaign::ClientSettings::default()
        };
        Ok(crosswalk_campaign::Client::new(&connection, &client_settings)?)
    }
}

#[cfg(test)]
mod tests {
    use tonic::Status;
    use tonic_types::StatusExt;

    use super::*;

    #[test]
    fn a_system_that_does_not_answer_is_unavailable_and_named() {
        for system in [System::Dynamics, System::Campaign] {
            let failure = SystemFailure::timed_out(system, Duration::from_secs(30));
            let status = Status::from(ApiError::from(failure));
            assert_eq!(status.code(), Code::Unavailable);
            assert!(
                status.message().starts_with(&system.to_string()),
                "{}",
                status.message()
            );
            assert!(status.get_error_details().retry_info().is_some());
        }
    }

    #[test]
    fn wrong_settings_fail_with_the_code_and_advice_of_the_client() {
        let error = crosswalk_dynamics::Error::TableNotFound {
            table: "contacts".to_owned(),
        };
        let advice = error.advice();
        let status = Status::from(ApiError::from(SystemFailure::from(error)));
        assert_eq!(status.code(), Code::FailedPrecondition);
        assert!(status.message().contains(advice), "{}", status.message());
        let details = status.get_error_details();
        assert_eq!(details.error_info().unwrap().reason, "DYNAMICS_TABLE_NOT_FOUND");
        assert!(details.retry_info().is_none());
    }
}
