//! The sending side as FM sees it.

use crate::frame::{self, HEADER, MAX_PACKET};
use crate::shared::Shared;
use fm::{Header, Link, Peer};
use std::sync::Arc;

pub struct IpLink {
    shared: Arc<Shared>,
    to: Peer,
    /// Where FM writes the next packet, behind the place of its header.
    room: Vec<u8>,
    lent: usize,
}

impl IpLink {
    pub fn new(shared: Arc<Shared>, to: Peer) -> Self {
        IpLink { shared, to, room: Vec::new(), lent: 0 }
    }
}

impl Link for IpLink {
    #[inline]
    fn lend(&mut self, len: usize) -> Option<&mut [u8]> {
        assert!(len <= MAX_PACKET, "a packet of {len} bytes");
        let shared = &*self.shared;
        if !shared.peers[self.to.index()].lock().has_room(shared, HEADER + len) {
            return None;
        }
        if self.room.len() < HEADER + len {
            self.room.resize((HEADER + len).next_power_of_two(), 0);
        }
        self.lent = len;
        Some(&mut self.room[HEADER..][..len])
    }

    #[inline]
    fn commit(&mut self, header: Header) {
        let packet = &mut self.room[..HEADER + self.lent];
        packet[..HEADER].copy_from_slice(&frame::header(header, self.lent));
        let shared = &*self.shared;
        shared.peers[self.to.index()].lock().send(shared, [packet, &[], &[]]);
    }

    /// From where the bytes lie to the socket, as far as that takes them.
    fn send(&mut self, header: Header, head: &[u8], body: &[u8]) -> bool {
        let len = head.len() + body.len();
        assert!(len <= MAX_PACKET, "a packet of {len} bytes");
        let shared = &*self.shared;
        let mut sending = shared.peers[self.to.index()].lock();
        if !sending.takes(shared, HEADER + len) {
            return false;
        }
        sending.send(shared, [&frame::header(header, len), head, body]);
        true
    }
}
