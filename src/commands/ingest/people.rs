//! Loads of people, committed some at a time: a commit for each of a thousand daily files would cost
//! more than reading them.

use std::sync::Arc;

use super::load::LoadError;
use crate::activity::{Census, Event, Rollup, Row};
use crate::project::Project;
use crate::schema::Grain;
use crate::store::{Load, LoadRows, Store, StoreError, Writer};
use crate::user_days::UserDays;

/// One load that was read and waits to be committed.
pub struct Pending {
    /// Its row.
    pub load: Load,
    /// Its bitmaps.
    pub rows: Vec<Row>,
    /// Its rejects, if it has any.
    pub rejects: Option<Writer>,
}

/// The loads of people of one run, and the census that they are looked up in.
#[derive(Default)]
pub struct People {
    census: Option<Census>,
    pending: Vec<Pending>,
    bytes: usize,
}

/// How many bytes of bitmaps wait at most, whatever the memory.
const WAITING: usize = 1 << 30;

impl People {
    /// Takes rows of the file `name`, whose rollup begins with the first.
    pub fn push(
        &mut self,
        rollup: &mut Option<Rollup>,
        store: &Store,
        project: &Project,
        name: &str,
        days: UserDays,
    ) -> Result<(), LoadError> {
        let census = match &mut self.census {
            Some(census) => census,
            none => none.insert(store.census()?),
        };
        let rollup = match rollup {
            Some(rollup) => rollup,
            none => none.insert(begin(store, project, &days)),
        };
        let told = |source| LoadError::Rollup {
            file: name.to_owned(),
            source,
        };
        rollup.push(census, days).map_err(told)
    }

    /// The bitmaps of a file that was read to its end.
    pub fn finish(&mut self, rollup: Option<Rollup>, name: &str) -> Result<Vec<Row>, LoadError> {
        let (Some(rollup), Some(census)) = (rollup, &mut self.census) else {
            return Ok(Vec::new());
        };
        rollup.finish(census).map_err(|source| LoadError::Rollup {
            file: name.to_owned(),
            source,
        })
    }

    /// Lets a load wait for the next commit.
    pub fn add(&mut self, pending: Pending) {
        self.bytes += pending.rows.iter().map(Row::bytes).sum::<usize>();
        self.pending.push(pending);
    }

    /// Whether a load of this identity waits.
    pub fn waits(&self, identity: &str) -> bool {
        self.pending.iter().any(|p| p.load.identity == identity)
    }

    /// The loads that wait.
    pub fn loads(&self) -> impl Iterator<Item = &Load> {
        self.pending.iter().map(|p| &p.load)
    }

    /// Whether none waits.
    pub fn is_empty(&self) -> bool {
        self.pending.is_empty()
    }

    /// Whether what waits is enough for a commit.
    pub fn full(&self, project: &Project) -> bool {
        self.bytes > WAITING.min(project.memory_bound() / 8)
    }

    /// Commits what waits: accounts, bitmaps and rejects first, the loads' rows last and together.
    pub async fn commit(&mut self, store: &mut Store) -> Result<(), StoreError> {
        let pending = std::mem::take(&mut self.pending);
        self.bytes = 0;
        if pending.is_empty() {
            return Ok(());
        }
        let fresh = self.census.as_mut().map(Census::take_fresh);
        store.commit_accounts(&fresh.unwrap_or_default()).await?;
        let (mut rows, mut loads) = (Vec::new(), Vec::new());
        for pending in pending {
            if let Some(rejects) = pending.rejects {
                store.commit_rows(rejects, &pending.load.load).await?;
            }
            rows.push(LoadRows {
                load: Arc::from(pending.load.load.as_str()),
                rows: pending.rows,
            });
            loads.push(pending.load);
        }
        store.commit_activity(rows).await?;
        store.finish_all(loads).await
    }
}

fn begin(store: &Store, project: &Project, days: &UserDays) -> Rollup {
    // Signups have no dimensions and count no messages; user-days have a column for each dimension.
    let (event, dimensions): (Event, &[String]) = match days.grain {
        Grain::Signups => (Event::Signup, &[]),
        _ => (Event::Active, &project.dimensions),
    };
    let memory = project.memory_bound() / 4;
    Rollup::new(event, dimensions, memory, store.folder().to_owned())
}
