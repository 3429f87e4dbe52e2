//! Topologies against their definitions.

use super::dist::{Contribution, Edge, Ends};
use super::*;
use crate::constants::{PROC_NULL, UNDEFINED};
use crate::error::Class;
use cart::Axis;
use proptest::prelude::*;

fn grid(axes: &[(i32, bool)]) -> Cart {
    Cart::new(axes.iter().map(|&(length, periodic)| Axis { length, periodic }), 1_000_000).unwrap()
}

fn axes() -> impl Strategy<Value = Vec<(i32, bool)>> {
    prop::collection::vec((1..5i32, any::<bool>()), 0..4)
}

proptest! {
    #[test]
    fn coordinates_go_round(axes in axes()) {
        let cart = grid(&axes);
        let mut last = None;
        for rank in 0..cart.size() as i32 {
            let coords = cart.coords(rank).unwrap();
            prop_assert_eq!(cart.rank(&coords).unwrap(), rank);
            // Row-major order is the order of the coordinates.
            prop_assert!(last.as_ref() < Some(&coords));
            last = Some(coords);
        }
        prop_assert_eq!(cart.coords(cart.size() as i32).unwrap_err().class, Class::RANK);
        prop_assert_eq!(cart.coords(-1).unwrap_err().class, Class::RANK);
    }

    #[test]
    fn shifts_are_steps_in_coordinates(axes in axes(), displacement in -9..10i32) {
        let cart = grid(&axes);
        for rank in 0..cart.size() as i32 {
            for direction in 0..axes.len() {
                let partner = |displacement: i32| {
                    let mut coords = cart.coords(rank).unwrap();
                    coords[direction] += displacement;
                    cart.rank(&coords).unwrap_or(PROC_NULL)
                };
                let wanted = (partner(-displacement), partner(displacement));
                prop_assert_eq!(cart.shift(rank, direction as i32, displacement).unwrap(), wanted);
            }
        }
    }

    #[test]
    fn slices_partition_the_grid(axes in axes(), flags in prop::collection::vec(any::<bool>(), 4)) {
        let cart = grid(&axes);
        let remain = &flags[..axes.len()];
        let mut seen = std::collections::BTreeSet::new();
        for rank in 0..cart.size() as i32 {
            let slice = cart.slice(rank, remain).unwrap();
            let coords = cart.coords(rank).unwrap();
            let kept: Vec<i32> = (0..axes.len()).filter(|&i| remain[i]).map(|i| coords[i]).collect();
            prop_assert_eq!(slice.cart.rank(&kept).unwrap(), slice.key);
            prop_assert!(seen.insert((slice.colour, slice.key)));
            for other in 0..cart.size() as i32 {
                let theirs = cart.coords(other).unwrap();
                let together = (0..axes.len()).all(|i| remain[i] || coords[i] == theirs[i]);
                prop_assert_eq!(cart.slice(other, remain).unwrap().colour == slice.colour, together);
            }
        }
    }

    #[test]
    fn every_sent_block_has_one_place_to_arrive(axes in axes()) {
        let topology = Topology::Cart(grid(&axes));
        let Topology::Cart(cart) = &topology else { unreachable!() };
        let all: Vec<Neighbours> = (0..cart.size()).map(|rank| topology.neighbours(rank)).collect();
        for (rank, neighbours) in all.iter().enumerate() {
            prop_assert_eq!(neighbours.sources.len(), 2 * axes.len());
            for (slot, link) in neighbours.destinations.iter().enumerate() {
                if link.rank == PROC_NULL {
                    continue;
                }
                let theirs = &all[link.rank as usize].sources;
                let fits = |source: &&Link| source.rank == rank as i32 && source.tag == link.tag;
                prop_assert_eq!(theirs.iter().filter(fits).count(), 1);
                // A block sent downwards arrives from above, even where both neighbours are one process.
                prop_assert!(fits(&&theirs[slot ^ 1]));
            }
        }
    }

    #[test]
    fn gathered_edges_agree_at_both_ends(
        calls in prop::collection::vec(prop::collection::vec((0..4i32, 0..4i32, 0..9i32), 0..6), 4),
        weighted in any::<bool>(),
    ) {
        let contributions: Vec<Contribution> = calls.iter().map(|edges| {
            let (sources, rest): (Vec<i32>, Vec<(i32, i32)>) = edges.iter().map(|&(s, d, w)| (s, (d, w))).unzip();
            let (destinations, weights): (Vec<i32>, Vec<i32>) = rest.into_iter().unzip();
            let degrees = vec![1; sources.len()];
            Contribution::new(&sources, &degrees, &destinations, weighted.then_some(&weights[..]), 4).unwrap()
        }).collect();
        let graphs: Vec<DistGraph> = (0..4).map(|me| {
            let told: Vec<Edge> = contributions.iter().flat_map(|all| all.touching(me)).collect();
            DistGraph::gather(me, &told, weighted)
        }).collect();
        for source in 0..4usize {
            for destination in 0..4usize {
                let given = calls.iter().flatten().filter(|e| (e.0, e.1) == (source as i32, destination as i32));
                let weights: Vec<i32> = given.map(|e| e.2).collect();
                let seen = |ends: &Ends, other: usize| -> Vec<i32> {
                    let at = (0..ends.ranks.len()).filter(|&i| ends.ranks[i] == other as i32);
                    at.map(|i| ends.weights.as_ref().map_or(-1, |weights| weights[i])).collect()
                };
                let wanted: Vec<i32> = weights.iter().map(|&w| if weighted { w } else { -1 }).collect();
                prop_assert_eq!(&seen(&graphs[source].destinations, destination), &wanted);
                prop_assert_eq!(&seen(&graphs[destination].sources, source), &wanted);
            }
        }
    }
}

#[test]
fn a_grid_without_dimensions_is_a_point() {
    let cart = grid(&[]);
    assert_eq!((cart.size(), cart.coords(0).unwrap(), cart.rank(&[]).unwrap()), (1, vec![], 0));
    assert_eq!((cart.map(0), cart.map(1)), (0, UNDEFINED));
    assert_eq!(cart.shift(0, 0, 1).unwrap_err().class, Class::DIMS);
}

#[test]
fn grids_that_cannot_be() {
    let new = |lengths: &[i32]| Cart::new(lengths.iter().map(|&length| Axis { length, periodic: true }), 12);
    let error = new(&[4, 4]).unwrap_err();
    assert_eq!(error.text, "a grid of 4 x 4 needs 16 processes, the communicator has 12");
    assert_eq!(error.class, Class::DIMS);
    assert_eq!(new(&[4, 0]).unwrap_err().class, Class::DIMS);
    assert_eq!(new(&[-4, -3]).unwrap_err().class, Class::DIMS);
    assert_eq!(new(&[i32::MAX; 5]).unwrap_err().class, Class::DIMS);
    assert_eq!(new(&[3, 4]).unwrap().size(), 12);
}

#[test]
fn far_coordinates_and_displacements_do_not_overflow() {
    let cart = grid(&[(3, true), (2, false)]);
    let row = i32::MAX % 3;
    assert_eq!(cart.rank(&[i32::MAX, 0]).unwrap(), row * 2);
    assert_eq!(cart.rank(&[i32::MIN, 1]).unwrap(), i64::from(i32::MIN).rem_euclid(3) as i32 * 2 + 1);
    assert_eq!(cart.rank(&[0, 2]).unwrap_err().class, Class::ARG);
    assert_eq!(cart.shift(0, 1, i32::MIN).unwrap(), (PROC_NULL, PROC_NULL));
    assert_eq!(cart.shift(4, 0, i32::MAX).unwrap(), (2, 0));
}

#[test]
fn graphs() {
    // The example of section 8.5.3.
    let graph = Graph::new(&[2, 3, 4, 6], &[1, 3, 0, 3, 0, 2], 5).unwrap();
    let neighbours: Vec<&[i32]> = (0..4).map(|rank| graph.neighbours(rank).unwrap()).collect();
    assert_eq!(neighbours, [&[1, 3][..], &[0], &[3], &[0, 2]]);
    assert_eq!(graph.neighbours(4).unwrap_err().class, Class::RANK);
    assert_eq!((graph.map(3), graph.map(4)), (3, UNDEFINED));
    assert_eq!(Graph::count_edges(&[2, 1], 4).unwrap_err().class, Class::ARG);
    assert_eq!(Graph::count_edges(&[-1], 4).unwrap_err().class, Class::ARG);
    assert_eq!(Graph::count_edges(&[0; 5], 4).unwrap_err().class, Class::ARG);
    assert_eq!(Graph::new(&[1], &[1], 4).unwrap_err().class, Class::ARG);
    assert_eq!(Graph::new(&[], &[], 4).unwrap().size(), 0);
}

#[test]
fn wrong_edges_are_refused() {
    let ends = |ranks: &[i32], weights: Option<&[i32]>| Ends::new("source", ranks, weights, 4);
    assert_eq!(ends(&[0, 4], None).unwrap_err().text, "source 1 is rank 4; the communicator has ranks 0 to 3");
    assert_eq!(ends(&[-1], None).unwrap_err().class, Class::RANK);
    assert_eq!(ends(&[1], Some(&[-1])).unwrap_err().class, Class::ARG);
    let mixed = DistGraph::adjacent(ends(&[1], None).unwrap(), ends(&[1], Some(&[1])).unwrap());
    assert_eq!(mixed.unwrap_err().class, Class::ARG);
    assert_eq!(Contribution::count_edges(&[1, -1]).unwrap_err().class, Class::ARG);
    assert_eq!(Contribution::new(&[9], &[0], &[], None, 4).unwrap_err().class, Class::RANK);
    assert_eq!(Contribution::new(&[0], &[1], &[7], None, 4).unwrap_err().class, Class::RANK);
}

#[test]
fn another_topology_is_named() {
    let topology = Arc::new(Topology::Graph(Graph::new(&[0], &[], 1).unwrap()));
    let error = Cart::of(Some(&topology)).unwrap_err();
    assert_eq!(error.text, "the communicator has a graph topology, where a Cartesian one is needed");
    assert_eq!(error.class, Class::TOPOLOGY);
    assert!(Graph::of(Some(&topology)).is_ok());
    assert_eq!(DistGraph::of(None).unwrap_err().class, Class::TOPOLOGY);
}
