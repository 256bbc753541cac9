//! Loads of people: rolled up beside the reading, and committed some at a time.
//!
//! One thread holds the census and rolls files up in the order in which they are read, while the next
//! file is being read. A commit for each of a thousand daily files would cost more than reading them,
//! so that loads wait and are committed together.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread::JoinHandle;

use super::refused::LoadError;
use crate::activity::{Census, Event, Rollup, RollupError, Rollups, Row};
use crate::project::Project;
use crate::pseudonym::Pseudonym;
use crate::schema::Grain;
use crate::store::{Load, LoadRows, Store, StoreError, Writer};
use crate::user_days::UserDays;

type Rolled = Result<Vec<Row>, RollupError>;

/// What the thread of the census is asked to do.
enum Job {
    /// To begin a file.
    Begin(Box<Rollup>),
    /// To take rows of it.
    Rows(UserDays),
    /// To end it and say what came of it.
    End(Sender<Rolled>),
    /// To forget it.
    Abandon,
    /// To say which accounts are new since it was last asked.
    Fresh(Sender<Vec<(Pseudonym, u32)>>),
}

/// So many stretches of rows wait for the census at most.
const AHEAD: usize = 16;

/// The thread that holds the census.
struct Roller {
    jobs: Option<SyncSender<Job>>,
    thread: Option<JoinHandle<()>>,
}

impl Roller {
    fn start(census: Census) -> Self {
        let (jobs, queue) = sync_channel(AHEAD);
        let thread = std::thread::spawn(move || roll(census, &queue));
        Roller {
            jobs: Some(jobs),
            thread: Some(thread),
        }
    }

    /// Hands over a job. The thread ends before its jobs do only if it panicked, which whoever waits
    /// for an answer learns from the closed channel.
    fn ask(&self, job: Job) {
        if let Some(jobs) = &self.jobs {
            _ = jobs.send(job);
        }
    }
}

impl Drop for Roller {
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(thread) = self.thread.take() {
            _ = thread.join();
        }
    }
}

/// The file that is being read, and those that were read and whose bitmaps are not made yet: small
/// files are looked up together.
#[derive(Default)]
struct Files {
    open: Option<Result<usize, RollupError>>,
    ended: Vec<(usize, Sender<Rolled>)>,
}

impl Files {
    /// Makes the bitmaps of the files that were read.
    fn finish(&mut self, rollups: &mut Rollups) {
        for (load, reply) in self.ended.drain(..) {
            _ = reply.send(rollups.finish(load));
        }
    }
}

/// Rolls files up until nobody asks any more.
fn roll(census: Census, queue: &Receiver<Job>) {
    let mut rollups = Rollups::new(census);
    let mut files = Files::default();
    while let Ok(job) = queue.recv() {
        match job {
            Job::Begin(rollup) => files.open = Some(Ok(rollups.begin(*rollup))),
            // After an error the rest of the file is let pass; its end says what went wrong.
            Job::Rows(rows) => {
                if let Some(Ok(load)) = files.open
                    && let Err(error) = rollups.push(load, rows)
                {
                    rollups.abandon(load);
                    files.open = Some(Err(error));
                }
            }
            Job::End(reply) => match files.open.take() {
                Some(Ok(load)) => files.ended.push((load, reply)),
                Some(Err(error)) => _ = reply.send(Err(error)),
                None => _ = reply.send(Ok(Vec::new())),
            },
            Job::Abandon => {
                if let Some(Ok(load)) = files.open.take() {
                    rollups.abandon(load);
                }
            }
            Job::Fresh(reply) => {
                rollups.resolve();
                files.finish(&mut rollups);
                _ = reply.send(rollups.take_fresh());
            }
        }
        if rollups.resolved() {
            files.finish(&mut rollups);
        }
    }
}

/// One load that was read and waits to be committed.
pub struct Pending {
    /// Its row.
    pub load: Load,
    /// Its bitmaps, when they are made.
    pub rows: Option<Receiver<Rolled>>,
    /// Its rejects, if it has any.
    pub rejects: Option<Writer>,
}

/// The loads of people of one run, and the census that they are looked up in.
#[derive(Default)]
pub struct People {
    roller: Option<Roller>,
    begun: bool,
    pending: Vec<Pending>,
}

/// How many bytes of bitmaps wait at most, whatever the memory.
const WAITING: usize = 256 << 20;

/// About how many bytes a row comes to.
const A_ROW: usize = 8;

/// How many loads wait at most: what a kill can cost.
const LOADS: usize = 256;

impl People {
    /// Takes rows of a file, which begins with the first.
    pub fn push(
        &mut self,
        store: &Store,
        project: &Project,
        rows: UserDays,
    ) -> Result<(), LoadError> {
        let roller = match &mut self.roller {
            Some(roller) => roller,
            none => none.insert(Roller::start(store.census()?)),
        };
        if !self.begun {
            self.begun = true;
            roller.ask(Job::Begin(Box::new(begin(store, project, &rows))));
        }
        roller.ask(Job::Rows(rows));
        Ok(())
    }

    /// Whether rows of the file that is being read have come.
    pub fn begun(&self) -> bool {
        self.begun
    }

    /// Ends the file that was read: its bitmaps follow.
    pub fn end(&mut self) -> Option<Receiver<Rolled>> {
        let roller = self.roller.as_ref()?;
        if !std::mem::take(&mut self.begun) {
            return None;
        }
        let (reply, rows) = channel();
        roller.ask(Job::End(reply));
        Some(rows)
    }

    /// Forgets the file that was read.
    pub fn abandon(&mut self) {
        if std::mem::take(&mut self.begun)
            && let Some(roller) = &self.roller
        {
            roller.ask(Job::Abandon);
        }
    }

    /// Lets a load wait for the next commit.
    pub fn add(&mut self, pending: Pending) {
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
        // By rows, not by the bitmaps that happen to be made by now: what is committed together must
        // not depend on how fast threads are.
        let rows: i64 = self.loads().map(|l| l.rows_kept).sum();
        let bytes = usize::try_from(rows).unwrap_or(0).saturating_mul(A_ROW);
        self.pending.len() >= LOADS || bytes > WAITING.min(project.memory_bound() / 4)
    }

    /// Commits what waits: accounts, bitmaps and rejects first, the loads' rows last and together. Files
    /// that can't be rolled up are left out, and named with the reason.
    pub async fn commit(
        &mut self,
        store: &mut Store,
    ) -> Result<Vec<(String, LoadError)>, StoreError> {
        let (mut refused, mut rows, mut loads) = (Vec::new(), Vec::new(), Vec::new());
        // What is new is asked for first: it makes the bitmaps of all that waits.
        let fresh = self.roller.as_ref().map(|roller| {
            let (reply, fresh) = channel();
            roller.ask(Job::Fresh(reply));
            fresh
        });
        for pending in std::mem::take(&mut self.pending) {
            let rolled = match pending.rows {
                Some(rows) => rows.recv().unwrap_or(Err(RollupError::Stopped)),
                None => Ok(Vec::new()),
            };
            match rolled {
                Err(source) => {
                    let file = pending.load.path.clone();
                    refused.push((file.clone(), LoadError::Rollup { file, source }));
                }
                Ok(rolled) => {
                    if let Some(rejects) = pending.rejects {
                        store.commit_rows(rejects, &pending.load.load).await?;
                    }
                    rows.push(LoadRows {
                        load: Arc::from(pending.load.load.as_str()),
                        rows: rolled,
                    });
                    loads.push(pending.load);
                }
            }
        }
        if let Some(fresh) = fresh {
            let fresh = fresh.recv().unwrap_or_default();
            store.commit_accounts(&fresh).await?;
        }
        store.commit_activity(rows).await?;
        store.finish_all(loads).await?;
        Ok(refused)
    }
}

fn begin(store: &Store, project: &Project, days: &UserDays) -> Rollup {
    // Signups have no dimensions and count no messages.
    let (event, dimensions): (Event, &[String]) = match days.grain {
        Grain::Signups => (Event::Signup, &[]),
        _ => (Event::Active, &project.dimensions),
    };
    let memory = project.memory_bound() / 4;
    Rollup::new(event, dimensions, memory, store.folder().to_owned())
}
