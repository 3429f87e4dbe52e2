//! Making communicators with a topology. Ranks are never reordered: a process keeps its place, as far as the topology reaches.

use super::cart::Slice;
use super::dist::{Contribution, DistGraph, Edge};
use super::{Cart, Graph, Topology};
use crate::bail;
use crate::coll::{Cx, Operation};
use crate::comm::Comm;
use crate::comm::exchange::bytes;
use crate::error::Result;
use crate::process::Process;
use std::sync::Arc;

impl Process {
    /// `MPI_Cart_create`; `None` for a process beyond the grid.
    ///
    /// # Errors
    /// As [`Process::split_comm`].
    pub fn create_cart(&self, comm: &Comm, cart: Cart) -> Result<Option<Arc<Comm>>> {
        let inside = comm.rank < cart.size();
        self.create_first(comm, Operation::CartCreate, inside, Topology::Cart(cart))
    }

    /// `MPI_Graph_create`; `None` for a process beyond the nodes.
    ///
    /// # Errors
    /// As [`Process::split_comm`].
    pub fn create_graph(&self, comm: &Comm, graph: Graph) -> Result<Option<Arc<Comm>>> {
        let inside = comm.rank < graph.size();
        self.create_first(comm, Operation::GraphCreate, inside, Topology::Graph(graph))
    }

    fn create_first(
        &self,
        comm: &Comm,
        call: Operation,
        inside: bool,
        topology: Topology,
    ) -> Result<Option<Arc<Comm>>> {
        let new = self.split_comm_by(comm, call, inside.then_some(0), comm.rank as i64)?;
        Ok(new.inspect(|new| new.set_topology(Arc::new(topology))))
    }

    /// `MPI_Cart_sub`: `remain` says of each dimension of the communicator's grid whether it is kept.
    ///
    /// # Errors
    /// `MPI_ERR_TOPOLOGY` when there is no grid, and as [`Process::split_comm`].
    pub fn create_cart_slice(&self, comm: &Comm, remain: &[bool]) -> Result<Arc<Comm>> {
        let Slice { cart, colour, key } = Cart::of(comm.topology())?.slice(comm.rank as i32, remain)?;
        let new = self.split_comm_by(comm, Operation::CartSub, Some(colour as u64), key.into())?;
        let new = new.expect("a colour was given");
        new.set_topology(Arc::new(Topology::Cart(cart)));
        Ok(new)
    }

    /// `MPI_Dist_graph_create_adjacent`: each process knows its edges already.
    ///
    /// # Errors
    /// As [`Process::split_comm`].
    pub fn create_dist_graph_adjacent(&self, comm: &Comm, graph: DistGraph) -> Result<Arc<Comm>> {
        let new = self.split_comm_by(comm, Operation::DistGraphCreateAdjacent, Some(0), comm.rank as i64)?;
        let new = new.expect("a colour was given");
        new.set_topology(Arc::new(Topology::DistGraph(graph)));
        Ok(new)
    }

    /// `MPI_Dist_graph_create`: any process may name any edges.
    ///
    /// # Errors
    /// `MPI_ERR_ARG` when only some processes give weights, and as [`Process::split_comm`].
    pub fn create_dist_graph(&self, comm: &Comm, contribution: &Contribution) -> Result<Arc<Comm>> {
        let cx = Cx::begin(self, comm, Operation::DistGraphCreate);
        let graph = self.block_on(comm.handle, distribute(&cx, contribution))?;
        self.create_dist_graph_adjacent(comm, graph)
    }
}

/// Tells every process the edges that touch it.
async fn distribute(cx: &Cx<'_>, contribution: &Contribution) -> Result<DistGraph> {
    let me = cx.rank();
    let mut told = Vec::new();
    let mut unlike = None;
    // As many rounds as processes: in each, everyone talks to one other process and listens to one. Making a communicator is not
    // what a program spends its time on.
    for round in 0..cx.size() {
        let to = (me + round) % cx.size();
        let from = (me + cx.size() - round) % cx.size();
        let mut out = pack(contribution.touching(to));
        let mut header = header(&out, contribution.weighted);
        let mut arriving = [0; HEADER];
        cx.sendrecv(bytes(cx, &mut header), to, bytes(cx, &mut arriving), from).await?;
        let (len, weighted) = read_header(arriving);
        let mut data = vec![0; len];
        cx.sendrecv(bytes(cx, &mut out), to, bytes(cx, &mut data), from).await?;
        if weighted != contribution.weighted {
            unlike = Some(from);
        }
        told.push((from, unpack(&data)));
    }
    // All messages are through: an error now leaves nobody waiting.
    if let Some(other) = unlike {
        let (we, they) = if contribution.weighted { ("gives", "none") } else { ("gives no", "some") };
        bail!(
            ARG,
            "this process {we} weights, rank {other} gives {they}: MPI_UNWEIGHTED is for all processes or for none"
        );
    }
    // In the order of the contributors, so that repeated edges have one order at both ends.
    told.sort_by_key(|(from, _)| *from);
    let edges: Vec<Edge> = told.into_iter().flat_map(|(_, edges)| edges).collect();
    Ok(DistGraph::gather(me, &edges, contribution.weighted))
}

/// Bytes of data to follow, and whether there are weights.
const HEADER: usize = 9;
const EDGE: usize = 12;

fn header(data: &[u8], weighted: bool) -> [u8; HEADER] {
    let mut header = [0; HEADER];
    header[..8].copy_from_slice(&(data.len() as u64).to_le_bytes());
    header[8] = weighted.into();
    header
}

fn read_header(header: [u8; HEADER]) -> (usize, bool) {
    (u64::from_le_bytes(header[..8].try_into().expect("eight bytes")) as usize, header[8] != 0)
}

fn pack(edges: impl Iterator<Item = Edge>) -> Vec<u8> {
    edges.flat_map(|edge| [edge.source, edge.destination, edge.weight]).flat_map(i32::to_le_bytes).collect()
}

fn unpack(data: &[u8]) -> Vec<Edge> {
    let word = |edge: &[u8], at: usize| i32::from_le_bytes(edge[at..at + 4].try_into().expect("four bytes"));
    let edge = |edge: &[u8]| Edge { source: word(edge, 0), destination: word(edge, 4), weight: word(edge, 8) };
    data.chunks_exact(EDGE).map(edge).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edges_survive_the_wire() {
        let edges = [(0, 1, 2), (i32::MAX, 0, 7), (3, 3, i32::MAX)];
        let edges = edges.map(|(source, destination, weight)| Edge { source, destination, weight });
        let packed = pack(edges.into_iter());
        assert_eq!(unpack(&packed), edges);
        assert_eq!(read_header(header(&packed, true)), (36, true));
    }
}
