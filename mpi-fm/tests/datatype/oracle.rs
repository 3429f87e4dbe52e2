//! The naive side: a datatype as the list of its basic elements, straight from the standard's definitions.

use mpi_fm::datatype::array::Order;
use mpi_fm::datatype::{Basic, Datatype, Form, Predefined};
use proptest::prelude::*;
use std::sync::Arc;

/// A constructor call with its arguments.
#[derive(Clone, Debug)]
pub enum Desc {
    Basic(Basic),
    Contiguous(i64, Box<Desc>),
    Vector(i64, i64, i64, Box<Desc>),
    Hvector(i64, i64, i64, Box<Desc>),
    /// Block lengths with displacements.
    Indexed(Vec<(i64, i64)>, Box<Desc>),
    Hindexed(Vec<(i64, i64)>, Box<Desc>),
    IndexedBlock(i64, Vec<i64>, Box<Desc>),
    HindexedBlock(i64, Vec<i64>, Box<Desc>),
    Struct(Vec<(i64, i64, Desc)>),
    Resized(i64, i64, Box<Desc>),
    Dup(Box<Desc>),
    /// Size, subsize and start of each dimension.
    Subarray(Vec<(i64, i64, i64)>, bool, Box<Desc>),
    /// Rank; global size, distribution, argument and process count of each dimension.
    Darray(i32, Vec<(i64, i32, i32, i32)>, bool, Box<Desc>),
}

/// Type map: elements in order, and explicit bounds.
#[derive(Clone, Debug, Default)]
pub struct Map {
    pub elements: Vec<(Basic, i64)>,
    pub marks: Vec<(i64, i64)>,
    /// Where the components end, with their padding.
    pub ends: Vec<i64>,
}

pub const ELEMENTS_MAX: usize = 3000;

impl Map {
    pub fn size(&self) -> i64 {
        self.elements.iter().map(|(b, _)| b.size() as i64).sum()
    }

    pub fn true_lb(&self) -> i64 {
        self.elements.iter().map(|&(_, d)| d).min().unwrap_or(0)
    }

    pub fn true_ub(&self) -> i64 {
        self.elements.iter().map(|&(b, d)| d + b.size() as i64).max().unwrap_or(0)
    }

    pub fn lb(&self) -> i64 {
        self.marks.iter().map(|m| m.0).min().unwrap_or(self.true_lb())
    }

    pub fn ub(&self) -> i64 {
        let step = self.elements.iter().map(|(b, _)| b.alignment() as i64).max().unwrap_or(1);
        let rounded = || {
            let mut ub = self.ends.iter().copied().max().unwrap_or(i64::MIN).max(self.true_ub());
            while (ub - self.lb()) % step != 0 {
                ub += 1;
            }
            ub
        };
        self.marks.iter().map(|m| m.1).max().unwrap_or_else(rounded)
    }

    pub fn extent(&self) -> i64 {
        self.ub() - self.lb()
    }

    fn add(&mut self, other: &Map, disp: i64) {
        self.elements.extend(other.elements.iter().map(|&(b, d)| (b, d + disp)));
        if other.marks.is_empty() && !other.elements.is_empty() {
            self.ends.push(other.ub() + disp);
        }
        self.marks.extend(other.marks.iter().map(|&(l, u)| (l + disp, u + disp)));
    }

    /// `count` copies an extent apart.
    fn add_block(&mut self, other: &Map, count: i64, disp: i64) {
        let extent = other.extent();
        for i in 0..count {
            self.add(other, disp + i * extent);
        }
    }

    /// The displacement of every packed byte of `count` items.
    pub fn bytes(&self, count: usize) -> Vec<i64> {
        let mut all = Map::default();
        all.add_block(self, count as i64, 0);
        all.elements.iter().flat_map(|&(b, d)| (0..b.size() as i64).map(move |i| d + i)).collect()
    }
}

impl Desc {
    pub fn map(&self) -> Map {
        let mut map = Map::default();
        match self {
            Desc::Basic(basic) => match basic.row().pair {
                None => map.elements.push((*basic, 0)),
                Some((value, index)) => {
                    let at = value.size().next_multiple_of(index.alignment());
                    map.elements = vec![(value, 0), (index, at as i64)];
                }
            },
            Desc::Contiguous(count, old) => map.add_block(&old.map(), *count, 0),
            Desc::Vector(count, length, stride, old) => {
                let old = old.map();
                (0..*count).for_each(|i| map.add_block(&old, *length, i * stride * old.extent()));
            }
            Desc::Hvector(count, length, stride, old) => {
                let old = old.map();
                (0..*count).for_each(|i| map.add_block(&old, *length, i * stride));
            }
            Desc::Indexed(blocks, old) => {
                let old = old.map();
                blocks.iter().for_each(|&(n, d)| map.add_block(&old, n, d * old.extent()));
            }
            Desc::Hindexed(blocks, old) => {
                let old = old.map();
                blocks.iter().for_each(|&(n, d)| map.add_block(&old, n, d));
            }
            Desc::IndexedBlock(n, disps, old) => {
                let old = old.map();
                disps.iter().for_each(|&d| map.add_block(&old, *n, d * old.extent()));
            }
            Desc::HindexedBlock(n, disps, old) => {
                let old = old.map();
                disps.iter().for_each(|&d| map.add_block(&old, *n, d));
            }
            Desc::Struct(blocks) => blocks.iter().for_each(|(n, d, old)| map.add_block(&old.map(), *n, *d)),
            Desc::Resized(lb, extent, old) => map = Map { marks: vec![(*lb, lb + extent)], ..old.map() },
            Desc::Dup(old) => map = old.map(),
            Desc::Subarray(dims, fortran, old) => {
                let sizes: Vec<i64> = dims.iter().map(|d| d.0).collect();
                map = chosen(&sizes, *fortran, &old.map(), |d, i| (dims[d].2..dims[d].2 + dims[d].1).contains(&i));
            }
            Desc::Darray(rank, dims, fortran, old) => {
                let sizes: Vec<i64> = dims.iter().map(|d| d.0).collect();
                let mut left = *rank as i64;
                let mut coordinates: Vec<i64> = Vec::new();
                for d in dims.iter().rev() {
                    coordinates.insert(0, left % d.3 as i64);
                    left /= d.3 as i64;
                }
                map = chosen(&sizes, *fortran, &old.map(), |d, i| owner(dims[d], i) == coordinates[d]);
            }
        }
        map
    }

    pub fn build(&self, types: &Predefined) -> Arc<Datatype> {
        let form = Form::Int;
        let split = |pairs: &[(i64, i64)]| -> (Vec<i64>, Vec<i64>) { pairs.iter().copied().unzip() };
        let order = |fortran| if fortran { Order::Fortran } else { Order::C };
        match self {
            Desc::Basic(basic) => Ok(types.get(*basic).clone()),
            Desc::Contiguous(count, old) => Datatype::contiguous(form, *count, &old.build(types)),
            Desc::Vector(n, length, stride, old) => Datatype::vector(form, *n, *length, *stride, &old.build(types)),
            Desc::Hvector(n, length, stride, old) => Datatype::hvector(form, *n, *length, *stride, &old.build(types)),
            Desc::Indexed(blocks, old) => {
                let (lengths, disps) = split(blocks);
                Datatype::indexed(form, &lengths, &disps, &old.build(types))
            }
            Desc::Hindexed(blocks, old) => {
                let (lengths, disps) = split(blocks);
                Datatype::hindexed(form, &lengths, &disps, &old.build(types))
            }
            Desc::IndexedBlock(n, disps, old) => Datatype::indexed_block(form, *n, disps, &old.build(types)),
            Desc::HindexedBlock(n, disps, old) => Datatype::hindexed_block(form, *n, disps, &old.build(types)),
            Desc::Struct(blocks) => {
                let lengths: Vec<_> = blocks.iter().map(|b| b.0).collect();
                let disps: Vec<_> = blocks.iter().map(|b| b.1).collect();
                let olds: Vec<_> = blocks.iter().map(|b| b.2.build(types)).collect();
                Datatype::structure(form, &lengths, &disps, &olds)
            }
            Desc::Resized(lb, extent, old) => Datatype::resized(form, &old.build(types), *lb, *extent),
            Desc::Dup(old) => Datatype::dup(&old.build(types)),
            Desc::Subarray(dims, fortran, old) => {
                let part = |f: fn(&(i64, i64, i64)) -> i64| dims.iter().map(f).collect::<Vec<_>>();
                let (sizes, subsizes, starts) = (part(|d| d.0), part(|d| d.1), part(|d| d.2));
                Datatype::subarray(form, &sizes, &subsizes, &starts, order(*fortran), &old.build(types))
            }
            Desc::Darray(rank, dims, fortran, old) => {
                let sizes: Vec<_> = dims.iter().map(|d| d.0).collect();
                let part = |f: fn(&(i64, i32, i32, i32)) -> i32| dims.iter().map(f).collect::<Vec<_>>();
                let (distribs, dargs, grid) = (part(|d| d.1), part(|d| d.2), part(|d| d.3));
                let n = grid.iter().product();
                let old = old.build(types);
                Datatype::darray(form, n, *rank, &sizes, &distribs, &dargs, &grid, order(*fortran), &old)
            }
        }
        .expect("valid arguments")
    }
}

/// Sections 5.1.3 and 5.1.4: of a whole array in storage order, the elements whose every index is chosen.
fn chosen(sizes: &[i64], fortran: bool, old: &Map, is_chosen: impl Fn(usize, i64) -> bool) -> Map {
    let mut map = Map::default();
    let total: i64 = sizes.iter().product();
    for place in 0..total {
        let mut left = place;
        let mut all = true;
        let dims: Vec<usize> = if fortran { (0..sizes.len()).collect() } else { (0..sizes.len()).rev().collect() };
        for d in dims {
            all &= is_chosen(d, left % sizes[d]);
            left /= sizes[d];
        }
        if all {
            map.add(old, place * old.extent());
        }
    }
    map.marks = vec![(0, total * old.extent())];
    map
}

pub const NONE: i32 = 16;
pub const BLOCK: i32 = 17;
pub const CYCLIC: i32 = 18;
pub const DEFAULT: i32 = 19;

/// Which process of its dimension an index of a distributed array belongs to.
fn owner((gsize, distrib, darg, processes): (i64, i32, i32, i32), index: i64) -> i64 {
    let (darg, processes) = (if darg == DEFAULT { None } else { Some(darg as i64) }, processes as i64);
    match distrib {
        NONE => 0,
        BLOCK => index / darg.unwrap_or((gsize + processes - 1) / processes),
        _ => index / darg.unwrap_or(1) % processes,
    }
}

fn dimension() -> impl Strategy<Value = (i64, i32, i32, i32)> {
    let cyclic = (1i64..9, prop_oneof![Just(DEFAULT), 1i32..5], 1i32..4).prop_map(|(g, k, p)| (g, CYCLIC, k, p));
    let block = (1i64..9, 1i32..4, 0i32..3).prop_map(|(g, p, more)| {
        let least = (g as i32 + p - 1) / p;
        (g, BLOCK, if more == 2 { DEFAULT } else { least + more }, p)
    });
    prop_oneof![cyclic, block, (1i64..6).prop_map(|g| (g, NONE, DEFAULT, 1))]
}

pub fn desc() -> impl Strategy<Value = Desc> {
    let basic = prop_oneof![
        Just(Basic::MPI_CHAR),
        Just(Basic::MPI_SHORT),
        Just(Basic::MPI_INT),
        Just(Basic::MPI_DOUBLE),
        Just(Basic::MPI_C_DOUBLE_COMPLEX),
        Just(Basic::MPI_DOUBLE_INT),
        Just(Basic::MPI_SHORT_INT),
    ];
    let leaf = basic.prop_map(Desc::Basic).boxed();
    leaf.prop_recursive(4, 24, 4, |inner| {
        let inner = inner.prop_filter("small", |d| d.map().elements.len() <= 200);
        let old = inner.clone().prop_map(Box::new).boxed();
        let blocks = |n| prop::collection::vec((0i64..4, -9i64..9), 0..n);
        prop_oneof![
            (0i64..6, old.clone()).prop_map(|(n, o)| Desc::Contiguous(n, o)),
            (0i64..6, 0i64..4, -5i64..8, old.clone()).prop_map(|(n, l, s, o)| Desc::Vector(n, l, s, o)),
            (0i64..6, 0i64..4, -70i64..90, old.clone()).prop_map(|(n, l, s, o)| Desc::Hvector(n, l, s, o)),
            (blocks(6), old.clone()).prop_map(|(b, o)| Desc::Indexed(b, o)),
            (prop::collection::vec((0i64..4, -90i64..90), 0..6), old.clone()).prop_map(|(b, o)| Desc::Hindexed(b, o)),
            (0i64..4, prop::collection::vec(-9i64..9, 0..6), old.clone())
                .prop_map(|(n, d, o)| Desc::IndexedBlock(n, d, o)),
            (0i64..4, prop::collection::vec(-90i64..90, 0..6), old.clone())
                .prop_map(|(n, d, o)| Desc::HindexedBlock(n, d, o)),
            prop::collection::vec((0i64..3, -90i64..90, inner), 0..4).prop_map(Desc::Struct),
            (-30i64..30, -60i64..90, old.clone()).prop_map(|(l, e, o)| Desc::Resized(l, e, o)),
            old.clone().prop_map(Desc::Dup),
            (prop::collection::vec((1i64..5, 0i64..4, 0i64..4), 1..4), any::<bool>(), old.clone()).prop_map(
                |(dims, fortran, o)| {
                    let fit = |(sub, start, rest): (i64, i64, i64)| (sub + start + rest, sub, start);
                    Desc::Subarray(dims.into_iter().map(fit).collect(), fortran, o)
                }
            ),
            (any::<u16>(), prop::collection::vec(dimension(), 1..4), any::<bool>(), old).prop_map(
                |(r, dims, fortran, o)| {
                    let processes: i32 = dims.iter().map(|d| d.3).product();
                    Desc::Darray(r as i32 % processes, dims, fortran, o)
                }
            ),
        ]
    })
    .prop_filter("small", |d| d.map().elements.len() <= ELEMENTS_MAX)
}
