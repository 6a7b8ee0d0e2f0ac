//! Where a record stands: partition, assignment, offset.

/// A partition of one of the topics that the pool's consumer reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PartitionId {
    /// Index of the topic in the consumer's own list of topics.
    pub topic: u16,
    /// Number of the partition within the topic, as Kafka gives it.
    pub partition: i32,
}

/// Counts the assignments a pool has seen; every assignment of a partition gets a new one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Generation(pub(super) u64);

/// One assignment of one partition. Records carry it, so that a late record of an earlier assignment is refused
/// instead of being taken for a record of the present one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Assignment {
    /// The partition that was assigned.
    pub partition: PartitionId,
    /// Which of its assignments this is.
    pub generation: Generation,
}

/// The offset of the next record to read, which is what Kafka commits: one more than the last finished offset.
///
/// It hides the plus one: a list of these is committed or stored as it is (rdkafka adds one only when the offset of a
/// single message is stored).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NextOffset(i64);

impl NextOffset {
    /// Reading goes on with the record at `offset`.
    #[must_use]
    pub const fn at(offset: i64) -> Self {
        Self(offset)
    }

    /// Reading goes on behind the record at `offset`.
    #[must_use]
    pub const fn after(offset: i64) -> Self {
        Self(offset.saturating_add(1))
    }

    /// The value to commit.
    #[must_use]
    pub const fn get(self) -> i64 {
        self.0
    }
}
