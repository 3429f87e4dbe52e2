//! Calls that reduce.

use crate::memory::{Memory, types};
use crate::perform::{Way, jobs, perform, value, way};
use mpi_fm::coll::reduce_scatter::Counts;
use mpi_fm::coll::{Allreduce, Held, Ints, Reduce, ReduceScatter, Root, Scan};
use mpi_fm::datatype::{Basic, Form};
use mpi_fm::op::Builtin;
use mpi_fm::{Datatype, Op, Process};
use std::ffi::{c_int, c_void};
use std::sync::Arc;

const LENGTHS: [usize; 5] = [0, 1, 5, 1000, 9_000];

/// Two numbers `(a, b)` that stand for the function `x ↦ a x + b`; with a hole before, between and after them.
fn affine(process: &Process) -> Arc<Datatype> {
    let int = process.types.get(Basic::MPI_INT);
    let parts = Datatype::hindexed(Form::Int, &[1, 1], &[4, 12], int).unwrap();
    Datatype::resized(Form::Int, &parts, 0, 20).unwrap()
}

fn compose(left: [i32; 2], right: [i32; 2]) -> [i32; 2] {
    [left[0].wrapping_mul(right[0]), left[0].wrapping_mul(right[1]).wrapping_add(left[1])]
}

/// Composition of affine functions: associative, not commutative.
unsafe extern "C" fn compose_items(left: *mut c_void, right: *mut c_void, len: *mut c_int, _: *mut *mut c_void) {
    // SAFETY: items of the type `affine`, as the contract of reduction functions says.
    unsafe {
        for item in 0..*len as usize {
            let at = |base: *mut c_void, offset: usize| base.byte_add(20 * item + offset).cast::<i32>();
            let [a, b] = compose([*at(left, 4), *at(left, 12)], [*at(right, 4), *at(right, 12)]);
            at(right, 4).write(a);
            at(right, 12).write(b);
        }
    }
}

/// A case: type, operation, and the result of `ranks` (not empty) for some numbers of an item.
struct Case {
    ty: Arc<Datatype>,
    op: Arc<Op>,
    commutative: bool,
}

impl Case {
    fn of(process: &Process, kind: usize) -> Case {
        match kind {
            0 => Case { ty: types(process).remove(0), op: process.ops.get(Builtin::Sum).clone(), commutative: true },
            // SAFETY: the function keeps the contract for the type it is used with.
            _ => Case { ty: affine(process), op: Arc::new(unsafe { Op::user(compose_items, false) }), commutative: false },
        }
    }

    /// The numbers of the result over `ranks` for items `from .. from + count`.
    fn expected(&self, ranks: std::ops::Range<usize>, from: usize, count: usize) -> Vec<i32> {
        let item = |index: usize| match self.commutative {
            true => vec![ranks.clone().fold(0i32, |sum, rank| sum.wrapping_add(value(rank, index)))],
            false => {
                let own = |rank: usize| [value(rank, 2 * index), value(rank, 2 * index + 1)];
                ranks.clone().map(own).reduce(compose).unwrap().to_vec()
            }
        };
        (from..from + count).flat_map(item).collect()
    }
}

const KINDS: [usize; 2] = [0, 1];

#[test]
fn reduce() {
    for job in jobs() {
        let size = job.processes.len();
        for kind in KINDS {
            for length in LENGTHS {
                for root in [0, size / 2] {
                    let (way, in_place) = (way(size + kind + length), (root + length) % 2 == 0);
                    job.run(async |process| {
                        let case = Case::of(process, kind);
                        let rank = process.world().rank;
                        let own = Memory::filled(&case.ty, length, |index| value(rank, index));
                        let result = Memory::filled(&case.ty, length, |index| if in_place { value(rank, index) } else { -1 });
                        let here = rank == root;
                        let call = Reduce {
                            send: (!here || !in_place).then(|| own.data()),
                            recv: here.then(|| result.data()),
                            op: Held::Lent(&case.op),
                            root: Root::Rank(root),
                        };
                        perform(way, process, process.world(), call).await.unwrap();
                        if here {
                            assert_eq!(result.all(), case.expected(0..size, 0, length));
                        }
                        result.assert_holes_untouched();
                        let unchanged = own.all().into_iter().enumerate().all(|(index, number)| number == value(rank, index));
                        assert!(unchanged, "the send buffer was written");
                    });
                }
            }
        }
    }
}

#[test]
fn allreduce() {
    for job in jobs() {
        let size = job.processes.len();
        for kind in KINDS {
            for length in LENGTHS {
                for in_place in [false, true] {
                    let way = way(size + kind + length + usize::from(in_place));
                    job.run(async |process| {
                        let case = Case::of(process, kind);
                        let rank = process.world().rank;
                        let own = Memory::filled(&case.ty, length, |index| value(rank, index));
                        let result = Memory::filled(&case.ty, length, |index| if in_place { value(rank, index) } else { -1 });
                        let send = (!in_place).then(|| own.data());
                        let call = Allreduce { send, recv: result.data(), op: Held::Lent(&case.op) };
                        perform(way, process, process.world(), call).await.unwrap();
                        assert_eq!(result.all(), case.expected(0..size, 0, length));
                        result.assert_holes_untouched();
                    });
                }
            }
        }
    }
}

/// Rounding depends on the order of operands: it must be the same for everyone.
#[test]
fn allreduce_gives_everyone_the_same_bits() {
    for job in jobs() {
        for length in [1, 7, 3001] {
            let results = job.run(async |process| {
                let rank = process.world().rank;
                let ty = process.types.get(Basic::MPI_FLOAT);
                let number = |index| (value(rank, index) as f32 * 1e-3).sin().to_bits() as i32;
                let memory = Memory::filled(ty, length, number);
                let op = process.ops.get(Builtin::Sum);
                let call = Allreduce { send: None, recv: memory.data(), op: Held::Lent(op) };
                perform(Way::Direct, process, process.world(), call).await.unwrap();
                memory.all()
            });
            assert!(results.iter().all(|result| *result == results[0]));
        }
    }
}

#[test]
fn scan_and_exscan() {
    for job in jobs() {
        for kind in KINDS {
            for length in [0, 1, 5, 3000] {
                for (in_place, exclusive) in [(false, false), (true, false), (false, true), (true, true)] {
                    let way = way(job.processes.len() + kind + length + usize::from(in_place));
                    job.run(async |process| {
                        let case = Case::of(process, kind);
                        let rank = process.world().rank;
                        let own = Memory::filled(&case.ty, length, |index| value(rank, index));
                        let result = Memory::filled(&case.ty, length, |index| if in_place { value(rank, index) } else { -1 });
                        let send = (!in_place).then(|| own.data());
                        let call = Scan { send, recv: result.data(), op: Held::Lent(&case.op), exclusive };
                        let before = result.all();
                        perform(way, process, process.world(), call).await.unwrap();
                        match (exclusive, rank) {
                            (false, _) => assert_eq!(result.all(), case.expected(0..rank + 1, 0, length)),
                            (true, 0) => assert_eq!(result.all(), before, "rank 0 gets nothing"),
                            (true, _) => assert_eq!(result.all(), case.expected(0..rank, 0, length)),
                        }
                        result.assert_holes_untouched();
                    });
                }
            }
        }
    }
}

#[test]
fn reduce_scatter() {
    for job in jobs() {
        let size = job.processes.len();
        for kind in KINDS {
            for length in [0, 1, 60, 3000] {
                for (in_place, even) in [(false, false), (true, false), (false, true), (true, true)] {
                    let way = way(size + kind + length + usize::from(in_place));
                    let counts: Vec<i32> = (0..size).map(|rank| if even { length } else { rank % 3 * length } as i32).collect();
                    let total = counts.iter().sum::<i32>() as usize;
                    job.run(async |process| {
                        let case = Case::of(process, kind);
                        let rank = process.world().rank;
                        let count = counts[rank] as usize;
                        let own = Memory::filled(&case.ty, total, |index| value(rank, index));
                        let room = if in_place { total } else { count };
                        let result = Memory::filled(&case.ty, room, |index| if in_place { value(rank, index) } else { -1 });
                        let call = ReduceScatter {
                            send: (!in_place).then(|| own.data()),
                            recv: result.data(),
                            counts: match even {
                                true => Counts::Even { count, len: size },
                                // SAFETY: the array outlives the call.
                                false => Counts::Varying(unsafe { Ints::narrow(counts.as_ptr(), size) }),
                            },
                            op: Held::Lent(&case.op),
                        };
                        perform(way, process, process.world(), call).await.unwrap();
                        let before = counts[..rank].iter().sum::<i32>() as usize;
                        assert_eq!(result.numbers(0, count), case.expected(0..size, before, count));
                        result.assert_holes_untouched();
                    });
                }
            }
        }
    }
}
