//! Two bitmaps to one: and, or, and-not, a container at a time.

use super::BitmapError;
use super::container::{Container, Form};
use super::kernels::{self, Block};
use super::view::{View, check, holds, pairs};
use super::write::Writer;

/// How two sets become one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Operation {
    /// The ids in both.
    And,
    /// The ids in either.
    Or,
    /// The ids in the first that are not in the second.
    AndNot,
}

/// Combines bitmaps; keeps its memory from one pair to the next.
#[derive(Debug)]
pub(crate) struct Combiner {
    words: Box<Block>,
    ids: Vec<u16>,
    /// Takes the containers of the result.
    pub writer: Writer,
}

impl Default for Combiner {
    fn default() -> Self {
        Combiner {
            words: kernels::empty(),
            ids: Vec::new(),
            writer: Writer::default(),
        }
    }
}

impl Combiner {
    /// Adds the containers of `a operation b` to the writer.
    pub fn combine(&mut self, operation: Operation, a: &View, b: &View) {
        for pair in pairs(a, b) {
            match (pair, operation) {
                ((Some(a), Some(b)), _) => self.containers(operation, &a, &b),
                ((Some(one), None), Operation::Or | Operation::AndNot)
                | ((None, Some(one)), Operation::Or) => self.writer.push_container(&one),
                _ => {}
            }
        }
    }

    fn containers(&mut self, operation: Operation, a: &Container, b: &Container) {
        match (operation, a.form, b.form) {
            // An array's ids are looked up one by one: no words for a few ids.
            (Operation::And, Form::Array(_), _) => self.pick(a, &b.form, true),
            (Operation::And, _, Form::Array(_)) => self.pick(b, &a.form, true),
            (Operation::AndNot, Form::Array(_), _) => self.pick(a, &b.form, false),
            _ => {
                a.form.load(&mut self.words);
                match operation {
                    Operation::And => b.form.intersect_into(&mut self.words),
                    Operation::Or => b.form.union_into(&mut self.words),
                    Operation::AndNot => b.form.subtract_from(&mut self.words),
                }
                self.writer.push_words(a.key, &self.words);
            }
        }
    }

    /// Adds the ids of `from` that `other` holds, or that it does not hold.
    fn pick(&mut self, from: &Container, other: &Form, held: bool) {
        self.ids.clear();
        self.ids
            .extend(from.form.ids().filter(|id| other.contains(*id) == held));
        self.writer.push_ids(from.key, &self.ids);
    }
}

/// How many ids the result of an operation holds; nothing is materialised. The containers are
/// checked on the way, so an outline of each set is enough.
///
/// # Errors
///
/// Says what is wrong with a container.
pub(crate) fn count(operation: Operation, a: &View, b: &View) -> Result<u64, BitmapError> {
    let mut shared = 0;
    for pair in pairs(a, b) {
        if let (Some(a), Some(b)) = pair {
            shared += u64::from(checked_and_count(&a, &b)?);
        } else {
            pair.0.iter().chain(&pair.1).try_for_each(check)?;
        }
    }
    Ok(match operation {
        Operation::And => shared,
        Operation::Or => a.count() + b.count() - shared,
        Operation::AndNot => a.count() - shared,
    })
}

fn checked_and_count(a: &Container, b: &Container) -> Result<u32, BitmapError> {
    if let (Form::Bits(bits_a), Form::Bits(bits_b)) = (a.form, b.form) {
        let (shared, in_a, in_b) = kernels::counts_stored(bits_a, bits_b);
        holds(a, in_a)?;
        holds(b, in_b)?;
        return Ok(shared);
    }
    check(a)?;
    check(b)?;
    Ok(a.form.and_count(&b.form))
}
