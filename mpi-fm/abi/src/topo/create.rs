//! The calls that make communicators with a topology (MPI 5.0 sections 8.5.1 to 8.5.6).

use super::{UNWEIGHTED, WEIGHTS_EMPTY, cart_of, graph_of};
use crate::args;
use crate::instance::current;
use crate::rank::Rank;
use crate::types::{CHandle, MPI_Comm, MPI_Info};
use mpi_fm::comm::Comm;
use mpi_fm::topo::dist::{Contribution, Ends};
use mpi_fm::topo::{Cart, DistGraph};
use mpi_fm::{Result, bail};
use std::ffi::c_int;
use std::sync::Arc;

/// A communicator that may get a topology: not an intercommunicator.
fn plain(rank: &Rank, comm: MPI_Comm) -> Result<&Arc<Comm>> {
    let comm = rank.comm(comm)?;
    if comm.is_inter() {
        bail!(COMM, "{} is an intercommunicator, which cannot have a topology", comm.describe());
    }
    Ok(comm)
}

/// # Safety
/// If not null, `to` is writable.
unsafe fn put(name: &str, to: *mut MPI_Comm, comm: Option<Arc<Comm>>) -> Result<()> {
    // SAFETY: the caller's.
    unsafe { args::put(name, to, comm.map_or(MPI_Comm::NULL, |comm| MPI_Comm::from_handle(comm.handle))) }
}

pub unsafe fn cart(
    rank: &Rank,
    comm_old: MPI_Comm,
    ndims: c_int,
    dims: *const c_int,
    periods: *const c_int,
    _reorder: c_int,
    comm_cart: *mut MPI_Comm,
) -> Result<()> {
    // SAFETY: the caller\'s. An error leaves no communicator behind.
    unsafe { put("comm_cart", comm_cart, None)? };
    let comm = plain(rank, comm_old)?;
    // SAFETY: the caller's; so in all of this file.
    let cart = unsafe { cart_of(ndims, dims, periods, comm.size())? };
    let new = rank.process.create_cart(comm, cart)?;
    // SAFETY: as above.
    unsafe { put("comm_cart", comm_cart, new) }
}

pub unsafe fn cart_sub(rank: &Rank, comm: MPI_Comm, remain_dims: *const c_int, newcomm: *mut MPI_Comm) -> Result<()> {
    // SAFETY: the caller\'s. An error leaves no communicator behind.
    unsafe { put("newcomm", newcomm, None)? };
    let comm = rank.comm(comm)?;
    let ndims = Cart::of(comm.topology())?.axes().len();
    // SAFETY: see `cart`.
    let flags = unsafe { args::array("remain_dims", remain_dims, ndims)? };
    let remain: Vec<bool> = flags.iter().map(|&flag| flag != 0).collect();
    let new = rank.process.create_cart_slice(comm, &remain)?;
    // SAFETY: see `cart`.
    unsafe { put("newcomm", newcomm, Some(new)) }
}

pub unsafe fn graph(
    rank: &Rank,
    comm_old: MPI_Comm,
    nnodes: c_int,
    index: *const c_int,
    edges: *const c_int,
    _reorder: c_int,
    comm_graph: *mut MPI_Comm,
) -> Result<()> {
    // SAFETY: the caller\'s. An error leaves no communicator behind.
    unsafe { put("comm_graph", comm_graph, None)? };
    let comm = plain(rank, comm_old)?;
    // SAFETY: see `cart`.
    let graph = unsafe { graph_of(nnodes, index, edges, comm.size())? };
    let new = rank.process.create_graph(comm, graph)?;
    // SAFETY: see `cart`.
    unsafe { put("comm_graph", comm_graph, new) }
}

/// `None` for `MPI_UNWEIGHTED`. Without edges any pointer will do, `MPI_WEIGHTS_EMPTY` among them.
///
/// # Safety
/// As for [`args::array`].
unsafe fn weights<'a>(name: &str, pointer: *const c_int, count: usize) -> Result<Option<&'a [c_int]>> {
    match pointer as usize {
        UNWEIGHTED => Ok(None),
        WEIGHTS_EMPTY if count > 0 => bail!(ARG, "{name} is MPI_WEIGHTS_EMPTY, but there are {count} edges"),
        // SAFETY: the caller's.
        _ => unsafe { args::array(name, pointer, count).map(Some) },
    }
}

pub unsafe fn dist_graph_adjacent(
    rank: &Rank,
    comm_old: MPI_Comm,
    indegree: c_int,
    sources: *const c_int,
    sourceweights: *const c_int,
    outdegree: c_int,
    destinations: *const c_int,
    destweights: *const c_int,
    info: MPI_Info,
    _reorder: c_int,
    comm_dist_graph: *mut MPI_Comm,
) -> Result<()> {
    // SAFETY: the caller\'s. An error leaves no communicator behind.
    unsafe { put("comm_dist_graph", comm_dist_graph, None)? };
    let comm = plain(rank, comm_old)?;
    let hints = current().infos.hints(info)?;
    let (indegree, outdegree) = (args::length("indegree", indegree)?, args::length("outdegree", outdegree)?);
    // SAFETY: see `cart`.
    let (sources, destinations) = unsafe {
        (
            Ends::new(
                "source",
                args::array("sources", sources, indegree)?,
                weights("sourceweights", sourceweights, indegree)?,
                comm.size(),
            )?,
            Ends::new(
                "destination",
                args::array("destinations", destinations, outdegree)?,
                weights("destweights", destweights, outdegree)?,
                comm.size(),
            )?,
        )
    };
    let graph = DistGraph::adjacent(sources, destinations)?;
    let new = rank.process.create_dist_graph_adjacent(comm, graph)?;
    if let Some(hints) = hints {
        new.attached.info().update(hints)?;
    }
    // SAFETY: see `cart`.
    unsafe { put("comm_dist_graph", comm_dist_graph, Some(new)) }
}

pub unsafe fn dist_graph(
    rank: &Rank,
    comm_old: MPI_Comm,
    n: c_int,
    sources: *const c_int,
    degrees: *const c_int,
    destinations: *const c_int,
    edge_weights: *const c_int,
    info: MPI_Info,
    _reorder: c_int,
    comm_dist_graph: *mut MPI_Comm,
) -> Result<()> {
    // SAFETY: the caller\'s. An error leaves no communicator behind.
    unsafe { put("comm_dist_graph", comm_dist_graph, None)? };
    let comm = plain(rank, comm_old)?;
    let hints = current().infos.hints(info)?;
    let n = args::length("n", n)?;
    // SAFETY: see `cart`.
    let contribution = unsafe {
        let (sources, degrees) = (args::array("sources", sources, n)?, args::array("degrees", degrees, n)?);
        let edges = Contribution::count_edges(degrees)?;
        let destinations = args::array("destinations", destinations, edges)?;
        Contribution::new(sources, degrees, destinations, weights("weights", edge_weights, edges)?, comm.size())?
    };
    let new = rank.process.create_dist_graph(comm, &contribution)?;
    if let Some(hints) = hints {
        new.attached.info().update(hints)?;
    }
    // SAFETY: see `cart`.
    unsafe { put("comm_dist_graph", comm_dist_graph, Some(new)) }
}
