//! The table `usage`, whose figures several loads may state, and what they stated before.

use std::collections::{BTreeMap, BTreeSet};

use datafusion::prelude::SessionContext;

use super::{EngineError, create_view, live_rows, registers, scan};
use crate::calendar::Day;
use crate::project::OnConflict;
use crate::schema::Grain;
use crate::store::{Load, Store};

/// Usage, where what two live loads both state is settled as `essor.toml` says.
pub(super) async fn register(
    context: &SessionContext,
    store: &Store,
    policy: OnConflict,
) -> Result<(), EngineError> {
    let stated = live_rows(context, store, "usage").await?;
    let again = match policy {
        OnConflict::Answers => stated_again(store),
        _ => Vec::new(),
    };
    let file = match policy {
        OnConflict::Answers if !again.is_empty() => "conflicts/answers.sql",
        OnConflict::Answers | OnConflict::Refuse => {
            context.register_table("usage", stated)?;
            return Ok(());
        }
        OnConflict::Sum => "conflicts/sum.sql",
        OnConflict::Max => "conflicts/max.sql",
        OnConflict::Latest => "conflicts/latest.sql",
    };
    context.register_table("stated_usage", stated)?;
    let order: Vec<(&str, i64)> = match policy {
        OnConflict::Answers => again.iter().map(|l| l.load.as_str()).zip(0..).collect(),
        _ => {
            let live = store.loads().live();
            live.map(|l| (l.load.as_str(), l.seq)).collect()
        }
    };
    context.register_table("load_order", registers::load_order(&order)?)?;
    let sql = crate::query::library::shipped_text(file).unwrap_or_default();
    create_view(context, "usage", sql, false).await
}

/// What loads stated in whose place another load stands, or another answer of the same program counts.
pub(super) async fn register_replaced(
    context: &SessionContext,
    store: &Store,
    policy: OnConflict,
) -> Result<(), EngineError> {
    let mut replaced = superseded(store);
    if policy == OnConflict::Answers {
        for of_family in by_family(stated_again(store)).into_values() {
            // What is counted in another way says nothing of what was said before.
            let ranks: BTreeSet<u8> = of_family
                .iter()
                .map(|l| crate::ingest::rank(&l.format))
                .collect();
            if ranks.len() > 1 {
                continue;
            }
            let furthest = of_family.iter().filter_map(|l| l.last_day).max();
            replaced.extend(
                of_family
                    .iter()
                    .map(|l| (l.load.as_str(), running(l, furthest))),
            );
        }
    }
    let stated = context.read_table(scan(store, "usage").await?)?;
    context.register_table("ever_stated_usage", stated.into_view())?;
    context.register_table("replaced_loads", registers::replaced_loads(&replaced)?)?;
    let sql = crate::query::library::shipped_text("conflicts/replaced.sql").unwrap_or_default();
    create_view(context, "replaced_usage", sql, false).await
}

/// Loads that others replace, each with the day that was not over when it was made.
fn superseded(store: &Store) -> BTreeMap<&str, Option<Day>> {
    let all: BTreeMap<&str, &Load> = store.loads().iter().map(|l| (l.load.as_str(), l)).collect();
    let mut replaced = BTreeMap::new();
    for by in store.loads().iter().filter(|l| !l.unload) {
        for load in &by.supersedes {
            let until = all.get(load.as_str()).and_then(|l| running(l, by.last_day));
            replaced.insert(load.as_str(), until);
        }
    }
    replaced
}

/// The last day of a load, if another reaches further: it was still running then, and more of it is no
/// restatement.
fn running(load: &Load, furthest: Option<Day>) -> Option<Day> {
    load.last_day.filter(|last| Some(*last) < furthest)
}

/// Loads of which a later one may say again what an earlier one said: exports that count alike, and contents of one path.
fn by_family<'a>(loads: impl IntoIterator<Item = &'a Load>) -> BTreeMap<&'a str, Vec<&'a Load>> {
    let mut families: BTreeMap<&str, Vec<&Load>> = BTreeMap::new();
    for load in loads {
        let path = Some(load.path.as_str()).filter(|path| *path != "-");
        if let Some(family) = crate::ingest::family(&load.format).or(path) {
            families.entry(family).or_default().push(load);
        }
    }
    families
}

/// The loads that may state figures of another of their family again, the one that counts last: that
/// which counts most exactly, of those alike that whose days reach furthest, and of two that reach as far, as of
/// contents of one path, the one loaded last.
fn stated_again(store: &Store) -> Vec<&Load> {
    let usage = store.loads().live().filter(|l| l.grain == Grain::Usage);
    let mut again = Vec::new();
    for mut loads in by_family(usage).into_values() {
        loads.sort_by_key(|l| (l.first_day, l.last_day, l.seq));
        // By first day, a load meets one before it if it begins before the furthest end so far.
        let mut reached: Option<(&Load, bool)> = None;
        for load in loads {
            reached = match reached {
                Some((furthest, told)) if load.first_day <= furthest.last_day => {
                    if !told {
                        again.push(furthest);
                    }
                    again.push(load);
                    let further = load.last_day > furthest.last_day;
                    Some((if further { load } else { furthest }, true))
                }
                _ => Some((load, false)),
            };
        }
    }
    again.sort_by_key(|l| {
        // Of one path the newer content counts, however far it reaches: a correction may hold few days.
        let reach = crate::ingest::family(&l.format).and(l.last_day);
        (crate::ingest::rank(&l.format), reach, l.seq)
    });
    again
}
