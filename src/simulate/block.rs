//! Some thousands of users over all days, first as bits and then as columns.

use std::ops::Range;

use super::model::{Member, Model};
use super::user::{Row, User, words};

/// Users and the days on which they are active.
#[derive(Debug)]
pub(super) struct Block {
    users: Vec<User>,
    /// For each user, the active days as bits, then the days with two rows.
    bits: Vec<u64>,
    words: usize,
}

/// What the users of a block, or of all blocks, come to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Tally {
    /// Users looked at.
    pub(super) users: u64,
    /// Users active on one of the days asked for.
    pub(super) seen: u64,
    /// Active users by simulated day.
    pub(super) daily: Vec<u64>,
    /// Active users by window.
    pub(super) windows: Vec<u64>,
    /// Messages on the days asked for.
    pub(super) messages: u64,
    /// Rows on the days asked for.
    pub(super) rows: u64,
}

/// The rows of a block by the days asked for: those of day `d` stand at `ends[d - 1]..ends[d]`.
#[derive(Debug, Default)]
pub(super) struct Columns {
    pub(super) users: Vec<u64>,
    pub(super) messages: Vec<u32>,
    pub(super) countries: Vec<u8>,
    pub(super) clients: Vec<u8>,
    ends: Vec<usize>,
}

impl Columns {
    /// Where the rows of a day stand.
    pub(super) fn day(&self, day: usize) -> Range<usize> {
        let start = if day == 0 { 0 } else { self.ends[day - 1] };
        start..self.ends[day]
    }

    fn sized(rows: &[usize]) -> Self {
        let ends: Vec<usize> = rows
            .iter()
            .scan(0, |sum, rows| {
                *sum += rows;
                Some(*sum)
            })
            .collect();
        let all = ends.last().copied().unwrap_or(0);
        Columns {
            users: vec![0; all],
            messages: vec![0; all],
            countries: vec![0; all],
            clients: vec![0; all],
            ends,
        }
    }

    fn put(&mut self, at: &mut usize, user: u64, row: Row) {
        self.users[*at] = user;
        self.messages[*at] = row.messages;
        self.countries[*at] = row.country;
        self.clients[*at] = row.client;
        *at += 1;
    }
}

impl Block {
    /// Draws users and their days.
    pub(super) fn draw(model: &Model, members: &[Member]) -> Self {
        let words = words(model.days);
        let mut block = Block {
            users: Vec::with_capacity(members.len()),
            bits: Vec::with_capacity(members.len() * 2 * words),
            words,
        };
        for member in members {
            let start = block.bits.len();
            block.bits.resize(start + 2 * words, 0);
            let (active, both) = block.bits[start..].split_at_mut(words);
            match User::draw(model, member, active, both) {
                Some(user) => block.users.push(user),
                None => block.bits.truncate(start),
            }
        }
        block
    }

    /// Counts users by day and window, and rows; messages are left at 0.
    pub(super) fn tally(&self, model: &Model) -> Tally {
        let asked = mask(model.lead..model.days, self.words);
        let windows: Vec<Vec<u64>> = model
            .windows
            .iter()
            .map(|window| mask(window.clone(), self.words))
            .collect();
        let mut tally = Tally {
            daily: vec![0; model.days],
            windows: vec![0; windows.len()],
            ..Tally::default()
        };
        for bits in self.bits.chunks_exact(2 * self.words) {
            let (active, both) = bits.split_at(self.words);
            tally.seen += u64::from(meet(active, &asked) > 0);
            tally.rows += u64::from(meet(active, &asked) + meet(both, &asked));
            for (count, window) in tally.windows.iter_mut().zip(&windows) {
                *count += u64::from(meet(active, window) > 0);
            }
            each_day(active, |day| tally.daily[day] += 1);
        }
        tally
    }

    /// The sum of messages on the days asked for.
    pub(super) fn messages(&mut self, model: &Model) -> u64 {
        let mut sum = 0;
        self.rows(model, |_, _, first, second| {
            sum += u64::from(first.messages) + second.map_or(0, |row| u64::from(row.messages));
        });
        sum
    }

    /// The rows of the days asked for, those of a day together.
    pub(super) fn columns(&mut self, model: &Model) -> Columns {
        let mut rows = vec![0; model.days];
        for bits in self.bits.chunks_exact(self.words) {
            each_day(bits, |day| rows[day] += 1);
        }
        let rows = &rows[model.lead..];
        let mut columns = Columns::sized(rows);
        let mut places: Vec<usize> = (0..rows.len()).map(|d| columns.day(d).start).collect();
        self.rows(model, |day, user, first, second| {
            let place = &mut places[day - model.lead];
            columns.put(place, user, first);
            if let Some(second) = second {
                columns.put(place, user, second);
            }
        });
        columns
    }

    /// Gives the rows of the days asked for, user by user. Uses up the users' draws.
    fn rows(&mut self, model: &Model, mut give: impl FnMut(usize, u64, Row, Option<Row>)) {
        let days = self.bits.chunks_exact(2 * self.words);
        for (user, bits) in self.users.iter_mut().zip(days) {
            let (active, both) = bits.split_at(self.words);
            each_day(active, |day| {
                if day >= model.lead {
                    let twice = both[day / 64] >> (day % 64) & 1 == 1;
                    let (first, second) = user.day(model, day, twice);
                    give(day, user.identity, first, second);
                }
            });
        }
    }
}

impl Tally {
    /// Adds those of another block.
    pub(super) fn add(mut self, other: &Tally) -> Self {
        let sum = |to: &mut Vec<u64>, from: &[u64]| {
            to.resize(to.len().max(from.len()), 0);
            to.iter_mut().zip(from).for_each(|(to, from)| *to += from);
        };
        self.users += other.users;
        self.seen += other.seen;
        self.messages += other.messages;
        self.rows += other.rows;
        sum(&mut self.daily, &other.daily);
        sum(&mut self.windows, &other.windows);
        self
    }
}

/// Days as bits.
fn mask(days: Range<usize>, words: usize) -> Vec<u64> {
    let mut bits = vec![0; words];
    for day in days {
        bits[day / 64] |= 1 << (day % 64);
    }
    bits
}

/// How many days are in both.
fn meet(a: &[u64], b: &[u64]) -> u32 {
    a.iter().zip(b).map(|(a, b)| (a & b).count_ones()).sum()
}

/// Calls for each day whose bit is set, in order.
fn each_day(bits: &[u64], mut day: impl FnMut(usize)) {
    for (at, word) in bits.iter().enumerate() {
        let mut rest = *word;
        while rest != 0 {
            day(at * 64 + rest.trailing_zeros() as usize);
            rest &= rest - 1;
        }
    }
}
