//! Delimited text as a whole.
