//! Matching: which receive takes which message (MPI 5.0 section 3.5).
//!
//! One [`Matcher`] belongs to each plane of a communicator, not to a device, so that a wildcard is one lookup. Posted receives
//! stand in the list of their own wildcard class; unexpected messages stand in the list of every class, so that
//! whichever receive comes finds the oldest message for it at once, at any depth.

use super::lists::{Key, Lists};
use crate::tally::Depths;
use std::sync::Arc;

/// What a receive accepts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Pattern {
    /// Rank in the communicator (in the remote group of an intercommunicator); `None` is `MPI_ANY_SOURCE`.
    pub source: Option<u32>,
    /// `None` is `MPI_ANY_TAG`.
    pub tag: Option<i32>,
}

impl Pattern {
    pub fn accepts(&self, source: u32, tag: i32) -> bool {
        self.source.is_none_or(|s| s == source) && self.tag.is_none_or(|t| t == tag)
    }

    /// The list for patterns with wildcards in the same places, and the key there.
    #[inline]
    fn class(&self) -> (usize, Key) {
        match (self.source, self.tag) {
            (Some(source), Some(tag)) => (EXACT, (source, tag)),
            (Some(source), None) => (ANY_TAG, (source, 0)),
            (None, Some(tag)) => (ANY_SOURCE, (0, tag)),
            (None, None) => (ANY, (0, 0)),
        }
    }
}

const EXACT: usize = 0;
const ANY_TAG: usize = 1;
const ANY_SOURCE: usize = 2;
const ANY: usize = 3;
const CLASSES: usize = 4;

/// The keys of a message in the four classes.
fn keys(source: u32, tag: i32) -> [Key; CLASSES] {
    [(source, tag), (source, 0), (0, tag), (0, 0)]
}

struct Posted<R> {
    /// Receives are numbered in the order of posting: of several that accept a message the first takes it.
    order: u64,
    receive: R,
}

/// The queues of one plane of a communicator: receives `R` that wait for a message, and messages `M` that wait for a receive.
pub struct Matcher<R, M> {
    /// By class: a receive is in one.
    posted: [Lists<Posted<R>, 1>; CLASSES],
    /// Posted receives with a wildcard: where there is none, one look is enough.
    wildcards: usize,
    /// A message is in the lists of all classes.
    unexpected: Lists<M, CLASSES>,
    next_order: u64,
    depths: Arc<Depths>,
}

impl<R, M> Default for Matcher<R, M> {
    fn default() -> Self {
        Matcher {
            posted: std::array::from_fn(|_| Lists::default()),
            unexpected: Lists::default(),
            wildcards: 0,
            next_order: 0,
            depths: Arc::default(),
        }
    }
}

impl<R, M> Matcher<R, M> {
    /// The lengths of its queues, to be read without the lock that guards the matcher.
    pub fn depths(&self) -> &Arc<Depths> {
        &self.depths
    }

    /// A message arrives: takes the first posted receive that accepts it.
    #[inline]
    pub fn arrive(&mut self, source: u32, tag: i32) -> Option<R> {
        if self.wildcards == 0 {
            let number = self.posted[EXACT].first(0, (source, tag))?;
            return Some(self.remove_posted(EXACT, number));
        }
        self.arrive_among_wildcards(source, tag)
    }

    #[inline(never)]
    fn arrive_among_wildcards(&mut self, source: u32, tag: i32) -> Option<R> {
        let mut best: Option<(u64, usize, u32)> = None;
        for (class, (key, posted)) in keys(source, tag).into_iter().zip(&self.posted).enumerate() {
            if let Some(number) = posted.first(0, key) {
                let order = posted.get(number)?.order;
                if best.is_none_or(|(first, _, _)| order < first) {
                    best = Some((order, class, number));
                }
            }
        }
        best.map(|(_, class, number)| self.remove_posted(class, number))
    }

    /// No receive took the message: it waits. Returns its number, good until it is taken.
    pub fn wait_for_receive(&mut self, source: u32, tag: i32, message: M) -> u32 {
        self.depths.unexpected.up();
        self.unexpected.push(keys(source, tag).map(Some), message)
    }

    /// The oldest waiting message that `pattern` accepts.
    #[inline]
    pub fn peek(&self, pattern: &Pattern) -> Option<&M> {
        let (class, key) = pattern.class();
        self.unexpected.get(self.unexpected.first(class, key)?)
    }

    /// Takes the oldest waiting message that `pattern` accepts.
    #[inline]
    pub fn take(&mut self, pattern: &Pattern) -> Option<M> {
        let (class, key) = pattern.class();
        let number = self.unexpected.first(class, key)?;
        Some(self.remove_unexpected(number))
    }

    /// Posts a receive that found no message. Returns its number, for [`unpost`](Self::unpost).
    #[inline]
    pub fn post(&mut self, pattern: &Pattern, receive: R) -> u32 {
        let (class, key) = pattern.class();
        self.next_order += 1;
        self.depths.posted.up();
        self.wildcards += usize::from(class != EXACT);
        let number = self.posted[class].push([Some(key)], Posted { order: self.next_order, receive });
        number * CLASSES as u32 + class as u32
    }

    /// Withdraws the posted receive with this number if `is_it` says that it still is the one meant.
    pub fn unpost(&mut self, number: u32, is_it: impl FnOnce(&R) -> bool) -> Option<R> {
        let (class, number) = (number as usize % CLASSES, number / CLASSES as u32);
        if !is_it(&self.posted[class].get(number)?.receive) {
            return None;
        }
        Some(self.remove_posted(class, number))
    }

    /// What the posted receive with this number accepts, if `is_it` says that it still is the one meant.
    pub fn pattern(&self, number: u32, is_it: impl FnOnce(&R) -> bool) -> Option<Pattern> {
        let (class, number) = (number as usize % CLASSES, number / CLASSES as u32);
        let posted = &self.posted[class];
        let (source, tag) = posted.key(number, 0).filter(|_| posted.get(number).is_some_and(|posted| is_it(&posted.receive)))?;
        Some(Pattern {
            source: matches!(class, EXACT | ANY_TAG).then_some(source),
            tag: matches!(class, EXACT | ANY_SOURCE).then_some(tag),
        })
    }

    /// The oldest of the posted receives without wildcards whose tag is `wanted`, and how many more there are of them; of the first `most`.
    pub fn oldest_exact(&self, most: usize, wanted: impl Fn(i32) -> bool) -> Option<(Pattern, &R, u32)> {
        let posted = &self.posted[EXACT];
        let mut oldest: Option<(Pattern, &Posted<R>)> = None;
        let mut count = 0;
        for (number, entry) in posted.iter().take(most) {
            let Some((source, tag)) = posted.key(number, 0).filter(|(_, tag)| wanted(*tag)) else { continue };
            count += 1;
            if oldest.as_ref().is_none_or(|(_, other)| entry.order < other.order) {
                oldest = Some((Pattern { source: Some(source), tag: Some(tag) }, entry));
            }
        }
        oldest.map(|(pattern, entry)| (pattern, &entry.receive, count - 1))
    }

    /// Takes the waiting message that `is_it` picks: for the cancellation of a send, at a cost linear in the queue.
    pub fn take_where(&mut self, is_it: impl Fn(&M) -> bool) -> Option<M> {
        let number = self.unexpected.iter().find(|(_, message)| is_it(message))?.0;
        Some(self.remove_unexpected(number))
    }

    #[inline]
    fn remove_posted(&mut self, class: usize, number: u32) -> R {
        self.depths.posted.down();
        self.wildcards -= usize::from(class != EXACT);
        self.posted[class].remove(number).receive
    }

    #[inline]
    fn remove_unexpected(&mut self, number: u32) -> M {
        self.depths.unexpected.down();
        self.unexpected.remove(number)
    }

    /// Receives waiting for messages.
    pub fn posted_len(&self) -> usize {
        self.posted.iter().map(Lists::len).sum()
    }

    /// Messages waiting for receives.
    pub fn unexpected_len(&self) -> usize {
        self.unexpected.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const fn pattern(source: Option<u32>, tag: Option<i32>) -> Pattern {
        Pattern { source, tag }
    }

    #[test]
    fn the_first_posted_receive_that_accepts_takes_the_message() {
        let mut matcher = Matcher::<&str, u32>::default();
        matcher.post(&pattern(None, None), "any");
        matcher.post(&pattern(Some(1), Some(7)), "exact");
        matcher.post(&pattern(None, Some(7)), "any source");
        assert_eq!(matcher.arrive(1, 7), Some("any"));
        assert_eq!(matcher.arrive(2, 7), Some("any source"));
        assert_eq!(matcher.arrive(1, 8), None);
        assert_eq!(matcher.arrive(1, 7), Some("exact"));
    }

    proptest! {
        /// Against the standard's rule carried out on plain lists in order of posting and arrival.
        #[test]
        fn behaves_like_the_rule(
            steps in prop::collection::vec((any::<bool>(), 0u32..3, 0i32..3, 0u8..4), 1..300),
        ) {
            let mut matcher = Matcher::<usize, (u32, i32, usize)>::default();
            let mut posted: Vec<(Pattern, usize)> = Vec::new();
            let mut waiting: Vec<(u32, i32, usize)> = Vec::new();
            for (step, (arrives, source, tag, wild)) in steps.into_iter().enumerate() {
                if arrives {
                    let expected = posted.iter().position(|(p, _)| p.accepts(source, tag)).map(|at| posted.remove(at).1);
                    prop_assert_eq!(matcher.arrive(source, tag), expected);
                    if expected.is_none() {
                        matcher.wait_for_receive(source, tag, (source, tag, step));
                        waiting.push((source, tag, step));
                    }
                } else {
                    let wanted = pattern((wild & 1 == 0).then_some(source), (wild & 2 == 0).then_some(tag));
                    let expected = waiting.iter().position(|m| wanted.accepts(m.0, m.1)).map(|at| waiting.remove(at));
                    prop_assert_eq!(matcher.peek(&wanted).copied(), expected);
                    prop_assert_eq!(matcher.take(&wanted), expected);
                    if expected.is_none() {
                        matcher.post(&wanted, step);
                        posted.push((wanted, step));
                    }
                }
            }
            prop_assert_eq!(matcher.unexpected_len(), waiting.len());
            prop_assert_eq!(matcher.posted_len(), posted.len());
            let depths = matcher.depths();
            prop_assert_eq!((depths.unexpected.level(), depths.posted.level()), (waiting.len() as u64, posted.len() as u64));
        }
    }
}
