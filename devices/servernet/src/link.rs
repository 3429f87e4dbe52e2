//! The sending side towards one peer, as FM sees it.

use crate::packet::{self, HEADER, MAX_PACKET};
use crate::shared::{Line, Refusal, Shared};
use fm::{Header, Link, Peer};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

pub struct ServernetLink {
    shared: Arc<Shared>,
    to: Peer,
    /// Header and payload of the packet that was lent.
    packet: Vec<u8>,
}

impl ServernetLink {
    pub fn new(shared: Arc<Shared>, to: Peer) -> Self {
        ServernetLink { shared, to, packet: Vec::new() }
    }
}

/// Whether there is room for a packet of `len` bytes. If not, the sender is known to wait.
fn has_room(shared: &Shared, line: &mut Line, len: usize) -> bool {
    if line.refusal == Refusal::Over {
        shared.freed.fetch_sub(1, Relaxed);
    }
    line.wanted = packet::pieces(len, shared.piece());
    line.refusal = if line.flow.room() >= line.wanted { Refusal::None } else { Refusal::Told };
    line.refusal == Refusal::None
}

/// Cuts what lies in `parts` into pieces.
fn push(line: &mut Line, piece: usize, parts: [&[u8]; 3]) {
    let mut buffer = line.flow.buffer();
    buffer.clear();
    for mut part in parts {
        while !part.is_empty() {
            let (now, rest) = part.split_at(part.len().min(piece - buffer.len()));
            buffer.extend_from_slice(now);
            part = rest;
            if buffer.len() == piece {
                let mut next = line.flow.buffer();
                next.clear();
                line.flow.push(std::mem::replace(&mut buffer, next));
            }
        }
    }
    if !buffer.is_empty() {
        line.flow.push(buffer);
    }
}

impl Link for ServernetLink {
    fn lend(&mut self, len: usize) -> Option<&mut [u8]> {
        assert!(len <= MAX_PACKET, "a packet of {len} bytes");
        let mut line = self.shared.line(self.to).lock();
        if !has_room(&self.shared, &mut line, len) {
            return None;
        }
        if self.packet.capacity() == 0 {
            self.packet = line.flow.buffer();
        }
        drop(line);
        self.packet.resize(HEADER + len, 0);
        Some(&mut self.packet[HEADER..])
    }

    fn commit(&mut self, header: Header) {
        let len = self.packet.len() - HEADER;
        self.packet[..HEADER].copy_from_slice(&packet::header(header, len));
        let now_ns = self.shared.now_ns();
        let mut line = self.shared.line(self.to).lock();
        if self.packet.len() <= self.shared.piece() {
            line.flow.push(std::mem::take(&mut self.packet));
        } else {
            push(&mut line, self.shared.piece(), [&self.packet, &[], &[]]);
        }
        self.shared.transmit(self.to, &mut line, now_ns);
    }

    fn send(&mut self, header: Header, head: &[u8], body: &[u8]) -> bool {
        let len = head.len() + body.len();
        assert!(len <= MAX_PACKET, "a packet of {len} bytes");
        let mut line = self.shared.line(self.to).lock();
        if !has_room(&self.shared, &mut line, len) {
            return false;
        }
        push(&mut line, self.shared.piece(), [&packet::header(header, len), head, body]);
        self.shared.transmit(self.to, &mut line, self.shared.now_ns());
        true
    }
}
