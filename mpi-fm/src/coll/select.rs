//! Which algorithm a collective uses, by the number of members and the bytes concerned: all choices are here.
//!
//! Every member must come to the same choice, so it may depend only on what all of them know.

use super::operation::Operation;

/// Whether a blocking call of members that have a board goes over it, if `bytes` is one member's data, or its block for one of the others.
///
/// Over a board everything is copied twice, by two cores at once where one has something for all. Long messages are copied once, by
/// their receivers: better where all are busy with copies of their own.
pub fn on_board(operation: Operation, members: usize, bytes: u64) -> bool {
    use Operation::*;
    match operation {
        Bcast if members == 2 => bytes <= 16 << 10,
        Barrier | Bcast | Reduce | Scan | Exscan => true,
        Allreduce | ReduceScatter | ReduceScatterBlock if members > 2 => true,
        Allreduce | ReduceScatter | ReduceScatterBlock => !(32 << 10..512 << 10).contains(&bytes),
        // One step after the other, with everyone in each: but with more members than cores, messages need more turns of everyone.
        Allgather | Allgatherv if members > 2 => bytes <= 256 << 10,
        Alltoall => bytes <= 16 << 10 && bytes * (members as u64 - 1) <= 64 << 10,
        _ => bytes <= 16 << 10,
    }
}

/// How a call is carried out; what the names mean stands in the files of these names.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Bcast {
    Binomial,
    ScatterAllgather,
}

/// `bytes` in the message.
pub fn bcast(members: usize, bytes: u64) -> Bcast {
    if members >= 8 && bytes >= 256 << 10 { Bcast::ScatterAllgather } else { Bcast::Binomial }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Gather {
    Binomial,
    Linear,
}

/// Also for scatter. `block` is one member's bytes.
pub fn gather(members: usize, block: u64) -> Gather {
    if members > 8 && block <= 2 << 10 { Gather::Binomial } else { Gather::Linear }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Allgather {
    Bruck,
    RecursiveDoubling,
    Ring,
}

/// `total` is the bytes of all blocks; they are `even` when all have the same size.
pub fn allgather(members: usize, total: u64, even: bool) -> Allgather {
    if members <= 2 || total > 128 << 10 {
        Allgather::Ring
    } else if even && members.is_power_of_two() {
        Allgather::RecursiveDoubling
    } else {
        Allgather::Bruck
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Alltoall {
    Bruck,
    Spread,
    Pairwise,
}

/// `block` is the bytes that one member has for another.
pub fn alltoall(members: usize, block: u64) -> Alltoall {
    if members > 8 && block <= 256 {
        Alltoall::Bruck
    } else if block <= 32 << 10 {
        Alltoall::Spread
    } else {
        Alltoall::Pairwise
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reduce {
    Binomial,
    HalvingGather,
}

/// `bytes` in the vector of `items`.
pub fn reduce(members: usize, bytes: u64, items: usize) -> Reduce {
    let large = bytes >= 64 << 10 && items >= 2 * members;
    if members > 2 && large { Reduce::HalvingGather } else { Reduce::Binomial }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Allreduce {
    RecursiveDoubling,
    HalvingDoubling,
    Pair,
}

/// `bytes` in the vector of `items`; `apart`: send and receive buffers differ, and the operation is predefined.
pub fn allreduce(members: usize, bytes: u64, items: usize, apart: bool) -> Allreduce {
    if members == 2 && apart && (8 << 10..=256 << 10).contains(&bytes) {
        return Allreduce::Pair;
    }
    let large = bytes >= 16 << 10 && items >= members;
    if large { Allreduce::HalvingDoubling } else { Allreduce::RecursiveDoubling }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ReduceScatter {
    /// Operations that do not commute.
    ReduceThenScatter,
    Halving,
    Pairwise,
}

/// `bytes` in the vector.
pub fn reduce_scatter(members: usize, bytes: u64, commutative: bool) -> ReduceScatter {
    if !commutative {
        ReduceScatter::ReduceThenScatter
    } else if members > 4 && bytes <= 64 << 10 {
        ReduceScatter::Halving
    } else {
        ReduceScatter::Pairwise
    }
}
