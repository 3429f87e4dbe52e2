//! Virtual topologies: who is whose neighbour in a communicator (MPI 5.0 chapter 8).
//!
//! A topology is a value attached to a communicator when that is made; it never changes and needs no communication to answer.
//!
//! - [`cart`]: grids, and [`dims`]: how to cut a number of processes into one
//! - [`graph`]: graphs that every process knows completely
//! - [`dist`]: graphs of which each process knows its own edges
//! - `create`: making communicators with a topology
//! - this file: what the neighbourhood collectives ask of all three

pub mod cart;
mod create;
pub mod dims;
pub mod dist;
pub mod graph;

use crate::bail;
use crate::error::Result;
pub use cart::Cart;
pub use dist::DistGraph;
pub use graph::Graph;
use std::sync::Arc;

/// The topology of a communicator.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Topology {
    Cart(Cart),
    Graph(Graph),
    DistGraph(DistGraph),
}

/// One partner of a process in its topology.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Link {
    /// A rank of the communicator, or `PROC_NULL` beyond the edge of a grid.
    pub rank: i32,
    /// Tells apart the links between one pair of processes where their order does not: a message sent on a link with some tag
    /// belongs to the receiver's link with the same tag.
    pub tag: i32,
}

/// Whom a process receives from and sends to in a neighbourhood collective, in the order of its buffers' blocks.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Neighbours {
    pub sources: Vec<Link>,
    pub destinations: Vec<Link>,
}

impl Topology {
    /// `MPI_Topo_test`: the standard ABI's number for this kind.
    pub fn kind(&self) -> i32 {
        match self {
            Topology::Cart(_) => 211,
            Topology::Graph(_) => 212,
            Topology::DistGraph(_) => 213,
        }
    }

    /// In messages to the user.
    fn kind_name(&self) -> &'static str {
        match self {
            Topology::Cart(_) => "Cartesian",
            Topology::Graph(_) => "graph",
            Topology::DistGraph(_) => "distributed graph",
        }
    }

    /// The neighbours of `rank`, which is the calling process (MPI 5.0 section 8.6).
    pub fn neighbours(&self, rank: usize) -> Neighbours {
        match self {
            Topology::Cart(cart) => cart.neighbours(rank),
            Topology::Graph(graph) => graph.neighbourhood(rank),
            Topology::DistGraph(graph) => graph.neighbourhood(),
        }
    }
}

macro_rules! of {
    ($($kind:ident $name:literal)*) => {$(
        impl $kind {
            /// The topology of a communicator, if it is one of this kind.
            ///
            /// # Errors
            /// `MPI_ERR_TOPOLOGY`
            pub fn of(topology: Option<&Arc<Topology>>) -> Result<&$kind> {
                match topology.map(|topology| &**topology) {
                    Some(Topology::$kind(found)) => Ok(found),
                    Some(other) => bail!(
                        TOPOLOGY,
                        "the communicator has a {} topology, where {} is needed",
                        other.kind_name(),
                        $name
                    ),
                    None => bail!(TOPOLOGY, "the communicator has no topology, where {} is needed", $name),
                }
            }
        }
    )*};
}

of! {
    Cart "a Cartesian one"
    Graph "a graph"
    DistGraph "a distributed graph"
}

#[cfg(test)]
mod tests;
