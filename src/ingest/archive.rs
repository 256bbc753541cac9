//! Archives: each file in them is a file of its own, called by its place (`export.zip/2016/a.csv`).
//!
//! Members come in the order of their names, archives within archives where they stand. Each is spooled into a
//! temporary file before it is read, since databases and columnar files are read at any place, and taken away
//! before the next one. What an archive claims of its sizes is not believed: bytes are counted as they come.

use std::io::{self, Cursor, Read, Seek, SeekFrom, Write};

use tempfile::NamedTempFile;

use super::error::IngestError;
use super::sniff::{self, Compression};
use super::unpack::TooMuch;
use super::{Input, Origin};

/// How much is taken out of one archive, those within it included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// How many archives may stand in each other.
    pub depth: usize,
    /// How many members are read.
    pub members: usize,
    /// How many bytes are unpacked.
    pub bytes: u64,
    /// How many times as many bytes are unpacked as are packed.
    pub ratio: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            depth: 4,
            members: 100_000,
            bytes: 64 << 30,
            // Tables of counts shrink to a tenth, the dullest logs to a hundredth.
            ratio: 250,
        }
    }
}

/// A member, spooled; its file goes when this does.
pub struct Member {
    /// Where it lies, under its own name.
    pub input: Input,
    /// Holds the file until the member was read.
    _file: NamedTempFile,
}

/// A member that can't be read; the others can.
#[derive(Debug)]
pub struct Failed {
    /// What it is called.
    pub name: String,
    /// Why.
    pub error: IngestError,
}

/// Goes through the members of an archive.
pub struct Walk {
    layers: Vec<Layer>,
    limits: Limits,
    wanted: fn(&str) -> bool,
    members: usize,
    bytes: u64,
    /// How many bytes the outermost archive has.
    packed: u64,
    /// Members that do not look like data, by their names.
    pub passed_over: Vec<String>,
}

/// An archive that is being gone through.
struct Layer {
    name: String,
    source: Source,
    /// The members that are left: what they are called, and where they are; the next one last.
    left: Vec<(String, usize)>,
    /// Holds the archive's bytes where they were spooled.
    _spooled: Option<NamedTempFile>,
}

trait Seekable: Read + Seek + Send {}

impl<T: Read + Seek + Send> Seekable for T {}

enum Source {
    Zip(Box<zip::ZipArchive<Box<dyn Seekable>>>),
    /// The archive, and where each member begins and how long it is.
    Tar(Box<dyn Seekable>, Vec<(u64, u64)>),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Zip,
    Tar,
}

/// What archive bytes are that begin so.
fn kind(head: &[u8]) -> Option<Kind> {
    match head {
        [b'P', b'K', 3, 4, ..] | [b'P', b'K', 5, 6, ..] => Some(Kind::Zip),
        _ if head.get(257..262) == Some(b"ustar") => Some(Kind::Tar),
        _ => None,
    }
}

impl Walk {
    /// Opens an archive; none where the input is no archive. `wanted` tells by a member's name whether it
    /// looks like data.
    pub fn open(
        input: &Input,
        limits: Limits,
        wanted: fn(&str) -> bool,
    ) -> Result<Option<Walk>, IngestError> {
        let mut walk = Walk {
            layers: vec![],
            limits,
            wanted,
            members: 0,
            bytes: 0,
            packed: size(input)?,
            passed_over: vec![],
        };
        Ok(walk.enter(input, None)?.then_some(walk))
    }

    /// The next member, or why one can't be read; none when there are no more.
    #[expect(
        clippy::should_implement_trait,
        reason = "a member must go before the next one comes"
    )]
    pub fn next(&mut self) -> Option<Result<Member, Failed>> {
        loop {
            let layer = self.layers.last_mut()?;
            let Some((within, place)) = layer.left.pop() else {
                self.layers.pop();
                continue;
            };
            let name = format!("{}/{within}", layer.name);
            let member = self.spool_member(&name, place).and_then(|file| {
                let input = Input::path(name.clone(), file.path()).within(self.limits);
                let nested = self.is_archive(&input)?;
                Ok((input, file, nested))
            });
            match member {
                Ok((input, file, false)) => return Some(Ok(Member { input, _file: file })),
                Ok((input, file, true)) => {
                    if let Err(error) = self.enter(&input, Some(file)) {
                        return Some(Err(Failed { name, error }));
                    }
                }
                Err(error) => {
                    // Once too much was unpacked, nothing more is.
                    if matches!(error, IngestError::Cap { .. }) {
                        self.layers.clear();
                    }
                    return Some(Err(Failed { name, error }));
                }
            }
        }
    }

    fn is_archive(&self, input: &Input) -> Result<bool, IngestError> {
        let (compression, bytes) = sniff::open(input)?;
        match sniff::peek(bytes, 512) {
            Ok((head, _)) => Ok(kind(&head).is_some()),
            Err(source) => Err(super::failed(&input.name, compression, source)),
        }
    }

    /// Opens an archive within the last one; false where the input is none.
    fn enter(&mut self, input: &Input, file: Option<NamedTempFile>) -> Result<bool, IngestError> {
        let name = &input.name;
        let (compression, bytes) = sniff::open(input)?;
        let (head, bytes) =
            sniff::peek(bytes, 512).map_err(|e| super::failed(name, compression, e))?;
        let Some(kind) = kind(&head) else {
            return Ok(false);
        };
        if self.layers.len() >= self.limits.depth {
            let limit = format!("lies in {} archives, one in another", self.limits.depth);
            return Err(capped(name, limit, "--archive-depth"));
        }
        let (seekable, spooled) = match compression {
            Compression::None => (seekable(input)?, file),
            _ => {
                let file = self.spool(name, compression, bytes, None)?;
                (
                    seekable(&Input::path(name.clone(), file.path()))?,
                    Some(file),
                )
            }
        };
        let (source, members) = match kind {
            Kind::Zip => zip_members(name, seekable)?,
            Kind::Tar => tar_members(name, seekable, self.limits.members)?,
        };
        let left = self.choose(name, members);
        self.members += left.len();
        if self.members > self.limits.members {
            let limit = format!("has more than {} members", self.limits.members);
            return Err(capped(name, limit, "--archive-members"));
        }
        self.layers.push(Layer {
            name: name.clone(),
            source,
            left,
            _spooled: spooled,
        });
        Ok(true)
    }

    /// The members that look like data, the first by name last.
    fn choose(&mut self, archive: &str, members: Vec<(String, usize)>) -> Vec<(String, usize)> {
        // What lies beside a chat are pictures and files that were sent in it.
        let chat = members.iter().any(|(name, _)| is_chat(name));
        let hidden = |part: &str| part.starts_with('.') || part == "__MACOSX";
        let mut chosen = vec![];
        for (name, place) in members {
            let name = cleaned(&name);
            if name.is_empty() || name.split('/').any(hidden) {
                continue;
            }
            match (self.wanted)(&name) && (!chat || is_chat(&name)) {
                true => chosen.push((name, place)),
                false => self.passed_over.push(format!("{archive}/{name}")),
            }
        }
        chosen.sort_by(|a, b| b.cmp(a));
        chosen
    }

    /// Unpacks the member that stands at a place of the last archive.
    fn spool_member(&mut self, name: &str, place: usize) -> Result<NamedTempFile, IngestError> {
        let Some(mut layer) = self.layers.pop() else {
            return Err(internal(name));
        };
        let spooled = match &mut layer.source {
            Source::Zip(zip) => match zip.by_index(place) {
                Ok(mut member) => self.spool(name, Compression::None, &mut member, None),
                Err(error) => Err(zip_error(name, error)),
            },
            Source::Tar(tar, places) => match places.get(place) {
                Some((start, length)) => match tar.seek(SeekFrom::Start(*start)) {
                    Ok(_) => {
                        let member = tar.take(*length);
                        self.spool(name, Compression::None, member, Some(*length))
                    }
                    Err(source) => Err(read_error(name, source)),
                },
                None => Err(internal(name)),
            },
        };
        self.layers.push(layer);
        spooled
    }

    /// Writes bytes into a temporary file, as far as the limit goes. `length` is how many there must be.
    fn spool(
        &mut self,
        name: &str,
        compression: Compression,
        mut bytes: impl Read,
        length: Option<u64>,
    ) -> Result<NamedTempFile, IngestError> {
        let unwritten = |source| IngestError::Spool {
            name: name.to_owned(),
            source,
        };
        let mut file = NamedTempFile::new().map_err(unwritten)?;
        let mut buffer = vec![0; 1 << 17];
        let mut written = 0;
        loop {
            let read = match bytes.read(&mut buffer) {
                Ok(read) => read,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
                Err(e) if compression != Compression::None => {
                    return Err(super::failed(name, compression, e));
                }
                Err(e) => return Err(corrupt(name, "archive", &e.to_string())),
            };
            let Some(part) = buffer.get(..read).filter(|part| !part.is_empty()) else {
                break;
            };
            written += read as u64;
            self.bytes += read as u64;
            // Of all of it: members may share their packed bytes.
            if let Some(much) = TooMuch::of(self.bytes, self.packed, &self.limits) {
                return Err(much.error(name));
            }
            file.write_all(part).map_err(unwritten)?;
        }
        if length.is_some_and(|length| length != written) {
            return Err(corrupt(name, "tar", "it is cut short"));
        }
        file.flush().map_err(unwritten)?;
        Ok(file)
    }
}

/// A name in an archive as a path below it: no name leads out of it or breaks a line of a message.
fn cleaned(name: &str) -> String {
    let plain = |c: char| if c.is_control() { '\u{fffd}' } else { c };
    let parts = name.split(['/', '\\']);
    let parts = parts.filter(|part| !matches!(*part, "" | "." | ".."));
    let parts: Vec<String> = parts
        .map(|part| part.chars().map(plain).collect())
        .collect();
    parts.join("/")
}

/// How many bytes an input has.
fn size(input: &Input) -> Result<u64, IngestError> {
    match &input.origin {
        Origin::Bytes(bytes) => Ok(bytes.len() as u64),
        Origin::Path(path) => match std::fs::metadata(path) {
            Ok(metadata) => Ok(metadata.len()),
            Err(source) => Err(read_error(&input.name, source)),
        },
    }
}

fn seekable(input: &Input) -> Result<Box<dyn Seekable>, IngestError> {
    Ok(match &input.origin {
        Origin::Path(path) => {
            Box::new(std::fs::File::open(path).map_err(|e| read_error(&input.name, e))?)
        }
        Origin::Bytes(bytes) => Box::new(Cursor::new(bytes.clone())),
    })
}

type Members = (Source, Vec<(String, usize)>);

fn zip_members(name: &str, bytes: Box<dyn Seekable>) -> Result<Members, IngestError> {
    let mut zip = zip::ZipArchive::new(bytes).map_err(|e| zip_error(name, e))?;
    if zip.index_for_name("[Content_Types].xml").is_some() {
        return Err(IngestError::Format {
            name: name.to_owned(),
            found: "an Excel workbook or another Office document",
        });
    }
    let mut members = vec![];
    for place in 0..zip.len() {
        let member = zip.by_index_raw(place).map_err(|e| zip_error(name, e))?;
        if member.is_file() && !member.is_symlink() {
            members.push((member.name().to_owned(), place));
        }
    }
    Ok((Source::Zip(Box::new(zip)), members))
}

/// Lists a tar archive: it has no table of its members.
fn tar_members(name: &str, bytes: Box<dyn Seekable>, most: usize) -> Result<Members, IngestError> {
    let failed = |e: io::Error| corrupt(name, "tar", &e.to_string());
    let mut tar = tar::Archive::new(bytes);
    let (mut members, mut places) = (vec![], vec![]);
    for entry in tar.entries_with_seek().map_err(failed)? {
        let entry = entry.map_err(failed)?;
        if !entry.header().entry_type().is_file() {
            continue;
        }
        if places.len() > most {
            let limit = format!("has more than {most} members");
            return Err(capped(name, limit, "--archive-members"));
        }
        let path = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        members.push((path, places.len()));
        places.push((entry.raw_file_position(), entry.size()));
    }
    Ok((Source::Tar(tar.into_inner(), places), members))
}

/// Whether a member is the chat of an archive that WhatsApp exported.
fn is_chat(name: &str) -> bool {
    let file = name.rsplit('/').next().unwrap_or(name);
    file == "_chat.txt" || file.starts_with("WhatsApp ") && file.ends_with(".txt")
}

fn capped(name: &str, limit: String, flag: &'static str) -> IngestError {
    IngestError::Cap {
        name: name.to_owned(),
        limit,
        flag,
    }
}

fn corrupt(name: &str, format: &'static str, detail: &str) -> IngestError {
    IngestError::Corrupt {
        name: name.to_owned(),
        format,
        detail: detail.to_owned(),
    }
}

fn read_error(name: &str, source: io::Error) -> IngestError {
    IngestError::Read {
        name: name.to_owned(),
        source,
    }
}

fn internal(name: &str) -> IngestError {
    IngestError::Internal {
        name: name.to_owned(),
        detail: "a member of no archive".to_owned(),
    }
}

fn zip_error(name: &str, error: zip::result::ZipError) -> IngestError {
    use zip::result::ZipError;
    match error {
        ZipError::UnsupportedArchive(ZipError::PASSWORD_REQUIRED) | ZipError::InvalidPassword => {
            IngestError::Encrypted {
                name: name.to_owned(),
            }
        }
        ZipError::Io(source) => read_error(name, source),
        other => corrupt(name, "ZIP", &other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A zip archive of files: name and bytes.
    fn zipped(files: &[(&str, &[u8])]) -> Vec<u8> {
        let mut zip = zip::ZipWriter::new(Cursor::new(vec![]));
        for (name, bytes) in files {
            let options = zip::write::SimpleFileOptions::default();
            match name.strip_suffix('/') {
                Some(folder) => zip.add_directory(folder, options).unwrap(),
                None => {
                    zip.start_file(*name, options).unwrap();
                    zip.write_all(bytes).unwrap();
                }
            }
        }
        zip.finish().unwrap().into_inner()
    }

    fn tarred(files: &[(&str, &[u8])]) -> Vec<u8> {
        let mut tar = tar::Builder::new(vec![]);
        for (name, bytes) in files {
            let mut header = tar::Header::new_ustar();
            header.set_size(bytes.len() as u64);
            header.set_mode(0o644);
            tar.append_data(&mut header, name, *bytes).unwrap();
        }
        tar.into_inner().unwrap()
    }

    fn data(name: &str) -> bool {
        [".csv", ".zip", ".tar", ".tgz", ".txt"]
            .iter()
            .any(|e| name.ends_with(e))
    }

    /// The members of an archive: `name: text`, `name! error`, and what was passed over.
    fn walked(bytes: Vec<u8>, limits: Limits) -> Result<(Vec<String>, Vec<String>), IngestError> {
        let Some(mut walk) = Walk::open(&Input::bytes("x", bytes), limits, data)? else {
            return Ok((vec!["no archive".to_owned()], vec![]));
        };
        let mut told = vec![];
        while let Some(next) = walk.next() {
            told.push(match next {
                Ok(member) => {
                    let Origin::Path(path) = &member.input.origin else {
                        panic!("a member is spooled");
                    };
                    format!(
                        "{}: {}",
                        member.input.name,
                        std::fs::read_to_string(path).unwrap()
                    )
                }
                Err(failed) => format!("{}! {}", failed.name, failed.error),
            });
        }
        Ok((told, walk.passed_over))
    }

    fn told(bytes: Vec<u8>) -> Vec<String> {
        walked(bytes, Limits::default()).unwrap().0
    }

    const FILES: [(&str, &[u8]); 6] = [
        ("b/two.csv", b"2"),
        ("a/one.csv", b"1"),
        ("__MACOSX/a/._one.csv", b"x"),
        (".hidden/one.csv", b"x"),
        ("photo.jpg", b"x"),
        ("../../etc/evil\n.csv", b"3"),
    ];

    #[test]
    fn members_come_in_the_order_of_their_names() {
        let expected = [
            "x/a/one.csv: 1",
            "x/b/two.csv: 2",
            "x/etc/evil\u{fffd}.csv: 3",
        ];
        let mut files = FILES.to_vec();
        files.push(("a/", b""));
        let (members, passed_over) = walked(zipped(&files), Limits::default()).unwrap();
        assert_eq!(members, expected);
        assert_eq!(passed_over, ["x/photo.jpg"]);
        // tar refuses to write a name that leads out.
        let tar = tarred(&FILES[..5]);
        assert_eq!(told(tar.clone()), expected[..2]);
        for compressed in [
            super::super::tests::gzip(&tar),
            zstd::encode_all(&tar[..], 1).unwrap(),
            super::super::tests::bzip2(&tar),
            super::super::tests::xz(&tar),
        ] {
            assert_eq!(told(compressed), expected[..2]);
        }
        assert_eq!(told(b"date,dau\n".to_vec()), ["no archive"]);
        assert_eq!(told(zipped(&[])), [""; 0]);
    }

    #[test]
    fn archives_in_archives_are_walked_as_deep_as_is_allowed() {
        let mut bytes = zipped(&[("deep.csv", b"1")]);
        for _ in 0..3 {
            bytes = zipped(&[("z.csv", b"2"), ("in.zip", &bytes)]);
        }
        assert_eq!(
            told(bytes.clone()),
            [
                "x/in.zip/in.zip/in.zip/deep.csv: 1",
                "x/in.zip/in.zip/z.csv: 2",
                "x/in.zip/z.csv: 2",
                "x/z.csv: 2"
            ]
        );
        let told = told(tarred(&[(
            "in.tgz",
            &super::super::tests::gzip(&tarred(&[("in.zip", &bytes)])),
        )]));
        assert_eq!(told.len(), 3, "{told:?}");
        assert!(
            told[0].contains("lies in 4 archives") && told[0].contains("--archive-depth"),
            "{told:?}"
        );
    }

    #[test]
    fn too_much_is_refused_with_the_option_that_allows_it() {
        let few = Limits {
            members: 1,
            ..Limits::default()
        };
        for bytes in [zipped(&FILES), tarred(&FILES[..5])] {
            let error = walked(bytes, few).unwrap_err().to_string();
            assert!(
                error.contains("more than 1 members") && error.contains("--archive-members"),
                "{error}"
            );
        }
        let small = Limits {
            bytes: 1000,
            ..Limits::default()
        };
        let bomb = zipped(&[("a.csv", b"1"), ("b.csv", &[b'0'; 5000]), ("c.csv", b"2")]);
        let told = walked(bomb, small).unwrap().0;
        assert_eq!(told.len(), 2);
        assert!(
            told[1].starts_with("x/b.csv! ") && told[1].contains("--archive-size"),
            "{told:?}"
        );
    }

    #[test]
    fn a_damaged_member_leaves_the_others() {
        let mut zip = zip::ZipWriter::new(Cursor::new(vec![]));
        let stored = zip::write::SimpleFileOptions::default()
            .compression_method(zip::CompressionMethod::Stored);
        for (name, text) in [("a.csv", "first file"), ("b.csv", "second file")] {
            zip.start_file(name, stored).unwrap();
            zip.write_all(text.as_bytes()).unwrap();
        }
        let mut bytes = zip.finish().unwrap().into_inner();
        let at = bytes.windows(5).position(|w| w == b"first").unwrap();
        bytes[at] = b'X';
        let told = told(bytes);
        assert!(
            told[0].starts_with("x/a.csv! ") && told[1] == "x/b.csv: second file",
            "{told:?}"
        );
        let mut tar = tarred(&[("a.csv", b"1"), ("b.csv", &[b'2'; 3000])]);
        tar.truncate(512 + 512 + 512 + 1000);
        let told = super::tests::told(tar);
        assert!(
            told[0] == "x/a.csv: 1" && told[1].contains("cut short"),
            "{told:?}"
        );
    }

    /// `a.csv` under the password `pw`, by Info-ZIP.
    const ENCRYPTED: &str = "UEsDBAoACQAAAAAAV0gZaSTwFQAAAAkAAAAFAAAAYS5jc3Yvk9uFXO0TESn+sfEKfX0PcNFb6vtQSwcIGWkk8BUAAAAJAAAAUEsBAh4DCgAJAAAAAABXSBlpJPAVAAAACQAAAAUAAAAAAAAAAQAAAKSBAAAAAGEuY3N2UEsFBgAAAAABAAEAMwAAAEgAAAAAAA==";

    #[test]
    fn what_is_encrypted_or_a_workbook_is_said_to_be() {
        use base64::Engine as _;
        let bytes = base64::prelude::BASE64_STANDARD.decode(ENCRYPTED).unwrap();
        let told = told(bytes);
        assert!(
            told[0].starts_with("x/a.csv! `x/a.csv` is encrypted"),
            "{told:?}"
        );
        let office = zipped(&[("[Content_Types].xml", b"<x/>"), ("xl/sheet.csv", b"")]);
        let error = walked(office, Limits::default()).unwrap_err().to_string();
        assert!(error.contains("Excel"), "{error}");
    }
}
