//! Names of the collective operations, as their messages carry them.

use crate::adi::receive::SEQUENCE_BITS;

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

            /// The name of the call that a message of the collective plane with this tag belongs to.
            pub const fn name_of_tag(tag: i32) -> &'static str {
                match tag >> SEQUENCE_BITS {
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
}
