//! Wrong and mismatching calls: a text that says what is wrong, and nobody left waiting.

use crate::common::Job;
use crate::memory::Memory;
use crate::perform::{Way, perform};
use mpi_fm::Class;
use mpi_fm::coll::{Allgather, Allreduce, Alltoall, Barrier, Bcast, Gather, Held, Root};
use mpi_fm::datatype::Basic;
use mpi_fm::op::Builtin;

#[test]
fn roots_must_be_members() {
    let job = Job::new(3, 0);
    let world = job.processes[0].world();
    for root in [-1, 3, -3, -4, i32::MAX] {
        let error = Root::of(world, root).unwrap_err();
        assert_eq!(error.class, Class::ROOT);
        assert!(error.text.contains("MPI_COMM_WORLD"), "{error}");
    }
    assert_eq!(Root::of(world, 2), Ok(Root::Rank(2)));
}

#[test]
fn operations_must_suit_their_types() {
    let job = Job::new(1, 0);
    job.run(async |process| {
        let memory = Memory::new(process.types.get(Basic::MPI_FLOAT), 1);
        let op = process.ops.get(Builtin::Band);
        let call = Allreduce { send: None, recv: memory.data(), op: Held::Lent(op) };
        let error = perform(Way::Direct, process, process.world(), call).await.unwrap_err();
        assert_eq!(error.class, Class::OP);
        assert!(error.text.contains("MPI_BAND") && error.text.contains("MPI_FLOAT"), "{error}");
    });
}

const WITH_AND_WITHOUT_BOARD: [Way; 2] = [Way::Direct, Way::OnBoard];

/// All members end their calls, and all learn of it.
#[test]
fn counts_that_differ_are_told_to_all() {
    for (size, way) in (2..6).flat_map(|size| WITH_AND_WITHOUT_BOARD.map(|way| (size, way))) {
        let job = Job::new(size, 1);
        let results = job.run(async |process| {
            let ty = process.types.get(Basic::MPI_INT);
            let rank = process.world().rank;
            let count = if rank == 0 { 7 } else { 4 };
            let memory = Memory::filled(ty, count, |_| 1);
            let op = process.ops.get(Builtin::Sum);
            let call = Allreduce { send: None, recv: memory.data(), op: Held::Lent(op) };
            let result = perform(way, process, process.world(), call).await;
            memory.assert_holes_untouched();
            result
        });
        let errors: Vec<_> = results.into_iter().map(Result::unwrap_err).collect();
        assert!(errors.iter().all(|error| error.text.contains("MPI_Allreduce")), "{errors:?}");
        assert!(errors.iter().any(|error| error.class == Class::TRUNCATE && error.text.contains("counts")), "{errors:?}");
    }
}

/// The members that get a root's data from one who knows it to be wrong learn so from him.
#[test]
fn a_fault_travels_with_the_data() {
    for (size, way) in (2..9).flat_map(|size| WITH_AND_WITHOUT_BOARD.map(|way| (size, way))) {
        for (counts, class) in [([7, 4], Class::TRUNCATE), ([4, 7], Class::COUNT)] {
            let job = Job::new(size, 1);
            let results = job.run(async |process| {
                let count = if process.world().rank == 0 { counts[0] } else { counts[1] };
                let memory = Memory::filled(process.types.get(Basic::MPI_INT), count, |_| 1);
                let call = Bcast { data: Some(memory.data()), root: Root::Rank(0) };
                perform(way, process, process.world(), call).await
            });
            let errors: Vec<_> = results.into_iter().skip(1).map(Result::unwrap_err).collect();
            assert_eq!(errors[0].class, class, "{errors:?}");
        }
    }
}

#[test]
fn a_part_is_not_received_where_it_is_sent_from() {
    let job = Job::new(1, 0);
    job.run(async |process| {
        let memory = Memory::filled(process.types.get(Basic::MPI_INT), 2, |_| 1);
        let world = process.world();
        let gather = Gather { send: Some(memory.data()), recv: Some(memory.even(1)), root: Root::Rank(0), varying: false };
        let allgather = Allgather { send: Some(memory.data()), recv: memory.even(1) };
        let alltoall = Alltoall { send: Some(memory.even(1)), recv: memory.even(1) };
        for result in [
            perform(Way::Direct, process, world, gather).await,
            perform(Way::Direct, process, world, allgather).await,
            perform(Way::Direct, process, world, alltoall).await,
        ] {
            let error = result.unwrap_err();
            assert!(error.class == Class::BUFFER && error.text.contains("MPI_IN_PLACE"), "{error}");
        }
    });
}

#[test]
fn different_calls_are_named() {
    for way in WITH_AND_WITHOUT_BOARD {
        let job = Job::new(2, 1);
        let results = job.run(async |process| {
            let ty = process.types.get(Basic::MPI_INT);
            let memory = Memory::filled(ty, 2, |_| 1);
            match process.world().rank {
                0 => perform(way, process, process.world(), Barrier).await,
                _ => {
                    let call = Allgather { send: None, recv: memory.even(2) };
                    perform(way, process, process.world(), call).await
                }
            }
        });
        for error in results.into_iter().map(Result::unwrap_err) {
            assert!(error.text.contains("MPI_Barrier") && error.text.contains("MPI_Allgather"), "{error}");
        }
    }
}

/// Ranks 0, 1 and 3 think that rank 0 is the root, rank 2 thinks it is itself: the tree of either goes from 2 to 3.
#[test]
fn different_roots_are_told() {
    let job = Job::new(4, 1);
    let results = job.run(async |process| {
        let memory = Memory::filled(process.types.get(Basic::MPI_INT), 2, |_| 1);
        let root = if process.world().rank == 2 { 2 } else { 0 };
        let call = Bcast { data: Some(memory.data()), root: Root::Rank(root) };
        perform(Way::Direct, process, process.world(), call).await
    });
    let error = results[3].as_ref().unwrap_err();
    assert!(error.text.contains("rank 2 is in MPI_Bcast with another root"), "{error}");
}
