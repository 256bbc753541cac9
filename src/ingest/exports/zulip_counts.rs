//! What Zulip's properties are, and their sums by day.
//!
//! | property | metric |
//! |---|---|
//! | `messages_sent:is_bot:hour` | `messages_sent`, and by `kind` (human, bot) |
//! | `messages_sent:message_type:day` | `messages_sent` by `message_type`; the total only where nothing is by sender |
//! | `1day_actives::day` | `dau` |
//! | `7day_actives::day` | `wau_7d` |
//! | `15day_actives::day` | `active_users_15d` |
//! | `realm_active_humans::day` | `active_users_15d` by `kind`: human |
//! | `active_users_audit:is_bot:day`, in old dumps `active_users:is_bot:day` | `registered_users`, and by `kind`: accounts that are not deactivated, no activity |
//!
//! Windows of active users lack a quarter of an hour, as Zulip counts them. Hours are added to days of UTC; the day of
//! the newest row is not over, and its messages are not taken, unless something in the file ends with it. Counts
//! that Zulip changes while they run (pushes, invitations, reads) are not taken.

use std::collections::{BTreeMap, BTreeSet};

use super::Rows;
use crate::calendar::Day;

/// What a property counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Property {
    /// Messages by the kind of their sender, by the hour.
    Messages,
    /// Messages by where they went, by the day.
    MessageTypes,
    /// Active users, in the window of a metric.
    Actives(&'static str),
    /// Humans active within 15 days.
    ActiveHumans,
    /// Accounts by kind.
    Accounts,
    /// The same by its name of before 2017, which old dumps have besides.
    OldAccounts,
}

impl Property {
    /// A property by Zulip's name; none of what is not taken.
    pub(super) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "messages_sent:is_bot:hour" => Property::Messages,
            "messages_sent:message_type:day" => Property::MessageTypes,
            "1day_actives::day" => Property::Actives("dau"),
            "7day_actives::day" => Property::Actives("wau_7d"),
            "15day_actives::day" => Property::Actives("active_users_15d"),
            "realm_active_humans::day" => Property::ActiveHumans,
            "active_users_audit:is_bot:day" => Property::Accounts,
            "active_users:is_bot:day" => Property::OldAccounts,
            _ => return None,
        })
    }
}

/// One row.
pub(super) struct Count<'a> {
    pub line: u64,
    pub property: Property,
    pub subgroup: &'a str,
    /// The end of its interval, in seconds since 1970.
    pub end: i64,
    /// The day on which it ends.
    pub day: Day,
    pub value: i64,
}

/// A metric, and a dimension with its value or nothing.
type Series = (&'static str, (&'static str, &'static str));

const TOTAL: (&str, &str) = ("", "");
const HUMAN: (&str, &str) = ("kind", "human");
const BOT: (&str, &str) = ("kind", "bot");

const TYPES: [&str; 4] = [
    "public_stream",
    "private_stream",
    "private_message",
    "huddle_message",
];

const ACCOUNTS: &str = "registered_users";

/// What accounts by their old name wait under, until no figure by the new one is found.
const OLD_ACCOUNTS: &str = "registered_users (old)";

/// Sums by day and series, with the line of the first row of each.
#[derive(Default)]
pub(super) struct Tally {
    sums: BTreeMap<(Day, Series), (u64, i64)>,
    newest: i64,
    by_sender: bool,
}

impl Tally {
    /// Adds a row, or says what is wrong with which field.
    pub(super) fn add(&mut self, count: &Count) -> Result<(), (&'static str, &'static str)> {
        let hourly = count.property == Property::Messages;
        if count.end % if hourly { 3600 } else { 86_400 } != 0 {
            return Err((
                "end_time",
                "not the end of an hour or day of UTC, as of this property",
            ));
        }
        let kind = || match count.subgroup {
            "true" | "True" | "t" => Ok(BOT),
            "false" | "False" | "f" => Ok(HUMAN),
            _ => Err((
                "subgroup",
                "not true or false: whether the accounts are bots",
            )),
        };
        let series = match count.property {
            Property::Messages => {
                self.by_sender = true;
                ("messages_sent", kind()?)
            }
            Property::MessageTypes => {
                let known = TYPES.iter().find(|known| **known == count.subgroup);
                let known = known.ok_or(("subgroup", "not a type of message that is known"))?;
                ("messages_sent", ("message_type", *known))
            }
            Property::Actives(metric) => (metric, TOTAL),
            Property::ActiveHumans => ("active_users_15d", HUMAN),
            Property::Accounts => (ACCOUNTS, kind()?),
            Property::OldAccounts => (OLD_ACCOUNTS, kind()?),
        };
        self.newest = self.newest.max(count.end);
        let sum = self
            .sums
            .entry((count.day, series))
            .or_insert((count.line, 0));
        sum.1 = sum.1.saturating_add(count.value);
        Ok(())
    }

    /// Gives the figures of days that are over.
    pub(super) fn give(self, rows: &mut Rows) {
        let mut totals: BTreeMap<(Day, &'static str), (u64, i64)> = BTreeMap::new();
        let by_new_name: BTreeSet<Day> = self
            .sums
            .keys()
            .filter(|(_, (metric, _))| *metric == ACCOUNTS)
            .map(|(day, _)| *day)
            .collect();
        for ((day, (metric, part)), (line, sum)) in self.sums {
            let metric = match metric {
                OLD_ACCOUNTS if by_new_name.contains(&day) => continue,
                OLD_ACCOUNTS => ACCOUNTS,
                metric => metric,
            };
            let next = day.succ_opt().unwrap_or(day);
            let end = next.and_time(chrono::NaiveTime::MIN).and_utc().timestamp();
            if end > self.newest {
                continue;
            }
            rows.part(line, "", day, metric, part, sum);
            let adds_up = match (metric, part.0) {
                ("messages_sent", "kind") | (ACCOUNTS, "kind") => true,
                ("messages_sent", "message_type") => !self.by_sender,
                _ => false,
            };
            if adds_up {
                let total = totals.entry((day, metric)).or_insert((line, 0));
                total.1 = total.1.saturating_add(sum);
            }
        }
        for ((day, metric), (line, sum)) in totals {
            rows.figure(line, "", day, metric, sum);
        }
    }
}
