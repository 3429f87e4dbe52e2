//! Datatypes: how a message's data lies in memory (MPI 5.0 chapter 5).
//!
//! Start with [`Datatype`]. It is immutable but for its name, attributes and committed flag, and shared as
//! `Arc<Datatype>`: freeing a handle never disturbs a transfer or a type built from it. It consists of
//!
//! 1. [`shape`]: size, bounds and alignment, all arithmetic checked;
//! 2. [`layout`]: the layout program, a normalised tree of loops over contiguous runs; [`walk`] goes through it from any
//!    packed byte, and [`copy`] holds the loops that move the bytes;
//! 3. [`signature`]: the sequence of basic elements, for MPI_Get_elements, reductions and [`external`] (external32);
//! 4. [`contents`]: how it was made.
//!
//! The constructors are in [`make`], [`array`] and [`f90`]; the predefined types in [`basic`] and [`predefined`];
//! [`registry`] finds them by handle.

pub mod array;
pub mod basic;
pub mod contents;
mod copy;
pub mod external;
pub mod f90;
mod layout;
pub mod make;
pub mod predefined;
pub mod registry;
pub mod shape;
mod signature;
mod transfer;
mod walk;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};

use parking_lot::Mutex;

pub use basic::{Basic, Group, Number};
pub use contents::{Combiner, Contents, Form};
pub use predefined::Predefined;
pub use registry::Datatypes;
pub use transfer::copy;

use crate::attr::Attributes;
use crate::bail;
use crate::constants::MAX_OBJECT_NAME;
use crate::error::Result;
use layout::Placed;
use shape::Shape;
use signature::Signature;

/// A datatype, predefined or derived.
#[derive(Debug)]
pub struct Datatype {
    shape: Shape,
    layout: Placed,
    /// Worked out once: every message asks.
    contiguous: bool,
    signature: Arc<Signature>,
    contents: Arc<Contents>,
    /// The predefined type that this one is, or is a duplicate or an unnamed equivalent (f90) of.
    basic: Option<Basic>,
    /// Longest chain of constructors below this type.
    depth: u32,
    committed: AtomicBool,
    name: Mutex<Box<[u8]>>,
    attributes: Attributes,
    handle: AtomicU32,
}

fn is_contiguous(shape: &Shape, layout: &Placed) -> bool {
    shape.size == 0 || (layout.is_run() && shape.extent == shape.size)
}

/// Chains of constructors longer than this are refused: walking and freeing them recurse.
const DEPTH_MAX: u32 = 2000;

impl Datatype {
    fn predefined(basic: Basic) -> Arc<Datatype> {
        let (shape, layout) = match basic.row().pair {
            None => (
                Shape::basic(basic.size() as i64, basic.alignment() as i64),
                Placed::run(0, basic.size()),
            ),
            Some((value, index)) => predefined::pair(value, index),
        };
        Arc::new(Datatype {
            contiguous: is_contiguous(&shape, &layout),
            shape,
            layout,
            signature: Signature::basic(basic),
            contents: Arc::new(Contents::new(Combiner::Named, vec![])),
            basic: Some(basic),
            depth: 0,
            committed: AtomicBool::new(true),
            name: Mutex::new(basic.name().as_bytes().into()),
            attributes: Attributes::new(),
            handle: AtomicU32::new(basic.handle()),
        })
    }

    /// A type derived from those in `contents`.
    fn derived(shape: Shape, layout: Placed, signature: Arc<Signature>, contents: Contents) -> Result<Arc<Datatype>> {
        debug_assert_eq!(shape.size as u64, layout.node.size);
        debug_assert_eq!(shape.size as u64, signature.bytes);
        let depth = 1 + contents.types.iter().map(|t| t.depth).max().unwrap_or(0);
        if depth > DEPTH_MAX {
            bail!(NO_MEM, "datatypes nest at most {DEPTH_MAX} constructors deep");
        }
        Ok(Arc::new(Datatype {
            contiguous: is_contiguous(&shape, &layout),
            shape,
            layout,
            signature,
            contents: Arc::new(contents),
            basic: None,
            depth,
            committed: AtomicBool::new(false),
            name: Mutex::default(),
            attributes: Attributes::new(),
            handle: AtomicU32::new(0),
        }))
    }

    /// Bytes of data in one item.
    #[inline]
    pub fn size(&self) -> u64 {
        self.shape.size as u64
    }

    pub fn lb(&self) -> i64 {
        self.shape.lb
    }

    pub fn ub(&self) -> i64 {
        self.shape.ub()
    }

    pub fn extent(&self) -> i64 {
        self.shape.extent
    }

    #[inline]
    pub fn true_lb(&self) -> i64 {
        self.shape.true_lb
    }

    pub fn true_extent(&self) -> i64 {
        self.shape.true_ub - self.shape.true_lb
    }

    /// Largest alignment of a basic element.
    pub fn alignment(&self) -> u64 {
        self.shape.alignment as u64
    }

    pub fn shape(&self) -> &Shape {
        &self.shape
    }

    pub fn contents(&self) -> &Contents {
        &self.contents
    }

    /// For any count, packed bytes are the memory's bytes from the true lower bound on.
    #[inline]
    pub fn is_contiguous(&self) -> bool {
        self.contiguous
    }

    /// As [`Datatype::is_contiguous`], for this many items.
    #[inline]
    pub fn is_contiguous_for(&self, count: usize) -> bool {
        count == 0 || self.is_contiguous() || (count == 1 && self.layout.is_run())
    }

    #[inline]
    pub fn is_committed(&self) -> bool {
        self.committed.load(Relaxed)
    }

    pub fn commit(&self) {
        self.committed.store(true, Relaxed);
    }

    /// One that the user did not make and may not free: named, or returned by the f90 functions.
    pub fn is_predefined(&self) -> bool {
        use Combiner::*;
        matches!(self.contents.combiner, Named | F90Real | F90Complex | F90Integer)
    }

    /// The predefined type of which this is an instance or a duplicate: what reductions may work on.
    pub fn basic(&self) -> Option<Basic> {
        self.basic
    }

    /// The only basic type inside, however it is arranged.
    pub fn uniform(&self) -> Option<Basic> {
        self.signature.uniform()
    }

    /// The distinct basic types inside; a pair counts as its two parts.
    pub fn basic_types(&self) -> impl Iterator<Item = Basic> + use<> {
        self.signature.basics()
    }

    /// Packed size of `count` items, if it fits.
    pub fn bytes(&self, count: usize) -> Option<u64> {
        self.size().checked_mul(count as u64).filter(|&bytes| bytes <= i64::MAX as u64)
    }

    /// The number of whole items in so many bytes (MPI_Get_count); `None` where it does not come out even.
    pub fn items(&self, bytes: u64) -> Option<u64> {
        match self.size() {
            0 => (bytes == 0).then_some(0),
            size => bytes.is_multiple_of(size).then_some(bytes / size),
        }
    }

    /// The number of basic elements in so many bytes (MPI_Get_elements); `None` where one is cut.
    pub fn elements(&self, bytes: u64) -> Option<u64> {
        match self.size() {
            0 => (bytes == 0).then_some(0),
            size => {
                let (elements, missing) = self.signature.elements_in(bytes % size);
                (missing == 0).then(|| bytes / size * self.signature.elements + elements)
            }
        }
    }

    /// The inverse of [`Datatype::elements`] (MPI_Status_set_elements): the bytes of so many basic elements.
    pub fn bytes_of_elements(&self, elements: u64) -> Option<u64> {
        match self.signature.elements {
            0 => (elements == 0).then_some(0),
            per_item => {
                let whole = (elements / per_item).checked_mul(self.size())?;
                whole.checked_add(self.signature.bytes_of(elements % per_item))
            }
        }
    }

    /// The ABI handle; 0 before it was registered.
    pub fn handle(&self) -> u32 {
        self.handle.load(Relaxed)
    }

    /// Takes a handle unless there is one already, which is then the error.
    fn adopt_handle(&self, handle: u32) -> std::result::Result<(), u32> {
        self.handle.compare_exchange(0, handle, Relaxed, Relaxed).map(drop)
    }

    fn set_handle(&self, handle: u32) {
        self.handle.store(handle, Relaxed);
    }

    /// A new object that is equivalent: what MPI_Type_get_contents hands out, to be freed by the user.
    pub fn equivalent(&self) -> Arc<Datatype> {
        Arc::new(Datatype {
            shape: self.shape,
            layout: self.layout.clone(),
            contiguous: self.contiguous,
            signature: self.signature.clone(),
            contents: self.contents.clone(),
            basic: self.basic,
            depth: self.depth,
            committed: AtomicBool::new(self.is_committed()),
            name: Mutex::default(),
            attributes: Attributes::new(),
            handle: AtomicU32::new(0),
        })
    }

    /// The name given with MPI_Type_set_name; of a named predefined type its own; else empty.
    pub fn name(&self) -> String {
        String::from_utf8_lossy(&self.name.lock()).into_owned()
    }

    pub fn name_bytes(&self) -> Box<[u8]> {
        self.name.lock().clone()
    }

    /// A longer name than `MPI_MAX_OBJECT_NAME` has room for is cut (MPI 5.0 section 7.8).
    pub fn set_name(&self, name: &[u8]) {
        *self.name.lock() = name[..name.len().min(MAX_OBJECT_NAME - 1)].into();
    }

    pub fn attributes(&self) -> &Attributes {
        &self.attributes
    }

    /// For error texts: the name, or how it was made.
    pub fn describe(&self) -> String {
        let name = self.name();
        if !name.is_empty() {
            return name;
        }
        let types: Vec<_> = self.basic_types().take(4).map(|b| b.name()).collect();
        let made = self.contents.combiner.name();
        match types[..] {
            [] => format!("{made} datatype without data"),
            _ => format!("{made} datatype of {} ({} bytes)", types.join(", "), self.size()),
        }
    }
}
