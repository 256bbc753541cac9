//! Loads of people: rolled up beside the reading, and committed some at a time.
//!
//! One thread holds the census and rolls files up in the order in which they are read, while the next
//! file is being read. A commit for each of a thousand daily files would cost more than reading them,
//! so that loads wait and are committed together.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread::JoinHandle;

use super::load::LoadError;
use crate::activity::{Census, Event, Rollup, RollupError, Row};
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
    /// How many bytes of bitmaps it has made.
    made: Arc<AtomicUsize>,
}

impl Roller {
    fn start(census: Census) -> Self {
        let (jobs, queue) = sync_channel(AHEAD);
        let made = Arc::new(AtomicUsize::new(0));
        let counter = made.clone();
        let thread = std::thread::spawn(move || roll(census, &queue, &counter));
        Roller {
            jobs: Some(jobs),
            thread: Some(thread),
            made,
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

/// Rolls files up until nobody asks any more.
fn roll(mut census: Census, queue: &Receiver<Job>, made: &AtomicUsize) {
    // After an error the rest of the file is let pass; its end says what went wrong.
    let mut open: Option<Result<Box<Rollup>, RollupError>> = None;
    while let Ok(job) = queue.recv() {
        match job {
            Job::Begin(rollup) => open = Some(Ok(rollup)),
            Job::Rows(rows) => {
                if let Some(Ok(rollup)) = &mut open
                    && let Err(error) = rollup.push(&mut census, rows)
                {
                    open = Some(Err(error));
                }
            }
            Job::End(reply) => {
                let rolled = match open.take() {
                    Some(Ok(rollup)) => rollup.finish(&mut census),
                    Some(Err(error)) => Err(error),
                    None => Ok(Vec::new()),
                };
                let bytes = rolled.iter().flatten().map(Row::bytes).sum();
                made.fetch_add(bytes, Ordering::Relaxed);
                _ = reply.send(rolled);
            }
            Job::Abandon => open = None,
            Job::Fresh(reply) => _ = reply.send(census.take_fresh()),
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
const WAITING: usize = 1 << 30;

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
        let made = self.roller.as_ref().map(|r| r.made.load(Ordering::Relaxed));
        let most = WAITING.min(project.memory_bound() / 8);
        self.pending.len() >= LOADS || made.unwrap_or(0) > most
    }

    /// Commits what waits: accounts, bitmaps and rejects first, the loads' rows last and together. Files
    /// that can't be rolled up are left out, and named with the reason.
    pub async fn commit(
        &mut self,
        store: &mut Store,
    ) -> Result<Vec<(String, LoadError)>, StoreError> {
        let (mut refused, mut rows, mut loads) = (Vec::new(), Vec::new(), Vec::new());
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
        if let Some(roller) = &self.roller {
            roller.made.store(0, Ordering::Relaxed);
            let (reply, fresh) = channel();
            roller.ask(Job::Fresh(reply));
            store.commit_accounts(&fresh.recv().unwrap_or_default()).await?;
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
