//! Calls that move data.

use crate::memory::{Memory, types};
use crate::perform::{WAYS, jobs, perform, value, way};
use mpi_fm::coll::blocks::Base;
use mpi_fm::coll::{Allgather, Alltoall, Barrier, Bcast, Blocks, Gather, Held, Ints, Root, Scatter};
use mpi_fm::datatype::Basic;
use mpi_fm::{Datatype, Process};
use std::sync::Arc;

/// Bytes in a message, about.
const BYTES: [usize; 5] = [0, 4, 24, 1200, 36_000];

/// Items of about so many bytes.
fn items(ty: &Datatype, bytes: usize) -> usize {
    bytes.div_ceil(ty.size() as usize)
}

/// `count` numbers that `rank` has from index `from` on.
fn expected(rank: usize, from: usize, count: usize) -> Vec<i32> {
    (from..from + count).map(|index| value(rank, index)).collect()
}

/// Numbers in an item.
fn width(ty: &Datatype) -> usize {
    ty.size() as usize / 4
}

fn int(process: &Process) -> &Arc<Datatype> {
    process.types.get(Basic::MPI_INT)
}

#[test]
fn barrier() {
    for job in jobs() {
        for way in WAYS {
            let arrived = std::cell::Cell::new(0);
            job.run(async |process| {
                arrived.set(arrived.get() + 1);
                perform(way, process, process.world(), Barrier).await.unwrap();
                assert_eq!(arrived.get(), job.processes.len(), "somebody left before all had come");
            });
        }
    }
}

#[test]
fn bcast() {
    for job in jobs() {
        let size = job.processes.len();
        for kind in 0..3 {
            for bytes in BYTES.into_iter().chain([300_000]) {
                let (way, root) = (way(size + kind + bytes), bytes / 3 % size);
                job.run(async |process| {
                    let ty = &types(process)[kind];
                    let (rank, length) = (process.world().rank, items(ty, bytes));
                    let memory = Memory::filled(ty, length, |index| if rank == root { value(root, index) } else { -1 });
                    let call = Bcast { data: Some(memory.data()), root: Root::Rank(root) };
                    perform(way, process, process.world(), call).await.unwrap();
                    assert_eq!(memory.all(), expected(root, 0, length * width(ty)));
                    memory.assert_holes_untouched();
                });
            }
        }
    }
}

/// The two ends of a message may have different types of the same signature.
#[test]
fn gather_and_scatter() {
    for job in jobs() {
        let size = job.processes.len();
        for kind in 0..3 {
            for bytes in BYTES {
                for in_place in [false, true] {
                    let (way, root) = (way(size + kind + bytes + usize::from(in_place)), bytes / 3 % size);
                    job.run(async |process| {
                        let ty = &types(process)[kind];
                        let (rank, length) = (process.world().rank, items(ty, bytes));
                        let numbers = length * width(ty);
                        let own = Memory::filled(int(process), numbers, |index| value(rank, index));
                        let all = Memory::filled(ty, length * size, |index| match index / numbers {
                            place if in_place && place == root => value(root, index % numbers),
                            _ => -1,
                        });
                        let here = rank == root;
                        let call = Gather {
                            send: (!here || !in_place).then(|| own.data()),
                            recv: here.then(|| all.even(size)),
                            root: Root::Rank(root),
                            varying: false,
                        };
                        perform(way, process, process.world(), call).await.unwrap();
                        for place in (0..size).filter(|_| here) {
                            assert_eq!(all.numbers(place * length, length), expected(place, 0, numbers));
                        }
                        all.assert_holes_untouched();

                        let own = Memory::filled(ty, length, |_| -1);
                        let call = Scatter {
                            send: here.then(|| all.even(size)),
                            recv: (!here || !in_place).then(|| own.data()),
                            root: Root::Rank(root),
                            varying: false,
                        };
                        perform(way, process, process.world(), call).await.unwrap();
                        if !here || !in_place {
                            assert_eq!(own.all(), expected(rank, 0, numbers));
                        }
                        own.assert_holes_untouched();
                    });
                }
            }
        }
    }
}

/// Blocks in backward order with gaps: rank `r` has `lengths(r)` items.
struct Layout {
    counts: Vec<i32>,
    displs: Vec<i64>,
    items: usize,
}

impl Layout {
    fn new(size: usize, length: impl Fn(usize) -> usize) -> Layout {
        let counts: Vec<i32> = (0..size).map(|rank| length(rank) as i32).collect();
        let mut displs = vec![0; size];
        let mut items = 0;
        for rank in (0..size).rev() {
            displs[rank] = items;
            items += i64::from(counts[rank]) + 2;
        }
        Layout { counts, displs, items: items as usize }
    }

    fn blocks<'a>(&self, memory: &Memory, ty: &'a Arc<Datatype>) -> Blocks<'a> {
        // SAFETY: the layout outlives the call, and the memory was made for it.
        unsafe {
            Blocks::Varying {
                base: Base::new(memory.addr()),
                counts: Ints::narrow(self.counts.as_ptr(), self.counts.len()),
                displs: Ints::wide(self.displs.as_ptr(), self.displs.len()),
                ty: Held::Lent(ty),
            }
        }
    }

    /// The numbers in the block of `rank`.
    fn numbers(&self, memory: &Memory, rank: usize) -> Vec<i32> {
        memory.numbers(self.displs[rank] as usize, self.counts[rank] as usize)
    }

    /// Whose block a number lies in, and at which index there; `None` in a gap.
    fn place(&self, index: usize, width: usize) -> Option<(usize, usize)> {
        let inside = |rank: usize| {
            let offset = index as i64 - self.displs[rank] * width as i64;
            (0..i64::from(self.counts[rank]) * width as i64).contains(&offset).then_some((rank, offset as usize))
        };
        (0..self.counts.len()).find_map(inside)
    }
}

#[test]
fn gatherv_and_scatterv() {
    for job in jobs() {
        let size = job.processes.len();
        for kind in 0..3 {
            for length in [0, 3, 400] {
                let way = way(size + kind + length);
                let root = length % size;
                job.run(async |process| {
                    let ty = &types(process)[kind];
                    let rank = process.world().rank;
                    let layout = Layout::new(size, |rank| rank * length);
                    let own = Memory::filled(ty, rank * length, |index| value(rank, index));
                    let all = Memory::filled(ty, layout.items, |_| -1);
                    let here = rank == root;
                    let call = Gather {
                        send: Some(own.data()),
                        recv: here.then(|| layout.blocks(&all, ty)),
                        root: Root::Rank(root),
                        varying: true,
                    };
                    perform(way, process, process.world(), call).await.unwrap();
                    for place in (0..size).filter(|_| here) {
                        assert_eq!(layout.numbers(&all, place), expected(place, 0, place * length * width(ty)));
                    }
                    let own = Memory::filled(ty, rank * length, |_| -1);
                    let call = Scatter {
                        send: here.then(|| layout.blocks(&all, ty)),
                        recv: Some(own.data()),
                        root: Root::Rank(root),
                        varying: true,
                    };
                    perform(way, process, process.world(), call).await.unwrap();
                    assert_eq!(own.all(), expected(rank, 0, rank * length * width(ty)));
                    own.assert_holes_untouched();
                });
            }
        }
    }
}

#[test]
fn allgather() {
    for job in jobs() {
        let size = job.processes.len();
        for kind in 0..3 {
            for bytes in BYTES {
                for in_place in [false, true] {
                    let way = way(size + kind + bytes + usize::from(in_place));
                    job.run(async |process| {
                        let ty = &types(process)[kind];
                        let (rank, length) = (process.world().rank, items(ty, bytes));
                        let numbers = length * width(ty);
                        let own = Memory::filled(int(process), numbers, |index| value(rank, index));
                        let all = Memory::filled(ty, length * size, |index| match index / numbers {
                            place if in_place && place == rank => value(rank, index % numbers),
                            _ => -1,
                        });
                        let call = Allgather { send: (!in_place).then(|| own.data()), recv: all.even(size) };
                        perform(way, process, process.world(), call).await.unwrap();
                        for place in 0..size {
                            assert_eq!(all.numbers(place * length, length), expected(place, 0, numbers));
                        }
                        all.assert_holes_untouched();
                    });
                }
            }
        }
    }
}

#[test]
fn allgatherv() {
    for job in jobs() {
        let size = job.processes.len();
        for kind in 0..3 {
            for length in [0, 3, 4000] {
                let way = way(size + kind + length);
                job.run(async |process| {
                    let ty = &types(process)[kind];
                    let rank = process.world().rank;
                    let layout = Layout::new(size, |rank| rank % 4 * length);
                    let count = rank % 4 * length;
                    let own = Memory::filled(ty, count, |index| value(rank, index));
                    let all = Memory::filled(ty, layout.items, |_| -1);
                    let call = Allgather { send: Some(own.data()), recv: layout.blocks(&all, ty) };
                    perform(way, process, process.world(), call).await.unwrap();
                    for place in 0..size {
                        assert_eq!(layout.numbers(&all, place), expected(place, 0, place % 4 * length * width(ty)));
                    }
                    let numbers = all.all();
                    for (index, number) in numbers.iter().enumerate() {
                        assert!(layout.place(index, width(ty)).is_some() || *number == -1, "a gap was written");
                    }
                });
            }
        }
    }
}

/// The number that `from` sends to `to` at `index`.
fn sent(from: usize, to: usize, index: usize) -> i32 {
    value(from * 16 + to, index)
}

#[test]
fn alltoall() {
    for job in jobs() {
        let size = job.processes.len();
        for kind in 0..3 {
            for bytes in BYTES {
                for in_place in [false, true] {
                    let way = way(size + kind + bytes + usize::from(in_place));
                    job.run(async |process| {
                        let ty = &types(process)[kind];
                        let (rank, length) = (process.world().rank, items(ty, bytes));
                        let numbers = length * width(ty);
                        let sends = |index: usize| sent(rank, index / numbers, index % numbers);
                        let out = Memory::filled(int(process), numbers * size, sends);
                        let into = Memory::filled(ty, length * size, |index| if in_place { sends(index) } else { -1 });
                        let call = Alltoall { send: (!in_place).then(|| out.even(size)), recv: into.even(size) };
                        perform(way, process, process.world(), call).await.unwrap();
                        for place in 0..size {
                            let expected: Vec<i32> = (0..numbers).map(|index| sent(place, rank, index)).collect();
                            assert_eq!(into.numbers(place * length, length), expected);
                        }
                        into.assert_holes_untouched();
                    });
                }
            }
        }
    }
}

/// Items that `from` sends to `to`: symmetric, as in place demands.
fn agreed(from: usize, to: usize, length: usize) -> usize {
    (from + to) % 3 * length
}

#[test]
fn alltoallv_and_alltoallw() {
    for job in jobs() {
        let size = job.processes.len();
        for length in [0, 2, 600] {
            for (in_place, typed) in [(false, false), (true, false), (false, true), (true, true)] {
                let way = way(size + length + usize::from(in_place));
                job.run(async |process| {
                    let ty = &types(process)[1];
                    let rank = process.world().rank;
                    let layout = Layout::new(size, |other| agreed(rank, other, length));
                    let fill = |index: usize| layout.place(index, 3).map_or(-1, |(to, index)| sent(rank, to, index));
                    let out = Memory::filled(ty, layout.items, fill);
                    let into = Memory::filled(ty, layout.items, |index| if in_place { fill(index) } else { -1 });
                    let byte_displs: Vec<i64> = layout.displs.iter().map(|displ| displ * ty.extent()).collect();
                    let blocks = |memory: &Memory| match typed {
                        false => layout.blocks(memory, ty),
                        // SAFETY: the arrays outlive the call, and the memory was made for them.
                        true => unsafe {
                            Blocks::Typed {
                                base: Base::new(memory.addr()),
                                counts: Ints::narrow(layout.counts.as_ptr(), size),
                                displs: Ints::wide(byte_displs.as_ptr(), size),
                                types: vec![Arc::clone(ty); size].into(),
                            }
                        },
                    };
                    let call = Alltoall { send: (!in_place).then(|| blocks(&out)), recv: blocks(&into) };
                    perform(way, process, process.world(), call).await.unwrap();
                    for place in 0..size {
                        let numbers = 3 * agreed(place, rank, length);
                        let expected: Vec<i32> = (0..numbers).map(|index| sent(place, rank, index)).collect();
                        assert_eq!(layout.numbers(&into, place), expected);
                    }
                    into.assert_holes_untouched();
                });
            }
        }
    }
}
