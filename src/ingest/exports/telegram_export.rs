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
use std::fmt;
use std::io::{self, Read};
use std::rc::Rc;
use std::sync::LazyLock;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use chrono_tz::Tz;
use regex::Regex;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::{ChatId, Export, Head, Opening, Reader, Rows};
use crate::calendar::{Day, from_date32};
use crate::ingest::error::IngestError;
use crate::ingest::moment::When;
use crate::ingest::reject::Reason;
use crate::ingest::sniff::{self, Bytes};
use crate::schema::Grain;

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

/// The fields of a message that are read.
#[derive(Default)]
struct Message {
    kind: Scalar,
    date: Scalar,
    unixtime: Scalar,
    from: Scalar,
}

/// A value of a field that is read.
#[derive(Default)]
enum Scalar {
    /// Absent or null.
    #[default]
    None,
    Text(String),
    Number(i64),
    Other,
}

impl Scalar {
    fn when(&self, zone: Tz) -> Result<When, Reason> {
        match self {
            Scalar::None => Err(Reason::NoDay),
            Scalar::Text(text) => When::read(text, zone),
            Scalar::Number(number) => When::epoch(*number, zone),
            Scalar::Other => Err(Reason::NotADay),
        }
    }
}

/// Where in the document a value stands.
#[derive(Clone, Copy)]
enum Level {
    /// The export, a chat, or an object with a list of chats.
    Holder,
    Chats,
    Messages,
    Message,
}

/// Reads a value at a level.
struct Within<'a, 'b> {
    level: Level,
    sink: &'a mut Sink<'b>,
}

impl<'de> DeserializeSeed<'de> for Within<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, value: D) -> Result<(), D::Error> {
        value.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Within<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("chats and messages")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let line = self.sink.line.get();
        let mut message = Message::default();
        while let Some(key) = map.next_key::<String>()? {
            let level = match (self.level, key.as_str()) {
                (Level::Holder, "messages") => Level::Messages,
                (Level::Holder, "chats" | "left_chats") => Level::Holder,
                (Level::Holder, "list") => Level::Chats,
                (Level::Message, "type" | "date" | "date_unixtime" | "from_id") => {
                    let value = map.next_value_seed(Field)?;
                    match key.as_str() {
                        "type" => message.kind = value,
                        "date" => message.date = value,
                        "date_unixtime" => message.unixtime = value,
                        _ => message.from = value,
                    }
                    continue;
                }
                _ => {
                    map.next_value::<IgnoredAny>()?;
                    continue;
                }
            };
            let sink = &mut *self.sink;
            map.next_value_seed(Within { level, sink })?;
        }
        match self.level {
            Level::Message => self.sink.message(line, &message),
            Level::Holder => {}
            Level::Chats | Level::Messages => {
                self.sink
                    .reject(line, "", "an object where a list is expected")
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let level = match self.level {
            Level::Chats => Level::Holder,
            Level::Messages => Level::Message,
            Level::Holder | Level::Message => {
                let line = self.sink.line.get();
                self.sink
                    .reject(line, "", "a list where an object is expected");
                while list.next_element::<IgnoredAny>()?.is_some() {}
                return Ok(());
            }
        };
        loop {
            let sink = &mut *self.sink;
            if list.next_element_seed(Within { level, sink })?.is_none() {
                return Ok(());
            }
            if self.sink.found.len() >= LOT && self.sink.hand_over().is_err() {
                return Err(A::Error::custom("nobody waits for more"));
            }
        }
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        self.scalar()
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        self.scalar()
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        self.scalar()
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        self.scalar()
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        self.scalar()
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        self.scalar()
    }
}

impl Within<'_, '_> {
    fn scalar<E>(self) -> Result<(), E> {
        let line = self.sink.line.get();
        self.sink.reject(line, "", "neither a chat nor a message");
        Ok(())
    }
}

/// Reads a field of a message.
struct Field;

/// The longest text of a field that is kept: a sender's id has 256 bytes at most.
const LONGEST: usize = 300;

impl<'de> DeserializeSeed<'de> for Field {
    type Value = Scalar;

    fn deserialize<D: Deserializer<'de>>(self, value: D) -> Result<Scalar, D::Error> {
        value.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Field {
    type Value = Scalar;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text or a number")
    }

    fn visit_unit<E>(self) -> Result<Scalar, E> {
        Ok(Scalar::None)
    }

    fn visit_str<E>(self, text: &str) -> Result<Scalar, E> {
        Ok(match text.len() {
            0 => Scalar::None,
            1..=LONGEST => Scalar::Text(text.to_owned()),
            _ => Scalar::Other,
        })
    }

    fn visit_i64<E>(self, number: i64) -> Result<Scalar, E> {
        Ok(Scalar::Number(number))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Scalar, E> {
        Ok(i64::try_from(number).map_or(Scalar::Other, Scalar::Number))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Scalar, E> {
        Ok(Scalar::Other)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Scalar, E> {
        Ok(Scalar::Other)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Scalar, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Scalar::Other)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Scalar, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Scalar::Other)
    }
}

/// The bytes of an export with each `\x1f` written as JSON has it, `\u001f`; counts lines as they are parsed.
struct Mended {
    bytes: Bytes,
    buffer: Vec<u8>,
    at: usize,
    /// Whether a backslash was read and not given.
    escape: bool,
    /// What is given before more is read, from its end.
    pending: Vec<u8>,
    line: Rc<Cell<u64>>,
}

impl Mended {
    fn new(bytes: Bytes, line: Rc<Cell<u64>>) -> Self {
        Mended {
            bytes,
            buffer: vec![],
            at: 0,
            escape: false,
            pending: vec![],
            line,
        }
    }

    fn raw(&mut self) -> io::Result<Option<u8>> {
        if self.at == self.buffer.len() {
            self.buffer.resize(1 << 16, 0);
            self.at = self.buffer.len();
            let read = self.bytes.read(&mut self.buffer)?;
            self.buffer.truncate(read);
            self.at = 0;
        }
        let byte = self.buffer.get(self.at).copied();
        self.at += usize::from(byte.is_some());
        Ok(byte)
    }

    fn next(&mut self) -> io::Result<Option<u8>> {
        if let Some(byte) = self.pending.pop() {
            return Ok(Some(byte));
        }
        let byte = self.raw()?;
        match byte {
            Some(b'\\') if !self.escape => {
                self.escape = true;
                self.next()
            }
            _ if self.escape => {
                self.escape = false;
                match byte {
                    Some(b'x') => self.pending.extend_from_slice(b"00u"),
                    byte => self.pending.extend(byte),
                }
                Ok(Some(b'\\'))
            }
            byte => Ok(byte),
        }
    }
}

impl Read for Mended {
    /// Gives a byte at a time, so that lines are counted where they are parsed and not before.
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Some(place) = buffer.first_mut() else {
            return Ok(0);
        };
        let Some(byte) = self.next()? else {
            return Ok(0);
        };
        if byte == b'\n' {
            self.line.set(self.line.get() + 1);
        }
        *place = byte;
        Ok(1)
    }
}

#[cfg(test)]
mod tests {
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
