//! A stream of changes: some contacts, each changed again and again in turn. The writer finds it in its queue, and the load
//! generator sends the same to Campaign directly.

use std::ops::Range;

use anyhow::Context as _;
use bytes::Bytes;
use crosswalk_core::{
    Change, ChangeKind, Choice, Epoch, InstanceId, MappingId, Origin, Row, Value, control::EntryId, mapping::key_text,
};
use crosswalk_kafka::{ControlLog, History, Kafka, Producer};
use crosswalk_proto::record::encode_change;
use crosswalk_tests::{PATIENCE, eventually};
use jiff::Timestamp;
use serde_json::json;
use uuid::Uuid;

/// Records handed to the producer before their acknowledgements are waited for.
const AT_ONCE: usize = 10_000;

/// Where the ids of the contacts begin; they are spread from there.
const FIRST_ID: u128 = 0x9f1d_77a0_5c63_4e0b_8d24_6b6e_0000_0000;

/// Change number `sequence` is of contact number `sequence % keys`.
pub(crate) struct Stream {
    /// Contacts.
    pub(crate) keys: u64,
    /// Changes, behind one that makes each contact.
    pub(crate) records: u64,
}

impl Stream {
    /// The contact of a change.
    pub(crate) fn id(&self, sequence: u64) -> Uuid {
        Uuid::from_u128(FIRST_ID + u128::from(sequence % self.keys))
    }

    /// What Campaign is sent of a change.
    pub(crate) fn body(&self, sequence: u64) -> Bytes {
        let key = sequence % self.keys;
        let body = json!({
            "externalId": self.id(sequence),
            "firstName": "Grace",
            "lastName": format!("Hopper {key}"),
            "salutation": "Dr.",
            "email": format!("grace.hopper.{key}@example.com"),
            "phone": "+1 555 0123",
            "cusNickname": sequence.to_string(),
            "birthDate": "1986-12-09",
            "gender": "female",
            "cusVisits": 3,
            "cusVip": false,
            "location": {"city": "Arlington", "address1": "3 Main Street"},
        });
        Bytes::from(body.to_string())
    }

    /// The same as the reader would queue it.
    fn row(&self, sequence: u64) -> Row {
        let key = sequence % self.keys;
        let text = |text: String| Value::Text(text.into_boxed_str());
        let female = Choice {
            value: 2,
            label: Some("Female".into()),
        };
        let columns = [
            ("firstname", text("Grace".to_owned())),
            ("lastname", text(format!("Hopper {key}"))),
            ("salutation", text("Dr.".to_owned())),
            ("emailaddress1", text(format!("grace.hopper.{key}@example.com"))),
            ("telephone1", text("+1 555 0123".to_owned())),
            ("nickname", text(sequence.to_string())),
            ("birthdate", Value::Date(jiff::civil::date(1986, 12, 9))),
            ("gendercode", Value::Choice(female)),
            ("numberofchildren", Value::Integer(3)),
            ("donotbulkemail", Value::Boolean(false)),
            ("address1_city", text("Arlington".to_owned())),
            ("address1_line1", text("3 Main Street".to_owned())),
        ];
        Row {
            columns: columns.map(|(name, value)| (name.into(), value)).into(),
        }
    }

    /// The last change of each contact: its id, and the nickname that tells the change.
    pub(crate) fn last(&self) -> Vec<(String, String)> {
        let last = self.records..self.records + self.keys;
        last.map(|sequence| (key_text(self.id(sequence)), sequence.to_string()))
            .collect()
    }

    /// Puts changes into the queue of contacts, for the mapping that the control log knows, and waits until they are durable.
    pub(crate) async fn queue(&self, kafka: &Kafka, origin: Origin, changes: Range<u64>) -> anyhow::Result<()> {
        let (instance, mapping) = ("demo".parse::<InstanceId>()?, "contact".parse::<MappingId>()?);
        let producer = Producer::new(kafka)?;
        let control = ControlLog::follow(kafka, producer.clone(), History::Forgotten).await?;
        let mapping = eventually("the mapping of contacts", PATIENCE, || async {
            let state = control.state().await?;
            let present = state
                .instance(&instance)
                .and_then(|instance| instance.mapping(&mapping));
            Ok(present.context("the control log does not tell of it")?.uid)
        })
        .await?;
        let topic = kafka.topics().ingress(&instance, "contact");
        let mut pending = Vec::with_capacity(AT_ONCE);
        for sequence in changes {
            let payload = encode_change(self.change(sequence, origin, mapping));
            let key = key_text(self.id(sequence));
            pending.push(producer.enqueue(&topic, &key, Some(&payload)).await?);
            if pending.len() == AT_ONCE {
                for delivery in pending.drain(..) {
                    delivery.acknowledged().await?;
                }
            }
        }
        for delivery in pending {
            delivery.acknowledged().await?;
        }
        Ok(())
    }

    fn change(&self, sequence: u64, origin: Origin, mapping: EntryId) -> Change {
        Change {
            origin,
            version: Some(sequence + 1),
            epoch: Epoch(1),
            force: false,
            read_at: Timestamp::now(),
            mapping,
            kind: ChangeKind::Upsert(self.row(sequence)),
        }
    }
}
