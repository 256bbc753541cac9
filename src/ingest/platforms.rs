//! Platforms by name: aliases, and names spelled two ways.

use std::collections::{HashMap, HashSet};

use unicode_normalization::UnicodeNormalization;

use super::Options;
use super::cell;
use super::reject::Reason;

/// A platform's name without what people write differently: `Whats App` and `WhatsApp` fold to the same.
pub fn fold(name: &str) -> String {
    let folded: String = name
        .nfkc()
        .flat_map(char::to_lowercase)
        .filter(|c| c.is_alphanumeric())
        .collect();
    // A name of signs only would fold to nothing, as would every other.
    if folded.is_empty() {
        name.to_owned()
    } else {
        folded
    }
}

/// The name that a platform is kept under: trimmed, checked, its alias resolved.
pub(super) fn canonical<'a>(text: &'a str, options: &'a Options) -> Result<&'a str, Reason> {
    match cell::name(text)? {
        "" => Err(Reason::NoPlatform),
        name => Ok(options.aliases.get(name).map_or(name, String::as_str)),
    }
}

/// The spellings met so far, in the order of the file.
pub(super) struct Spellings {
    exact: HashSet<String>,
    folded: HashSet<String>,
}

impl Spellings {
    /// What is known before the file is read: the store's platforms, and those of essor.toml.
    pub(super) fn new(options: &Options) -> Self {
        let exact: HashSet<String> = options
            .known
            .iter()
            .chain(options.aliases.values())
            .cloned()
            .collect();
        let folded = exact
            .iter()
            .chain(options.aliases.keys())
            .map(|name| fold(name))
            .collect();
        Spellings { exact, folded }
    }

    /// Whether a name may be taken: one that is known as it stands, or is like no other.
    pub(super) fn accept(&mut self, name: &str) -> bool {
        if self.exact.contains(name) {
            return true;
        }
        let new = self.folded.insert(fold(name));
        if new {
            self.exact.insert(name.to_owned());
        }
        new
    }

    /// Those of `names` that may not be taken.
    pub(super) fn refused<'a>(
        &mut self,
        names: impl Iterator<Item = &'a str>,
    ) -> HashMap<String, Reason> {
        names
            .filter(|name| !self.accept(name))
            .map(|name| (name.to_owned(), Reason::Spelling))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_fold_by_letters_and_digits() {
        assert_eq!(fold("Whats-App"), fold("WhatsApp"));
        assert_eq!(fold("ＬＩＮＥ"), fold("line"));
        assert_ne!(fold("Signal"), fold("Signal 2"));
        assert_ne!(fold("!"), fold("?"));
    }
}
