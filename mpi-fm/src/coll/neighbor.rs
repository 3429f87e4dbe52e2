//! Neighbourhood collectives: everyone exchanges blocks with its neighbours in the communicator's topology (MPI 5.0 section 8.6).

use super::blocks::Blocks;
use super::call::Collective;
use super::cx::{Cx, Pending};
use super::operation::Operation;
use crate::bail;
use crate::comm::Comm;
use crate::error::Result;
use crate::topo::{Link, Neighbours};
use smallvec::SmallVec;

/// `MPI_Neighbor_allgather` and the other four: they differ in what blocks there are.
pub struct Neighbor<'a> {
    /// One block for each neighbour that messages go to.
    pub send: Blocks<'a>,
    /// One block for each neighbour that messages come from.
    pub recv: Blocks<'a>,
    pub neighbours: Neighbours,
}

/// The calling process's neighbours.
///
/// # Errors
/// `MPI_ERR_TOPOLOGY` when the communicator has none.
pub fn neighbours(comm: &Comm) -> Result<Neighbours> {
    match comm.topology() {
        Some(topology) => Ok(topology.neighbours(comm.rank)),
        None => bail!(TOPOLOGY, "{} has no topology, so that its processes have no neighbours", comm.describe()),
    }
}

impl<'a> Collective for Neighbor<'a> {
    type Own = Neighbor<'static>;

    fn own(self) -> Neighbor<'static> {
        Neighbor { send: self.send.own(), recv: self.recv.own(), neighbours: self.neighbours }
    }

    fn operation(&self) -> Operation {
        match (&self.send, &self.recv) {
            (Blocks::Same { .. }, Blocks::Even { .. }) => Operation::NeighborAllgather,
            (Blocks::Same { .. }, _) => Operation::NeighborAllgatherv,
            (Blocks::Even { .. }, _) => Operation::NeighborAlltoall,
            (Blocks::Varying { .. }, _) => Operation::NeighborAlltoallv,
            (Blocks::Typed { .. }, _) => Operation::NeighborAlltoallw,
        }
    }

    async fn run(&self, cx: &Cx<'_>) -> Result<()> {
        let Neighbours { sources, destinations } = &self.neighbours;
        let mut pending = SmallVec::<[Pending<'_>; 16]>::with_capacity(sources.len() + destinations.len());
        pending.extend(in_order(sources).filter_map(|(index, rank)| cx.note(cx.irecv(self.recv.block(index), rank))));
        pending.extend(in_order(destinations).filter_map(|(index, rank)| cx.note(cx.isend(self.send.block(index), rank))));
        cx.join(pending).await;
        cx.outcome()
    }
}

/// Links with their places in the buffer; those beyond the edge of a grid are left out.
///
/// Several links to one process match in the order in which they are used, so both sides go by their tags.
fn in_order(links: &[Link]) -> impl Iterator<Item = (usize, usize)> {
    let mut order: SmallVec<[usize; 8]> = (0..links.len()).filter(|index| links[*index].rank >= 0).collect();
    order.sort_by_key(|index| links[*index].tag);
    let ranks: SmallVec<[(usize, usize); 8]> = order.into_iter().map(|index| (index, links[index].rank as usize)).collect();
    ranks.into_iter()
}
