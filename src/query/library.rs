//! The queries at hand: those that essor ships and those in the project's `queries/`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use include_dir::{Dir, include_dir};

use super::header::{Header, HeaderError};

/// The queries and views built into the binary.
static SHIPPED: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/queries");

/// A query that can't be used.
#[derive(Debug, thiserror::Error)]
pub enum LibraryError {
    /// There is none of the name.
    #[error("`{given}` is not a query{}; `essor query --list` lists them", .near.as_ref().map(|n| format!(" (did you mean `{n}`?)")).unwrap_or_default())]
    Unknown {
        /// The name given.
        given: String,
        /// The nearest name, if one is near.
        near: Option<String>,
    },
    /// The header of one can't be read.
    #[error("query `{file}` {source}")]
    Header {
        /// Its file.
        file: String,
        /// Where and why.
        source: HeaderError,
    },
    /// A file can't be read.
    #[error("can't read `{}`: {source}", .path.display())]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

/// One query: its name, header and text.
#[derive(Debug, Clone)]
pub struct Query {
    /// The name: the file's, without `.sql`.
    pub name: String,
    /// The parsed header.
    pub header: Header,
    /// The whole text.
    pub sql: String,
    /// Whether it is the project's own and not shipped in this form.
    pub own: bool,
}

impl Query {
    fn parse(name: &str, sql: String, own: bool) -> Result<Self, LibraryError> {
        let header = Header::parse(&sql).map_err(|source| LibraryError::Header {
            file: format!("{name}.sql"),
            source,
        })?;
        Ok(Query {
            name: name.to_owned(),
            header,
            sql,
            own,
        })
    }
}

/// A view: its name and the `SELECT` behind it.
#[derive(Debug, Clone)]
pub struct View {
    /// The name: the file's, without its number and `.sql`.
    pub name: String,
    /// The `SELECT`.
    pub sql: String,
}

/// Every query and view of a project, by name.
#[derive(Debug)]
pub struct Library {
    queries: BTreeMap<String, Query>,
    /// The project's own files that are no queries: what they would be called, and why not.
    broken: BTreeMap<String, LibraryError>,
}

impl Library {
    /// The shipped queries, and over them those of the project in `root`.
    pub fn open(root: &Path) -> Result<Self, LibraryError> {
        let (mut queries, mut broken) = (BTreeMap::new(), BTreeMap::new());
        for file in SHIPPED.files() {
            if let (Some(name), Some(sql)) = (query_name(file.path()), file.contents_utf8()) {
                queries.insert(name.clone(), Query::parse(&name, sql.to_owned(), false)?);
            }
        }
        for path in own_files(&root.join("queries"))? {
            let Some(name) = query_name(&path) else {
                continue;
            };
            let sql = std::fs::read_to_string(&path)
                .map_err(|source| LibraryError::Read { path, source })?;
            if queries
                .get(&name)
                .is_none_or(|shipped: &Query| shipped.sql != sql)
            {
                match Query::parse(&name, sql, true) {
                    Ok(query) => drop(queries.insert(name, query)),
                    Err(error) => {
                        // A shipped query of the name must not stand in for the one that was meant.
                        queries.remove(&name);
                        broken.insert(name, error);
                    }
                }
            }
        }
        Ok(Library { queries, broken })
    }

    /// Every query, by name.
    pub fn iter(&self) -> impl Iterator<Item = &Query> {
        self.queries.values()
    }

    /// The project's own files that can't be used, with why.
    pub fn broken(&self) -> impl Iterator<Item = &LibraryError> {
        self.broken.values()
    }

    /// A query by name.
    pub fn find(&self, name: &str) -> Result<&Query, LibraryError> {
        if let Some(LibraryError::Header { file, source }) = self.broken.get(name) {
            return Err(LibraryError::Header {
                file: file.clone(),
                source: source.clone(),
            });
        }
        self.queries.get(name).ok_or_else(|| {
            let likeness = |n: &&String| (strsim::jaro_winkler(n, name) * 1000.0) as i64;
            let near = self
                .queries
                .keys()
                .max_by_key(likeness)
                .filter(|n| likeness(n) > 750);
            LibraryError::Unknown {
                given: name.to_owned(),
                near: near.cloned(),
            }
        })
    }
}

/// The shipped views, in the order in which they build on each other.
pub fn views() -> Vec<View> {
    let mut files: Vec<_> = SHIPPED
        .get_dir("views")
        .into_iter()
        .flat_map(Dir::files)
        .collect();
    files.sort_by_key(|f| f.path());
    let view = |file: &include_dir::File<'_>| {
        let name = query_name(file.path())?;
        let name = name
            .split_once('_')
            .map_or(name.as_str(), |(_, rest)| rest)
            .to_owned();
        Some(View {
            name,
            sql: file.contents_utf8()?.to_owned(),
        })
    };
    files.into_iter().filter_map(view).collect()
}

/// The text of a shipped file beside the queries, such as `README.md`.
pub fn shipped_text(path: &str) -> Option<&'static str> {
    SHIPPED
        .get_file(path)
        .and_then(include_dir::File::contents_utf8)
}

fn query_name(path: &Path) -> Option<String> {
    let stem = path.file_stem()?.to_str()?;
    (path.extension()? == "sql").then(|| stem.to_owned())
}

/// The project's own query files in the order of their names; none where there is no folder.
fn own_files(folder: &Path) -> Result<Vec<PathBuf>, LibraryError> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(source) => {
            return Err(LibraryError::Read {
                path: folder.to_owned(),
                source,
            });
        }
    };
    let mut files = Vec::new();
    for entry in entries {
        let path = entry
            .map_err(|source| LibraryError::Read {
                path: folder.to_owned(),
                source,
            })?
            .path();
        files.extend(path.is_file().then_some(path));
    }
    files.sort();
    Ok(files)
}
