//! Which algorithm a collective uses, by the number of members and the bytes concerned: all choices are here, as are the lengths at which they
//! change ([`Tuning`]).
//!
//! Every member must come to the same choice, so it may depend only on what all of them know.

use super::operation::Operation;

/// At which lengths collectives change their way, in bytes. The same in all processes of a job, from start to end.
///
/// The values of [`DEFAULT`](Tuning::DEFAULT) are of one machine; `cargo xtask tune` measures those of another.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Tuning {
    /// Communicators with more members get no board: that everyone looks at everyone takes longer than trees do.
    pub board_members_max: u64,
    /// Data goes over a board in pieces of so many bytes at most, so that reading one overlaps with writing the next. An eighth of the data area of a
    /// pair's parts is the most: allreduce shows five pieces before it waits for room, and what does not fit at the area's end is lost.
    pub board_piece_max: u64,
    /// The shortest of the pieces by which data is streamed.
    pub board_stream_min: u64,
    /// Longest broadcast over a board, with two members …
    pub bcast_board_pair_max: u64,
    /// … and with more.
    pub bcast_board_max: u64,
    /// Longest vector that is reduced to a root over a board.
    pub reduce_board_max: u64,
    /// Two members do allreduce and reduce-scatter by messages from this length of the vector on …
    pub allreduce_message_pair_min: u64,
    /// … and over a board again from this one on.
    pub allreduce_message_pair_end: u64,
    /// Longest vector of allreduce and reduce-scatter over a board, with more than two members.
    pub allreduce_board_max: u64,
    /// On a board: the vectors of all members together up to which each one reduces all of them.
    pub allreduce_alone_max: u64,
    /// Longest block of gather and scatter over a board, with two members …
    pub gather_board_pair_max: u64,
    /// … and with more.
    pub gather_board_max: u64,
    /// Longest block of allgather over a board, with two members …
    pub allgather_board_pair_max: u64,
    /// … and with more: one step after the other, with everyone in each, but with more members than cores, messages need more turns of
    /// everyone.
    pub allgather_board_max: u64,
    /// Longest block of alltoall over a board, with two members …
    pub alltoall_board_pair_max: u64,
    /// … and with more, …
    pub alltoall_board_max: u64,
    /// … unless one member's blocks for the others are longer together than this.
    pub alltoall_board_sum_max: u64,
    /// Shortest broadcast by messages that is scattered and gathered, among eight members or more.
    pub bcast_scatter_min: u64,
    /// Longest block of gather and scatter that goes through a tree of messages, among more than eight members.
    pub gather_tree_max: u64,
    /// All blocks of an allgather together, up to which they double in each step. Longer ones go around a ring.
    pub allgather_doubling_max: u64,
    /// Shortest block of allgather that is sent from where it lies, and put into its place meanwhile.
    pub allgather_in_place_min: u64,
    /// Longest block of alltoall that others forward, among more than eight members.
    pub alltoall_bruck_max: u64,
    /// Longest block of alltoall of which all are under way at once. Longer ones go from pair to pair.
    pub alltoall_spread_max: u64,
    /// Shortest vector reduced by messages of which each member reduces a part, and the root gathers those.
    pub reduce_halving_min: u64,
    /// Two members who exchange vectors whole, in allreduce by messages, do so from this length …
    pub allreduce_pair_min: u64,
    /// … to this one.
    pub allreduce_pair_max: u64,
    /// Shortest vector of allreduce by messages of which each member reduces a part.
    pub allreduce_halving_min: u64,
    /// Longest vector of reduce-scatter by messages that is halved in each step, among more than four members.
    pub reduce_scatter_halving_max: u64,
}

/// As a longest length: there is none.
pub const ALWAYS: u64 = 1 << 40;

impl Tuning {
    pub const DEFAULT: Tuning = Tuning {
        board_members_max: 256,
        board_piece_max: 32 << 10,
        board_stream_min: 8 << 10,
        bcast_board_pair_max: 2 << 10,
        bcast_board_max: ALWAYS,
        reduce_board_max: ALWAYS,
        allreduce_message_pair_min: 32 << 10,
        allreduce_message_pair_end: 512 << 10,
        allreduce_board_max: ALWAYS,
        allreduce_alone_max: 16 << 10,
        gather_board_pair_max: 16 << 10,
        gather_board_max: 16 << 10,
        allgather_board_pair_max: 16 << 10,
        allgather_board_max: 256 << 10,
        alltoall_board_pair_max: 16 << 10,
        alltoall_board_max: 16 << 10,
        alltoall_board_sum_max: 64 << 10,
        bcast_scatter_min: 256 << 10,
        gather_tree_max: 2 << 10,
        allgather_doubling_max: 128 << 10,
        allgather_in_place_min: 8 << 10,
        alltoall_bruck_max: 256,
        alltoall_spread_max: 32 << 10,
        reduce_halving_min: 64 << 10,
        allreduce_pair_min: 8 << 10,
        allreduce_pair_max: 256 << 10,
        allreduce_halving_min: 16 << 10,
        reduce_scatter_halving_max: 64 << 10,
    };

    /// The value of this name, if there is one.
    pub fn field(&mut self, name: &str) -> Option<&mut u64> {
        Some(match name {
            "board_members_max" => &mut self.board_members_max,
            "board_piece_max" => &mut self.board_piece_max,
            "board_stream_min" => &mut self.board_stream_min,
            "bcast_board_pair_max" => &mut self.bcast_board_pair_max,
            "bcast_board_max" => &mut self.bcast_board_max,
            "reduce_board_max" => &mut self.reduce_board_max,
            "allreduce_message_pair_min" => &mut self.allreduce_message_pair_min,
            "allreduce_message_pair_end" => &mut self.allreduce_message_pair_end,
            "allreduce_board_max" => &mut self.allreduce_board_max,
            "allreduce_alone_max" => &mut self.allreduce_alone_max,
            "gather_board_pair_max" => &mut self.gather_board_pair_max,
            "gather_board_max" => &mut self.gather_board_max,
            "allgather_board_pair_max" => &mut self.allgather_board_pair_max,
            "allgather_board_max" => &mut self.allgather_board_max,
            "alltoall_board_pair_max" => &mut self.alltoall_board_pair_max,
            "alltoall_board_max" => &mut self.alltoall_board_max,
            "alltoall_board_sum_max" => &mut self.alltoall_board_sum_max,
            "bcast_scatter_min" => &mut self.bcast_scatter_min,
            "gather_tree_max" => &mut self.gather_tree_max,
            "allgather_doubling_max" => &mut self.allgather_doubling_max,
            "allgather_in_place_min" => &mut self.allgather_in_place_min,
            "alltoall_bruck_max" => &mut self.alltoall_bruck_max,
            "alltoall_spread_max" => &mut self.alltoall_spread_max,
            "reduce_halving_min" => &mut self.reduce_halving_min,
            "allreduce_pair_min" => &mut self.allreduce_pair_min,
            "allreduce_pair_max" => &mut self.allreduce_pair_max,
            "allreduce_halving_min" => &mut self.allreduce_halving_min,
            "reduce_scatter_halving_max" => &mut self.reduce_scatter_halving_max,
            _ => return None,
        })
    }
}

/// How a call is carried out; what the names mean stands in the files of these names.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Bcast {
    Binomial,
    ScatterAllgather,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Gather {
    Binomial,
    Linear,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Allgather {
    Bruck,
    RecursiveDoubling,
    Ring,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Alltoall {
    Bruck,
    Spread,
    Pairwise,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reduce {
    Binomial,
    HalvingGather,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Allreduce {
    RecursiveDoubling,
    HalvingDoubling,
    Pair,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ReduceScatter {
    /// Operations that do not commute.
    ReduceThenScatter,
    Halving,
    Pairwise,
}

impl Tuning {
    /// Whether a blocking call of members that have a board goes over it, if `bytes` is one member's data, or its block for one of the others.
    ///
    /// Over a board everything is copied twice, by two cores at once where one has something for all. Long messages are copied once, by
    /// their receivers: better where all are busy with copies of their own.
    #[inline]
    pub fn on_board(&self, operation: Operation, members: usize, bytes: u64) -> bool {
        use Operation::*;
        match operation {
            Barrier | Scan | Exscan => true,
            Bcast => bytes <= if members == 2 { self.bcast_board_pair_max } else { self.bcast_board_max },
            Reduce => bytes <= self.reduce_board_max,
            Allreduce | ReduceScatter | ReduceScatterBlock if members > 2 => bytes <= self.allreduce_board_max,
            Allreduce | ReduceScatter | ReduceScatterBlock => !(self.allreduce_message_pair_min..self.allreduce_message_pair_end).contains(&bytes),
            Allgather | Allgatherv => bytes <= if members == 2 { self.allgather_board_pair_max } else { self.allgather_board_max },
            Alltoall if members == 2 => bytes <= self.alltoall_board_pair_max,
            Alltoall => bytes <= self.alltoall_board_max && bytes * (members as u64 - 1) <= self.alltoall_board_sum_max,
            _ => bytes <= if members == 2 { self.gather_board_pair_max } else { self.gather_board_max },
        }
    }

    /// `bytes` in the message.
    pub fn bcast(&self, members: usize, bytes: u64) -> Bcast {
        if members >= 8 && bytes >= self.bcast_scatter_min { Bcast::ScatterAllgather } else { Bcast::Binomial }
    }

    /// Also for scatter. `block` is one member's bytes.
    pub fn gather(&self, members: usize, block: u64) -> Gather {
        if members > 8 && block <= self.gather_tree_max { Gather::Binomial } else { Gather::Linear }
    }

    /// `total` is the bytes of all blocks; they are `even` when all have the same size.
    pub fn allgather(&self, members: usize, total: u64, even: bool) -> Allgather {
        if members <= 2 || total > self.allgather_doubling_max {
            Allgather::Ring
        } else if even && members.is_power_of_two() {
            Allgather::RecursiveDoubling
        } else {
            Allgather::Bruck
        }
    }

    /// `block` is the bytes that one member has for another.
    pub fn alltoall(&self, members: usize, block: u64) -> Alltoall {
        if members > 8 && block <= self.alltoall_bruck_max {
            Alltoall::Bruck
        } else if block <= self.alltoall_spread_max {
            Alltoall::Spread
        } else {
            Alltoall::Pairwise
        }
    }

    /// `bytes` in the vector of `items`.
    pub fn reduce(&self, members: usize, bytes: u64, items: usize) -> Reduce {
        let large = bytes >= self.reduce_halving_min && items >= 2 * members;
        if members > 2 && large { Reduce::HalvingGather } else { Reduce::Binomial }
    }

    /// `bytes` in the vector of `items`; `apart`: send and receive buffers differ, and the operation is predefined.
    pub fn allreduce(&self, members: usize, bytes: u64, items: usize, apart: bool) -> Allreduce {
        if members == 2 && apart && (self.allreduce_pair_min..=self.allreduce_pair_max).contains(&bytes) {
            return Allreduce::Pair;
        }
        let large = bytes >= self.allreduce_halving_min && items >= members;
        if large { Allreduce::HalvingDoubling } else { Allreduce::RecursiveDoubling }
    }

    /// `bytes` in the vector.
    pub fn reduce_scatter(&self, members: usize, bytes: u64, commutative: bool) -> ReduceScatter {
        if !commutative {
            ReduceScatter::ReduceThenScatter
        } else if members > 4 && bytes <= self.reduce_scatter_halving_max {
            ReduceScatter::Halving
        } else {
            ReduceScatter::Pairwise
        }
    }
}
