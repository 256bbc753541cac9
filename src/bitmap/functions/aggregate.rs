//! Functions of a group. NULLs are skipped.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array};
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::{Result, ScalarValue, exec_datafusion_err, not_impl_err};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::{AggregateOrderSensitivity, format_state_name};
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, GroupsAccumulator, Signature, Volatility,
};

use super::accumulate::{Fold, Groups, Memory, Outcome, Single};
use super::column::{Bitmaps, Held, Lists, Output, Slices, SlicesOutput};
use super::{Argument, coerce, list_of, slices_type};
use crate::bitmap::counts::Sum;
use crate::bitmap::write::Writer;
use crate::bitmap::{BitmapError, Dense, View};

/// All of them.
pub(super) fn all() -> Vec<AggregateUDF> {
    vec![
        aggregate::<Gathered<UNION>>(),
        aggregate::<UnionCount>(),
        aggregate::<Gathered<INTERSECTION>>(),
        aggregate::<Frequency>(),
        aggregate::<CountsAdd>(),
    ]
}

fn aggregate<F: Fold>() -> AggregateUDF {
    AggregateUDF::new_from_impl(BitmapAggregate {
        name: F::NAME,
        takes: F::TAKES,
        state: F::STATE,
        gives: F::gives(),
        single: Single::<F>::boxed,
        groups: Groups::<F>::boxed,
        signature: Signature::user_defined(Volatility::Immutable),
    })
}

impl<F: Fold> Single<F> {
    fn boxed() -> Box<dyn Accumulator> {
        Box::<Self>::default()
    }
}

impl<F: Fold> Groups<F> {
    fn boxed() -> Box<dyn GroupsAccumulator> {
        Box::<Self>::default()
    }
}

#[derive(Debug)]
struct BitmapAggregate {
    name: &'static str,
    takes: Argument,
    state: Argument,
    gives: DataType,
    single: fn() -> Box<dyn Accumulator>,
    groups: fn() -> Box<dyn GroupsAccumulator>,
    signature: Signature,
}

/// The name says which it is.
impl PartialEq for BitmapAggregate {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for BitmapAggregate {}

impl std::hash::Hash for BitmapAggregate {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}

impl AggregateUDFImpl for BitmapAggregate {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        coerce(self.name, &[self.takes], given)
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(self.gives.clone())
    }

    fn state_fields(&self, args: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        let name = format_state_name(args.name, "state");
        Ok(vec![Arc::new(Field::new(
            name,
            self.state.data_type(),
            true,
        ))])
    }

    fn accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        if args.is_distinct {
            return not_impl_err!("{} has no DISTINCT: it takes every row", self.name);
        }
        Ok((self.single)())
    }

    fn groups_accumulator_supported(&self, args: AccumulatorArgs) -> bool {
        !args.is_distinct
    }

    fn create_groups_accumulator(&self, _: AccumulatorArgs) -> Result<Box<dyn GroupsAccumulator>> {
        Ok((self.groups)())
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        AggregateOrderSensitivity::Insensitive
    }

    fn default_value(&self, gives: &DataType) -> Result<ScalarValue> {
        // What an empty window frame gives: what no bitmap gives.
        match gives {
            DataType::Int64 => Ok(ScalarValue::Int64(Some(0))),
            frequency if *frequency == list_of(DataType::Int64) => Ok(ScalarValue::List(
                ScalarValue::new_list_nullable(&[], &DataType::Int64),
            )),
            other => ScalarValue::try_from(other),
        }
    }
}

const UNION: bool = true;
const INTERSECTION: bool = false;

/// `bitmap_union`, and `bitmap_intersection`: of no bitmap NULL.
#[derive(Debug, Default)]
enum Gathered<const IS_UNION: bool> {
    #[default]
    Nothing,
    /// The only bitmap so far stays where it is.
    One(Held),
    Set(Dense),
}

impl<const IS_UNION: bool> Gathered<IS_UNION> {
    fn add(&mut self, from: &Bitmaps, row: usize, memory: &mut Memory) -> Outcome {
        let view = from.view(row)?;
        match self {
            Gathered::Nothing => {
                if let Some(held) = from.held(row) {
                    memory.pin(&held.buffer);
                    *self = Gathered::One(held);
                }
            }
            Gathered::One(held) => {
                let mut set = Dense::new();
                set.union(&View::outline(held.bytes())?);
                memory.unpin(&held.buffer);
                Self::combine(&mut set, &view);
                memory.change(0, set.heap());
                *self = Gathered::Set(set);
            }
            Gathered::Set(set) => {
                let before = set.heap();
                Self::combine(set, &view);
                memory.change(before, set.heap());
            }
        }
        Ok(())
    }

    fn combine(set: &mut Dense, view: &View) {
        if IS_UNION {
            set.union(view);
        } else {
            set.intersect(view);
        }
    }

    fn bitmaps(folds: &[Self]) -> Result<ArrayRef> {
        let mut output = Output::default();
        let mut writer = Writer::default();
        for fold in folds {
            match fold {
                Gathered::Nothing => output.push_null(),
                Gathered::One(held) => output.push_held(held),
                Gathered::Set(set) => {
                    set.write(&mut writer);
                    output.push(|out| writer.finish(out))?;
                }
            }
        }
        Ok(Arc::new(output.finish()?))
    }

    fn count(&self) -> std::result::Result<u64, BitmapError> {
        match self {
            Gathered::Nothing => Ok(0),
            Gathered::One(held) => crate::bitmap::count(held.bytes()),
            Gathered::Set(set) => Ok(set.count()),
        }
    }
}

impl<const IS_UNION: bool> Fold for Gathered<IS_UNION> {
    type Values = Bitmaps;
    type States = Bitmaps;

    const NAME: &'static str = if IS_UNION {
        "bitmap_union"
    } else {
        "bitmap_intersection"
    };
    const TAKES: Argument = Argument::Bitmap;
    const STATE: Argument = Argument::Bitmap;

    fn gives() -> DataType {
        DataType::BinaryView
    }

    fn take(&mut self, from: &Bitmaps, row: usize, memory: &mut Memory) -> Outcome {
        self.add(from, row, memory)
    }

    fn merge(&mut self, from: &Bitmaps, row: usize, memory: &mut Memory) -> Outcome {
        self.add(from, row, memory)
    }

    fn states(folds: &mut [Self]) -> Result<ArrayRef> {
        Self::bitmaps(folds)
    }

    fn answers(folds: &mut [Self]) -> Result<ArrayRef> {
        Self::bitmaps(folds)
    }

    fn release(&self, memory: &mut Memory) {
        match self {
            Gathered::Nothing => {}
            Gathered::One(held) => memory.unpin(&held.buffer),
            Gathered::Set(set) => memory.change(set.heap(), 0),
        }
    }
}

/// `bitmap_union_count`: of no bitmap 0.
#[derive(Debug, Default)]
struct UnionCount(Gathered<UNION>);

impl Fold for UnionCount {
    type Values = Bitmaps;
    type States = Bitmaps;

    const NAME: &'static str = "bitmap_union_count";
    const TAKES: Argument = Argument::Bitmap;
    const STATE: Argument = Argument::Bitmap;

    fn gives() -> DataType {
        DataType::Int64
    }

    fn take(&mut self, from: &Bitmaps, row: usize, memory: &mut Memory) -> Outcome {
        self.0.add(from, row, memory)
    }

    fn merge(&mut self, from: &Bitmaps, row: usize, memory: &mut Memory) -> Outcome {
        self.0.add(from, row, memory)
    }

    fn states(folds: &mut [Self]) -> Result<ArrayRef> {
        let mut sets: Vec<_> = folds
            .iter_mut()
            .map(|fold| std::mem::take(&mut fold.0))
            .collect();
        let states = Gathered::states(&mut sets);
        folds
            .iter_mut()
            .zip(sets)
            .for_each(|(fold, set)| fold.0 = set);
        states
    }

    fn answers(folds: &mut [Self]) -> Result<ArrayRef> {
        let counts = folds
            .iter()
            .map(|fold| fold.0.count().map(|count| count as i64));
        let counts = counts
            .collect::<std::result::Result<Vec<_>, _>>()
            .map_err(refused)?;
        Ok(Arc::new(Int64Array::from(counts)))
    }

    fn release(&self, memory: &mut Memory) {
        self.0.release(memory);
    }
}

fn refused(error: BitmapError) -> datafusion::error::DataFusionError {
    exec_datafusion_err!("{error}")
}

/// `bitmap_frequency`: in how many bitmaps each id is, as a sum of ones. Of no bitmap an empty list.
#[derive(Debug, Default)]
struct Frequency(Sum);

impl Fold for Frequency {
    type Values = Bitmaps;
    type States = Slices;

    const NAME: &'static str = "bitmap_frequency";
    const TAKES: Argument = Argument::Bitmap;
    const STATE: Argument = Argument::Slices;

    fn gives() -> DataType {
        list_of(DataType::Int64)
    }

    fn take(&mut self, from: &Bitmaps, row: usize, memory: &mut Memory) -> Outcome {
        let before = self.0.heap();
        let added = from.view(row).and_then(|view| self.0.add_ids(&view, 0));
        memory.change(before, self.0.heap());
        added
    }

    fn merge(&mut self, from: &Slices, row: usize, memory: &mut Memory) -> Outcome {
        add(&mut self.0, from, row, memory)
    }

    fn states(folds: &mut [Self]) -> Result<ArrayRef> {
        let mut output = SlicesOutput::default();
        for fold in folds {
            output.push(Some(fold.0.slices().map_err(refused)?))?;
        }
        output.finish()
    }

    fn answers(folds: &mut [Self]) -> Result<ArrayRef> {
        let mut lists = Lists::default();
        let mut users: Vec<i64> = Vec::new();
        for fold in folds {
            let start = users.len();
            for (days, ids) in fold.0.histogram().map_err(refused)? {
                let at = start + days as usize - 1;
                users.resize(at, 0);
                users.push(ids as i64);
            }
            lists.push(users.len(), true)?;
        }
        lists.finish(Arc::new(Int64Array::from(users)))
    }

    fn release(&self, memory: &mut Memory) {
        memory.change(self.0.heap(), 0);
    }
}

fn add(sum: &mut Sum, from: &Slices, row: usize, memory: &mut Memory) -> Outcome {
    let before = sum.heap();
    let added = from.get(row).map_or(Ok(()), |slices| sum.add(slices));
    memory.change(before, sum.heap());
    added
}

/// `counts_add`: NULL where no count was taken.
#[derive(Debug, Default)]
struct CountsAdd(Option<Sum>);

impl Fold for CountsAdd {
    type Values = Slices;
    type States = Slices;

    const NAME: &'static str = "counts_add";
    const TAKES: Argument = Argument::Slices;
    const STATE: Argument = Argument::Slices;

    fn gives() -> DataType {
        slices_type()
    }

    fn take(&mut self, from: &Slices, row: usize, memory: &mut Memory) -> Outcome {
        add(self.0.get_or_insert_default(), from, row, memory)
    }

    fn merge(&mut self, from: &Slices, row: usize, memory: &mut Memory) -> Outcome {
        self.take(from, row, memory)
    }

    fn states(folds: &mut [Self]) -> Result<ArrayRef> {
        let mut output = SlicesOutput::default();
        for fold in folds {
            let slices = fold
                .0
                .as_mut()
                .map(Sum::slices)
                .transpose()
                .map_err(refused)?;
            output.push(slices)?;
        }
        output.finish()
    }

    fn answers(folds: &mut [Self]) -> Result<ArrayRef> {
        Self::states(folds)
    }

    fn release(&self, memory: &mut Memory) {
        if let Some(sum) = &self.0 {
            memory.change(sum.heap(), 0);
        }
    }
}
