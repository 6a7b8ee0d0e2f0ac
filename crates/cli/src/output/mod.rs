//! Writing results and messages. Results go to standard output, all else to standard error.

mod moment;
mod table;

use std::{
    fmt,
    io::{self, Write as _},
};

use serde::Serialize;

pub(crate) use self::{
    moment::{ago, ago_or_dash},
    table::{DASH, count, details, shorten, table},
};
use crate::{arguments::Format, failure::Failure};

/// Writes results in the chosen format.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Output {
    format: Format,
}

impl Output {
    /// Writes in `format` to standard output.
    pub(crate) fn new(format: Format) -> Self {
        Self { format }
    }

    /// The chosen format.
    pub(crate) fn format(self) -> Format {
        self.format
    }

    /// Writes a result: `data` as JSON, or what `table` makes of it.
    ///
    /// # Errors
    /// [`Failure::Output`] if standard output cannot be written.
    pub(crate) fn write<Data: Serialize + ?Sized>(
        self,
        data: &Data,
        table: impl FnOnce(&Data) -> String,
    ) -> Result<(), Failure> {
        match self.format {
            Format::Table => self.text(&table(data)),
            Format::Json => self.text(&serde_json::to_string_pretty(data)?),
        }
    }

    /// Writes a result as one line of JSON.
    ///
    /// # Errors
    /// As [`Output::write`].
    pub(crate) fn json_line(self, data: &impl Serialize) -> Result<(), Failure> {
        self.text(&serde_json::to_string(data)?)
    }

    /// Writes text with a line end, unless there is none.
    ///
    /// # Errors
    /// As [`Output::write`].
    pub(crate) fn text(self, text: &str) -> Result<(), Failure> {
        if text.is_empty() {
            return Ok(());
        }
        let mut stdout = io::stdout().lock();
        writeln!(stdout, "{text}")?;
        stdout.flush()?;
        Ok(())
    }
}

/// Tells the user something on standard error. That nobody can read it does not matter.
pub(crate) fn notice(message: fmt::Arguments<'_>) {
    let _ = writeln!(io::stderr().lock(), "{message}");
}
