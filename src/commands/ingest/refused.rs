//! Why files are not taken.

use crate::activity::RollupError;
use crate::ingest::IngestError;
use crate::store::{Clash, StoreError};

/// Why a file was not taken.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// It can't be read.
    #[error(transparent)]
    Ingest(#[from] IngestError),
    /// The store refused.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// It was written to while it was read.
    #[error("`{file}` changed while it was read; ingest it again when it is whole")]
    Changed {
        /// The file.
        file: String,
    },
    /// It was read in another zone before.
    #[error(
        "`{file}` was read in the zone `{before}` and would be in `{now}`: moments can't move to other days; take the load back first (`essor unload {load}`)"
    )]
    Zone {
        /// The file.
        file: String,
        /// The zone of its live load.
        before: String,
        /// The zone that essor.toml says now.
        now: String,
        /// That load.
        load: String,
    },
    /// People of one store were put on days in another zone.
    #[error(transparent)]
    PeopleZone(Box<UnlikeZone>),
    /// Its people can't be rolled up.
    #[error("`{file}`: {source}")]
    Rollup {
        /// The file.
        file: String,
        /// Why.
        source: RollupError,
    },
    /// Standard input can't be read.
    #[error("can't read standard input: {0}")]
    Stdin(std::io::Error),
    /// It is of a chat that another load is of, and holds some of its days.
    #[error(
        "`{file}` is of the same chat as `{held}` (load {load}) and holds some of its days but not all: messages would count twice; export the chat from its beginning, or take the earlier back with `essor unload {load}`"
    )]
    SameChat {
        /// The file.
        file: String,
        /// The file that was loaded before.
        held: String,
        /// Its load.
        load: String,
    },
    /// It states figures that another load has stated.
    #[error("{}", clash_told(.file, .held, *.count, .first))]
    Clash {
        /// The file.
        file: String,
        /// The file that stated them before.
        held: String,
        /// How many.
        count: usize,
        /// The first.
        first: Box<Clash>,
    },
}

/// A file whose days would be of another zone than those that the store holds.
#[derive(Debug, thiserror::Error)]
#[error(
    "`{file}` would be read in the zone `{now}`, but `{held}` (load {load}) was in `{before}`: days of unlike zones are never united; {advice}"
)]
pub struct UnlikeZone {
    /// The file.
    pub file: String,
    /// The zone that it would be read in.
    pub now: String,
    /// The file that was read in another.
    pub held: String,
    /// Its load.
    pub load: String,
    /// The zone of that one.
    pub before: String,
    /// What to do.
    pub advice: String,
}

/// What is stated twice, and what to do: for another content of the same path to let the newest
/// count, since what it no longer holds may be in no file any more.
fn clash_told(file: &str, held: &str, count: usize, first: &Clash) -> String {
    let figures = if count == 1 {
        "a figure".to_owned()
    } else {
        format!("{count} figures")
    };
    let what = format!("{} of {} on {}", first.metric, first.platform, first.day);
    if file == held {
        return format!(
            "`{file}` states {figures} again that it stated before under other content, and not all of its days (first {what}); say `on_conflict = \"latest\"` under [project] in essor.toml and the newest counts, the days that it no longer holds stay"
        );
    }
    format!(
        "`{file}` states {figures} that `{held}` (load {load}) has stated already (first {what}); say `on_conflict = \"sum\"`, `\"max\"` or `\"latest\"` under [project] in essor.toml, or take those back with `essor unload {load}`",
        load = first.load
    )
}
