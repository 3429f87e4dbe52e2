//! Parts of boards in memory that processes share.

#![allow(unsafe_code)] // Typed access to shared memory; each use is explained.

use super::{Label, Lies, Memory, SHORT};
use crate::prefetch;
use std::cell::UnsafeCell;
use std::ptr::NonNull;
use std::slice;
use std::sync::atomic::{AtomicU32, Ordering};

/// A reader's line in a part.
#[repr(C, align(64))]
struct Mark {
    passed: AtomicU32,
    /// Not 0: the reader will not touch this part any more.
    closed: AtomicU32,
}

#[repr(C, align(64))]
struct Slot {
    number: AtomicU32,
    mark: UnsafeCell<u32>,
    total: UnsafeCell<u64>,
    /// A short message, or where in the data area a longer one begins.
    message: UnsafeCell<[u8; SHORT]>,
}

const _: () = assert!(size_of::<Slot>() == 64 && size_of::<Mark>() == 64);

const SLOTS: usize = 64;

/// Bytes of the data area of a part: smaller where many have one.
pub const fn data_size(members: usize) -> usize {
    match members {
        0..=8 => 256 << 10,
        9..=32 => 128 << 10,
        _ => 64 << 10,
    }
}

/// Bytes of a part of a board with so many members.
pub const fn part_size(members: usize) -> usize {
    members * size_of::<Mark>() + SLOTS * size_of::<Slot>() + data_size(members)
}

/// One member's part, as a reader or its owner sees it.
#[derive(Clone, Copy)]
pub(super) struct Part {
    at: NonNull<u8>,
    members: usize,
}

// SAFETY: an address in shared memory, in which everything is an atomic or accessed by the board's protocol.
unsafe impl Send for Part {}
// SAFETY: as above.
unsafe impl Sync for Part {}

impl Part {
    /// # Safety
    /// From `at`, which is aligned to 64 bytes, [`part_size`] bytes are mapped as long as the value is used, hold a part of a board of
    /// `members`, and nothing else.
    pub unsafe fn new(at: NonNull<u8>, members: usize) -> Part {
        Part { at, members }
    }

    fn mark(&self, reader: usize) -> &Mark {
        assert!(reader < self.members);
        // SAFETY: the marks lie at the beginning; they are made of atomics, for which any bytes are valid.
        unsafe { self.at.cast::<Mark>().add(reader).as_ref() }
    }

    #[inline]
    fn slot(&self, slot: usize) -> &Slot {
        // Processors fetch lines by pairs. Were the next step's slot in the same one, who looks at this step's would take it from its owner.
        assert!(slot < SLOTS);
        let line = slot % (SLOTS / 2) * 2 + slot / (SLOTS / 2);
        // SAFETY: the slots lie behind the marks; any bytes are valid.
        unsafe { self.at.cast::<Mark>().add(self.members).cast::<Slot>().add(line).as_ref() }
    }

    /// `len` bytes of the data area.
    fn data(&self, start: usize, len: usize) -> Option<NonNull<u8>> {
        let size = data_size(self.members);
        // SAFETY: behind marks and slots, and checked to stay in the part.
        (start <= size && len <= size - start).then(|| unsafe { self.at.add(part_size(self.members) - size + start) })
    }

    /// Makes a new part of whatever was there.
    pub fn clear(&self) {
        for reader in 0..self.members {
            self.mark(reader).passed.store(1, Ordering::Relaxed);
            self.mark(reader).closed.store(0, Ordering::Relaxed);
        }
        for slot in 0..SLOTS {
            self.slot(slot).number.store(0, Ordering::Relaxed);
        }
    }

    /// `reader` does not touch this part any more.
    pub fn close(&self, reader: usize) {
        self.mark(reader).closed.store(1, Ordering::Release);
    }

    /// Whether all but its owner have closed it.
    pub fn is_closed(&self, owner: usize) -> bool {
        (0..self.members).all(|reader| reader == owner || self.mark(reader).closed.load(Ordering::Acquire) != 0)
    }
}

/// The parts of a board's members.
pub struct Parts {
    parts: Box<[Part]>,
}

impl Parts {
    pub(super) fn new(parts: Box<[Part]>) -> Parts {
        Parts { parts }
    }

    pub(super) fn part(&self, owner: usize) -> Part {
        self.parts[owner]
    }
}

impl Memory for Parts {
    type Word = AtomicU32;

    const SLOTS: usize = SLOTS;

    #[inline]
    fn data_size(&self) -> usize {
        data_size(self.parts.len())
    }

    #[inline]
    fn number(&self, owner: usize, slot: usize) -> &AtomicU32 {
        &self.parts[owner].slot(slot).number
    }

    #[inline]
    fn passed(&self, owner: usize, reader: usize) -> &AtomicU32 {
        &self.parts[owner].mark(reader).passed
    }

    #[inline]
    fn write(&self, owner: usize, slot: usize, label: Label, lies: Lies, len: usize, fill: impl FnOnce(&mut [u8])) {
        let part = &self.parts[owner];
        let slot = part.slot(slot);
        let message = slot.message.get().cast::<u8>();
        let at = match lies {
            Lies::InSlot => {
                assert!(len <= SHORT);
                message
            }
            Lies::At(start) => {
                // SAFETY: as below; a message has room for a number, and lies at a multiple of 4.
                unsafe { message.cast::<u32>().write(start as u32) };
                part.data(start, len).expect("the board places messages inside the data area").as_ptr()
            }
        };
        // SAFETY: the slot, and these bytes of the data area, are the owner's to write until it stores the step's number: the board has
        // seen all readers pass what was there.
        unsafe {
            slot.mark.get().write(label.mark);
            slot.total.get().write(label.total);
            fill(slice::from_raw_parts_mut(at, len));
        }
    }

    #[inline]
    fn label(&self, owner: usize, slot: usize) -> Label {
        let slot = self.parts[owner].slot(slot);
        // SAFETY: the owner has stored the step's number after these, and does not write them until this reader has passed the step.
        unsafe { Label { mark: slot.mark.get().read(), total: slot.total.get().read() } }
    }

    #[inline]
    fn read<R>(&self, owner: usize, slot: usize, len: usize, take: impl FnOnce(&[u8]) -> R) -> Option<R> {
        let part = &self.parts[owner];
        let message = part.slot(slot).message.get().cast::<u8>();
        let at = if len <= SHORT {
            message
        } else {
            // SAFETY: as in `label`.
            let start = unsafe { message.cast::<u32>().read() };
            part.data(start as usize, len)?.as_ptr()
        };
        // SAFETY: `len` bytes inside the part, which nobody writes until this reader has passed the step. A member that breaks the
        // protocol garbles the message; nothing derives an address from it unchecked.
        Some(take(unsafe { slice::from_raw_parts(at, len) }))
    }

    #[inline]
    fn prefetch_slot(&self, owner: usize, slot: usize) {
        prefetch::to_write(&self.parts[owner].slot(slot).number);
    }

    #[inline(never)]
    fn prefetch_data(&self, owner: usize, at: usize, len: usize) {
        let part = &self.parts[owner];
        let len = len.min(self.data_size() - at);
        if let Some(start) = part.data(at, len) {
            for line in (0..len).step_by(64) {
                // SAFETY: a byte of the data area. It is not read.
                prefetch::to_write(unsafe { start.add(line).cast::<UnsafeCell<u8>>().as_ref() });
            }
        }
    }
}
