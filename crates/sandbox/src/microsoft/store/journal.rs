//! Taking writes back: what a change set and a bulk message need to be all or nothing (contracts/dataverse.md §5.6,
//! §5.7).
//!
//! While a journal is kept, every change of a row leaves behind what the row was before. Taking back goes through them
//! from the last to the first, so a transaction costs in proportion to what it wrote, however many rows there are.

use uuid::Uuid;

use super::organization::{Organization, lookup_columns, references_of};
use super::table::Row;

/// What a table knew of a row before a change.
#[derive(Debug)]
pub(super) struct Before {
    /// The row, if there was one.
    pub row: Option<Row>,
    /// Version of its last deletion, if it was gone.
    pub deleted: Option<u64>,
}

/// A change that can be taken back.
#[derive(Debug)]
pub(super) struct Undo {
    table: usize,
    id: Uuid,
    before: Before,
}

impl Organization {
    /// Runs writes of which all take effect or, if one is refused, none. May be nested: an inner refusal takes back the
    /// inner writes only.
    ///
    /// Versions that were given out stay used up, as the product's are; rows, history, keys and references are as before.
    ///
    /// # Errors
    /// What `run` refuses.
    pub fn all_or_nothing<Done, Refused>(
        &mut self,
        run: impl FnOnce(&mut Self) -> Result<Done, Refused>,
    ) -> Result<Done, Refused> {
        let is_outermost = self.journal.is_none();
        let start = self.journal.get_or_insert_default().len();
        let result = run(self);
        if result.is_err() {
            self.take_back_to(start);
        }
        if is_outermost {
            self.journal = None;
        }
        result
    }

    /// Notes a change while a journal is kept.
    pub(super) fn note(&mut self, table: usize, id: Uuid, before: Before) {
        if let Some(journal) = &mut self.journal {
            journal.push(Undo { table, id, before });
        }
    }

    fn take_back_to(&mut self, start: usize) {
        let undone = self
            .journal
            .as_mut()
            .map_or_else(Vec::new, |journal| journal.split_off(start));
        for Undo { table, id, before } in undone.into_iter().rev() {
            self.take_back(table, id, before);
        }
    }

    fn take_back(&mut self, table: usize, id: Uuid, before: Before) {
        let lookups = lookup_columns(self.tables[table].definition());
        let targets = |row: Option<&Row>| -> Vec<Uuid> {
            row.map_or_else(Vec::new, |row| references_of(&row.cells, &lookups).collect())
        };
        let written = targets(self.tables[table].row(id));
        for target in targets(before.row.as_ref()) {
            *self.references.entry(target).or_default() += 1;
        }
        for target in written {
            self.forget_reference(target);
        }
        self.tables[table].take_back(id, before);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::microsoft::schema::standard_tables;
    use crate::microsoft::store::{Actor, Cell, CellChange, WriteError};

    const ACTOR: Actor = Actor {
        user: Uuid::from_u128(1),
        business_unit: Uuid::from_u128(2),
    };
    const ACCOUNT: Uuid = Uuid::from_u128(10);
    const CONTACT: Uuid = Uuid::from_u128(20);

    fn text(organization: &Organization, table: usize, column: &str, value: &str) -> CellChange {
        let definition = organization.table(table).definition();
        (definition.column(column).unwrap(), Some(Cell::text(value)))
    }

    /// An organization with an account a contact belongs to, and the indices of both tables.
    fn organization() -> (Organization, usize, usize) {
        let mut organization = Organization::new(standard_tables(), 0);
        let accounts = organization.table_named("account").unwrap();
        let contacts = organization.table_named("contact").unwrap();
        let number = text(&organization, accounts, "accountnumber", "A-1");
        organization.create(accounts, ACCOUNT, vec![number], ACTOR, 5).unwrap();
        let parent = organization
            .table(contacts)
            .definition()
            .column("parentcustomerid")
            .unwrap();
        let changes = vec![(parent, Some(Cell::Reference(0, ACCOUNT)))];
        organization.create(contacts, CONTACT, changes, ACTOR, 5).unwrap();
        (organization, accounts, contacts)
    }

    /// Everything a client can see of both tables.
    fn shown(organization: &Organization) -> String {
        let table = |table: &super::super::Table| {
            let changes: Vec<_> = [false, true]
                .into_iter()
                .flat_map(|deleted| table.changes(0, u64::MAX, deleted))
                .collect();
            format!("{:?} {changes:?}", table.rows())
        };
        organization.tables().iter().map(table).collect()
    }

    #[test]
    fn refused_writes_leave_rows_history_keys_and_references_as_they_were() {
        let (mut organization, accounts, contacts) = organization();
        let before = shown(&organization);
        let refused = organization.all_or_nothing(|organization| {
            let second = text(organization, accounts, "accountnumber", "A-2");
            organization.create(accounts, Uuid::from_u128(11), vec![second], ACTOR, 6)?;
            let renumbered = text(organization, accounts, "accountnumber", "A-3");
            organization.update(accounts, ACCOUNT, vec![renumbered], ACTOR, 6)?;
            // Clears the contact's lookup, which is a write of its own.
            organization.delete(accounts, ACCOUNT, ACTOR, 6)?;
            organization.delete(contacts, CONTACT, ACTOR, 6)?;
            organization.delete(contacts, CONTACT, ACTOR, 6)
        });
        assert!(matches!(refused, Err(WriteError::NotFound { .. })), "{refused:?}");
        assert_eq!(shown(&organization), before);
        let of_key = |number: &str| organization.row_of_key(accounts, 0, vec![Cell::text(number)]);
        assert_eq!(
            (of_key("A-1"), of_key("A-2"), of_key("A-3")),
            (Some(ACCOUNT), None, None)
        );
        assert_eq!(organization.references.get(&ACCOUNT), Some(&1));
    }

    #[test]
    fn accepted_writes_stay_and_no_journal_is_kept_afterwards() {
        let (mut organization, accounts, _) = organization();
        let done = organization
            .all_or_nothing(|organization| organization.create(accounts, Uuid::from_u128(11), vec![], ACTOR, 6));
        assert!(done.is_ok());
        assert!(organization.table(accounts).row(Uuid::from_u128(11)).is_some());
        assert!(organization.journal.is_none());
    }

    #[test]
    fn an_inner_refusal_takes_back_the_inner_writes_only() {
        let (mut organization, accounts, _) = organization();
        let create = |organization: &mut Organization, id: u128| {
            organization.create(accounts, Uuid::from_u128(id), vec![], ACTOR, 6)
        };
        let done: Result<(), WriteError> = organization.all_or_nothing(|organization| {
            create(organization, 11)?;
            let inner = organization.all_or_nothing(|organization| {
                create(organization, 12)?;
                create(organization, 11)
            });
            assert_eq!(inner, Err(WriteError::DuplicateId));
            Ok(())
        });
        assert_eq!(done, Ok(()));
        let exists = |id: u128| organization.table(accounts).row(Uuid::from_u128(id)).is_some();
        assert!(exists(11) && !exists(12));
    }

    #[test]
    fn a_deletion_taken_back_is_no_deletion_in_the_history() {
        let (mut organization, _, contacts) = organization();
        let since = organization.version();
        let refused: Result<(), WriteError> = organization.all_or_nothing(|organization| {
            organization.delete(contacts, CONTACT, ACTOR, 6)?;
            organization.create(contacts, CONTACT, vec![], ACTOR, 6)?;
            Err(WriteError::DuplicateId)
        });
        assert!(refused.is_err());
        let table = organization.table(contacts);
        assert_eq!(table.changes(since, u64::MAX, true).count(), 0);
        assert_eq!(table.changes(since, u64::MAX, false).count(), 0);
        assert!(table.row(CONTACT).is_some());
    }
}
