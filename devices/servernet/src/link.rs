//! The sending side towards one peer, as FM sees it.

use crate::shared::{Refusal, Shared};
use fm::{Header, Link, Peer};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

pub struct ServernetLink {
    shared: Arc<Shared>,
    to: Peer,
    /// FM's header and the payload of the packet that was lent.
    packet: Vec<u8>,
}

impl ServernetLink {
    pub fn new(shared: Arc<Shared>, to: Peer) -> Self {
        ServernetLink { shared, to, packet: Vec::new() }
    }
}

impl Link for ServernetLink {
    fn lend(&mut self, len: usize) -> Option<&mut [u8]> {
        let mut line = self.shared.line(self.to).lock();
        if line.refusal == Refusal::Over {
            self.shared.freed.fetch_sub(1, Relaxed);
        }
        line.refusal = if line.flow.has_room() { Refusal::None } else { Refusal::Told };
        if line.refusal == Refusal::Told {
            return None;
        }
        if self.packet.capacity() == 0 {
            self.packet = line.flow.buffer();
        }
        drop(line);
        self.packet.resize(Header::SIZE + len, 0);
        Some(&mut self.packet[Header::SIZE..])
    }

    fn commit(&mut self, header: Header) {
        self.packet[..Header::SIZE].copy_from_slice(&header.to_bits().to_le_bytes());
        let now_ns = self.shared.now_ns();
        let mut line = self.shared.line(self.to).lock();
        line.flow.push(std::mem::take(&mut self.packet));
        self.shared.transmit(self.to, &mut line, now_ns);
    }
}
