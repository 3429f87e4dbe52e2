//! The places of callers who are being looked at, a child for each.
//!
//! Most take milliseconds. One that hangs, in a file system perhaps, soon takes no place from others any more: only those of the same user get none then,
//! and after a while the caller is sent away. It counts until the kernel says that its child is gone.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use rustix::process::Pid;

/// So many are looked at at once, and so many who name one user.
const MOST: usize = 32;
const MOST_OF_ONE: usize = 4;
/// What has taken so long hangs, and so many may hang.
const SLOW: Duration = Duration::from_secs(1);
const MOST_SLOW: usize = 256;
/// Then the caller is sent away.
const TIME_MAX: Duration = Duration::from_secs(30);

pub struct Places<T> {
    taken: HashMap<Pid, Taken<T>>,
}

struct Taken<T> {
    user: String,
    since: Instant,
    /// `None` when the caller has been sent away.
    caller: Option<T>,
}

impl<T> Default for Places<T> {
    fn default() -> Self {
        Self { taken: HashMap::new() }
    }
}

impl<T> Places<T> {
    pub fn are_free(&self, now: Instant) -> bool {
        let slow = self.taken.values().filter(|taken| now - taken.since >= SLOW).count();
        self.taken.len() - slow < MOST && slow < MOST_SLOW
    }

    pub fn is_free_for(&self, user: &str) -> bool {
        self.taken.values().filter(|taken| taken.user == user).count() < MOST_OF_ONE
    }

    pub fn take(&mut self, child: Pid, user: &str, caller: T, now: Instant) {
        self.taken.insert(child, Taken { user: user.into(), since: now, caller: Some(caller) });
    }

    /// Those who have not been sent away.
    pub fn callers(&self) -> impl Iterator<Item = (Pid, &T)> {
        self.taken.iter().filter_map(|(child, taken)| Some((*child, taken.caller.as_ref()?)))
    }

    pub fn children(&self) -> impl Iterator<Item = Pid> {
        self.taken.keys().copied()
    }

    /// The child has come to an end, or goes on as something else; whom it has looked at, and the user who was named.
    pub fn give_back(&mut self, child: Pid) -> Option<(String, T)> {
        let taken = self.taken.remove(&child)?;
        Some((taken.user, taken.caller?))
    }

    /// Children that have taken too long, and those whom they are about.
    pub fn late(&mut self, now: Instant) -> Vec<(Pid, T)> {
        let late = self.taken.iter_mut().filter(|(_, taken)| now - taken.since >= TIME_MAX);
        late.filter_map(|(child, taken)| Some((*child, taken.caller.take()?))).collect()
    }

    /// When something changes by itself; `wanted`: somebody waits for a place.
    pub fn next_look(&self, now: Instant, wanted: bool) -> Option<Instant> {
        let of = |taken: &Taken<T>| {
            let slow = Some(taken.since + SLOW).filter(|slow| wanted && *slow > now);
            slow.or(taken.caller.as_ref().map(|_| taken.since + TIME_MAX))
        };
        self.taken.values().filter_map(of).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn take(places: &mut Places<i32>, number: i32, user: &str, now: Instant) -> bool {
        let free = places.are_free(now) && places.is_free_for(user);
        if free {
            places.take(Pid::from_raw(number).unwrap(), user, number, now);
        }
        free
    }

    #[test]
    fn one_user_cannot_take_them_all() {
        let (mut places, now) = (Places::default(), Instant::now());
        let taken = (1..100).filter(|number| take(&mut places, *number, "ann", now)).count();
        assert_eq!(taken, MOST_OF_ONE);
        assert!(take(&mut places, 100, "bob", now));
        assert_eq!(places.give_back(Pid::from_raw(1).unwrap()), Some(("ann".into(), 1)));
        assert!(take(&mut places, 101, "ann", now));
    }

    #[test]
    fn those_who_hang_are_in_nobodys_way() {
        let (mut places, now) = (Places::default(), Instant::now());
        let many = |places: &mut Places<i32>, first: i32, now| (first..first + 400).filter(|number| take(places, *number, &number.to_string(), now)).count();
        assert_eq!(many(&mut places, 1, now), MOST);
        assert_eq!(places.next_look(now, true), Some(now + SLOW));
        assert_eq!(places.next_look(now, false), Some(now + TIME_MAX));
        assert_eq!(many(&mut places, 1001, now + SLOW), MOST);
        let all = (2..20).map(|second| many(&mut places, 1000 * second as i32, now + second * SLOW)).sum::<usize>() + 2 * MOST;
        assert_eq!(all, MOST_SLOW, "their number has an end all the same");
    }

    #[test]
    fn who_has_been_sent_away_counts_until_the_child_is_gone() {
        let (mut places, now) = (Places::default(), Instant::now());
        for number in 1..=4 {
            assert!(take(&mut places, number, "ann", now));
        }
        assert_eq!(places.late(now + SLOW), []);
        assert_eq!(places.late(now + TIME_MAX).len(), 4);
        assert_eq!((places.late(now + TIME_MAX), places.callers().count(), places.children().count()), (vec![], 0, 4));
        assert_eq!(places.next_look(now + TIME_MAX, true), None);
        assert!(!take(&mut places, 5, "ann", now + TIME_MAX));
        assert_eq!(places.give_back(Pid::from_raw(1).unwrap()), None);
        assert!(take(&mut places, 5, "ann", now + TIME_MAX));
    }
}
