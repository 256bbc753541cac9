//! `essor simulate`: writes an invented messenger as a project.

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use indicatif::{ProgressBar, ProgressStyle};

use super::{Outcome, Setting, WrongUse};
use crate::calendar::{self, Day};
use crate::chart::number::{exact, short};
use crate::simulate::{Ask, Quantity, Realised, SimulateError, Target, simulate};

const EXAMPLES: &str = "\
Examples:
  essor simulate -o small
  essor simulate --days 30 --monthly-actives 100M --signups 350k --messages 15G --seed 7 -o big
  essor simulate --days 180 --monthly-actives 2M --signups 17k --messages 60M -o half-a-year

Numbers may end in k, M, G (also bn, B). The same options and seed give the same bytes.
Monthly actives are those of the whole span where it has 28 to 31 days, else of any 30 days:
over longer spans they stay level, as newcomers replace those who leave.";

/// `essor simulate`
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The folder to make; it becomes a project
    #[arg(long, short, value_name = "DIR")]
    output: PathBuf,
    /// The first day
    #[arg(long, value_name = "DAY", default_value = "2016-02-01")]
    from: String,
    /// How many days
    #[arg(long, value_name = "N", default_value_t = 30)]
    days: u32,
    /// Distinct users a month
    #[arg(long, value_name = "N", default_value = "100k")]
    monthly_actives: Quantity,
    /// New users a day, on average; 0.35 % of monthly actives unless given
    #[arg(long, value_name = "N")]
    signups: Option<Quantity>,
    /// Messages a day, on average; 150 for each monthly active unless given
    #[arg(long, value_name = "N")]
    messages: Option<Quantity>,
    /// Daily actives as a share of monthly actives, on average (stickiness)
    #[arg(long, value_name = "SHARE", default_value_t = 0.45)]
    daily_share: f64,
    /// The platform's name
    #[arg(long, value_name = "NAME", default_value = "Simulated")]
    platform: String,
    /// What the draws depend on
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Leave out the file of everyone who ever signed up
    #[arg(long)]
    no_signups: bool,
    /// Write into a folder that isn't empty; an earlier simulation in it is replaced
    #[arg(long)]
    force: bool,
}

impl Args {
    fn ask(&self) -> Result<Ask> {
        let from: Day = calendar::day(&self.from)?;
        let actives = self.monthly_actives.0;
        Ok(Ask {
            from,
            days: self.days,
            monthly_actives: actives,
            signups: self
                .signups
                .map_or((actives.saturating_mul(7) / 2000).max(1), |q| q.0),
            messages: self.messages.map_or(actives.saturating_mul(150), |q| q.0),
            daily_share: self.daily_share,
            seed: self.seed,
        })
    }
}

/// Simulates a platform and says what came of it.
pub fn run(args: Args, here: &Path, setting: &Setting) -> Result<Outcome> {
    let ask = args.ask()?;
    let folder = here.join(&args.output);
    let target = Target {
        folder: &folder,
        platform: &args.platform,
        with_signups: !args.no_signups,
        force: args.force,
    };
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(setting.threads.unwrap_or(0))
        .build()
        .context("can't start threads")?;
    let bar = progress();
    let realised = pool.install(|| {
        simulate(&ask, &target, &|part| {
            bar.set_position((part * 1000.0) as u64)
        })
    });
    bar.finish_and_clear();
    let realised = realised.map_err(|error| match error {
        SimulateError::Impossible(sentence) => WrongUse(sentence).into(),
        other => anyhow::Error::from(other),
    })?;
    crate::pseudonym::Key::make(&folder)?;
    say(&ask, &realised, &args)?;
    Ok(Outcome::Done)
}

fn progress() -> ProgressBar {
    let bar = ProgressBar::new(1000);
    if let Ok(style) = ProgressStyle::with_template("{bar:24} {percent} %  {elapsed}") {
        bar.set_style(style);
    }
    bar
}

fn say(ask: &Ask, realised: &Realised, args: &Args) -> Result<()> {
    let mut out = anstream::stdout();
    writeln!(
        out,
        "simulated {} days of {} in {}: {} user-days of {} users in {} rows",
        ask.days,
        args.platform,
        args.output.display(),
        exact(realised.user_days() as i64),
        exact(realised.users as i64),
        exact(realised.rows as i64),
    )?;
    say_figures(ask, realised, &mut out)?;
    writeln!(
        out,
        "\nNobody in it exists: its files and essor.toml say so. Next:\n  cd {} && essor report {}",
        args.output.display(),
        ask.from.format("%Y-%m")
    )?;
    Ok(())
}

/// The figures that were asked for beside those that were written.
fn say_figures(ask: &Ask, realised: &Realised, out: &mut impl Write) -> std::io::Result<()> {
    let days = f64::from(ask.days);
    let monthly = realised.mean_monthly_actives();
    let share = realised.mean_daily_actives() / monthly.max(1.0);
    writeln!(out, "{:<22} {:>14} {:>14}", "", "asked", "is")?;
    let lines = [
        ("monthly actives", ask.monthly_actives as f64, monthly),
        (
            "signups a day",
            ask.signups as f64,
            realised.signups as f64 / days,
        ),
        (
            "messages a day",
            ask.messages as f64,
            realised.messages as f64 / days,
        ),
    ];
    for (name, asked, is) in lines {
        writeln!(out, "{name:<22} {:>14} {:>14}", short(asked), short(is))?;
    }
    writeln!(
        out,
        "{:<22} {:>14} {share:>14.3}",
        "daily share", ask.daily_share
    )?;
    Ok(())
}
