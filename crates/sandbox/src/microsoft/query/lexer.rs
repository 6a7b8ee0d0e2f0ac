//! Tokens of a filter expression.

use crate::microsoft::errors::ApiError;

/// A token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::microsoft) enum Token {
    /// A name, keyword, number, GUID or date: everything unquoted between separators.
    Word(String),
    /// A quoted string with doubled quotes undone.
    Text(String),
    /// `(`
    Open,
    /// `)`
    Close,
    /// `,`
    Comma,
}

/// Splits a filter into tokens.
pub(in crate::microsoft) fn tokens(text: &str) -> Result<Vec<Token>, ApiError> {
    let mut tokens = Vec::new();
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.peek().copied() {
        match character {
            ' ' => {
                characters.next();
            }
            '(' | ')' | ',' => {
                characters.next();
                tokens.push(match character {
                    '(' => Token::Open,
                    ')' => Token::Close,
                    _ => Token::Comma,
                });
            }
            '\'' => {
                characters.next();
                tokens.push(Token::Text(quoted(&mut characters, text)?));
            }
            _ => {
                let mut word = String::new();
                while let Some(next) = characters.next_if(|next| !matches!(next, ' ' | '(' | ')' | ',' | '\'')) {
                    word.push(next);
                }
                tokens.push(Token::Word(word));
            }
        }
    }
    Ok(tokens)
}

fn quoted(characters: &mut std::iter::Peekable<std::str::Chars<'_>>, whole: &str) -> Result<String, ApiError> {
    let mut text = String::new();
    loop {
        match characters.next() {
            Some('\'') if characters.next_if_eq(&'\'').is_some() => text.push('\''),
            Some('\'') => return Ok(text),
            Some(character) => text.push(character),
            None => {
                return Err(ApiError::bad_request(format!(
                    "There is an unterminated string literal at position {} in '{whole}'.",
                    whole.chars().count()
                )));
            }
        }
    }
}
