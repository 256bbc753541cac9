//! Exports whose documents stand each for itself: what a server answered on the day that is said of it.

use serde_json::{Map, Value};

use super::documents::{Documents, NotJson};
use super::{Opening, Reader, Rows};
use crate::calendar::Day;
use crate::ingest::error::IngestError;

/// What gives the rows of one answer: its line, its fields and its day.
pub(super) type Give = fn(u64, Map<String, Value>, Day, &mut Rows);

/// Answers of one day.
pub(super) struct Answers {
    documents: Documents,
    at: Day,
    other: &'static str,
    give: Give,
}

impl Answers {
    /// Begins to read answers; `other` says of a document that is no object what it should be.
    pub(super) fn open(
        opening: Opening,
        other: &'static str,
        give: Give,
    ) -> Result<Box<dyn Reader>, IngestError> {
        let at = opening.options.at.ok_or_else(|| IngestError::Internal {
            name: opening.name.to_owned(),
            detail: "an answer without its day".to_owned(),
        })?;
        let documents = Documents::open(opening)?;
        Ok(Box::new(Answers {
            documents,
            at,
            other,
            give,
        }))
    }
}

impl Reader for Answers {
    fn read(&mut self, rows: &mut Rows) -> Result<bool, IngestError> {
        while let Some((line, document)) = self.documents.next()? {
            match document {
                Ok(Value::Object(answer)) => (self.give)(line, answer, self.at, rows),
                Ok(_) => rows.reject(line, "", self.other),
                Err(NotJson) => rows.reject(line, "", NotJson::REASON),
            }
            if rows.full() {
                return Ok(true);
            }
        }
        Ok(false)
    }
}
