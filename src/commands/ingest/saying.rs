//! What is said on standard error of the files of a run.

use std::collections::BTreeSet;
use std::io::Write;

use super::files;
use super::load::Taken;
use super::refused::LoadError;
use crate::chart::number::exact;
use crate::ingest::{Reject, Summary};

pub(super) fn say_not_taken(columns: &BTreeSet<String>) -> std::io::Result<()> {
    let names: Vec<String> = columns.iter().map(|c| format!("`{c}`")).collect();
    match names.is_empty() {
        true => Ok(()),
        false => writeln!(
            anstream::stderr(),
            "note: not taken of files of people: {}; `dimensions` in essor.toml declares what splits users, `ignore` says that a column is left out on purpose",
            names.join(", ")
        ),
    }
}

/// What a folder holds besides data; a README is expected there and not worth a word.
pub(super) fn say_passed_over(paths: &[String]) -> std::io::Result<()> {
    let expected = |p: &&String| p.ends_with(".md");
    let mut others = paths.iter().filter(|p| !expected(p));
    match (others.next(), others.count()) {
        (None, _) => Ok(()),
        (Some(first), more) => {
            let more = if more > 0 {
                format!(" and {more} more")
            } else {
                String::new()
            };
            writeln!(
                anstream::stderr(),
                "note: passed over `{first}`{more}: in folders and archives only what chat programs export is read of files that do not end in {}; name another kind itself",
                files::endings()
            )
        }
    }
}

/// One line a file that was not known, and the first of its rejects.
pub(super) fn say(name: &str, seen: &str, taken: &Result<Taken, LoadError>) -> std::io::Result<()> {
    let mut out = anstream::stderr();
    let red = anstyle::Style::new()
        .bold()
        .fg_color(Some(anstyle::AnsiColor::Red.into()));
    match taken {
        Ok(Taken::Known) => Ok(()),
        Ok(Taken::Loaded {
            summary,
            replaced,
            rejects,
        }) => {
            let instead = match replaced {
                0 => String::new(),
                1 => ", in place of an earlier load".to_owned(),
                n => format!(", in place of {n} earlier loads"),
            };
            writeln!(
                out,
                "{name}: {} rows of {} as {}{instead}",
                exact(summary.rows_kept as i64),
                summary.grain.name(),
                format_name(summary)
            )?;
            if !seen.is_empty() {
                writeln!(out, "  {seen}")?;
            }
            say_rejects(name, summary, rejects)
        }
        Ok(Taken::Strict { summary, rejects }) => {
            writeln!(
                out,
                "{red}error{red:#}: `{name}` is refused whole: {} of its {} rows can't be read (--strict)",
                summary.rows_rejected - summary.rows_left_out,
                summary.rows_read
            )?;
            say_rejects(name, summary, rejects)
        }
        Err(error) => writeln!(out, "{red}error{red:#}: {error}"),
    }
}

fn say_rejects(name: &str, summary: &Summary, rejects: &[Reject]) -> std::io::Result<()> {
    let mut out = anstream::stderr();
    for reject in rejects {
        let column = if reject.column.is_empty() {
            String::new()
        } else {
            format!("column `{}`: ", reject.column)
        };
        writeln!(
            out,
            "  {name}:{}: {}: {column}{}",
            reject.line,
            if reject.by_rule {
                "left out"
            } else {
                "rejected"
            },
            reject.reason
        )?;
    }
    match summary.rows_rejected.saturating_sub(rejects.len() as u64) {
        0 => Ok(()),
        more => writeln!(out, "  ... and {} more", exact(more as i64)),
    }
}

pub(super) fn files_counted(n: usize) -> String {
    if n == 1 {
        "1 file".to_owned()
    } else {
        format!("{n} files")
    }
}

/// The format found: `csv`, `csv+gzip`.
pub(super) fn format_name(summary: &Summary) -> String {
    let (format, compression) = (summary.format.name(), summary.compression.name());
    match compression {
        "" => format.to_owned(),
        _ => format!("{format}+{compression}"),
    }
}
