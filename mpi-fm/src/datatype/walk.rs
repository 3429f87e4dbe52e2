//! Walking a layout: from a range of packed bytes to the pieces of memory that hold them.
//!
//! One recursive function serves packing, unpacking and listing; what is done with each piece is a [`Sink`], so that
//! the compiler makes one specialised walk of each. It starts at any packed byte, inside a basic element too, and finds
//! it in O(depth · log n): nothing needs to be remembered between two calls.

use super::layout::{Kind, Node};

/// What to do with pieces of memory, met in packed order.
pub trait Sink {
    /// # Safety
    /// As the caller of [`walk`] promised, `mem` points to `len` bytes of the user's buffer.
    unsafe fn run(&mut self, mem: *mut u8, len: usize);

    /// `count` runs of `len` bytes, `stride` bytes apart.
    ///
    /// # Safety
    /// As for [`Sink::run`], for each of them.
    unsafe fn runs(&mut self, mem: *mut u8, len: usize, stride: isize, count: usize) {
        for i in 0..count {
            // SAFETY: one of the runs that the caller vouches for.
            unsafe { self.run(at(mem, i as u64, stride as i64), len) }
        }
    }

    /// Runs of `len` bytes each at `mem + disp`.
    ///
    /// # Safety
    /// As for [`Sink::run`], for each of them.
    unsafe fn blocks(&mut self, mem: *mut u8, len: usize, disps: &[i64]) {
        for &disp in disps {
            // SAFETY: one of the runs that the caller vouches for.
            unsafe { self.run(mem.wrapping_offset(disp as isize), len) }
        }
    }

    /// `count` items of several runs, `stride` bytes apart: an array of structures.
    ///
    /// # Safety
    /// As for [`Sink::run`], for each run of each item.
    unsafe fn items(&mut self, mem: *mut u8, fields: Fields<'_>, stride: isize, count: usize) {
        // SAFETY: the caller's.
        unsafe { one_by_one(self, mem, fields, stride, count) }
    }
}

/// What [`Sink::items`] does if the sink has nothing better.
///
/// # Safety
/// As for [`Sink::items`].
pub unsafe fn one_by_one(
    sink: &mut (impl Sink + ?Sized),
    mem: *mut u8,
    fields: Fields<'_>,
    stride: isize,
    count: usize,
) {
    for i in 0..count {
        let item = at(mem, i as u64, stride as i64);
        for j in 0..fields.disps.len() {
            // SAFETY: one of the runs that the caller vouches for.
            unsafe { sink.run(item.wrapping_offset(fields.disps[j] as isize), fields.len(j)) }
        }
    }
}

/// The runs of one item: a [`Kind::Runs`] or [`Kind::Blocks`] node.
#[derive(Clone, Copy)]
pub struct Fields<'a> {
    pub disps: &'a [i64],
    /// Packed place of each; `None`: all have the same length.
    pub starts: Option<&'a [u64]>,
    /// Packed bytes of one item.
    pub size: usize,
}

impl<'a> Fields<'a> {
    fn of(node: &'a Node) -> Option<Fields<'a>> {
        let size = node.size as usize;
        match &node.kind {
            Kind::Blocks { disps, .. } => Some(Fields { disps, starts: None, size }),
            Kind::Runs { starts, disps } => Some(Fields { disps, starts: Some(starts), size }),
            _ => None,
        }
    }

    pub fn start(&self, j: usize) -> usize {
        match self.starts {
            Some(starts) if j < starts.len() => starts[j] as usize,
            Some(_) => self.size,
            None => self.size / self.disps.len() * j,
        }
    }

    pub fn len(&self, j: usize) -> usize {
        self.start(j + 1) - self.start(j)
    }

    /// Items `stride` bytes apart do not reach into one another.
    pub fn are_apart(&self, stride: isize) -> bool {
        let lo = self.disps.iter().min().copied().unwrap_or(0);
        let hi = (0..self.disps.len()).map(|j| self.disps[j] + self.len(j) as i64).max().unwrap_or(0);
        hi.abs_diff(lo) <= stride.unsigned_abs() as u64
    }
}

/// The address `index` strides from `mem`. Wrapping: with MPI_BOTTOM the origin is null and displacements are addresses,
/// and a negative stride's origin may lie outside of any object.
#[inline(always)]
pub fn at(mem: *mut u8, index: u64, stride: i64) -> *mut u8 {
    mem.wrapping_offset((index as i64).wrapping_mul(stride) as isize)
}

/// Visits packed bytes `skip .. skip + take` of a node whose first byte lies at `mem`.
///
/// # Safety
/// The range lies within the node's size, and its memory is valid for what `sink` does with it.
pub unsafe fn walk<S: Sink>(node: &Node, mem: *mut u8, skip: u64, take: u64, sink: &mut S) {
    debug_assert!(skip + take <= node.size);
    if take == 0 {
        return;
    }
    // SAFETY: sub-ranges of the range the caller vouches for, at the places the node gives them.
    unsafe {
        match &node.kind {
            Kind::Nothing => {}
            Kind::Run => sink.run(at(mem, skip, 1), take as usize),
            Kind::Loop { stride, child } => walk_loop(child, *stride, mem, skip, take, sink),
            Kind::Blocks { len, disps } => {
                let (mut i, inside, mut left) = ((skip / len) as usize, skip % len, take);
                let place = |i: usize, inside| at(mem, inside, 1).wrapping_offset(disps[i] as isize);
                if inside > 0 {
                    let n = left.min(len - inside);
                    sink.run(place(i, inside), n as usize);
                    (i, left) = (i + 1, left - n);
                }
                let whole = (left / len) as usize;
                sink.blocks(mem, *len as usize, &disps[i..i + whole]);
                let rest = left % len;
                if rest > 0 {
                    sink.run(place(i + whole, 0), rest as usize);
                }
            }
            Kind::Runs { starts, disps } => {
                for_each_part(starts, node.size, skip, take, |i, inside, n| {
                    sink.run(at(mem, inside, 1).wrapping_offset(disps[i] as isize), n as usize)
                })
            }
            Kind::Parts { starts, parts } => for_each_part(starts, node.size, skip, take, |i, inside, n| {
                walk(&parts[i].node, mem.wrapping_offset(parts[i].disp as isize), inside, n, sink)
            }),
        }
    }
}

/// As [`walk`], of copies of `child` that lie `stride` bytes apart; there are as many as the range needs.
///
/// # Safety
/// As for [`walk`].
pub unsafe fn walk_loop<S: Sink>(child: &Node, stride: i64, mem: *mut u8, skip: u64, take: u64, sink: &mut S) {
    let size = child.size;
    let (mut i, inside, mut left) = (skip / size, skip % size, take);
    // SAFETY: sub-ranges of the range the caller vouches for.
    unsafe {
        if inside > 0 {
            let n = left.min(size - inside);
            walk(child, at(mem, i, stride), inside, n, sink);
            (i, left) = (i + 1, left - n);
        }
        let whole = left / size;
        if whole > 0 {
            let first = at(mem, i, stride);
            match (&child.kind, Fields::of(child)) {
                (Kind::Run, _) => sink.runs(first, size as usize, stride as isize, whole as usize),
                (_, Some(fields)) if fields.disps.len() <= FIELDS_MAX => {
                    sink.items(first, fields, stride as isize, whole as usize)
                },
                _ => {
                    for k in i..i + whole {
                        walk(child, at(mem, k, stride), 0, size, sink);
                    }
                }
            }
        }
        let rest = left - whole * size;
        if rest > 0 {
            walk(child, at(mem, i + whole, stride), 0, rest, sink);
        }
    }
}

/// Structures of more runs than this are walked one by one.
const FIELDS_MAX: usize = 64;

/// Cuts a range of packed bytes at the starts of parts: calls `visit(part, offset inside it, bytes)`.
fn for_each_part(starts: &[u64], size: u64, skip: u64, take: u64, mut visit: impl FnMut(usize, u64, u64)) {
    let mut i = match skip {
        0 => 0,
        _ => starts.partition_point(|&start| start <= skip) - 1,
    };
    let (mut inside, mut left) = (skip - starts[i], take);
    while left > 0 {
        let end = starts.get(i + 1).copied().unwrap_or(size);
        let n = left.min(end - starts[i] - inside);
        visit(i, inside, n);
        (i, inside, left) = (i + 1, 0, left - n);
    }
}
