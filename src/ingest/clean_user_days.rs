//! People: one row a user and day, or a row a message, under pseudonyms from here on.
//!
//! An id is taken as it is written (blanks around it apart): the number 42 of a Parquet file and the
//! text `42` of a CSV file are one user, and so are a UUID's 16 bytes and its text in either case.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::Array;
use chrono_tz::Tz;

use super::clean::{Context, Fault, Names};
use super::columns::Role;
use super::error::IngestError;
use super::moment::When;
use super::reject::{Lines, Reason, Reject};
use super::table::{Column, Memo, Table};
use super::{Options, cell, platforms};
use crate::project::Active;
use crate::pseudonym::{Key, LONGEST_ID, Pseudonyms, Scope};
use crate::schema::Grain;
use crate::user_days::{Cell, Coded, UserDays};

/// A cleaned chunk. Whether its platforms are spelled as before is still open.
pub(super) struct People {
    pub days: UserDays,
    /// The row of the chunk that each row was, in the order of `days`; only where rows name platforms.
    pub row: Vec<u32>,
    pub lines: Lines,
    pub rejects: Vec<Reject>,
    pub kept: u64,
    pub platform_column: Arc<str>,
}

/// Cleans a chunk of a file of people.
pub(super) fn clean(table: Table, context: &Context) -> Result<People, IngestError> {
    let key = context
        .options
        .key
        .as_ref()
        .map_err(|why| IngestError::Key {
            name: context.file.clone(),
            source: why.clone(),
        })?;
    let mut reader = Reader::new(&table, context, key);
    let mut rejects = vec![];
    for row in 0..table.rows {
        if let Err((role, reason)) = reader.row(row) {
            rejects.push(reason.reject(table.lines.of(row as u32), &table.slots.name(role)));
        }
    }
    let refused = rejects.len() as u64;
    let (days, row) = reader.finish();
    let mut all = table.rejects;
    all.extend(rejects);
    Ok(People {
        days,
        row,
        kept: table.rows as u64 - refused,
        lines: table.lines,
        rejects: all,
        platform_column: table.slots.name(Role::Platform),
    })
}

/// Reads rows of one chunk.
struct Reader<'a> {
    columns: &'a [Column],
    options: &'a Options,
    zone: Tz,
    key: &'a Key,
    user: Option<&'a Column>,
    when: Option<&'a Column>,
    when_role: Role,
    count: Option<&'a Column>,
    /// Whether a row without a count is one message.
    is_message: bool,
    /// Whether a row without a message is no activity.
    needs_message: bool,
    texts: Memo<Result<When, Reason>>,
    quarters: Quarters,
    /// The last whole day met, as the file holds it.
    day: (i32, Result<When, Reason>),
    platforms: Names,
    servers: Names,
    scopes: Vec<Scope>,
    splits: Vec<Option<Names>>,
    numbers: HashMap<(u32, u32, i32), u32>,
    last: Option<((u32, u32, i32), u32)>,
    keep_rows: bool,
    row: Vec<u32>,
    pseudonyms: Pseudonyms<'a>,
    days: UserDays,
}

impl<'a> Reader<'a> {
    fn new(table: &'a Table, context: &'a Context, key: &'a Key) -> Self {
        let (slots, options) = (&table.slots, &context.options);
        let column = |role| slots.column(role).map(|c| &table.columns[c]);
        let activity = context.layout.grain == Grain::Activity;
        let moment = slots.has(Role::Moment);
        let counted = activity && (slots.has(Role::Messages) || moment);
        let names = |place: usize| {
            let split = Role::Split(u8::try_from(place).unwrap_or(u8::MAX));
            let column = slots.column(split);
            column.map(|column| Names::new(Some(column), ""))
        };
        let splits = if activity {
            options.dimensions.len()
        } else {
            0
        };
        Reader {
            columns: &table.columns,
            options,
            zone: options.zone,
            key,
            user: column(Role::User),
            when: column(Role::Moment).or_else(|| column(Role::Day)),
            when_role: if moment { Role::Moment } else { Role::Day },
            count: column(Role::Messages),
            is_message: moment,
            needs_message: options.source.active == Active::Messages,
            texts: Memo::new(Err(Reason::NoDay)),
            quarters: Quarters::new(),
            day: (i32::MIN, Err(Reason::FarDay)),
            platforms: Names::new(
                slots.column(Role::Platform),
                options.source.platform.as_deref().unwrap_or(""),
            ),
            servers: Names::new(
                slots.column(Role::Server),
                options.source.server.as_deref().unwrap_or(""),
            ),
            scopes: vec![],
            splits: (0..splits).map(names).collect(),
            numbers: HashMap::new(),
            last: None,
            keep_rows: slots.has(Role::Platform),
            row: vec![],
            pseudonyms: Pseudonyms::new(key, table.rows),
            days: UserDays {
                grain: context.layout.grain,
                cells: Vec::with_capacity(table.rows),
                messages: counted.then(|| Vec::with_capacity(table.rows)),
                dimensions: vec![Coded::default(); splits],
                ..UserDays::default()
            },
        }
    }

    /// Adds one row of the file, or says what is wrong with it.
    #[inline]
    fn row(&mut self, row: usize) -> Result<(), Fault> {
        let mut digits = itoa::Buffer::new();
        let mut text = [0; 36];
        let id = id(self.user, row, &mut digits, &mut text).map_err(|e| (Role::User, e))?;
        let when_role = self.when_role;
        let when = self.when(row).map_err(|reason| (when_role, reason))?;
        let messages = self.messages(row)?;
        let cell = self.cell(row, when.day)?;
        let mut codes = [0u16; 16];
        for (place, names) in self.splits.iter_mut().enumerate() {
            if let Some(names) = names {
                let code = names.of(self.columns, row, owned_name);
                let code = code.and_then(|c| u16::try_from(c).map_err(|_| Reason::NameLength));
                codes[place] = code.map_err(|e| (Role::Split(place as u8), e))?;
            }
        }
        // Nothing was added before this, so that a row is taken whole or not at all.
        if self.needs_message && messages == Some(0) {
            return Ok(());
        }
        self.pseudonyms
            .push(self.scopes[cell.0 as usize], id.as_ref());
        self.days.cells.push(cell.1);
        if let (Some(all), Some(count)) = (&mut self.days.messages, messages) {
            all.push(count);
        }
        for (place, coded) in self.days.dimensions.iter_mut().enumerate() {
            coded.codes.push(codes[place]);
        }
        if self.keep_rows {
            self.row.push(row as u32);
        }
        Ok(())
    }

    #[inline]
    fn when(&mut self, row: usize) -> Result<When, Reason> {
        let Some(column) = self.when else {
            return Err(Reason::NoDay);
        };
        match column {
            Column::Days(days) if days.is_valid(row) => {
                let day = days.value(row);
                if self.day.0 != day {
                    self.day = (day, When::date32(day));
                }
                self.day.1
            }
            Column::Moments { micros, utc: true } if micros.is_valid(row) => {
                self.quarters.day(micros.value(row), self.zone)
            }
            _ => self
                .texts
                .short(column, row, || column.when(row, self.zone)),
        }
    }

    #[inline]
    fn messages(&self, row: usize) -> Result<Option<u32>, Fault> {
        if self.days.messages.is_none() {
            return Ok(None);
        }
        let Some(column) = self.count else {
            return Ok(Some(u32::from(self.is_message)));
        };
        let count = column.count(row).map_err(|e| (Role::Messages, e))?;
        let count = count.ok_or((Role::Messages, Reason::NoMessages))?;
        let count = u32::try_from(count).map_err(|_| (Role::Messages, Reason::ManyMessages))?;
        Ok(Some(count))
    }

    /// The number of the row's platform and of its cell.
    #[inline]
    fn cell(&mut self, row: usize, day: i32) -> Result<(u32, u32), Fault> {
        let options = self.options;
        let platform = self.platforms.of(self.columns, row, |text| {
            platforms::canonical(text, options).map(|name| Cow::Owned(name.to_owned()))
        });
        let platform = platform.map_err(|e| (Role::Platform, e))?;
        let server = self.servers.of(self.columns, row, owned_name);
        let server = server.map_err(|e| (Role::Server, e))?;
        while self.scopes.len() <= platform as usize {
            let name = platforms::canonical(&self.platforms.list[self.scopes.len()], options);
            let name = name.map_err(|e| (Role::Platform, e))?;
            self.scopes.push(self.key.scope(name));
        }
        let of = (platform, server, day);
        if let Some((last, number)) = self.last
            && last == of
        {
            return Ok((platform, number));
        }
        let next = self.days.list.len() as u32;
        let number = *self.numbers.entry(of).or_insert(next);
        if number == next {
            let platform = &self.platforms.list[platform as usize];
            let name = platforms::canonical(platform, options).map_err(|e| (Role::Platform, e))?;
            self.days.list.push(Cell {
                platform: Arc::from(name),
                server: self.servers.list[server as usize].clone(),
                day,
            });
        }
        self.last = Some((of, number));
        Ok((platform, number))
    }

    /// What was taken, and the row that each was where that is kept: there the rows are still in the
    /// order of the file, since some may have to go, elsewhere in that of their shards.
    fn finish(mut self) -> (UserDays, Vec<u32>) {
        self.days.users = self.pseudonyms.finish();
        for (coded, names) in self.days.dimensions.iter_mut().zip(self.splits) {
            coded.values = match names {
                Some(names) => names.list,
                None => vec![Arc::from("")],
            };
        }
        match self.keep_rows {
            true => (self.days, self.row),
            false => (self.days.by_shard(), self.row),
        }
    }
}

fn owned_name(text: &str) -> Result<Cow<'static, str>, Reason> {
    cell::name(text).map(|name| Cow::Owned(name.to_owned()))
}

/// The bytes of a row's id.
#[inline]
fn id<'a>(
    column: Option<&'a Column>,
    row: usize,
    digits: &'a mut itoa::Buffer,
    text: &'a mut [u8; 36],
) -> Result<Cow<'a, [u8]>, Reason> {
    match column {
        Some(Column::Unsigned(ids)) if ids.is_valid(row) => {
            Ok(Cow::Borrowed(digits.format(ids.value(row)).as_bytes()))
        }
        Some(Column::Whole(ids)) if ids.is_valid(row) => match ids.value(row) {
            cell::NOT_WHOLE => Err(Reason::NotAUser),
            id => Ok(Cow::Borrowed(digits.format(id).as_bytes())),
        },
        Some(Column::Uuids(ids)) if ids.is_valid(row) => {
            hyphenated(ids.value(row), text);
            Ok(Cow::Borrowed(text))
        }
        Some(Column::Text(ids)) if ids.is_valid(row) => {
            let id = cell::trim(ids.value(row)).as_bytes();
            match id.len() {
                0 => Err(Reason::NoUser),
                1..=LONGEST_ID if is_upper_uuid(id) => Ok(Cow::Owned(id.to_ascii_lowercase())),
                1..=LONGEST_ID => Ok(Cow::Borrowed(id)),
                _ => Err(Reason::LongUser),
            }
        }
        Some(Column::Days(_) | Column::Moments { .. }) => Err(Reason::NotAUser),
        _ => Err(Reason::NoUser),
    }
}

/// The text of a UUID, in the form of RFC 9562.
fn hyphenated(bytes: &[u8], text: &mut [u8; 36]) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut at = 0;
    for (place, byte) in bytes.iter().take(16).enumerate() {
        if matches!(place, 4 | 6 | 8 | 10) {
            text[at] = b'-';
            at += 1;
        }
        text[at] = DIGITS[usize::from(byte >> 4)];
        text[at + 1] = DIGITS[usize::from(byte & 15)];
        at += 2;
    }
}

fn is_upper_uuid(id: &[u8]) -> bool {
    id.len() == 36
        && id.iter().any(u8::is_ascii_uppercase)
        && id.iter().enumerate().all(|(place, byte)| match place {
            8 | 13 | 18 | 23 => *byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

/// The day of each quarter of an hour met lately: clocks are set forward and back by whole quarters.
struct Quarters(Vec<(i64, Result<When, Reason>)>);

impl Quarters {
    const SLOTS: usize = 1 << 10;

    fn new() -> Self {
        Quarters(vec![(i64::MIN, Err(Reason::NoDay)); Self::SLOTS])
    }

    #[inline]
    fn day(&mut self, micros: i64, zone: Tz) -> Result<When, Reason> {
        const QUARTER: i64 = 900_000_000;
        let quarter = micros.div_euclid(QUARTER);
        let slot = &mut self.0[quarter.rem_euclid(Self::SLOTS as i64) as usize];
        if slot.0 != quarter {
            *slot = (quarter, When::instant(quarter * QUARTER, zone));
        }
        slot.1
    }
}
