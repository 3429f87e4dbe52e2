//! One process's predefined datatype objects.
//!
//! They are values, not statics: names and attributes of MPI_INT belong to one process, and a test has many.

use std::sync::Arc;

use parking_lot::Mutex;

use super::basic::{FIRST_HANDLE, HANDLES, TABLE};
use super::layout::Placed;
use super::shape::{Block, Shape};
use super::{Basic, Contents, Datatype};
use crate::error::Result;

/// The named types, and those that are predefined but made on request: the same arguments must give the same handle
/// each time (MPI 5.0 section 19.1.9).
#[derive(Debug)]
pub struct Predefined {
    named: Vec<Arc<Datatype>>,
    /// The same by handle, less the first: what most calls look for.
    by_handle: Box<[Option<Arc<Datatype>>; HANDLES]>,
    unnamed: Mutex<Vec<Arc<Datatype>>>,
}

impl Default for Predefined {
    fn default() -> Predefined {
        Predefined::new()
    }
}

impl Predefined {
    pub fn new() -> Predefined {
        let named: Vec<_> = Basic::all().map(Datatype::predefined).collect();
        let of_handle = |at: usize| Basic::of_handle(FIRST_HANDLE + at as u32).map(|basic| Arc::clone(&named[basic.index()]));
        Predefined { by_handle: Box::new(std::array::from_fn(of_handle)), named, unnamed: Mutex::default() }
    }

    /// The named type of an ABI handle.
    #[inline]
    pub fn of_handle(&self, handle: u32) -> Option<&Arc<Datatype>> {
        self.by_handle.get(handle.wrapping_sub(FIRST_HANDLE) as usize)?.as_ref()
    }

    #[inline]
    pub fn get(&self, basic: Basic) -> &Arc<Datatype> {
        &self.named[basic.index()]
    }

    pub fn all(&self) -> &[Arc<Datatype>] {
        debug_assert_eq!(self.named.len(), TABLE.len());
        &self.named
    }

    /// The unnamed type made with these arguments, made now if this is the first time.
    pub(super) fn unnamed(
        &self,
        contents: Contents,
        make: impl FnOnce(Contents) -> Result<Arc<Datatype>>,
    ) -> Result<Arc<Datatype>> {
        let mut unnamed = self.unnamed.lock();
        let same = |ty: &&Arc<Datatype>| {
            let (a, b) = (&ty.contents, &contents);
            let types = || a.types.iter().zip(&b.types);
            a.combiner == b.combiner && a.integers == b.integers && types().all(|(a, b)| Arc::ptr_eq(a, b))
        };
        if let Some(known) = unnamed.iter().find(same) {
            return Ok(known.clone());
        }
        let ty = make(contents)?;
        unnamed.push(ty.clone());
        Ok(ty)
    }
}

impl Datatype {
    /// Value and index type of a pair or a duplicate of one.
    pub fn pair(&self) -> Option<(Basic, Basic)> {
        self.basic?.row().pair
    }
}

/// Where the index of a pair stands: as in the C struct of value and index.
pub(crate) fn index_offset(value: Basic, index: Basic) -> i64 {
    value.size().next_multiple_of(index.alignment()) as i64
}

/// A pair is laid out as the C struct of its two parts (MPI 5.0 section 6.9.4).
pub(super) fn pair(value: Basic, index: Basic) -> (Shape, Placed) {
    let shapes = [value, index].map(|b| Shape::basic(b.size() as i64, b.alignment() as i64));
    let at = index_offset(value, index);
    let blocks = [Block { disp: 0, count: 1, shape: &shapes[0] }, Block { disp: at, count: 1, shape: &shapes[1] }];
    let shape = Shape::join(blocks).expect("two basic elements overflow nothing");
    (shape, Placed::sequence([Placed::run(0, value.size()), Placed::run(at, index.size())]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_c_structs() {
        let types = Predefined::new();
        for (basic, size, extent) in [
            (Basic::MPI_FLOAT_INT, 8, 8),
            (Basic::MPI_DOUBLE_INT, 12, 16),
            (Basic::MPI_LONG_INT, 12, 16),
            (Basic::MPI_SHORT_INT, 6, 8),
            (Basic::MPI_2INT, 8, 8),
            (Basic::MPI_LONG_DOUBLE_INT, 20, 32),
            (Basic::MPI_2DOUBLE_PRECISION, 16, 16),
        ] {
            let ty = types.get(basic);
            assert_eq!((ty.size(), ty.extent()), (size, extent), "{basic:?}");
            assert_eq!(ty.elements(size), Some(2));
        }
        assert!(types.get(Basic::MPI_2INT).is_contiguous());
        assert!(!types.get(Basic::MPI_DOUBLE_INT).is_contiguous());
    }
}
