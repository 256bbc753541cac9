//! The census: the dense id of every pseudonym that was ever seen.

use hashbrown::HashTable;
use rayon::prelude::*;

use crate::pseudonym::Pseudonym;
use crate::user_days::{SHARDS, UserDays};

/// The most ids that are given: beyond them bitmaps of days would no longer be the right form.
pub const MOST: u32 = 1 << 31;

/// A pseudonym and its id, in 20 bytes.
type Account = ([u32; 4], u32);

fn words(pseudonym: &Pseudonym) -> [u32; 4] {
    let word = |i: usize| {
        u32::from_le_bytes([
            pseudonym[4 * i],
            pseudonym[4 * i + 1],
            pseudonym[4 * i + 2],
            pseudonym[4 * i + 3],
        ])
    };
    [word(0), word(1), word(2), word(3)]
}

/// Pseudonyms are uniform already; the first byte chooses the shard, so the last eight choose the place.
fn hash(words: &[u32; 4]) -> u64 {
    u64::from(words[2]) | u64::from(words[3]) << 32
}

#[derive(Default)]
struct Shard {
    accounts: HashTable<Account>,
    /// Pseudonyms of the round that were never seen before, in the order of their appearance.
    new: Vec<Pseudonym>,
}

/// Stands in front of the number of a pseudonym that has no id yet.
const NEW: u32 = 1 << 31;

impl Shard {
    /// The ids of the shard's rows; for new pseudonyms their number among the new.
    fn look_up(&mut self, shard: usize, rows: &[UserDays]) -> Vec<u32> {
        let total = rows.iter().map(|r| r.shard(shard).len()).sum();
        let mut ids = Vec::with_capacity(total);
        for rows in rows {
            for user in &rows.users[rows.shard(shard)] {
                let key = words(user);
                let entry = self.accounts.entry(
                    hash(&key),
                    |account| account.0 == key,
                    |account| hash(&account.0),
                );
                let account = entry.or_insert_with(|| {
                    let number = NEW | self.new.len() as u32;
                    self.new.push(*user);
                    (key, number)
                });
                ids.push(account.get().1);
            }
        }
        ids
    }

    /// Gives the new pseudonyms the ids from `base` on.
    fn settle(&mut self, base: u32) {
        for (number, user) in self.new.iter().enumerate() {
            let key = words(user);
            if let Some(account) = self.accounts.find_mut(hash(&key), |a| a.0 == key) {
                account.1 = base + number as u32;
            }
        }
    }
}

/// More users than one store can number.
#[derive(Debug, thiserror::Error)]
#[error(
    "more than {MOST} users: a store can't number more; keep platforms in projects of their own"
)]
pub struct Full;

/// The dense ids of pseudonyms, in memory.
///
/// Ids are given in the order of shards within a round and of rows within a shard, so that they
/// depend on the files and not on the threads.
pub struct Census {
    shards: Vec<Shard>,
    next: u32,
    fresh: Vec<(Pseudonym, u32)>,
}

impl Default for Census {
    fn default() -> Self {
        Census::with_capacity(0)
    }
}

impl Census {
    /// An empty census with room for so many accounts.
    pub fn with_capacity(accounts: usize) -> Self {
        // Shards are of nearly equal size; a little more room saves growing the fuller ones.
        let room = accounts / SHARDS + accounts / SHARDS / 16;
        let shard = || Shard {
            accounts: HashTable::with_capacity(room),
            new: Vec::new(),
        };
        Census {
            shards: std::iter::repeat_with(shard).take(SHARDS).collect(),
            next: 0,
            fresh: Vec::new(),
        }
    }

    /// Takes accounts that have their ids already.
    pub fn remember(&mut self, accounts: &[(Pseudonym, u32)]) {
        let mut by_shard: Vec<Vec<Account>> = vec![Vec::new(); SHARDS];
        for (pseudonym, id) in accounts {
            by_shard[usize::from(pseudonym[0])].push((words(pseudonym), *id));
            self.next = self.next.max(id + 1);
        }
        self.shards
            .par_iter_mut()
            .zip(by_shard)
            .for_each(|(shard, accounts)| {
                for account in accounts {
                    shard
                        .accounts
                        .insert_unique(hash(&account.0), account, |a| hash(&a.0));
                }
            });
    }

    /// How many accounts there are.
    pub fn accounts(&self) -> u32 {
        self.next
    }

    /// The ids of some rows, shard by shard, each shard's in the order of the rows. Pseudonyms that were
    /// never seen get the next ids.
    pub fn resolve(&mut self, rows: &[UserDays]) -> Result<Vec<Vec<u32>>, Full> {
        let mut ids: Vec<Vec<u32>> = self
            .shards
            .par_iter_mut()
            .enumerate()
            .map(|(number, shard)| shard.look_up(number, rows))
            .collect();
        let mut bases = Vec::with_capacity(SHARDS);
        let mut next = u64::from(self.next);
        for shard in &self.shards {
            bases.push(next);
            next += shard.new.len() as u64;
        }
        if next > u64::from(MOST) {
            return Err(Full);
        }
        self.shards
            .par_iter_mut()
            .zip(&mut ids)
            .zip(&bases)
            .for_each(|((shard, ids), base)| {
                if shard.new.is_empty() {
                    return;
                }
                shard.settle(*base as u32);
                for id in ids.iter_mut().filter(|id| **id & NEW != 0) {
                    *id = (*id & !NEW) + *base as u32;
                }
            });
        self.next = next as u32;
        for (shard, base) in self.shards.iter_mut().zip(bases) {
            let new = std::mem::take(&mut shard.new);
            let numbered = new.into_iter().zip(base as u32..);
            self.fresh.extend(numbered);
        }
        Ok(ids)
    }

    /// The accounts that got their ids since this was last asked, in the order of the ids.
    pub fn take_fresh(&mut self) -> Vec<(Pseudonym, u32)> {
        std::mem::take(&mut self.fresh)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(users: &[u64]) -> UserDays {
        let pseudonym = |user: &u64| {
            let hash = blake3::hash(&user.to_le_bytes());
            let mut pseudonym = [0; 16];
            pseudonym.copy_from_slice(&hash.as_bytes()[..16]);
            pseudonym
        };
        UserDays {
            users: users.iter().map(pseudonym).collect(),
            cells: vec![0; users.len()],
            ..UserDays::default()
        }
        .by_shard()
    }

    #[test]
    fn each_pseudonym_has_one_id_and_ids_are_dense() {
        let mut census = Census::default();
        let first = census
            .resolve(&[rows(&[1, 2, 3, 2]), rows(&[3, 4])])
            .unwrap();
        let mut ids: Vec<u32> = first.into_iter().flatten().collect();
        ids.sort_unstable();
        assert_eq!(ids.len(), 6, "an id a row");
        ids.dedup();
        assert_eq!(ids, [0, 1, 2, 3]);
        let fresh = census.take_fresh();
        assert_eq!(fresh.iter().map(|f| f.1).collect::<Vec<_>>(), ids);

        let mut again = Census::with_capacity(4);
        again.remember(&fresh);
        let same: Vec<u32> = again.resolve(&[rows(&[4, 9])]).unwrap().concat();
        let expected: Vec<u32> = census.resolve(&[rows(&[4, 9])]).unwrap().concat();
        assert_eq!(same, expected);
        assert!(
            same.contains(&4),
            "the new one comes after the known: {same:?}"
        );
        assert_eq!(again.take_fresh().len(), 1);
    }
}
