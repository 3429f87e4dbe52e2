//! Attribute keys.

use super::{Failed, Object, Value};
use crate::bail;
use crate::error::Result;
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::sync::{Arc, Weak};

/// What kind of object a key is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(i32)]
pub enum Kind {
    Comm = 1,
    Type = 2,
    Win = 3,
}

/// Called with the object, the key and the value to copy. `None`: the duplicate gets no such attribute.
pub type CopyCall = Box<dyn Fn(Object, i32, Value) -> std::result::Result<Option<Value>, Failed> + Send + Sync>;

/// Called with the object, the key and the value to delete.
pub type DeleteCall = Box<dyn Fn(Object, i32, Value) -> std::result::Result<(), Failed> + Send + Sync>;

/// What becomes of an attribute when its object is duplicated.
pub enum Copying {
    /// `MPI_…_NULL_COPY_FN`: the duplicate has none.
    Never,
    /// `MPI_…_DUP_FN`: the duplicate has the same value.
    Same,
    Call(CopyCall),
}

/// An attribute key.
pub struct Keyval {
    pub number: i32,
    pub(super) copying: Copying,
    /// `None` is `MPI_…_NULL_DELETE_FN`.
    deleting: Option<DeleteCall>,
}

impl Keyval {
    pub(super) fn delete(&self, object: Object, value: Value) -> std::result::Result<(), Failed> {
        self.deleting.as_ref().map_or(Ok(()), |delete| delete(object, self.number, value))
    }
}

/// Bits of a key's number below its kind. The kind is in the number so that a key for another kind of object is noticed; the
/// predefined keys are below all of them.
const SEQUENCE_BITS: u32 = 28;

/// The keys that exist in a process.
pub struct Keyvals {
    table: Mutex<Table>,
}

struct Table {
    keys: BTreeMap<i32, Key>,
    /// Numbers are given out in turn: a freed one does not soon mean another key.
    last: i32,
    /// Forgotten keys are swept out when the table has grown to this.
    sweep_at: usize,
}

enum Key {
    Live(Arc<Keyval>),
    /// Freed by the program; still a key as long as an attribute holds it (section 7.7.2).
    Freed(Weak<Keyval>),
}

impl Key {
    fn get(&self) -> Option<Arc<Keyval>> {
        match self {
            Key::Live(keyval) => Some(keyval.clone()),
            Key::Freed(keyval) => keyval.upgrade(),
        }
    }
}

impl Keyvals {
    pub fn new() -> Keyvals {
        Keyvals { table: Mutex::new(Table { keys: BTreeMap::new(), last: 0, sweep_at: 64 }) }
    }

    /// `MPI_…_create_keyval`: the number of a new key.
    pub fn create(&self, kind: Kind, copying: Copying, deleting: Option<DeleteCall>) -> Result<i32> {
        let mut table = self.table.lock();
        table.sweep();
        let number = table.free_number(kind)?;
        table.keys.insert(number, Key::Live(Arc::new(Keyval { number, copying, deleting })));
        Ok(number)
    }

    /// `MPI_…_free_keyval`. Freeing a key again is let pass while attributes still hold it.
    pub fn free(&self, kind: Kind, number: i32) -> Result<()> {
        let keyval = self.get(kind, number)?;
        self.table.lock().keys.insert(number, Key::Freed(Arc::downgrade(&keyval)));
        Ok(())
    }

    /// How many keys the program has made and not freed.
    pub fn live(&self) -> usize {
        self.table.lock().keys.values().filter(|key| matches!(key, Key::Live(_))).count()
    }

    /// How many keys the table remembers, freed ones among them.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.table.lock().keys.len()
    }

    /// The key of this number, for objects of this kind.
    pub fn get(&self, kind: Kind, number: i32) -> Result<Arc<Keyval>> {
        if let Some(name) = super::predefined::name(number) {
            bail!(KEYVAL, "{name} is a predefined attribute: it cannot be set, deleted or freed");
        }
        if number <= 0 {
            bail!(KEYVAL, "{number} is no attribute key{}", if number == 0 { " (MPI_KEYVAL_INVALID)" } else { "" });
        }
        let keyval = self.table.lock().keys.get(&number).and_then(Key::get);
        match (keyval, number >> SEQUENCE_BITS == kind as i32) {
            (Some(keyval), true) => Ok(keyval),
            (Some(_), false) => bail!(KEYVAL, "attribute key {number} is not for {}", kind.plural()),
            (None, _) => bail!(KEYVAL, "{number} is no attribute key, or it has been freed"),
        }
    }
}

impl Default for Keyvals {
    fn default() -> Self {
        Keyvals::new()
    }
}

impl Table {
    fn free_number(&mut self, kind: Kind) -> Result<i32> {
        const SEQUENCE_MAX: i32 = (1 << SEQUENCE_BITS) - 1;
        if self.keys.len() >= SEQUENCE_MAX as usize {
            bail!(OTHER, "there are no more attribute keys: {} exist", self.keys.len());
        }
        loop {
            self.last = self.last % SEQUENCE_MAX + 1;
            let number = (kind as i32) << SEQUENCE_BITS | self.last;
            if !self.keys.contains_key(&number) {
                return Ok(number);
            }
        }
    }

    fn sweep(&mut self) {
        if self.keys.len() >= self.sweep_at {
            self.keys.retain(|_, key| key.get().is_some());
            self.sweep_at = (2 * self.keys.len()).max(64);
        }
    }
}

impl Kind {
    fn plural(self) -> &'static str {
        match self {
            Kind::Comm => "communicators",
            Kind::Type => "datatypes",
            Kind::Win => "windows",
        }
    }
}
