//! Is the other side still there? Who has said nothing for a while says so much, and who hears nothing for long takes it as an end.
//!
//! A connection that breaks is noticed by itself. What this is for are ends that break nothing: a cable that is pulled, a machine that
//! freezes, a process that is stopped.

use std::time::{Duration, Instant};

/// So many times in the time after which silence is an end, something is said.
const BEATS: u32 = 4;

#[derive(Debug)]
pub struct Pulse {
    /// How long a silence may be; `None` for any.
    limit: Option<Duration>,
    heard: Instant,
    said: Instant,
    looked: Instant,
}

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    Nothing,
    /// Say something.
    Beat,
    /// The other side is gone.
    Silent,
}

impl Pulse {
    pub fn new(limit: Option<Duration>, now: Instant) -> Self {
        Self { limit, heard: now, said: now, looked: now }
    }

    pub fn limit(&self) -> Option<Duration> {
        self.limit
    }

    pub fn heard(&mut self, now: Instant) {
        self.heard = now;
    }

    pub fn said(&mut self, now: Instant) {
        self.said = now;
    }

    /// To be called after what has arrived was read.
    pub fn look(&mut self, now: Instant) -> Look {
        let Some(limit) = self.limit else { return Look::Nothing };
        // Who was asleep itself cannot tell what there was to hear: what is between the two may have to wake up first, too.
        if now - self.looked > limit / 2 {
            self.heard = now;
        }
        self.looked = now;
        if now - self.heard >= limit {
            Look::Silent
        } else if now - self.said >= limit / BEATS {
            Look::Beat
        } else {
            Look::Nothing
        }
    }

    /// When to look again.
    pub fn next(&self) -> Option<Instant> {
        let limit = self.limit?;
        Some((self.said.max(self.looked) + limit / BEATS).min(self.heard + limit))
    }
}

/// Something is waited for, for a time in which this process is awake.
#[derive(Debug)]
pub struct Wait {
    since: Instant,
    looked: Instant,
}

impl Wait {
    pub fn new(now: Instant) -> Self {
        Self { since: now, looked: now }
    }

    /// Whether it has had `limit`. To be called when [`next`](Self::next) says, after what has arrived was read.
    pub fn is_over(&mut self, now: Instant, limit: Duration) -> bool {
        // As for a silence.
        if now - self.looked > limit / 2 {
            self.since = now;
        }
        self.looked = now;
        now >= self.since + limit
    }

    /// When to look again.
    pub fn next(&self, limit: Duration) -> Instant {
        (self.looked + limit / BEATS).min(self.since + limit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Duration = Duration::from_secs(8);

    /// Looks when it is to, and answers when it is asked to; what came last, and after how many seconds.
    fn live(mut hears: impl FnMut(u64) -> bool) -> (Look, u64) {
        let start = Instant::now();
        let (mut pulse, mut beats) = (Pulse::new(Some(LIMIT), start), 0);
        loop {
            let now = pulse.next().unwrap();
            let second = (now - start).as_secs();
            if hears(second) {
                pulse.heard(now);
            }
            match pulse.look(now) {
                Look::Beat => {
                    beats += 1;
                    pulse.said(now);
                }
                Look::Silent => {
                    assert_eq!(beats, (second - 1) / 2, "one every two seconds, whatever was heard");
                    return (Look::Silent, second);
                }
                Look::Nothing => (),
            }
            if second > 100 {
                return (Look::Nothing, second);
            }
        }
    }

    #[test]
    fn silence_ends_it_and_nothing_else() {
        assert_eq!(live(|_| false), (Look::Silent, 8));
        assert_eq!(live(|second| second <= 20), (Look::Silent, 28));
        assert_eq!(live(|_| true).0, Look::Nothing);
        assert_eq!(live(|second| second % 6 == 0).0, Look::Nothing);
    }

    #[test]
    fn who_was_asleep_listens_anew() {
        let start = Instant::now();
        let mut pulse = Pulse::new(Some(LIMIT), start);
        let awake = start + 10 * LIMIT;
        assert_eq!(pulse.look(awake), Look::Beat);
        pulse.said(awake);
        for second in [2, 4, 6] {
            pulse.look(awake + Duration::from_secs(second));
        }
        assert_eq!(pulse.look(awake + LIMIT), Look::Silent);
    }

    #[test]
    fn who_was_asleep_waits_anew() {
        let start = Instant::now();
        let (mut wait, mut looks) = (Wait::new(start), Vec::new());
        while !wait.is_over(wait.next(LIMIT), LIMIT) {
            looks.push((wait.looked - start).as_secs());
        }
        assert_eq!(looks, [2, 4, 6]);
        let awake = start + 10 * LIMIT;
        let mut wait = Wait::new(start);
        assert!(!wait.is_over(awake, LIMIT));
        while !wait.is_over(wait.next(LIMIT), LIMIT) {}
        assert_eq!(wait.looked, awake + LIMIT);
    }

    #[test]
    fn without_a_limit_nothing_is_said() {
        let mut pulse = Pulse::new(None, Instant::now());
        assert_eq!((pulse.next(), pulse.look(Instant::now() + LIMIT)), (None, Look::Nothing));
    }
}
