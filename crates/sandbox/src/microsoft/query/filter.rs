//! Filter expressions of rows: `eq ne gt ge lt le and or not`, `contains startswith endswith`
//! (contracts/dataverse.md §2.5).

use super::lexer::{Token, tokens};
use crate::microsoft::errors::ApiError;
use crate::microsoft::literal::cell_of_literal;
use crate::microsoft::schema::TableDefinition;
use crate::microsoft::store::Cell;

/// A comparison operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Comparison {
    /// `eq`
    Equal,
    /// `ne`
    NotEqual,
    /// `gt`
    Greater,
    /// `ge`
    GreaterOrEqual,
    /// `lt`
    Less,
    /// `le`
    LessOrEqual,
}

/// A text function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Function {
    /// `contains`
    Contains,
    /// `startswith`
    StartsWith,
    /// `endswith`
    EndsWith,
}

/// What a column is compared with.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Operand {
    /// `null`
    Null,
    /// A literal, as a value of the column.
    Value(Cell),
}

/// A parsed filter over the columns of one table.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Filter {
    /// Column, operator, operand.
    Compare(usize, Comparison, Operand),
    /// Column, function, text in lower case.
    Call(usize, Function, String),
    /// Both hold.
    And(Box<Self>, Box<Self>),
    /// One holds.
    Or(Box<Self>, Box<Self>),
    /// It does not hold.
    Not(Box<Self>),
}

/// Parses a `$filter`.
pub(crate) fn parse_filter(text: &str, table: &TableDefinition) -> Result<Filter, ApiError> {
    let mut parser = Parser {
        tokens: tokens(text)?,
        position: 0,
        text,
        table,
    };
    let filter = parser.disjunction()?;
    if parser.position < parser.tokens.len() {
        return Err(parser.syntax_error());
    }
    Ok(filter)
}

struct Parser<'query> {
    tokens: Vec<Token>,
    position: usize,
    text: &'query str,
    table: &'query TableDefinition,
}

impl Parser<'_> {
    fn disjunction(&mut self) -> Result<Filter, ApiError> {
        let mut left = self.conjunction()?;
        while self.take_word("or") {
            left = Filter::Or(Box::new(left), Box::new(self.conjunction()?));
        }
        Ok(left)
    }

    fn conjunction(&mut self) -> Result<Filter, ApiError> {
        let mut left = self.term()?;
        while self.take_word("and") {
            left = Filter::And(Box::new(left), Box::new(self.term()?));
        }
        Ok(left)
    }

    fn term(&mut self) -> Result<Filter, ApiError> {
        if self.take_word("not") {
            return Ok(Filter::Not(Box::new(self.term()?)));
        }
        if self.take(&Token::Open) {
            let inner = self.disjunction()?;
            self.expect(&Token::Close)?;
            return Ok(inner);
        }
        let word = self.word()?;
        match self.tokens.get(self.position) {
            Some(Token::Open) => self.call(&word),
            _ => self.comparison(&word),
        }
    }

    fn call(&mut self, name: &str) -> Result<Filter, ApiError> {
        let function = match name {
            "contains" => Function::Contains,
            "startswith" => Function::StartsWith,
            "endswith" => Function::EndsWith,
            _ => {
                return Err(ApiError::bad_request(format!(
                    "An unknown function with name '{name}' was found."
                )));
            }
        };
        self.expect(&Token::Open)?;
        let property = self.word()?;
        let column = self.column(&property)?;
        self.expect(&Token::Comma)?;
        let Some(Token::Text(text)) = self.tokens.get(self.position).cloned() else {
            return Err(self.syntax_error());
        };
        self.position += 1;
        self.expect(&Token::Close)?;
        Ok(Filter::Call(column, function, text.to_lowercase()))
    }

    fn comparison(&mut self, property: &str) -> Result<Filter, ApiError> {
        let column = self.column(property)?;
        let comparison = match self.word()?.as_str() {
            "eq" => Comparison::Equal,
            "ne" => Comparison::NotEqual,
            "gt" => Comparison::Greater,
            "ge" => Comparison::GreaterOrEqual,
            "lt" => Comparison::Less,
            "le" => Comparison::LessOrEqual,
            _ => return Err(self.syntax_error()),
        };
        let literal = self
            .tokens
            .get(self.position)
            .cloned()
            .ok_or_else(|| self.syntax_error())?;
        self.position += 1;
        let operand = match literal {
            Token::Word(word) if word == "null" => Operand::Null,
            Token::Word(word) => Operand::Value(self.literal(column, &word, false)?),
            Token::Text(text) => Operand::Value(self.literal(column, &text, true)?),
            _ => return Err(self.syntax_error()),
        };
        Ok(Filter::Compare(column, comparison, operand))
    }

    fn literal(&self, column: usize, text: &str, quoted: bool) -> Result<Cell, ApiError> {
        let definition = &self.table.columns[column];
        cell_of_literal(&definition.kind, text, quoted).ok_or_else(|| {
            ApiError::bad_request(format!(
                "A binary operator with incompatible types was detected. Found operand types '{}' and '{text}' for \
                 property '{}'.",
                definition.kind.edm_type(),
                definition.property
            ))
        })
    }

    fn column(&self, property: &str) -> Result<usize, ApiError> {
        self.table
            .property(property)
            .ok_or_else(|| ApiError::unknown_property(property, self.table))
    }

    fn word(&mut self) -> Result<String, ApiError> {
        match self.tokens.get(self.position) {
            Some(Token::Word(word)) => {
                self.position += 1;
                Ok(word.clone())
            }
            _ => Err(self.syntax_error()),
        }
    }

    fn take_word(&mut self, word: &str) -> bool {
        self.take(&Token::Word(word.to_owned()))
    }

    fn take(&mut self, token: &Token) -> bool {
        let found = self.tokens.get(self.position) == Some(token);
        self.position += usize::from(found);
        found
    }

    fn expect(&mut self, token: &Token) -> Result<(), ApiError> {
        if self.take(token) {
            Ok(())
        } else {
            Err(self.syntax_error())
        }
    }

    fn syntax_error(&self) -> ApiError {
        ApiError::bad_request(format!(
            "Syntax error at position {} in '{}'.",
            self.position, self.text
        ))
    }
}
