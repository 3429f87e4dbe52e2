//! The sending side as FM sees it.

use crate::memory::Place;
use crate::packet::{FRONT, Kind};
use crate::state::{SLOT, State};
use fm::{Header, Link, Peer, ThreadLock};
use std::ptr::NonNull;
use std::sync::Arc;

pub struct ViaLink {
    shared: Arc<ThreadLock<State>>,
    to: Peer,
    /// Where a short packet is written, behind the place of its front.
    room: Box<[u8]>,
    lent: Lent,
}

enum Lent {
    Nothing,
    /// So many bytes, front included, of the link's own room.
    Short(usize),
    /// So many bytes, front included, of a slot.
    Slot(Place, NonNull<u8>, usize),
}

// SAFETY: the slot that it points to is its own until it is committed or given back.
unsafe impl Send for ViaLink {}

impl ViaLink {
    pub fn new(shared: Arc<ThreadLock<State>>, to: Peer) -> Self {
        let short_max = shared.lock().short_max;
        ViaLink { shared, to, room: vec![0; short_max].into(), lent: Lent::Nothing }
    }
}

impl Link for ViaLink {
    #[inline]
    fn lend(&mut self, len: usize) -> Option<&mut [u8]> {
        let whole = FRONT + len;
        assert!(whole <= SLOT, "a packet of {len} bytes");
        let mut state = self.shared.lock();
        let before = std::mem::replace(&mut self.lent, Lent::Nothing);
        if !state.has_room(self.to) {
            if let Lent::Slot(place, ..) = before {
                state.give_back(place);
            }
            return None;
        }
        if whole <= self.room.len() {
            if let Lent::Slot(place, ..) = before {
                state.give_back(place);
            }
            self.lent = Lent::Short(whole);
            return Some(&mut self.room[FRONT..whole]);
        }
        let (place, slot) = match before {
            Lent::Slot(place, slot, _) => (place, slot),
            Lent::Nothing | Lent::Short(_) => state.take_slot(self.to)?,
        };
        self.lent = Lent::Slot(place, slot, whole);
        // SAFETY: within the slot, which is ours alone until it is committed.
        Some(unsafe { std::slice::from_raw_parts_mut(slot.as_ptr().add(FRONT), len) })
    }

    #[inline]
    fn commit(&mut self, header: Header) {
        let mut state = self.shared.lock();
        let front = state.front(header, Kind::Packet);
        match std::mem::replace(&mut self.lent, Lent::Nothing) {
            Lent::Short(len) => {
                self.room[..FRONT].copy_from_slice(&front);
                state.send_short(self.to, &self.room[..len]);
            }
            Lent::Slot(place, slot, len) => {
                // SAFETY: a slot is longer than this, and ours.
                unsafe { slot.copy_from_nonoverlapping(NonNull::from(&front).cast(), FRONT) };
                state.send_slot(self.to, place, len);
            }
            Lent::Nothing => unreachable!("a packet is committed whose room was lent"),
        }
    }
}
