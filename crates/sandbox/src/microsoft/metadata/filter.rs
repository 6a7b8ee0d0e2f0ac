//! `$filter` on metadata: simple comparisons joined by `and`, `or`, `not`; functions answer 501
//! (contracts/dataverse.md §4.1).

use std::cmp::Ordering;

use serde_json::Value;

use crate::microsoft::errors::ApiError;
use crate::microsoft::query::lexer::{Token, tokens};

/// Whether an item matches a filter.
pub(super) fn matches(filter: &str, item: &Value) -> Result<bool, ApiError> {
    evaluate(filter, item, Ord::cmp)
}

/// Whether an item matches a filter that compares text without regard to case, as filters on rows do.
pub(in crate::microsoft) fn matches_ignoring_case(filter: &str, item: &Value) -> Result<bool, ApiError> {
    evaluate(filter, item, |left, right| {
        left.to_lowercase().cmp(&right.to_lowercase())
    })
}

fn evaluate(filter: &str, item: &Value, compare: fn(&str, &str) -> Ordering) -> Result<bool, ApiError> {
    let mut evaluation = Evaluation {
        tokens: tokens(filter)?,
        position: 0,
        filter,
        item,
        compare,
    };
    let result = evaluation.disjunction()?;
    if evaluation.position < evaluation.tokens.len() {
        return Err(evaluation.syntax_error());
    }
    Ok(result)
}

struct Evaluation<'filter> {
    tokens: Vec<Token>,
    position: usize,
    filter: &'filter str,
    item: &'filter Value,
    /// How text compares.
    compare: fn(&str, &str) -> Ordering,
}

impl Evaluation<'_> {
    fn disjunction(&mut self) -> Result<bool, ApiError> {
        let mut result = self.conjunction()?;
        while self.take_word("or") {
            result |= self.conjunction()?;
        }
        Ok(result)
    }

    fn conjunction(&mut self) -> Result<bool, ApiError> {
        let mut result = self.term()?;
        while self.take_word("and") {
            result &= self.term()?;
        }
        Ok(result)
    }

    fn term(&mut self) -> Result<bool, ApiError> {
        if self.take_word("not") {
            return Ok(!self.term()?);
        }
        match self.next() {
            Some(Token::Open) => {
                let result = self.disjunction()?;
                if self.next() == Some(Token::Close) {
                    Ok(result)
                } else {
                    Err(self.syntax_error())
                }
            }
            Some(Token::Word(word)) if self.tokens.get(self.position) == Some(&Token::Open) => {
                Err(ApiError::not_implemented(format!(
                    "The \"{word}\" function isn't supported for Metadata Entities."
                )))
            }
            Some(Token::Word(path)) => self.comparison(&path),
            _ => Err(self.syntax_error()),
        }
    }

    fn comparison(&mut self, path: &str) -> Result<bool, ApiError> {
        let mut value = self.item;
        for part in path.split('/') {
            value = value.get(part).ok_or_else(|| {
                ApiError::bad_request(format!(
                    "Could not find a property named '{part}' on the metadata type."
                ))
            })?;
        }
        let Some(Token::Word(operator)) = self.next() else {
            return Err(self.syntax_error());
        };
        let literal = self.literal()?;
        let shown = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let ordering = match (shown.parse::<f64>(), literal.parse::<f64>()) {
            (Ok(left), Ok(right)) => left.total_cmp(&right),
            _ => (self.compare)(&shown, &literal),
        };
        match operator.as_str() {
            "eq" => Ok(ordering.is_eq()),
            "ne" => Ok(ordering.is_ne()),
            "gt" => Ok(ordering.is_gt()),
            "ge" => Ok(ordering.is_ge()),
            "lt" => Ok(ordering.is_lt()),
            "le" => Ok(ordering.is_le()),
            _ => Err(self.syntax_error()),
        }
    }

    /// A literal; for an enum (`Microsoft.Dynamics.CRM.OwnershipTypes'UserOwned'`) the text in quotes.
    fn literal(&mut self) -> Result<String, ApiError> {
        match self.next() {
            Some(Token::Text(text)) => Ok(text),
            Some(Token::Word(word)) => match self.tokens.get(self.position) {
                Some(Token::Text(text)) => {
                    let text = text.clone();
                    self.position += 1;
                    Ok(text)
                }
                _ => Ok(word),
            },
            _ => Err(self.syntax_error()),
        }
    }

    fn next(&mut self) -> Option<Token> {
        let token = self.tokens.get(self.position).cloned();
        self.position += 1;
        token
    }

    fn take_word(&mut self, word: &str) -> bool {
        let found = matches!(self.tokens.get(self.position), Some(Token::Word(found)) if found == word);
        self.position += usize::from(found);
        found
    }

    fn syntax_error(&self) -> ApiError {
        ApiError::bad_request(format!(
            "Syntax error at position {} in '{}'.",
            self.position, self.filter
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn comparisons_reach_into_managed_properties_and_enums() {
        let item =
            json!({"LogicalName": "contact", "Tracked": {"Value": true}, "OwnershipType": "UserOwned", "Code": 2});
        for filter in [
            "LogicalName eq 'contact' and Tracked/Value eq true",
            "OwnershipType eq Microsoft.Dynamics.CRM.OwnershipTypes'UserOwned'",
            "not (Code gt 2) and (Code eq 1 or Code eq 2)",
        ] {
            assert_eq!(matches(filter, &item), Ok(true), "{filter}");
        }
        assert_eq!(matches("LogicalName ne 'contact'", &item), Ok(false));
    }

    #[test]
    fn filters_on_rows_compare_text_without_regard_to_case() {
        let item = json!({"sdkmessageid": {"name": "CreateMultiple"}});
        let filter = "sdkmessageid/name eq 'createmultiple'";
        assert_eq!(matches_ignoring_case(filter, &item), Ok(true));
        assert_eq!(matches(filter, &item), Ok(false));
    }

    #[test]
    fn functions_are_not_implemented() {
        let error = matches("startswith(LogicalName,'con')", &json!({"LogicalName": "contact"})).unwrap_err();
        assert_eq!(error.status, 501);
        assert_eq!(
            error.message,
            "The \"startswith\" function isn't supported for Metadata Entities."
        );
    }
}
