//! What is measured: for each threshold the operation that it decides about, the lengths around it, and with how many ranks.
//!
//! In the order in which they are settled: messages first, then the collectives made of messages, then whether those are better than boards.

/// With how many ranks a choice is measured.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ranks {
    Two,
    /// Twice as many as there are cores, and at least so many: with fewer the choice does not come up.
    Many(usize),
}

/// What a length of the table means, for an operation whose ranks have blocks of some length.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unit {
    /// The message, the vector, or the block of one rank.
    Block,
    /// The blocks of all.
    All,
    /// The blocks for all others.
    Others,
}

impl Unit {
    pub fn of(self, bytes: u64, ranks: usize) -> u64 {
        match self {
            Unit::Block => bytes,
            Unit::All => bytes * ranks as u64,
            Unit::Others => bytes * (ranks as u64 - 1),
        }
    }
}

/// How a threshold decides.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// The way is taken up to this length …
    Longest(&'static str),
    /// … from this length on …
    Shortest(&'static str),
    /// … from the first to the second, which is the last one, or the first one beyond.
    Window { first: &'static str, last: &'static str, beyond: bool },
    /// A value that is good or bad for all lengths: these are tried.
    Value(&'static str, &'static [u64]),
}

#[derive(Debug)]
pub struct Choice {
    /// What is decided, for people.
    pub what: &'static str,
    pub kind: Kind,
    /// Operations of `bench/tune.c`.
    pub operations: &'static [&'static str],
    pub ranks: Ranks,
    pub unit: Unit,
    /// The blocks that are measured: powers of two from here to there.
    pub sizes: (u64, u64),
    /// What is set while this is measured.
    pub fixed: &'static [(&'static str, u64)],
}

/// As a length: no limit, and no least value that a length could reach.
pub const ALWAYS: u64 = 1 << 40;

const KIB: u64 = 1 << 10;
const MESSAGES: &[(&str, u64)] = &[("board-members-max", 0)];
/// With two ranks these are where the two ways of messages differ.
const ON_BOARDS: &[(&str, u64)] = &[("allreduce-message-pair-end", 0), ("allgather-board-pair-max", ALWAYS)];

const fn choice(what: &'static str, kind: Kind, operations: &'static [&'static str], ranks: Ranks, sizes: (u64, u64)) -> Choice {
    Choice { what, kind, operations, ranks, unit: Unit::Block, sizes, fixed: &[] }
}

const fn by_messages(choice: Choice) -> Choice {
    Choice { fixed: MESSAGES, ..choice }
}

const fn counted(unit: Unit, choice: Choice) -> Choice {
    Choice { unit, ..choice }
}

pub const CHOICES: &[Choice] = &[
    choice("messages that the receiver reads", Kind::Shortest("fetch-bytes-min"), &["pingpong", "window"], Ranks::Two, (KIB, 64 * KIB)),
    choice("messages that the sender helps to copy", Kind::Shortest("help-bytes-min"), &["pingpong", "window"], Ranks::Two, (16 * KIB, KIB * KIB)),
    by_messages(choice(
        "allreduce: both exchange whole vectors",
        Kind::Window { first: "allreduce-pair-min", last: "allreduce-pair-max", beyond: false },
        &["allreduce"],
        Ranks::Two,
        (2 * KIB, KIB * KIB),
    )),
    by_messages(choice("broadcast scattered and gathered", Kind::Shortest("bcast-scatter-min"), &["bcast"], Ranks::Many(8), (32 * KIB, KIB * KIB))),
    by_messages(choice("gather and scatter through a tree", Kind::Longest("gather-tree-max"), &["gather", "scatter"], Ranks::Many(9), (64, 16 * KIB))),
    by_messages(counted(
        Unit::All,
        choice("allgather doubling", Kind::Longest("allgather-doubling-max"), &["allgather"], Ranks::Many(4), (KIB, 128 * KIB)),
    )),
    by_messages(choice("alltoall forwarded by others", Kind::Longest("alltoall-bruck-max"), &["alltoall"], Ranks::Many(9), (8, 4 * KIB))),
    by_messages(choice("alltoall all at once", Kind::Longest("alltoall-spread-max"), &["alltoall"], Ranks::Many(4), (4 * KIB, 128 * KIB))),
    by_messages(choice("reduce in parts", Kind::Shortest("reduce-halving-min"), &["reduce"], Ranks::Many(4), (8 * KIB, 512 * KIB))),
    by_messages(choice("allreduce in parts", Kind::Shortest("allreduce-halving-min"), &["allreduce"], Ranks::Many(4), (2 * KIB, 128 * KIB))),
    by_messages(counted(
        Unit::All,
        choice("reduce-scatter by halves", Kind::Longest("reduce-scatter-halving-max"), &["reduce_scatter"], Ranks::Many(5), (KIB, 64 * KIB)),
    )),
    Choice {
        fixed: ON_BOARDS,
        ..choice("pieces on boards", Kind::Value("board-piece-max", &[8 * KIB, 16 * KIB, 32 * KIB]), &["allreduce", "allgather"], Ranks::Two, (32 * KIB, 512 * KIB))
    },
    choice("broadcast over a board, two", Kind::Longest("bcast-board-pair-max"), &["bcast"], Ranks::Two, (2 * KIB, 256 * KIB)),
    choice("broadcast over a board, more", Kind::Longest("bcast-board-max"), &["bcast"], Ranks::Many(4), (4 * KIB, 512 * KIB)),
    choice("reduce over a board", Kind::Longest("reduce-board-max"), &["reduce"], Ranks::Many(4), (4 * KIB, 512 * KIB)),
    choice(
        "allreduce by messages, two",
        Kind::Window { first: "allreduce-message-pair-min", last: "allreduce-message-pair-end", beyond: true },
        &["allreduce"],
        Ranks::Two,
        (4 * KIB, KIB * KIB),
    ),
    counted(
        Unit::All,
        choice("allreduce: each reduces all", Kind::Longest("allreduce-alone-max"), &["allreduce"], Ranks::Many(4), (256, 8 * KIB)),
    ),
    choice("allreduce over a board, more", Kind::Longest("allreduce-board-max"), &["allreduce"], Ranks::Many(4), (4 * KIB, 512 * KIB)),
    choice("gather and scatter over a board, two", Kind::Longest("gather-board-pair-max"), &["gather", "scatter"], Ranks::Two, (64, 64 * KIB)),
    choice("gather and scatter over a board, more", Kind::Longest("gather-board-max"), &["gather", "scatter"], Ranks::Many(4), (2 * KIB, 128 * KIB)),
    choice("allgather over a board, two", Kind::Longest("allgather-board-pair-max"), &["allgather"], Ranks::Two, (2 * KIB, 128 * KIB)),
    choice("allgather over a board, more", Kind::Longest("allgather-board-max"), &["allgather"], Ranks::Many(4), (2 * KIB, 512 * KIB)),
    choice("alltoall over a board, two", Kind::Longest("alltoall-board-pair-max"), &["alltoall"], Ranks::Two, (2 * KIB, 128 * KIB)),
    choice("alltoall over a board, more", Kind::Longest("alltoall-board-max"), &["alltoall"], Ranks::Many(4), (2 * KIB, 16 * KIB)),
    counted(
        Unit::Others,
        choice("alltoall over a board, all blocks", Kind::Longest("alltoall-board-sum-max"), &["alltoall"], Ranks::Many(4), (2 * KIB, 64 * KIB)),
    ),
];

impl Choice {
    /// The keys that it settles.
    pub fn keys(&self) -> Vec<&'static str> {
        match self.kind {
            Kind::Longest(key) | Kind::Shortest(key) | Kind::Value(key, _) => vec![key],
            Kind::Window { first, last, .. } => vec![first, last],
        }
    }

    /// The blocks to measure.
    pub fn blocks(&self, quick: bool) -> Vec<u64> {
        let step = if quick { 4 } else { 2 };
        std::iter::successors(Some(self.sizes.0), |bytes| Some(bytes * step)).take_while(|bytes| *bytes <= self.sizes.1).collect()
    }

    /// The settings that are measured: without the way and with it, or each value; that of `own` among them.
    pub fn alternatives(&self, own: u64) -> Vec<Vec<(&'static str, u64)>> {
        match self.kind {
            Kind::Longest(key) => vec![vec![(key, 0)], vec![(key, ALWAYS)]],
            Kind::Shortest(key) => vec![vec![(key, ALWAYS)], vec![(key, 0)]],
            Kind::Window { first, last, .. } => vec![vec![(first, ALWAYS), (last, 0)], vec![(first, 0), (last, ALWAYS)]],
            Kind::Value(key, values) => {
                let mut values = values.to_vec();
                values.retain(|value| *value != own);
                values.push(own);
                values.into_iter().map(|value| vec![(key, value)]).collect()
            }
        }
    }

    /// Whether values of its keys, in their order, lead to the way at a length.
    pub fn takes(&self, values: &[u64], length: u64) -> bool {
        match self.kind {
            Kind::Longest(_) => length <= values[0],
            Kind::Shortest(_) => length >= values[0],
            Kind::Window { beyond: true, .. } => (values[0]..values[1]).contains(&length),
            Kind::Window { beyond: false, .. } => (values[0]..=values[1]).contains(&length),
            Kind::Value(..) => true,
        }
    }

    /// The values that are worth a thought, given the lengths that were measured: those at which another one of them goes another way.
    pub fn candidates(&self, lengths: &[u64]) -> Vec<Vec<u64>> {
        let (Some(&shortest), Some(&longest)) = (lengths.first(), lengths.last()) else { return Vec::new() };
        match self.kind {
            Kind::Longest(_) => [shortest / 2].iter().chain(lengths).map(|value| vec![*value]).collect(),
            Kind::Shortest(_) => lengths.iter().chain(&[longest * 2]).map(|value| vec![*value]).collect(),
            Kind::Window { beyond, .. } => {
                let windows = lengths.iter().flat_map(|first| lengths.iter().filter(move |last| *last >= first).map(move |last| (*first, *last)));
                let mut windows: Vec<_> = windows.map(|(first, last)| vec![first, if beyond { last * 2 } else { last }]).collect();
                // Empty.
                windows.push(vec![longest * 4, longest * 2]);
                windows
            }
            Kind::Value(..) => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_key_is_settled_once() {
        let mut keys: Vec<_> = CHOICES.iter().flat_map(Choice::keys).collect();
        let count = keys.len();
        keys.sort_unstable();
        keys.dedup();
        assert_eq!(keys.len(), count);
    }

    #[test]
    fn candidates_differ_in_what_they_lead_to() {
        for choice in CHOICES {
            let lengths = choice.blocks(false);
            let candidates = choice.candidates(&lengths);
            let mut ways: Vec<Vec<bool>> = candidates.iter().map(|values| lengths.iter().map(|length| choice.takes(values, *length)).collect()).collect();
            let count = ways.len();
            ways.sort();
            ways.dedup();
            assert_eq!(ways.len(), count, "{}", choice.what);
            if !matches!(choice.kind, Kind::Value(..)) {
                assert!(ways.contains(&vec![false; lengths.len()]) && ways.contains(&vec![true; lengths.len()]), "{}", choice.what);
            }
        }
    }
}
