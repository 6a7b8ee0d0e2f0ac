//! Resources and fields of Adobe Campaign (contracts/campaign.md §2.3, §5.1).

/// A Campaign resource.
#[derive(Debug, Clone, PartialEq)]
pub struct Resource {
    /// API name, e.g. `profile` or `cusOrder`.
    pub name: String,
    /// Label, or the name where there is none.
    pub label: String,
    /// All fields, sorted by path; fields of nested items stand as `location.city`. Empty where only the resource was
    /// asked for.
    pub fields: Vec<Field>,
}

impl Resource {
    /// The field of that path.
    #[must_use]
    pub fn field(&self, path: &str) -> Option<&Field> {
        self.fields
            .binary_search_by(|field| field.path.as_str().cmp(path))
            .ok()
            .map(|place| &self.fields[place])
    }
}

/// A field of a Campaign resource.
#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    /// API name; a member of a nested item is written `item.member`.
    pub path: String,
    /// Label, or the path where there is none.
    pub label: String,
    /// Its type.
    pub field_type: FieldType,
    /// Longest text it can hold, in characters; only for text fields.
    pub max_length: Option<u32>,
    /// The permitted values of an enumeration; empty for other types. Never holds `__Invalid_value__`.
    pub values: Vec<EnumerationValue>,
    /// Whether the API accepts it in a body.
    pub writable: bool,
    /// Where it is a link to one record: the resource that is linked to.
    pub link_target: Option<String>,
}

/// One permitted value of an enumeration. Writes use the name (contracts/campaign.md §2.3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnumerationValue {
    /// What is sent, e.g. `female`.
    pub name: String,
    /// What people read, where the metadata tells one.
    pub label: Option<String>,
}

/// The type of a Campaign field (contracts/campaign.md §5.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FieldType {
    /// Text up to a length.
    String,
    /// Long text.
    Memo,
    /// True or false.
    Boolean,
    /// 8-bit signed whole number.
    Byte,
    /// 16-bit signed whole number.
    Short,
    /// 32-bit signed whole number.
    Integer,
    /// 64-bit signed whole number.
    Integer64,
    /// Single precision floating point number.
    Float,
    /// Double precision floating point number.
    Double,
    /// Calendar date.
    Date,
    /// Moment in UTC, to the millisecond.
    DateTime,
    /// One of a list of names.
    Enumeration,
    /// Link, collection, nested item as a whole or a type not known here: not a target of a field mapping.
    Unsupported,
}

impl FieldType {
    /// The name shown to users.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Memo => "memo",
            Self::Boolean => "boolean",
            Self::Byte => "byte",
            Self::Short => "short",
            Self::Integer => "integer",
            Self::Integer64 => "integer64",
            Self::Float => "float",
            Self::Double => "double",
            Self::Date => "date",
            Self::DateTime => "datetime",
            Self::Enumeration => "enumeration",
            Self::Unsupported => "unsupported",
        }
    }
}
