//! How a group's members are stored, and found again.

use fm::Peer;
use std::sync::OnceLock;

/// Lists up to this length are searched from front to back: cheaper than an index.
const SCAN_MAX: usize = 16;

pub(super) enum Members {
    Progression(Progression),
    List {
        list: Box<[Peer]>,
        /// Ranks in the order of their processes, for binary search. Made at the first search of a long list; as compact as
        /// the list itself, where a hash table would need several times that.
        by_process: OnceLock<Box<[u32]>>,
    },
}

/// `first`, `first + stride`, … : `len` process numbers.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Progression {
    first: u32,
    /// Never 0. 1 when `len < 2`, so that equal groups have equal progressions.
    stride: i64,
    len: u32,
}

impl Members {
    pub(super) fn progression(first: u32, stride: i64, len: u32) -> Members {
        Members::Progression(Progression { first, stride, len })
    }

    pub(super) fn collect(processes: impl IntoIterator<Item = Peer>) -> Members {
        let list: Vec<Peer> = processes.into_iter().collect();
        match progression_of(&list) {
            Some(progression) => Members::Progression(progression),
            None => Members::List { list: list.into(), by_process: OnceLock::new() },
        }
    }

    #[inline]
    pub(super) fn len(&self) -> usize {
        match self {
            Members::Progression(progression) => progression.len as usize,
            Members::List { list, .. } => list.len(),
        }
    }

    #[inline]
    pub(super) fn get(&self, rank: usize) -> Peer {
        match self {
            Members::Progression(progression) => progression.get(rank),
            Members::List { list, .. } => list[rank],
        }
    }

    #[inline]
    pub(super) fn find(&self, process: Peer) -> Option<usize> {
        match self {
            Members::Progression(progression) => progression.find(process),
            Members::List { list, .. } if list.len() <= SCAN_MAX => list.iter().position(|&member| member == process),
            Members::List { list, by_process } => {
                let index = by_process.get_or_init(|| sorted_ranks(list));
                let at = index.binary_search_by_key(&process, |&rank| list[rank as usize]).ok()?;
                Some(index[at] as usize)
            }
        }
    }

    pub(super) fn as_progression(&self) -> Option<Progression> {
        match self {
            Members::Progression(progression) => Some(*progression),
            Members::List { .. } => None,
        }
    }
}

impl Progression {
    #[inline]
    fn get(self, rank: usize) -> Peer {
        assert!(rank < self.len as usize, "rank {rank} in a group of {}", self.len);
        Peer((i64::from(self.first) + rank as i64 * self.stride) as u32)
    }

    fn find(self, process: Peer) -> Option<usize> {
        let distance = i64::from(process.0) - i64::from(self.first);
        let rank = distance / self.stride;
        (distance % self.stride == 0 && (0..i64::from(self.len)).contains(&rank)).then_some(rank as usize)
    }
}

fn progression_of(list: &[Peer]) -> Option<Progression> {
    let len = list.len() as u32;
    match list {
        [] => Some(Progression { first: 0, stride: 1, len }),
        [only] => Some(Progression { first: only.0, stride: 1, len }),
        [first, second, ..] => {
            let distance = |a: &Peer, b: &Peer| i64::from(b.0) - i64::from(a.0);
            let stride = distance(first, second);
            let even = list.windows(2).all(|pair| distance(&pair[0], &pair[1]) == stride);
            (even && stride != 0).then_some(Progression { first: first.0, stride, len })
        }
    }
}

fn sorted_ranks(list: &[Peer]) -> Box<[u32]> {
    let mut ranks: Box<[u32]> = (0..list.len() as u32).collect();
    ranks.sort_unstable_by_key(|&rank| list[rank as usize]);
    ranks
}
