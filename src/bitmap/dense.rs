//! A set of ids while it is gathered.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use super::container::{Container, Form};
use super::kernels::{self, Block};
use super::view::View;
use super::write::Writer;

/// Up to so many ids a container is kept as a list: a group of few ids must not cost 8 KiB.
const FEW: usize = 512;

/// A set of 32-bit ids that bitmaps are united into or intersected with.
///
/// Each container (ids of the same upper 16 bits) is 1,024 words, or a short list while it holds
/// few ids: at most 8 KiB for every 512 ids or run.
#[derive(Debug, Default)]
pub struct Dense {
    slots: BTreeMap<u16, Slot>,
    /// Bytes held by the slots.
    bytes: usize,
}

#[derive(Debug)]
enum Slot {
    /// Ascending ids.
    Few(Vec<u16>),
    Words(Box<Block>),
}

/// What an entry of the map takes besides what it owns.
const ENTRY: usize = size_of::<(u16, Slot)>() * 3 / 2;

impl Dense {
    /// The empty set.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the ids of a bitmap.
    pub fn union(&mut self, view: &View) {
        view.containers().for_each(|container| self.add(&container));
    }

    fn add(&mut self, container: &Container) {
        match self.slots.entry(container.key) {
            Entry::Vacant(entry) => {
                let slot = Slot::of(container);
                self.bytes += ENTRY + slot.bytes();
                entry.insert(slot);
            }
            Entry::Occupied(mut entry) => {
                let slot = entry.get_mut();
                let before = slot.bytes();
                slot.union(container);
                self.bytes = self.bytes + slot.bytes() - before;
            }
        }
    }

    /// Adds one id.
    pub fn insert(&mut self, id: u32) {
        let low = (id as u16).to_le_bytes();
        let form = Form::Array(std::slice::from_ref(&low));
        self.add(&Container {
            key: (id >> 16) as u16,
            count: 1,
            form,
        });
    }

    /// Keeps only the ids that a bitmap holds too.
    pub fn intersect(&mut self, view: &View) {
        let mut containers = view.containers().peekable();
        let mut bytes = 0;
        self.slots.retain(|key, slot| {
            while containers
                .next_if(|container| container.key < *key)
                .is_some()
            {}
            let same = containers.next_if(|container| container.key == *key);
            let kept = same.is_some_and(|container| slot.intersect(&container.form));
            if kept {
                bytes += ENTRY + slot.bytes();
            }
            kept
        });
        self.bytes = bytes;
    }

    /// How many ids the set holds.
    pub fn count(&self) -> u64 {
        self.slots.values().map(Slot::count).sum()
    }

    /// The set's portable Roaring bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut writer = Writer::default();
        self.write(&mut writer);
        writer.bytes()
    }

    pub(crate) fn write(&self, writer: &mut Writer) {
        for (key, slot) in &self.slots {
            match slot {
                Slot::Few(ids) => writer.push_ids(*key, ids),
                Slot::Words(words) => writer.push_words(*key, words),
            }
        }
    }

    /// Bytes on the heap.
    pub(crate) fn heap(&self) -> usize {
        self.bytes
    }
}

impl Slot {
    fn of(container: &Container) -> Self {
        match container.form {
            Form::Array(values) if values.len() <= FEW => Slot::Few(container.form.ids().collect()),
            form => {
                let mut words = kernels::empty();
                form.load(&mut words);
                Slot::Words(words)
            }
        }
    }

    fn union(&mut self, container: &Container) {
        let ids = match self {
            Slot::Words(words) => return container.form.union_into(words),
            Slot::Few(ids) => ids,
        };
        if let Form::Array(values) = container.form
            && ids.len() + values.len() <= FEW
        {
            ids.extend(container.form.ids());
            // Two ascending stretches: the stable sort merges them.
            ids.sort();
            ids.dedup();
            return;
        }
        let mut words = kernels::empty();
        container.form.load(&mut words);
        ids.iter().for_each(|id| kernels::set(&mut words, *id));
        *self = Slot::Words(words);
    }

    /// Returns whether any id is left.
    fn intersect(&mut self, form: &Form) -> bool {
        match self {
            Slot::Few(ids) => {
                ids.retain(|id| form.contains(*id));
                !ids.is_empty()
            }
            Slot::Words(words) => {
                form.intersect_into(words);
                words.iter().any(|word| *word != 0)
            }
        }
    }

    fn count(&self) -> u64 {
        match self {
            Slot::Few(ids) => ids.len() as u64,
            Slot::Words(words) => u64::from(kernels::count_words(words)),
        }
    }

    fn bytes(&self) -> usize {
        match self {
            Slot::Few(ids) => 2 * ids.capacity(),
            Slot::Words(_) => size_of::<Block>(),
        }
    }
}
