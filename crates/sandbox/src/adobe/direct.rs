//! Rows for tests and people: what a Campaign user can do, with the same validation as the REST API.

use std::sync::Arc;

use bytes::Bytes;
use serde_json::Value;

use super::error::CampaignError;
use super::export::Export;
use super::organisation::Organisation;
use super::render::RecordWriter;
use super::switches::Switches;

impl Organisation {
    /// Number of rows of a resource.
    ///
    /// # Errors
    /// An unknown resource.
    pub fn count(&self, resource: &str) -> Result<usize, CampaignError> {
        Ok(self.known_resource(resource)?.table.read().len())
    }

    /// The record of a custom key or PKey, as the Ext endpoint shows it.
    ///
    /// # Errors
    /// An unknown resource or key.
    pub fn record(&self, resource: &str, key: &str) -> Result<Value, CampaignError> {
        let switches = self.present_switches();
        let record = self.read_record(&*self.known_resource(resource)?, self.own_view(&switches), key)?;
        Ok(parsed(&record))
    }

    /// Creates a record and returns it.
    ///
    /// # Errors
    /// An unknown resource, and all that `POST` is refused for.
    pub fn create(&self, resource: &str, record: &Value) -> Result<Value, CampaignError> {
        let switches = self.present_switches();
        let body = Bytes::from(record.to_string());
        let record = self.create_record(&*self.known_resource(resource)?, self.own_view(&switches), &body)?;
        Ok(parsed(&record))
    }

    /// Changes the record of a custom key or PKey and returns it.
    ///
    /// # Errors
    /// An unknown resource or key, and all that `PATCH` is refused for.
    pub fn update(&self, resource: &str, key: &str, changes: &Value) -> Result<Value, CampaignError> {
        let switches = self.present_switches();
        let view = self.own_view(&switches);
        let body = Bytes::from(changes.to_string());
        self.update_record(&*self.known_resource(resource)?, view, Some(key), &body)?;
        self.record(resource, key)
    }

    /// Deletes the record of a custom key or PKey.
    ///
    /// # Errors
    /// An unknown resource or key.
    pub fn delete(&self, resource: &str, key: &str) -> Result<(), CampaignError> {
        let switches = self.present_switches();
        self.delete_record(&*self.known_resource(resource)?, self.own_view(&switches), key)
    }

    /// Rows as the Ext endpoint shows them, oldest first.
    ///
    /// # Errors
    /// An unknown resource.
    pub fn records(&self, resource: &str, offset: usize, limit: usize) -> Result<Vec<Value>, CampaignError> {
        let switches = self.present_switches();
        let resource = self.known_resource(resource)?;
        let writer = RecordWriter::new(self, &resource, self.own_view(&switches));
        let mut record = Vec::new();
        let table = resource.table.read();
        let rows = table.from(1).skip(offset).take(limit);
        let to_json = |(id, row)| {
            record.clear();
            writer.write(&mut record, id, row);
            parsed(&record)
        };
        Ok(rows.map(to_json).collect())
    }

    /// All rows as lines of JSON, oldest first. Rows written meanwhile may be missing, none comes twice.
    ///
    /// # Errors
    /// An unknown resource.
    pub fn export(self: &Arc<Self>, resource: &str) -> Result<Export, CampaignError> {
        self.known_resource(resource)?;
        Ok(Export::new(Arc::clone(self), resource))
    }

    pub(super) fn present_switches(&self) -> Arc<Switches> {
        Arc::clone(&self.shared.switches.read())
    }
}

fn parsed(record: &[u8]) -> Value {
    serde_json::from_slice(record).expect("records are written as JSON")
}
