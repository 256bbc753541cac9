//! Files whose names say what their bytes hash to.
//!
//! A table's log knows a file's size and rows. A bit that the disk has turned changes neither; the hash tells.

/// How many hexadecimal digits of BLAKE3 stand in a name.
const DIGITS: usize = 16;

/// The name of a Parquet file with the hash of its bytes before the ending: `load=x/part-00000-<hash>.parquet`.
pub(super) fn sealed(path: &str, bytes: &[u8]) -> String {
    let stem = path.strip_suffix(ENDING).unwrap_or(path);
    format!("{stem}-{}{ENDING}", hash(bytes))
}

const ENDING: &str = ".parquet";

/// What the bytes of a file hash to, as names have it.
pub(super) fn hash(bytes: &[u8]) -> String {
    let mut hex = blake3::hash(bytes).to_hex().to_string();
    hex.truncate(DIGITS);
    hex
}

/// The hash that a name ends with; none of files that are older than such names.
pub(super) fn seal(path: &str) -> Option<&str> {
    let (_, hash) = path.strip_suffix(ENDING)?.rsplit_once('-')?;
    let is_hash = hash.len() == DIGITS && hash.bytes().all(|b| b.is_ascii_hexdigit());
    is_hash.then_some(hash)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_ends_with_the_hash_of_its_bytes() {
        let name = sealed("load=3f2a/part-00000.parquet", b"abc");
        // The first digits of the BLAKE3 test vector of "abc".
        assert_eq!(name, "load=3f2a/part-00000-6437b3ac38465133.parquet");
        assert_eq!(seal(&name), Some("6437b3ac38465133"));
        assert_eq!(seal("load=3f2a/part-00000.parquet"), None);
        assert_eq!(seal("accounts-0000000001-22.parquet"), None);
    }
}
