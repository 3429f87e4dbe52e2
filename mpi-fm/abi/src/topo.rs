//! Virtual topologies (MPI 5.0 chapter 8): questions about them. [`create`] makes them.

pub mod create;

use crate::args;
use crate::rank::Rank;
use crate::types::MPI_Comm;
use mpi_fm::constants::UNDEFINED;
use mpi_fm::topo::cart::Axis;
use mpi_fm::topo::dist::Ends;
use mpi_fm::topo::{Cart, DistGraph, Graph, dims};
use mpi_fm::{Result, bail};
use std::ffi::c_int;

/// `MPI_UNWEIGHTED`
pub const UNWEIGHTED: usize = 10;
/// `MPI_WEIGHTS_EMPTY`
pub const WEIGHTS_EMPTY: usize = 11;

pub unsafe fn dims_create(_: &Rank, nnodes: c_int, ndims: c_int, out: *mut c_int) -> Result<()> {
    // SAFETY: as the standard asks of the caller; so in all of this file.
    dims::create(nnodes, unsafe { args::array_mut("dims", out, args::length("ndims", ndims)?)? })
}

pub unsafe fn test(rank: &Rank, comm: MPI_Comm, status: *mut c_int) -> Result<()> {
    let kind = rank.comm(comm)?.topology().map_or(UNDEFINED, |topology| topology.kind());
    // SAFETY: see `dims_create`.
    unsafe { args::put("status", status, kind) }
}

fn cart(rank: &Rank, comm: MPI_Comm) -> Result<(&Cart, c_int)> {
    let comm = rank.comm(comm)?;
    Ok((Cart::of(comm.topology())?, comm.rank as c_int))
}

fn graph(rank: &Rank, comm: MPI_Comm) -> Result<&Graph> {
    Graph::of(rank.comm(comm)?.topology())
}

fn dist_graph(rank: &Rank, comm: MPI_Comm) -> Result<&DistGraph> {
    DistGraph::of(rank.comm(comm)?.topology())
}

/// An output array of the caller's, which has to hold `needed` elements.
unsafe fn room<'a>(
    (room_name, room): (&str, c_int),
    (name, pointer): (&str, *mut c_int),
    needed: usize,
) -> Result<&'a mut [c_int]> {
    if args::length(room_name, room)? < needed {
        bail!(ARG, "{name} needs room for {needed} elements; {room_name} is {room}");
    }
    // SAFETY: see `dims_create`.
    unsafe { args::array_mut(name, pointer, needed) }
}

pub unsafe fn cartdim_get(rank: &Rank, comm: MPI_Comm, ndims: *mut c_int) -> Result<()> {
    let (cart, _) = cart(rank, comm)?;
    // SAFETY: see `dims_create`.
    unsafe { args::put("ndims", ndims, cart.axes().len() as c_int) }
}

pub unsafe fn cart_get(
    rank: &Rank,
    comm: MPI_Comm,
    maxdims: c_int,
    dims: *mut c_int,
    periods: *mut c_int,
    coords: *mut c_int,
) -> Result<()> {
    let (cart, me) = cart(rank, comm)?;
    let (max, count) = (("maxdims", maxdims), cart.axes().len());
    // SAFETY: see `dims_create`.
    let (dims, periods, coords) = unsafe {
        (
            room(max, ("dims", dims), count)?,
            room(max, ("periods", periods), count)?,
            room(max, ("coords", coords), count)?,
        )
    };
    for (i, axis) in cart.axes().iter().enumerate() {
        dims[i] = axis.length;
        periods[i] = axis.periodic.into();
    }
    coords.copy_from_slice(&cart.coords(me)?);
    Ok(())
}

pub unsafe fn cart_rank(rank: &Rank, comm: MPI_Comm, coords: *const c_int, out: *mut c_int) -> Result<()> {
    let (cart, _) = cart(rank, comm)?;
    // SAFETY: see `dims_create`.
    unsafe { args::put("rank", out, cart.rank(args::array("coords", coords, cart.axes().len())?)?) }
}

pub unsafe fn cart_coords(rank: &Rank, comm: MPI_Comm, of: c_int, maxdims: c_int, coords: *mut c_int) -> Result<()> {
    let (cart, _) = cart(rank, comm)?;
    let found = cart.coords(of)?;
    // SAFETY: see `dims_create`.
    unsafe { room(("maxdims", maxdims), ("coords", coords), found.len())? }.copy_from_slice(&found);
    Ok(())
}

pub unsafe fn cart_shift(
    rank: &Rank,
    comm: MPI_Comm,
    direction: c_int,
    disp: c_int,
    rank_source: *mut c_int,
    rank_dest: *mut c_int,
) -> Result<()> {
    let (cart, me) = cart(rank, comm)?;
    let (source, destination) = cart.shift(me, direction, disp)?;
    // SAFETY: see `dims_create`.
    unsafe {
        args::put("rank_source", rank_source, source)?;
        args::put("rank_dest", rank_dest, destination)
    }
}

/// The grid that arguments of `MPI_Cart_create` and `MPI_Cart_map` describe, for a communicator of `processes`.
unsafe fn cart_of(ndims: c_int, dims: *const c_int, periods: *const c_int, processes: usize) -> Result<Cart> {
    let ndims = args::length("ndims", ndims)?;
    // SAFETY: see `dims_create`.
    let (dims, periods) = unsafe { (args::array("dims", dims, ndims)?, args::array("periods", periods, ndims)?) };
    Cart::new(dims.iter().zip(periods).map(|(&length, &flag)| Axis { length, periodic: flag != 0 }), processes)
}

pub unsafe fn cart_map(
    rank: &Rank,
    comm: MPI_Comm,
    ndims: c_int,
    dims: *const c_int,
    periods: *const c_int,
    newrank: *mut c_int,
) -> Result<()> {
    let comm = rank.comm(comm)?;
    // SAFETY: see `dims_create`.
    let lengths = unsafe { args::array("dims", dims, args::length("ndims", ndims)?) }?;
    // A grid without processes can be asked about, though not made: nobody belongs to it.
    let place = match lengths.contains(&0) && lengths.iter().all(|&length| length >= 0) {
        true => UNDEFINED,
        // SAFETY: see `dims_create`.
        false => unsafe { cart_of(ndims, dims, periods, comm.size())? }.map(comm.rank),
    };
    // SAFETY: see `dims_create`.
    unsafe { args::put("newrank", newrank, place) }
}

/// The graph that arguments of `MPI_Graph_create` and `MPI_Graph_map` describe, for a communicator of `processes`.
unsafe fn graph_of(nnodes: c_int, index: *const c_int, edges: *const c_int, processes: usize) -> Result<Graph> {
    // SAFETY: see `dims_create`.
    unsafe {
        let index = args::array("index", index, args::length("nnodes", nnodes)?)?;
        let edges = args::array("edges", edges, Graph::count_edges(index, processes)?)?;
        Graph::new(index, edges, processes)
    }
}

pub unsafe fn graphdims_get(rank: &Rank, comm: MPI_Comm, nnodes: *mut c_int, nedges: *mut c_int) -> Result<()> {
    let graph = graph(rank, comm)?;
    // SAFETY: see `dims_create`.
    unsafe {
        args::put("nnodes", nnodes, graph.size() as c_int)?;
        args::put("nedges", nedges, graph.edges().len() as c_int)
    }
}

pub unsafe fn graph_get(
    rank: &Rank,
    comm: MPI_Comm,
    maxindex: c_int,
    maxedges: c_int,
    index: *mut c_int,
    edges: *mut c_int,
) -> Result<()> {
    let graph = graph(rank, comm)?;
    // SAFETY: see `dims_create`.
    unsafe {
        room(("maxindex", maxindex), ("index", index), graph.size())?.copy_from_slice(graph.index());
        room(("maxedges", maxedges), ("edges", edges), graph.edges().len())?.copy_from_slice(graph.edges());
    }
    Ok(())
}

pub unsafe fn graph_neighbors_count(rank: &Rank, comm: MPI_Comm, of: c_int, nneighbors: *mut c_int) -> Result<()> {
    let count = graph(rank, comm)?.neighbours(of)?.len();
    // SAFETY: see `dims_create`.
    unsafe { args::put("nneighbors", nneighbors, count as c_int) }
}

pub unsafe fn graph_neighbors(
    rank: &Rank,
    comm: MPI_Comm,
    of: c_int,
    maxneighbors: c_int,
    neighbors: *mut c_int,
) -> Result<()> {
    let found = graph(rank, comm)?.neighbours(of)?;
    // SAFETY: see `dims_create`.
    unsafe { room(("maxneighbors", maxneighbors), ("neighbors", neighbors), found.len())? }.copy_from_slice(found);
    Ok(())
}

pub unsafe fn graph_map(
    rank: &Rank,
    comm: MPI_Comm,
    nnodes: c_int,
    index: *const c_int,
    edges: *const c_int,
    newrank: *mut c_int,
) -> Result<()> {
    let comm = rank.comm(comm)?;
    // SAFETY: see `dims_create`.
    unsafe { args::put("newrank", newrank, graph_of(nnodes, index, edges, comm.size())?.map(comm.rank)) }
}

pub unsafe fn dist_graph_neighbors_count(
    rank: &Rank,
    comm: MPI_Comm,
    indegree: *mut c_int,
    outdegree: *mut c_int,
    weighted: *mut c_int,
) -> Result<()> {
    let graph = dist_graph(rank, comm)?;
    // SAFETY: see `dims_create`.
    unsafe {
        args::put("indegree", indegree, graph.sources.ranks.len() as c_int)?;
        args::put("outdegree", outdegree, graph.destinations.ranks.len() as c_int)?;
        args::put("weighted", weighted, graph.is_weighted().into())
    }
}

/// Gives as many of the neighbours as there is room for, which is what the standard says here (section 8.5.5).
pub unsafe fn dist_graph_neighbors(
    rank: &Rank,
    comm: MPI_Comm,
    maxindegree: c_int,
    sources: *mut c_int,
    sourceweights: *mut c_int,
    maxoutdegree: c_int,
    destinations: *mut c_int,
    destweights: *mut c_int,
) -> Result<()> {
    let graph = dist_graph(rank, comm)?;
    let give = |ends: &Ends, (max_name, max): (&str, c_int), ranks: (&str, *mut c_int), weights: (&str, *mut c_int)| {
        let count = args::length(max_name, max)?.min(ends.ranks.len());
        // SAFETY: see `dims_create`.
        unsafe { args::array_mut(ranks.0, ranks.1, count)? }.copy_from_slice(&ends.ranks[..count]);
        if let Some(known) =
            ends.weights.as_ref().filter(|_| ![UNWEIGHTED, WEIGHTS_EMPTY].contains(&(weights.1 as usize)))
        {
            // SAFETY: see `dims_create`.
            unsafe { args::array_mut(weights.0, weights.1, count)? }.copy_from_slice(&known[..count]);
        }
        Ok(())
    };
    give(&graph.sources, ("maxindegree", maxindegree), ("sources", sources), ("sourceweights", sourceweights))?;
    give(
        &graph.destinations,
        ("maxoutdegree", maxoutdegree),
        ("destinations", destinations),
        ("destweights", destweights),
    )
}
