//! Thresholds of the library: which there are, and how a table of them comes from the launcher to the ranks.
//!
//! `cargo xtask tune` measures a machine and writes a table; `hpvmrun` reads it, once for the whole job, since all members of a
//! communicator must choose alike. The ranks get what it sets as one variable, [`names::THRESHOLDS`](crate::names::THRESHOLDS): `NAME=VALUE`,
//! with blanks between them. What is not set there stays as the library has it.

use std::fmt;

/// A threshold that a table may set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key {
    /// The control variable of `MPI_T` that shows it.
    pub variable: &'static str,
    /// What it means, for people.
    pub text: &'static str,
    pub least: u64,
    pub most: u64,
}

impl Key {
    /// As the library's settings are called.
    pub fn name(&self) -> &'static str {
        self.variable.strip_prefix("hpvm_").unwrap_or(self.variable)
    }

    /// As tables call it.
    pub fn in_tables(&self) -> String {
        self.name().replace('_', "-")
    }

    pub fn allows(&self, value: u64) -> bool {
        (self.least..=self.most).contains(&value)
    }
}

/// Of a length, where a table means that there is no limit. No message is as long.
pub const ALWAYS: u64 = 1 << 40;

const fn key(variable: &'static str, text: &'static str) -> Key {
    Key { variable, text, least: 0, most: ALWAYS }
}

const fn within(least: u64, most: u64, key: Key) -> Key {
    Key { least, most, ..key }
}

/// All of them. Lengths are in bytes.
#[rustfmt::skip]
pub const KEYS: [Key; 32] = [
    within(0, 1 << 30, key("hpvm_eager_bytes_max",
        "Longest message that is sent before its receive is known; one packet of the device is the limit")),
    key("hpvm_fetch_bytes_min",
        "Shortest message that the receiver reads out of the sender's memory, where the device can; those are not eager there"),
    key("hpvm_fetch_bytes_max",
        "Longest message that the receiver reads out of the sender's memory by itself, where the device can"),
    key("hpvm_help_bytes_min",
        "Shortest such message of which the sender, while it waits, writes a part into the receiver's memory"),
    within(0, 1024, key("hpvm_board_members_max",
        "Members of the largest communicator whose blocking collectives go over shared memory without messages (a board)")),
    within(1 << 10, 32 << 10, key("hpvm_board_piece_max",
        "Longest piece in which data goes over a board")),
    within(1 << 10, 32 << 10, key("hpvm_board_stream_min",
        "Shortest of the pieces by which data is streamed over a board")),
    key("hpvm_bcast_board_pair_max", "Longest broadcast over a board between two"),
    key("hpvm_bcast_board_max", "Longest broadcast over a board among more than two"),
    key("hpvm_reduce_board_max", "Longest vector that is reduced to a root over a board"),
    key("hpvm_allreduce_message_pair_min", "Shortest vector of allreduce and reduce-scatter by messages between two, if it is shorter than ..._end"),
    key("hpvm_allreduce_message_pair_end", "Shortest vector of allreduce and reduce-scatter between two that goes over a board again"),
    key("hpvm_allreduce_board_max", "Longest vector of allreduce and reduce-scatter over a board among more than two"),
    key("hpvm_allreduce_alone_max", "Vectors of all members together, up to which each one reduces all of them on a board"),
    key("hpvm_gather_board_pair_max", "Longest block of gather and scatter over a board between two"),
    key("hpvm_gather_board_max", "Longest block of gather and scatter over a board among more than two"),
    key("hpvm_allgather_board_pair_max", "Longest block of allgather over a board between two"),
    key("hpvm_allgather_board_max", "Longest block of allgather over a board among more than two"),
    key("hpvm_alltoall_board_pair_max", "Longest block of alltoall over a board between two"),
    key("hpvm_alltoall_board_max", "Longest block of alltoall over a board among more than two, if all for the others are no longer than ..._sum_max"),
    key("hpvm_alltoall_board_sum_max", "Longest blocks of one member for all others together in alltoall over a board"),
    key("hpvm_bcast_scatter_min", "Shortest broadcast by messages that is scattered and gathered, among eight or more"),
    key("hpvm_gather_tree_max", "Longest block of gather and scatter through a tree of messages, among nine or more"),
    key("hpvm_allgather_doubling_max", "All blocks of allgather by messages together, up to which they double in each step; longer ones go around"),
    key("hpvm_allgather_in_place_min", "Shortest block of allgather by messages that is sent from where it lies"),
    key("hpvm_alltoall_bruck_max", "Longest block of alltoall by messages that others forward, among nine or more"),
    key("hpvm_alltoall_spread_max", "Longest block of alltoall by messages of which all are under way at once"),
    key("hpvm_reduce_halving_min", "Shortest vector reduced by messages of which each member reduces a part"),
    key("hpvm_allreduce_pair_min", "Shortest vector of allreduce by messages that two exchange whole, if it is no longer than ..._max"),
    key("hpvm_allreduce_pair_max", "Longest vector of allreduce by messages that two exchange whole"),
    key("hpvm_allreduce_halving_min", "Shortest vector of allreduce by messages of which each member reduces a part"),
    key("hpvm_reduce_scatter_halving_max", "Longest vector of reduce-scatter by messages that is halved in each step, among five or more"),
];

/// What a table sets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Thresholds(Vec<(Key, u64)>);

impl Thresholds {
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Sets one to a value that it allows.
    pub fn set(&mut self, key: Key, value: u64) {
        debug_assert!(key.allows(value));
        self.0.retain(|(known, _)| *known != key);
        self.0.push((key, value));
    }

    pub fn iter(&self) -> impl Iterator<Item = (Key, u64)> {
        self.0.iter().copied()
    }

    /// Reads what [`Display`](fmt::Display) writes.
    ///
    /// # Errors
    /// The word that is none.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut thresholds = Self::default();
        for word in text.split_whitespace() {
            let found = word.split_once('=').and_then(|(name, value)| {
                let key = KEYS.into_iter().find(|key| key.name() == name)?;
                Some((key, value.parse().ok().filter(|value| key.allows(*value))?))
            });
            let (key, value) = found.ok_or_else(|| word.to_owned())?;
            thresholds.set(key, value);
        }
        Ok(thresholds)
    }
}

impl fmt::Display for Thresholds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (key, value)) in self.iter().enumerate() {
            let blank = if index > 0 { " " } else { "" };
            write!(f, "{blank}{}={value}", key.name())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_differ() {
        for (index, key) in KEYS.iter().enumerate() {
            assert!(KEYS[..index].iter().all(|other| other.variable != key.variable), "{}", key.variable);
            assert!(key.variable.starts_with("hpvm_") && key.least < key.most);
        }
    }

    #[test]
    fn what_is_written_is_read_back() {
        let mut thresholds = Thresholds::default();
        assert_eq!(Thresholds::parse(&thresholds.to_string()), Ok(thresholds.clone()));
        KEYS.into_iter().for_each(|key| thresholds.set(key, key.most));
        thresholds.set(KEYS[3], 7);
        assert_eq!(Thresholds::parse(&thresholds.to_string()), Ok(thresholds.clone()));
        assert_eq!(thresholds.iter().filter(|(key, _)| *key == KEYS[3]).collect::<Vec<_>>(), [(KEYS[3], 7)]);
    }

    #[test]
    fn nonsense_is_named() {
        for bad in ["bcast_board_max", "bcast_board_max=", "bcast_board_max=-1", "hpvm_bcast_board_max=1", "x=1", "board_piece_max=1"] {
            assert_eq!(Thresholds::parse(&format!("gather_board_max=8 {bad}")), Err(bad.to_owned()));
        }
    }
}
