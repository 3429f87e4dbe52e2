//! Groups against a naive model: a list of process numbers.

use super::*;
use crate::constants::{PROC_NULL, UNDEFINED};
use crate::error::Class;
use proptest::prelude::*;

/// Up to 40 different processes: longer than what is scanned, with progressions among them.
fn processes() -> impl Strategy<Value = Vec<u32>> {
    let shuffled = Just((0..60u32).collect::<Vec<_>>()).prop_shuffle();
    let listed = (shuffled, 0..40usize).prop_map(|(mut all, len)| {
        all.truncate(len);
        all
    });
    let even = (0..5u32, 1..4usize, 0..15usize, any::<bool>()).prop_map(|(first, stride, len, reverse)| {
        let mut list: Vec<u32> = (first..60).step_by(stride).take(len).collect();
        if reverse {
            list.reverse();
        }
        list
    });
    prop_oneof![listed, even]
}

fn group(list: &[u32]) -> Arc<Group> {
    Group::of(list.iter().map(|&process| Peer(process)))
}

fn list(group: &Group) -> Vec<u32> {
    group.iter().map(|process| process.0).collect()
}

proptest! {
    #[test]
    fn members_and_ranks_agree(a in processes()) {
        let g = group(&a);
        prop_assert_eq!(list(&g), a.clone());
        for process in 0..61 {
            prop_assert_eq!(g.rank_of(Peer(process)), a.iter().position(|&p| p == process));
        }
    }

    #[test]
    fn set_operations(a in processes(), b in processes()) {
        let (ga, gb) = (group(&a), group(&b));
        let only_b = b.iter().filter(|p| !a.contains(p));
        prop_assert_eq!(list(&ga.union(&gb)), a.iter().chain(only_b).copied().collect::<Vec<_>>());
        prop_assert_eq!(list(&ga.intersection(&gb)), a.iter().filter(|p| b.contains(p)).copied().collect::<Vec<_>>());
        prop_assert_eq!(list(&ga.difference(&gb)), a.iter().filter(|p| !b.contains(p)).copied().collect::<Vec<_>>());
    }

    #[test]
    fn comparison(a in processes(), b in processes()) {
        let sorted = |list: &[u32]| { let mut list = list.to_vec(); list.sort(); list };
        let model = |a: &[u32], b: &[u32]| if a == b { Comparison::Ident }
            else if sorted(a) == sorted(b) { Comparison::Similar } else { Comparison::Unequal };
        prop_assert_eq!(group(&a).compare(&group(&b)), model(&a, &b));
        let reversed: Vec<u32> = a.iter().rev().copied().collect();
        prop_assert_eq!(group(&a).compare(&group(&reversed)), model(&a, &reversed));
        prop_assert_eq!(group(&a).compare(&group(&a)), Comparison::Ident);
    }

    #[test]
    fn subsets_by_rank(a in processes(), picks in prop::collection::vec(any::<prop::sample::Index>(), 0..10)) {
        let g = group(&a);
        let mut ranks: Vec<i32> = picks.iter().filter(|_| !a.is_empty()).map(|i| i.index(a.len()) as i32).collect();
        let all = ranks.clone();
        let mut seen = Vec::new();
        ranks.retain(|r| !seen.contains(r) && { seen.push(*r); true });
        prop_assert_eq!(list(&g.incl(&ranks).unwrap()), ranks.iter().map(|&r| a[r as usize]).collect::<Vec<_>>());
        let rest: Vec<u32> = (0..a.len()).filter(|&r| !ranks.contains(&(r as i32))).map(|r| a[r]).collect();
        prop_assert_eq!(list(&g.excl(&ranks).unwrap()), rest);
        if all.len() != ranks.len() {
            prop_assert_eq!(g.incl(&all).unwrap_err().class, Class::RANK);
            prop_assert_eq!(g.excl(&all).unwrap_err().class, Class::RANK);
        }
    }

    #[test]
    fn subsets_by_range(a in processes(), ranges in prop::collection::vec([-2..45i32, -2..45i32, -5..6i32], 0..3)) {
        let g = group(&a);
        match model_ranges(a.len() as i32, &ranges) {
            None => {
                prop_assert!(g.range_incl(&ranges).is_err());
                prop_assert!(g.range_excl(&ranges).is_err());
            }
            Some(ranks) => {
                let incl: Vec<u32> = ranks.iter().map(|&r| a[r as usize]).collect();
                prop_assert_eq!(list(&g.range_incl(&ranges).unwrap()), incl);
                let excl: Vec<u32> = (0..a.len()).filter(|&r| !ranks.contains(&(r as i32))).map(|r| a[r]).collect();
                prop_assert_eq!(list(&g.range_excl(&ranges).unwrap()), excl);
            }
        }
    }

    #[test]
    fn translation(a in processes(), b in processes()) {
        let (ga, gb) = (group(&a), group(&b));
        for (rank, process) in a.iter().enumerate() {
            let there = b.iter().position(|p| p == process).map_or(UNDEFINED, |r| r as i32);
            prop_assert_eq!(ga.translate(rank as i32, &gb).unwrap(), there);
        }
        prop_assert_eq!(ga.translate(PROC_NULL, &gb).unwrap(), PROC_NULL);
        prop_assert_eq!(ga.translate(a.len() as i32, &gb).unwrap_err().class, Class::RANK);
        prop_assert_eq!(ga.translate(-1, &gb).unwrap_err().class, Class::RANK);
    }
}

/// The ranks of ranges by walking them one step at a time; `None` if they are erroneous.
fn model_ranges(size: i32, ranges: &[[i32; 3]]) -> Option<Vec<i32>> {
    let mut ranks = Vec::new();
    for &[first, last, stride] in ranges {
        if stride == 0 || (stride > 0 && first > last) || (stride < 0 && first < last) {
            return None;
        }
        let mut rank = first;
        while (stride > 0 && rank <= last) || (stride < 0 && rank >= last) {
            if rank < 0 || rank >= size || ranks.contains(&rank) {
                return None;
            }
            ranks.push(rank);
            rank += stride;
        }
    }
    Some(ranks)
}

#[test]
fn a_world_of_two_billion_needs_no_memory() {
    let world = Group::world(2_000_000_000);
    assert_eq!(world.size(), 2_000_000_000);
    assert_eq!(world.peer(1_999_999_999), Peer(1_999_999_999));
    assert_eq!(world.rank_of(Peer(1_234_567_890)), Some(1_234_567_890));
    assert_eq!(world.rank_of(Peer(2_000_000_000)), None);
    assert_eq!(world.compare(&Group::world(2_000_000_000)), Comparison::Ident);
}

#[test]
fn extreme_ranges_are_refused_at_once() {
    let world = Group::world(10);
    for range in [[0, i32::MAX, 1], [i32::MIN, i32::MAX, 1], [i32::MAX, i32::MIN, -1], [0, 9, i32::MIN], [-1, -1, 1]] {
        assert!(world.range_incl(&[range]).is_err(), "{range:?}");
    }
    assert_eq!(list(&world.range_incl(&[[0, 9, i32::MAX]]).unwrap()), [0]);
    assert!(world.range_incl(&[[8, 11, 2]]).is_err());
    assert_eq!(list(&world.range_incl(&[[5, 10, 4]]).unwrap()), [5, 9]);
}

#[test]
fn errors_name_the_rank_and_the_size() {
    let error = Group::world(4).incl(&[0, 7]).unwrap_err();
    assert_eq!((error.class, error.text.as_str()), (Class::RANK, "there is no rank 7: the group has ranks 0 to 3"));
    let error = Group::empty().excl(&[0]).unwrap_err();
    assert_eq!(error.text, "there is no rank 0: the group is empty");
    let error = Group::world(4).range_incl(&[[0, 3, 0]]).unwrap_err();
    assert_eq!((error.class, error.text.as_str()), (Class::ARG, "the range from rank 0 to 3 has stride 0"));
}
