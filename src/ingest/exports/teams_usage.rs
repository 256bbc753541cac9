//! Usage reports of Microsoft Teams as CSV: activities a day, users a day, and users.
//!
//! `TeamsUserActivityCounts` counts messages a day: in channels ("Team Chat Messages", which includes "Post Messages" and
//! "Reply Messages") and in chats ("Private Chat Messages"). `messages_sent` is channels and chats; the four are its
//! parts by `kind`. `TeamsUserActivityUserCounts` counts the users of each kind of activity a day, who overlap, so
//! there are parts by `kind` and no total.
//!
//! `TeamsUserActivityUserDetail` has a row a user, with totals over 7 to 180 days, which belong to no day and are not
//! taken, and the last day on which the user was active. Whose last day is that of the report was active on it; of
//! an earlier day only those are left who have not been back since, a part that would look like all, so they are
//! not taken: reports of every day give the users of every day. Names and addresses are never read. Source:
//! learn.microsoft.com, `reportRoot: getTeamsUserActivity...` and the report's list of metrics.

use super::counts;
use super::table::{Table, header};
use super::{Export, Head, Reader, Rows};
use crate::calendar::Day;
use crate::ingest::cell;
use crate::ingest::error::IngestError;
use crate::ingest::reject::Reason;
use crate::schema::Grain;

const REPORT: Export = Export {
    name: "teams-activity-counts",
    title: "activities a day of Microsoft Teams",
    platform: "Microsoft Teams",
    family: "teams",
    rank: 0,
    of_servers: false,
    gives: &[Grain::Usage],
    lacks_server: false,
    lacks_day: false,
    utc: true,
    messages: false,
    cumulative: &[],
    recognise: |head| {
        columns(
            head,
            &["Report Date", "Team Chat Messages", "Private Chat Messages"],
            "Other Actions",
        )
    },
    part: None,
    chat: None,
    private_name: false,
    open: |opening| {
        let table = Table::open(opening)?;
        Ok(Box::new(Days {
            table,
            give: messages,
        }))
    },
};

pub(super) static COUNTS: Export = REPORT;

pub(super) static USER_COUNTS: Export = Export {
    name: "teams-user-counts",
    title: "users a day of Microsoft Teams, by kind of activity",
    recognise: |head| {
        columns(
            head,
            &["Report Date", "Team Chat Messages", "Other Actions"],
            "Post Messages",
        )
    },
    open: |opening| {
        let table = Table::open(opening)?;
        Ok(Box::new(Days { table, give: users }))
    },
    ..REPORT
};

pub(super) static USER_DETAIL: Export = Export {
    name: "teams-users",
    title: "users of Microsoft Teams and their last day",
    gives: &[Grain::Activity],
    recognise: |head| {
        columns(
            head,
            &["User Id", "Last Activity Date", "Team Chat Message Count"],
            "Report Date",
        )
    },
    open: |opening| {
        let table = Table::open(opening)?;
        Ok(Box::new(Users { table }))
    },
    ..REPORT
};

/// Whether the header has a report's columns, and not that of another.
fn columns(head: &Head, wanted: &[&str], other: &str) -> Option<String> {
    let names = header(head.line());
    let has = |name: &str| names.contains(&name);
    let all = has("Report Refresh Date") && wanted.iter().all(|name| has(name)) && !has(other);
    let listed = || {
        format!(
            "its header has `Report Refresh Date`, `{}`",
            wanted.join("`, `")
        )
    };
    all.then(listed)
}

/// A report with a row a day.
struct Days {
    table: Table,
    give: fn(&Table, u64, Day, &mut Rows),
}

impl Reader for Days {
    fn read(&mut self, rows: &mut Rows) -> Result<bool, IngestError> {
        while let Some((line, sound)) = self.table.next()? {
            match sound.and_then(|()| day(&self.table, "Report Date")) {
                Ok(Some(day)) => (self.give)(&self.table, line, day, rows),
                Ok(None) => rows.reject_for(line, "Report Date", Reason::NoDay),
                Err(reason) => rows.reject_for(line, "Report Date", reason),
            }
            if rows.full() {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

fn day(table: &Table, column: &str) -> Result<Option<Day>, Reason> {
    table.field(column)?.map(counts::day).transpose()
}

/// The count of a column; one that is none is rejected.
fn count(table: &Table, line: u64, column: &str, rows: &mut Rows) -> Option<i64> {
    let count = table
        .field(column)
        .and_then(|text| cell::count(text.unwrap_or("")));
    count.unwrap_or_else(|reason| {
        rows.reject_for(line, column, reason);
        None
    })
}

fn messages(table: &Table, line: u64, day: Day, rows: &mut Rows) {
    let kinds = [
        ("Team Chat Messages", "channel"),
        ("Private Chat Messages", "chat"),
        ("Post Messages", "channel post"),
        ("Reply Messages", "channel reply"),
    ];
    let counts = kinds.map(|(column, kind)| (kind, count(table, line, column, rows)));
    for (kind, count) in counts {
        if let Some(count) = count {
            rows.part(line, "", day, "messages_sent", ("kind", kind), count);
        }
    }
    // Posts and replies are among the messages in channels.
    if let [(_, Some(channels)), (_, Some(chats)), ..] = counts {
        rows.figure(
            line,
            "",
            day,
            "messages_sent",
            channels.saturating_add(chats),
        );
    }
}

fn users(table: &Table, line: u64, day: Day, rows: &mut Rows) {
    for (column, kind) in [
        ("Team Chat Messages", "channel"),
        ("Private Chat Messages", "chat"),
        ("Calls", "call"),
        ("Meetings", "meeting"),
        ("Other Actions", "other"),
    ] {
        if let Some(count) = count(table, line, column, rows) {
            rows.part(line, "", day, "dau", ("kind", kind), count);
        }
    }
}

/// A report with a row a user.
struct Users {
    table: Table,
}

impl Reader for Users {
    fn read(&mut self, rows: &mut Rows) -> Result<bool, IngestError> {
        while let Some((line, sound)) = self.table.next()? {
            if let Err((column, reason)) = sound
                .map_err(|r| ("", r))
                .and_then(|()| self.user(line, rows))
            {
                rows.reject_for(line, column, reason);
            }
            if rows.full() {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

impl Users {
    fn user(&self, line: u64, rows: &mut Rows) -> Result<(), (&'static str, Reason)> {
        let of = |column: &'static str| day(&self.table, column).map_err(|reason| (column, reason));
        let report = of("Report Refresh Date")?.ok_or(("Report Refresh Date", Reason::NoDay))?;
        // Somebody who was never active has none.
        let Some(last) = of("Last Activity Date")? else {
            return Ok(());
        };
        let user = self
            .table
            .field("User Id")
            .map_err(|reason| ("User Id", reason))?;
        let user = user.ok_or(("User Id", Reason::NoUser))?;
        if last == report {
            rows.user_day(line, user, last, 0, "");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use crate::ingest::exports::tests::{options, read, read_file};

    #[test]
    fn messages_a_day_count_posts_and_replies_once() {
        let told = read_file("teams/counts.csv", &options());
        assert_eq!(
            told.figures,
            [
                "- 2016-02-22 messages_sent kind=channel 26",
                "- 2016-02-22 messages_sent kind=chat 40",
                "- 2016-02-22 messages_sent kind=channel post 10",
                "- 2016-02-22 messages_sent kind=channel reply 16",
                "- 2016-02-22 messages_sent 66",
                "- 2016-02-21 messages_sent kind=chat 4",
                "- 2016-02-21 messages_sent kind=channel post 0",
                "- 2016-02-21 messages_sent kind=channel reply 0",
            ]
        );
        let fields: Vec<_> = told
            .rejects
            .iter()
            .map(|r| r.split(':').next().unwrap())
            .collect();
        assert_eq!(fields, ["3 Team Chat Messages", "4 Report Date"]);
    }

    #[test]
    fn users_of_kinds_overlap_and_have_no_total() {
        let text = "\u{feff}Report Refresh Date,Report Date,Team Chat Messages,Private Chat Messages,Calls,Meetings,Other Actions,Report Period\r\n\
            2016-02-23,2016-02-22,26,30,4,,7,7\r\n";
        let told = read("users.csv", text, &options());
        assert_eq!(
            told.figures,
            [
                "- 2016-02-22 dau kind=channel 26",
                "- 2016-02-22 dau kind=chat 30",
                "- 2016-02-22 dau kind=call 4",
                "- 2016-02-22 dau kind=other 7",
            ]
        );
        assert!(told.rejects.is_empty());
    }

    #[test]
    fn users_were_active_on_the_day_of_the_report() {
        let told = read_file("teams/users.csv", &options());
        assert_eq!(told.activity, ["2016-02-23 2"]);
        let fields: Vec<_> = told
            .rejects
            .iter()
            .map(|r| r.split(':').next().unwrap())
            .collect();
        assert_eq!(fields, ["6 User Id", "7 Last Activity Date"]);
        assert!(!format!("{told:?}").contains('@'));
    }
}
