//! A chat as WhatsApp exports it: text, a message a line and more where a message has several.
//!
//! iOS writes `[05/03/2025, 10:14:33] Ann: text`, Android `05/03/25, 10:14 - Ann: text`, each as the phone's
//! language has it. A line that begins otherwise goes on with a message, one without a sender is of the system; of
//! neither is anything read. The day is that of the phone's clock, as it is written: a zone can't move it.
//!
//! Whether the day or the month comes first is nowhere said. No language puts the month first between points or
//! dashes. Between slashes a number above 12 tells, wherever in the file it stands: until then messages wait, up to
//! 262,144 of them. If nothing tells, the order is taken in which fewer messages are older than the one before; where
//! there is none, the chat is refused until essor.toml says its `date_format`. A line that does not fit what was told
//! before it is rejected.
//!
//! Known limits: system lines of iOS name whom they are about as a message does its sender, and count as theirs
//! (but for the first, which says that messages are encrypted). Source: Pustur/whatsapp-chat-parser, `src/parser.ts`.

use std::cmp::Ordering;
use std::collections::VecDeque;
use std::io::{BufRead, BufReader};
use std::sync::LazyLock;

use chrono::NaiveDate;
use regex::Regex;

use super::{ChatId, Export, Head, Opening, Reader, Rows};
use crate::calendar::Day;
use crate::ingest::error::IngestError;
use crate::ingest::reject::Reason;
use crate::ingest::sniff::Bytes;
use crate::project::DateFormat;
use crate::schema::Grain;

pub(super) static EXPORT: Export = Export {
    name: "whatsapp-export",
    title: "a chat that WhatsApp exported",
    platform: "WhatsApp chats",
    family: "whatsapp-export",
    rank: 0,
    of_servers: false,
    gives: &[Grain::Activity],
    lacks_server: false,
    lacks_day: false,
    utc: false,
    messages: true,
    cumulative: &[],
    recognise,
    part: None,
    chat: Some(chat),
    private_name: true,
    open,
};

/// A date, a time with what languages put before and behind it, and what ends both.
static HEADER: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let date = r"(\d{1,4})[-/.] ?(\d{1,2})[-/.] ?(\d{1,4})\.?";
    let time = r"[^\d\n]{0,16}?\d{1,2}[.:]\d{2}(?:[.:]\d{2})?";
    let half = r"(?: ?[^\d\s\[\]:-]{1,6}(?: [^\d\s\[\]:-]{1,4})?)?";
    let end = r"(?:\](?: -|:)?| [-–]|:)";
    Regex::new(&format!(r"^ *\[?{date}[,.]? {time}{half}{end} (.*)$")).ok()
});

/// How many bytes of a line are looked at: more than a date and the longest sender.
const LOOKED_AT: usize = 1024;

/// How many messages wait at most for a date that tells the order.
const HELD: usize = 1 << 18;

/// What programs other than WhatsApp write where it has a sender.
const LEVELS: [&str; 9] = [
    "trace", "debug", "info", "notice", "warn", "warning", "error", "critical", "fatal",
];

fn recognise(head: &Head) -> Option<String> {
    let mut lines = head.text().lines().filter(|l| !l.trim().is_empty());
    let first = Header::read(&plain(lines.next()?))?;
    let senders: Vec<String> = lines
        .filter_map(|line| Header::read(&plain(line))?.sender)
        .chain(first.sender)
        .collect();
    let log = |sender: &String| LEVELS.contains(&sender.to_lowercase().as_str());
    (!senders.is_empty() && !senders.iter().any(log)).then(|| {
        "its first line begins with a date and a time, as each message of a chat".to_owned()
    })
}

/// When the first messages were and who sent them, as it is written: a chat exported again begins alike.
fn chat(head: &Head) -> Option<ChatId> {
    let lines: Vec<String> = head.text().lines().map(plain).collect();
    let begins = |line: &String| {
        let (header, when) = (Header::read(line)?, line.len() - after_time(line)?.len());
        Some(format!("{}{:?}", &line[..when], header.sender))
    };
    let first: Vec<String> = lines.iter().filter_map(begins).take(3).collect();
    (first.len() == 3).then(|| ChatId {
        told: first.join("\n"),
        day: None,
    })
}

fn open(opening: Opening) -> Result<Box<dyn Reader>, IngestError> {
    Ok(Box::new(Chat {
        name: opening.name.to_owned(),
        bytes: BufReader::with_capacity(1 << 16, opening.bytes),
        line: 0,
        headers: 0,
        order: opening
            .options
            .source
            .date_format
            .map(|format| match format {
                DateFormat::DayFirst => Order::Day,
                DateFormat::MonthFirst => Order::Month,
            }),
        held: VecDeque::new(),
        ended: false,
    }))
}

/// A line without marks of direction, with plain blanks and digits.
fn plain(line: &str) -> String {
    let one = |c: char| match c {
        '\u{200e}'
        | '\u{200f}'
        | '\u{202a}'..='\u{202e}'
        | '\u{2066}'..='\u{2069}'
        | '\u{feff}' => None,
        '\u{a0}' | '\u{202f}' => Some(' '),
        '\u{660}'..='\u{669}' => digit(c, 0x660),
        '\u{6f0}'..='\u{6f9}' => digit(c, 0x6f0),
        '\u{966}'..='\u{96f}' => digit(c, 0x966),
        c => Some(c),
    };
    line.chars().filter_map(one).collect()
}

fn digit(c: char, zero: u32) -> Option<char> {
    char::from_digit(u32::from(c).saturating_sub(zero), 10)
}

/// The three numbers of a date, as they stand.
#[derive(Debug, Clone, Copy)]
struct Date {
    numbers: [u32; 3],
    /// Whether the first is the year.
    year_first: bool,
    /// Whether slashes stand between them.
    slashes: bool,
}

/// Which comes first where the year comes last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    Day,
    Month,
}

impl Date {
    /// What a date says of the order, if it says anything.
    fn tells(self) -> Option<Order> {
        match self.numbers {
            _ if self.year_first => None,
            _ if !self.slashes => Some(Order::Day),
            [13..=31, 1..=12, _] => Some(Order::Day),
            [1..=12, 13..=31, _] => Some(Order::Month),
            _ => None,
        }
    }

    fn day(self, order: Order) -> Option<Day> {
        let [first, second, third] = self.numbers;
        let (year, month, day) = match (self.year_first, order) {
            (true, _) => (first, second, third),
            (false, Order::Day) => (third, second, first),
            (false, Order::Month) => (third, first, second),
        };
        let year = if year < 100 { 2000 + year } else { year };
        NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, month, day)
    }
}

/// The beginning of a message or system line.
struct Header {
    date: Date,
    sender: Option<String>,
}

/// What follows the date and time of a line.
fn after_time(line: &str) -> Option<&str> {
    Some(HEADER.as_ref()?.captures(line)?.get(4)?.as_str())
}

impl Header {
    /// Reads the beginning of a line, which is plain already.
    fn read(line: &str) -> Option<Header> {
        let found = HEADER.as_ref()?.captures(line)?;
        let number = |group: usize| found.get(group)?.as_str().parse().ok();
        let date = Date {
            numbers: [number(1)?, number(2)?, number(3)?],
            year_first: found.get(1)?.len() == 4,
            slashes: line[found.get(1)?.end()..].starts_with('/'),
        };
        let rest = found.get(4)?.as_str();
        let sender = rest
            .split_once(": ")
            .map(|(sender, _)| sender)
            .or_else(|| rest.trim_end().strip_suffix(':'));
        Some(Header {
            date,
            sender: sender
                .map(str::trim)
                .filter(|s| is_sender(s))
                .map(str::to_owned),
        })
    }
}

/// Whether a colon ends a sender's name, and does not stand within a quotation: `Ann changed the subject to “A: b”`.
fn is_sender(text: &str) -> bool {
    let count = |c| text.matches(c).count();
    let open = count('"') % 2 == 1 || count('“') > count('”') || count('«') > count('»');
    !text.is_empty() && !open
}

/// A message that waits until the order of dates is known.
struct Held {
    line: u64,
    date: Date,
    sender: String,
}

struct Chat {
    name: String,
    bytes: BufReader<Bytes>,
    line: u64,
    headers: u64,
    order: Option<Order>,
    held: VecDeque<Held>,
    ended: bool,
}

impl Reader for Chat {
    fn read(&mut self, rows: &mut Rows) -> Result<bool, IngestError> {
        while !rows.full() {
            if let Some(order) = self.order
                && let Some(held) = self.held.pop_front()
            {
                give(held, order, rows);
            } else if self.ended {
                return Ok(false);
            } else {
                self.next(rows)?;
            }
        }
        Ok(true)
    }
}

impl Chat {
    /// Reads a line.
    fn next(&mut self, rows: &mut Rows) -> Result<(), IngestError> {
        let Some(bytes) = self.line()? else {
            self.ended = true;
            return self.settle();
        };
        let text = String::from_utf8_lossy(&bytes);
        let Some(header) = Header::read(&plain(text.trim_end_matches('\r'))) else {
            if self.headers == 0 && !text.trim().is_empty() {
                rows.reject(
                    self.line,
                    "",
                    "before the first message: a line begins with a date and a time",
                );
            }
            return Ok(());
        };
        self.headers += 1;
        let Some(sender) = header.sender else {
            return Ok(());
        };
        // The first line of iOS says in the group's name that messages are encrypted.
        if self.headers == 1 && text.contains(": \u{200e}") {
            return Ok(());
        }
        if sender.contains(char::REPLACEMENT_CHARACTER) {
            rows.reject_for(self.line, "sender", Reason::NotUtf8);
            return Ok(());
        }
        let (line, date) = (self.line, header.date);
        self.order = self.order.or(date.tells());
        let held = Held { line, date, sender };
        match self.order {
            Some(order) if self.held.is_empty() => give(held, order, rows),
            // A date that begins with its year needs no order.
            None if date.year_first => give(held, Order::Day, rows),
            _ => self.held.push_back(held),
        }
        match self.held.len() >= HELD {
            true => self.settle(),
            false => Ok(()),
        }
    }

    /// The first bytes of the next line.
    fn line(&mut self) -> Result<Option<Vec<u8>>, IngestError> {
        let mut text = vec![];
        loop {
            let found = self.bytes.fill_buf().map_err(|source| IngestError::Read {
                name: self.name.clone(),
                source,
            })?;
            if found.is_empty() && text.is_empty() {
                return Ok(None);
            }
            let feed = memchr::memchr(b'\n', found);
            let part = found.get(..feed.unwrap_or(found.len())).unwrap_or_default();
            let ended = feed.is_some() || found.is_empty();
            let room = LOOKED_AT.saturating_sub(text.len());
            text.extend(part.iter().take(room));
            let used = part.len() + usize::from(feed.is_some());
            self.bytes.consume(used);
            if ended {
                self.line += 1;
                return Ok(Some(text));
            }
        }
    }

    /// Settles the order by the messages that wait, if no date has told it.
    fn settle(&mut self) -> Result<(), IngestError> {
        if self.order.is_some() {
            return Ok(());
        }
        let days = |order| self.held.iter().map(move |held| held.date.day(order));
        let back = |order| {
            let days: Vec<_> = days(order).collect();
            let older = days.windows(2).filter(|d| d.first() > d.last()).count();
            older + days.iter().filter(|day| day.is_none()).count()
        };
        self.order = match back(Order::Month).cmp(&back(Order::Day)) {
            Ordering::Less => Some(Order::Month),
            Ordering::Greater => Some(Order::Day),
            Ordering::Equal if days(Order::Day).eq(days(Order::Month)) => Some(Order::Day),
            Ordering::Equal => {
                return Err(IngestError::Undecided {
                    name: self.name.clone(),
                    what: "whether day or month stands first".to_owned(),
                    detail: "each of its dates can be read either way".to_owned(),
                    advice: DateFormat::ADVICE.to_owned(),
                });
            }
        };
        Ok(())
    }
}

/// Gives a message.
fn give(held: Held, order: Order, rows: &mut Rows) {
    let wrong = || match order {
        _ if held.date.year_first => "not a day that exists",
        Order::Day => {
            "not a day that exists, by the order of the dates before it: the day, then the month"
        }
        Order::Month => {
            "not a day that exists, by the order of the dates before it: the month, then the day"
        }
    };
    match held.date.day(order) {
        None => rows.reject(held.line, "date", wrong()),
        Some(day) if !super::rows::within_reason(day) => {
            rows.reject_for(held.line, "date", Reason::FarDay);
        }
        Some(day) => rows.user_day(held.line, &held.sender, day, 1, ""),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{options, read, read_file, try_read};
    use super::*;
    use crate::ingest::Input;

    #[test]
    fn every_language_has_its_date() {
        for (line, numbers) in [
            ("[05/03/2025, 10:14:33] Ann: a", [5, 3, 2025]),
            (
                "\u{200e}[05/03/2025, 10:14:33] Ann: \u{200e}image omitted",
                [5, 3, 2025],
            ),
            ("12/9/20, 23:55 - Ann: a", [12, 9, 20]),
            ("12/9/20, 11:55\u{202f}PM - Ann: a", [12, 9, 20]),
            ("12/9/20, 11:55 p.\u{a0}m. - Ann: a", [12, 9, 20]),
            ("9.12.20, 23.55 - Ann: a", [9, 12, 20]),
            ("[09.12.20, 23:55:01] Ann: a", [9, 12, 20]),
            ("2020-12-09 23:55 - Ann: a", [2020, 12, 9]),
            ("2020. 12. 9. 오후 11:55 - Ann: a", [2020, 12, 9]),
            ("[2020/12/9 下午11:55:01] Ann: a", [2020, 12, 9]),
            ("9/12/20 23:55 - Ann: a", [9, 12, 20]),
            ("09.12.20 г., 23:55 ч. - Ann: a", [9, 12, 20]),
            ("9/12/2020 à 23:55 - Ann: a", [9, 12, 2020]),
            ("9-12-2020 23:55 - Ann: a", [9, 12, 2020]),
            ("9/12/20, 11:55 μ.μ. - Ann: a", [9, 12, 20]),
            (
                "\u{200f}٩\u{200f}/١٢\u{200f}/٢٠٢٠, ١١:٥٥ م - Ann: a",
                [9, 12, 2020],
            ),
            ("9/12/2020, 23:55: Ann: a", [9, 12, 2020]),
        ] {
            let header = Header::read(&plain(line)).unwrap_or_else(|| panic!("{line}"));
            assert_eq!(header.date.numbers, numbers, "{line}");
            assert_eq!(header.sender.as_deref(), Some("Ann"), "{line}");
        }
        for line in [
            "so: a",
            "1/2 cup, 3:4",
            "2016-02-23,A,5",
            "2016-02-23 10:00:00,A,5",
            "10:14 Ann: a",
            "12/9/20 Ann: a",
        ] {
            assert!(Header::read(line).is_none(), "{line}");
        }
    }

    #[test]
    fn android_and_ios_give_the_messages_of_senders() {
        let told = read_file("whatsapp_export/android.txt", &options());
        assert!(told.seen.contains("begins with a date and a time"));
        // Ann twice and a number on the 12th; Ann on the 13th; an older line after it.
        assert_eq!(
            told.activity,
            ["2020-09-11 1 1", "2020-09-12 2 3", "2020-09-13 1 1"]
        );
        assert_eq!(
            told.rejects,
            [
                "10 date: not a day that exists, by the order of the dates before it: the day, then the month"
            ]
        );
        let told = read_file("whatsapp_export/_chat.txt", &options());
        assert_eq!(told.activity, ["2025-03-04 3 3", "2025-03-14 1 1"]);
        assert!(told.rejects.is_empty(), "{:?}", told.rejects);
    }

    fn days(text: &str) -> Vec<String> {
        read("c.txt", text, &options()).activity
    }

    #[test]
    fn the_order_is_told_by_a_later_date_or_by_how_time_runs() {
        let late = "3/4/25, 1:00 PM - Ann: a\n3/14/25, 1:00 PM - Ann: a\n";
        assert_eq!(days(late), ["2025-03-04 1 1", "2025-03-14 1 1"]);
        // As days of months these would run back and forth.
        let runs = "11/2/24, 1:00 PM - Ann: a\n11/9/24, 1:00 PM - Ann: a\n12/1/24, 1:00 PM - Ann: a\n1/2/25, 1:00 PM - Ann: a\n";
        assert_eq!(days(runs)[0], "2024-11-02 1 1");
        assert_eq!(days("1.2.25, 13:00 - Ann: a\n"), ["2025-02-01 1 1"]);
        assert_eq!(days("5/5/25, 13:00 - Ann: a\n"), ["2025-05-05 1 1"]);
        let either = "1/2/25, 13:00 - Ann: a\n1/3/25, 13:00 - Ann: a\n";
        let input = Input::bytes("c.txt", either.as_bytes().to_vec());
        let refused = try_read(&input, &options()).unwrap_err().to_string();
        assert!(
            refused.contains("`date_format = \"day/month/year\"`"),
            "{refused}"
        );
        let mut said = options();
        said.source.date_format = Some(DateFormat::MonthFirst);
        let told = read("c.txt", either, &said);
        assert_eq!(told.activity, ["2025-01-02 1 1", "2025-01-03 1 1"]);
    }

    #[test]
    fn a_system_line_has_no_sender() {
        let text = "23/02/16, 10:00 - Ann created group “a: b”\n23/02/16, 10:00 - Ann changed the subject to \"x: y\"\n23/02/16, 10:01 - Bob \"B\" Bee: a\n23/02/16, 10:01 - Bob \"B\" Bee:\n";
        assert_eq!(days(text), ["2016-02-23 1 2"]);
    }

    #[test]
    fn logs_and_tables_are_no_chats() {
        for text in [
            "2016-02-23 10:00:00 - INFO: started\n2016-02-23 10:00:01 - web: up\n",
            "[2016-02-23 10:00:00] ERROR: down\n",
            "23/02/16, 10:00 - nothing else\n",
            "day,user,messages\n2016-02-23,a,1\n",
        ] {
            assert_eq!(
                recognise(&Head::of("f.txt", text.as_bytes())),
                None,
                "{text}"
            );
        }
    }

    #[test]
    fn a_line_may_be_as_long_as_it_likes() {
        let text = format!(
            "23/02/16, 10:00 - Ann: {}\r\n23/02/16, 10:01 - Ann: b",
            "a".repeat(1 << 18)
        );
        assert_eq!(days(&text), ["2016-02-23 1 2"]);
    }
}
