//! Callers whose key is known, and who wait to be looked at. What is looked at are files of the user that a caller names, and these can take for ever to be
//! read: so no user has more than a share, neither of those who wait nor of those who are looked at.

use std::collections::HashMap;
use std::time::{Duration, Instant};

/// So many may wait, and so many who name one user.
const MOST: usize = 256;
const MOST_OF_ONE: usize = 64;
/// By then the caller has given up.
const TIME_MAX: Duration = Duration::from_secs(30);

/// Those who wait, in the order in which they came.
pub struct Queue<T> {
    waiting: Vec<Waiting<T>>,
}

struct Waiting<T> {
    user: String,
    since: Instant,
    caller: T,
}

impl<T> Default for Queue<T> {
    fn default() -> Self {
        Self { waiting: Vec::new() }
    }
}

impl<T> Queue<T> {
    /// Another one, who names that user. Returns who has to go for it, if somebody has to: one of those of whom there are most, which may be the same.
    pub fn push(&mut self, user: &str, caller: T, now: Instant) -> Option<T> {
        let of = |user: &str| self.waiting.iter().filter(|waiting| waiting.user == user).count();
        let gone = if of(user) >= MOST_OF_ONE {
            return Some(caller);
        } else if self.waiting.len() >= MOST {
            let mut counts: HashMap<&str, usize> = HashMap::new();
            self.waiting.iter().for_each(|waiting| *counts.entry(&waiting.user).or_default() += 1);
            let most = counts.values().copied().max().unwrap_or(0);
            if counts.get(user).copied().unwrap_or(0) + 1 >= most {
                return Some(caller);
            }
            let last = self.waiting.iter().rposition(|waiting| counts[waiting.user.as_str()] == most);
            last.map(|at| self.waiting.remove(at).caller)
        } else {
            None
        };
        self.waiting.push(Waiting { user: user.into(), since: now, caller });
        gone
    }

    /// The first one who may be looked at.
    pub fn next(&mut self, may: impl Fn(&str) -> bool) -> Option<T> {
        let first = self.waiting.iter().position(|waiting| may(&waiting.user))?;
        Some(self.waiting.remove(first).caller)
    }

    /// Those who have waited for too long.
    pub fn late(&mut self, now: Instant) -> Vec<T> {
        self.waiting.extract_if(.., |waiting| now - waiting.since >= TIME_MAX).map(|waiting| waiting.caller).collect()
    }

    /// When the first one will have.
    pub fn next_look(&self) -> Option<Instant> {
        self.waiting.first().map(|first| first.since + TIME_MAX)
    }

    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_user_keeps_nobody_waiting() {
        let (mut queue, now) = (Queue::default(), Instant::now());
        let refused = (0..MOST).filter_map(|number| queue.push("ann", number, now)).count();
        assert_eq!(refused, MOST - MOST_OF_ONE);
        assert_eq!(queue.push("bob", 1000, now), None);
        // ann has no place free.
        assert_eq!(queue.next(|user| user != "ann"), Some(1000));
        assert_eq!(queue.next(|user| user != "ann"), None);
        assert_eq!(queue.next(|_| true), Some(0));
    }

    #[test]
    fn who_has_most_goes_first_when_there_is_no_room() {
        let (mut queue, now) = (Queue::default(), Instant::now());
        let names = ["ann", "bob", "eve", "joe"];
        for number in 0..MOST {
            assert_eq!(queue.push(names[number % 4], number, now), None);
        }
        assert_eq!(queue.push("joe", 1000, now), Some(1000), "joe has his share");
        assert_eq!(queue.push("tom", 1001, now), Some(MOST - 1), "and loses one of it");
        assert_eq!(queue.push("ann", 1002, now), Some(1002));
        assert_eq!(queue.next(|user| user == "tom"), Some(1001));
    }

    #[test]
    fn nobody_waits_for_ever() {
        let (mut queue, now) = (Queue::default(), Instant::now());
        assert_eq!(queue.next_look(), None);
        let later = now + Duration::from_secs(1);
        queue.push("ann", 1, now);
        queue.push("bob", 2, later);
        assert_eq!(queue.next_look(), Some(now + TIME_MAX));
        assert_eq!(queue.late(now + TIME_MAX), [1]);
        assert!(!queue.is_empty());
        assert_eq!(queue.late(later + TIME_MAX), [2]);
        assert!(queue.is_empty());
    }
}
