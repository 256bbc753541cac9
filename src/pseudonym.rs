//! Keyed pseudonyms: what is kept of a user's id, and all that is.
//!
//! A pseudonym is the first 128 bits of keyed BLAKE3 over the platform and the id. Without the key
//! nobody can test a guess against it; with 128 bits two users share one with odds of n^2 / 2^129:
//! 1.5e-25 for ten million users, 1.5e-21 for a billion.
//!
//! The id is hashed as a message of exactly 64 bytes where it is short enough (16 bytes that stand for
//! the platform, one for the length, the id, zeros), so that many can be hashed side by side; longer ones
//! as a message of more than 64 bytes, so that no two ids are ever hashed as the same message.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use blake3::IncrementCounter;
use blake3::platform::{Platform, words_from_le_bytes_32};

/// The environment variable that may hold the key.
pub const VARIABLE: &str = "ESSOR_KEY";

/// The file in the project's folder that holds the key else.
pub const FILE: &str = "essor.key";

/// The longest id that is taken, in bytes.
pub const LONGEST_ID: usize = 256;

/// A pseudonym.
pub type Pseudonym = [u8; 16];

/// How many ids are hashed side by side.
const LANES: usize = 16;
const BLOCK: usize = 64;
const SHORT: usize = BLOCK - 17;

// The flags of BLAKE3's specification (section 2.2) for a message of one block under a key.
const CHUNK_START: u8 = 1;
const CHUNK_END: u8 = 1 << 1;
const ROOT: u8 = 1 << 3;
const KEYED: u8 = 1 << 4;

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// None was given.
    #[error(
        "no key for pseudonyms: user ids are kept only under a key; `essor init` makes `{FILE}`, or set {VARIABLE} to 64 hexadecimal digits (`openssl rand -hex 32`), the same for every ingest"
    )]
    Missing,
    /// What was given is none.
    #[error("{0} holds no key: it must be 64 hexadecimal digits and nothing else")]
    NoKey(String),
    /// Others may read it.
    #[error("`{}` may be read by others (mode {mode:o}); `chmod 600` it", .path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// It can't be read or made.
    #[error("can't use `{}`: {source}", .path.display())]
    Disk {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

/// The key. It is never shown, not even by `Debug`.
#[derive(Clone)]
pub struct Key([u8; 32]);

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key(..)")
    }
}

impl Key {
    /// A key of 64 hexadecimal digits.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if text.len() != 64 || !text.is_ascii() {
            return None;
        }
        let hash = blake3::Hash::from_hex(text).ok()?;
        Some(Key(*hash.as_bytes()))
    }

    /// The key of the project in `root`: `variable` (what ESSOR_KEY holds) where it is given, else its file.
    pub fn find(root: &Path, variable: Option<&str>) -> Result<Self, KeyError> {
        if let Some(text) = variable {
            return Key::parse(text).ok_or_else(|| KeyError::NoKey(VARIABLE.to_owned()));
        }
        let path = root.join(FILE);
        let mut file = match File::open(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(KeyError::Missing);
            }
            Err(source) => return Err(KeyError::Disk { path, source }),
            Ok(file) => file,
        };
        closed_to_others(&file, &path)?;
        let mut text = String::new();
        // A key is short; whatever else the file is need not be read whole.
        let read = Read::take(&mut file, 1024).read_to_string(&mut text);
        if read.is_err() {
            return Err(KeyError::NoKey(format!("`{}`", path.display())));
        }
        Key::parse(&text).ok_or_else(|| KeyError::NoKey(format!("`{}`", path.display())))
    }

    /// Makes a key from the system's random numbers, in a file that only its owner may read. A key that
    /// is there already stays.
    pub fn make(root: &Path) -> Result<PathBuf, KeyError> {
        let path = root.join(FILE);
        let disk = |source| KeyError::Disk {
            path: path.clone(),
            source,
        };
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = match options.open(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => return Ok(path),
            opened => opened.map_err(disk)?,
        };
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes).map_err(|e| disk(std::io::Error::other(e)))?;
        writeln!(file, "{}", blake3::Hash::from_bytes(bytes).to_hex()).map_err(disk)?;
        file.sync_all().map_err(disk)?;
        Ok(path)
    }

    /// Sixteen digits that tell this key from another and nothing else of it.
    pub fn mark(&self) -> String {
        let hash = blake3::keyed_hash(&self.0, b"essor key mark");
        hash.to_hex().chars().take(16).collect()
    }

    /// What stands for a platform: the same id on two platforms is two users.
    pub fn scope(&self, platform: &str) -> Scope {
        let mut hasher = blake3::Hasher::new_keyed(&self.0);
        hasher.update(b"essor platform\0");
        hasher.update(platform.as_bytes());
        let mut tag = [0; 16];
        tag.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
        Scope(tag)
    }

    /// The pseudonym of one id.
    pub fn pseudonym(&self, scope: Scope, id: &[u8]) -> Pseudonym {
        let hash = match id.len() {
            0..=SHORT => blake3::keyed_hash(&self.0, &block(scope, id)),
            _ => {
                let mut hasher = blake3::Hasher::new_keyed(&self.0);
                hasher.update(&scope.0);
                hasher.update(&(id.len() as u32).to_le_bytes());
                hasher.update(id);
                hasher.finalize()
            }
        };
        let mut pseudonym = [0; 16];
        pseudonym.copy_from_slice(&hash.as_bytes()[..16]);
        pseudonym
    }
}

#[cfg(unix)]
fn closed_to_others(file: &File, path: &Path) -> Result<(), KeyError> {
    use std::os::unix::fs::PermissionsExt;
    let found = file.metadata().map_err(|source| KeyError::Disk {
        path: path.to_owned(),
        source,
    })?;
    match found.permissions().mode() & 0o777 {
        mode if mode & 0o077 != 0 => Err(KeyError::Open {
            path: path.to_owned(),
            mode,
        }),
        _ => Ok(()),
    }
}

#[cfg(not(unix))]
fn closed_to_others(_: &File, _: &Path) -> Result<(), KeyError> {
    Ok(())
}

/// What stands for a platform in a pseudonym.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scope([u8; 16]);

fn block(scope: Scope, id: &[u8]) -> [u8; BLOCK] {
    let mut block = [0; BLOCK];
    block[..16].copy_from_slice(&scope.0);
    block[16] = id.len() as u8;
    block[17..17 + id.len()].copy_from_slice(id);
    block
}

/// Makes the pseudonyms of many ids, in their order.
pub struct Pseudonyms<'a> {
    key: &'a Key,
    words: [u32; 8],
    platform: Platform,
    waiting: [[u8; BLOCK]; LANES],
    waits: usize,
    made: Vec<Pseudonym>,
}

impl<'a> Pseudonyms<'a> {
    /// For about so many ids.
    pub fn new(key: &'a Key, ids: usize) -> Self {
        Pseudonyms {
            key,
            words: words_from_le_bytes_32(&key.0),
            platform: Platform::detect(),
            waiting: [[0; BLOCK]; LANES],
            waits: 0,
            made: Vec::with_capacity(ids),
        }
    }

    /// Adds an id.
    #[inline]
    pub fn push(&mut self, scope: Scope, id: &[u8]) {
        if id.len() > SHORT {
            self.flush();
            self.made.push(self.key.pseudonym(scope, id));
            return;
        }
        let block = &mut self.waiting[self.waits];
        block[..16].copy_from_slice(&scope.0);
        block[16] = id.len() as u8;
        block[17..17 + id.len()].copy_from_slice(id);
        block[17 + id.len()..].fill(0);
        self.waits += 1;
        if self.waits == LANES {
            self.flush();
        }
    }

    /// Keyed BLAKE3 of messages of one block each. The side-by-side form is no stable part of the
    /// `blake3` crate; a test holds it against `blake3::keyed_hash`.
    fn flush(&mut self) {
        let mut out = [0; 32 * LANES];
        let blocks: [&[u8; BLOCK]; LANES] = std::array::from_fn(|i| &self.waiting[i]);
        self.platform.hash_many(
            &blocks[..self.waits],
            &self.words,
            0,
            IncrementCounter::No,
            KEYED,
            CHUNK_START,
            CHUNK_END | ROOT,
            &mut out[..32 * self.waits],
        );
        for hash in out[..32 * self.waits].chunks_exact(32) {
            let mut pseudonym = [0; 16];
            pseudonym.copy_from_slice(&hash[..16]);
            self.made.push(pseudonym);
        }
        self.waits = 0;
    }

    /// The pseudonyms of all that was added.
    pub fn finish(mut self) -> Vec<Pseudonym> {
        self.flush();
        self.made
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> Key {
        Key::parse(&"0123456789abcdef".repeat(4)).unwrap()
    }

    #[test]
    fn side_by_side_is_keyed_blake3_of_the_written_message() {
        let (key, other) = (key(), key().scope("B"));
        let scope = key.scope("A");
        let ids: Vec<Vec<u8>> = (0..=LONGEST_ID)
            .map(|n| vec![b'a' + (n % 26) as u8; n])
            .collect();
        let mut many = Pseudonyms::new(&key, ids.len());
        ids.iter().for_each(|id| many.push(scope, id));
        let many = many.finish();
        assert_eq!(many.len(), ids.len());
        for (id, made) in ids.iter().zip(&many) {
            let mut message = scope.0.to_vec();
            if id.len() <= 47 {
                message.push(id.len() as u8);
                message.extend_from_slice(id);
                message.resize(64, 0);
            } else {
                message.extend_from_slice(&(id.len() as u32).to_le_bytes());
                message.extend_from_slice(id);
            }
            let hash = blake3::keyed_hash(&key.0, &message);
            assert_eq!(made, &hash.as_bytes()[..16], "an id of {} bytes", id.len());
            assert_eq!(*made, key.pseudonym(scope, id));
            assert_ne!(*made, key.pseudonym(other, id));
        }
        let distinct: std::collections::BTreeSet<_> = many.iter().collect();
        assert_eq!(distinct.len(), many.len());
    }

    #[test]
    fn a_key_is_made_once_and_only_its_owner_reads_it() {
        let root = tempfile::tempdir().unwrap();
        assert!(matches!(
            Key::find(root.path(), None),
            Err(KeyError::Missing)
        ));
        let path = Key::make(root.path()).unwrap();
        let made = Key::find(root.path(), None).unwrap();
        Key::make(root.path()).unwrap();
        assert_eq!(made.mark(), Key::find(root.path(), None).unwrap().mark());
        assert_ne!(made.mark(), key().mark());
        assert!(matches!(
            Key::find(root.path(), Some("12")),
            Err(KeyError::NoKey(_))
        ));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let open = std::fs::Permissions::from_mode(0o644);
            std::fs::set_permissions(&path, open).unwrap();
            assert!(matches!(
                Key::find(root.path(), None),
                Err(KeyError::Open { .. })
            ));
        }
        assert_eq!(format!("{made:?}"), "Key(..)");
    }
}
