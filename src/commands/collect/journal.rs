//! The files that reports are kept in: a line each, a file a UTC day.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use crate::calendar::Day;

/// The folder, and the file of the day that is open.
pub struct Journal {
    folder: PathBuf,
    open: Option<(Day, File)>,
}

impl Journal {
    /// Opens the folder, making it where it is not there.
    pub fn open(folder: &Path) -> io::Result<Self> {
        // What is made stands in a folder above, which is synced for it to stay.
        let mut made: Vec<&Path> = folder.ancestors().take_while(|f| !f.exists()).collect();
        std::fs::create_dir_all(folder)?;
        made.reverse();
        for above in made.iter().filter_map(|made| made.parent()) {
            sync_folder(above)?;
        }
        Ok(Journal {
            folder: folder.to_owned(),
            open: None,
        })
    }

    /// Adds a line to the file of a day. It is on disk when this has ended well.
    pub fn write(&mut self, day: Day, line: &str) -> io::Result<()> {
        let (of, mut file) = match self.open.take() {
            Some((of, file)) if of == day => (of, file),
            _ => (day, self.file(day)?),
        };
        // After an error the file is opened anew, and its last line ended.
        file.write_all(format!("{line}\n").as_bytes())?;
        file.sync_data()?;
        self.open = Some((of, file));
        Ok(())
    }

    fn file(&self, day: Day) -> io::Result<File> {
        let path = self.folder.join(format!("phone-home-{day}.ndjson"));
        let new = !path.exists();
        let mut file = OpenOptions::new()
            .create(true)
            .read(true)
            .append(true)
            .open(&path)?;
        if new {
            sync_folder(&self.folder)?;
        }
        if file.metadata()?.len() > 0 {
            let mut last = [0];
            file.seek(SeekFrom::End(-1))?;
            file.read_exact(&mut last)?;
            // A line that a crash has cut short: what follows stands on a line of its own.
            if last != [b'\n'] {
                file.write_all(b"\n")?;
            }
        }
        Ok(file)
    }
}

/// Makes the names in a folder durable.
fn sync_folder(folder: &Path) -> io::Result<()> {
    let folder = match folder.as_os_str().is_empty() {
        true => Path::new("."),
        false => folder,
    };
    // Elsewhere a folder can't be opened as a file.
    if cfg!(unix) {
        File::open(folder)?.sync_all()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_was_cut_short_does_not_spoil_the_next() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("data/collected");
        let day = crate::calendar::day("2016-02-23").unwrap();
        Journal::open(&folder)
            .unwrap()
            .write(day, "{\"a\":1}")
            .unwrap();
        let path = folder.join("phone-home-2016-02-23.ndjson");
        let mut text = std::fs::read_to_string(&path).unwrap();
        text.push_str("{\"cut");
        std::fs::write(&path, text).unwrap();
        let mut journal = Journal::open(&folder).unwrap();
        journal.write(day, "{\"b\":2}").unwrap();
        journal.write(day.succ_opt().unwrap(), "{\"c\":3}").unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(text, "{\"a\":1}\n{\"cut\n{\"b\":2}\n");
        assert!(folder.join("phone-home-2016-02-24.ndjson").exists());
    }
}
