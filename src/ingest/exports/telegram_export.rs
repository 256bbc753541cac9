//! What Telegram Desktop exports as `result.json`: one chat, or all chats of an account.
//!
//! Each message counts for its sender on the day of `date_unixtime` in the project's zone. Older exports have
//! only `date`, the clock of the computer that exported: its day is taken as it stands. A sender may be a channel
//! or a group. Service messages are no messages. Of everything else an export holds nothing is read. As the
//! members of a chat are not Telegram's users, the platform is `Telegram chats`.
//!
//! An account's export has hundreds of megabytes in one JSON document, which is parsed as it streams, by a
//! thread of its own. Control characters stand in it as `\x1f`, which is no JSON. Source: telegramdesktop/tdesktop,
//! `export/output/export_output_json.cpp`.

use std::cell::Cell;
use std::io::Read;
use std::rc::Rc;
use std::sync::LazyLock;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use chrono_tz::Tz;
use regex::Regex;
use serde::de::DeserializeSeed;

use super::{ChatId, Export, Head, Opening, Reader, Rows};
use crate::calendar::{Day, from_date32};
use crate::ingest::error::IngestError;
use crate::ingest::reject::Reason;
use crate::ingest::sniff::{self, Bytes};
use crate::schema::Grain;

mod mended;
mod walk;

use mended::Mended;
use walk::{Level, Message, Scalar, Within};

pub(super) static EXPORT: Export = Export {
    name: "telegram-export",
    title: "an export of Telegram Desktop",
    platform: "Telegram chats",
    family: "telegram-export",
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
    private_name: false,
    open,
};

static TYPE: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let kinds = "saved_messages|replies|verification_codes|personal_chat|bot_chat|(?:private|public)_(?:group|supergroup|channel)";
    Regex::new(&format!(r#""type":\s*"(?:{kinds})""#)).ok()
});

fn recognise(head: &Head) -> Option<String> {
    let keys = head.keys();
    let has = |wanted: &&str| keys.iter().any(|key| key == wanted);
    let typed = || TYPE.as_ref().is_some_and(|kind| kind.is_match(head.text()));
    if has(&"messages") && has(&"type") && typed() {
        return Some("it has `messages` and the `type` of a chat".to_owned());
    }
    let account = [
        "personal_information",
        "frequent_contacts",
        "profile_pictures",
        "contacts",
        "sessions",
    ];
    let chats = ["chats", "left_chats"].iter().find(|key| has(key));
    let sections = account.iter().filter(|key| has(key)).count();
    match (has(&"about"), chats) {
        (true, Some(chats)) if sections > 0 || typed() => Some(format!(
            "it has `about` and `{chats}`, as an account's export"
        )),
        // Of a large account the chats come late.
        (true, None) if sections > 1 && has(&"personal_information") => {
            Some("it has `about` and `personal_information`, as an account's export".to_owned())
        }
        _ => None,
    }
}

/// The number of the chat, or of the account whose chats these are: it stands before the messages.
fn chat(head: &Head) -> Option<ChatId> {
    let text = head.text();
    let before = text.split(r#""messages""#).next().unwrap_or(text);
    let of =
        |number: &LazyLock<Option<Regex>>| Some(number.as_ref()?.captures(before)?[1].to_owned());
    let account = ["about", "personal_information"];
    let told = match head
        .keys()
        .iter()
        .any(|key| account.contains(&key.as_str()))
    {
        true => of(&ACCOUNT).map(|number| format!("account {number}")),
        false => of(&ID).map(|number| format!("chat {number}")),
    };
    told.map(|told| ChatId { told, day: None })
}

static ID: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r#""id":\s*(-?\d+)"#).ok());
static ACCOUNT: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r#""user_id":\s*(-?\d+)"#).ok());

/// How many messages the parsing thread hands over at a time, and how many such lots wait at most.
const LOT: usize = 4096;
const AHEAD: usize = 4;

type Lot = Result<Vec<Found>, IngestError>;

/// What was found in an export.
enum Found {
    Message {
        line: u64,
        user: String,
        day: Day,
    },
    LeftOut {
        line: u64,
        field: &'static str,
        why: &'static str,
    },
    Reject {
        line: u64,
        field: &'static str,
        reason: String,
    },
}

fn open(opening: Opening) -> Result<Box<dyn Reader>, IngestError> {
    let (give, lots) = sync_channel(AHEAD);
    let (name, bytes, zone) = (opening.name.to_owned(), opening.bytes, opening.options.zone);
    std::thread::spawn(move || parse(&name, bytes, zone, &give));
    Ok(Box::new(Messages {
        name: opening.name.to_owned(),
        lots,
    }))
}

struct Messages {
    name: String,
    lots: Receiver<Option<Lot>>,
}

impl Reader for Messages {
    fn read(&mut self, rows: &mut Rows) -> Result<bool, IngestError> {
        while !rows.full() {
            let lot = self.lots.recv().map_err(|_| IngestError::Internal {
                name: self.name.clone(),
                detail: "the parsing thread ended early".to_owned(),
            })?;
            let Some(lot) = lot else {
                return Ok(false);
            };
            for found in lot? {
                match found {
                    Found::Message { line, user, day } => rows.user_day(line, &user, day, 1, ""),
                    Found::LeftOut { line, field, why } => rows.left_out(line, field, why),
                    Found::Reject {
                        line,
                        field,
                        reason,
                    } => rows.reject(line, field, reason),
                }
            }
        }
        Ok(true)
    }
}

/// Parses an export until it ends, can't be read on, or nobody waits for more.
fn parse(name: &str, bytes: Bytes, zone: Tz, give: &SyncSender<Option<Lot>>) {
    let ended = match sniff::peek(bytes, sniff::MARK.len()) {
        Ok((head, bytes)) => {
            let mut bytes = bytes;
            if head == sniff::MARK {
                _ = bytes.read_exact(&mut [0; sniff::MARK.len()]);
            }
            run(name, bytes, zone, give)
        }
        Err(source) => Err(IngestError::Read {
            name: name.to_owned(),
            source,
        }),
    };
    if let Err(error) = ended {
        _ = give.send(Some(Err(error)));
    }
    _ = give.send(None);
}

fn run(
    name: &str,
    bytes: Bytes,
    zone: Tz,
    give: &SyncSender<Option<Lot>>,
) -> Result<(), IngestError> {
    let line = Rc::new(Cell::new(1));
    let mut sink = Sink {
        line: line.clone(),
        zone,
        found: vec![],
        give,
    };
    let mut json = serde_json::Deserializer::from_reader(Mended::new(bytes, line.clone()));
    let within = Within {
        level: Level::Holder,
        sink: &mut sink,
    };
    let read = within.deserialize(&mut json).and_then(|()| json.end());
    _ = sink.hand_over();
    read.map_err(|error| {
        let detail = match error.classify() {
            serde_json::error::Category::Io => {
                return IngestError::Read {
                    name: name.to_owned(),
                    source: error.into(),
                };
            }
            serde_json::error::Category::Eof => "it is cut short",
            _ => "it is not what Telegram Desktop writes",
        };
        // What serde_json says may repeat a value.
        IngestError::Corrupt {
            name: name.to_owned(),
            format: "JSON",
            detail: format!("{detail} at line {}", line.get()),
        }
    })
}

/// Gathers what is found.
struct Sink<'a> {
    /// The line that is being parsed.
    line: Rc<Cell<u64>>,
    zone: Tz,
    found: Vec<Found>,
    give: &'a SyncSender<Option<Lot>>,
}

impl Sink<'_> {
    /// Hands over what was found; an error where nobody waits for it.
    fn hand_over(&mut self) -> Result<(), ()> {
        let lot = std::mem::take(&mut self.found);
        self.give.send(Some(Ok(lot))).map_err(|_| ())
    }

    fn reject(&mut self, line: u64, field: &'static str, reason: impl Into<String>) {
        let reason = reason.into();
        self.found.push(Found::Reject {
            line,
            field,
            reason,
        });
    }

    /// Takes a message, or says why not.
    fn message(&mut self, line: u64, message: &Message) {
        match &message.kind {
            Scalar::Text(kind) if kind == "message" => {}
            Scalar::Text(kind) if kind == "service" => return,
            Scalar::Text(kind) if kind == "unsupported" => {
                return self.found.push(Found::LeftOut {
                    line,
                    field: "type",
                    why: "an unsupported message, of which an export has no date",
                });
            }
            _ => return self.reject(line, "type", "neither a message nor a service message"),
        }
        let user = match &message.from {
            Scalar::Text(user) => user.clone(),
            // Older exports have the number of a user alone, which fitted into 32 bits then.
            Scalar::Number(user) if (1..1 << 32).contains(user) => format!("user{user}"),
            Scalar::Number(user) => user.to_string(),
            Scalar::None => {
                return self.found.push(Found::LeftOut {
                    line,
                    field: "from_id",
                    why: "no sender: the export names none",
                });
            }
            Scalar::Other => return self.reject(line, "from_id", Reason::NotAUser.text()),
        };
        let (field, when) = match (&message.unixtime, &message.date) {
            (Scalar::None, date) => ("date", date.when(self.zone)),
            (unixtime, _) => ("date_unixtime", unixtime.when(self.zone)),
        };
        match when {
            Ok(when) => self.found.push(Found::Message {
                line,
                user,
                day: from_date32(when.day),
            }),
            Err(reason) => self.reject(line, field, reason.text()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::super::tests::{options, read, read_file, try_read};
    use super::*;
    use crate::ingest::Input;

    fn mended(bytes: &[u8]) -> String {
        struct Drip(Vec<u8>, usize);
        impl Read for Drip {
            fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
                let take = self.1.min(self.0.len()).min(buffer.len());
                buffer[..take].copy_from_slice(&self.0[..take]);
                self.0.drain(..take);
                Ok(take)
            }
        }
        let read = |length| {
            let line = Rc::new(Cell::new(1));
            let mut text = String::new();
            let mut mended = Mended::new(Box::new(Drip(bytes.to_vec(), length)), line.clone());
            mended.read_to_string(&mut text).unwrap();
            assert_eq!(line.get() as usize, 1 + text.matches('\n').count());
            text
        };
        let whole = read(1 << 20);
        for length in 1..6 {
            assert_eq!(read(length), whole);
        }
        whole
    }

    #[test]
    fn control_characters_become_json_wherever_a_buffer_ends() {
        assert_eq!(mended(br#"a\x1fb"#), r"a\u001fb");
        assert_eq!(mended(br#"\\x1f \\\x00\n"#), r"\\x1f \\\u0000\n");
        assert_eq!(mended(b"\\\"\n\\"), "\\\"\n\\");
    }

    #[test]
    fn a_chat_counts_messages_of_senders() {
        let told = read_file("telegram_export/chat.json", &options());
        assert!(told.seen.contains("`messages` and the `type` of a chat"));
        // 23:30 in UTC on the 23rd is of the 23rd; the older row's clock says the 24th.
        assert_eq!(told.activity, ["2016-02-23 2 3", "2016-02-24 2 2"]);
        assert_eq!(
            told.rejects,
            [
                "59 type: an unsupported message, of which an export has no date",
                "63 from_id: no sender: the export names none",
                "70 date_unixtime: not a day that exists: write YYYY-MM-DD, a time as RFC 3339 or YYYY-MM-DD HH:MM:SS, or whole seconds or milliseconds since 1970",
            ]
        );
    }

    #[test]
    fn the_zone_moves_moments_and_not_the_clock_of_the_computer() {
        let mut options = options();
        options.zone = Tz::Europe__Amsterdam;
        let told = read_file("telegram_export/chat.json", &options);
        assert_eq!(told.activity, ["2016-02-23 1 2", "2016-02-24 3 3"]);
    }

    #[test]
    fn an_account_gives_the_messages_of_all_its_chats() {
        let told = read_file("telegram_export/account.json", &options());
        assert!(told.seen.contains("`about` and `chats`"));
        assert_eq!(told.activity, ["2016-02-23 3 4"]);
        assert!(told.rejects.is_empty());
    }

    #[test]
    fn a_large_chat_is_streamed_with_its_lines() {
        let mut text = String::from(
            "{\"name\": null, \"type\": \"private_group\", \"id\": 1, \"messages\": [\n",
        );
        for n in 0..20_000 {
            let sender = if n == 15_000 {
                String::new()
            } else {
                format!("\"from_id\": \"user{}\", ", n % 50)
            };
            text.push_str(&format!(
                "{{\"id\": {n}, \"type\": \"message\", {sender}\"date_unixtime\": \"1456185600\", \"text\": [\"\\x01 \\\\x\", {{\"type\": \"bold\", \"text\": \"\\\\\"}}]}},\n"
            ));
        }
        text.push_str("{\"id\": 7, \"type\": \"service\"}]}");
        let told = read("result.json", text, &options());
        assert_eq!(told.activity, ["2016-02-23 50 19999"]);
        assert_eq!(
            told.rejects,
            ["15002 from_id: no sender: the export names none"]
        );
    }

    #[test]
    fn what_is_cut_short_is_refused_without_its_words() {
        let head = r#"{"name": "n", "type": "personal_chat", "id": 1, "messages": [{"type": "message", "text": "secret"#;
        for end in ["", "\" oops}", "\x07\"}]}"] {
            let input = Input::bytes("result.json", format!("{head}{end}"));
            let error = try_read(&input, &options()).unwrap_err().to_string();
            assert!(
                error.contains("line 1") && !error.contains("secret"),
                "{error}"
            );
        }
    }
}
