//! Connections that were accepted and have not shown yet that they are of the job: the listener's half of the
//! [`greeting`].
//!
//! Anybody can call. So there are few of them at a time, each has little time, and what they say is not looked at before its proof.

use crate::greeting::{self, CHALLENGE, HELLO};
use crate::sys::{self, Moved, Poller, READ};
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

/// So many wait at most, and one for each process of the job; then the oldest goes, who calls again if it is one of them.
const MOST: usize = 128;

/// Who has not said after this time who it is goes. A process of the job says it as soon as it makes progress.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// Told of strangers that were sent away.
pub type Log = Box<dyn Fn(&str) + Send + Sync>;

pub struct Strangers {
    /// The oldest first.
    waiting: Vec<Waiting>,
    next_number: u32,
    most: usize,
    log: Log,
    dropped: u64,
}

struct Waiting {
    number: u32,
    socket: OwnedFd,
    since: Instant,
    challenge: [u8; CHALLENGE],
    said: [u8; HELLO],
    len: usize,
}

/// Somebody who has said all.
pub struct Heard {
    pub socket: OwnedFd,
    pub challenge: [u8; CHALLENGE],
    pub said: [u8; HELLO],
}

impl Strangers {
    /// In a job of so many `peers`.
    pub fn new(peers: usize, log: Log) -> Self {
        Strangers { waiting: Vec::new(), next_number: 0, most: MOST + peers, log, dropped: 0 }
    }

    pub fn count(&self) -> usize {
        self.waiting.len()
    }

    /// Challenges one more. Its events bear `token` of its number.
    pub fn add(&mut self, socket: OwnedFd, poller: &Poller, token: impl FnOnce(u32) -> u64) {
        if self.waiting.len() == self.most {
            self.drop_oldest(poller);
        }
        let Ok(nonce) = sys::nonce() else { return };
        let challenge = greeting::challenge(nonce);
        let number = self.next_number;
        self.next_number = number.wrapping_add(1);
        // A new socket takes that many bytes at once.
        let told = matches!(sys::send(&socket, &challenge), Moved::Bytes(CHALLENGE));
        if told && poller.add(&socket, token(number), READ).is_ok() {
            self.waiting.push(Waiting { number, socket, since: Instant::now(), challenge, said: [0; HELLO], len: 0 });
        }
    }

    /// Hears what stranger `number` has to say. When it has said all, it is handed over, no longer watched.
    pub fn hear(&mut self, number: u32, poller: &Poller) -> Option<Heard> {
        let index = self.waiting.iter().position(|stranger| stranger.number == number)?;
        let stranger = &mut self.waiting[index];
        match sys::receive(&stranger.socket, &mut stranger.said[stranger.len..]) {
            Moved::Bytes(count) => stranger.len += count,
            Moved::Later => return None,
            Moved::End | Moved::Broken(_) => {
                self.drop(index, poller, "it left without showing the job's key");
                return None;
            }
        }
        if stranger.len < HELLO {
            return None;
        }
        let Waiting { socket, challenge, said, .. } = self.waiting.remove(index);
        poller.remove(&socket);
        Some(Heard { socket, challenge, said })
    }

    /// Sends those away who have had their time.
    pub fn expire(&mut self, poller: &Poller, patience: Duration) {
        while self.waiting.first().is_some_and(|oldest| oldest.since.elapsed() >= patience) {
            self.drop(0, poller, "it did not show the job's key in time");
        }
    }

    /// Makes place. Returns whether there was anybody.
    pub fn drop_oldest(&mut self, poller: &Poller) -> bool {
        let any = !self.waiting.is_empty();
        if any {
            self.drop(0, poller, "too many others that have not shown the job's key came after it");
        }
        any
    }

    /// Of those who have said nothing at all nothing is said: a process of the job that computes, or whom we have called meanwhile, may be
    /// among them.
    fn drop(&mut self, index: usize, poller: &Poller, why: &str) {
        let Waiting { socket, len, .. } = self.waiting.remove(index);
        poller.remove(&socket);
        if len > 0 {
            self.dropped(&socket, why);
        }
    }

    /// A connection was, or is about to be, dropped. The first, the tenth, the hundredth and so on is told.
    pub fn dropped(&mut self, socket: &OwnedFd, why: &str) {
        self.dropped += 1;
        let count = self.dropped;
        if 10u64.pow(count.ilog10()) == count {
            let from = sys::peer_of(socket).map_or_else(|| "somewhere".to_owned(), |address| address.to_string());
            (self.log)(&format!("a connection from {from} was dropped: {why} (number {count})"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;
    use std::os::unix::net::UnixStream;
    use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

    #[test]
    fn they_are_few_and_have_little_time() {
        static TOLD: AtomicUsize = AtomicUsize::new(0);
        let poller = Poller::new().unwrap();
        let log = |_: &str| {
            TOLD.fetch_add(1, Relaxed);
        };
        let mut strangers = Strangers::new(1, Box::new(log));
        let mut others = Vec::new();
        for number in 0..MOST as u32 + 11 {
            let (here, mut there) = UnixStream::pair().unwrap();
            strangers.add(here.into(), &poller, u64::from);
            there.write_all(b"x").unwrap();
            assert!(strangers.hear(number, &poller).is_none());
            others.push(there);
        }
        assert_eq!((strangers.count(), TOLD.load(Relaxed)), (MOST + 1, 2), "the first and the tenth");
        strangers.expire(&poller, PATIENCE);
        assert_eq!(strangers.count(), MOST + 1);
        strangers.expire(&poller, Duration::ZERO);
        assert_eq!((strangers.count(), TOLD.load(Relaxed)), (0, 3), "the hundredth");
        let (here, _there) = UnixStream::pair().unwrap();
        strangers.add(here.into(), &poller, u64::from);
        strangers.expire(&poller, Duration::ZERO);
        assert_eq!((strangers.count(), strangers.dropped), (0, MOST as u64 + 11), "who is silent is not counted");
    }
}
