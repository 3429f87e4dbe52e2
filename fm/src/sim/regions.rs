//! Memory that the nodes of a simulation have in common.

#![allow(unsafe_code)] // An allocation that is shared by pointers, as mapped memory is.

use super::State;
use crate::board::{Bell, Neighbours};
use crate::packet::Peer;
use parking_lot::Mutex;
use std::alloc::{Layout, alloc_zeroed, dealloc, handle_alloc_error};
use std::ptr::NonNull;
use std::sync::Arc;

const PAGE: usize = 4096;

/// One region for each node.
pub(super) struct Memory {
    start: NonNull<u8>,
    nodes: usize,
    size: usize,
}

// SAFETY: an address; who uses the memory behind it keeps the rules of boards.
unsafe impl Send for Memory {}
// SAFETY: as above.
unsafe impl Sync for Memory {}

impl Memory {
    /// `size` bytes for each node, in whole pages.
    pub fn new(nodes: u32, size: usize) -> Memory {
        let (nodes, size) = (nodes as usize, size.next_multiple_of(PAGE));
        let layout = Memory::layout(nodes, size);
        // SAFETY: the layout is not empty.
        let start = NonNull::new(unsafe { alloc_zeroed(layout) }).unwrap_or_else(|| handle_alloc_error(layout));
        Memory { start, nodes, size }
    }

    fn layout(nodes: usize, size: usize) -> Layout {
        Layout::from_size_align((nodes * size).max(PAGE), PAGE).expect("a simulation fits into memory")
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        // SAFETY: as it was allocated; who has pointers into it has this object as well.
        unsafe { dealloc(self.start.as_ptr(), Memory::layout(self.nodes, self.size)) };
    }
}

/// One node's view.
pub(super) struct Regions {
    pub memory: Arc<Memory>,
    pub me: Peer,
    pub state: Arc<Mutex<State>>,
}

impl Neighbours for Regions {
    fn region(&self, owner: Peer) -> Option<NonNull<[u8]>> {
        let Memory { start, nodes, size } = *self.memory;
        // SAFETY: the region of a node, inside the memory.
        (owner.index() < nodes).then(|| NonNull::slice_from_raw_parts(unsafe { start.add(owner.index() * size) }, size))
    }

    fn bell(&self, members: &[Peer]) -> Box<dyn Bell> {
        let others = members.iter().copied().filter(|&peer| peer != self.me).collect();
        Box::new(Bells { others, state: self.state.clone() })
    }
}

struct Bells {
    others: Vec<Peer>,
    state: Arc<Mutex<State>>,
}

impl Bell for Bells {
    fn ring(&self) {
        let mut state = self.state.lock();
        for peer in &self.others {
            state.rung[peer.index()] = true;
        }
    }
}
