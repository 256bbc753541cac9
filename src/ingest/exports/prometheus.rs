//! Metrics that chat servers show to Prometheus: a page as it was fetched (text format 0.0.4) or samples
//! with their moments (OpenMetrics, as `promtool tsdb dump-openmetrics` writes them).
//!
//! Only the names below are read. A sample is of the day of its own moment; a page has none, and is of the
//! day that its name or `--at` says. Synapse has named its server in a label since 2025 and Prosody always
//! names the host; without the label the server is that of `--server` or of the file's name. Of several
//! moments of a day the last counts.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::collections::btree_map::{self, Entry};
use std::io::{BufRead, BufReader, Read};

use prometheus_parse::LineInfo;

use super::synapse_phone_home::{NO_MOMENT, day_of};
use super::{Export, Head, Opening, Reader, Rows, name};
use crate::calendar::Day;
use crate::ingest::cell;
use crate::ingest::error::IngestError;
use crate::ingest::reject::Reason;
use crate::ingest::sniff::Bytes;
use crate::ingest::{Input, Options, sniff};
use crate::schema::Grain;

pub(super) static EXPORT: Export = Export {
    name: "prometheus",
    title: "metrics of a chat server in Prometheus' text format",
    platform: "Matrix",
    family: "matrix",
    rank: 0,
    of_servers: true,
    gives: &[Grain::Usage],
    lacks_server: false,
    lacks_day: false,
    utc: true,
    messages: false,
    cumulative: &[],
    recognise,
    part: Some(part),
    chat: None,
    private_name: false,
    open,
};

/// A series that is read: its name, what it is, the label of its server, and the label that it is summed over.
struct Known {
    name: &'static str,
    metric: &'static str,
    server: &'static str,
    over: &'static str,
}

const fn known(name: &'static str, metric: &'static str, server: &'static str) -> Known {
    Known {
        name,
        metric,
        server,
        over: "",
    }
}

const KNOWN: [Known; 9] = [
    known("synapse_admin_daily_active_users", "dau", "server_name"),
    known("synapse_admin_mau_current", "mau_30d", "server_name"),
    Known {
        over: "app_service",
        ..known(
            "synapse_non_deactivated_user_count",
            "registered_users",
            "server_name",
        )
    },
    // The exporter joins module and measure with one `_` or two, by its version.
    known(
        "prosody_mod_measure_active_users_active_users_1d",
        "dau",
        "host",
    ),
    known(
        "prosody_mod_measure_active_users_active_users_7d",
        "wau_7d",
        "host",
    ),
    known(
        "prosody_mod_measure_active_users_active_users_30d",
        "mau_30d",
        "host",
    ),
    known(
        "prosody_mod_measure_active_users__active_users_1d",
        "dau",
        "host",
    ),
    known(
        "prosody_mod_measure_active_users__active_users_7d",
        "wau_7d",
        "host",
    ),
    known(
        "prosody_mod_measure_active_users__active_users_30d",
        "mau_30d",
        "host",
    ),
];

fn find(line: &str) -> Option<&'static Known> {
    let end = line.find(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != ':');
    let name = line.get(..end.unwrap_or(line.len()))?;
    KNOWN.iter().find(|known| known.name == name)
}

/// A page begins with the help or the type of its first metric; exports without either begin with a sample.
fn recognise(head: &Head) -> Option<String> {
    let mut lines = head
        .text()
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty());
    let first = lines.next()?;
    if let Some(known) = find(first).filter(|_| sample(first).is_some()) {
        return Some(format!("its first line is a sample of `{}`", known.name));
    }
    let mut words = first.split_ascii_whitespace();
    let said = match (words.next(), words.next(), words.next()) {
        (Some("#"), Some(kind @ ("HELP" | "TYPE" | "UNIT")), Some(_)) => kind,
        _ => return None,
    };
    // Behind it comes a sample, whatever it is of.
    let second = lines.find(|line| !line.starts_with('#'))?;
    sample(second)?;
    Some(format!("its first line is `# {said}` of a metric"))
}

struct Sample<'a> {
    labels: &'a str,
    value: &'a str,
    moment: Option<&'a str>,
}

fn sample(line: &str) -> Option<Sample<'_>> {
    match LineInfo::parse(line) {
        LineInfo::Sample {
            labels,
            value,
            timestamp,
            ..
        } if cell_of(value).is_some() => Some(Sample {
            labels: labels.unwrap_or(""),
            value,
            // An exemplar follows a `#`.
            moment: timestamp.filter(|moment| !moment.starts_with('#')),
        }),
        _ => None,
    }
}

/// A sample's value as a column of whole numbers holds it; none where it is no number.
fn cell_of(value: &str) -> Option<i64> {
    value.parse::<f64>().ok().map(cell::from_float)
}

/// The value of a label. Labels are `name="text"`, with `\\`, `\"` and `\n` in the text; `None` where they are
/// not written so, and empty where there is no such label.
fn label(labels: &str, wanted: &str) -> Option<String> {
    let (mut rest, mut found) = (labels.trim(), String::new());
    while !rest.is_empty() {
        let (name, text) = rest.split_once('=')?;
        let mut chars = text.trim_start().strip_prefix('"')?.chars();
        let mut value = String::new();
        loop {
            match chars.next()? {
                '"' => break,
                '\\' => value.push(match chars.next()? {
                    'n' => '\n',
                    other => other,
                }),
                other => value.push(other),
            }
        }
        if name.trim() == wanted {
            found = value;
        }
        rest = chars.as_str().trim_start();
        rest = match rest.strip_prefix(',') {
            Some(next) => next.trim_start(),
            None if rest.is_empty() => rest,
            None => return None,
        };
    }
    Some(found)
}

/// The lines of a file, as text that may not be UTF-8.
struct Lines(BufReader<Bytes>);

/// The longest line that is read; what is longer is no sample of those that are.
const LONGEST: u64 = 1 << 16;

impl Lines {
    fn next(&mut self) -> std::io::Result<Option<String>> {
        let mut line = vec![];
        if self.0.by_ref().take(LONGEST).read_until(b'\n', &mut line)? == 0 {
            return Ok(None);
        }
        if line.last() != Some(&b'\n') && line.len() as u64 == LONGEST {
            self.0.skip_until(b'\n')?;
        }
        Ok(Some(String::from_utf8_lossy(&line).trim().to_owned()))
    }
}

/// What the samples of a file lack is asked of all that are read: a page of an old server names no server,
/// and only a page has no moments.
fn part(
    export: &'static Export,
    input: &Input,
    options: &Options,
) -> Result<Vec<Options>, IngestError> {
    let failed = |source| IngestError::Read {
        name: input.name.clone(),
        source,
    };
    let mut lines = Lines(BufReader::new(sniff::open(input)?.1));
    let (mut lacks_server, mut lacks_day) = (false, false);
    let mut platform = None;
    while let Some(line) = lines.next().map_err(failed)? {
        let Some((known, sample)) = find(&line).and_then(|k| Some((k, sample(&line)?))) else {
            continue;
        };
        lacks_server |= label(sample.labels, known.server).is_some_and(|name| name.is_empty());
        lacks_day |= sample.moment.is_none();
        platform = platform.or(Some(if known.server == "host" {
            "XMPP"
        } else {
            export.platform
        }));
    }
    let Some(platform) = platform else {
        return Err(IngestError::NothingKnown {
            name: input.name.clone(),
            found: "a page of metrics with none of the metrics that are read",
            advice: "they are Synapse's `synapse_admin_daily_active_users`, `synapse_admin_mau_current` and `synapse_non_deactivated_user_count`, and those of Prosody's mod_measure_active_users",
        });
    };
    let needs = Export {
        lacks_server,
        lacks_day,
        platform,
        ..*export
    };
    // What every sample says itself is none of the load's identity.
    let mut options = options.clone();
    options.source.server = options.source.server.filter(|_| lacks_server);
    options.at = options.at.filter(|_| lacks_day);
    let options = name::complete(&input.name, &needs, &options)?;
    Ok(vec![super::taking(export, Grain::Usage, None, &options)])
}

fn open(opening: Opening) -> Result<Box<dyn Reader>, IngestError> {
    Ok(Box::new(Samples {
        name: opening.name.to_owned(),
        lines: Lines(BufReader::new(opening.bytes)),
        line: 0,
        server: opening.options.source.server.clone().unwrap_or_default(),
        day: opening.options.at,
        last: BTreeMap::new(),
        ended: None,
    }))
}

/// What is wrong with a sample: where (empty for all of it) and why.
type Fault = (&'static str, Cow<'static, str>);

/// A figure's server, day and metric.
type Key = (String, Day, &'static str);

/// What stands for a day: of one moment, the values by the label that they are summed over.
struct Latest {
    line: u64,
    moment: f64,
    values: BTreeMap<String, i64>,
}

struct Samples {
    name: String,
    lines: Lines,
    line: u64,
    /// The server and the day of samples that do not say theirs.
    server: String,
    day: Option<Day>,
    last: BTreeMap<Key, Latest>,
    ended: Option<btree_map::IntoIter<Key, Latest>>,
}

impl Reader for Samples {
    fn read(&mut self, rows: &mut Rows) -> Result<bool, IngestError> {
        if let Some(left) = &mut self.ended {
            let Some(((server, day, metric), latest)) = left.next() else {
                return Ok(false);
            };
            let sum = latest
                .values
                .values()
                .fold(0i64, |sum, n| sum.saturating_add(*n));
            rows.figure(latest.line, &server, day, metric, sum);
            return Ok(true);
        }
        let line = self.lines.next().map_err(|source| IngestError::Read {
            name: self.name.clone(),
            source,
        })?;
        match line {
            Some(line) => {
                self.line += 1;
                self.take(&line, rows);
            }
            None => self.ended = Some(std::mem::take(&mut self.last).into_iter()),
        }
        Ok(true)
    }
}

impl Samples {
    fn take(&mut self, line: &str, rows: &mut Rows) {
        let Some(known) = find(line) else { return };
        let taken = sample(line)
            .ok_or((
                "",
                Cow::Borrowed("not a sample: a name, labels, a number and perhaps a moment"),
            ))
            .and_then(|sample| self.keep(known, &sample));
        if let Err((column, reason)) = taken {
            rows.reject(
                self.line,
                if column.is_empty() {
                    known.name
                } else {
                    column
                },
                reason,
            );
        }
    }

    fn keep(&mut self, known: &Known, sample: &Sample) -> Result<(), Fault> {
        let unsound = || {
            (
                "",
                Cow::Borrowed("labels that are not written as `name=\"text\"`"),
            )
        };
        let of = |reason: Reason| (known.name, reason.text());
        let mut server = label(sample.labels, known.server).ok_or_else(unsound)?;
        let over = label(sample.labels, known.over).ok_or_else(unsound)?;
        if server.is_empty() {
            server.clone_from(&self.server);
        }
        let value = cell_of(sample.value).unwrap_or(cell::NOT_WHOLE);
        let value = cell::whole(value).map_err(of)?.unwrap_or_default();
        let (moment, day) = self.day(sample)?;
        let latest = Latest {
            line: self.line,
            moment,
            values: BTreeMap::new(),
        };
        let held = match self.last.entry((server, day, known.metric)) {
            Entry::Vacant(place) => place.insert(latest),
            Entry::Occupied(place) => {
                let held = place.into_mut();
                if held.moment > moment {
                    return Ok(());
                }
                if held.moment < moment {
                    *held = latest;
                }
                held
            }
        };
        match held.values.insert(over.clone(), value) {
            None => Ok(()),
            Some(first) => {
                held.values.insert(over, first);
                Err(of(Reason::SameKey))
            }
        }
    }

    /// The moment of a sample and its day: its own, or the day that was said.
    fn day(&self, sample: &Sample) -> Result<(f64, Day), Fault> {
        let no_moment = ("timestamp", Cow::Borrowed(NO_MOMENT));
        let Some(moment) = sample.moment else {
            return self
                .day
                .map(|day| (0.0, day))
                .ok_or(("timestamp", Reason::NoDay.text()));
        };
        let moment: f64 = moment.parse().map_err(|_| no_moment.clone())?;
        // Seconds (OpenMetrics) and milliseconds (0.0.4) of a messenger's years lie a factor of 150 apart.
        let seconds = match moment < 4_133_980_800.0 {
            true => moment,
            false => moment / 1000.0,
        };
        let whole = seconds.floor();
        let day = (whole.is_finite() && whole.abs() < 1e12)
            .then(|| day_of(whole as i64))
            .flatten();
        day.map(|day| (seconds, day)).ok_or(no_moment)
    }
}

#[cfg(test)]
mod tests;
