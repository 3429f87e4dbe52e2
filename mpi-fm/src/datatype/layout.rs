//! The layout program: where the packed bytes of one datatype lie in memory, as a normalised tree of loops.
//!
//! A [`Node`] says how its packed bytes 0, 1, 2, … are spread over memory, relative to the first of them, so that equal
//! patterns are equal nodes wherever they stand; a [`Placed`] node adds the displacement. Every node knows its packed
//! size, and lists keep running sums, so any packed offset is found by one division or one binary search per level
//! ([`super::walk`]). The tree's size is that of the description: a count never unrolls anything.
//!
//! The constructors here normalise: blocks that touch become one, a loop of contiguous pieces becomes a longer piece,
//! equal distances become a loop, loops that continue one another become one loop.

use std::sync::Arc;

#[derive(Debug, PartialEq)]
pub struct Node {
    /// Packed bytes; above 0 but for [`Kind::Nothing`].
    pub size: u64,
    pub kind: Kind,
}

#[derive(Debug, PartialEq)]
pub enum Kind {
    Nothing,
    /// `size` contiguous bytes.
    Run,
    /// Copies of `child`, `stride` bytes apart: as many as fill `size`.
    Loop { stride: i64, child: Arc<Node> },
    /// Runs of `len` bytes each.
    Blocks { len: u64, disps: Box<[i64]> },
    /// Runs of different lengths; the one at `disps[i]` holds packed bytes from `starts[i]` on.
    Runs { starts: Box<[u64]>, disps: Box<[i64]> },
    /// Anything; `starts` as in `Runs`.
    Parts { starts: Box<[u64]>, parts: Box<[Placed]> },
}

/// A node whose first packed byte lies `disp` bytes from the origin.
#[derive(Clone, Debug, PartialEq)]
pub struct Placed {
    pub disp: i64,
    pub node: Arc<Node>,
}

/// Lists of runs up to this long are copied into the list that contains them, longer ones are shared.
const INLINE_RUNS: usize = 16;

impl Placed {
    pub fn nothing() -> Placed {
        Placed { disp: 0, node: Arc::new(Node { size: 0, kind: Kind::Nothing }) }
    }

    pub fn run(disp: i64, size: u64) -> Placed {
        match size {
            0 => Placed::nothing(),
            _ => Placed { disp, node: Arc::new(Node { size, kind: Kind::Run }) },
        }
    }

    pub fn is_run(&self) -> bool {
        matches!(self.node.kind, Kind::Run)
    }

    pub fn moved(&self, by: i64) -> Placed {
        // The caller's shape was checked: every byte's displacement fits 64 bits.
        Placed { disp: self.disp.wrapping_add(by), node: self.node.clone() }
    }

    /// `count` copies of `self`, `stride` bytes apart.
    pub fn repeated(&self, count: u64, stride: i64) -> Placed {
        let node = &self.node;
        if count == 0 || node.size == 0 {
            return Placed::nothing();
        }
        if count == 1 {
            return self.clone();
        }
        let size = count * node.size;
        let kind = match &node.kind {
            Kind::Run if stride >= 0 && stride as u64 == node.size => Kind::Run,
            // The next copy goes on where the inner loop stopped: one loop.
            Kind::Loop { stride: inner, child }
                if (node.size / child.size) as i128 * *inner as i128 == stride as i128 =>
            {
                Kind::Loop { stride: *inner, child: child.clone() }
            }
            _ => Kind::Loop { stride, child: node.clone() },
        };
        Placed { disp: self.disp, node: Arc::new(Node { size, kind }) }
    }

    /// The parts one after the other.
    pub fn sequence(parts: impl IntoIterator<Item = Placed>) -> Placed {
        let mut list = List::default();
        for part in parts {
            list.push(part);
        }
        list.finish()
    }
}

/// Parts being gathered; as long as all are runs, as runs.
#[derive(Default)]
struct List {
    runs: Vec<(i64, u64)>,
    /// Everything so far, once something other than a run was met; then `runs` holds only runs not yet moved here.
    parts: Vec<Placed>,
}

impl List {
    fn push(&mut self, part: Placed) {
        match &part.node.kind {
            Kind::Nothing => {}
            Kind::Run => self.push_run(part.disp, part.node.size),
            Kind::Blocks { len, disps } if disps.len() <= INLINE_RUNS => {
                for disp in disps {
                    self.push_run(part.disp.wrapping_add(*disp), *len);
                }
            }
            Kind::Runs { starts, disps } if disps.len() <= INLINE_RUNS => {
                for (i, disp) in disps.iter().enumerate() {
                    let end = starts.get(i + 1).copied().unwrap_or(part.node.size);
                    self.push_run(part.disp.wrapping_add(*disp), end - starts[i]);
                }
            }
            Kind::Parts { parts, .. } if parts.len() <= INLINE_RUNS => {
                for inner in parts {
                    self.push(inner.moved(part.disp));
                }
            }
            _ => {
                self.flush();
                self.parts.push(part);
            }
        }
    }

    fn push_run(&mut self, disp: i64, size: u64) {
        match self.runs.last_mut() {
            Some((last, len)) if last.wrapping_add(*len as i64) == disp => *len += size,
            _ => self.runs.push((disp, size)),
        }
    }

    /// Turns the runs gathered so far into one part.
    fn flush(&mut self) {
        let runs = std::mem::take(&mut self.runs);
        if !runs.is_empty() {
            self.parts.push(of_runs(runs));
        }
    }

    fn finish(mut self) -> Placed {
        if self.parts.is_empty() {
            return match self.runs.len() {
                0 => Placed::nothing(),
                _ => of_runs(self.runs),
            };
        }
        self.flush();
        of_parts(self.parts)
    }
}

/// The common distance of at least two places, if there is one.
fn even_distance(mut places: impl Iterator<Item = i64>) -> Option<i64> {
    let (first, second) = (places.next()?, places.next()?);
    let distance = second.checked_sub(first)?;
    let mut last = second;
    for place in places {
        if place.checked_sub(last)? != distance {
            return None;
        }
        last = place;
    }
    Some(distance)
}

fn of_runs(runs: Vec<(i64, u64)>) -> Placed {
    let (disp, len) = runs[0];
    if runs.len() == 1 {
        return Placed::run(disp, len);
    }
    let relative = || runs.iter().map(|&(d, _)| d.wrapping_sub(disp));
    let equal = runs.iter().all(|&(_, l)| l == len);
    if equal && let Some(stride) = even_distance(relative()) {
        return Placed::run(disp, len).repeated(runs.len() as u64, stride);
    }
    let mut size = 0;
    let starts: Box<[u64]> = runs.iter().map(|&(_, l)| (size, size += l).0).collect();
    let kind = match equal {
        true => Kind::Blocks { len, disps: relative().collect() },
        false => Kind::Runs { starts, disps: relative().collect() },
    };
    Placed { disp, node: Arc::new(Node { size, kind }) }
}

fn of_parts(parts: Vec<Placed>) -> Placed {
    let first = parts[0].clone();
    if parts.len() == 1 {
        return first;
    }
    let same = parts.iter().all(|p| Arc::ptr_eq(&p.node, &first.node));
    if same && let Some(stride) = even_distance(parts.iter().map(|p| p.disp)) {
        return first.repeated(parts.len() as u64, stride);
    }
    let mut size = 0;
    let starts = parts.iter().map(|p| (size, size += p.node.size).0).collect();
    let parts = parts.iter().map(|p| p.moved(first.disp.wrapping_neg())).collect();
    Placed { disp: first.disp, node: Arc::new(Node { size, kind: Kind::Parts { starts, parts } }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn loop_of(size: u64, stride: i64, child: Node) -> Node {
        Node { size, kind: Kind::Loop { stride, child: Arc::new(child) } }
    }

    fn run(size: u64) -> Node {
        Node { size, kind: Kind::Run }
    }

    #[test]
    fn touching_runs_merge() {
        let p = Placed::sequence([Placed::run(8, 4), Placed::run(12, 4), Placed::run(16, 8)]);
        assert_eq!((p.disp, &*p.node), (8, &run(16)));
    }

    #[test]
    fn contiguous_loops_are_runs_and_nested_loops_that_continue_are_one() {
        let int = Placed::run(0, 4);
        assert_eq!(*int.repeated(10, 4).repeated(3, 40).node, run(120));
        let column = int.repeated(5, 100);
        assert_eq!(*column.repeated(2, 500).node, loop_of(40, 100, run(4)));
        assert_eq!(*column.repeated(2, 4).node, loop_of(40, 4, loop_of(20, 100, run(4))));
    }

    #[test]
    fn even_lists_become_loops_backwards_too() {
        let p = Placed::sequence([90, 60, 30, 0].map(|d| Placed::run(d, 8)));
        assert_eq!((p.disp, &*p.node), (90, &loop_of(32, -30, run(8))));
        let column = Placed::run(0, 4).repeated(5, 100);
        let p = Placed::sequence([0, 8, 16].map(|d| column.moved(d)));
        assert_eq!(*p.node, loop_of(60, 8, loop_of(20, 100, run(4))));
    }

    #[test]
    fn uneven_lists_keep_equal_lengths_apart_from_different_ones() {
        let p = Placed::sequence([0, 8, 20].map(|d| Placed::run(d, 4)));
        assert!(matches!(&p.node.kind, Kind::Blocks { len: 4, disps } if **disps == [0, 8, 20]));
        let p = Placed::sequence([Placed::run(4, 4), Placed::run(16, 2)]);
        assert!(matches!(&p.node.kind, Kind::Runs { disps, .. } if **disps == [0, 12]));
    }

    #[test]
    fn nothing_leaves_no_trace() {
        let p = Placed::sequence([Placed::nothing(), Placed::run(4, 0), Placed::run(8, 1).repeated(0, 3)]);
        assert_eq!(p, Placed::nothing());
    }
}
