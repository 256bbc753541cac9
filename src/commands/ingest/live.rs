//! Days of a database in use: which of them are new, have grown, or have lost rows since they were read.
//!
//! Such a database has no hash that stays the same, and servers purge it. A load is known by server, table
//! and day, so that a day that has as many rows as when it was read is not read again, one that has more (the
//! running day, mostly) replaces its former load, and one that has fewer stays as it was unless `--restate` says
//! otherwise. Messages, two figures a day, are one load of all days, put together in the same way.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io::{self, Write};
use std::sync::Arc;

use super::load::{Candidate, Taken, Taking};
use super::refused::LoadError;
use crate::calendar::Day;
use crate::chart::number::exact;
use crate::ingest::{self, Content, Series, Stretch};
use crate::schema::Grain;
use crate::store::{Load, Store, StoreError};

/// Leaves out what is known or stays as it was, and settles what the others replace. Files pass as they are.
pub async fn settle(
    store: &Store,
    candidates: Vec<Candidate>,
    taking: &Taking,
    databases: &mut Databases,
) -> Result<Vec<Candidate>, StoreError> {
    let Some(first) = candidates.iter().find(|c| c.live().is_some()) else {
        return Ok(candidates);
    };
    let name = first.name.clone();
    let held: Vec<Load> = store
        .loads()
        .live()
        .filter(|l| l.path == name)
        .cloned()
        .collect();
    let vanished = vanished(&candidates, &held);
    let mut taken = Vec::new();
    for candidate in candidates.into_iter().chain(vanished) {
        let told = databases.of(&name, grain(&candidate));
        let settled = match candidate.live().map(|live| live.stretch.clone()) {
            Some(Stretch::Day(day, rows)) => {
                settle_day(candidate, (day, rows), &held, taking.restate, told)
            }
            Some(Stretch::Series(series)) => {
                settle_series(store, candidate, &series, &held, taking.restate, told).await?
            }
            None => Some(candidate),
        };
        taken.extend(settled);
    }
    Ok(taken)
}

/// The day as it is to be read, if it is.
fn settle_day(
    mut candidate: Candidate,
    (day, rows): (Day, u64),
    held: &[Load],
    restate: bool,
    told: &mut Days,
) -> Option<Candidate> {
    let before = before(&candidate, day, held);
    let read: i64 = before.iter().map(|l| l.rows_read).sum();
    let now = i64::try_from(rows).unwrap_or(i64::MAX);
    let closed = day < today();
    match before.as_slice() {
        [one] if now == read && one.identity == identity(&candidate) => {
            told.known += 1;
            None
        }
        [_, ..] if now < read && closed && !restate => {
            told.fewer.insert(day);
            None
        }
        before => {
            candidate.replaces = Some(before.iter().map(|l| l.load.clone()).collect());
            Some(candidate)
        }
    }
}

/// The figures of all days as they are to be read, if they say anything new.
async fn settle_series(
    store: &Store,
    mut candidate: Candidate,
    series: &Series,
    held: &[Load],
    restate: bool,
    told: &mut Days,
) -> Result<Option<Candidate>, StoreError> {
    let former: Vec<&Load> = of_grain(held, Grain::Usage).collect();
    let names: Vec<&str> = former.iter().map(|l| l.load.as_str()).collect();
    let mut series = series.clone();
    if !restate {
        keep(&mut series, store.figures(&names).await?, told);
    }
    set_stretch(&mut candidate, Stretch::Series(Arc::new(series)));
    let identity = identity(&candidate);
    if former.iter().any(|l| l.identity == identity) {
        told.known += 1;
        return Ok(None);
    }
    candidate.replaces = Some(names.into_iter().map(str::to_owned).collect());
    Ok(Some(candidate))
}

/// The running day of UTC: what is before it is over.
fn today() -> Day {
    chrono::Utc::now().date_naive()
}

fn grain(candidate: &Candidate) -> Grain {
    let exported = candidate.part.options.exported.as_ref();
    exported.map_or(Grain::Usage, |e| e.grain)
}

fn identity(candidate: &Candidate) -> String {
    let none = Content {
        hash: String::new(),
        bytes: 0,
    };
    ingest::identity(&none, &candidate.part.options)
}

fn of_grain(held: &[Load], grain: Grain) -> impl Iterator<Item = &Load> {
    held.iter().filter(move |l| l.grain == grain)
}

fn set_stretch(candidate: &mut Candidate, stretch: Stretch) {
    if let Some(exported) = &mut candidate.part.options.exported
        && let Some(live) = &mut exported.live
    {
        live.stretch = stretch;
    }
}

/// The loads of a day and grain that count by now: one, or none.
fn before<'a>(candidate: &Candidate, day: Day, held: &'a [Load]) -> Vec<&'a Load> {
    let of_day = |l: &&Load| l.first_day == Some(day) && l.last_day == Some(day);
    of_grain(held, grain(candidate)).filter(of_day).collect()
}

/// Days that were read and of which the database holds nothing any more.
fn vanished(candidates: &[Candidate], held: &[Load]) -> Vec<Candidate> {
    let mut there: HashMap<Grain, Vec<Day>> = HashMap::new();
    for candidate in candidates {
        if let Some(Stretch::Day(day, _)) = candidate.live().map(|live| &live.stretch) {
            there.entry(grain(candidate)).or_default().push(*day);
        }
    }
    let gone = |load: &&Load| {
        let days = there.get(&load.grain);
        load.grain.of_people()
            && load
                .first_day
                .is_some_and(|day| days.is_none_or(|d| d.binary_search(&day).is_err()))
    };
    let like = candidates.iter().find(|c| c.live().is_some());
    let candidate = |load: &Load| {
        let mut candidate = like?.clone();
        if let Some(exported) = &mut candidate.part.options.exported {
            exported.grain = load.grain;
        }
        set_stretch(&mut candidate, Stretch::Day(load.first_day?, 0));
        Some(candidate)
    };
    held.iter().filter(gone).filter_map(candidate).collect()
}

/// Keeps of closed days the figures that were read where the database holds smaller ones or none.
fn keep(series: &mut Series, held: BTreeMap<(Day, String), i64>, told: &mut Days) {
    let today = today();
    for ((day, metric), before) in held {
        let Some(metric) = crate::metric::find(&metric).ok().map(|m| m.name) else {
            continue;
        };
        let now = series.get(&(day, metric)).copied();
        if day < today && now.is_none_or(|now| now < before) {
            series.insert((day, metric), before);
            told.fewer.insert(day);
        }
    }
}

/// What became of the days of databases, by database and grain.
#[derive(Debug, Default)]
pub struct Databases {
    of: BTreeMap<String, BTreeMap<&'static str, Days>>,
}

/// What became of the days of one grain.
#[derive(Debug, Default)]
pub struct Days {
    loaded: usize,
    replaced: usize,
    known: usize,
    rows: u64,
    seen: String,
    /// Those that have lost rows and stay as they were.
    fewer: BTreeSet<Day>,
}

impl Databases {
    fn of(&mut self, name: &str, grain: Grain) -> &mut Days {
        let grains = self.of.entry(name.to_owned()).or_default();
        grains.entry(grain.name()).or_default()
    }

    /// Notes a day that was taken, unless there is something to say of it alone.
    pub fn took(&mut self, name: &str, seen: &str, taken: &Result<Taken, LoadError>) -> bool {
        let Ok(Taken::Loaded {
            summary,
            replaced,
            rejects,
        }) = taken
        else {
            return false;
        };
        let days = self.of(name, summary.grain);
        days.loaded += 1;
        days.replaced += usize::from(*replaced > 0);
        days.rows += summary.rows_kept;
        seen.clone_into(&mut days.seen);
        rejects.is_empty()
    }

    fn any_loaded(grains: &BTreeMap<&'static str, Days>) -> bool {
        grains.values().any(|days| days.loaded > 0)
    }

    /// How many databases gave something new.
    pub fn loaded(&self) -> usize {
        self.of
            .values()
            .filter(|grains| Self::any_loaded(grains))
            .count()
    }

    /// How many gave nothing new.
    pub fn known(&self) -> usize {
        self.of.len() - self.loaded()
    }

    /// Says what became of each: a line a grain, and one for days that have lost rows.
    pub fn say(&self, out: &mut dyn Write) -> io::Result<()> {
        for (name, grains) in &self.of {
            for (grain, days) in grains.iter().filter(|(_, days)| days.loaded > 0) {
                let rows = exact(i64::try_from(days.rows).unwrap_or(i64::MAX));
                let loads = match *grain {
                    "usage" => "all days in one load".to_owned(),
                    _ => format!("{} days, {} of them again", days.loaded, days.replaced),
                };
                writeln!(out, "{name}: {rows} rows of {grain} ({loads})")?;
            }
            let seen = grains.values().find(|days| !days.seen.is_empty());
            if let Some(days) = seen {
                writeln!(out, "  {}", days.seen)?;
            }
            for (grain, days) in grains {
                if let Some(first) = days.fewer.first() {
                    writeln!(
                        out,
                        "note: {name} now holds less of {} days of {grain} than when they were read (the first is {first}); they stay as they were, `--restate` takes them as they are now",
                        days.fewer.len()
                    )?;
                }
            }
        }
        Ok(())
    }
}
