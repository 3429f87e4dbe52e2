//! Graphs of which each process knows the edges that touch it (MPI 5.0 section 8.5.4).
//!
//! `MPI_Dist_graph_create_adjacent` gives a process its own edges. In `MPI_Dist_graph_create` any process may name any edges:
//! a [`Contribution`] is checked and cut into what each process has to be told, and [`DistGraph::gather`] puts together what
//! a process was told by all.

use super::{Link, Neighbours};
use crate::bail;
use crate::error::Result;

/// The edges of one process.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct DistGraph {
    pub sources: Ends,
    pub destinations: Ends,
}

/// The other ends of edges in one direction, in the order of neighbourhood collectives. Edges may repeat.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Ends {
    pub ranks: Box<[i32]>,
    /// As many as ranks; `None` when the graph was made with `MPI_UNWEIGHTED`.
    pub weights: Option<Box<[i32]>>,
}

/// An edge with its weight (1 in a graph without weights), as contributed to `MPI_Dist_graph_create`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Edge {
    pub source: i32,
    pub destination: i32,
    pub weight: i32,
}

impl Ends {
    /// `what` names the argument in messages: "source" or "destination".
    pub fn new(what: &str, ranks: &[i32], weights: Option<&[i32]>, processes: usize) -> Result<Ends> {
        for (i, &rank) in ranks.iter().enumerate() {
            check_rank(what, i, rank, processes)?;
        }
        check_weights(weights.unwrap_or_default())?;
        Ok(Ends { ranks: ranks.into(), weights: weights.map(Into::into) })
    }
}

impl DistGraph {
    /// `MPI_Dist_graph_create_adjacent`.
    pub fn adjacent(sources: Ends, destinations: Ends) -> Result<DistGraph> {
        if sources.weights.is_some() != destinations.weights.is_some() {
            bail!(ARG, "MPI_UNWEIGHTED must be given for both the sources and the destinations or for neither");
        }
        Ok(DistGraph { sources, destinations })
    }

    /// The graph of process `me` from the edges that all processes contributed and that touch it, in the order of the
    /// contributors: so repeated edges have the same order at both ends.
    pub fn gather(me: usize, edges: &[Edge], weighted: bool) -> DistGraph {
        let ends = |mine: fn(&Edge) -> i32, other: fn(&Edge) -> i32| {
            let touching = || edges.iter().filter(|edge| mine(edge) == me as i32);
            let weights = weighted.then(|| touching().map(|edge| edge.weight).collect());
            Ends { ranks: touching().map(other).collect(), weights }
        };
        DistGraph {
            sources: ends(|edge| edge.destination, |edge| edge.source),
            destinations: ends(|edge| edge.source, |edge| edge.destination),
        }
    }

    pub fn is_weighted(&self) -> bool {
        self.sources.weights.is_some()
    }

    pub(super) fn neighbourhood(&self) -> Neighbours {
        let links = |ends: &Ends| ends.ranks.iter().map(|&rank| Link { rank, tag: 0 }).collect();
        Neighbours { sources: links(&self.sources), destinations: links(&self.destinations) }
    }
}

/// One process's arguments of `MPI_Dist_graph_create`, checked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Contribution {
    pub edges: Vec<Edge>,
    pub weighted: bool,
}

impl Contribution {
    /// How many destinations the caller's arrays have to hold.
    pub fn count_edges(degrees: &[i32]) -> Result<usize> {
        let mut edges = 0usize;
        for (i, &degree) in degrees.iter().enumerate() {
            if degree < 0 {
                bail!(ARG, "degrees[{i}] is {degree}; it cannot be negative");
            }
            edges += degree as usize;
        }
        Ok(edges)
    }

    pub fn new(
        sources: &[i32],
        degrees: &[i32],
        destinations: &[i32],
        weights: Option<&[i32]>,
        processes: usize,
    ) -> Result<Contribution> {
        assert_eq!(sources.len(), degrees.len(), "a degree for each source");
        assert_eq!(Contribution::count_edges(degrees)?, destinations.len(), "as many destinations as the degrees say");
        check_weights(weights.unwrap_or_default())?;
        let mut edges = Vec::with_capacity(destinations.len());
        for (i, (&source, &degree)) in sources.iter().zip(degrees).enumerate() {
            check_rank("source", i, source, processes)?;
            for _ in 0..degree {
                let at = edges.len();
                let destination = destinations[at];
                check_rank("destination", at, destination, processes)?;
                edges.push(Edge { source, destination, weight: weights.map_or(1, |weights| weights[at]) });
            }
        }
        Ok(Contribution { edges, weighted: weights.is_some() })
    }

    /// The edges that a process has to be told: those that start or end there. A loop is told once.
    pub fn touching(&self, rank: usize) -> impl Iterator<Item = Edge> + '_ {
        let rank = rank as i32;
        self.edges.iter().copied().filter(move |edge| edge.source == rank || edge.destination == rank)
    }
}

fn check_rank(what: &str, i: usize, rank: i32, processes: usize) -> Result<()> {
    if rank < 0 || rank as usize >= processes {
        bail!(RANK, "{what} {i} is rank {rank}; the communicator has ranks 0 to {}", processes - 1);
    }
    Ok(())
}

fn check_weights(weights: &[i32]) -> Result<()> {
    match weights.iter().position(|&weight| weight < 0) {
        Some(i) => bail!(ARG, "weight {i} is {}; weights cannot be negative", weights[i]),
        None => Ok(()),
    }
}
