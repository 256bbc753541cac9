//! Foreign binary files, read in another process.
//!
//! A page that is broken in just the wrong way can make a decoder ask for more memory than there is or run out
//! of stack, and neither can be caught: the process ends. So essor starts itself once more as a reader
//! (`reader.rs`), under a limit of memory, and takes from it columns as an Arrow stream; what these bytes do to
//! the reader is an error of that file alone. One reader serves file after file until it dies.
//!
//! Ids of users go through a pipe and stand in the reader's memory; it makes no core file.

use std::fs::{File, Metadata};
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use super::columnar::{Decoder, Wanted};
use super::error::IngestError;
use super::sniff::{Bytes, Compression, Format};
use super::stream;

mod answers;
mod reader;
mod wire;

pub use reader::serve;

/// The first word of the command line by which essor starts itself as a reader.
pub const WORD: &str = "read-columns";

/// The longest line of an answer: the names of a file's columns stand in one.
const LONGEST: u64 = 64 << 20;

/// Processes that read foreign files.
#[derive(Debug, Clone)]
pub struct Apart {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    /// How many bytes a reader may take besides those of the file.
    memory: usize,
    /// One that waits for a file.
    idle: Mutex<Option<Process>>,
}

/// What a reader is asked first.
#[derive(Debug, Serialize, Deserialize)]
struct Request {
    name: String,
    format: String,
    /// Where the file lies; else its bytes follow.
    path: Option<String>,
}

/// What it is asked when the names of the columns are known.
#[derive(Debug, Serialize, Deserialize)]
struct Take {
    /// The places of the columns that are taken; none where nothing is.
    taken: Vec<usize>,
    people: bool,
    rows: usize,
}

/// What a reader answers beside rows.
#[derive(Debug, Serialize, Deserialize)]
enum Answer {
    Names(Vec<String>),
    /// Rows follow.
    Begun {
        synthetic: String,
    },
    Ended,
    Corrupt(String),
    ColumnType {
        column: String,
        found: String,
    },
    /// Anything else that went wrong.
    Failed(String),
}

/// A reader.
#[derive(Debug)]
struct Process {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may be anywhere in a file that nobody wants any more.
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

impl Apart {
    /// Readers that may each take so many bytes of memory besides those of the file.
    pub fn new(memory: usize) -> Self {
        Apart {
            inner: Arc::new(Inner {
                memory,
                idle: Mutex::default(),
            }),
        }
    }

    fn process(&self, name: &str) -> Result<Process, IngestError> {
        let idle = &self.inner.idle;
        if let Some(process) = idle.lock().unwrap_or_else(PoisonError::into_inner).take() {
            return Ok(process);
        }
        let failed = |source| IngestError::Reader {
            name: name.to_owned(),
            source,
        };
        // This very program, even where the file that it was started from has been replaced since.
        let mut child = Command::new("/proc/self/exe")
            .arg(WORD)
            .arg(self.inner.memory.to_string())
            .env("RUST_BACKTRACE", "0")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(failed)?;
        match (child.stdin.take(), child.stdout.take()) {
            (Some(input), Some(output)) => Ok(Process {
                child,
                input,
                output: BufReader::with_capacity(1 << 16, output),
            }),
            _ => Err(failed(std::io::Error::other("it has no pipes"))),
        }
    }

    /// Opens a file. `bytes` are its decompressed bytes, which are all read; where they stand plain on disk, `path`
    /// says where.
    pub(super) fn open(
        &self,
        name: &str,
        format: Format,
        compression: Compression,
        bytes: Bytes,
        path: Option<&Path>,
    ) -> Result<Opened, IngestError> {
        let path = path.and_then(|path| Some((path.to_str()?, Stamp::of(path)?)));
        let mut talk = Talk {
            name: name.to_owned(),
            apart: self.clone(),
            process: self.process(name)?,
        };
        talk.say(&Request {
            name: name.to_owned(),
            format: format.name().to_owned(),
            path: path.as_ref().map(|(path, _)| (*path).to_owned()),
        })?;
        talk.hand_over(compression, bytes, path.is_none())?;
        let names = match talk.hear()? {
            Answer::Names(names) => names.into_iter().map(Arc::from).collect(),
            other => return Err(talk.refused(other, format)),
        };
        Ok(Opened {
            talk,
            format,
            names,
            stamp: path.map(|(path, stamp)| (path.to_owned(), stamp)),
        })
    }
}

/// A file whose head was read by a reader.
pub(super) struct Opened {
    talk: Talk,
    format: Format,
    /// The names of its columns.
    pub names: Vec<Arc<str>>,
    stamp: Option<(String, Stamp)>,
}

impl Opened {
    /// What gives its rows, and what made its figures up where it says so.
    pub(super) fn decoder(
        mut self,
        wanted: Wanted,
    ) -> Result<(Box<dyn Decoder>, String), IngestError> {
        self.talk.say(&Take {
            taken: wanted.taken,
            people: wanted.people,
            rows: wanted.rows,
        })?;
        match self.talk.hear()? {
            Answer::Begun { synthetic } => {
                let rows = answers::Rows::new(self.talk, self.format, self.stamp);
                Ok((Box::new(rows), synthetic))
            }
            other => Err(self.talk.refused(other, self.format)),
        }
    }
}

/// What tells whether a file was written to: the reader opens it once more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp([i64; 5]);

impl Stamp {
    fn of(path: &Path) -> Option<Stamp> {
        let of = |m: Metadata| {
            let (device, file) = (m.dev() as i64, m.ino() as i64);
            Stamp([device, file, m.size() as i64, m.mtime(), m.mtime_nsec()])
        };
        File::open(path).and_then(|f| f.metadata()).ok().map(of)
    }
}

/// A reader at work on a file.
struct Talk {
    name: String,
    apart: Apart,
    process: Process,
}

impl Talk {
    fn say(&mut self, words: &impl Serialize) -> Result<(), IngestError> {
        let mut line = serde_json::to_vec(words).map_err(|e| self.nonsense(e.to_string()))?;
        line.push(b'\n');
        let said = self.process.input.write_all(&line);
        said.map_err(|_| self.died())
    }

    /// Reads all bytes of the file, and gives them to the reader where it can't open it.
    fn hand_over(
        &mut self,
        compression: Compression,
        mut bytes: Bytes,
        give: bool,
    ) -> Result<(), IngestError> {
        let mut buffer = vec![0; 1 << 18];
        loop {
            let read = match bytes.read(&mut buffer) {
                Ok(read) => read,
                Err(e) if e.kind() == std::io::ErrorKind::Interrupted => continue,
                Err(e) => return Err(stream::failed(&self.name, compression, e)),
            };
            let part = buffer.get(..read).unwrap_or_default();
            if give {
                let length = (read as u32).to_le_bytes();
                let given = self.process.input.write_all(&length);
                let given = given.and_then(|()| self.process.input.write_all(part));
                given.map_err(|_| self.died())?;
            }
            if read == 0 {
                return Ok(());
            }
        }
    }

    fn hear(&mut self) -> Result<Answer, IngestError> {
        let mut line = vec![];
        let mut output = self.process.output.by_ref().take(LONGEST);
        if output.read_until(b'\n', &mut line).is_err() || line.last() != Some(&b'\n') {
            return Err(self.died());
        }
        serde_json::from_slice(&line).map_err(|e| self.nonsense(e.to_string()))
    }

    /// The error of a file that the reader refuses; itself it is well and goes on.
    fn refused(self, answer: Answer, format: Format) -> IngestError {
        let name = self.name.clone();
        let error = match answer {
            Answer::Corrupt(detail) => super::columnar::corrupt(&name, format, detail),
            Answer::ColumnType { column, found } => IngestError::ColumnType {
                name,
                column,
                found,
            },
            Answer::Failed(detail) => IngestError::Read {
                name,
                source: std::io::Error::other(detail),
            },
            Answer::Names(_) | Answer::Begun { .. } | Answer::Ended => {
                return self.nonsense("an answer that was not asked for".to_owned());
            }
        };
        self.done();
        error
    }

    /// Keeps the reader, which has ended with a file, for the next one.
    fn done(self) {
        let idle = &self.apart.inner.idle;
        *idle.lock().unwrap_or_else(PoisonError::into_inner) = Some(self.process);
    }

    fn nonsense(&self, detail: String) -> IngestError {
        IngestError::Internal {
            name: self.name.clone(),
            detail: format!("the reader of columns: {detail}"),
        }
    }

    /// How the reader ended, which no longer talks.
    fn died(&mut self) -> IngestError {
        use std::os::unix::process::ExitStatusExt;
        // One that is at its end already keeps the status that it ended with.
        _ = self.process.child.kill();
        // What it said first tells of memory or stack.
        let mut said = String::new();
        let status = self.process.child.wait();
        if let Some(errors) = self.process.child.stderr.take() {
            _ = errors.take(1 << 16).read_to_string(&mut said);
        }
        let first = said.lines().find(|line| !line.trim().is_empty());
        let how = match status.map(|status| (status.signal(), status.code())) {
            Ok((Some(signal), _)) => format!("signal {signal}"),
            Ok((None, Some(code))) => format!("exit status {code}"),
            _ => "it can't be told how".to_owned(),
        };
        IngestError::Died {
            name: self.name.clone(),
            how: first.map_or(how.clone(), |first| format!("{how}: {}", first.trim())),
        }
    }
}
