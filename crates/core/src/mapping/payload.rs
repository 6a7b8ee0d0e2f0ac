//! A mapped row, ready to be sent.

use uuid::Uuid;

use super::{
    CompiledMapping, TargetValue,
    compiled::{CompiledField, MemberName},
    target_value::write_quoted,
};

/// Which fields of a row are meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// All: what an insert, the initial load and a replay write.
    All,
    /// Those that later changes are applied to.
    Updates,
    /// Those that later changes leave alone.
    InsertOnly,
}

impl Part {
    const fn has(self, field: &CompiledField) -> bool {
        match self {
            Self::All => true,
            Self::Updates => field.apply_updates,
            Self::InsertOnly => !field.apply_updates,
        }
    }
}

/// What one source row comes to in Campaign. Borrows from the row and the mapping.
#[derive(Debug, Clone)]
pub struct Payload<'a> {
    mapping: &'a CompiledMapping,
    key: Uuid,
    /// By place in the mapping; `None` where the target is left as it is.
    values: Vec<Option<TargetValue<'a>>>,
}

impl<'a> Payload<'a> {
    pub(super) const fn new(mapping: &'a CompiledMapping, key: Uuid, values: Vec<Option<TargetValue<'a>>>) -> Self {
        Self { mapping, key, values }
    }

    /// The record's id.
    #[must_use]
    pub const fn key(&self) -> Uuid {
        self.key
    }

    /// Paths and values of the fields that are written, the key aside, in the order of the mapping.
    pub fn values(&self) -> impl Iterator<Item = (&'a str, &TargetValue<'a>)> {
        let fields = self.mapping.fields().iter();
        fields
            .zip(&self.values)
            .filter_map(|(field, value)| Some((field.target.path.as_str(), value.as_ref()?)))
    }

    /// Appends a part of the row as a JSON object: the key first, then the other fields sorted by path, the members of a
    /// group in one object. The same row under the same mapping gives the same bytes.
    pub fn write_json(&self, part: Part, out: &mut Vec<u8>) {
        out.push(b'{');
        out.extend_from_slice(self.mapping.key_member().as_bytes());
        write_quoted(self.key.as_hyphenated(), out);
        let mut open: &[MemberName] = &[];
        for (field, value) in self.in_json_order().filter(|(field, _)| part.has(field)) {
            let common = open
                .iter()
                .zip(&field.groups)
                .take_while(|(one, other)| one == other)
                .count();
            close(open.len() - common, out);
            out.push(b',');
            for group in &field.groups[common..] {
                out.extend_from_slice(group.as_bytes());
                out.push(b'{');
            }
            out.extend_from_slice(field.member.as_bytes());
            value.write_json(out);
            open = &field.groups;
        }
        close(open.len() + 1, out);
    }

    fn in_json_order(&self) -> impl Iterator<Item = (&'a CompiledField, &TargetValue<'a>)> {
        let fields = self.mapping.fields();
        self.mapping
            .json_order()
            .iter()
            .filter_map(|place| Some((&fields[*place], self.values[*place].as_ref()?)))
    }
}

fn close(objects: usize, out: &mut Vec<u8>) {
    out.extend(std::iter::repeat_n(b'}', objects));
}
