//! How DataFusion drives an aggregate: one set of state, or one for each group.

use std::collections::HashMap;
use std::fmt::Debug;

use arrow::array::{Array, ArrayRef, BooleanArray};
use arrow::buffer::Buffer;
use arrow::datatypes::DataType;
use datafusion::common::{Result, ScalarValue, exec_datafusion_err, internal_err};
use datafusion::error::DataFusionError;
use datafusion::logical_expr::{Accumulator, EmitTo, GroupsAccumulator};

use super::Argument;
use super::column::Column;
use crate::bitmap::BitmapError;

/// The state of one group.
///
/// State that was gathered apart is handed on as a column and merged, so that threads can share
/// the work.
pub(super) trait Fold: Debug + Default + Send + Sync + 'static {
    /// The column of its values.
    type Values: Column;
    /// The column of its state.
    type States: Column;

    const NAME: &'static str;
    const TAKES: Argument;
    const STATE: Argument;
    fn gives() -> DataType;

    /// Takes a value that is not NULL.
    fn take(&mut self, from: &Self::Values, row: usize, memory: &mut Memory) -> Outcome;
    /// Takes state that is not NULL.
    fn merge(&mut self, from: &Self::States, row: usize, memory: &mut Memory) -> Outcome;
    /// The states of groups, one a row.
    fn states(folds: &mut [Self]) -> Result<ArrayRef>;
    /// The answers of groups, one a row.
    fn answers(folds: &mut [Self]) -> Result<ArrayRef>;
    /// Gives up what it counted in `memory`.
    fn release(&self, memory: &mut Memory);
}

pub(super) type Outcome = std::result::Result<(), BitmapError>;

/// What state holds on the heap, for DataFusion's memory pool.
#[derive(Debug, Default)]
pub(super) struct Memory {
    own: usize,
    /// Buffers of input columns that are kept alive, how often each, and their size.
    pinned: HashMap<usize, (usize, usize)>,
    pinned_bytes: usize,
}

impl Memory {
    pub fn change(&mut self, before: usize, after: usize) {
        self.own = (self.own + after).saturating_sub(before);
    }

    /// A bitmap is kept in its buffer, all of which stays as long as any bitmap in it.
    pub fn pin(&mut self, buffer: &Buffer) {
        let key = buffer.data_ptr().as_ptr() as usize;
        let (times, _) = self.pinned.entry(key).or_insert((0, buffer.capacity()));
        *times += 1;
        if *times == 1 {
            self.pinned_bytes += buffer.capacity();
        }
    }

    pub fn unpin(&mut self, buffer: &Buffer) {
        let key = buffer.data_ptr().as_ptr() as usize;
        if let Some((times, bytes)) = self.pinned.get_mut(&key) {
            *times -= 1;
            if *times == 0 {
                self.pinned_bytes = self.pinned_bytes.saturating_sub(*bytes);
                self.pinned.remove(&key);
            }
        }
    }

    fn bytes(&self) -> usize {
        self.own + self.pinned_bytes + self.pinned.capacity() * size_of::<(usize, usize, usize)>()
    }
}

fn refused<F: Fold>(error: BitmapError) -> DataFusionError {
    exec_datafusion_err!("{}: {error}", F::NAME)
}

fn only(columns: &[ArrayRef]) -> Result<&ArrayRef> {
    match columns {
        [column] => Ok(column),
        _ => internal_err!(
            "an aggregate over bitmaps takes one column, not {}",
            columns.len()
        ),
    }
}

/// One state: no GROUP BY, or a window.
#[derive(Debug, Default)]
pub(super) struct Single<F> {
    fold: F,
    memory: Memory,
}

impl<F: Fold> Single<F> {
    fn scalar(&mut self, column: impl Fn(&mut [F]) -> Result<ArrayRef>) -> Result<ScalarValue> {
        ScalarValue::try_from_array(&column(std::slice::from_mut(&mut self.fold))?, 0)
    }
}

impl<F: Fold> Accumulator for Single<F> {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let column = only(values)?;
        let values = F::Values::of(column)?;
        for row in (0..column.len()).filter(|row| !column.is_null(*row)) {
            self.fold
                .take(&values, row, &mut self.memory)
                .map_err(refused::<F>)?;
        }
        Ok(())
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let column = only(states)?;
        let states = F::States::of(column)?;
        for row in (0..column.len()).filter(|row| !column.is_null(*row)) {
            self.fold
                .merge(&states, row, &mut self.memory)
                .map_err(refused::<F>)?;
        }
        Ok(())
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok(vec![self.scalar(F::states)?])
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        self.scalar(F::answers)
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.memory.bytes()
    }
}

/// A state for each group.
#[derive(Debug)]
pub(super) struct Groups<F> {
    folds: Vec<F>,
    memory: Memory,
}

impl<F> Default for Groups<F> {
    fn default() -> Self {
        Groups {
            folds: Vec::new(),
            memory: Memory::default(),
        }
    }
}

impl<F: Fold> Groups<F> {
    fn emit(&mut self, emit_to: EmitTo) -> Vec<F> {
        let folds = emit_to.take_needed(&mut self.folds);
        if self.folds.is_empty() {
            self.memory = Memory::default();
        } else {
            folds.iter().for_each(|fold| fold.release(&mut self.memory));
        }
        folds
    }
}

fn passes(filter: Option<&BooleanArray>, row: usize) -> bool {
    filter.is_none_or(|filter| filter.is_valid(row) && filter.value(row))
}

impl<F: Fold> GroupsAccumulator for Groups<F> {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        opt_filter: Option<&BooleanArray>,
        total_num_groups: usize,
    ) -> Result<()> {
        self.folds.resize_with(total_num_groups, F::default);
        let column = only(values)?;
        let values = F::Values::of(column)?;
        for (row, group) in group_indices.iter().enumerate() {
            if !column.is_null(row) && passes(opt_filter, row) {
                let fold = &mut self.folds[*group];
                fold.take(&values, row, &mut self.memory)
                    .map_err(refused::<F>)?;
            }
        }
        Ok(())
    }

    fn merge_batch(
        &mut self,
        states: &[ArrayRef],
        group_indices: &[usize],
        total_num_groups: usize,
    ) -> Result<()> {
        self.folds.resize_with(total_num_groups, F::default);
        let column = only(states)?;
        let states = F::States::of(column)?;
        for (row, group) in group_indices.iter().enumerate() {
            if !column.is_null(row) {
                let fold = &mut self.folds[*group];
                fold.merge(&states, row, &mut self.memory)
                    .map_err(refused::<F>)?;
            }
        }
        Ok(())
    }

    fn state(&mut self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        Ok(vec![F::states(&mut self.emit(emit_to))?])
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        F::answers(&mut self.emit(emit_to))
    }

    fn convert_to_state(
        &self,
        values: &[ArrayRef],
        opt_filter: Option<&BooleanArray>,
    ) -> Result<Vec<ArrayRef>> {
        let rows = only(values)?.len();
        let each: Vec<usize> = (0..rows).collect();
        let mut apart = Groups::<F>::default();
        apart.update_batch(values, &each, opt_filter, rows)?;
        apart.state(EmitTo::All)
    }

    fn size(&self) -> usize {
        self.folds.capacity() * size_of::<F>() + self.memory.bytes()
    }
}
