//! The rows that a reader gives.

use std::io::Read;
use std::path::Path;

use arrow::array::RecordBatch;
use arrow::buffer::Buffer;
use arrow::ipc::reader::StreamDecoder;

use super::{Answer, Stamp, Talk, wire};
use crate::ingest::columnar::Decoder;
use crate::ingest::error::IngestError;
use crate::ingest::sniff::Format;
use crate::ingest::table::Column;

/// The rows of a file, as its reader gives them: pieces of an Arrow stream, each behind its length.
pub(super) struct Rows {
    /// None once the file has ended.
    talk: Option<Talk>,
    stream: StreamDecoder,
    format: Format,
    /// What the file was before it was read.
    stamp: Option<(String, Stamp)>,
}

impl Rows {
    pub(super) fn new(talk: Talk, format: Format, stamp: Option<(String, Stamp)>) -> Self {
        Rows {
            talk: Some(talk),
            stream: StreamDecoder::new(),
            format,
            stamp,
        }
    }

    /// The next batch; none at the end.
    fn batch(&mut self) -> Result<Option<RecordBatch>, IngestError> {
        let Some(talk) = &mut self.talk else {
            return Ok(None);
        };
        while let Some(piece) = talk.piece()? {
            let mut piece = Buffer::from_vec(piece);
            let decoded = self.stream.decode(&mut piece);
            if let Some(batch) = decoded.map_err(|e| talk.nonsense(e.to_string()))? {
                return Ok(Some(batch));
            }
        }
        self.end().map(|()| None)
    }

    /// Hears how the file ended, and keeps its reader for the next one.
    fn end(&mut self) -> Result<(), IngestError> {
        let Some(mut talk) = self.talk.take() else {
            return Ok(());
        };
        let answer = talk.hear()?;
        let name = talk.name.clone();
        if !matches!(answer, Answer::Ended) {
            return Err(talk.refused(answer, self.format));
        }
        talk.done();
        match &self.stamp {
            Some((path, before)) if Stamp::of(Path::new(path)) != Some(*before) => {
                Err(IngestError::Changed { name })
            }
            _ => Ok(()),
        }
    }
}

impl Decoder for Rows {
    fn next(&mut self) -> Result<Option<Vec<Column>>, IngestError> {
        let Some(batch) = self.batch()? else {
            return Ok(None);
        };
        let columns = wire::columns(&batch);
        match (columns, &self.talk) {
            (Some(columns), _) => Ok(Some(columns)),
            (None, Some(talk)) => Err(talk.nonsense("a column of another type".to_owned())),
            (None, None) => Ok(None),
        }
    }
}

impl Talk {
    /// The next piece of the stream; none at its end.
    fn piece(&mut self) -> Result<Option<Vec<u8>>, IngestError> {
        let mut length = [0; 8];
        if self.process.output.read_exact(&mut length).is_err() {
            return Err(self.died());
        }
        let length = u64::from_le_bytes(length);
        if length == 0 {
            return Ok(None);
        }
        // A few rows at a time are far from this; a reader that lost its wits may say anything.
        let most = 4 << 30;
        let size = usize::try_from(length).ok().filter(|size| *size <= most);
        let size = size.ok_or_else(|| self.nonsense(format!("{length} bytes at a time")))?;
        let mut piece = Vec::with_capacity(size);
        let mut output = self.process.output.by_ref().take(length);
        match output.read_to_end(&mut piece) {
            Ok(read) if read == size => Ok(Some(piece)),
            _ => Err(self.died()),
        }
    }
}
