//! Whether what essor.toml says can be meant.

use chrono::Weekday;
use chrono_tz::Tz;

use super::Document;
use crate::calendar::{self, Day};
use crate::metric;

/// Says what can't be meant, with what to write instead.
pub(super) fn check(document: &Document) -> Result<(), String> {
    for source in &document.source {
        if let Some(name) = &source.zone {
            zone(name)?;
        }
        source.delimited()?;
        glob::Pattern::new(&source.path)
            .map_err(|e| format!("source path `{}` is no glob: {e}", source.path))?;
    }
    for dispute in &document.dispute {
        let told = |e: String| format!("dispute on `{}`: {e}", dispute.platform);
        metric::in_a_statement(&dispute.metric).map_err(|e| told(e.to_string()))?;
        calendar::end_of(&dispute.as_of).map_err(|e| told(e.to_string()))?;
    }
    for confirmed in &document.confirmed {
        let told = |e: String| format!("confirmed of `{}`: {e}", confirmed.platform);
        metric::find(&confirmed.metric).map_err(|e| told(e.to_string()))?;
        calendar::day(&confirmed.day).map_err(|e| told(e.to_string()))?;
    }
    for (name, platform) in &document.platform {
        if let Some(launched) = &platform.launched {
            calendar::day(launched).map_err(|e| format!("platform `{name}`, launched: {e}"))?;
        }
    }
    match document.project.carry_forward {
        0..=30 => dimensions(&document.project.dimensions),
        days => Err(format!(
            "carry_forward: {days} days is too long; a server that is silent for more than 30 has left"
        )),
    }
}

/// The day that weeks begin with: Monday unless it is said.
pub(super) fn week_start(name: Option<&str>) -> Result<Weekday, String> {
    let Some(name) = name else {
        return Ok(Weekday::Mon);
    };
    name.parse().map_err(|_| {
        format!("week_start: `{name}` is no day of the week; write `monday` or `sunday`")
    })
}

/// The day at which indexed growth is 100.
pub(super) fn base(day: Option<&str>) -> Result<Option<Day>, String> {
    let day = day.map(calendar::end_of).transpose();
    day.map_err(|e| format!("base: {e}"))
}

/// The names of dimensions, which must not be those of other columns.
fn dimensions(names: &[String]) -> Result<(), String> {
    const TAKEN: [&str; 9] = [
        "platform",
        "server",
        "user",
        "user_id",
        "day",
        "date",
        "timestamp",
        "time",
        "messages",
    ];
    for (place, name) in names.iter().enumerate() {
        let sound = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        if name.is_empty() || !name.chars().all(sound) || TAKEN.contains(&name.as_str()) {
            return Err(format!(
                "dimensions: `{name}` can't be one; use small letters, digits and `_`, and none of {}",
                TAKEN.join(", ")
            ));
        }
        if names[..place].contains(name) {
            return Err(format!("dimensions: `{name}` stands there twice"));
        }
    }
    match names.len() {
        0..=16 => Ok(()),
        more => Err(format!("dimensions: {more} of them; at most 16 are kept")),
    }
}

/// An amount of memory.
pub(super) fn memory(text: &str) -> Result<u64, String> {
    match bytes(text) {
        Some(bytes) if bytes >= 64 << 20 => Ok(bytes),
        _ => Err(format!(
            "memory: `{text}` is no amount of memory; write at least `64 MiB`, such as `6 GiB`"
        )),
    }
}

/// A number of bytes: `512 MiB`, `6GB`.
pub fn bytes(text: &str) -> Option<u64> {
    let digits = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let unit = match unit.trim().to_ascii_lowercase().as_str() {
        "kb" => 1_000,
        "mb" => 1_000_000,
        "gb" => 1_000_000_000,
        "kib" => 1 << 10,
        "mib" => 1 << 20,
        "gib" => 1 << 30,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(unit)
}

/// A time zone by its IANA name.
pub fn zone(name: &str) -> Result<Tz, String> {
    name.parse().map_err(|_| {
        format!("`{name}` is not a time zone; write an IANA name, such as `UTC` or `Europe/Paris`")
    })
}
