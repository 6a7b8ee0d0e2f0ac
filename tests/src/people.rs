//! What people do in both systems, and what they see there.

use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::{World, oracle::campaign};

impl World {
    /// Makes a profile by hand, as a user of Campaign would.
    ///
    /// # Errors
    /// If Campaign refuses.
    pub fn add_profile(&self, profile: &Value) -> anyhow::Result<()> {
        self.add_record("profile", profile)
    }

    /// Makes a record of any resource in Campaign by hand.
    ///
    /// # Errors
    /// If Campaign refuses it.
    pub fn add_record(&self, resource: &str, record: &Value) -> anyhow::Result<()> {
        let created = campaign(&self.sandbox)?.create(resource, record);
        created.map(drop).map_err(|error| anyhow::anyhow!("{error:?}"))
    }

    /// Changes a profile by hand, as a user of Campaign would.
    ///
    /// # Errors
    /// If Campaign refuses.
    pub fn edit_profile(&self, id: Uuid, changes: &Value) -> anyhow::Result<()> {
        campaign(&self.sandbox)?
            .update("profile", &id.to_string(), changes)
            .map(drop)
            .map_err(|error| anyhow::anyhow!("{error:?}"))
    }

    /// Publishes a table, as a customizer of Dynamics would.
    ///
    /// # Errors
    /// If Dynamics refuses.
    pub fn add_table(&self, declared: Value) -> anyhow::Result<()> {
        let added = self.sandbox.dynamics().add_table(&serde_json::from_value(declared)?);
        added.map_err(|error| anyhow::anyhow!("{error:?}"))
    }

    /// Publishes a resource, as an administrator of Campaign would.
    ///
    /// # Errors
    /// If Campaign refuses.
    pub fn add_resource(&self, declared: Value) -> anyhow::Result<()> {
        Ok(campaign(&self.sandbox)?.add_resource(&serde_json::from_value(declared)?)?)
    }

    /// Publishes other columns of a table, as a customizer of Dynamics would: `put` and `remove`.
    ///
    /// # Errors
    /// If Dynamics refuses.
    pub fn change_columns(&self, table: &str, changes: Value) -> anyhow::Result<()> {
        let changed = self
            .sandbox
            .dynamics()
            .change_columns(table, &serde_json::from_value(changes)?);
        changed.map_err(|error| anyhow::anyhow!("{error:?}"))
    }

    /// Publishes other fields of a resource, as an administrator of Campaign would: `put` and `remove`.
    ///
    /// # Errors
    /// If Campaign refuses.
    pub fn change_fields(&self, resource: &str, changes: Value) -> anyhow::Result<()> {
        Ok(campaign(&self.sandbox)?.change_fields(resource, &serde_json::from_value(changes)?)?)
    }

    /// Makes the delta tokens that have been given out expire.
    ///
    /// # Errors
    /// If Dynamics says so.
    pub fn expire_delta_tokens(&self) -> anyhow::Result<()> {
        let expired = self.sandbox.dynamics().expire_delta_tokens(None);
        expired.map_err(|error| anyhow::anyhow!("{error:?}"))
    }

    /// Ids of some contacts.
    ///
    /// # Errors
    /// If Dynamics says so.
    pub fn contact_ids(&self, limit: usize) -> anyhow::Result<Vec<Uuid>> {
        self.sandbox
            .dynamics()
            .ids_from("contact", Uuid::nil(), limit)
            .map_err(|error| anyhow::anyhow!("{error:?}"))
    }

    /// Adds a row of any table as a user of Dynamics would.
    ///
    /// # Errors
    /// If Dynamics refuses.
    pub fn add_row(&self, table: &str, row: &Value) -> anyhow::Result<Uuid> {
        let created = self.sandbox.dynamics().create(table, &object(row));
        created.map_err(|error| anyhow::anyhow!("{error:?}"))
    }

    /// A row of any table.
    ///
    /// # Errors
    /// If there is none.
    pub fn row(&self, table: &str, id: Uuid) -> anyhow::Result<Value> {
        let row = self.sandbox.dynamics().row(table, id);
        row.map_err(|error| anyhow::anyhow!("{error:?}"))
    }

    /// Edits a row of any table as a user of Dynamics would.
    ///
    /// # Errors
    /// If Dynamics refuses.
    pub fn edit_row(&self, table: &str, id: Uuid, changes: &Value) -> anyhow::Result<()> {
        let updated = self.sandbox.dynamics().update(table, id, &object(changes));
        updated.map_err(|error| anyhow::anyhow!("{error:?}"))
    }

    /// Deletes a row of any table as a user of Dynamics would.
    ///
    /// # Errors
    /// If Dynamics refuses.
    pub fn delete_row(&self, table: &str, id: Uuid) -> anyhow::Result<()> {
        let deleted = self.sandbox.dynamics().delete(table, id);
        deleted.map_err(|error| anyhow::anyhow!("{error:?}"))
    }

    /// Edits a contact as a user of Dynamics would.
    ///
    /// # Errors
    /// If Dynamics refuses.
    pub fn edit_contact(&self, id: Uuid, changes: &Value) -> anyhow::Result<()> {
        self.edit_row("contact", id, changes)
    }

    /// Adds a contact as a user of Dynamics would.
    ///
    /// # Errors
    /// If Dynamics refuses.
    pub fn add_contact(&self, last_name: &str) -> anyhow::Result<Uuid> {
        self.add_row("contact", &json!({ "lastname": last_name }))
    }

    /// Deletes a contact as a user of Dynamics would.
    ///
    /// # Errors
    /// If Dynamics refuses.
    pub fn delete_contact(&self, id: Uuid) -> anyhow::Result<()> {
        self.delete_row("contact", id)
    }

    /// How many profiles there are.
    ///
    /// # Errors
    /// If Campaign says so.
    pub fn profile_count(&self) -> anyhow::Result<usize> {
        campaign(&self.sandbox)?
            .count("profile")
            .map_err(|error| anyhow::anyhow!("{error:?}"))
    }

    /// The profile of a contact; an error if there is none.
    ///
    /// # Errors
    /// If there is none.
    pub fn profile(&self, id: Uuid) -> anyhow::Result<Value> {
        self.record("profile", id)
    }

    /// The record of a row in any resource; an error if there is none.
    ///
    /// # Errors
    /// If there is none.
    pub fn record(&self, resource: &str, id: Uuid) -> anyhow::Result<Value> {
        campaign(&self.sandbox)?
            .record(resource, &id.to_string())
            .map_err(|error| anyhow::anyhow!("{error:?}"))
    }
}

fn object(value: &Value) -> Map<String, Value> {
    value.as_object().cloned().unwrap_or_default()
}
