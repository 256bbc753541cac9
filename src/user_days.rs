//! What ingest hands on of a file of people: who was active on which day, under pseudonyms.
//!
//! Columns beside each other rather than a `RecordBatch`: days and platforms, which repeat in nearly
//! every row, stand as numbers of a short list, so that tens of millions of rows a second can be put
//! into buckets without being looked up again.

use std::ops::Range;
use std::sync::Arc;

use crate::pseudonym::Pseudonym;
use crate::schema::Grain;

/// A pseudonym's first byte says in which of so many shards it is looked up.
pub const SHARDS: usize = 256;

/// What a row is of, besides its user.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Cell {
    /// The platform.
    pub platform: Arc<str>,
    /// The server; empty where there is none.
    pub server: Arc<str>,
    /// Days since 1970-01-01.
    pub day: i32,
}

/// One dimension's values, row by row, as numbers of a list.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Coded {
    /// A number a row.
    pub codes: Vec<u16>,
    /// What the numbers stand for.
    pub values: Vec<Arc<str>>,
}

/// A stretch of a file: one row a user and day, or a row a message, ordered by shard.
#[derive(Debug, Clone, PartialEq)]
pub struct UserDays {
    /// Whether the users were active or signed up.
    pub grain: Grain,
    /// Who.
    pub users: Vec<Pseudonym>,
    /// When and where, as numbers of `list`.
    pub cells: Vec<u32>,
    /// What the numbers of `cells` stand for.
    pub list: Vec<Cell>,
    /// How many messages; none where the file does not count them.
    pub messages: Option<Vec<u32>>,
    /// The declared dimensions, in the order of essor.toml.
    pub dimensions: Vec<Coded>,
}

impl Default for UserDays {
    fn default() -> Self {
        UserDays {
            grain: Grain::Activity,
            users: vec![],
            cells: vec![],
            list: vec![],
            messages: None,
            dimensions: vec![],
        }
    }
}

impl UserDays {
    /// How many rows.
    pub fn rows(&self) -> usize {
        self.users.len()
    }

    /// Puts the rows in the order of their shards.
    pub fn by_shard(self) -> Self {
        let mut starts = [0usize; SHARDS + 1];
        for user in &self.users {
            starts[usize::from(user[0]) + 1] += 1;
        }
        for shard in 0..SHARDS {
            starts[shard + 1] += starts[shard];
        }
        let mut place = vec![0u32; self.rows()];
        for (row, user) in self.users.iter().enumerate() {
            let next = &mut starts[usize::from(user[0])];
            place[row] = *next as u32;
            *next += 1;
        }
        UserDays {
            grain: self.grain,
            users: moved(&self.users, &place),
            cells: moved(&self.cells, &place),
            messages: self.messages.map(|m| moved(&m, &place)),
            dimensions: self
                .dimensions
                .into_iter()
                .map(|d| Coded {
                    codes: moved(&d.codes, &place),
                    values: d.values,
                })
                .collect(),
            list: self.list,
        }
    }

    /// Some of the rows, by their numbers.
    pub fn only(self, rows: &[usize]) -> Self {
        fn pick<T: Copy>(values: &[T], rows: &[usize]) -> Vec<T> {
            rows.iter().map(|row| values[*row]).collect()
        }
        UserDays {
            grain: self.grain,
            users: pick(&self.users, rows),
            cells: pick(&self.cells, rows),
            messages: self.messages.map(|m| pick(&m, rows)),
            dimensions: self
                .dimensions
                .into_iter()
                .map(|d| Coded {
                    codes: pick(&d.codes, rows),
                    values: d.values,
                })
                .collect(),
            list: self.list,
        }
    }

    /// The cells that rows are of.
    pub fn used(&self) -> impl Iterator<Item = &Cell> {
        let mut used = vec![false; self.list.len()];
        for cell in &self.cells {
            used[*cell as usize] = true;
        }
        self.list
            .iter()
            .zip(used)
            .filter_map(|(cell, used)| used.then_some(cell))
    }

    /// The rows of a shard.
    pub fn shard(&self, shard: usize) -> Range<usize> {
        let start = self.users.partition_point(|u| usize::from(u[0]) < shard);
        let end = self.users.partition_point(|u| usize::from(u[0]) <= shard);
        start..end
    }

    /// How many bytes it holds.
    pub fn bytes(&self) -> usize {
        let row = 16 + 4 + 4 * usize::from(self.messages.is_some()) + 2 * self.dimensions.len();
        self.rows() * row
    }
}

fn moved<T: Copy + Default>(values: &[T], place: &[u32]) -> Vec<T> {
    let mut moved = vec![T::default(); values.len()];
    for (value, place) in values.iter().zip(place) {
        moved[*place as usize] = *value;
    }
    moved
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_stay_together_when_they_are_ordered() {
        let user = |n: u8, k: u8| {
            let mut user = [k; 16];
            user[0] = n;
            user
        };
        let days = UserDays {
            users: vec![user(9, 0), user(0, 1), user(255, 2), user(9, 3)],
            cells: vec![0, 1, 2, 3],
            messages: Some(vec![10, 11, 12, 13]),
            dimensions: vec![Coded {
                codes: vec![5, 6, 7, 8],
                values: vec![],
            }],
            ..UserDays::default()
        };
        let sorted = days.by_shard();
        assert_eq!(
            sorted.users,
            [user(0, 1), user(9, 0), user(9, 3), user(255, 2)]
        );
        assert_eq!(sorted.cells, [1, 0, 3, 2]);
        assert_eq!(sorted.messages, Some(vec![11, 10, 13, 12]));
        assert_eq!(sorted.dimensions[0].codes, [6, 5, 8, 7]);
        assert_eq!(sorted.shard(9), 1..3);
        assert_eq!(sorted.shard(10), 3..3);
        assert_eq!(sorted.shard(255), 3..4);
    }
}
