//! What the next change of a record would do, in the order in which the writer judges: the filter comes before the conversion.

use crosswalk_core::mapping::{FieldDifference, FieldMapping};
use crosswalk_dynamics::RejectedRow;
use crosswalk_proto::v1::{FieldFault, Preview, preview::Effect};

/// What a change of a record does that passes the filter and can be converted. `differences` are those from what Campaign
/// holds; `None` if it does not have the record.
pub(super) fn of_passing(differences: Option<&[FieldDifference]>) -> Effect {
    match differences {
        None => Effect::Create,
        Some(differences) if differences.iter().all(|one| one.only_by_replay) => Effect::Unchanged,
        Some(_) => Effect::Update,
    }
}

/// Says of a record that does not pass the filter, and that Campaign holds, whether it would be deleted. `written`: whether
/// Crosswalk wrote it, if that is known.
pub(super) fn set_deletion(preview: &mut Preview, written: Option<bool>) {
    preview.deletion_unknown = written.is_none();
    preview.set_effect(match written {
        Some(true) => Effect::Delete,
        Some(false) | None => Effect::Filtered,
    });
}

/// The preview of a row with a value that does not fit its column.
pub(super) fn of_unreadable(record_id: String, row: RejectedRow, fields: &[FieldMapping]) -> Preview {
    let target = fields.iter().find(|field| field.source == row.column);
    let fault = FieldFault {
        campaign_field: target.map(|field| field.target.clone()).unwrap_or_default(),
        dynamics_field: row.column,
        code: RejectedRow::CODE.to_owned(),
        message: format!("{}. Correct the value in the record, or the column's type.", row.reason),
    };
    let mut preview = Preview {
        record_id,
        errors: vec![fault],
        ..Preview::default()
    };
    preview.set_effect(Effect::Rejected);
    preview
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn difference(only_by_replay: bool) -> FieldDifference {
        FieldDifference {
            field: "city".to_owned(),
            mapped: serde_json::json!("Paris"),
            held: None,
            only_by_replay,
        }
    }

    #[test]
    fn what_no_change_would_write_is_no_update() {
        for (differences, expected) in [
            (None, Effect::Create),
            (Some(vec![]), Effect::Unchanged),
            (Some(vec![difference(true)]), Effect::Unchanged),
            (Some(vec![difference(true), difference(false)]), Effect::Update),
        ] {
            assert_eq!(of_passing(differences.as_deref()), expected, "{differences:?}");
        }
    }

    #[test]
    fn what_we_wrote_is_deleted_and_where_nobody_knows_that_is_said() {
        for (written, effect, unknown) in [
            (Some(true), Effect::Delete, false),
            (Some(false), Effect::Filtered, false),
            (None, Effect::Filtered, true),
        ] {
            let mut preview = Preview::default();
            set_deletion(&mut preview, written);
            assert_eq!((preview.effect(), preview.deletion_unknown), (effect, unknown));
        }
    }

    #[test]
    fn a_row_that_cannot_be_read_is_rejected_with_its_column_and_field() {
        let row = RejectedRow {
            id: Uuid::nil(),
            version: None,
            column: "birthdate".to_owned(),
            reason: "expected a date, found `soon`".to_owned(),
        };
        let fields = [FieldMapping::new("birthdate", "birthDate")];
        let preview = of_unreadable("a1".to_owned(), row, &fields);
        assert_eq!((preview.effect(), preview.record_id.as_str()), (Effect::Rejected, "a1"));
        let fault = &preview.errors[0];
        assert_eq!(
            (fault.dynamics_field.as_str(), fault.campaign_field.as_str()),
            ("birthdate", "birthDate")
        );
        assert!(
            fault.code == RejectedRow::CODE && fault.message.contains("soon"),
            "{fault:?}"
        );
    }
}
