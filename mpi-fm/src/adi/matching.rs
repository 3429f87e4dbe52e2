//! Matching: which receive takes which message (MPI 5.0 section 3.5).
//!
//! One [`Matcher`] belongs to each plane of a communicator, not to a device, so that a wildcard is one lookup. Posted receives
//! without wildcards that are alike stand in a [`Run`], others in the list of their own wildcard class; unexpected messages stand in the list of every class, so that
//! whichever receive comes finds the oldest message for it at once, at any depth.

use super::lists::{Key, Lists};
use super::run::{Posted, Run};
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

/// Where a posted receive stands, as its number tells.
enum Place {
    /// In the run, by the lower bits of its order.
    Run(u32),
    /// In a list: its class, and its number there.
    List(usize, u32),
}

impl Place {
    const RUN: u32 = 1 << 31;

    fn of(number: u32) -> Place {
        if number & Self::RUN != 0 { Place::Run(number) } else { Place::List(number as usize % CLASSES, number / CLASSES as u32) }
    }
}

/// The keys of a message in the four classes.
fn keys(source: u32, tag: i32) -> [Key; CLASSES] {
    [(source, tag), (source, 0), (0, tag), (0, 0)]
}

/// The queues of one plane of a communicator: receives `R` that wait for a message, and messages `M` that wait for a receive.
pub struct Matcher<R, M> {
    /// Receives without wildcards that are alike.
    run: Run<R>,
    /// The others, by class: a receive is in one.
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
            run: Run::default(),
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
    #[inline(always)]
    pub fn arrive(&mut self, source: u32, tag: i32) -> Option<R> {
        if self.wildcards == 0
            && let Some(receive) = self.run.pop((source, tag))
        {
            self.depths.posted.down();
            return Some(receive);
        }
        self.arrive_elsewhere(source, tag)
    }

    #[inline(never)]
    fn arrive_elsewhere(&mut self, source: u32, tag: i32) -> Option<R> {
        if self.wildcards == 0 {
            let number = self.posted[EXACT].first(0, (source, tag))?;
            return Some(self.remove_posted(EXACT, number));
        }
        let in_run = self.run.first((source, tag)).map(|posted| posted.order);
        let mut best: Option<(u64, usize, u32)> = None;
        for (class, (key, posted)) in keys(source, tag).into_iter().zip(&self.posted).enumerate() {
            if let Some(number) = posted.first(0, key) {
                let order = posted.get(number)?.order;
                if best.is_none_or(|(first, _, _)| order < first) {
                    best = Some((order, class, number));
                }
            }
        }
        if in_run.is_some_and(|order| best.is_none_or(|(first, _, _)| order < first)) {
            self.depths.posted.down();
            return self.run.pop((source, tag));
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
        if self.unexpected.len_of(EXACT) == 0 { None } else { self.take_among(pattern) }
    }

    #[inline(never)]
    fn take_among(&mut self, pattern: &Pattern) -> Option<M> {
        let (class, key) = pattern.class();
        let number = self.unexpected.first(class, key)?;
        Some(self.remove_unexpected(number))
    }

    /// Posts a receive that found no message. Returns its number, for [`unpost`](Self::unpost).
    #[inline(always)]
    pub fn post(&mut self, pattern: &Pattern, receive: R) -> u32 {
        self.next_order += 1;
        self.depths.posted.up();
        let posted = Posted { order: self.next_order, receive };
        if let Pattern { source: Some(source), tag: Some(tag) } = *pattern {
            let elsewhere = || self.posted[EXACT].first(0, (source, tag)).is_some();
            if self.run.admits((source, tag), elsewhere) {
                self.run.push(posted);
                return self.next_order as u32 | Place::RUN;
            }
        }
        self.post_elsewhere(pattern, posted)
    }

    #[inline(never)]
    fn post_elsewhere(&mut self, pattern: &Pattern, posted: Posted<R>) -> u32 {
        let (class, key) = pattern.class();
        self.wildcards += usize::from(class != EXACT);
        let number = self.posted[class].push([Some(key)], posted);
        number * CLASSES as u32 + class as u32
    }

    /// The posted receive with this number, and under which key it stands, if there is one.
    fn find_posted(&self, number: u32) -> Option<(&Posted<R>, Key)> {
        match Place::of(number) {
            Place::Run(order) => Some((self.run.get(order)?, self.run.key())),
            Place::List(class, number) => Some((self.posted[class].get(number)?, self.posted[class].key(number, 0)?)),
        }
    }

    /// Withdraws the posted receive with this number if `is_it` says that it still is the one meant.
    pub fn unpost(&mut self, number: u32, is_it: impl FnOnce(&R) -> bool) -> Option<R> {
        if !is_it(&self.find_posted(number)?.0.receive) {
            return None;
        }
        match Place::of(number) {
            Place::Run(order) => {
                self.depths.posted.down();
                self.run.remove(order)
            }
            Place::List(class, number) => Some(self.remove_posted(class, number)),
        }
    }

    /// What the posted receive with this number accepts, if `is_it` says that it still is the one meant.
    pub fn pattern(&self, number: u32, is_it: impl FnOnce(&R) -> bool) -> Option<Pattern> {
        let (posted, (source, tag)) = self.find_posted(number)?;
        if !is_it(&posted.receive) {
            return None;
        }
        let class = match Place::of(number) {
            Place::Run(_) => EXACT,
            Place::List(class, _) => class,
        };
        Some(Pattern {
            source: matches!(class, EXACT | ANY_TAG).then_some(source),
            tag: matches!(class, EXACT | ANY_SOURCE).then_some(tag),
        })
    }

    /// The oldest of the posted receives without wildcards whose tag is `wanted`, and how many more there are of them; of the first `most`.
    pub fn oldest_exact(&self, most: usize, wanted: impl Fn(i32) -> bool) -> Option<(Pattern, &R, u32)> {
        let listed = &self.posted[EXACT];
        let in_list = listed.iter().filter_map(|(number, entry)| Some((listed.key(number, 0)?, entry)));
        let mut oldest: Option<(Key, &Posted<R>)> = None;
        let mut count = 0;
        for (key, entry) in self.run.iter().map(|entry| (self.run.key(), entry)).chain(in_list).take(most) {
            if !wanted(key.1) {
                continue;
            }
            count += 1;
            if oldest.is_none_or(|(_, other)| entry.order < other.order) {
                oldest = Some((key, entry));
            }
        }
        oldest.map(|((source, tag), entry)| (Pattern { source: Some(source), tag: Some(tag) }, &entry.receive, count - 1))
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
        self.run.len() + self.posted.iter().map(Lists::len).sum::<usize>()
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
            let mut posted: Vec<(Pattern, usize, u32)> = Vec::new();
            let mut waiting: Vec<(u32, i32, usize)> = Vec::new();
            for (step, (arrives, source, tag, wild)) in steps.into_iter().enumerate() {
                if arrives {
                    let expected = posted.iter().position(|(p, ..)| p.accepts(source, tag)).map(|at| posted.remove(at).1);
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
                        let number = matcher.post(&wanted, step);
                        prop_assert_eq!(matcher.pattern(number, |other| *other == step), Some(wanted));
                        posted.push((wanted, step, number));
                    }
                }
                if step % 5 == 4 && !posted.is_empty() {
                    let (_, receive, number) = posted.remove(step * 7 % posted.len());
                    prop_assert_eq!(matcher.unpost(number, |other| *other == receive), Some(receive));
                    prop_assert_eq!(matcher.unpost(number, |other| *other == receive), None);
                }
            }
            prop_assert_eq!(matcher.unexpected_len(), waiting.len());
            prop_assert_eq!(matcher.posted_len(), posted.len());
            let depths = matcher.depths();
            prop_assert_eq!((depths.unexpected.level(), depths.posted.level()), (waiting.len() as u64, posted.len() as u64));
        }
    }
}
