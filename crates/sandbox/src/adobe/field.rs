//! What a field of a resource is: type, source of its value, access and data policy.

use std::sync::Arc;

use super::enumeration::Enumeration;

/// What a field holds.
#[derive(Debug, Clone)]
pub(super) enum FieldKind {
    /// Text of at most so many characters.
    Text {
        length: usize,
    },
    /// Text without a limit worth naming.
    Memo,
    /// Whole numbers of 8, 16, 32 and 64 bits.
    Byte,
    Short,
    Long,
    Int64,
    /// Numbers of 32 and 64 bits.
    Float,
    Double,
    Boolean,
    Date,
    DateTime,
    /// An ISO 8601 duration, kept as it was written.
    Duration,
    Enumeration(Arc<Enumeration>),
    /// At most one row of another resource.
    Link {
        target: &'static str,
    },
    /// The row of another resource whose `target_field` has the text of this resource's `field`. If it is `required`, rows
    /// without one are hidden (contracts/campaign.md §4.4).
    Join {
        target: &'static str,
        field: &'static str,
        target_field: &'static str,
        required: bool,
    },
    /// The rows of another resource whose `link` points here; only an `href` stands in the record.
    Collection {
        target: &'static str,
        link: &'static str,
    },
    /// A nested object; its members are fields named `item.member`.
    Item,
}

impl FieldKind {
    /// `type` and `resType` of the metadata (contracts/campaign.md §2.3). Links, collections and items have no
    /// `resType`.
    pub(super) fn names(&self) -> (&'static str, Option<&'static str>) {
        match self {
            Self::Text { .. } => ("string", Some("string")),
            Self::Memo => ("string", Some("memo")),
            Self::Byte => ("number", Some("byte")),
            Self::Short => ("number", Some("short")),
            Self::Long => ("number", Some("long")),
            Self::Int64 => ("number", Some("int64")),
            Self::Float => ("number", Some("float")),
            Self::Double => ("number", Some("double")),
            Self::Boolean => ("boolean", Some("boolean")),
            Self::Date => ("date", Some("date")),
            Self::DateTime => ("date", Some("datetime")),
            Self::Duration => ("number", Some("timespan")),
            Self::Enumeration(enumeration) => ("enumeration", Some(enumeration.storage())),
            Self::Link { .. } | Self::Join { .. } => ("link", None),
            Self::Collection { .. } => ("collection", None),
            Self::Item => ("item", None),
        }
    }

    /// Whether it is kept as text.
    pub(super) fn is_text(&self) -> bool {
        matches!(self, Self::Text { .. } | Self::Memo | Self::Duration)
    }

    /// Whether it is one value, other than a link.
    pub(super) fn is_scalar(&self) -> bool {
        !matches!(
            self,
            Self::Link { .. } | Self::Join { .. } | Self::Collection { .. } | Self::Item
        )
    }
}

/// Where a field's value comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    /// The row.
    Stored,
    /// The server, at reading.
    Computed(Computed),
}

/// Values the server computes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Computed {
    PrimaryKey,
    Href,
    AcsId,
    Age,
    Created,
    CryptedId,
    Domain,
    LastModified,
    PostalAddress,
    ProfileTitle,
    /// What a row is called: label and name where it has both, else its key.
    Title,
    /// What a field of the row a link points to reads as.
    Linked {
        link: &'static str,
        field: &'static str,
    },
}

/// What a write to the field does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    Writable,
    /// Refused (contracts/campaign.md §6.3, case 7).
    ReadOnly,
    /// Nothing, without an error: the `*LastModified` stamps (contracts/campaign.md §5.4).
    Ignored,
}

/// Check or silent change of what is written (contracts/campaign.md §2.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DataPolicy {
    /// Must look like an e-mail address.
    Email,
}

/// One field of a resource.
#[derive(Debug, Clone)]
pub(super) struct Field {
    pub(super) name: &'static str,
    pub(super) label: &'static str,
    pub(super) kind: FieldKind,
    pub(super) source: Source,
    pub(super) access: Access,
    pub(super) category: &'static str,
    pub(super) policy: Option<DataPolicy>,
    /// Shown on the Ext endpoint only.
    pub(super) extension: bool,
    /// What an empty text reads as.
    pub(super) empty_text: &'static str,
    /// Fields set to the present moment when this one's value changes.
    pub(super) stamp_names: Vec<&'static str>,
    /// Has an index of its own, so that equality filters on it need no scan.
    pub(super) indexed: bool,
    /// What a link shows of the row it points to: `PKey`, `href`, `title`, or a text field.
    pub(super) link_members: &'static [&'static str],
    /// What the names of rows begin with that are created without one.
    pub(super) generated_prefix: Option<&'static str>,
}

impl Field {
    /// A stored, writable field.
    pub(super) fn new(name: &'static str, label: &'static str, kind: FieldKind) -> Self {
        Self {
            name,
            label,
            kind,
            source: Source::Stored,
            access: Access::Writable,
            category: "general",
            policy: None,
            extension: false,
            empty_text: "",
            stamp_names: Vec::new(),
            indexed: false,
            link_members: &["PKey", "href", "title"],
            generated_prefix: None,
        }
    }

    /// A text field.
    pub(super) fn text(name: &'static str, label: &'static str, length: usize) -> Self {
        Self::new(name, label, FieldKind::Text { length })
    }

    /// A read-only field whose value the server computes.
    pub(super) fn computed(name: &'static str, label: &'static str, kind: FieldKind, computed: Computed) -> Self {
        Self {
            source: Source::Computed(computed),
            access: Access::ReadOnly,
            ..Self::new(name, label, kind)
        }
    }

    pub(super) fn access(mut self, access: Access) -> Self {
        self.access = access;
        self
    }

    pub(super) fn category(mut self, category: &'static str) -> Self {
        self.category = category;
        self
    }

    pub(super) fn policy(mut self, policy: DataPolicy) -> Self {
        self.policy = Some(policy);
        self
    }

    pub(super) fn extension(mut self) -> Self {
        self.extension = true;
        self
    }

    pub(super) fn empty_text(mut self, text: &'static str) -> Self {
        self.empty_text = text;
        self
    }

    pub(super) fn stamps(mut self, names: &[&'static str]) -> Self {
        self.stamp_names = names.to_vec();
        self
    }

    pub(super) fn indexed(mut self) -> Self {
        self.indexed = true;
        self
    }

    pub(super) fn link_members(mut self, members: &'static [&'static str]) -> Self {
        self.link_members = members;
        self
    }

    pub(super) fn generated(mut self, prefix: &'static str) -> Self {
        self.generated_prefix = Some(prefix);
        self
    }

    /// Whether the field is a member of a nested item.
    pub(super) fn is_member(&self) -> bool {
        self.name.contains('.')
    }

    /// Whether lists may be ordered by it.
    pub(super) fn sortable(&self) -> bool {
        let stored_scalar =
            self.source == Source::Stored && self.kind.is_scalar() && !matches!(self.kind, FieldKind::Memo);
        let moment = matches!(
            self.source,
            Source::Computed(Computed::Created | Computed::LastModified)
        );
        (stored_scalar || moment) && !self.is_member()
    }
}
