//! A virtual interface: the sending side towards one peer. Its packets leave in order: what the provider does not take now waits, and while it
//! waits nothing else may leave.

use crate::fabric::abi::Address;
use crate::memory::Place;
use std::collections::VecDeque;

#[derive(Default)]
pub struct Vi {
    /// The peer's number in the address vector; made at first contact.
    pub address: Option<Address>,
    pub backlog: VecDeque<Waiting>,
    /// Whether the list of peers with a backlog has it.
    pub is_listed: bool,
    pub refusal: Refusal,
    /// Something has been sent to the peer, or has come from it: descriptors are posted for it.
    pub in_contact: bool,
    /// Nothing more comes from the peer, because it said so or cannot be reached.
    pub has_left: bool,
    /// Whether it has been told that nothing more comes from us.
    pub told: bool,
    /// A hello has come.
    pub greeted: bool,
}

/// A packet that the provider has not taken.
pub enum Waiting {
    Short(Box<[u8]>),
    Slot { place: Place, len: usize },
}

/// Whether the link has been refused room.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum Refusal {
    #[default]
    None,
    Refused,
    /// It was, and would get it now; it has not asked since.
    Freed,
}
