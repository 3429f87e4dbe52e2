//! MPI_Type_create_subarray and MPI_Type_create_darray (MPI 5.0 sections 5.1.3 and 5.1.4).
//!
//! Both choose, in each dimension, some of an array's indices, and cover the whole array with their extent. They are
//! built one dimension at a time, from the one that varies fastest.

use std::sync::Arc;

use super::layout::Placed;
use super::shape::{Block, Shape};
use super::signature::Signature;
use super::{Combiner, Contents, Datatype, Form};
use crate::bail;
use crate::error::Result;

/// Storage order, with the standard ABI's numbers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Order {
    C = 0xC,
    Fortran = 0xF,
}

impl Order {
    pub fn of(value: i32) -> Result<Order> {
        match value {
            0xC => Ok(Order::C),
            0xF => Ok(Order::Fortran),
            _ => bail!(ARG, "order {value} is neither MPI_ORDER_C nor MPI_ORDER_FORTRAN"),
        }
    }

    /// The dimensions from the one that varies fastest.
    fn fastest_first(self, dims: usize) -> Vec<usize> {
        match self {
            Order::C => (0..dims).rev().collect(),
            Order::Fortran => (0..dims).collect(),
        }
    }
}

/// MPI_DISTRIBUTE_NONE and the others, and MPI_DISTRIBUTE_DFLT_DARG.
const NONE: i32 = 16;
const BLOCK: i32 = 17;
const CYCLIC: i32 = 18;
const DEFAULT_ARGUMENT: i32 = 19;

/// The chosen part of one dimension: `blocks` full blocks of `length` indices from `start` on, `step` apart, and `rest`
/// indices of one more.
struct Choice {
    start: i64,
    length: i64,
    step: i64,
    blocks: i64,
    rest: i64,
}

/// The array so far: its chosen part in the dimensions already done.
struct Array {
    shape: Shape,
    layout: Placed,
    chosen: i64,
    /// Bytes between neighbours of the next dimension.
    stride: i64,
}

impl Array {
    fn new(old: &Datatype) -> Array {
        // Explicit bounds of the element type do not count: the array's own are set at the end.
        let shape = Shape { marked: false, ..old.shape };
        Array { shape, layout: old.layout.clone(), chosen: 1, stride: old.extent() }
    }

    /// Adds a dimension of `size` indices of which some are chosen.
    fn dimension(&mut self, size: i64, choice: Choice) -> Result<()> {
        let Choice { start, length, step, blocks, rest } = choice;
        // The whole array's extent bounds all products with chosen indices, so one check suffices.
        let Some(whole) = self.stride.checked_mul(size) else {
            bail!(VALUE_TOO_LARGE, "the extent of the whole array does not fit 64 bits");
        };
        let unit = Shape { extent: self.stride, ..self.shape };
        let block = Shape { extent: step.wrapping_mul(self.stride), ..Shape::join([at(0, length, &unit)])? };
        let first = if blocks > 0 { start * self.stride } else { 0 };
        let tail = if rest > 0 { (start + blocks * step) * self.stride } else { 0 };
        self.shape = Shape::join([at(first, blocks, &block), at(tail, rest, &unit)])?;
        let one = &self.layout;
        let full = one.repeated(length as u64, self.stride).repeated(blocks as u64, block.extent);
        let partial = one.repeated(rest as u64, self.stride);
        self.layout = Placed::sequence([full.moved(first), partial.moved(tail)]);
        self.chosen *= length * blocks + rest;
        self.stride = whole;
        Ok(())
    }

    fn finish(self, old: &Datatype, contents: Contents) -> Result<Arc<Datatype>> {
        let shape = self.shape.resized(0, self.stride)?;
        let count = if shape.size == 0 { 0 } else { self.chosen as u64 };
        Datatype::derived(shape, self.layout, Signature::repeated(&old.signature, count), contents)
    }
}

fn at(disp: i64, count: i64, shape: &Shape) -> Block<'_> {
    Block { disp, count, shape }
}

impl Datatype {
    pub fn subarray(
        form: Form,
        sizes: &[i64],
        subsizes: &[i64],
        starts: &[i64],
        order: Order,
        old: &Arc<Datatype>,
    ) -> Result<Arc<Datatype>> {
        let dims = sizes.len();
        assert!(subsizes.len() == dims && starts.len() == dims, "arrays of one length");
        if dims == 0 {
            bail!(ARG, "a subarray needs at least one dimension");
        }
        let contents = Contents::new(Combiner::Subarray, vec![old.clone()]).ints([dims as i32]);
        let contents = contents.counts(form, sizes).counts(form, subsizes).counts(form, starts).ints([order as i32]);
        let mut array = Array::new(old);
        for d in order.fastest_first(dims) {
            let (size, length, start) = (sizes[d], subsizes[d], starts[d]);
            if size < 1 {
                bail!(ARG, "size {size} of dimension {d} must be positive");
            }
            if length < 1 || length > size {
                bail!(ARG, "subsize {length} of dimension {d} must be between 1 and its size {size}");
            }
            if start < 0 || start > size - length {
                bail!(ARG, "start {start} of dimension {d} must be between 0 and {}", size - length);
            }
            array.dimension(size, Choice { start, length, step: 0, blocks: 1, rest: 0 })?;
        }
        array.finish(old, contents)
    }

    /// The part of a distributed array that belongs to process `rank` of `size`.
    #[allow(clippy::too_many_arguments)] // The standard's list.
    pub fn darray(
        form: Form,
        size: i32,
        rank: i32,
        gsizes: &[i64],
        distribs: &[i32],
        dargs: &[i32],
        psizes: &[i32],
        order: Order,
        old: &Arc<Datatype>,
    ) -> Result<Arc<Datatype>> {
        let dims = gsizes.len();
        assert!(distribs.len() == dims && dargs.len() == dims && psizes.len() == dims, "arrays of one length");
        if dims == 0 {
            bail!(ARG, "a distributed array needs at least one dimension");
        }
        if size < 1 || rank < 0 || rank >= size {
            bail!(ARG, "rank {rank} is not one of a group of {size}");
        }
        let coordinates = coordinates(rank, size, psizes)?;
        let contents = Contents::new(Combiner::Darray, vec![old.clone()]).ints([size, rank, dims as i32]);
        let contents = contents.counts(form, gsizes);
        let lists = [distribs, dargs, psizes].into_iter().flatten().copied();
        let contents = contents.ints(lists).ints([order as i32]);
        let mut array = Array::new(old);
        for d in order.fastest_first(dims) {
            let choice = distributed(d, gsizes[d], distribs[d], dargs[d], psizes[d] as i64, coordinates[d])?;
            array.dimension(gsizes[d], choice)?;
        }
        array.finish(old, contents)
    }
}

/// The place of a rank in the process grid, which is row-major whatever the array's order (section 5.1.4).
fn coordinates(rank: i32, size: i32, psizes: &[i32]) -> Result<Vec<i64>> {
    let mut left = size;
    let mut place = rank;
    let mut coordinates = Vec::with_capacity(psizes.len());
    for (d, &p) in psizes.iter().enumerate() {
        if p < 1 || left % p != 0 {
            bail!(ARG, "the process grid {psizes:?} is not one of {size} processes (dimension {d})");
        }
        left /= p;
        coordinates.push((place / left) as i64);
        place %= left;
    }
    if left != 1 {
        bail!(ARG, "the process grid {psizes:?} is not one of {size} processes");
    }
    Ok(coordinates)
}

/// The indices of dimension `d` that fall to process `me` of `processes`.
fn distributed(d: usize, gsize: i64, distrib: i32, darg: i32, processes: i64, me: i64) -> Result<Choice> {
    if gsize < 1 {
        bail!(ARG, "global size {gsize} of dimension {d} must be positive");
    }
    if darg != DEFAULT_ARGUMENT && darg < 1 && distrib != NONE {
        bail!(ARG, "distribution argument {darg} of dimension {d} must be positive");
    }
    let length = match (distrib, darg) {
        (NONE, _) if processes != 1 => {
            bail!(ARG, "dimension {d} is not distributed, so its process grid size must be 1, not {processes}")
        }
        (NONE, _) => gsize,
        (BLOCK, DEFAULT_ARGUMENT) => (gsize - 1) / processes + 1,
        (BLOCK, _) if (darg as i64) * processes < gsize => {
            bail!(ARG, "{processes} blocks of {darg} do not cover the {gsize} of dimension {d}")
        }
        (BLOCK, _) => darg as i64,
        (CYCLIC, DEFAULT_ARGUMENT) => 1,
        (CYCLIC, _) => darg as i64,
        _ => bail!(ARG, "distribution {distrib} of dimension {d} is unknown"),
    };
    // Of all blocks, every `processes`-th is ours; the array's last block may be short, and then it is `rest`.
    let (start, step) = (me * length, processes * length);
    let fitting = gsize - start - length;
    let blocks = if fitting >= 0 { fitting / step + 1 } else { 0 };
    let rest = match start.checked_add(blocks * step) {
        Some(next) if next < gsize => (gsize - next).min(length),
        _ => 0,
    };
    Ok(Choice { start, length, step, blocks, rest })
}
