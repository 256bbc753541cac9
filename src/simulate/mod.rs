//! A synthetic messenger: a project whose headline figures are those asked for and whose users are
//! invented, day by day.
//!
//! Nothing is kept of a user but the number they signed up with: all else is drawn anew from it and
//! the seed. So memory does not grow with users, the same seed gives the same bytes on any number
//! of threads, and who has left costs nothing. Users go through in blocks, each over all days at
//! once; the blocks of a slab make one row group of every day's file.

mod ask;
mod block;
mod calibrate;
mod cohort;
mod draw;
mod error;
mod model;
mod project;
mod user;
mod value;
mod write;

#[cfg(test)]
mod tests;

use std::ops::Range;
use std::path::Path;

use rayon::prelude::*;

pub use ask::{Ask, MONTH, MOST_DAYS, Quantity};
pub use error::SimulateError;
pub use write::SYNTHETIC;

use crate::calendar::date32;
use block::{Block, Tally};
use draw::{Order, mix};
use model::Model;
use project::Folder;
use write::{Arrays, DayFile, SignupFile};

/// How many rows are held in memory at most, about: 14 bytes each.
const ROWS_HELD: u64 = 48 << 20;

/// How many rows a row group has at most, about.
const ROWS_A_GROUP: u64 = 1 << 20;

/// How many users of the file of signups are made at a time.
const SIGNUPS_AT_ONCE: usize = 1 << 16;

/// What the written files hold, counted while they were written.
#[derive(Debug, Clone, PartialEq)]
pub struct Realised {
    /// Distinct users by window of [`Ask::window`] days, one after the other, the last one ending
    /// with the last day.
    pub monthly_actives: Vec<u64>,
    /// Distinct users by day.
    pub daily_actives: Vec<u64>,
    /// Messages over all days.
    pub messages: u64,
    /// Signups over the simulated days.
    pub signups: u64,
    /// Distinct users over all days.
    pub users: u64,
    /// Who ever signed up, also before the simulated days.
    pub registered: u64,
    /// Rows: more than users and days where users have two clients or countries on a day.
    pub rows: u64,
}

impl Realised {
    /// The mean of monthly actives over the windows.
    pub fn mean_monthly_actives(&self) -> f64 {
        mean(&self.monthly_actives)
    }

    /// The mean of daily actives.
    pub fn mean_daily_actives(&self) -> f64 {
        mean(&self.daily_actives)
    }

    /// Active users, summed over days.
    pub fn user_days(&self) -> u64 {
        self.daily_actives.iter().sum()
    }
}

fn mean(counts: &[u64]) -> f64 {
    counts.iter().sum::<u64>() as f64 / counts.len().max(1) as f64
}

/// Where a simulation goes, and what it writes besides days.
#[derive(Debug, Clone, Copy)]
pub struct Target<'a> {
    /// The folder, which becomes a project.
    pub folder: &'a Path,
    /// The platform's name.
    pub platform: &'a str,
    /// Whether a file of everyone who ever signed up is written.
    pub with_signups: bool,
    /// Whether a folder that isn't empty may be written into.
    pub force: bool,
}

/// Simulates a platform and writes it as a project. `progress` is called with the part that is
/// done, from 0 to 1. Uses the threads of the rayon pool it is called in.
///
/// # Errors
///
/// If no platform can be what is asked for, if the folder holds something else, or if a file can't
/// be written.
pub fn simulate(
    ask: &Ask,
    target: &Target<'_>,
    progress: &(dyn Fn(f64) + Sync),
) -> Result<Realised, SimulateError> {
    ask.check()?;
    let folder = Folder::check(target)?;
    let model = Model::new(ask, calibrate::calibrate(ask)?);
    folder.prepare()?;
    let note = ask.to_string();
    let tally = write_days(ask, &model, &folder, &note, progress)?;
    let registered = if target.with_signups {
        write_signups(ask, &model, &folder, &note)?
    } else {
        model.cohorts.iter().map(|c| c.size).sum()
    };
    folder.write_project(ask, target)?;
    let asked = model.cohorts.iter().filter(|c| c.day >= model.lead as i32);
    Ok(Realised {
        monthly_actives: tally.windows,
        daily_actives: tally.daily[model.lead..].to_vec(),
        messages: tally.messages,
        signups: asked.map(|c| c.size).sum(),
        users: tally.seen,
        registered,
        rows: tally.rows,
    })
}

/// Writes a file a day.
fn write_days(
    ask: &Ask,
    model: &Model,
    folder: &Folder,
    note: &str,
    progress: &(dyn Fn(f64) + Sync),
) -> Result<Tally, SimulateError> {
    let days = ask.from.iter_days().take(ask.days as usize);
    let mut files = days
        .map(|day| DayFile::create(&folder.activity(), day, note))
        .collect::<Result<Vec<_>, _>>()?;
    let slabs = slabs(ask, model.blocks());
    let mut tally = Tally::default();
    for (at, slab) in slabs.iter().enumerate() {
        let blocks = slab
            .clone()
            .into_par_iter()
            .map(|block| draw(ask, model, block))
            .collect::<Result<Vec<_>, _>>()?;
        let mut arrays = Vec::with_capacity(blocks.len());
        for (drawn, counted) in blocks {
            tally = tally.add(&counted);
            arrays.push(drawn);
        }
        files
            .par_iter_mut()
            .enumerate()
            .try_for_each(|(day, file)| file.write(&arrays, day))?;
        progress((at + 1) as f64 / slabs.len() as f64);
    }
    files.into_iter().try_for_each(DayFile::finish)?;
    Ok(tally)
}

/// Draws a block: its columns, and what they come to.
fn draw(ask: &Ask, model: &Model, block: u64) -> Result<(Arrays, Tally), SimulateError> {
    let mut users = Block::draw(model, &model.members(block, model.blocks()));
    let mut tally = users.tally(model);
    let columns = users.columns(model);
    tally.messages = columns.messages.iter().map(|m| u64::from(*m)).sum();
    Ok((Arrays::of(columns, ask.days as usize)?, tally))
}

/// The blocks that are held at once: those of a row group of each day, as even as can be.
fn slabs(ask: &Ask, blocks: u64) -> Vec<Range<u64>> {
    let daily = (ask.monthly_actives as f64 * ask.daily_share * 1.05) as u64;
    let group = (ROWS_HELD / u64::from(ask.days)).clamp(1, ROWS_A_GROUP);
    let slabs = daily.div_ceil(group).clamp(1, blocks);
    (0..slabs)
        .map(|slab| slab * blocks / slabs..(slab + 1) * blocks / slabs)
        .collect()
}

/// Writes who ever signed up, by day and within a day in no order; gives their number.
fn write_signups(
    ask: &Ask,
    model: &Model,
    folder: &Folder,
    note: &str,
) -> Result<u64, SimulateError> {
    let mut file = SignupFile::create(folder.signups(), note)?;
    let first = date32(cohort::first_day(ask, model.lead));
    let mut registered = 0;
    for cohort in &model.cohorts {
        // A cohort's users are numbered by how long they stay, which must not show.
        let order = Order::new(cohort.size, mix(cohort.first ^ ask.seed));
        for start in (0..cohort.size).step_by(SIGNUPS_AT_ONCE) {
            let count = SIGNUPS_AT_ONCE.min((cohort.size - start) as usize);
            let users = (0..count)
                .into_par_iter()
                .with_min_len(1 << 12)
                .map(|place| order.at(start + place as u64))
                .map(|place| model.keys.identity(cohort.first + place))
                .collect();
            file.write(users, first + cohort.day)?;
        }
        registered += cohort.size;
    }
    file.finish()?;
    Ok(registered)
}
