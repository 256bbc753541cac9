//! Rows of the table `activity`, before they are columns.

use std::sync::Arc;

use crate::user_days::Cell;

/// What happened on the day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Event {
    /// The users were active.
    Active,
    /// The users signed up.
    Signup,
}

impl Event {
    /// As the table says it.
    pub fn name(self) -> &'static str {
        match self {
            Event::Active => "active",
            Event::Signup => "signup",
        }
    }
}

/// The users of one bucket, day and value.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// What happened.
    pub event: Event,
    /// Of whom and when.
    pub cell: Cell,
    /// Which ids.
    pub bucket: u32,
    /// The dimension; empty for the row of all users.
    pub dimension: Arc<str>,
    /// The value within it; empty where it is not known.
    pub value: Arc<str>,
    /// A Roaring bitmap in its portable format.
    pub users: Vec<u8>,
    /// Counts of messages, bit by bit; none where they were not counted.
    pub messages: Option<Vec<Vec<u8>>>,
}

impl Row {
    /// How many bytes its bitmaps take.
    pub fn bytes(&self) -> usize {
        let slices = self.messages.iter().flatten().map(Vec::len);
        self.users.len() + slices.sum::<usize>()
    }
}
