//! The threads of one reading: one cuts, some clean, and the caller's takes the chunks in order.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use arrow::record_batch::RecordBatch;

use super::clean::{Cleaned, Context};
use super::clean_user_days::People;
use super::columns::{Layout, Role, Slots};
use super::coverage::{Ledger, Presence};
use super::delimited::record::Dialect;
use super::delimited::text::{self, Text};
use super::delimited::{self, translate};
use super::error::IngestError;
use super::identity::{self, Tally};
use super::reject::{Reason, Reject};
use super::scan;
use super::sniff::{self, Compression, Format};
use super::stream::{Body, Chunk, Cutter, Source};
use super::table::Table;
use super::{CHUNK, Input, Options, Origin, Rows, Summary};
use super::{
    clean_disclosures, clean_usage, clean_user_days, columnar, csv, exports, json, json_cut,
    platforms,
};
use crate::schema::Grain;

/// What a worker needs besides the chunk to read its fields.
enum Fields {
    Csv(scan::Dialect, Slots),
    Json(json::Known),
    Columns,
}

/// A file whose first bytes were read: what it is and what it gives are decided.
pub(super) struct Opened {
    context: Context,
    format: Format,
    compression: Compression,
    tally: Tally,
    cutter: Box<dyn Cutter>,
    fields: Fields,
    /// Chunks that had to be read for the decision.
    first: Vec<Chunk>,
    /// Columns of a file of people that are not taken.
    passed_over: Vec<String>,
    /// What made the figures up, where the file says so.
    synthetic: String,
}

/// Opens a file and decides what its columns give.
pub(super) fn open(input: &Input, options: &Options) -> Result<Opened, IngestError> {
    let name = input.name.as_str();
    let live = options.exported.as_ref().is_some_and(|e| e.live.is_some());
    let (compression, bytes) = match live {
        // A database in use is asked, not read.
        true => (
            Compression::None,
            Box::new(std::io::empty()) as sniff::Bytes,
        ),
        false => sniff::open(input)?,
    };
    declared_platform(name, options)?;
    let tally = Tally::default();
    let bytes = tally.over(bytes);
    let (format, text) = match &options.exported {
        Some(exported) => (Format::Export(exported.format), Text::of(bytes)),
        None => text::open(name, compression, bytes, &options.source)?,
    };
    let chunk = if options.chunk == 0 {
        CHUNK
    } else {
        options.chunk
    };
    let mut first = vec![];
    let mut synthetic = String::new();
    let (layout, names, cutter, fields): (Arc<Layout>, Vec<Arc<str>>, Box<dyn Cutter>, Fields) =
        match format {
            Format::Csv => {
                let (layout, names, cutter, fields) =
                    delimited(name, compression, text, chunk, options)?;
                (layout, names, cutter, fields)
            }
            Format::Ndjson | Format::Json => {
                let source = Source::new(name, compression, text.bytes, chunk);
                let mut cutter: Box<dyn Cutter> = match format {
                    Format::Json => Box::new(json_cut::ByElement::new(source)),
                    _ => Box::new(json_cut::ByLine { source }),
                };
                let names = json::first_names(name, cutter.as_mut(), &mut first)?;
                let (layout, _) = decide(name, &names, options)?;
                (layout, names, cutter, Fields::Json(json::Known::default()))
            }
            Format::Export(_) => export(input, options, compression, text.bytes)?,
            Format::Parquet | Format::ArrowFile | Format::ArrowStream => {
                let told = (format, compression);
                let (layout, names, cutter, said) =
                    in_columns(input, told, text.bytes, chunk, options)?;
                synthetic = said;
                (layout, names, cutter, Fields::Columns)
            }
        };
    let passed_over = layout.passed_over(&names);
    let context = Context {
        file: name.to_owned(),
        options: options.clone(),
        layout,
    };
    Ok(Opened {
        context,
        format,
        compression,
        tally,
        cutter,
        fields,
        first,
        passed_over,
        synthetic,
    })
}

type Begun = (Arc<Layout>, Vec<Arc<str>>, Box<dyn Cutter>, Fields);

/// Begins to read delimited text: one that is written as most are as it stands, another put into that form.
fn delimited(
    name: &str,
    compression: Compression,
    text: Text,
    chunk: usize,
    options: &Options,
) -> Result<Begun, IngestError> {
    let found = delimited::find::find(name, &text.sample, text.whole, &options.source)?;
    let decoded = text.decoded();
    let Some(found) = found else {
        let source = Source::new(name, compression, text.bytes, chunk);
        let (mut rows, names) = csv::open(source)?;
        rows.decoded = decoded;
        let (layout, slots) = decide(name, &names, options)?;
        let width = names.len();
        let dialect = Dialect {
            separator: rows.dialect.separator,
            ..Dialect::COMMON
        };
        let header = text::header(&text.sample, dialect);
        let sample = text.sample.get(header.end..).unwrap_or_default();
        let of = (&dialect, width);
        let spellings = delimited::decide(name, sample, text.whole, of, (&names, &slots), options)?;
        let Some(spellings) = spellings else {
            let fields = Fields::Csv(rows.dialect, slots);
            return Ok((layout, names, Box::new(rows), fields));
        };
        let found = delimited::find::Found::common(dialect, &names, header);
        let rows = translate::Rows::new(rows.into_source(), found, spellings, decoded);
        let fields = Fields::Csv(rows.form(), slots);
        return Ok((layout, names, Box::new(rows), fields));
    };
    if !found.named {
        return Err(IngestError::Header {
            name: name.to_owned(),
            detail: "its first row holds figures and no names; put a line with the names of its columns above it".to_owned(),
        });
    }
    let names = found.names.clone();
    csv::sound(&names).map_err(|detail| IngestError::Header {
        name: name.to_owned(),
        detail,
    })?;
    let (layout, slots) = decide(name, &names, options)?;
    let sample = text.sample.get(found.start..).unwrap_or_default();
    let of = (&found.dialect, found.width);
    let spellings = delimited::decide(name, sample, text.whole, of, (&names, &slots), options)?;
    let source = text.from(name, compression, found.start, chunk)?;
    let rows = translate::Rows::new(source, found, spellings.unwrap_or_default(), decoded);
    let fields = Fields::Csv(rows.form(), slots);
    Ok((layout, names, Box::new(rows), fields))
}

/// Begins to read what some program exported.
fn export(
    input: &Input,
    options: &Options,
    compression: Compression,
    bytes: sniff::Bytes,
) -> Result<Begun, IngestError> {
    let exported = options.exported.as_ref();
    let (export, grain) = exported
        .and_then(|e| Some((exports::named(e.format)?, e.grain)))
        .ok_or_else(|| IngestError::Internal {
            name: input.name.clone(),
            detail: "no such export".to_owned(),
        })?;
    let names = exports::names(export, grain, &options.dimensions);
    let (layout, _) = decide(&input.name, &names, options)?;
    let path = match (&input.origin, compression) {
        (Origin::Path(path), Compression::None) => Some(path.as_path()),
        _ => None,
    };
    let reader = (export.open)(exports::Opening {
        name: &input.name,
        bytes,
        path,
        grain,
        options,
    })?;
    let rows = exports::RowsCutter {
        reader,
        layout: layout.clone(),
        names: names.clone(),
        server: options
            .source
            .server
            .clone()
            .unwrap_or_default()
            .trim()
            .to_owned(),
        ended: false,
    };
    Ok((layout, names, Box::new(rows), Fields::Columns))
}

type InColumns = (Arc<Layout>, Vec<Arc<str>>, Box<dyn Cutter>, String);

/// Begins to read a file in columns: in another process, where there is one for it.
fn in_columns(
    input: &Input,
    (format, compression): (Format, Compression),
    bytes: sniff::Bytes,
    chunk: usize,
    options: &Options,
) -> Result<InColumns, IngestError> {
    let name = input.name.as_str();
    let wanted = |names: &[Arc<str>]| {
        let (layout, _) = decide(name, names, options)?;
        let (mut taken, mut kept) = (vec![], vec![]);
        for (place, column) in names.iter().enumerate() {
            if layout.role(column)? != Role::Ignored {
                taken.push(place);
                kept.push(column.clone());
            }
        }
        let slots = layout.slots(&kept)?;
        let people = layout.grain.of_people();
        let rows = chunk.clamp(1, columnar::ROWS);
        let wanted = columnar::Wanted {
            taken,
            people,
            rows,
        };
        Ok::<_, IngestError>((layout, slots, wanted))
    };
    let (layout, names, slots, (decoder, synthetic)) = match &options.apart {
        Some(apart) => {
            let path = match (&input.origin, compression) {
                (Origin::Path(path), Compression::None) => Some(path.as_path()),
                _ => None,
            };
            let opened = apart.open(name, format, compression, bytes, path)?;
            let names = opened.names.clone();
            let (layout, slots, wanted) = wanted(&names)?;
            (layout, names, slots, opened.decoder(wanted)?)
        }
        None => {
            let all = columnar::all(name, compression, bytes, size_of(input, compression))?;
            let opened = columnar::Opened::open(name, format, all)?;
            let names = opened.names.clone();
            let (layout, slots, wanted) = wanted(&names)?;
            (layout, names, slots, opened.decoder(wanted)?)
        }
    };
    let cut = columnar::Cut::new(decoder, slots);
    Ok((layout, names, Box::new(cut), synthetic))
}

/// How many bytes a file gives, as far as that is known before it is read, and a few more for its end to
/// be noticed.
fn size_of(input: &Input, compression: Compression) -> usize {
    let size = match (&input.origin, compression) {
        (Origin::Path(path), Compression::None) => std::fs::metadata(path).map_or(0, |m| m.len()),
        (Origin::Bytes(bytes), Compression::None) => bytes.len() as u64,
        _ => 0,
    };
    usize::try_from(size).map_or(0, |size| size.saturating_add(64))
}

fn decide(
    name: &str,
    names: &[Arc<str>],
    options: &Options,
) -> Result<(Arc<Layout>, Slots), IngestError> {
    let layout = Layout::decide(name, names, options)?;
    let slots = layout.slots(names)?;
    layout.require(&slots, options)?;
    Ok((Arc::new(layout), slots))
}

/// A platform declared for a file must be one that its rows could name.
fn declared_platform(name: &str, options: &Options) -> Result<(), IngestError> {
    let Some(platform) = &options.source.platform else {
        return Ok(());
    };
    let wrong = |detail: String| IngestError::Declared {
        name: name.to_owned(),
        key: "platform",
        value: format!("\"{platform}\""),
        detail,
    };
    let canonical = platforms::canonical(platform, options)
        .map_err(|reason| wrong(reason.text().into_owned()))?;
    if platforms::Spellings::new(options).accept(canonical) {
        return Ok(());
    }
    Err(wrong(Reason::Spelling.text().into_owned()))
}

/// What came of one chunk: its tables or its people, and the rejects of what is in neither.
struct Done {
    figures: Vec<Cleaned>,
    people: Vec<People>,
    rejects: Vec<Reject>,
}

impl Opened {
    /// Reads all of it.
    pub(super) fn run<E: From<IngestError>>(
        self,
        sink: &mut dyn FnMut(Rows, Vec<Reject>) -> Result<(), E>,
    ) -> Result<Summary, E> {
        let Opened {
            context,
            format,
            compression,
            tally,
            cutter,
            fields,
            first,
            passed_over,
            synthetic,
        } = self;
        let threads = match context.options.threads {
            0 => thread::available_parallelism().map_or(1, NonZeroUsize::get),
            threads => threads,
        };
        // A token a chunk under way bounds the memory, however slow the sink.
        let (give, tokens) = channel();
        (0..2 * threads + 2).for_each(|_| _ = give.send(()));
        let (jobs, queue) = sync_channel(threads);
        let queue = Mutex::new(queue);
        let (results, done) = channel();
        let stop = AtomicBool::new(false);
        let mut taker = Taker::new(&context);
        let (context, fields, queue, stop) = (&context, &fields, &queue, &stop);
        thread::scope(|scope| {
            let failed = results.clone();
            scope.spawn(move || cut(context, cutter, first, &tokens, &jobs, &failed));
            for _ in 0..threads {
                let results = results.clone();
                scope.spawn(move || work(context, fields, queue, &results, stop));
            }
            drop(results);
            let taken = taker.take_all(&done, &give, sink);
            // After an error the workers let what is queued pass, and the cutter gets no more tokens.
            stop.store(true, Ordering::Relaxed);
            drop(give);
            taken
        })?;
        let content = tally.content();
        let identity = identity::identity(&content, &context.options);
        Ok(taker.summary(Summary {
            grain: context.layout.grain,
            format,
            compression,
            content,
            identity,
            rows_read: 0,
            rows_kept: 0,
            rows_rejected: 0,
            rows_left_out: 0,
            rows_given: 0,
            first_day: None,
            last_day: None,
            coverage: Default::default(),
            passed_over,
            synthetic,
        }))
    }
}

type Numbered<T> = (usize, T);
type Results = Sender<Numbered<Result<Done, IngestError>>>;

/// Cuts the file until it ends, something fails, or nobody waits for more.
fn cut(
    context: &Context,
    mut cutter: Box<dyn Cutter>,
    first: Vec<Chunk>,
    tokens: &Receiver<()>,
    jobs: &SyncSender<Numbered<Chunk>>,
    failed: &Results,
) {
    let mut first = first.into_iter();
    for number in 0.. {
        if tokens.recv().is_err() {
            return;
        }
        let next = match first.next() {
            Some(chunk) => Ok(Some(chunk)),
            None => guard(context, || cutter.next()),
        };
        match next {
            Ok(Some(chunk)) => {
                if jobs.send((number, chunk)).is_err() {
                    return;
                }
            }
            Ok(None) => return,
            Err(error) => {
                _ = failed.send((number, Err(error)));
                return;
            }
        }
    }
}

/// Reads and cleans chunks until there are no more.
fn work(
    context: &Context,
    fields: &Fields,
    queue: &Mutex<Receiver<Numbered<Chunk>>>,
    results: &Results,
    stop: &AtomicBool,
) {
    loop {
        let job = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok((number, chunk)) = job else {
            return;
        };
        if !stop.load(Ordering::Relaxed) {
            _ = results.send((number, guard(context, || clean(context, fields, chunk))));
        }
    }
}

/// Turns a panic into an error: no bytes may end the program.
fn guard<T>(
    context: &Context,
    run: impl FnOnce() -> Result<T, IngestError>,
) -> Result<T, IngestError> {
    catch_unwind(AssertUnwindSafe(run))
        .unwrap_or_else(|_| Err(context.internal("a worker panicked")))
}

/// Reads the fields of a chunk and cleans them.
fn clean(context: &Context, fields: &Fields, chunk: Chunk) -> Result<Done, IngestError> {
    let Chunk {
        body,
        lines,
        rejects,
    } = chunk;
    let tables = match (body, fields) {
        (Body::Csv { bytes, quotes }, Fields::Csv(dialect, slots)) => {
            csv::parse(&bytes, quotes, &lines, *dialect, slots, context)?
        }
        (Body::Json { bytes, rows }, Fields::Json(known)) => {
            vec![json::parse(&bytes, &rows, &lines, known, context)?]
        }
        (Body::Columns { columns, slots }, _) => {
            vec![Table {
                columns,
                slots,
                rows: lines.rows() as usize,
                lines,
                rejects: vec![],
            }]
        }
        _ => return Err(context.internal("a chunk of another format")),
    };
    let (mut figures, mut people) = (vec![], vec![]);
    for table in tables {
        match context.layout.grain {
            Grain::Disclosures => figures.push(clean_disclosures::clean(table, context)?),
            Grain::Usage => figures.push(clean_usage::clean(table, context)?),
            Grain::Activity | Grain::Signups => {
                people.push(clean_user_days::clean(table, context)?);
            }
        }
    }
    Ok(Done {
        figures,
        people,
        rejects,
    })
}

/// Takes chunks in the order of the file.
struct Taker<'a> {
    context: &'a Context,
    ledger: Ledger,
    presence: Presence,
    kept: u64,
    rejected: u64,
    left_out: u64,
    given: u64,
}

impl<'a> Taker<'a> {
    fn new(context: &'a Context) -> Self {
        Taker {
            context,
            ledger: Ledger::new(context),
            presence: Presence::new(context),
            kept: 0,
            rejected: 0,
            left_out: 0,
            given: 0,
        }
    }

    fn take_all<E: From<IngestError>>(
        &mut self,
        done: &Receiver<Numbered<Result<Done, IngestError>>>,
        tokens: &Sender<()>,
        sink: &mut dyn FnMut(Rows, Vec<Reject>) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut waiting = BTreeMap::new();
        let mut next = 0;
        while let Ok((number, chunk)) = done.recv() {
            waiting.insert(number, chunk);
            while let Some(chunk) = waiting.remove(&next) {
                self.take(chunk?, sink)?;
                next += 1;
                // Nobody waits for a token once the file has ended.
                _ = tokens.send(());
            }
        }
        Ok(())
    }

    fn take<E: From<IngestError>>(
        &mut self,
        done: Done,
        sink: &mut dyn FnMut(Rows, Vec<Reject>) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut rejects = done.rejects;
        let mut batches = vec![];
        for people in done.people {
            let (days, found, kept) = self.presence.admit(people);
            self.kept += kept;
            self.given += days.rows() as u64;
            rejects.extend(found);
            batches.push(Rows::People(days));
        }
        for table in done.figures {
            let (batch, found, kept) = self.ledger.admit(table, self.context)?;
            self.kept += kept;
            self.given += batch.num_rows() as u64;
            rejects.extend(found);
            batches.push(Rows::Table(batch));
        }
        self.rejected += rejects.len() as u64;
        self.left_out += rejects.iter().filter(|reject| reject.by_rule).count() as u64;
        rejects.sort_by_key(|reject| reject.line);
        let last = batches.pop();
        for batch in batches {
            sink(batch, vec![])?;
        }
        match last {
            Some(batch) => sink(batch, rejects),
            None if rejects.is_empty() => Ok(()),
            None if self.context.layout.grain.of_people() => {
                sink(Rows::People(Default::default()), rejects)
            }
            None => sink(
                Rows::Table(RecordBatch::new_empty(super::schema(
                    self.context.layout.grain,
                ))),
                rejects,
            ),
        }
    }

    fn summary(self, blank: Summary) -> Summary {
        let coverage = match self.context.layout.grain.of_people() {
            true => self.presence.coverage(),
            false => self.ledger.coverage(),
        };
        let (first_day, last_day) = Summary::span(&coverage);
        Summary {
            rows_read: self.kept + self.rejected,
            rows_kept: self.kept,
            rows_rejected: self.rejected,
            rows_left_out: self.left_out,
            rows_given: self.given,
            first_day,
            last_day,
            coverage,
            ..blank
        }
    }
}
