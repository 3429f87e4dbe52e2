//! Where everything is in the segment that the processes of a job share on a node.
//!
//! ```text
//! control pages    one per process: its sleep word, and one arrival byte per sender
//! rings            1 to 64 pages per directed pair; those towards one process lie together
//! pools            one per process: the large cells that it lends to its receivers
//! regions          one per process: its parts of boards
//! ```
//! Pages take up memory once they are touched, and they are touched at first contact: the size below is address space.

use crate::atomics::Native;
use crate::doorbell::Doorbell;
use crate::pool::POOL_SIZE;
use crate::ring::{CELL_SIZE, CELLS_MAX, Cell, Line, Ring};
use crate::sys::Processors;
use fm::Crowding;
use fm::claims::WORDS;
use std::sync::atomic::{AtomicU8, AtomicU32, AtomicU64, Ordering::Acquire};

pub const PAGE_SIZE: usize = 4096;

/// With more processes than this, a receiver finds its senders by their arrival bytes; with fewer it looks at each ring, which
/// saves the sender the byte and the receiver one cache miss.
pub const DIRECT_MAX: usize = 8;

pub type PairRing = Ring<Native>;

/// Bytes of a ring, with its head's line. A page is touched once messages have filled those before it: a pair that exchanges few takes up
/// one, but where all pairs are busy, every ring takes up all of its pages.
const fn ring_size(ranks: usize) -> usize {
    let pages = match ranks {
        // A line that was used a short while ago is dear: messages in a row run through far more than the first cache, see `link`.
        0..=DIRECT_MAX => 64,
        9..=32 => 4,
        _ => 1,
    };
    pages * PAGE_SIZE
}

/// Bytes of a process's region: room for its parts of some ten boards, of which each takes up what is used of it.
const fn region_size(ranks: usize) -> usize {
    match ranks {
        0..=DIRECT_MAX => 4 << 20,
        9..=32 => 2 << 20,
        _ => 1 << 20,
    }
}

const _: () = assert!(size_of::<Line<AtomicU32>>() == CELL_SIZE && size_of::<Cell<Native>>() == CELL_SIZE);
const _: () = assert!(ring_size(1) / CELL_SIZE <= CELLS_MAX);
// An arrival byte holds the count of cells: a writer is never further ahead than it can tell.
const _: () = assert!(ring_size(DIRECT_MAX + 1) / CELL_SIZE <= 256);

/// A process's control page: the lines that others write to reach it.
#[repr(C)]
pub struct Control {
    /// Alone on its line, which senders read after every message: it stays in their caches.
    pub doorbell: Line<Doorbell<Native>>,
    pub identity: Line<Identity>,
    /// The name of the socket on which its owner sleeps, if it does; see [`socket`](crate::socket).
    pub socket: Line<AtomicU64>,
    /// Of the node's processes together: that of process 0 counts.
    pub crowding: Line<Crowding>,
    /// By which its owner shares the copying of bodies out; see [`fm::claims`].
    pub claims: Line<[AtomicU64; WORDS]>,
    /// On which processors its owner may run, a bit for each: written once, when it attaches.
    pub cores: [AtomicU64; size_of::<Processors>() / 8],
    arrivals: [AtomicU8; ARRIVALS],
}

const ARRIVALS: usize = PAGE_SIZE - 5 * CELL_SIZE - size_of::<Processors>();

/// How others reach the process's own memory: written once, when it attaches. All zero means not yet, or not at all.
#[repr(C)]
pub struct Identity {
    /// Its number in its own namespace, which need not be that of others.
    pub pid: AtomicU32,
    /// A word in its memory, and what that holds: who reads the same there has found the right process.
    pub witness_address: AtomicU64,
    pub witness: AtomicU64,
}

impl Identity {
    /// Its process has attached.
    pub fn is_known(&self) -> bool {
        self.witness.load(Acquire) != 0
    }
}

impl Control {
    /// The arrival byte of `sender`: the lower 8 bits of how many cells it has written into its ring towards this process.
    #[inline]
    pub fn arrival(&self, sender: usize) -> &AtomicU8 {
        &self.arrivals[sender]
    }

    /// The arrival bytes of eight senders, read at once.
    #[inline]
    pub fn arrivals_of(&self, group: usize) -> u64 {
        let bytes: &[AtomicU8] = &self.arrivals[group * 8..][..8];
        // SAFETY: eight bytes inside the page at a multiple of 8. Other processes store them one by one meanwhile, in any order;
        // a volatile read takes each as it is.
        u64::from_le(unsafe { bytes.as_ptr().cast::<u64>().read_volatile() })
    }
}

const _: () = assert!(size_of::<Control>() == PAGE_SIZE && RANKS_MAX as usize <= ARRIVALS);

/// Processes that a segment can hold.
pub const RANKS_MAX: u32 = 1024;

#[derive(Clone, Copy)]
pub struct Layout {
    ranks: usize,
}

impl Layout {
    /// # Panics
    /// When `ranks` is 0 or exceeds [`RANKS_MAX`].
    pub fn new(ranks: u32) -> Self {
        assert!((1..=RANKS_MAX).contains(&ranks), "a segment for {ranks} processes");
        Layout { ranks: ranks as usize }
    }

    pub fn ranks(&self) -> usize {
        self.ranks
    }

    /// Size of the segment in bytes.
    pub fn size(&self) -> usize {
        self.region(self.ranks)
    }

    pub fn control(&self, rank: usize) -> usize {
        rank * PAGE_SIZE
    }

    /// Cells in each ring.
    pub fn ring_cells(&self) -> usize {
        ring_size(self.ranks) / CELL_SIZE - 1
    }

    pub fn ring(&self, from: usize, to: usize) -> usize {
        self.control(self.ranks) + (to * self.ranks + from) * ring_size(self.ranks)
    }

    pub fn pool(&self, rank: usize) -> usize {
        self.ring(0, self.ranks) + rank * POOL_SIZE
    }

    pub fn region(&self, rank: usize) -> usize {
        self.pool(self.ranks) + rank * self.region_size()
    }

    /// Bytes of each region.
    pub fn region_size(&self) -> usize {
        region_size(self.ranks)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_follow_each_other() {
        let layout = Layout::new(3);
        assert_eq!(layout.ring(0, 0), layout.control(2) + PAGE_SIZE);
        assert_eq!(layout.pool(0), layout.ring(2, 2) + ring_size(3));
        assert_eq!(layout.region(0), layout.pool(2) + POOL_SIZE);
        assert_eq!(layout.size(), layout.region(2) + region_size(3));
    }

    #[test]
    fn control_pages_of_256_processes_are_small() {
        // Nothing else is touched before first contact.
        assert!(Layout::new(256).ring(0, 0) <= 1 << 20);
    }
}
