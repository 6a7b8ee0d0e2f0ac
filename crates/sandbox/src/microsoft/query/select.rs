//! `$select`.

use crate::microsoft::errors::ApiError;
use crate::microsoft::schema::TableDefinition;

/// The columns of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Selection {
    /// Columns in the order they are written; the primary id is always among them.
    pub columns: Vec<usize>,
    /// The list as it was asked for, for the context URL; `None` without `$select`.
    pub asked: Option<String>,
}

impl Selection {
    /// Parses a `$select`; without one, all readable columns.
    pub(crate) fn parse(select: Option<&str>, table: &TableDefinition) -> Result<Self, ApiError> {
        let Some(select) = select
            .map(str::trim)
            .filter(|select| !select.is_empty() && *select != "*")
        else {
            let columns = table
                .live_columns()
                .filter(|(_, column)| column.readable)
                .map(|(index, _)| index)
                .collect();
            return Ok(Self { columns, asked: None });
        };
        let mut columns = Vec::new();
        let mut names = Vec::new();
        for name in select.split(',').map(str::trim) {
            let column = table
                .property(name)
                // The product also takes the logical name of a lookup.
                .or_else(|| table.column(name))
                .ok_or_else(|| ApiError::unknown_property(name, table))?;
            names.push(table.columns[column].property.as_str());
            push_new(&mut columns, column);
        }
        for position in 0..columns.len() {
            let companion = table.columns[columns[position]].accompanied_by.as_deref();
            if let Some(companion) = companion.and_then(|name| table.column(name)) {
                push_new(&mut columns, companion);
            }
        }
        push_new(&mut columns, TableDefinition::PRIMARY_ID);
        Ok(Self {
            columns,
            asked: Some(names.join(",")),
        })
    }

    /// The selection part of a context URL: `(a,b)`, or nothing.
    pub(crate) fn context(&self) -> String {
        self.asked
            .as_ref()
            .map(|asked| format!("({asked})"))
            .unwrap_or_default()
    }
}

fn push_new(columns: &mut Vec<usize>, column: usize) {
    if !columns.contains(&column) {
        columns.push(column);
    }
}
