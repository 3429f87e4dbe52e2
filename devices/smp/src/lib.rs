//! The device between the processes of one node: shared memory.
//!
//! All processes of a job on a node map one memory segment, whose descriptor the launcher hands them. Read in this order:
//!
//! 1. [`layout`]: what the segment holds.
//! 2. [`ring`]: small messages, one cache line each, from one process to another. [`word`] is what a cell's word says.
//! 3. [`pool`]: large cells, lent by the sender and named in the ring.
//! 4. [`doorbell`] and [`park`]: sleeping when nothing arrives, and being woken; [`socket`], beside another device. [`cores`]: when spinning pays.
//! 5. [`link`] and [`inbox`]: the device's two sides, put together from these; [`shared`] is what they have in common.
//! 6. [`reading`]: long bodies, straight out of the sender's memory, and into the receiver's.
//! 7. [`regions`]: memory for boards.
//! 8. [`atomics`]: what lets the model checker run 2 and 4. [`sys`] and [`segment`]: system calls and typed memory.
//!
//! Between two processes there is no atomic read-modify-write: every shared word has one writer, but for the sleep word, where
//! two may store in any order, and the word by which two share the copying of a long body.

pub mod atomics;
mod cores;
pub mod doorbell;
#[cfg(fuzzing)]
pub mod fuzz;
mod inbox;
mod layout;
mod link;
mod park;
mod pool;
mod reading;
mod regions;
pub mod ring;
mod segment;
mod shared;
mod socket;
mod sys;
mod word;

pub use cores::{available as cores_available, limit as cores_limit};
pub use layout::RANKS_MAX;
pub use park::{Sleep, SmpPark};

use fm::board::Neighbours;
use fm::claims::WORDS;
use fm::{Device, Inbox, Link, Peer, Threading};
use inbox::SmpInbox;
use layout::Layout;
use link::SmpLink;
use regions::Regions;
use segment::Segment;
use shared::Shared;
use std::io;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

/// The shared-memory device of one process.
pub struct Smp {
    shared: Arc<Shared>,
}

impl Smp {
    /// Joins the processes that share `memory` (empty at first, or grown by another process that was here before), as number
    /// `rank` among them. `peers` names each of them in the job, this one included. The descriptor may be closed afterwards.
    ///
    /// # Errors
    /// When the memory cannot be mapped, or when there are more than [`RANKS_MAX`] processes.
    pub fn attach(memory: BorrowedFd<'_>, rank: u32, peers: &[Peer], threading: Threading) -> io::Result<Smp> {
        let ranks = peers.len();
        if ranks > RANKS_MAX as usize || rank as usize >= ranks {
            let text = format!("process {rank} of {ranks} on one node: shared memory serves at most {RANKS_MAX}");
            return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
        }
        let segment = Segment::map(memory, Layout::new(ranks as u32))?;
        Ok(Smp { shared: Arc::new(Shared::new(segment, rank as usize, peers.into(), threading)) })
    }

    /// Address space that `ranks` processes need, in bytes.
    pub fn segment_size(ranks: u32) -> usize {
        Layout::new(ranks).size()
    }

    /// Memory for [`attach`](Self::attach), for who has no launcher that made some.
    pub fn memory() -> io::Result<OwnedFd> {
        sys::shared_memory(c"hpvm")
    }

    /// How this process waits, when all of the segment may use `limit` cores at a time, and each those to which it is bound.
    pub fn park(&self, limit: usize) -> SmpPark {
        SmpPark::new(self.shared.clone(), limit)
    }

    /// The same for a process that has another device, too, on which it sleeps by `sleep`.
    ///
    /// # Errors
    /// When there is no socket to be woken at.
    pub fn park_beside(&self, limit: usize, sleep: Sleep) -> io::Result<SmpPark> {
        SmpPark::beside(self.shared.clone(), limit, sleep)
    }
}

/// What fits the ring with what the layers above put in front.
const UNASKED: usize = 10 << 10;
const _: () = assert!(UNASKED + 512 <= ring::SPAN_SIZE_MAX);

/// A little more than 8 KiB, for what the layers above put in front of the user's bytes.
const PIECE: usize = (8 << 10) + 64;

impl Device for Smp {
    fn name(&self) -> &'static str {
        "smp"
    }

    fn max_packet(&self) -> usize {
        pool::LARGEST
    }

    fn piece(&self) -> usize {
        // In the ring, if that is large: large cells are used again sooner, see `link`.
        if self.shared.direct() { PIECE } else { pool::LARGEST }
    }

    fn unasked_max(&self) -> usize {
        // Two copies through far cells take less than one by the kernel.
        if self.shared.direct() { UNASKED } else { 0 }
    }

    fn credits(&self) -> Option<u16> {
        None
    }

    fn can_read(&self, from: Peer) -> bool {
        self.shared.readable(from).is_some()
    }

    fn read(&self, from: Peer, address: u64, to: &mut [u8]) -> bool {
        self.shared.readable(from).is_some_and(|pid| sys::read_memory(pid, address, to).is_ok())
    }

    fn write(&self, to: Peer, address: u64, from: &[u8]) -> bool {
        self.shared.readable(to).is_some_and(|pid| sys::write_memory(pid, address, from).is_ok())
    }

    fn claims(&self, owner: Peer) -> Option<&[AtomicU64; WORDS]> {
        let number = self.shared.find(owner)?;
        if number == self.shared.me && self.shared.is_watched() {
            return None;
        }
        Some(&self.shared.segment.control(number).claims.0)
    }

    fn neighbours(&self) -> Option<Arc<dyn Neighbours>> {
        Some(Arc::new(Regions::new(self.shared.clone())))
    }

    fn link(&self, to: Peer) -> Box<dyn Link> {
        Box::new(SmpLink::new(self.shared.clone(), self.shared.number_of(to)))
    }

    fn inbox(&self) -> Box<dyn Inbox> {
        Box::new(SmpInbox::new(self.shared.clone()))
    }
}
