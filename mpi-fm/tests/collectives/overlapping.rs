//! Several collectives of one communicator at once.

use crate::common::Job;
use crate::memory::Memory;
use crate::perform::{finish, start, value};
use mpi_fm::coll::{Allgather, Allreduce, Bcast, Held, Root};
use mpi_fm::datatype::Basic;
use mpi_fm::op::Builtin;

/// Started in the same order, completed in another one at each member.
#[test]
fn nonblocking_calls_do_not_meet() {
    for size in [2, 5, 8] {
        for seed in 0..6 {
            let job = Job::new(size as u32, seed);
            job.run(async |process| {
                let world = process.world();
                let (rank, int) = (world.rank, process.types.get(Basic::MPI_INT));
                let lengths = [1, 5000, 3, 40_000, 17, 2, 900, 1];
                let memories: Vec<Memory> =
                    lengths.iter().map(|length| Memory::filled(int, length * size, |index| value(rank, index))).collect();
                let op = process.ops.get(Builtin::Sum);
                let begin = |(number, memory): (usize, &Memory)| match number % 3 {
                    0 => process.icollective(world, Allreduce { send: None, recv: memory.data(), op: Held::Lent(op) }),
                    1 => process.icollective(world, Bcast { data: Some(memory.data()), root: Root::Rank(number % size) }),
                    _ => process.icollective(world, Allgather { send: None, recv: memory.even(size) }),
                };
                let requests: Vec<_> = memories.iter().enumerate().map(begin).map(Result::unwrap).collect();
                for number in 0..requests.len() {
                    let number = (number * 3 + rank) % requests.len();
                    finish(process, requests[number]).await.unwrap();
                    let result = memories[number].all();
                    let expected = |index: usize| match number % 3 {
                        0 => (0..size).fold(0, |sum: i32, rank| sum.wrapping_add(value(rank, index))),
                        1 => value(number % size, index),
                        _ => value(index / lengths[number], index),
                    };
                    assert!(result.iter().enumerate().all(|(index, number)| *number == expected(index)));
                }
            });
        }
    }
}

/// Rounds of persistent calls, started in different orders.
#[test]
fn persistent_calls_run_again_and_again() {
    for seed in 0..6 {
        let job = Job::new(4, seed);
        job.run(async |process| {
            let world = process.world();
            let (rank, int) = (world.rank, process.types.get(Basic::MPI_INT));
            let (first, second) = (Memory::filled(int, 10, |_| 1), Memory::filled(int, 4000, |_| 1));
            let op = process.ops.get(Builtin::Sum);
            let call = |memory| Allreduce { send: None, recv: Memory::data(memory), op: Held::Lent(op) };
            let requests = [
                process.persistent_collective(world, call(&first)).unwrap(),
                process.persistent_collective(world, call(&second)).unwrap(),
            ];
            for round in 1..5 {
                let order = if rank % 2 == 0 { [0, 1] } else { [1, 0] };
                for index in order {
                    start(process, requests[index]).unwrap();
                }
                for index in order {
                    finish(process, requests[index]).await.unwrap();
                }
                assert!(first.all().into_iter().chain(second.all()).all(|number| number == 4i32.pow(round)));
            }
            for request in requests {
                process.release(request).unwrap();
            }
        });
    }
}
