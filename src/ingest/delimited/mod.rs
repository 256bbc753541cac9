//! Delimited text as it is met: in any encoding and dialect, with titles above its table, days and numbers in many
//! spellings.
//!
//! How a text is written is found once, from its first bytes. One that is written as most are goes the
//! short way (`csv`); every other is put into that form on its way. What the evidence does not
//! decide is never guessed: the file is refused, with what to declare in essor.toml.

mod columns;
mod dates;
pub(super) mod encoding;
pub(super) mod find;
mod months;
mod numbers;
pub(super) mod record;
#[cfg(test)]
mod tests;
pub(super) mod text;
pub(super) mod translate;

pub(super) use columns::{dated, decide, texts};
