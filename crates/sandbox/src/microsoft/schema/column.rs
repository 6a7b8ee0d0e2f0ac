//! Columns: types, formats, option sets, lookups.

use std::sync::Arc;

/// `RequiredLevel` of a column. The API enforces none but `SystemRequired` (contracts/dataverse.md §4.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequiredLevel {
    /// Optional.
    None,
    /// Set by the system.
    SystemRequired,
    /// Required by forms.
    ApplicationRequired,
    /// Recommended by forms.
    Recommended,
}

impl RequiredLevel {
    /// The name on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "None",
            Self::SystemRequired => "SystemRequired",
            Self::ApplicationRequired => "ApplicationRequired",
            Self::Recommended => "Recommended",
        }
    }
}

/// `FormatName` of a text column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextFormat {
    /// Plain text.
    Text,
    /// An e-mail address; not validated beyond its length.
    Email,
    /// A telephone number.
    Phone,
    /// A URL.
    Url,
}

impl TextFormat {
    /// The name on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Self::Text => "Text",
            Self::Email => "Email",
            Self::Phone => "Phone",
            Self::Url => "Url",
        }
    }
}

/// `DateTimeBehavior`: decides the JSON form of a date column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Behavior {
    /// A moment in UTC.
    UserLocal,
    /// A date without time.
    DateOnly,
}

impl Behavior {
    /// The name on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Self::UserLocal => "UserLocal",
            Self::DateOnly => "DateOnly",
        }
    }
}

/// `Format` of a date column: a hint for forms, without effect on JSON (contracts/dataverse.md §0.9).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DateFormat {
    /// Shown as a date.
    DateOnly,
    /// Shown with its time.
    DateAndTime,
}

impl DateFormat {
    /// The name on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Self::DateOnly => "DateOnly",
            Self::DateAndTime => "DateAndTime",
        }
    }
}

/// One choice of an option set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OptionChoice {
    /// The integer in rows.
    pub value: i32,
    /// The label; `None` gives `UserLocalizedLabel: null`.
    pub label: Option<String>,
    /// For a status reason the state it belongs to; for a state its default status reason.
    pub linked: Option<i32>,
}

/// The choices of a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OptionSet {
    /// `<table>_<column>` for a local set, its own name for a global one.
    pub name: String,
    /// Shared by several columns.
    pub is_global: bool,
    /// The choices, in display order.
    pub options: Vec<OptionChoice>,
}

impl OptionSet {
    /// The choice of a value.
    pub fn choice(&self, value: i32) -> Option<&OptionChoice> {
        self.options.iter().find(|option| option.value == value)
    }
}

/// A table a lookup may point to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LookupTarget {
    /// Logical name of the target table.
    pub table: String,
    /// Single-valued navigation property that writes the lookup with a row of that table.
    pub navigation: String,
}

/// The flavour of a lookup.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LookupKind {
    /// One target table.
    Lookup,
    /// An account or a contact.
    Customer,
    /// A user or a team.
    Owner,
}

/// Type of a column, with what validation needs.
#[derive(Debug, Clone, PartialEq)]
pub enum ColumnKind {
    /// One line of text.
    Text {
        /// Longest value, in UTF-16 code units as the product counts.
        max_length: u32,
        /// `FormatName`.
        format: TextFormat,
    },
    /// Several lines of text.
    Memo {
        /// Longest value, in UTF-16 code units.
        max_length: u32,
    },
    /// 32-bit whole number.
    Integer {
        /// Smallest value.
        min: i32,
        /// Largest value.
        max: i32,
    },
    /// 64-bit whole number.
    BigInt,
    /// Exact decimal.
    Decimal {
        /// Smallest value.
        min: i64,
        /// Largest value.
        max: i64,
        /// Digits after the point.
        precision: u32,
    },
    /// Floating point.
    Double {
        /// Smallest value.
        min: f64,
        /// Largest value.
        max: f64,
        /// Digits after the point.
        precision: u32,
    },
    /// An amount in the row's currency, four digits after the point.
    Money {
        /// Column that holds the amount in base currency.
        base: Option<String>,
        /// The column this one is the base-currency amount of.
        base_of: Option<String>,
    },
    /// Yes or no.
    Boolean {
        /// Label of `false`.
        false_label: String,
        /// Label of `true`.
        true_label: String,
        /// Value on create.
        default: bool,
    },
    /// One choice.
    Picklist(Arc<OptionSet>),
    /// Several choices.
    MultiSelect(Arc<OptionSet>),
    /// Row state.
    State(Arc<OptionSet>),
    /// Status reason.
    Status(Arc<OptionSet>),
    /// Date, with or without time.
    DateTime {
        /// Decides the JSON form.
        behavior: Behavior,
        /// Hint for forms.
        format: DateFormat,
    },
    /// Reference to a row.
    Lookup {
        /// Flavour.
        kind: LookupKind,
        /// Possible target tables.
        targets: Vec<LookupTarget>,
    },
    /// GUID.
    UniqueIdentifier,
    /// Thumbnail, base64.
    Image,
}

impl ColumnKind {
    /// `AttributeTypeName.Value` and `AttributeType` (contracts/dataverse.md §4.2).
    pub fn type_names(&self) -> (&'static str, &'static str) {
        match self {
            Self::Text { .. } => ("StringType", "String"),
            Self::Memo { .. } => ("MemoType", "Memo"),
            Self::Integer { .. } => ("IntegerType", "Integer"),
            Self::BigInt => ("BigIntType", "BigInt"),
            Self::Decimal { .. } => ("DecimalType", "Decimal"),
            Self::Double { .. } => ("DoubleType", "Double"),
            Self::Money { .. } => ("MoneyType", "Money"),
            Self::Boolean { .. } => ("BooleanType", "Boolean"),
            Self::Picklist(_) => ("PicklistType", "Picklist"),
            Self::MultiSelect(_) => ("MultiSelectPicklistType", "Virtual"),
            Self::State(_) => ("StateType", "State"),
            Self::Status(_) => ("StatusType", "Status"),
            Self::DateTime { .. } => ("DateTimeType", "DateTime"),
            Self::Lookup {
                kind: LookupKind::Lookup,
                ..
            } => ("LookupType", "Lookup"),
            Self::Lookup {
                kind: LookupKind::Customer,
                ..
            } => ("CustomerType", "Customer"),
            Self::Lookup {
                kind: LookupKind::Owner,
                ..
            } => ("OwnerType", "Owner"),
            Self::UniqueIdentifier => ("UniqueidentifierType", "Uniqueidentifier"),
            Self::Image => ("ImageType", "Virtual"),
        }
    }

    /// Name of the metadata type, the last part of `@odata.type`.
    pub fn metadata_type(&self) -> &'static str {
        match self {
            Self::Text { .. } => "StringAttributeMetadata",
            Self::Memo { .. } => "MemoAttributeMetadata",
            Self::Integer { .. } => "IntegerAttributeMetadata",
            Self::BigInt => "BigIntAttributeMetadata",
            Self::Decimal { .. } => "DecimalAttributeMetadata",
            Self::Double { .. } => "DoubleAttributeMetadata",
            Self::Money { .. } => "MoneyAttributeMetadata",
            Self::Boolean { .. } => "BooleanAttributeMetadata",
            Self::Picklist(_) => "PicklistAttributeMetadata",
            Self::MultiSelect(_) => "MultiSelectPicklistAttributeMetadata",
            Self::State(_) => "StateAttributeMetadata",
            Self::Status(_) => "StatusAttributeMetadata",
            Self::DateTime { .. } => "DateTimeAttributeMetadata",
            Self::Lookup { .. } => "LookupAttributeMetadata",
            Self::UniqueIdentifier => "UniqueIdentifierAttributeMetadata",
            Self::Image => "ImageAttributeMetadata",
        }
    }

    /// The Edm type of the property in rows.
    pub fn edm_type(&self) -> &'static str {
        match self {
            Self::Text { .. } | Self::Memo { .. } | Self::MultiSelect(_) => "Edm.String",
            Self::Integer { .. } | Self::Picklist(_) | Self::State(_) | Self::Status(_) => "Edm.Int32",
            Self::BigInt => "Edm.Int64",
            Self::Decimal { .. } | Self::Money { .. } => "Edm.Decimal",
            Self::Double { .. } => "Edm.Double",
            Self::Boolean { .. } => "Edm.Boolean",
            Self::DateTime {
                behavior: Behavior::DateOnly,
                ..
            } => "Edm.Date",
            Self::DateTime { .. } => "Edm.DateTimeOffset",
            Self::Lookup { .. } | Self::UniqueIdentifier => "Edm.Guid",
            Self::Image => "Edm.Binary",
        }
    }

    /// The option set of a choice, state or status column.
    pub fn option_set(&self) -> Option<&OptionSet> {
        match self {
            Self::Picklist(set) | Self::MultiSelect(set) | Self::State(set) | Self::Status(set) => Some(set),
            _ => None,
        }
    }
}

/// How the server computes a column a client cannot write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Derivation {
    /// First, middle and last name joined by spaces.
    FullName,
    /// The parts of an address, one line each group.
    AddressComposite {
        /// Prefix of the address columns, e.g. `address1_`.
        prefix: String,
    },
    /// Moment of creation.
    CreatedOn,
    /// Moment of the last change.
    ModifiedOn,
    /// Row version.
    Version,
    /// User who created the row.
    CreatedBy,
    /// User who changed the row last.
    ModifiedBy,
    /// The owner, if a user.
    OwningUser,
    /// Business unit of the owner.
    OwningBusinessUnit,
    /// Another column's amount in base currency.
    BaseAmount {
        /// The column in the row's currency.
        of: String,
    },
}

/// A column.
#[derive(Debug, Clone)]
pub struct ColumnDefinition {
    /// Logical name, lower case.
    pub logical_name: String,
    /// Schema name.
    pub schema_name: String,
    /// Property in row JSON: the logical name, `_name_value` for lookups.
    pub property: String,
    /// Label; `None` gives `UserLocalizedLabel: null`.
    pub display_name: Option<String>,
    /// Type.
    pub kind: ColumnKind,
    /// `IsValidForRead`.
    pub readable: bool,
    /// `IsValidForCreate`.
    pub creatable: bool,
    /// `IsValidForUpdate`.
    pub updatable: bool,
    /// `RequiredLevel`.
    pub required: RequiredLevel,
    /// How the server computes it, if it does.
    pub derivation: Option<Derivation>,
    /// Column that always comes along when this one is selected (contracts/dataverse.md §2.5).
    pub accompanied_by: Option<String>,
    /// Taken away by a switch: reads, writes and metadata no longer know it; its cells stay.
    pub removed: bool,
}

impl ColumnDefinition {
    /// An optional column that can be read, created and updated.
    pub(super) fn new(schema_name: &str, label: Option<&str>, kind: ColumnKind) -> Self {
        let logical_name = schema_name.to_lowercase();
        let property = match kind {
            ColumnKind::Lookup { .. } => format!("_{logical_name}_value"),
            _ => logical_name.clone(),
        };
        Self {
            logical_name,
            schema_name: schema_name.to_owned(),
            property,
            display_name: label.map(str::to_owned),
            kind,
            readable: true,
            creatable: true,
            updatable: true,
            required: RequiredLevel::None,
            derivation: None,
            accompanied_by: None,
            removed: false,
        }
    }
}
