//! What a new row starts with, and the state machine of state and status reason.

use uuid::Uuid;

use super::error::WriteError;
use super::organization::{Actor, CellChange};
use super::value::Cell;
use crate::microsoft::schema::{ColumnKind, OptionChoice, TableDefinition};

/// Fills the defaults of a new row.
pub(super) fn set_defaults(definition: &TableDefinition, cells: &mut [Option<Cell>], actor: Actor) {
    for (index, column) in definition.columns.iter().enumerate() {
        cells[index] = match &column.kind {
            ColumnKind::Boolean { default, .. } => Some(Cell::Boolean(*default)),
            ColumnKind::State(_) => Some(Cell::Integer(0)),
            ColumnKind::Status(_) => Some(Cell::Integer(1)),
            // The untouched "Default Value" choices are set on every row.
            ColumnKind::Picklist(set) if set.options.len() == 1 => Some(Cell::Integer(set.options[0].value.into())),
            ColumnKind::Lookup { .. } if column.logical_name == "ownerid" => Some(Cell::Reference(0, actor.user)),
            _ => continue,
        };
    }
}

/// Applies changes of state and status reason together: a state without reason takes its default reason, a reason must
/// belong to the state.
pub(super) fn set_state(
    definition: &TableDefinition,
    id: Uuid,
    cells: &mut [Option<Cell>],
    changes: &[CellChange],
) -> Result<(), WriteError> {
    let (Some(state), Some(status)) = (definition.column("statecode"), definition.column("statuscode")) else {
        return Ok(());
    };
    let (old_state, old_status) = (integer(cells[state].as_ref()), integer(cells[status].as_ref()));
    let new_state = asked(changes, state).or(old_state).unwrap_or(0);
    let state_choice = choice(definition, state, new_state);
    let new_status = match asked(changes, status) {
        Some(status) => status,
        None if Some(new_state) != old_state => state_choice.and_then(|state| state.linked).map_or(1, i64::from),
        None => old_status.unwrap_or(1),
    };
    let state_of_status = choice(definition, status, new_status).and_then(|status| status.linked);
    if state_of_status.map(i64::from) != Some(new_state) {
        let label = state_choice
            .and_then(|state| state.label.as_deref())
            .unwrap_or_default();
        return Err(WriteError::StatusOfOtherState {
            status: new_status,
            state: format!("{}State.{label}", definition.schema_name),
            table: definition.logical_name.clone(),
            id,
        });
    }
    cells[state] = Some(Cell::Integer(new_state));
    cells[status] = Some(Cell::Integer(new_status));
    Ok(())
}

fn asked(changes: &[CellChange], column: usize) -> Option<i64> {
    let (_, cell) = changes.iter().rev().find(|(changed, _)| *changed == column)?;
    integer(cell.as_ref())
}

fn integer(cell: Option<&Cell>) -> Option<i64> {
    match cell {
        Some(Cell::Integer(value)) => Some(*value),
        _ => None,
    }
}

fn choice(definition: &TableDefinition, column: usize, value: i64) -> Option<&OptionChoice> {
    let set = definition.columns[column].kind.option_set()?;
    set.choice(i32::try_from(value).ok()?)
}
