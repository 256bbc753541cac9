//! Records that do not fit into memory, in a file without a name until the load is complete.
//!
//! They hold ids, days and counts, no pseudonyms; the file is gone when the process is.

use std::fs::File;
use std::io::{Error, Seek, SeekFrom, Write};
use std::path::Path;

use super::rollup::Bucketed;

/// Where the records of one bucket stand.
#[derive(Clone, Copy)]
struct Stretch {
    at: u64,
    records: usize,
}

/// Spilled records by bucket.
pub(super) struct Spill {
    file: File,
    end: u64,
    stretches: Vec<Vec<Stretch>>,
    dimensions: usize,
}

impl Spill {
    /// An empty one, on the disk that `folder` lies on.
    pub(super) fn new(folder: &Path, dimensions: usize) -> Result<Self, Error> {
        Ok(Spill {
            file: tempfile::tempfile_in(folder)?,
            end: 0,
            stretches: Vec::new(),
            dimensions,
        })
    }

    /// How many buckets it holds records of.
    pub(super) fn buckets(&self) -> usize {
        self.stretches.len()
    }

    /// Writes all that `parts` hold.
    pub(super) fn write(&mut self, parts: &[Bucketed]) -> Result<(), Error> {
        self.file.seek(SeekFrom::Start(self.end))?;
        let buckets = parts.iter().map(|p| p.records.len()).max().unwrap_or(0);
        if self.stretches.len() < buckets {
            self.stretches.resize(buckets, Vec::new());
        }
        let mut out = std::io::BufWriter::with_capacity(1 << 20, &self.file);
        for bucket in 0..buckets {
            for part in parts {
                let Some(records) = part.records.get(bucket).filter(|r| !r.is_empty()) else {
                    continue;
                };
                let codes = &part.codes[bucket];
                out.write_all(bytemuck::cast_slice(records))?;
                out.write_all(bytemuck::cast_slice(codes))?;
                self.stretches[bucket].push(Stretch {
                    at: self.end,
                    records: records.len(),
                });
                self.end += (records.len() * 8 + codes.len() * 2) as u64;
            }
        }
        out.flush()
    }

    /// Adds the records of a bucket to `records` and their dimension codes to `codes`.
    pub(super) fn read(
        &self,
        bucket: usize,
        records: &mut Vec<u64>,
        codes: &mut Vec<u16>,
    ) -> Result<(), Error> {
        for stretch in self.stretches.get(bucket).into_iter().flatten() {
            let mut main = vec![0u64; stretch.records];
            let mut rest = vec![0u16; stretch.records * self.dimensions];
            read_at(&self.file, bytemuck::cast_slice_mut(&mut main), stretch.at)?;
            let behind = stretch.at + stretch.records as u64 * 8;
            read_at(&self.file, bytemuck::cast_slice_mut(&mut rest), behind)?;
            records.append(&mut main);
            codes.append(&mut rest);
        }
        Ok(())
    }
}

#[cfg(unix)]
fn read_at(file: &File, bytes: &mut [u8], at: u64) -> Result<(), Error> {
    std::os::unix::fs::FileExt::read_exact_at(file, bytes, at)
}

#[cfg(not(unix))]
fn read_at(file: &File, bytes: &mut [u8], at: u64) -> Result<(), Error> {
    use std::io::Read;
    // A handle of its own, so that readers on several threads do not share a position.
    let mut file = file.try_clone()?;
    file.seek(SeekFrom::Start(at))?;
    file.read_exact(bytes)
}
