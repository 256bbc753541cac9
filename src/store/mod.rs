//! The store: Delta tables in `.essor/`, and the promise that a load counts once or not at all.
//!
//! A Delta commit covers one table, so a load is written to its own partition of `disclosures` or
//! `usage` and of `rejects` first, and exists from the moment its row stands in `loads`. That row
//! is committed last, with the load's identity as Delta application transaction. What a crash
//! leaves without such a row is taken out when the next writer opens the store; readers never see
//! it, since they name the live loads.

mod backup;
mod disk;
mod durable;
mod error;
#[cfg(debug_assertions)]
mod fault;
mod gathered;
pub mod health;
mod held;
mod loads;
mod log;
mod merge;
mod people;
mod seal;
mod verify;
mod writer;

use std::collections::{BTreeSet, HashMap};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use deltalake::kernel::engine::arrow_conversion::TryIntoKernel;
use deltalake::kernel::transaction::CommitBuilder;
use deltalake::kernel::{Action, StructType, Transaction};
use deltalake::protocol::{DeltaOperation, SaveMode};
use deltalake::{DeltaTable, DeltaTableBuilder};
use url::Url;

use crate::schema;
pub use backup::{BackupError, Copied, restore};
pub use durable::Durable;
pub use error::StoreError;
use error::{delta, refused};
pub use held::{Clash, Days};
pub use loads::{Load, Loads};
pub use people::LoadRows;
pub use verify::{Fault, Verified};
pub use writer::Writer;

/// The folder of the store within a project.
pub const FOLDER: &str = ".essor";

/// The tables, in the order in which a load is written to them: `loads` comes last.
pub const TABLES: [&str; 6] = [
    "disclosures",
    "usage",
    "accounts",
    "activity",
    "rejects",
    "loads",
];

/// The part of `activity` that holds loads which were merged after they came to count.
pub const MERGED: &str = "merged";

/// An opened store. While it is held for writing, other writers wait.
#[derive(Debug)]
pub struct Store {
    folder: PathBuf,
    tables: HashMap<&'static str, DeltaTable>,
    loads: Loads,
    _lock: Option<File>,
}

impl Store {
    /// Opens the store of a project for reading, making an empty one where there is none.
    pub async fn open(root: &Path) -> Result<Self, StoreError> {
        let folder = root.join(FOLDER);
        if !is_whole(&folder) {
            return Self::open_to_write(root).await;
        }
        // Accounts are looked up by writers only.
        let read = ["loads", "disclosures", "usage", "activity", "rejects"];
        log::refuse_broken(&folder, &read, log::Depth::Read)?;
        let tables = open_tables(&folder, &read).await?;
        Self::with_tables(folder, tables, None).await
    }

    /// Opens all tables of the store of a project for reading, each at one version for good.
    pub async fn open_whole(root: &Path) -> Result<Self, StoreError> {
        let folder = root.join(FOLDER);
        if !is_whole(&folder) {
            return Self::open_to_write(root).await;
        }
        log::refuse_broken(&folder, &TABLES, log::Depth::Read)?;
        let read = ["loads", "disclosures", "usage", "activity", "rejects"];
        let mut tables = open_tables(&folder, &read).await?;
        // Accounts come last: whoever is in a table that is opened before them is in them.
        tables.insert("accounts", open_table(&folder, "accounts").await?);
        Self::with_tables(folder, tables, None).await
    }

    /// Opens the store of a project for writing: waits for other writers, makes what is missing and
    /// takes out what a crash left unfinished.
    pub async fn open_to_write(root: &Path) -> Result<Self, StoreError> {
        let folder = root.join(FOLDER);
        durable::make_folders(&folder).map_err(|e| refused(&folder, e))?;
        let lock = lock(&folder)?;
        log::refuse_broken(&folder, &TABLES, log::Depth::Whole)?;
        for table in TABLES {
            create(&folder, table).await?;
        }
        let tables = open_tables(&folder, &TABLES).await?;
        let mut store = Self::with_tables(folder, tables, Some(lock)).await?;
        store.take_out_unfinished().await?;
        Ok(store)
    }

    async fn with_tables(
        folder: PathBuf,
        tables: HashMap<&'static str, DeltaTable>,
        lock: Option<File>,
    ) -> Result<Self, StoreError> {
        let mut store = Store {
            folder,
            tables,
            loads: Loads::default(),
            _lock: lock,
        };
        store.loads = Loads::read(store.table("loads")?).await?;
        match store.loads.newest_schema() {
            newest if newest > schema::VERSION => Err(StoreError::TooNew(newest)),
            newest if newest > 0 && newest < schema::VERSION => Err(StoreError::TooOld(newest)),
            _ => Ok(store),
        }
    }

    /// A table at the version that this store was opened at or has committed since.
    pub fn table(&self, name: &'static str) -> Result<&DeltaTable, StoreError> {
        self.tables
            .get(name)
            .ok_or_else(|| StoreError::NoSuchLoad(name.to_owned()))
    }

    /// Every load and its undoing, in the order of their commits.
    pub fn loads(&self) -> &Loads {
        &self.loads
    }

    /// The folder that holds the tables.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The loads that a table partitioned by load holds rows of although they do not count: replaced,
    /// undone, unfinished, or committed since this store was opened.
    pub fn strangers(&self, table: &'static str) -> Result<BTreeSet<String>, StoreError> {
        let mut loads = self.partitions(table, "load")?;
        for live in self.loads.live() {
            loads.remove(&live.load);
        }
        Ok(loads)
    }

    /// The values of a partition column that the files of a table have.
    fn partitions(
        &self,
        table: &'static str,
        column: &str,
    ) -> Result<BTreeSet<String>, StoreError> {
        let snapshot = self.table(table)?.snapshot();
        let files = snapshot.map_err(|e| delta(table, e))?;
        let files = files.log_data();
        let mut values = BTreeSet::new();
        for file in files.iter() {
            values.extend(file.partition_values_map().remove(column).flatten());
        }
        Ok(values)
    }

    /// Begins to write the rows of one load into one table.
    pub fn writer(&self, table: &'static str) -> Result<Writer, StoreError> {
        let of = self.table(table)?;
        Ok(Writer::new(table, of.log_store().object_store(None)))
    }

    /// Commits what a writer has written, as the rows of `load`. They stay unseen until
    /// [`Store::finish`].
    pub async fn commit_rows(&mut self, writer: Writer, load: &str) -> Result<(), StoreError> {
        let table = writer.table();
        let adds = writer.close(load).await?;
        if adds.is_empty() {
            return Ok(());
        }
        let actions = adds.into_iter().map(Action::Add).collect();
        self.commit(table, actions, write_operation(table), vec![])
            .await
    }

    /// Commits the row of a load (or of an unload): from here on it counts.
    pub async fn finish(&mut self, load: Load) -> Result<(), StoreError> {
        self.finish_all(vec![load]).await
    }

    /// Commits the rows of several loads at once: all of them count from here on, or none.
    pub async fn finish_all(&mut self, mut loads: Vec<Load>) -> Result<(), StoreError> {
        let Some(name) = loads.first().map(|l| l.load.clone()) else {
            return Ok(());
        };
        let mut writer = self.writer("loads")?;
        let mut once = Vec::with_capacity(loads.len());
        for (load, seq) in loads.iter_mut().zip(self.loads.next_seq()..) {
            load.seq = seq;
            writer.write(loads::batch_of(&[load])?)?;
            once.push(Transaction::new(load.transaction(), load.generation()));
        }
        let adds = writer.close(&name).await?.into_iter().map(Action::Add);
        self.commit("loads", adds.collect(), write_operation("loads"), once)
            .await?;
        loads.into_iter().for_each(|load| self.loads.push(load));
        Ok(())
    }

    /// Holds the mark of the key (see [`crate::pseudonym::Key::mark`]) against that of the first load of
    /// people; with the first it is kept.
    pub fn check_key(&self, mark: &str) -> Result<(), StoreError> {
        let path = self.folder.join("key-mark");
        match std::fs::read_to_string(&path) {
            Ok(kept) if kept.trim() == mark => Ok(()),
            Ok(_) => Err(StoreError::OtherKey),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                durable::write_file(&path, mark.as_bytes()).map_err(|e| refused(&path, e))
            }
            Err(error) => Err(refused(&path, error)),
        }
    }

    /// Takes back rows that were committed to a table but whose load is refused.
    pub async fn discard(&mut self, table: &'static str, load: &str) -> Result<(), StoreError> {
        let unwanted = BTreeSet::from([load.to_owned()]);
        self.remove(table, "load", |l| unwanted.contains(l)).await
    }

    async fn take_out_unfinished(&mut self) -> Result<(), StoreError> {
        let known: BTreeSet<String> = self.loads.iter().map(|l| l.load.clone()).collect();
        for table in ["disclosures", "usage", "rejects"] {
            self.remove(table, "load", |load| !known.contains(load))
                .await?;
        }
        let parts = self.unfinished_parts()?;
        self.remove("activity", "part", |part| parts.contains(part))
            .await
    }

    async fn remove(
        &mut self,
        table: &'static str,
        column: &str,
        unwanted: impl Fn(&str) -> bool,
    ) -> Result<(), StoreError> {
        let of = self.table(table)?;
        let snapshot = of.snapshot().map_err(|e| delta(table, e))?;
        let removes: Vec<Action> = snapshot
            .log_data()
            .iter()
            .filter(|file| match file.partition_values_map().get(column) {
                Some(Some(value)) => unwanted(value),
                _ => false,
            })
            .map(|file| Action::Remove(file.remove_action(true)))
            .collect();
        if removes.is_empty() {
            return Ok(());
        }
        self.commit(
            table,
            removes,
            DeltaOperation::Delete { predicate: None },
            vec![],
        )
        .await
    }

    async fn commit(
        &mut self,
        name: &'static str,
        actions: Vec<Action>,
        operation: DeltaOperation,
        once: Vec<Transaction>,
    ) -> Result<(), StoreError> {
        let table = self.table(name)?;
        let snapshot = table.snapshot().map_err(|e| delta(name, e))?;
        let once = if disk::bug("drop-transaction") {
            vec![]
        } else {
            once
        };
        // An entry begins with what is said of it; so one that was cut between two lines is known.
        let lines = 1 + actions.len() + once.len();
        let properties = deltalake::kernel::transaction::CommitProperties::default()
            .with_metadata([(log::LINES.to_owned(), lines.into())])
            .with_cleanup_expired_logs(Some(false))
            .with_application_transactions(once);
        CommitBuilder::from(properties)
            .with_actions(actions)
            .build(Some(snapshot), table.log_store(), operation)
            .await
            .map_err(|e| delta(name, e))?;
        if let Some(table) = self.tables.get_mut(name) {
            table.update_state().await.map_err(|e| delta(name, e))?;
        }
        Ok(())
    }
}

fn write_operation(table: &str) -> DeltaOperation {
    let partition_by = Some(partition_columns(table)).filter(|c| !c.is_empty());
    DeltaOperation::Write {
        mode: SaveMode::Append,
        partition_by,
        predicate: None,
    }
}

/// Tables are partitioned by load, so that one can be taken out; but `loads`, which has one row a load;
/// `accounts`, which stay; and `activity`, whose loads are merged when there are many.
fn partition_columns(table: &str) -> Vec<String> {
    let columns: &[&str] = match table {
        "loads" | "accounts" => &[],
        "activity" => &["month", "part"],
        _ => &["load"],
    };
    columns.iter().map(|c| (*c).to_owned()).collect()
}

/// Whether every table has been made.
fn is_whole(folder: &Path) -> bool {
    let made = |table: &&str| {
        let first = folder
            .join(table)
            .join("_delta_log/00000000000000000000.json");
        first.is_file()
    };
    TABLES.iter().all(made)
}

fn lock(folder: &Path) -> Result<File, StoreError> {
    let path = folder.join("lock");
    let file = disk::open_lock(&path).map_err(|e| refused(&path, e))?;
    file.lock().map_err(|e| refused(&path, e))?;
    Ok(file)
}

fn schema_of(table: &str) -> SchemaRef {
    match table {
        "disclosures" => schema::DISCLOSURES.clone(),
        "usage" => schema::USAGE.clone(),
        "rejects" => schema::REJECTS.clone(),
        "accounts" => schema::ACCOUNTS.clone(),
        "activity" => schema::ACTIVITY.clone(),
        _ => schema::LOADS.clone(),
    }
}

fn builder(folder: &Path, table: &str) -> Result<DeltaTableBuilder, StoreError> {
    let path = folder.join(table);
    durable::make_folders(&path).map_err(|e| refused(&path, e))?;
    let path = path.canonicalize().map_err(|e| refused(&path, e))?;
    if path
        .to_str()
        .is_none_or(|p| p.contains(['%', '\\']) || p.contains(char::is_control))
    {
        let why = "Delta can't tell such a path from another; keep the project in a folder whose path has no `%`, backslash or control character";
        return Err(refused(&path, std::io::Error::other(why)));
    }
    let url = Url::from_directory_path(&path)
        .map_err(|()| refused(&path, std::io::Error::other("no absolute path")))?;
    // Delta asks for the store of the whole disk and finds the table in it by its URL.
    let disk_root = path.ancestors().last().unwrap_or(&path);
    let storage = Durable::new(disk_root).map_err(|e| delta(table, e.into()))?;
    let from_url = DeltaTableBuilder::from_url(url.clone()).map_err(|e| delta(table, e))?;
    Ok(from_url.with_storage_backend(Arc::new(storage), url))
}

/// Opens `loads` before the tables that it names rows of: rows are committed before the load that
/// they belong to, so that a load which is seen is seen whole, whatever is written meanwhile.
async fn open_tables(
    folder: &Path,
    names: &[&'static str],
) -> Result<HashMap<&'static str, DeltaTable>, StoreError> {
    let mut tables = HashMap::from([("loads", open_table(folder, "loads").await?)]);
    let others = names.iter().copied().filter(|name| *name != "loads");
    let others = others
        .map(|name| async move { Ok::<_, StoreError>((name, open_table(folder, name).await?)) });
    tables.extend(futures::future::try_join_all(others).await?);
    Ok(tables)
}

async fn open_table(folder: &Path, name: &'static str) -> Result<DeltaTable, StoreError> {
    let table = builder(folder, name)?.load().await;
    let table = table.map_err(|e| delta(name, e))?;
    refuse_outside(name, &table)?;
    Ok(table)
}

/// Refuses a table whose log names files that do not lie in it: essor writes none such, and to read them or take
/// them out would reach where the log's writer pleases.
fn refuse_outside(name: &str, table: &DeltaTable) -> Result<(), StoreError> {
    let snapshot = table.snapshot().map_err(|e| delta(name, e))?;
    for file in snapshot.log_data().iter() {
        let path = file.path();
        if leads_out(&path) {
            return Err(StoreError::Outside {
                table: name.to_owned(),
                path: path.into_owned(),
            });
        }
    }
    Ok(())
}

fn leads_out(path: &str) -> bool {
    let path = path.to_lowercase().replace("%2e", ".").replace("%2f", "/");
    let mut parts = path.split(['/', '\\']);
    path.starts_with(['/', '\\']) || path.contains(':') || parts.any(|part| part == "..")
}

async fn create(folder: &Path, name: &str) -> Result<(), StoreError> {
    let table = builder(folder, name)?.build().map_err(|e| delta(name, e))?;
    if table
        .verify_deltatable_existence()
        .await
        .map_err(|e| delta(name, e))?
    {
        return Ok(());
    }
    let columns: StructType = schema_of(name)
        .as_ref()
        .try_into_kernel()
        .map_err(|e: arrow::error::ArrowError| delta(name, e.into()))?;
    table
        .create()
        .with_table_name(name)
        .with_columns(columns.fields().cloned())
        .with_partition_columns(partition_columns(name))
        // What was loaded is what published figures rest on: its log is not thrown away after 30 days.
        .with_configuration([
            (
                "delta.enableExpiredLogCleanup".to_owned(),
                Some("false".to_owned()),
            ),
            // Thousands of loads are thousands of commits: a reader replays at most so many.
            ("delta.checkpointInterval".to_owned(), Some("20".to_owned())),
            (
                "delta.logRetentionDuration".to_owned(),
                Some("interval 3650 days".to_owned()),
            ),
        ])
        .await
        .map_err(|e| delta(name, e))?;
    Ok(())
}
