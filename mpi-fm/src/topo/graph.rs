//! Graphs known completely to every process (MPI 5.0 section 8.5.3).

use super::{Link, Neighbours};
use crate::bail;
use crate::constants::UNDEFINED;
use crate::error::Result;

/// Directed edges in the standard's form: the neighbours of node `i` are `edges[index[i - 1]..index[i]]`. Loops, repeated edges
/// and one-way edges are allowed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Graph {
    index: Box<[i32]>,
    edges: Box<[i32]>,
}

impl Graph {
    /// Checks `index`, one entry per node, for a communicator of `processes`: how many edges the caller's array has to hold.
    pub fn count_edges(index: &[i32], processes: usize) -> Result<usize> {
        if index.len() > processes {
            bail!(ARG, "a graph of {} nodes does not fit a communicator of {processes} processes", index.len());
        }
        let mut before = 0;
        for (node, &degrees) in index.iter().enumerate() {
            if degrees < before {
                bail!(
                    ARG,
                    "index[{node}] is {degrees}, less than the {before} before it: it sums up the nodes' degrees"
                );
            }
            before = degrees;
        }
        Ok(before as usize)
    }

    pub fn new(index: &[i32], edges: &[i32], processes: usize) -> Result<Graph> {
        assert_eq!(Graph::count_edges(index, processes)?, edges.len(), "as many edges as the index says");
        for (i, &node) in edges.iter().enumerate() {
            if node < 0 || node as usize >= index.len() {
                bail!(ARG, "edges[{i}] leads to node {node}; the graph has {} nodes", index.len());
            }
        }
        Ok(Graph { index: index.into(), edges: edges.into() })
    }

    /// Number of nodes, which are the ranks from 0 on.
    pub fn size(&self) -> usize {
        self.index.len()
    }

    pub fn index(&self) -> &[i32] {
        &self.index
    }

    pub fn edges(&self) -> &[i32] {
        &self.edges
    }

    /// `MPI_Graph_neighbors`.
    pub fn neighbours(&self, rank: i32) -> Result<&[i32]> {
        match usize::try_from(rank).ok().and_then(|node| self.index.get(node)) {
            None => bail!(RANK, "there is no rank {rank} in a graph of {} nodes", self.size()),
            Some(&end) => {
                let start = if rank == 0 { 0 } else { self.index[rank as usize - 1] };
                Ok(&self.edges[start as usize..end as usize])
            }
        }
    }

    /// `MPI_Graph_map`: the node of a process, which is its own rank as far as the graph reaches.
    pub fn map(&self, rank: usize) -> i32 {
        if rank < self.size() { rank as i32 } else { UNDEFINED }
    }

    /// Every edge is used both ways, as the standard asks of neighbourhood collectives on such graphs. Repeated edges pair up in
    /// their order.
    pub(super) fn neighbourhood(&self, rank: usize) -> Neighbours {
        let neighbours = self.neighbours(rank as i32).expect("a rank of this graph");
        let links: Vec<Link> = neighbours.iter().map(|&rank| Link { rank, tag: 0 }).collect();
        Neighbours { sources: links.clone(), destinations: links }
    }
}
