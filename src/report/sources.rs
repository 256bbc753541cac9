//! What stands under a chart: the files that its figures come from.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::ReportError;
use crate::calendar::Day;
use crate::schema::Grain;
use crate::store::Store;

/// A file that figures come from.
pub(super) struct SourceFile {
    path: String,
    grain: Grain,
    first_day: Option<Day>,
    platforms: BTreeSet<String>,
}

/// The files of the live loads, each once, in the order of their paths.
pub(super) async fn files(store: &Store) -> Result<Vec<SourceFile>, ReportError> {
    let mut platforms = store.platforms().await?;
    let mut files: Vec<SourceFile> = store
        .loads()
        .live()
        .map(|l| SourceFile {
            path: l.path.clone(),
            grain: l.grain,
            first_day: l.first_day,
            platforms: platforms.remove(&l.load).unwrap_or_default(),
        })
        .collect();
    // A database gives loads of several grains, a load a day: one of each grain stands for them, the earliest.
    let key = |f: &SourceFile| (f.path.clone(), f.grain.name(), f.first_day);
    files.sort_by_cached_key(key);
    files.dedup_by(|later, first| {
        later.path == first.path && later.grain == first.grain && later.platforms == first.platforms
    });
    Ok(files)
}

/// What stands under a chart that is drawn by itself: the files that know of its platforms.
pub async fn sources_of(
    store: &Store,
    found: &[Map<String, Value>],
    subject: Option<&str>,
) -> Result<Vec<String>, ReportError> {
    Ok(footer(&files(store).await?, found, subject, None))
}

/// What stands under a chart: the files that know of its platforms, up to a day.
pub(super) fn footer(
    files: &[SourceFile],
    found: &[Map<String, Value>],
    subject: Option<&str>,
    until: Option<Day>,
) -> Vec<String> {
    let named = |row: &Map<String, Value>| {
        ["platform", "rival"]
            .iter()
            .find_map(|k| row.get(*k)?.as_str().map(str::to_owned))
    };
    let mut platforms: BTreeSet<String> = found.iter().filter_map(named).collect();
    if platforms.is_empty() {
        platforms.extend(subject.map(str::to_owned));
    }
    let said_by_then = |f: &&SourceFile| until.is_none() || f.first_day <= until;
    let used: Vec<&SourceFile> = files
        .iter()
        .filter(|f| !f.platforms.is_disjoint(&platforms))
        .filter(said_by_then)
        .collect();
    let paths = |grain: Grain| {
        used.iter()
            .filter(move |f| f.grain == grain)
            .map(|f| f.path.as_str())
            .collect::<Vec<_>>()
    };
    let listed = |paths: Vec<&str>| {
        if paths.len() > 3 {
            format!("{} files", paths.len())
        } else {
            paths.join(", ")
        }
    };
    let mut said = Vec::new();
    if !paths(Grain::Disclosures).is_empty() {
        said.push(format!(
            "public statements collected in {}, each with its own source",
            listed(paths(Grain::Disclosures))
        ));
    }
    if !paths(Grain::Usage).is_empty() {
        said.push(format!("counts in {}", listed(paths(Grain::Usage))));
    }
    if said.is_empty() {
        Vec::new()
    } else {
        vec![format!("Source: {}. Made with essor.", said.join("; "))]
    }
}
