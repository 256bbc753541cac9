//! Arrow columns of bitmaps and of slices, read and written without copies where it can be.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BinaryViewArray, ListArray, make_view};
use arrow::buffer::{Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow::datatypes::{DataType, Field};
use datafusion::common::{Result, exec_datafusion_err, exec_err, internal_err};
use datafusion::logical_expr::ColumnarValue;

use crate::bitmap::{BitmapError, View};

/// A new block of bytes is begun after so many: large enough to be rare, small enough to be freed
/// piece by piece.
const BLOCK_BYTES: usize = 1 << 20;

/// An argument, a row at a time: a column, or one value for all rows.
#[derive(Debug)]
pub(super) struct Rows<A> {
    array: A,
    is_constant: bool,
}

/// A column as a function reads it.
pub(super) trait Column: Sized {
    /// Fails where the column is of another type: DataFusion casts before it calls.
    fn of(array: &ArrayRef) -> Result<Self>;
}

impl Column for ArrayRef {
    fn of(array: &ArrayRef) -> Result<Self> {
        Ok(array.clone())
    }
}

impl<A: Column> Rows<A> {
    pub fn new(value: &ColumnarValue) -> Result<Self> {
        Ok(match value {
            ColumnarValue::Array(array) => Rows {
                array: A::of(array)?,
                is_constant: false,
            },
            ColumnarValue::Scalar(one) => Rows {
                array: A::of(&one.to_array_of_size(1)?)?,
                is_constant: true,
            },
        })
    }
}

impl<A> Rows<A> {
    /// The column, and which of its rows is meant by `row`.
    pub fn at(&self, row: usize) -> (&A, usize) {
        (&self.array, if self.is_constant { 0 } else { row })
    }
}

/// A column of bitmaps.
#[derive(Debug)]
pub(super) struct Bitmaps(BinaryViewArray);

impl Column for Bitmaps {
    fn of(array: &ArrayRef) -> Result<Self> {
        match array.as_binary_view_opt() {
            Some(views) => Ok(Bitmaps(views.clone())),
            None => internal_err!("a column of {} where bitmaps are due", array.data_type()),
        }
    }
}

impl Bitmaps {
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// The bytes of a bitmap.
    pub fn bytes(&self, row: usize) -> Option<&[u8]> {
        (!self.0.is_null(row)).then(|| self.0.value(row))
    }

    /// The bitmap; the empty set for NULL.
    pub fn view(&self, row: usize) -> Result<View<'_>, BitmapError> {
        self.bytes(row).map_or(Ok(View::default()), View::new)
    }

    /// The bitmap with its containers not yet checked; the empty set for NULL.
    pub fn outline(&self, row: usize) -> Result<View<'_>, BitmapError> {
        self.bytes(row).map_or(Ok(View::default()), View::outline)
    }

    /// The bytes of a bitmap together with the buffer in which they lie.
    pub fn held(&self, row: usize) -> Option<Held> {
        let bytes = self.bytes(row)?;
        let view = arrow::array::ByteView::from(self.0.views()[row]);
        Some(
            match self.0.data_buffers().get(view.buffer_index as usize) {
                Some(buffer) if bytes.len() > INLINE => Held {
                    buffer: buffer.clone(),
                    offset: view.offset,
                    length: view.length,
                },
                _ => Held {
                    buffer: Buffer::from(bytes),
                    offset: 0,
                    length: bytes.len() as u32,
                },
            },
        )
    }
}

/// Up to so many bytes lie within the view itself.
const INLINE: usize = arrow::array::MAX_INLINE_VIEW_LEN as usize;

/// A bitmap where it lies in a column's buffer, which lives as long as this does.
#[derive(Debug, Clone)]
pub(super) struct Held {
    pub buffer: Buffer,
    offset: u32,
    length: u32,
}

impl Held {
    pub fn bytes(&self) -> &[u8] {
        let offset = self.offset as usize;
        self.buffer
            .get(offset..offset + self.length as usize)
            .unwrap_or_default()
    }
}

/// A column of slices of counts.
#[derive(Debug)]
pub(super) struct Slices {
    lists: ListArray,
    elements: Bitmaps,
}

impl Column for Slices {
    fn of(array: &ArrayRef) -> Result<Self> {
        let Some(lists) = array.as_list_opt::<i32>() else {
            return internal_err!("a column of {} where slices are due", array.data_type());
        };
        Ok(Slices {
            lists: lists.clone(),
            elements: Bitmaps::of(lists.values())?,
        })
    }
}

impl Slices {
    /// The slices, low bit first; a slice that is NULL is the empty set.
    pub fn get(&self, row: usize) -> Option<impl Iterator<Item = &[u8]>> {
        let offsets = self.lists.value_offsets();
        let range = offsets[row] as usize..offsets[row + 1] as usize;
        let slice = |element| self.elements.bytes(element).unwrap_or(EMPTY);
        (!self.lists.is_null(row)).then(|| range.map(slice))
    }
}

/// The bitmap of no id.
const EMPTY: &[u8] = &[0x3a, 0x30, 0, 0, 0, 0, 0, 0];

/// Builds a column of bitmaps.
#[derive(Debug, Default)]
pub(super) struct Output {
    views: Vec<u128>,
    is_valid: Vec<bool>,
    blocks: Vec<Buffer>,
    /// Which block a held buffer is.
    known: HashMap<usize, u32>,
    bytes: Vec<u8>,
}

impl Output {
    pub fn len(&self) -> usize {
        self.views.len()
    }

    pub fn push_null(&mut self) {
        self.views.push(0);
        self.is_valid.push(false);
    }

    /// Appends the bitmap that `write` appends to the bytes it is given.
    pub fn push(&mut self, write: impl FnOnce(&mut Vec<u8>)) -> Result<()> {
        if self.bytes.len() >= BLOCK_BYTES {
            self.close_block();
        }
        let start = self.bytes.len();
        write(&mut self.bytes);
        let written = &self.bytes[start..];
        if i32::try_from(written.len()).is_err() {
            return exec_err!(
                "a bitmap of {} bytes is more than Arrow holds",
                written.len()
            );
        }
        // What is being written becomes the next block.
        self.views
            .push(make_view(written, self.blocks.len() as u32, start as u32));
        self.is_valid.push(true);
        Ok(())
    }

    /// Appends a bitmap without copying it.
    pub fn push_held(&mut self, held: &Held) {
        let address = held.buffer.as_ptr() as usize;
        let block = match self.known.get(&address) {
            Some(block) => *block,
            None => {
                self.close_block();
                self.blocks.push(held.buffer.clone());
                let block = self.blocks.len() as u32 - 1;
                self.known.insert(address, block);
                block
            }
        };
        self.views.push(make_view(held.bytes(), block, held.offset));
        self.is_valid.push(true);
    }

    fn close_block(&mut self) {
        if !self.bytes.is_empty() {
            let room = self.bytes.capacity();
            self.blocks.push(std::mem::take(&mut self.bytes).into());
            self.bytes.reserve(room.min(2 * BLOCK_BYTES));
        }
    }

    pub fn finish(mut self) -> Result<BinaryViewArray> {
        if !self.bytes.is_empty() {
            self.blocks.push(self.bytes.into());
        }
        let nulls = NullBuffer::from(self.is_valid);
        let nulls = (nulls.null_count() > 0).then_some(nulls);
        Ok(BinaryViewArray::try_new(
            ScalarBuffer::from(self.views),
            self.blocks,
            nulls,
        )?)
    }
}

/// Builds a column of lists.
#[derive(Debug)]
pub(super) struct Lists {
    offsets: Vec<i32>,
    is_valid: Vec<bool>,
}

impl Default for Lists {
    fn default() -> Self {
        Lists {
            offsets: vec![0],
            is_valid: Vec::new(),
        }
    }
}

impl Lists {
    /// Ends a list, where so many elements were appended in all.
    pub fn push(&mut self, elements: usize, is_valid: bool) -> Result<()> {
        let end = i32::try_from(elements)
            .map_err(|_| exec_datafusion_err!("lists of {elements} elements in one batch"))?;
        self.offsets.push(end);
        self.is_valid.push(is_valid);
        Ok(())
    }

    pub fn finish(self, elements: ArrayRef) -> Result<ArrayRef> {
        let field = Arc::new(Field::new_list_field(elements.data_type().clone(), true));
        let nulls = NullBuffer::from(self.is_valid);
        let nulls = (nulls.null_count() > 0).then_some(nulls);
        let offsets = OffsetBuffer::new(self.offsets.into());
        Ok(Arc::new(ListArray::try_new(
            field, offsets, elements, nulls,
        )?))
    }
}

/// Builds a column of slices.
#[derive(Debug, Default)]
pub(super) struct SlicesOutput {
    lists: Lists,
    elements: Output,
}

impl SlicesOutput {
    pub fn push(&mut self, slices: Option<Vec<Vec<u8>>>) -> Result<()> {
        let is_valid = slices.is_some();
        for slice in slices.into_iter().flatten() {
            self.elements.push(|out| out.extend_from_slice(&slice))?;
        }
        self.lists.push(self.elements.len(), is_valid)
    }

    pub fn finish(self) -> Result<ArrayRef> {
        self.lists.finish(Arc::new(self.elements.finish()?))
    }
}

/// The type of a column of histograms.
pub(super) fn histogram_type() -> DataType {
    let fields = ["messages", "users"].map(|name| Field::new(name, DataType::Int64, false));
    super::list_of(DataType::Struct(fields.into_iter().collect()))
}
