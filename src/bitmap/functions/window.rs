//! Functions over the rows of a partition in order, one row a day.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Int64Array};
use arrow::datatypes::{DataType, Field, FieldRef, Int64Type};
use datafusion::common::{Result, exec_datafusion_err, exec_err};
use datafusion::logical_expr::function::{PartitionEvaluatorArgs, WindowUDFFieldArgs};
use datafusion::logical_expr::{
    PartitionEvaluator, Signature, Volatility, WindowUDF, WindowUDFImpl,
};

use super::column::{Bitmaps, Column, Output};
use super::{Argument, coerce};
use crate::bitmap::container::Form;
use crate::bitmap::kernels::{self, Block};
use crate::bitmap::write::Writer;
use crate::bitmap::{BitmapError, Dense, View};

/// All of them.
pub(super) fn all() -> Vec<WindowUDF> {
    [
        Function::RollingUnion,
        Function::RollingCount,
        Function::Carry,
    ]
    .into_iter()
    .map(|function| {
        let signature = Signature::user_defined(Volatility::Immutable);
        WindowUDF::new_from_impl(BitmapWindow {
            function,
            signature,
        })
    })
    .collect()
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Function {
    RollingUnion,
    RollingCount,
    Carry,
}

impl Function {
    fn name(self) -> &'static str {
        match self {
            Function::RollingUnion => "bitmap_rolling_union",
            Function::RollingCount => "bitmap_rolling_count",
            Function::Carry => "bitmap_carry",
        }
    }
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct BitmapWindow {
    function: Function,
    signature: Signature,
}

impl WindowUDFImpl for BitmapWindow {
    fn name(&self) -> &str {
        self.function.name()
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        let wanted = match self.function {
            Function::Carry => [Argument::Bitmap, Argument::Bitmap],
            _ => [Argument::Bitmap, Argument::Whole],
        };
        coerce(self.name(), &wanted, given)
    }

    fn field(&self, args: WindowUDFFieldArgs) -> Result<FieldRef> {
        let gives = match self.function {
            Function::RollingCount => DataType::Int64,
            _ => DataType::BinaryView,
        };
        Ok(Arc::new(Field::new(args.name(), gives, true)))
    }

    fn partition_evaluator(
        &self,
        _: PartitionEvaluatorArgs,
    ) -> Result<Box<dyn PartitionEvaluator>> {
        Ok(Box::new(Partition(self.function)))
    }
}

#[derive(Debug)]
struct Partition(Function);

impl PartitionEvaluator for Partition {
    fn evaluate_all(&mut self, values: &[ArrayRef], _: usize) -> Result<ArrayRef> {
        let name = self.0.name();
        let refused = |error: BitmapError| exec_datafusion_err!("{name}: {error}");
        let [first, second] = values else {
            return exec_err!("{name} takes two arguments");
        };
        let bitmaps = Bitmaps::of(first)?;
        let views = (0..bitmaps.len())
            .map(|row| bitmaps.view(row))
            .collect::<std::result::Result<Vec<_>, _>>()
            .map_err(refused)?;
        match self.0 {
            Function::RollingUnion => rolling_union(&views, width(name, second)?),
            Function::RollingCount => Ok(rolling_count(&views, width(name, second)?)),
            Function::Carry => carry(&views, &Bitmaps::of(second)?, refused),
        }
    }
}

/// The number of rows of a window, which must be one for the partition.
fn width(name: &str, column: &ArrayRef) -> Result<usize> {
    let widths = column.as_primitive::<Int64Type>();
    let first = widths.iter().next().flatten();
    match first {
        Some(width) if width < 1 => {
            exec_err!("{name}: a width of {width} rows; it must be 1 or more")
        }
        Some(width) if widths.iter().all(|other| other == first) => {
            Ok(usize::try_from(width).unwrap_or(usize::MAX))
        }
        Some(_) => exec_err!("{name}: the width differs from row to row"),
        None => exec_err!("{name}: the width is NULL; it must be 1 or more"),
    }
}

fn rolling_count(views: &[View], width: usize) -> ArrayRef {
    let mut counts = vec![0i64; views.len()];
    for column in columns(views).into_values() {
        roll(
            &spread(&column, views.len()),
            width,
            |row, past, present| {
                counts[row] += i64::from(match past {
                    Some(past) => kernels::or_count_words(past, present),
                    None => kernels::count_words(present),
                });
            },
        );
    }
    Arc::new(Int64Array::from(counts))
}

fn rolling_union(views: &[View], width: usize) -> Result<ArrayRef> {
    let mut writers: Vec<Writer> = views.iter().map(|_| Writer::default()).collect();
    let mut words = kernels::empty();
    for (key, column) in columns(views) {
        roll(
            &spread(&column, views.len()),
            width,
            |row, past, present| {
                words.copy_from_slice(present);
                if let Some(past) = past {
                    kernels::or_words(&mut words, past);
                }
                writers[row].push_words(key, &words);
            },
        );
    }
    let mut output = Output::default();
    for mut writer in writers {
        output.push(|out| writer.finish(out))?;
    }
    Ok(Arc::new(output.finish()?))
}

/// The containers of each key, with the rows that they are in.
fn columns<'a>(views: &[View<'a>]) -> BTreeMap<u16, Vec<(usize, Form<'a>)>> {
    let mut columns = BTreeMap::<_, Vec<_>>::new();
    for (row, view) in views.iter().enumerate() {
        for container in view.containers() {
            columns
                .entry(container.key)
                .or_default()
                .push((row, container.form));
        }
    }
    columns
}

/// A row's container at the row's place.
fn spread<'a>(column: &[(usize, Form<'a>)], rows: usize) -> Vec<Option<Form<'a>>> {
    let mut forms = vec![None; rows];
    column
        .iter()
        .for_each(|(row, form)| forms[*row] = Some(*form));
    forms
}

/// Calls `row` with each row's number and two sets whose union is that of the window that ends in
/// the row.
///
/// Rows are cut into blocks of `width`. A window then is the end of one block and the start of the
/// next: the unions of every end of a block are formed when it is over, the union of the start
/// grows row by row. So a row costs two unions, whatever the width (van Herk, "A fast algorithm for
/// local minimum and maximum filters on rectangular and octagonal kernels", 1992).
fn roll(forms: &[Option<Form>], width: usize, mut row: impl FnMut(usize, Option<&Block>, &Block)) {
    let width = width.min(forms.len()).max(1);
    let mut ends: Vec<Box<Block>> = Vec::new();
    let mut start = kernels::empty();
    for (number, block) in forms.chunks(width).enumerate() {
        start.fill(0);
        for (i, form) in block.iter().enumerate() {
            if let Some(form) = form {
                form.union_into(&mut start);
            }
            // The window begins behind row i of the block before.
            row(
                number * width + i,
                ends.get(i + 1).map(|end| &**end),
                &start,
            );
        }
        if (number + 1) * width < forms.len() {
            form_ends(block, &mut ends);
        }
    }
}

/// `ends[i]` becomes the union of the block's rows from `i` on; `ends[0]` is not needed.
fn form_ends(block: &[Option<Form>], ends: &mut Vec<Box<Block>>) {
    ends.resize_with(block.len(), kernels::empty);
    for i in (1..block.len()).rev() {
        let (before, after) = ends.split_at_mut(i + 1);
        match (after.first(), &block[i]) {
            (None, None) => before[i].fill(0),
            (None, Some(form)) => form.load(&mut before[i]),
            (Some(after), Some(Form::Bits(bits))) => kernels::or_into(&mut before[i], after, bits),
            (Some(after), form) => {
                before[i].copy_from_slice(&**after);
                if let Some(form) = form {
                    form.union_into(&mut before[i]);
                }
            }
        }
    }
}

/// S(i) = set(i) ∪ (S(i-1) ∩ keep(i)).
fn carry(
    views: &[View],
    keeps: &Bitmaps,
    refused: impl Fn(BitmapError) -> datafusion::error::DataFusionError,
) -> Result<ArrayRef> {
    let mut output = Output::default();
    let mut writer = Writer::default();
    let mut state = Dense::new();
    for (row, view) in views.iter().enumerate() {
        state.intersect(&keeps.view(row).map_err(&refused)?);
        state.union(view);
        state.write(&mut writer);
        output.push(|out| writer.finish(out))?;
    }
    Ok(Arc::new(output.finish()?))
}
