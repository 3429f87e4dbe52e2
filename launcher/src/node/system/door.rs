//! A caller at the port, until it is known who it is.
//!
//! Nothing is kept of it but a few hundred bytes, and that not for long: nobody has shown a key yet. When there are many at once, callers from a machine
//! that has more than its share here go first; then who has not shown that it knows this node's public key, and of those the one who has been here longest.

use std::collections::HashMap;
use std::io::{self, Read as _, Write as _};
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::os::fd::{AsFd, BorrowedFd};
use std::time::{Duration, Instant};

use crate::network;
use crate::node::noise::handshake::{Heard, Host, Stranger, Wish};
use crate::node::noise::keys::{Key, KeyPair};
use crate::node::noise::sealed::Session;

/// For a handshake.
const TIME_MAX: Duration = Duration::from_secs(10);
/// So many may be at it at once.
const MOST: usize = 256;
/// And so many from one machine beside those of others.
const MOST_OF_ONE: usize = 64;

pub struct Caller {
    stream: TcpStream,
    pub peer: SocketAddr,
    host: Host,
    incoming: Vec<u8>,
    since: Instant,
}

/// A caller of whom the key is known, and the rest is to be looked at.
pub struct Known {
    pub stream: TcpStream,
    pub peer: SocketAddr,
    pub key: Key,
    pub wish: Wish,
    pub session: Session,
}

/// What has become of a caller.
enum Progress {
    Waits,
    Known(Key, Wish, Session),
    Gone,
}

impl Caller {
    fn hear(&mut self, own: &KeyPair) -> Progress {
        let mut bytes = [0; 1 << 10];
        loop {
            match self.stream.read(&mut bytes) {
                Ok(0) => return Progress::Gone,
                Ok(count) => self.incoming.extend_from_slice(&bytes[..count]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Progress::Waits,
                Err(_) => return Progress::Gone,
            }
            match self.host.hear(own, &mut self.incoming) {
                Ok(Heard::Nothing) => (),
                // Less than any socket holds: nobody has to wait for room.
                Ok(Heard::Answer(answer)) if self.stream.write_all(&answer).is_ok() => (),
                Ok(Heard::Known { key, wish, session }) if self.incoming.is_empty() => return Progress::Known(key, wish, session),
                Ok(Heard::Farewell(answer)) => {
                    let _ = self.stream.write_all(&answer);
                    return Progress::Gone;
                }
                Ok(Heard::Answer(_) | Heard::Known { .. }) | Err(Stranger) => return Progress::Gone,
            }
        }
    }
}

impl AsFd for Caller {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }
}

/// All callers who are not known yet.
#[derive(Default)]
pub struct Door {
    callers: Vec<Caller>,
    /// How many have been sent away since this was told last.
    turned_away: u64,
}

impl Door {
    pub fn let_in(&mut self, stream: TcpStream, peer: SocketAddr) {
        let ready = stream.set_nonblocking(true).and_then(|()| stream.set_nodelay(true));
        if ready.is_err() || network::keep_alive(&stream).is_err() {
            return;
        }
        if self.callers.len() >= MOST {
            self.send_one_away();
        }
        self.callers.push(Caller { stream, peer, host: Host::default(), incoming: Vec::new(), since: Instant::now() });
    }

    fn send_one_away(&mut self) {
        let mut counts: HashMap<IpAddr, usize> = HashMap::new();
        self.callers.iter().for_each(|caller| *counts.entry(caller.peer.ip()).or_default() += 1);
        let rank = |index: &usize| {
            let caller = &self.callers[*index];
            (counts[&caller.peer.ip()] <= MOST_OF_ONE, caller.host.is_greeted(), caller.since)
        };
        let first = (0..self.callers.len()).min_by_key(rank);
        first.map(|index| self.callers.swap_remove(index));
        self.turned_away += 1;
    }

    pub fn callers(&self) -> &[Caller] {
        &self.callers
    }

    /// Listens to those of whom something has come: by their index when [`Self::callers`] was asked.
    pub fn hear(&mut self, own: &KeyPair, ready: &[bool]) -> Vec<Known> {
        let (mut known, mut now, mut ready) = (Vec::new(), Instant::now(), ready.iter());
        let (mut stay, before) = (Vec::with_capacity(self.callers.len()), self.callers.len());
        for mut caller in self.callers.drain(..) {
            let progress = if ready.next() == Some(&true) { caller.hear(own) } else { Progress::Waits };
            match progress {
                Progress::Waits if now - caller.since < TIME_MAX => stay.push(caller),
                Progress::Known(key, wish, session) => known.push(Known { stream: caller.stream, peer: caller.peer, key, wish, session }),
                Progress::Waits | Progress::Gone => (),
            }
            now = now.max(Instant::now());
        }
        self.turned_away += (before - stay.len() - known.len()) as u64;
        self.callers = stay;
        known
    }

    pub fn next_look(&self) -> Option<Instant> {
        self.callers.iter().map(|caller| caller.since + TIME_MAX).min()
    }

    pub fn take_turned_away(&mut self) -> u64 {
        std::mem::take(&mut self.turned_away)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    #[test]
    fn a_machine_with_many_callers_makes_room_for_others() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (mut door, mut far) = (Door::default(), Vec::new());
        let mut call = |door: &mut Door, peer: &str| {
            far.push(TcpStream::connect(listener.local_addr().unwrap()).unwrap());
            door.let_in(listener.accept().unwrap().0, peer.parse().unwrap());
        };
        call(&mut door, "192.0.2.2:1");
        (0..MOST).for_each(|_| call(&mut door, "192.0.2.1:1"));
        let of = |door: &Door, ip: &str| door.callers().iter().filter(|caller| caller.peer.ip().to_string() == ip).count();
        assert_eq!((of(&door, "192.0.2.2"), of(&door, "192.0.2.1")), (1, MOST - 1), "though it was here first");
        (0..100).for_each(|_| call(&mut door, "192.0.2.3:1"));
        assert_eq!((of(&door, "192.0.2.2"), of(&door, "192.0.2.1"), of(&door, "192.0.2.3")), (1, MOST - 101, 100));
        assert_eq!(door.take_turned_away(), 101);
    }
}
