//! Names of the collective operations, and the tags of their messages.
//!
//! ```text
//! 30      29 … 24          23 … 19               18, 17   16 … 0
//! fault   operation        root, 0 if none       form     place in the sequence of calls of this form
//!         checked after the match                decides the match
//! ```
//!
//! Members of a communicator must call the same collectives in the same order with the same root (MPI 5.0 section 6.14). Messages meet
//! by form and place alone; what does not agree then is told to the user. Each form has a sequence of its own, although the standard
//! wants one order of all: calls of different forms never match (section 6.12), and programs rely on it, such as mpi4py's agreement,
//! where one member calls `MPI_Iallreduce` before `MPI_Barrier` and the others after it.

use crate::error::{Class, Error};
use std::cmp::Ordering;

/// Bits of a collective's tag that decide the match.
pub const SEQUENCE_BITS: u32 = 19;
const FORM_SHIFT: u32 = SEQUENCE_BITS - 2;
const ROOT_BITS: u32 = 5;
const OPERATION_SHIFT: u32 = SEQUENCE_BITS + ROOT_BITS;

/// Marks the messages that a member sends after its part of the call has failed: what they say may be wrong, and their receivers'
/// parts fail too. So all members hear of it that depend on the one.
pub const FAULT: i32 = 1 << 30;

/// How a collective call is made.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Form {
    Blocking,
    Nonblocking,
    /// Such a call has one number for all its rounds, given at its initialisation, which members do in the same order; they need not
    /// start the rounds of different ones in the same order.
    Persistent,
}

impl Form {
    pub const COUNT: usize = 3;
}

impl Form {
    /// Of the call whose messages have this tag.
    pub const fn of_tag(tag: i32) -> Form {
        match tag >> FORM_SHIFT & 3 {
            0 => Form::Blocking,
            1 => Form::Nonblocking,
            _ => Form::Persistent,
        }
    }
}

/// Tag of the messages of call number `number` of its form (they repeat after a hundred thousand calls).
pub const fn tag(operation: Operation, form: Form, number: u32) -> i32 {
    let place = number as i32 & ((1 << FORM_SHIFT) - 1);
    (operation as i32) << OPERATION_SHIFT | (form as i32) << FORM_SHIFT | place
}

/// The tag of a call with a root.
pub const fn with_root(tag: i32, root: usize) -> i32 {
    const CODES: usize = (1 << ROOT_BITS) - 1;
    let code = 1 + if root < CODES { root } else { root % CODES };
    tag | (code as i32) << SEQUENCE_BITS
}

/// Why two members' calls, that should be the same, are not: from the tags of both. `None`: they are.
pub fn difference(theirs: i32, ours: i32) -> Option<String> {
    if ((theirs ^ ours) & !FAULT) >> SEQUENCE_BITS == 0 {
        return None;
    }
    let (their_name, our_name) = (Operation::name_of_tag(theirs), Operation::name_of_tag(ours));
    Some(match their_name == our_name {
        true => format!("is in {their_name} with another root than this process"),
        false => format!("is in {their_name}, this process in {our_name}"),
    })
}

/// What a member hears of another one's part of a call.
#[derive(Clone, Copy)]
pub struct Heard {
    pub source: u32,
    pub tag: i32,
    pub bytes: u64,
}

/// What is wrong with another member's part of a call, of which `room` bytes are expected. `None`: nothing.
#[cold]
pub fn explain(comm: &str, heard: Heard, ours: i32, room: u64) -> Option<Error> {
    let Heard { source, tag, bytes } = heard;
    let call = Operation::name_of_tag(tag);
    if let Some(difference) = difference(tag, ours) {
        return Some(Error::new(Class::OTHER, format!("collective calls do not match on {comm}: rank {source} {difference}")));
    }
    if tag & FAULT != 0 {
        return Some(Error::new(Class::OTHER, format!("in {call} on {comm}, rank {source} reports that its part failed")));
    }
    let counts = "their counts or datatypes differ";
    match bytes.cmp(&room) {
        Ordering::Equal => None,
        Ordering::Greater => {
            let text = format!(
                "message truncated: in {call} on {comm}, rank {source} sent {bytes} bytes where this process expects at most {room}: {counts}"
            );
            Some(Error::new(Class::TRUNCATE, text))
        }
        Ordering::Less => {
            let text =
                format!("in {call} on {comm}, rank {source} sent {bytes} bytes where this process expects {room}: {counts}");
            Some(Error::new(Class::COUNT, text))
        }
    }
}

macro_rules! operations {
    ($($name:ident = $number:literal $call:literal)*) => {
        /// A collective call. Its number travels in the upper bits of the tag, so that members in different calls are found out
        /// where their messages meet.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        #[repr(u8)]
        pub enum Operation {
            $(#[doc = $call] $name = $number,)*
        }

        impl Operation {
            /// The call's name for people.
            pub const fn name(self) -> &'static str {
                match self { $(Operation::$name => $call,)* }
            }

            /// Whether a process that sends in the call with this tag usually has a part of its own to copy before it waits.
            pub const fn sender_copies_first(tag: i32) -> bool {
                let number = (tag & !FAULT) >> OPERATION_SHIFT;
                number == Operation::Scatter as i32 || number == Operation::Scatterv as i32
            }

            /// The name of the call that a message of the collective plane with this tag belongs to.
            pub const fn name_of_tag(tag: i32) -> &'static str {
                match (tag & !FAULT) >> OPERATION_SHIFT {
                    $($number => $call,)*
                    _ => "an unknown collective call",
                }
            }
        }
    };
}

operations! {
    Barrier = 1 "MPI_Barrier"
    Bcast = 2 "MPI_Bcast"
    Gather = 3 "MPI_Gather"
    Gatherv = 4 "MPI_Gatherv"
    Scatter = 5 "MPI_Scatter"
    Scatterv = 6 "MPI_Scatterv"
    Allgather = 7 "MPI_Allgather"
    Allgatherv = 8 "MPI_Allgatherv"
    Alltoall = 9 "MPI_Alltoall"
    Alltoallv = 10 "MPI_Alltoallv"
    Alltoallw = 11 "MPI_Alltoallw"
    Reduce = 12 "MPI_Reduce"
    Allreduce = 13 "MPI_Allreduce"
    ReduceScatter = 14 "MPI_Reduce_scatter"
    ReduceScatterBlock = 15 "MPI_Reduce_scatter_block"
    Scan = 16 "MPI_Scan"
    Exscan = 17 "MPI_Exscan"
    NeighborAllgather = 18 "MPI_Neighbor_allgather"
    NeighborAllgatherv = 19 "MPI_Neighbor_allgatherv"
    NeighborAlltoall = 20 "MPI_Neighbor_alltoall"
    NeighborAlltoallv = 21 "MPI_Neighbor_alltoallv"
    NeighborAlltoallw = 22 "MPI_Neighbor_alltoallw"
    CommDup = 23 "MPI_Comm_dup"
    CommCreate = 24 "MPI_Comm_create"
    CommSplit = 25 "MPI_Comm_split"
    IntercommCreate = 26 "MPI_Intercomm_create"
    IntercommMerge = 27 "MPI_Intercomm_merge"
    CommFree = 28 "MPI_Comm_disconnect"
    Finalize = 29 "MPI_Finalize"
    DistGraphCreate = 30 "MPI_Dist_graph_create"
    CommCreateGroup = 31 "MPI_Comm_create_group"
    CartCreate = 32 "MPI_Cart_create"
    CartSub = 33 "MPI_Cart_sub"
    GraphCreate = 34 "MPI_Graph_create"
    DistGraphCreateAdjacent = 35 "MPI_Dist_graph_create_adjacent"
    Board = 36 "the opening of a board"
}
