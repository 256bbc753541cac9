//! The weeks of a Mastodon server, as `GET /api/v1/instance/activity` answers: an array of twelve, the newest first.
//!
//! A week is counted in one of two windows, told by where the weeks begin. Servers up to 3.4 count ISO weeks, from
//! Monday 00:00 of their own zone (`messages_week`, `signups_week`, `wau_week`). Later ones count back from the moment of
//! the question and take six days of UTC of every seven (`messages_6d`, `signups_6d`, `active_users_6d`). Neither is a
//! count of a day, and the two are not one series. A figure is of the last day of its window.
//!
//! The newest week still ran when the server answered and is not taken, however long ago that is: answers are cached,
//! on servers left alone for months. Nor are weeks of nothing but zeros at the old end taken: a server answers so for
//! weeks in which it did not count yet. `logins` are users counted once by HyperLogLog, about one percent off. Source:
//! mastodon/mastodon,
//! `app/controllers/api/v1/instances/activity_controller.rb` and `app/lib/activity_tracker.rb`.

use chrono::Days;
use serde_json::{Map, Value};

use super::counts::{self, taken};
use super::documents::{Documents, NotJson};
use super::{Export, Head, Opening, Reader, Rows};
use crate::calendar::Day;
use crate::ingest::error::IngestError;
use crate::ingest::reject::Reason;
use crate::schema::Grain;

pub(super) static EXPORT: Export = Export {
    name: "mastodon-activity",
    title: "the weeks of a Mastodon server (`/api/v1/instance/activity`)",
    platform: "Mastodon",
    family: "fediverse",
    rank: 0,
    of_servers: true,
    gives: &[Grain::Usage],
    lacks_server: true,
    lacks_day: false,
    utc: true,
    messages: false,
    cumulative: &[],
    recognise,
    part: None,
    chat: None,
    private_name: false,
    open,
};

fn recognise(head: &Head) -> Option<String> {
    if !head.text().trim_start().starts_with('[') {
        return None;
    }
    let week = head.object()?;
    let all = ["week", "statuses", "logins", "registrations"];
    all.iter().all(|key| week.contains_key(*key)).then(|| {
        "its first element has `week`, `statuses`, `logins` and `registrations`".to_owned()
    })
}

fn open(opening: Opening) -> Result<Box<dyn Reader>, IngestError> {
    Ok(Box::new(Answer {
        documents: Documents::open(opening)?,
        weeks: vec![],
    }))
}

struct Answer {
    documents: Documents,
    weeks: Vec<Week>,
}

impl Reader for Answer {
    fn read(&mut self, rows: &mut Rows) -> Result<bool, IngestError> {
        while let Some((line, document)) = self.documents.next()? {
            match document {
                Ok(Value::Object(week)) => self.weeks.extend(Week::read(line, &week, rows)),
                Ok(_) => rows.reject(line, "", "not a week: a JSON object is expected"),
                Err(NotJson) => rows.reject(line, "", NotJson::REASON),
            }
            if rows.full() {
                return Ok(true);
            }
        }
        give("", std::mem::take(&mut self.weeks), rows);
        Ok(false)
    }
}

/// What a server says of one week.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Week {
    line: u64,
    begins: i64,
    statuses: Option<i64>,
    logins: Option<i64>,
    registrations: Option<i64>,
}

impl Week {
    /// Reads one; what is no count is rejected.
    pub(super) fn read(line: u64, week: &Map<String, Value>, rows: &mut Rows) -> Option<Self> {
        let begins = match week.get("week").map(counts::count) {
            Some(Ok(Some(begins))) => begins,
            Some(Err(_)) => {
                rows.reject_for(line, "week", Reason::NotADay);
                return None;
            }
            None | Some(Ok(None)) => {
                rows.reject_for(line, "week", Reason::NoDay);
                return None;
            }
        };
        if let Err(reason) = counts::day_of(begins) {
            rows.reject_for(line, "week", reason);
            return None;
        }
        let mut count = |field: &str| taken(rows, line, field, week.get(field));
        Some(Week {
            line,
            begins,
            statuses: count("statuses"),
            logins: count("logins"),
            registrations: count("registrations"),
        })
    }

    fn uncounted(&self) -> bool {
        let all = [self.statuses, self.logins, self.registrations];
        all.iter().all(|count| count.unwrap_or(0) == 0)
    }

    /// The last day of the week.
    fn last(&self, window: &Window) -> Option<Day> {
        let first = match window.aligned {
            true => counts::day_of(monday(self.begins)).ok()?,
            false => counts::day_of(self.begins).ok()?,
        };
        first.checked_add_days(Days::new(window.days - 1))
    }
}

/// What a server counts as a week.
struct Window {
    aligned: bool,
    days: u64,
    metrics: [&'static str; 3],
}

static ISO_WEEK: Window = Window {
    aligned: true,
    days: 7,
    metrics: ["messages_week", "wau_week", "signups_week"],
};

static SIX_DAYS: Window = Window {
    aligned: false,
    days: 6,
    metrics: ["messages_6d", "active_users_6d", "signups_6d"],
};

const WEEK: i64 = 7 * 86_400;

/// Monday 1970-01-05, 00:00 UTC.
const A_MONDAY: i64 = 4 * 86_400;

/// Monday 00:00 UTC of the Monday that a moment near its midnight is of, in zones from UTC-12 to UTC+14.
fn monday(moment: i64) -> i64 {
    let weeks = (moment - A_MONDAY + 14 * 3600).div_euclid(WEEK);
    A_MONDAY + weeks * WEEK
}

/// Whether a moment is midnight of a Monday in some zone: zones are whole quarters of an hour off UTC.
fn begins_on_monday(moment: i64) -> bool {
    let off = moment - monday(moment);
    (-14 * 3600..=12 * 3600).contains(&off) && off % 900 == 0
}

/// The figures of a server's weeks.
pub(super) fn give(server: &str, mut weeks: Vec<Week>, rows: &mut Rows) {
    weeks.sort_by_key(|week| week.begins);
    let aligned = weeks.iter().all(|week| begins_on_monday(week.begins));
    let window = if aligned { &ISO_WEEK } else { &SIX_DAYS };
    let newest = weeks.last().map(|week| week.begins);
    let mut counted = false;
    for week in weeks {
        let Some(last) = week.last(window) else {
            rows.reject_for(week.line, "week", Reason::FarDay);
            continue;
        };
        counted |= !week.uncounted();
        if newest == Some(week.begins) || !counted {
            continue;
        }
        let counts = [week.statuses, week.logins, week.registrations];
        for (metric, count) in window.metrics.iter().zip(counts) {
            if let Some(count) = count {
                rows.figure(week.line, server, last, metric, count);
            }
        }
    }
}
