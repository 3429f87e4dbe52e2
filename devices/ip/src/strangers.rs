//! Connections that were accepted and have not said yet whose they are.

use crate::greeting::HELLO;
use crate::sys::{self, Moved, Poller, READ};
use std::os::fd::OwnedFd;

/// So many wait at most; then the oldest goes. Processes of the job say at once who they are.
const MOST: usize = 256;

#[derive(Default)]
pub struct Strangers {
    waiting: Vec<Stranger>,
    next_number: u32,
}

struct Stranger {
    number: u32,
    socket: OwnedFd,
    said: [u8; HELLO],
    len: usize,
}

impl Strangers {
    /// Listens to one more. Its events bear `token` of its number.
    pub fn add(&mut self, socket: OwnedFd, poller: &Poller, token: impl FnOnce(u32) -> u64) {
        if self.waiting.len() == MOST {
            poller.remove(&self.waiting.remove(0).socket);
        }
        let number = self.next_number;
        self.next_number = number.wrapping_add(1);
        if poller.add(&socket, token(number), READ).is_ok() {
            self.waiting.push(Stranger { number, socket, said: [0; HELLO], len: 0 });
        }
    }

    /// Hears what stranger `number` has to say. When it has said all, it is handed over, no longer watched.
    pub fn hear(&mut self, number: u32, poller: &Poller) -> Option<(OwnedFd, [u8; HELLO])> {
        let index = self.waiting.iter().position(|stranger| stranger.number == number)?;
        let stranger = &mut self.waiting[index];
        match sys::receive(&stranger.socket, &mut stranger.said[stranger.len..]) {
            Moved::Bytes(count) => stranger.len += count,
            Moved::Later => return None,
            Moved::End | Moved::Broken(_) => {
                poller.remove(&self.waiting.remove(index).socket);
                return None;
            }
        }
        if stranger.len < HELLO {
            return None;
        }
        let stranger = self.waiting.remove(index);
        poller.remove(&stranger.socket);
        Some((stranger.socket, stranger.said))
    }
}
