//! How a load stands to those before it: which it replaces, and with which it can't stand.

use roaring::RoaringBitmap;

use super::load::Run;
use super::refused::{LoadError, UnlikeZone};
use crate::ingest::{self, Options, Summary};
use crate::project::{OnChange, OnConflict, Project};
use crate::schema::Grain;
use crate::store::{Days, Load, Store, StoreError};

/// The live loads of the same path that the new content replaces: those whose days it covers, or
/// as `on_change` says. What it does not cover stays, so that a file overwritten daily loses nothing.
pub(super) async fn replaced(
    store: &Store,
    path: &str,
    summary: &Summary,
    on_change: OnChange,
) -> Result<Vec<String>, StoreError> {
    let mut replaced = Vec::new();
    // What holds no figure at all is more likely broken than meant to take everything back.
    if path == "-" || on_change == OnChange::Add || summary.rows_given == 0 {
        return Ok(replaced);
    }
    let covered = alike(&summary.coverage.servers);
    let covers = |held: Days| {
        alike(&held).iter().all(|(of, days)| {
            covered
                .get(of)
                .is_some_and(|covered| days.is_subset(covered))
        })
    };
    for load in store.loads().live().filter(|l| l.path == path) {
        if on_change == OnChange::Replace
            || load.grain == summary.grain && covers(store.days(load.grain, &load.load).await?)
        {
            replaced.push(load.load.clone());
        }
    }
    Ok(replaced)
}

/// The live loads of the same chat that a later export of it replaces; none where a later one is there already. One
/// that holds some days and lacks others would count messages twice.
pub(super) async fn earlier_histories(
    store: &Store,
    path: &str,
    summary: &Summary,
    replaced: &[String],
) -> Result<Option<Vec<String>>, LoadError> {
    let mut earlier = Vec::new();
    let format = summary.format.name();
    if !ingest::is_history(format) || summary.rows_given == 0 {
        return Ok(Some(earlier));
    }
    let alike = |l: &&Load| {
        ingest::family(&l.format) == ingest::family(format) && !replaced.contains(&l.load)
    };
    for load in store.loads().live().filter(alike) {
        let held = store.days(load.grain, &load.load).await?;
        // Where nothing tells the chat, any two may be different ones.
        let chats = held.iter().filter(|((_, chat), _)| !chat.is_empty());
        let both = chats.filter_map(|(of, days)| Some((days, summary.coverage.servers.get(of)?)));
        let both: Vec<_> = both.filter(|(held, new)| !held.is_disjoint(new)).collect();
        let all = summary.coverage.servers.len();
        let of_later = |(held, new): &(&RoaringBitmap, &RoaringBitmap)| {
            new.is_subset(held) && new.max() < held.max()
        };
        if both.len() == all && both.iter().all(of_later) {
            return Ok(None);
        }
        if both.iter().any(|(held, new)| !held.is_subset(new)) {
            return Err(LoadError::SameChat {
                file: path.to_owned(),
                held: load.path.clone(),
                load: load.load.clone(),
            });
        }
        earlier.extend((!both.is_empty()).then(|| load.load.clone()));
    }
    Ok(Some(earlier))
}

/// The live loads of the same bytes of the same path that were taken for another platform's.
pub(super) async fn under_another_name(
    store: &Store,
    path: &str,
    summary: &Summary,
    options: &Options,
    replaced: &[String],
) -> Result<Vec<String>, StoreError> {
    let same = |l: &&Load| {
        l.path == path
            && path != "-"
            && u64::try_from(l.bytes) == Ok(summary.content.bytes)
            && !replaced.contains(&l.load)
    };
    let same: Vec<&Load> = store.loads().live().filter(same).collect();
    if same.is_empty() {
        return Ok(Vec::new());
    }
    let platforms = store.platforms().await?;
    let mut options = options.clone();
    let mut is_it = |load: &&Load| {
        platforms.get(&load.load).into_iter().flatten().any(|name| {
            options.source.platform = Some(name.clone());
            ingest::identity(&summary.content, &options) == load.identity
        })
    };
    let found = same.into_iter().filter(|load| is_it(load));
    Ok(found.map(|load| load.load.clone()).collect())
}

/// Days by platforms however they are spelled: a file that mends a spelling covers what it said
/// under the other one.
pub(super) fn alike(days: &Days) -> Days {
    let mut folded = Days::new();
    for ((platform, server), days) in days {
        *folded
            .entry((ingest::fold(platform), server.clone()))
            .or_default() |= days;
    }
    folded
}

/// The live loads that may have stated one of the figures: usage of the same days. Where loads add
/// up, other content of the same path is no part of its own but another saying of the same.
pub(super) fn possible_clashes(
    store: &Store,
    project: &Project,
    path: &str,
    summary: &Summary,
    replaced: &[String],
) -> Vec<String> {
    let policy = project.on_conflict;
    let family = ingest::family(summary.format.name());
    let settled = |l: &Load| match policy {
        OnConflict::Answers => {
            family.is_some() && ingest::family(&l.format) == family || l.path == path && path != "-"
        }
        OnConflict::Refuse => false,
        OnConflict::Sum => l.path != path || path == "-",
        OnConflict::Max | OnConflict::Latest => true,
    };
    if summary.grain != Grain::Usage {
        return Vec::new();
    }
    let overlaps = |l: &&Load| l.first_day <= summary.last_day && l.last_day >= summary.first_day;
    let stays = |l: &&Load| l.grain == Grain::Usage && !replaced.contains(&l.load) && !settled(l);
    store
        .loads()
        .live()
        .filter(stays)
        .filter(overlaps)
        .map(|l| l.load.clone())
        .collect()
}

/// A path whose moments fell on the days of one zone stays in it.
pub(super) fn refuse_other_zone(store: &Store, path: &str, zone: &str) -> Result<(), LoadError> {
    let other =
        |l: &&Load| l.path == path && path != "-" && l.grain == Grain::Usage && l.zone != zone;
    match store.loads().live().find(other) {
        None => Ok(()),
        Some(load) => Err(LoadError::Zone {
            file: path.to_owned(),
            before: load.zone.clone(),
            now: zone.to_owned(),
            load: load.load.clone(),
        }),
    }
}

/// Days of people are never united across zones, and a bitmap of a day can't be put into another zone:
/// the zone of the first load of people stays the project's.
pub(super) fn refuse_unlike_zone(
    store: &Store,
    project: &Project,
    path: &str,
    options: &Options,
    run: &Run,
) -> Result<(), LoadError> {
    let zone = options.zone.name();
    let waiting = run.people.loads();
    let held = store.loads().live().chain(waiting);
    let mut unlike = held.filter(|l| l.grain.of_people() && l.zone != zone);
    let Some(load) = unlike.next() else {
        return Ok(());
    };
    let advice = match &options.source.zone {
        Some(_) => format!(
            "declare `zone = \"{}\"` for it if its days are of that zone, or keep it in a project of its own",
            load.zone
        ),
        None if project.zone.name() != load.zone => format!(
            "the zone is fixed at the first load: set `zone = \"{}\"` under [project] in essor.toml again, or begin a new store",
            load.zone
        ),
        None => "declare the same zone for both, or keep them in projects of their own".to_owned(),
    };
    Err(LoadError::PeopleZone(Box::new(UnlikeZone {
        file: path.to_owned(),
        now: zone.to_owned(),
        held: load.path.clone(),
        load: load.load.clone(),
        before: load.zone.clone(),
        advice,
    })))
}

pub(super) async fn refuse_clashes(
    store: &Store,
    file: &str,
    load: &str,
    rivals: &[String],
) -> Result<(), LoadError> {
    if rivals.is_empty() {
        return Ok(());
    }
    let others: Vec<&str> = rivals.iter().map(String::as_str).collect();
    let (count, first) = store.clashes(load, &others).await?;
    let Some(first) = first else { return Ok(()) };
    let held = store
        .loads()
        .live()
        .find(|l| l.load == first.load)
        .map(|l| l.path.clone())
        .unwrap_or_default();
    Err(LoadError::Clash {
        file: file.to_owned(),
        held,
        count,
        first: Box::new(first),
    })
}
