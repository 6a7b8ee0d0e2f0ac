//! One JSON value of any shape, looked at without building it.
//!
//! A shape that does not fit is a finding here, not a parse error: the parser must go on to the next value.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// The shape of a JSON value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Shape<'a> {
    Null,
    Boolean(bool),
    /// Its digits are not looked at.
    Number,
    Text(&'a str),
    Array,
    Object,
}

/// Hands the next value to a function.
pub(super) struct Look<F>(pub(super) F);

impl<'de, R, F: FnOnce(Shape<'_>) -> R> DeserializeSeed<'de> for Look<F> {
    type Value = R;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<R, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, R, F: FnOnce(Shape<'_>) -> R> Visitor<'de> for Look<F> {
    type Value = R;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<R, E> {
        Ok((self.0)(Shape::Null))
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<R, E> {
        Ok((self.0)(Shape::Boolean(value)))
    }

    fn visit_i64<E: Error>(self, _value: i64) -> Result<R, E> {
        Ok((self.0)(Shape::Number))
    }

    fn visit_u64<E: Error>(self, _value: u64) -> Result<R, E> {
        Ok((self.0)(Shape::Number))
    }

    fn visit_f64<E: Error>(self, _value: f64) -> Result<R, E> {
        Ok((self.0)(Shape::Number))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<R, E> {
        Ok((self.0)(Shape::Text(value)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<R, A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok((self.0)(Shape::Array))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<R, A::Error> {
        while members.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok((self.0)(Shape::Object))
    }
}
