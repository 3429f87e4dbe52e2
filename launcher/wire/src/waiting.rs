//! What a rank waits for, in the words of a status line.

use crate::calls;

/// A rank is waiting, in the call that the line names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Waiting {
    pub what: What,
    /// One of the things waited for is enough.
    pub any: bool,
    /// The communicator has two groups, and `peer` is a rank of the other one.
    pub inter: bool,
    /// What is waited for beside this: messages, or requests.
    pub others: u16,
    /// The communicator's handle as the rank's program sees it; 0 for none.
    pub comm: u32,
    /// By which the members of the communicator know it as the same.
    pub comm_id: [u32; 2],
    pub comm_name: CommName,
    /// Rank in the communicator, or [`ANY`], or [`NOBODY`].
    pub peer: i32,
    /// The same rank in `MPI_COMM_WORLD`.
    pub world: i32,
    /// Tag, or [`ANY`]. In a collective call, what tells it from others on its communicator.
    pub tag: i32,
    /// The collective call that is waited in, which need not be the call entered last; an index into [`calls::NAMES`].
    pub operation: Option<u16>,
}

/// What the rank waits for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum What {
    /// Nothing that another rank is known to have to do.
    #[default]
    Other,
    /// A message from `peer`.
    Receive,
    /// That `peer` receives a message.
    Send,
    /// The part of `peer` in a collective call.
    Collective,
}

/// `MPI_ANY_SOURCE` or `MPI_ANY_TAG`.
pub const ANY: i32 = -1;
/// No single peer.
pub const NOBODY: i32 = i32::MIN;

/// The beginning of a communicator's name, ended by zeroes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CommName(pub [u8; CommName::SIZE]);

impl CommName {
    pub const SIZE: usize = 32;
}

impl From<&str> for CommName {
    fn from(text: &str) -> Self {
        let mut name = [0; Self::SIZE];
        let len = text.len().min(Self::SIZE);
        name[..len].copy_from_slice(&text.as_bytes()[..len]);
        Self(name)
    }
}

impl Waiting {
    /// As many as it has in a line.
    pub const WORDS: usize = 8 + CommName::SIZE / 4;

    pub fn to_words(&self) -> [u32; Self::WORDS] {
        let flags = self.what as u32 | u32::from(self.any) << 8 | u32::from(self.inter) << 9;
        let mut words = [0; Self::WORDS];
        words[..8].copy_from_slice(&[
            flags | u32::from(self.others) << 16,
            self.comm,
            self.comm_id[0],
            self.comm_id[1],
            self.peer as u32,
            self.world as u32,
            self.tag as u32,
            self.operation.map_or(0, |index| u32::from(index) + 1),
        ]);
        for (word, bytes) in words[8..].iter_mut().zip(self.comm_name.0.as_chunks().0) {
            *word = u32::from_ne_bytes(*bytes);
        }
        words
    }

    pub fn from_words(words: &[u32; Self::WORDS]) -> Self {
        let [flags, comm, leader, count, peer, world, tag, operation, ..] = *words;
        let mut name = CommName::default();
        for (word, bytes) in words[8..].iter().zip(name.0.as_chunks_mut().0) {
            *bytes = word.to_ne_bytes();
        }
        Self {
            what: match flags & 0xff {
                1 => What::Receive,
                2 => What::Send,
                3 => What::Collective,
                _ => What::Other,
            },
            any: flags >> 8 & 1 == 1,
            inter: flags >> 9 & 1 == 1,
            others: (flags >> 16) as u16,
            comm,
            comm_id: [leader, count],
            comm_name: name,
            peer: peer as i32,
            world: world as i32,
            tag: tag as i32,
            operation: operation.checked_sub(1).map(|index| index as u16),
        }
    }

    /// Name of the collective call.
    pub fn operation_name(&self) -> Option<&'static str> {
        calls::name(self.operation?)
    }

    /// The communicator for people: its name if it has one, else its handle; nothing where there is no communicator.
    pub fn comm_text(&self) -> Option<String> {
        let name = self.comm_name.0.split(|byte| *byte == 0).next().unwrap_or_default();
        match (name, self.comm) {
            ([], 0) => None,
            ([], handle) => Some(format!("communicator {handle:#x}")),
            // It is the program's, and goes to a terminal.
            (name, _) => Some(String::from_utf8_lossy(name).chars().map(|it| if it.is_control() { '?' } else { it }).collect()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_back() {
        let waiting = Waiting {
            what: What::Collective,
            any: true,
            inter: true,
            others: 65535,
            comm: 0x101,
            comm_id: [3, u32::MAX],
            comm_name: "MPI_COMM_WORLD".into(),
            peer: ANY,
            world: NOBODY,
            tag: i32::MAX,
            operation: Some(0),
        };
        assert_eq!(Waiting::from_words(&waiting.to_words()), waiting);
        assert_eq!(Waiting::from_words(&[0; Waiting::WORDS]), Waiting::default());
    }

    #[test]
    fn communicators_for_people() {
        let named = |name: &str, comm| Waiting { comm, comm_name: name.into(), ..Waiting::default() }.comm_text();
        assert_eq!(named("", 0), None);
        assert_eq!(named("", 0x8400001).as_deref(), Some("communicator 0x8400001"));
        assert_eq!(named("row\x1b[1m", 1).as_deref(), Some("row?[1m"));
        assert_eq!(named(&"x".repeat(40), 1), Some("x".repeat(32)));
    }
}
