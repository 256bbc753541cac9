//! The reader's side: a process that opens foreign files and gives their columns.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::process::ExitCode;

use arrow::error::ArrowError;
use arrow::ipc::writer::StreamWriter;
use memmap2::Mmap;
use serde::Serialize;

use super::{Answer, LONGEST, Request, Take, wire};
use crate::ingest::columnar::{Decoder, Opened, Wanted};
use crate::ingest::error::IngestError;
use crate::ingest::sniff::Format;

/// How many bytes stand in the pipe to the parent at a time: with the usual 64 KiB both sides wait often.
const PIPE: libc::c_int = 1 << 20;

/// What a reader may take at least: Polars and the allocator lay hold of much that they never touch.
const LEAST: u64 = 512 << 20;

/// Serves files until standard input ends. `memory` is how many bytes it may take besides those of a file.
pub fn serve(memory: Option<&OsStr>) -> ExitCode {
    // What panics is answered as an error; a hook would fill the pipe that nobody reads from.
    std::panic::set_hook(Box::new(|_| {}));
    let memory = memory.and_then(|bytes| bytes.to_str()?.parse().ok());
    match serve_all(memory.unwrap_or(LEAST)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

fn serve_all(memory: u64) -> io::Result<()> {
    limit(libc::RLIMIT_CORE, 0)?;
    widen(io::stdout().as_fd());
    let taken = virtual_memory()?;
    // Not through `Stdout`, which looks for line ends in all that is written.
    let mut output = File::from(io::stdout().as_fd().try_clone_to_owned()?);
    let mut input = BufReader::new(io::stdin().lock());
    while let Some(line) = line(&mut input)? {
        let request: Request = serde_json::from_slice(&line)?;
        let file = bytes(&request, &mut input);
        let length = file.as_ref().map_or(0, |bytes| bytes.len() as u64);
        let bound = taken.saturating_add(memory.max(LEAST));
        limit(libc::RLIMIT_AS, bound.saturating_add(length))?;
        let read = file.map_err(Stop::from);
        match read.and_then(|bytes| read_file(&request, bytes, &mut input, &mut output)) {
            Ok(()) => {}
            Err(Stop::Pipe(error)) => return Err(error),
            Err(Stop::File(error)) => say(&mut output, &answer(error))?,
        }
    }
    Ok(())
}

/// Why a file is not read on.
enum Stop {
    File(IngestError),
    /// Nobody listens any more.
    Pipe(io::Error),
}

impl From<IngestError> for Stop {
    fn from(error: IngestError) -> Self {
        Stop::File(error)
    }
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        Stop::Pipe(error)
    }
}

/// Answers what is asked of one file.
fn read_file(
    request: &Request,
    bytes: bytes::Bytes,
    input: &mut impl BufRead,
    output: &mut File,
) -> Result<(), Stop> {
    let format = [Format::Parquet, Format::ArrowFile, Format::ArrowStream];
    let named = format.into_iter().find(|f| f.name() == request.format);
    let opened = Opened::open(&request.name, named.unwrap_or(Format::Parquet), bytes)?;
    let names = opened.names.iter().map(ToString::to_string).collect();
    say(output, &Answer::Names(names))?;
    let Some(line) = line(input)? else {
        return Ok(());
    };
    let take: Take = serde_json::from_slice(&line).map_err(io::Error::from)?;
    let (mut decoder, synthetic) = opened.decoder(Wanted {
        taken: take.taken,
        people: take.people,
        rows: take.rows.max(1),
    })?;
    say(output, &Answer::Begun { synthetic })?;
    let given = give(decoder.as_mut(), output);
    if matches!(given, Err(Stop::Pipe(_))) {
        return given;
    }
    // The rows end here, however they did; how is said behind.
    output.write_all(&0_u64.to_le_bytes())?;
    given?;
    Ok(say(output, &Answer::Ended)?)
}

/// Gives all rows, as pieces of an Arrow stream, each behind its length.
fn give(decoder: &mut dyn Decoder, output: &mut File) -> Result<(), Stop> {
    let inside = |error: ArrowError| IngestError::Internal {
        name: String::new(),
        detail: error.to_string(),
    };
    let mut stream = None;
    while let Some(columns) = decoder.next()? {
        let batch = wire::batch(columns).map_err(inside)?;
        let writer = match &mut stream {
            Some(writer) => writer,
            None => {
                let new = StreamWriter::try_new(Vec::new(), batch.schema_ref());
                stream.insert(new.map_err(inside)?)
            }
        };
        writer.write(&batch).map_err(inside)?;
        let piece = writer.get_mut();
        output.write_all(&(piece.len() as u64).to_le_bytes())?;
        output.write_all(piece)?;
        piece.clear();
    }
    Ok(())
}

fn answer(error: IngestError) -> Answer {
    match error {
        IngestError::Corrupt { detail, .. } => Answer::Corrupt(detail),
        IngestError::ColumnType { column, found, .. } => Answer::ColumnType { column, found },
        IngestError::Read { source, .. } => Answer::Failed(source.to_string()),
        other => Answer::Failed(other.to_string()),
    }
}

fn say(output: &mut File, words: &impl Serialize) -> io::Result<()> {
    let mut line = serde_json::to_vec(words)?;
    line.push(b'\n');
    output.write_all(&line)
}

/// The next line; none at the end.
fn line(input: &mut impl BufRead) -> io::Result<Option<Vec<u8>>> {
    let mut line = vec![];
    input.take(LONGEST).read_until(b'\n', &mut line)?;
    Ok((!line.is_empty()).then_some(line))
}

/// All bytes of a file: mapped where it lies on disk, else from the parent.
fn bytes(request: &Request, input: &mut impl Read) -> Result<bytes::Bytes, IngestError> {
    let failed = |source| IngestError::Read {
        name: request.name.clone(),
        source,
    };
    let Some(path) = &request.path else {
        return handed_over(input).map_err(failed);
    };
    let file = File::open(path).map_err(failed)?;
    if file.metadata().map_err(failed)?.len() == 0 {
        return Ok(bytes::Bytes::new());
    }
    // SAFETY: a file that is cut short meanwhile ends this process, of which the parent tells; one that is
    // written to meanwhile gives other bytes, which decoders have to expect of any file, and the parent sees
    // that it has changed.
    let map = unsafe { Mmap::map(&file) }.map_err(failed)?;
    Ok(bytes::Bytes::from_owner(map))
}

fn handed_over(input: &mut impl Read) -> io::Result<bytes::Bytes> {
    let mut bytes = vec![];
    loop {
        let mut length = [0; 4];
        input.read_exact(&mut length)?;
        let length = u64::from(u32::from_le_bytes(length));
        if length == 0 {
            return Ok(bytes.into());
        }
        input.by_ref().take(length).read_to_end(&mut bytes)?;
    }
}

/// How many bytes of address space this process has taken: the allocator takes much of it at the start.
fn virtual_memory() -> io::Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmSize:"));
    let kilobytes =
        line.and_then(|line| line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok());
    let unknown = || io::Error::other("can't tell how much memory is taken");
    Ok(kilobytes.ok_or_else(unknown)? << 10)
}

/// Sets the soft limit of something, as far as the hard one goes.
fn limit(of: libc::__rlimit_resource_t, wanted: u64) -> io::Result<()> {
    let mut limits = libc::rlimit {
        rlim_cur: 0,
        rlim_max: 0,
    };
    // SAFETY: both calls are given a structure of their own on the stack.
    let set = unsafe {
        libc::getrlimit(of, &raw mut limits) == 0 && {
            limits.rlim_cur = wanted.min(limits.rlim_max);
            libc::setrlimit(of, &raw const limits) == 0
        }
    };
    match set {
        true => Ok(()),
        false => Err(io::Error::last_os_error()),
    }
}

/// Makes a pipe hold more; where that is not allowed it only takes longer.
fn widen(pipe: BorrowedFd<'_>) {
    // SAFETY: sets a number of an open descriptor.
    unsafe { libc::fcntl(pipe.as_raw_fd(), libc::F_SETPIPE_SZ, PIPE) };
}
