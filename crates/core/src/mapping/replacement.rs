//! Replacements made ready to be applied to many values.

use std::borrow::Cow;

use super::{ChoiceForm, ConvertError, Literal, TableMapping, convert, literal::Case};
use crate::{Choice, Value};

/// The replacements of one column, in the user's order; the first that fits counts.
#[derive(Debug)]
pub(super) struct CompiledReplacements(Vec<CompiledReplacement>);

#[derive(Debug)]
struct CompiledReplacement {
    existing: Literal,
    new: Value,
}

impl CompiledReplacements {
    /// Prepares the replacements of a column.
    pub(super) fn of(mapping: &TableMapping, column: &str) -> Self {
        let of_column = mapping.replacements.iter().filter(|one| one.source == column);
        Self(
            of_column
                .map(|one| CompiledReplacement {
                    existing: Literal::new(&one.existing),
                    new: Value::Text(one.new.as_str().into()),
                })
                .collect(),
        )
    }

    /// The value to convert: the one given, or what replaces it. Of a list of options each is replaced by itself.
    ///
    /// # Errors
    /// An option that is written beside replaced ones has no label, and the mapping asks for labels.
    pub(super) fn apply<'a>(&'a self, value: &'a Value, form: ChoiceForm) -> Result<Cow<'a, Value>, ConvertError> {
        match value {
            _ if self.0.is_empty() => Ok(Cow::Borrowed(value)),
            Value::Choices(choices) if choices.iter().any(|choice| self.of_option(choice).is_some()) => {
                self.list(choices, form).map(Cow::Owned)
            }
            _ => Ok(Cow::Borrowed(self.of_value(value).unwrap_or(value))),
        }
    }

    fn of_value(&self, value: &Value) -> Option<&Value> {
        // Letter by letter: a replacement that only changes the case must be possible, and must not apply to its result.
        let fits = |one: &&CompiledReplacement| one.existing.equals(value, Case::Sensitive);
        self.0.iter().find(fits).map(|one| &one.new)
    }

    fn of_option(&self, choice: &Choice) -> Option<&Value> {
        let fits = |one: &&CompiledReplacement| one.existing.is_choice(choice);
        self.0.iter().find(fits).map(|one| &one.new)
    }

    fn list(&self, choices: &[Choice], form: ChoiceForm) -> Result<Value, ConvertError> {
        let parts = choices.iter().map(|choice| match self.of_option(choice) {
            Some(Value::Text(text)) => Ok(Cow::Borrowed(&**text)),
            _ => convert::option_text(choice, form),
        });
        // An option replaced by the empty text is left out.
        let parts: Vec<Cow<'_, str>> = parts
            .filter(|part| !matches!(part, Ok(part) if part.is_empty()))
            .collect::<Result<_, _>>()?;
        Ok(Value::Text(parts.join(convert::separator(form)).into()))
    }
}
