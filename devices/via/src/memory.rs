//! Registered memory: slots for packets, each with the descriptor of the operation that has it in its hands.
//!
//! Only memory of this device is ever given to the provider. So nothing can go wrong when the user frees, reallocates or unmaps a buffer: no
//! registration of it exists.

use crate::fabric::abi::{CONTEXT_WORDS, FI_RECV, FI_SEND};
use crate::fabric::{Nic, Registration};
use std::cell::{Cell, UnsafeCell};
use std::ffi::c_void;
use std::io;
use std::ptr::NonNull;

/// A descriptor's place: which slab, which slot of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Place {
    pub slab: u32,
    pub slot: u32,
}

/// What a provider is given with an operation, and gives back with its completion: the words that it wants for itself, then ours.
#[repr(C)]
struct Descriptor {
    words: UnsafeCell<[usize; CONTEXT_WORDS]>,
    place: Place,
    /// Of a slot to send from: whose packet it has.
    recipient: Cell<u32>,
}

/// Slots of one size, in memory registered together.
pub struct Slab {
    // In this order: the registration goes before the memory.
    registration: Registration,
    descriptors: Box<[Descriptor]>,
    memory: Mapping,
    slot_size: usize,
}

// SAFETY: what it points to is its own.
unsafe impl Send for Slab {}

impl Slab {
    /// Slab number `number`, of `count` slots of `slot_size` bytes.
    ///
    /// # Errors
    /// When there is no memory, or the provider refuses to register it.
    ///
    /// # Safety
    /// It goes before `nic` does.
    pub unsafe fn new(nic: &mut Nic, number: u32, count: usize, slot_size: usize) -> Result<Slab, String> {
        let memory = Mapping::new(count * slot_size).map_err(|error| format!("memory for packets: {error}"))?;
        // SAFETY: of this memory, and dropped before it; before `nic`, says the caller.
        let registration = unsafe { nic.register(memory.start, memory.len, FI_SEND | FI_RECV, false)? };
        let place = |slot| Place { slab: number, slot };
        let descriptor = |slot| Descriptor { words: UnsafeCell::default(), place: place(slot), recipient: Cell::new(0) };
        Ok(Slab { registration, descriptors: (0..count as u32).map(descriptor).collect(), memory, slot_size })
    }

    pub fn registration(&self) -> &Registration {
        &self.registration
    }

    /// Where a slot's bytes are.
    ///
    /// # Panics
    /// When there is no such slot.
    pub fn slot(&self, slot: u32) -> NonNull<u8> {
        assert!((slot as usize) < self.descriptors.len());
        // SAFETY: within the mapping, which has room for all slots.
        unsafe { self.memory.start.add(slot as usize * self.slot_size) }
    }

    /// What to post an operation on a slot with.
    pub fn context(&self, slot: u32) -> *mut c_void {
        (&raw const self.descriptors[slot as usize]).cast_mut().cast()
    }

    pub fn set_recipient(&self, slot: u32, peer: u32) {
        self.descriptors[slot as usize].recipient.set(peer);
    }

    pub fn recipient(&self, slot: u32) -> u32 {
        self.descriptors[slot as usize].recipient.get()
    }
}

/// Whose completion has this context; `None` for none.
///
/// # Safety
/// It is null, or from [`Slab::context`] of a slab that is still there.
#[inline]
pub unsafe fn place_of(context: *mut c_void) -> Option<Place> {
    // SAFETY: as the caller says; the provider writes to the words only.
    unsafe { context.cast::<Descriptor>().as_ref() }.map(|descriptor| descriptor.place)
}

/// Memory from the system.
struct Mapping {
    start: NonNull<u8>,
    len: usize,
}

impl Mapping {
    fn new(len: usize) -> io::Result<Mapping> {
        let (access, flags) = (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE);
        // SAFETY: new memory, at an address of the system's choice.
        let start = unsafe { libc::mmap(std::ptr::null_mut(), len, access, flags, -1, 0) };
        match NonNull::new(start.cast::<u8>()) {
            Some(found) if start != libc::MAP_FAILED => Ok(Mapping { start: found, len }),
            _ => Err(io::Error::last_os_error()),
        }
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: mapped in `new`, with this length; nobody uses it any more.
        unsafe { libc::munmap(self.start.as_ptr().cast(), self.len) };
    }
}
