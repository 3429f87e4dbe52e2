//! Virtual topologies: who is whose neighbour in a communicator (MPI 5.0 chapter 8).
//!
//! A topology is a value attached to a communicator when that is made; it never changes and needs no communication to answer.
//!
//! - [`cart`]: grids, and [`dims`]: how to cut a number of processes into one
//! - [`graph`]: graphs that every process knows completely
//! - [`dist`]: graphs of which each process knows its own edges
//! - this file: what the neighbourhood collectives ask of all three

pub mod cart;
pub mod dims;
pub mod dist;
pub mod graph;

use crate::error::Result;
pub use cart::Cart;
pub use dist::DistGraph;
pub use graph::Graph;

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

/// Access to the topology of a communicator that may have none or another one.
pub trait Of {
    fn cart(&self) -> Result<&Cart>;
    fn graph(&self) -> Result<&Graph>;
    fn dist_graph(&self) -> Result<&DistGraph>;
}

macro_rules! of {
    ($($method:ident, $kind:ident, $name:literal, $object:ty;)*) => {
        impl Of for Option<&Topology> {
            $(fn $method(&self) -> Result<&$object> {
                match self {
                    Some(Topology::$kind(object)) => Ok(object),
                    Some(other) => crate::bail!(
                        TOPOLOGY,
                        "the communicator has a {} topology, where {} is needed",
                        other.kind_name(),
                        $name
                    ),
                    None => crate::bail!(TOPOLOGY, "the communicator has no topology, where {} is needed", $name),
                }
            })*
        }
    };
}

of! {
    cart, Cart, "a Cartesian one", Cart;
    graph, Graph, "a graph", Graph;
    dist_graph, DistGraph, "a distributed graph", DistGraph;
}

#[cfg(test)]
mod tests;
