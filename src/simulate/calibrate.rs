//! Turns the dials until the platform has the figures that were asked for.
//!
//! Two figures, monthly actives and the daily share, hang on two dials: how long users stay at most
//! and how active they are. They are found by Broyden's method on what the draws come to, not on
//! what is expected of them: on all users where there are few, else on a sample of some hundred
//! thousand of the very users that are written. Messages follow by proportion.

use rayon::prelude::*;

use super::SimulateError;
use super::ask::{Ask, Quantity};
use super::block::{Block, Tally};
use super::model::{Dials, Model};

/// How many blocks a sample has; so many blocks or fewer are all looked at.
const SAMPLE: u64 = 32;

/// How many blocks do until the dials are nearly right.
const ROUGH: u64 = 4;

/// A deviation of the sample, as a logarithm, that needs no better dials.
const GOOD: f64 = 5e-4;

/// A deviation that will do where no better dials are found.
const TOLERABLE: f64 = 4e-3;

/// How often the dials are turned at most.
const TURNS: usize = 30;

/// The shortest and the longest that users may stay, in days: 20 years.
const LONGEST: [f64; 2] = [3.0, 7305.0];

/// The least and the greatest log-odds of activity.
const ACTIVITY: [f64; 2] = [-7.0, 9.0];

/// Where the least daily share is looked for.
const SEDATE: [f64; 6] = [ACTIVITY[0], -5.0, -4.0, -3.0, -2.0, -1.0];

/// A point of the dials, as ln(longest) and activity; or a deviation from what is asked, as
/// logarithms of monthly actives and of the odds of the daily share.
type Pair = [f64; 2];

/// Finds the dials.
pub(super) fn calibrate(ask: &Ask) -> Result<Dials, SimulateError> {
    // Newcomers of the window and some who stay: longest * 0.45 / 2 is the mean stay.
    let stay = ask.monthly_actives as f64 / ask.signups as f64 - 28.0;
    let start = [(stay / 0.225).max(5.0).ln(), 0.5];
    let start = clamp(start);
    let (near, _) = search(ask, start, ROUGH, 10.0 * GOOD);
    let (found, off) = search(ask, near, SAMPLE, GOOD);
    // Few users can't be had more exactly than by some of them.
    let tolerable = TOLERABLE.max(20.0 / ask.monthly_actives as f64);
    if off[0].abs() > tolerable || share_off(ask, off) > tolerable {
        return Err(refusal(ask));
    }
    let dials = Dials {
        longest: found[0].exp(),
        activity: found[1],
        messages: 1.0,
    };
    Ok(with_messages(ask, dials))
}

/// What the sample comes to with these dials, its users counted as all are.
struct Reading {
    monthly: f64,
    daily: f64,
    messages: f64,
}

fn read(ask: &Ask, dials: Dials, sample: u64, with_messages: bool) -> Reading {
    let model = Model::new(ask, dials);
    let blocks = model.blocks();
    let tally = (0..blocks.min(sample))
        .into_par_iter()
        .map(|block| {
            let members = model.members(block, blocks);
            let mut block = Block::draw(&model, &members);
            let mut tally = block.tally(&model);
            tally.users = members.len() as u64;
            if with_messages {
                tally.messages = block.messages(&model);
            }
            tally
        })
        .reduce(Tally::default, |a, b| a.add(&b));
    let scale = if blocks <= sample {
        1.0
    } else {
        model.expected() / tally.users as f64
    };
    let mean = |counts: &[u64]| counts.iter().sum::<u64>() as f64 / counts.len().max(1) as f64;
    Reading {
        monthly: mean(&tally.windows) * scale,
        daily: mean(&tally.daily[model.lead..]) * scale,
        messages: tally.messages as f64 * scale / f64::from(ask.days),
    }
}

/// How far the sample is from what is asked.
fn deviation(ask: &Ask, at: Pair, sample: u64) -> Pair {
    let dials = Dials {
        longest: at[0].exp(),
        activity: at[1],
        messages: 1.0,
    };
    let reading = read(ask, dials, sample, false);
    let share = (reading.daily / reading.monthly.max(1.0)).clamp(1e-9, 1.0 - 1e-9);
    [
        (reading.monthly.max(1.0) / ask.monthly_actives as f64).ln(),
        log_odds(share) - log_odds(ask.daily_share),
    ]
}

fn log_odds(share: f64) -> f64 {
    (share / (1.0 - share)).ln()
}

/// The deviation of the daily share as a logarithm, from that of its odds.
fn share_off(ask: &Ask, off: Pair) -> f64 {
    let odds = log_odds(ask.daily_share) + off[1];
    (1.0 / (1.0 + (-odds).exp()) / ask.daily_share).ln().abs()
}

fn size(off: Pair) -> f64 {
    off[0].abs().max(off[1].abs())
}

fn clamp(at: Pair) -> Pair {
    [
        at[0].clamp(LONGEST[0].ln(), LONGEST[1].ln()),
        at[1].clamp(ACTIVITY[0], ACTIVITY[1]),
    ]
}

/// Broyden's method (1965) from `start`: the best point found and its deviation.
fn search(ask: &Ask, start: Pair, sample: u64, good: f64) -> (Pair, Pair) {
    let mut at = start;
    let mut off = deviation(ask, at, sample);
    let mut best = (at, off);
    // How the deviations answer to the dials, about: only the course to the end hangs on it.
    let mut slope = [[0.9, 0.15], [0.1, 0.8]];
    for _ in 0..TURNS {
        if size(best.1) <= good {
            break;
        }
        let Some(step) = solve(slope, off) else { break };
        let next = clamp([
            at[0] - step[0].clamp(-1.0, 1.0),
            at[1] - step[1].clamp(-1.5, 1.5),
        ]);
        let moved = [next[0] - at[0], next[1] - at[1]];
        let length = moved[0] * moved[0] + moved[1] * moved[1];
        if length < 1e-16 {
            break;
        }
        let reached = deviation(ask, next, sample);
        for row in 0..2 {
            let foretold = slope[row][0] * moved[0] + slope[row][1] * moved[1];
            let surprise = (reached[row] - off[row] - foretold) / length;
            slope[row][0] += surprise * moved[0];
            slope[row][1] += surprise * moved[1];
        }
        (at, off) = (next, reached);
        if size(off) < size(best.1) {
            best = (at, off);
        }
    }
    best
}

/// The solution of two linear equations.
fn solve(m: [[f64; 2]; 2], right: Pair) -> Option<Pair> {
    let determinant = m[0][0] * m[1][1] - m[0][1] * m[1][0];
    (determinant.abs() > 1e-9).then(|| {
        [
            (right[0] * m[1][1] - right[1] * m[0][1]) / determinant,
            (right[1] * m[0][0] - right[0] * m[1][0]) / determinant,
        ]
    })
}

/// Scales messages to what is asked. Caps and whole numbers make it take more than one step.
fn with_messages(ask: &Ask, mut dials: Dials) -> Dials {
    for _ in 0..6 {
        let reading = read(ask, dials, SAMPLE, true);
        let factor = ask.messages as f64 / reading.messages.max(1.0);
        dials.messages *= factor;
        if (factor - 1.0).abs() < GOOD {
            break;
        }
    }
    dials
}

/// Why no dials were found: signups and monthly actives don't go together, or the daily share is
/// beyond what the least and the most active users come to.
fn refusal(ask: &Ask) -> SimulateError {
    let actives = Quantity(ask.monthly_actives);
    let signups = Quantity(ask.signups);
    let share = ask.daily_share;
    // Users who are hardly ever active may not do however many they are: then the next who do.
    let least = SEDATE
        .iter()
        .map(|activity| share_at(ask, *activity))
        .find(|found| *found != Err(Misfit::TooFew))
        .unwrap_or(Err(Misfit::TooFew));
    let ends = (least, share_at(ask, ACTIVITY[1]));
    let sentence = match ends {
        (_, Err(Misfit::TooFew)) => format!(
            "{signups} signups a day don't keep {actives} monthly actives even if some stay for {:.0} years; \
             ask for more signups or fewer monthly actives",
            LONGEST[1] / 365.25
        ),
        (Err(Misfit::TooMany), _) => format!(
            "{signups} signups a day alone make more than {actives} monthly actives; \
             ask for fewer signups or more monthly actives"
        ),
        (_, Ok(most)) if share > most => format!(
            "a daily share of {share} can't be had with {actives} monthly actives and {signups} signups a day: \
             ask for {:.2} or less, or for fewer signups",
            (most * 100.0).floor() / 100.0
        ),
        (Ok(least), _) if share < least => format!(
            "a daily share of {share} can't be had with {actives} monthly actives and {signups} signups a day: \
             ask for {:.2} or more",
            (least * 100.0).ceil() / 100.0
        ),
        _ => format!(
            "{actives} monthly actives, {signups} signups a day and a daily share of {share} don't go together; \
             ask for fewer signups or a daily share nearer to 0.45"
        ),
    };
    SimulateError::Impossible(sentence)
}

/// Why monthly actives can't be had.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Misfit {
    TooFew,
    TooMany,
}

/// About the daily share that users of this activity come to, their stay chosen by bisection so
/// that monthly actives are those asked for.
fn share_at(ask: &Ask, activity: f64) -> Result<f64, Misfit> {
    let reading = |longest: f64| {
        let dials = Dials {
            longest: longest.exp(),
            activity,
            messages: 1.0,
        };
        read(ask, dials, ROUGH, false)
    };
    let actives = ask.monthly_actives as f64;
    let [mut low, mut high] = LONGEST.map(f64::ln);
    if reading(high).monthly < actives {
        return Err(Misfit::TooFew);
    }
    if reading(low).monthly > actives {
        return Err(Misfit::TooMany);
    }
    for _ in 0..8 {
        let middle = (low + high) / 2.0;
        if reading(middle).monthly < actives {
            low = middle;
        } else {
            high = middle;
        }
    }
    let found = reading((low + high) / 2.0);
    Ok(found.daily / found.monthly.max(1.0))
}
