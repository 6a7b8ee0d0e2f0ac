//! Tables and columns of Dynamics 365 (contracts/dataverse.md §4).

/// A Dataverse table.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    /// Logical name, e.g. `contact`.
    pub logical_name: String,
    /// Name of the entity set in URLs, e.g. `contacts`.
    pub entity_set: String,
    /// Display name, or the logical name where the environment has no label.
    pub display_name: String,
    /// Logical name of the primary key column, e.g. `contactid`.
    pub primary_id: String,
    /// Whether change tracking is enabled; without it the table cannot be read incrementally.
    pub change_tracking: bool,
    /// All columns, sorted by logical name; empty where only the table was asked for.
    pub columns: Vec<Column>,
    /// Alternate keys; empty where only the table was asked for.
    pub keys: Vec<AlternateKey>,
}

/// Columns of a Dataverse table whose values name a row, beside its primary key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlternateKey {
    /// Logical name.
    pub logical_name: String,
    /// Logical names of its columns, in order.
    pub columns: Vec<String>,
    /// Whether its index is built: only then rows are found by it, and only then it keeps values unique.
    pub active: bool,
}

impl Table {
    /// The column of that logical name.
    #[must_use]
    pub fn column(&self, logical_name: &str) -> Option<&Column> {
        self.columns
            .binary_search_by(|column| column.logical_name.as_str().cmp(logical_name))
            .ok()
            .map(|place| &self.columns[place])
    }
}

/// A column of a Dataverse table.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    /// Logical name, e.g. `emailaddress1`.
    pub logical_name: String,
    /// Display name, or the logical name where there is no label.
    pub display_name: String,
    /// Its type.
    pub column_type: ColumnType,
    /// Longest text it can hold, in characters; only for text columns.
    pub max_length: Option<u32>,
    /// The options of an option set or a yes/no column, in the order of the metadata; empty for other types.
    pub options: Vec<ColumnOption>,
    /// Logical names of the tables a lookup can point to; empty for other types.
    pub targets: Vec<String>,
    /// Whether the caller can read it through the Web API.
    pub readable: bool,
}

/// One option of an option set, or one of the two of a yes/no column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnOption {
    /// Technical value; 0 and 1 for yes/no columns.
    pub value: i32,
    /// Label in the environment's base language, where there is one.
    pub label: Option<String>,
}

/// The type of a Dataverse column: `AttributeTypeName`, with the behaviour of DateTime columns
/// (contracts/dataverse.md §4.2, §4.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ColumnType {
    /// Yes/no.
    Boolean,
    /// 32-bit whole number.
    Integer,
    /// 64-bit whole number.
    BigInt,
    /// Exact decimal number.
    Decimal,
    /// Floating point number.
    Double,
    /// Amount of money, an exact decimal number.
    Money,
    /// Single-line text.
    String,
    /// Multi-line text.
    Memo,
    /// Date and time of behaviour UserLocal or TimeZoneIndependent; a moment in UTC on the wire.
    DateTime,
    /// Date and time of behaviour DateOnly; a calendar date on the wire.
    DateOnly,
    /// GUID, e.g. the primary key.
    Uniqueidentifier,
    /// Option set.
    Picklist,
    /// State (Active, Inactive).
    State,
    /// Status reason.
    Status,
    /// Option set with several values.
    MultiSelectPicklist,
    /// Lookup to one table.
    Lookup,
    /// Lookup to account or contact.
    Customer,
    /// Lookup to a user or team.
    Owner,
    /// Logical name of a table.
    EntityName,
    /// A type that no row carries as a plain value: image, file, party list and the like.
    Unsupported,
}

impl ColumnType {
    /// Whether the column's value is read through `_<name>_value` (contracts/dataverse.md §0.7).
    #[must_use]
    pub const fn is_lookup(self) -> bool {
        matches!(self, Self::Lookup | Self::Customer | Self::Owner)
    }

    /// The name shown to users, as Dataverse's documentation writes it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Boolean => "Boolean",
            Self::Integer => "Integer",
            Self::BigInt => "BigInt",
            Self::Decimal => "Decimal",
            Self::Double => "Double",
            Self::Money => "Money",
            Self::String => "String",
            Self::Memo => "Memo",
            Self::DateTime => "DateTime",
            Self::DateOnly => "DateOnly",
            Self::Uniqueidentifier => "Uniqueidentifier",
            Self::Picklist => "Picklist",
            Self::State => "State",
            Self::Status => "Status",
            Self::MultiSelectPicklist => "MultiSelectPicklist",
            Self::Lookup => "Lookup",
            Self::Customer => "Customer",
            Self::Owner => "Owner",
            Self::EntityName => "EntityName",
            Self::Unsupported => "Unsupported",
        }
    }
}
