//! Handles: integers in a pointer's clothing, and the tables behind them.
//!
//! A predefined handle is the standard ABI's constant below 4096. A dynamic one is `kind | generation | index` in 31 bits, so that
//! `MPI_Comm_toint` and `MPI_Comm_c2f` are the identity. A freed or foreign handle is found out, never followed.

use crate::arena::Arena;
use crate::error::{Class, Error, Result};
use fm::Threading;
use std::cell::UnsafeCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// The value of a C handle.
pub type Handle = u32;

/// Handles below are the ABI's predefined constants.
pub const FIRST_DYNAMIC: Handle = 4096;

/// The kinds of objects that handles name; the number is that of a handle's upper bits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u32)]
pub enum Kind {
    Comm = 1,
    Group = 2,
    Datatype = 3,
    Request = 4,
    Op = 5,
    Errhandler = 6,
    Info = 7,
    Message = 8,
    Session = 9,
    Window = 10,
    File = 11,
}

impl Kind {
    pub const ALL: [Kind; 11] = [
        Kind::Comm,
        Kind::Group,
        Kind::Datatype,
        Kind::Request,
        Kind::Op,
        Kind::Errhandler,
        Kind::Info,
        Kind::Message,
        Kind::Session,
        Kind::Window,
        Kind::File,
    ];

    /// The object's name in texts for people.
    pub const fn name(self) -> &'static str {
        match self {
            Kind::Comm => "communicator",
            Kind::Group => "group",
            Kind::Datatype => "datatype",
            Kind::Request => "request",
            Kind::Op => "operation",
            Kind::Errhandler => "error handler",
            Kind::Info => "info object",
            Kind::Message => "message",
            Kind::Session => "session",
            Kind::Window => "window",
            Kind::File => "file",
        }
    }

    /// The class of the error that a bad handle of this kind raises.
    pub const fn class(self) -> Class {
        match self {
            Kind::Comm => Class::COMM,
            Kind::Group => Class::GROUP,
            Kind::Datatype => Class::TYPE,
            Kind::Request | Kind::Message => Class::REQUEST,
            Kind::Op => Class::OP,
            Kind::Errhandler => Class::ERRHANDLER,
            Kind::Info => Class::INFO,
            Kind::Session => Class::SESSION,
            Kind::Window => Class::WIN,
            Kind::File => Class::FILE,
        }
    }

    /// Which kind a dynamic handle claims to be.
    pub fn of(handle: Handle) -> Option<Kind> {
        Kind::ALL.into_iter().find(|kind| handle >> KIND_SHIFT == *kind as u32)
    }
}

const INDEX_BITS: u32 = 22;
/// Objects of one kind that can be alive at once.
pub const INDEX_LIMIT: u32 = 1 << INDEX_BITS;
const GENERATION_BITS: u32 = 5;
const KIND_SHIFT: u32 = INDEX_BITS + GENERATION_BITS;
const GENERATION_MASK: u32 = (1 << GENERATION_BITS) - 1;

const _: () = assert!((Kind::File as u32) < 1 << (31 - KIND_SHIFT), "handles fit 31 bits");
const _: () = assert!((Kind::Comm as u32) << KIND_SHIFT >= FIRST_DYNAMIC);

/// Index and generation of a dynamic handle, without its kind: what travels as a communicator's context.
pub const fn serial(handle: Handle) -> u32 {
    handle & ((1 << KIND_SHIFT) - 1)
}

/// The handle of kind `kind` with this index and generation.
pub const fn with_serial(kind: Kind, serial: u32) -> Handle {
    (kind as u32) << KIND_SHIFT | serial
}

pub const fn index(handle: Handle) -> u32 {
    handle & ((1 << INDEX_BITS) - 1)
}

/// The handle that names slot `index` after `handle` named it: another generation, so that `handle` is found out.
pub const fn successor(kind: Kind, handle: Handle, index: u32) -> Handle {
    let generation = (handle >> INDEX_BITS).wrapping_add(1) & GENERATION_MASK;
    with_serial(kind, generation << INDEX_BITS | index)
}

/// Index and generation of the first handle that ever names slot `index`.
pub const fn first_serial(index: u32) -> u32 {
    serial(successor(Kind::Comm, DEAD, index))
}

/// Why `handle` names no object of `kind`.
#[cold]
pub fn bad_handle(kind: Kind, handle: Handle) -> Error {
    let name = kind.name();
    let why = match Kind::of(handle) {
        _ if handle == 0 => format!("a null pointer is not a {name} (never set, or not an MPI handle?)"),
        _ if handle < FIRST_DYNAMIC => format!("{handle:#x} is not a predefined {name}, or its null handle"),
        Some(found) if found == kind => format!("the {name} {handle:#x} has been freed, or was never made"),
        Some(found) => format!("a {name} was expected, but {handle:#x} is a {}", found.name()),
        None => format!("{handle:#x} is not a {name}"),
    };
    Error::new(kind.class(), why)
}

struct Entry<T> {
    /// The handle of the object that lives here; [`DEAD`] set once it was freed.
    handle: AtomicU32,
    object: UnsafeCell<Option<Arc<T>>>,
}

const DEAD: u32 = 1 << 31;

impl<T> Entry<T> {
    fn vacant() -> Self {
        Entry { handle: AtomicU32::new(DEAD), object: UnsafeCell::new(None) }
    }
}

// SAFETY: `object` is written only by `insert` and `remove`, while nobody else may read it (see `Table`).
unsafe impl<T: Send + Sync> Sync for Entry<T> {}

/// The live objects of one kind, by handle. Looking one up takes no lock.
///
/// The standard makes it the user's duty that no thread frees an object which another thread is just passing to a call (MPI
/// 5.0 section 11.6.2); that is what [`remove`](Table::remove) builds on.
pub struct Table<T> {
    kind: Kind,
    entries: Arena<Entry<T>>,
}

impl<T: 'static> Table<T> {
    pub fn new(kind: Kind) -> Table<T> {
        const { assert!(Arena::<Entry<T>>::CAPACITY <= 2 << INDEX_BITS) };
        Table { kind, entries: Arena::new(Threading::Multiple, Entry::vacant) }
    }

    /// A handle for an object to come. Until [`settle`](Self::settle) it names nothing.
    ///
    /// # Errors
    /// `MPI_ERR_NO_MEM` when 4 million objects of this kind are alive.
    pub fn reserve(&self) -> Result<Handle> {
        let (index, entry) = self.entries.take().filter(|(index, _)| *index < INDEX_LIMIT).ok_or_else(|| {
            Error::new(Class::NO_MEM, format!("more than {} live objects of kind {}", INDEX_LIMIT, self.kind.name()))
        })?;
        let handle = successor(self.kind, entry.handle.load(Ordering::Relaxed), index);
        entry.handle.store(handle | DEAD, Ordering::Relaxed);
        Ok(handle)
    }

    /// Makes a reserved handle name `object`.
    ///
    /// # Panics
    /// When the handle is not reserved.
    pub fn settle(&self, handle: Handle, object: Arc<T>) {
        let entry = self.entries.get(index(handle)).expect("a reserved slot exists");
        assert_eq!(entry.handle.load(Ordering::Relaxed), handle | DEAD, "the handle is reserved");
        // SAFETY: the slot is reserved, so no handle that leads to it passes the check in `find`, and nobody else settles it.
        unsafe { *entry.object.get() = Some(object) };
        entry.handle.store(handle, Ordering::Release);
    }

    /// Gives a reserved handle back.
    pub fn abandon(&self, handle: Handle) {
        self.entries.give_back(index(handle));
    }

    /// Adds the object that `make` builds once its handle is known.
    ///
    /// # Errors
    /// As [`reserve`](Self::reserve).
    pub fn insert_with(&self, make: impl FnOnce(Handle) -> Arc<T>) -> Result<Handle> {
        let handle = self.reserve()?;
        self.settle(handle, make(handle));
        Ok(handle)
    }

    pub fn insert(&self, object: Arc<T>) -> Result<Handle> {
        self.insert_with(|_| object)
    }

    /// The object that `handle` names.
    ///
    /// # Errors
    /// The kind's error class when it names none: freed, of another kind, or no handle at all.
    #[inline]
    pub fn get(&self, handle: Handle) -> Result<&Arc<T>> {
        self.find(handle).ok_or_else(|| bad_handle(self.kind, handle))
    }

    #[inline]
    pub fn find(&self, handle: Handle) -> Option<&Arc<T>> {
        let entry = self.entries.get(index(handle))?;
        if entry.handle.load(Ordering::Acquire) != handle {
            return None;
        }
        // SAFETY: the entry's handle is live, so `insert_with` has written the object and nobody writes it until `remove`.
        unsafe { (*entry.object.get()).as_ref() }
    }

    /// Frees the handle and hands the object back, which lives on while others hold it.
    ///
    /// # Errors
    /// As [`get`](Table::get).
    pub fn remove(&self, handle: Handle) -> Result<Arc<T>> {
        let entry = self.entries.get(index(handle)).ok_or_else(|| bad_handle(self.kind, handle))?;
        entry
            .handle
            .compare_exchange(handle, handle | DEAD, Ordering::AcqRel, Ordering::Relaxed)
            .map_err(|_| bad_handle(self.kind, handle))?;
        // SAFETY: the exchange succeeded once, for us; lookups fail from here on, and the user sees to it that none is under way.
        let object = unsafe { (*entry.object.get()).take() };
        self.entries.give_back(index(handle));
        Ok(object.expect("a live entry has an object"))
    }

    /// The live objects with their handles, in no particular order.
    pub fn iter(&self) -> impl Iterator<Item = (Handle, &Arc<T>)> {
        self.entries.iter().filter_map(|(_, entry)| {
            let handle = entry.handle.load(Ordering::Acquire);
            Some((handle, self.find(handle)?))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_freed_handle_is_found_out() {
        let table = Table::new(Kind::Group);
        let first = table.insert(Arc::new(1)).unwrap();
        assert_eq!(**table.get(first).unwrap(), 1);
        assert_eq!(*table.remove(first).unwrap(), 1);
        assert_eq!(table.get(first).unwrap_err().class, Class::GROUP);
        assert_eq!(table.remove(first).unwrap_err().class, Class::GROUP);
        let second = table.insert(Arc::new(2)).unwrap();
        assert_eq!(index(second), index(first), "slots are reused");
        assert!(table.get(first).is_err());
        assert!(second < 1 << 31);
    }

    #[test]
    fn foreign_handles_are_named() {
        let comms = Table::<u8>::new(Kind::Comm);
        let groups = Table::new(Kind::Group);
        let group = groups.insert(Arc::new(0u8)).unwrap();
        let error = comms.get(group).unwrap_err();
        assert_eq!(error.class, Class::COMM);
        assert!(error.text.contains("is a group"), "{error}");
    }

    #[test]
    fn many_objects() {
        let table = Table::new(Kind::Info);
        let handles: Vec<Handle> = (0..10_000).map(|i| table.insert(Arc::new(i)).unwrap()).collect();
        for (i, handle) in handles.iter().enumerate() {
            assert_eq!(**table.get(*handle).unwrap(), i);
        }
        assert_eq!(table.iter().count(), handles.len());
    }
}
