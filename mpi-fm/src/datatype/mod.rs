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
//! The constructors are in [`make`], [`array`] and [`f90`]; the predefined types in [`basic`] and [`predefined`].

pub mod array;
pub mod basic;
pub mod contents;
mod copy;
pub mod external;
pub mod f90;
mod layout;
pub mod make;
pub mod predefined;
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
pub use transfer::copy;

use crate::attr::Attributes;
use crate::bail;
use crate::error::Result;
use layout::Placed;
use shape::Shape;
use signature::Signature;

/// A datatype, predefined or derived.
#[derive(Debug)]
pub struct Datatype {
    shape: Shape,
    layout: Placed,
    signature: Arc<Signature>,
    contents: Contents,
    /// The predefined type that this one is, or is a duplicate or an unnamed equivalent (f90) of.
    basic: Option<Basic>,
    /// Longest chain of constructors below this type.
    depth: u32,
    committed: AtomicBool,
    name: Mutex<String>,
    attributes: Attributes,
    handle: AtomicU32,
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
            shape,
            layout,
            signature: Signature::basic(basic),
            contents: Contents::new(Combiner::Named, vec![]),
            basic: Some(basic),
            depth: 0,
            committed: AtomicBool::new(true),
            name: Mutex::new(basic.name().to_owned()),
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
            shape,
            layout,
            signature,
            contents,
            basic: None,
            depth,
            committed: AtomicBool::new(false),
            name: Mutex::new(String::new()),
            attributes: Attributes::new(),
            handle: AtomicU32::new(0),
        }))
    }

    /// Bytes of data in one item.
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
    pub fn is_contiguous(&self) -> bool {
        self.size() == 0 || (self.layout.is_run() && self.extent() == self.shape.size)
    }

    /// As [`Datatype::is_contiguous`], for this many items.
    pub fn is_contiguous_for(&self, count: usize) -> bool {
        count == 0 || self.is_contiguous() || (count == 1 && self.layout.is_run())
    }

    pub fn is_committed(&self) -> bool {
        self.committed.load(Relaxed)
    }

    pub fn commit(&self) {
        self.committed.store(true, Relaxed);
    }

    /// One that the user did not make and may not free: named, or returned by the f90 and value-index functions.
    pub fn is_predefined(&self) -> bool {
        use Combiner::*;
        matches!(self.contents.combiner, Named | F90Real | F90Complex | F90Integer | ValueIndex)
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

    pub fn set_handle(&self, handle: u32) {
        self.handle.store(handle, Relaxed);
    }

    /// The name given with MPI_Type_set_name; of a named predefined type its own; else empty.
    pub fn name(&self) -> String {
        self.name.lock().clone()
    }

    pub fn set_name(&self, name: &str) {
        *self.name.lock() = name.to_owned();
    }

    pub fn attributes(&self) -> &Attributes {
        &self.attributes
    }

    /// For error texts: the name, or how it was made.
    pub fn describe(&self) -> String {
        match &**self.name.lock() {
            "" => {
                let types: Vec<_> = self.basic_types().take(4).map(|b| b.name()).collect();
                format!("{:?} datatype of {} ({} bytes)", self.contents.combiner, types.join(", "), self.size())
            }
            name => name.to_owned(),
        }
    }
}
