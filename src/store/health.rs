//! Whether a store is sound, and the repair of what can be repaired without losing anything.

use std::collections::{BTreeSet, HashSet};
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use super::log::{self, Broken, Depth, Fault};
use super::people::{accounts_of, parquet};
use super::{FOLDER, Store, StoreError, TABLES, delta, disk, open_tables, refused};

/// What a store was found to be.
#[derive(Debug, Default)]
pub struct Health {
    /// What is not as it should be.
    pub problems: Vec<String>,
    /// Files that no log names: what a killed process left. They do no harm.
    pub leftovers: Vec<PathBuf>,
    /// Committed parts of loads that never came to count.
    pub unfinished: usize,
    /// What was repaired.
    pub repaired: Vec<String>,
    /// The rows of `loads`.
    pub loads: usize,
    /// The files that hold what counts.
    pub files: usize,
    /// The accounts.
    pub accounts: usize,
}

/// Examines the store of a project while no writer is at it, and repairs it if that is asked for.
pub async fn examine(root: &Path, repair: bool) -> Result<Health, StoreError> {
    let folder = root.join(FOLDER);
    let mut health = Health::default();
    let Some(lock) = wait_for_writers(&folder)? else {
        return Ok(health);
    };
    let mut broken = log::lost(&folder, &TABLES);
    for table in TABLES {
        broken.extend(log::broken(&folder, table, Depth::Every)?);
    }
    let (cut, lost): (Vec<Broken>, Vec<Broken>) = broken
        .into_iter()
        .partition(|b| b.last && b.fault != Fault::Missing);
    health.problems.extend(lost.iter().map(said));
    if !repair || !lost.is_empty() {
        health.problems.extend(cut.iter().map(said));
    }
    if !health.problems.is_empty() {
        return Ok(health);
    }
    set_aside(&cut)?;
    let examined = whole(&mut health, &folder, lock, repair).await;
    if examined.is_err() || !health.problems.is_empty() {
        put_back(&cut)?;
        health.problems.extend(cut.iter().map(said));
        return examined.map(|()| health);
    }
    for entry in &cut {
        disk::remove(&aside(entry)).map_err(|e| refused(&entry.path, e))?;
        health.repaired.push(format!(
            "table `{}`: entry `{}`, which {}, is taken out; no load rests on it (ingest the files of that run again)",
            entry.table,
            entry.entry(),
            entry.fault
        ));
    }
    Ok(health)
}

/// The lock of a store, once no writer holds it; none where there is no store.
fn wait_for_writers(folder: &Path) -> Result<Option<File>, StoreError> {
    let path = folder.join("lock");
    match File::open(&path) {
        Ok(file) => {
            file.lock().map_err(|e| refused(&path, e))?;
            Ok(Some(file))
        }
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(refused(&path, e)),
    }
}

fn said(broken: &Broken) -> String {
    let (table, entry, fault) = (&broken.table, broken.entry(), broken.fault);
    format!("table `{table}`: entry `{entry}` of its log {fault}")
}

fn aside(broken: &Broken) -> PathBuf {
    broken
        .path
        .with_file_name(format!(".{}.cut", broken.entry()))
}

fn set_aside(cut: &[Broken]) -> Result<(), StoreError> {
    cut.iter().try_for_each(|entry| {
        disk::rename(&entry.path, &aside(entry)).map_err(|e| refused(&entry.path, e))
    })
}

fn put_back(cut: &[Broken]) -> Result<(), StoreError> {
    cut.iter().try_for_each(|entry| {
        disk::rename(&aside(entry), &entry.path).map_err(|e| refused(&entry.path, e))
    })
}

/// Examines a store whose logs are whole.
async fn whole(
    health: &mut Health,
    folder: &Path,
    lock: File,
    repair: bool,
) -> Result<(), StoreError> {
    health.leftovers = leftovers(folder)?;
    if TABLES.iter().any(|t| log::is_new(folder, t)) {
        // A store is made before anything is loaded: what was being made holds nothing yet.
        return Ok(());
    }
    let tables = open_tables(folder, &TABLES).await?;
    let mut store = Store::with_tables(folder.to_owned(), tables, Some(lock)).await?;
    store.examine_files(health)?;
    if health.problems.is_empty() {
        store.examine_loads(health).await?;
        store.examine_accounts(health)?;
    }
    let unknown = store.unfinished()?;
    health.unfinished = unknown.len();
    if !repair || !health.problems.is_empty() {
        return Ok(());
    }
    store.take_out_unfinished().await?;
    if health.unfinished > 0 {
        let names: Vec<String> = unknown.into_iter().collect();
        let names = names.join(", ");
        health.repaired.push(format!(
            "taken out: parts of loads that never came to count: {names}"
        ));
    }
    for path in std::mem::take(&mut health.leftovers) {
        disk::remove(&path).map_err(|e| refused(&path, e))?;
        let path = path.strip_prefix(folder).unwrap_or(&path).display();
        health
            .repaired
            .push(format!("removed: `{path}`, which nothing names"));
    }
    health.unfinished = 0;
    Ok(())
}

/// The files below the tables that no log names.
fn leftovers(folder: &Path) -> Result<Vec<PathBuf>, StoreError> {
    let mut leftovers = Vec::new();
    for table in TABLES {
        let named = log::named(folder, table)?.files;
        let root = folder.join(table);
        let mut folders = vec![root.clone()];
        while let Some(folder) = folders.pop() {
            let listed = match fs::read_dir(&folder) {
                Err(e) if e.kind() == io::ErrorKind::NotFound => continue,
                listed => listed.map_err(|e| refused(&folder, e))?,
            };
            for file in listed {
                let path = file.map_err(|e| refused(&folder, e))?.path();
                let name = path.file_name().unwrap_or_default().to_string_lossy();
                if path.is_dir() {
                    folders.push(path);
                    continue;
                }
                let within = path.strip_prefix(&root).unwrap_or(&path).to_string_lossy();
                let of_log = within.starts_with("_delta_log");
                let temporary = name.starts_with('.') && name.ends_with(".tmp");
                if temporary || !of_log && !named.contains(within.as_ref()) {
                    leftovers.push(path);
                }
            }
        }
    }
    leftovers.sort();
    Ok(leftovers)
}

impl Store {
    /// The names of parts and loads that tables hold rows of and `loads` does not know.
    fn unfinished(&self) -> Result<BTreeSet<String>, StoreError> {
        let mut unknown = self.unfinished_parts()?;
        let known: BTreeSet<&str> = self.loads.iter().map(|l| l.load.as_str()).collect();
        for table in ["disclosures", "usage", "rejects"] {
            let parts = self.partitions(table, "load")?.into_iter();
            unknown.extend(parts.filter(|load| !known.contains(load.as_str())));
        }
        Ok(unknown)
    }

    /// Every file that a log names is there and has its size.
    fn examine_files(&self, health: &mut Health) -> Result<(), StoreError> {
        for table in TABLES {
            let snapshot = self.table(table)?.snapshot().map_err(|e| delta(table, e))?;
            for file in snapshot.log_data().iter() {
                health.files += 1;
                let path = self.folder.join(table).join(file.path().as_ref());
                let wrong = match fs::metadata(&path) {
                    Ok(found) if found.len() as i64 == file.size() => continue,
                    Ok(found) => format!("has {} bytes, not {}", found.len(), file.size()),
                    Err(e) => format!("can't be read: {e}"),
                };
                let name = file.path();
                let problem = format!("table `{table}`: file `{name}` {wrong}");
                health.problems.push(problem);
            }
        }
        Ok(())
    }

    /// Every load that counts has its rows and stands with its identity, once.
    async fn examine_loads(&self, health: &mut Health) -> Result<(), StoreError> {
        let once = log::named(&self.folder, "loads")?.once;
        let held = self.platforms().await?;
        let mut names = BTreeSet::new();
        for load in self.loads.iter() {
            health.loads += 1;
            let name = &load.load;
            if !names.insert(name) {
                health
                    .problems
                    .push(format!("load {name} stands twice in `loads`"));
            }
            if !once.contains(&(load.transaction(), load.generation())) {
                let problem = format!("load {name} was committed without its identity");
                health.problems.push(problem);
            }
        }
        for load in self.loads.live() {
            let rows = load.rows_kept > 0 && load.first_day.is_some();
            if rows && !held.contains_key(&load.load) {
                health.problems.push(format!(
                    "load {} of `{}` has no rows in `{}`",
                    load.load,
                    load.path,
                    load.grain.table()
                ));
            }
        }
        Ok(())
    }

    /// Every pseudonym has one id and every id one pseudonym.
    fn examine_accounts(&self, health: &mut Health) -> Result<(), StoreError> {
        let (mut pseudonyms, mut ids) = (HashSet::new(), HashSet::new());
        for path in self.files("accounts")? {
            let reader = self.reader("accounts", &path)?.build();
            for batch in reader.map_err(|e| parquet("accounts", e))? {
                let batch = batch.map_err(|e| parquet("accounts", e.into()))?;
                for (pseudonym, id) in accounts_of(&batch)? {
                    health.accounts += 1;
                    pseudonyms.insert(pseudonym);
                    ids.insert(id);
                }
            }
        }
        for (distinct, what) in [(pseudonyms.len(), "pseudonyms"), (ids.len(), "ids")] {
            if distinct != health.accounts {
                let rows = health.accounts;
                let problem = format!("`accounts` has {rows} rows but {distinct} {what}");
                health.problems.push(problem);
            }
        }
        Ok(())
    }
}
