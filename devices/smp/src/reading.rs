//! Reading another process's memory, and writing into it: for bodies so long that one copy by the kernel beats two through the segment.
//!
//! The kernel allows it between processes of one user, unless a sandbox forbids it. A process's number is only good within its
//! namespace, so a reader first makes sure that it has found the right process: it reads the *witness*, a random word that the other
//! published together with its address.

use crate::segment::Segment;
use crate::sys;
use std::ffi::OsStr;
use std::hash::{BuildHasher, RandomState};
use std::sync::OnceLock;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};

pub struct Readers {
    /// A memory checker watches this process. It does not see what others write here, and would take it for uninitialised.
    pub watched: bool,
    /// By process of the segment: its number, if its memory can be read.
    found: Box<[OnceLock<Option<u32>>]>,
    /// Its address is what counts.
    _witness: Box<u64>,
}

impl Readers {
    /// Lets the others of the segment read the memory of `me`, which is this process.
    pub fn publish(segment: &Segment, me: usize) -> Readers {
        // Random enough for a witness: the library's hash keys come from the operating system.
        let witness = Box::new(RandomState::new().hash_one(me) | 1);
        let identity = &segment.control(me).identity.0;
        identity.pid.store(std::process::id(), Relaxed);
        identity.witness_address.store((&raw const *witness).addr() as u64, Relaxed);
        identity.witness.store(*witness, Release);
        let watched = is_watched(std::env::var_os("LD_PRELOAD").as_deref());
        Readers { watched, found: (0..segment.ranks()).map(|_| OnceLock::new()).collect(), _witness: witness }
    }

    /// The number of process `other`, if its memory can be read.
    pub fn find(&self, segment: &Segment, other: usize) -> Option<u32> {
        if let Some(found) = self.found[other].get() {
            return *found;
        }
        let identity = &segment.control(other).identity.0;
        let witness = identity.witness.load(Acquire);
        if witness == 0 {
            // It may attach yet.
            return None;
        }
        let (pid, address) = (identity.pid.load(Relaxed), identity.witness_address.load(Relaxed));
        let mut seen = [0; size_of::<u64>()];
        let reads = sys::read_memory(pid, address, &mut seen).is_ok();
        *self.found[other].get_or_init(|| (reads && u64::from_ne_bytes(seen) == witness).then_some(pid))
    }
}

/// Whether this is what valgrind preloads.
fn is_watched(preload: Option<&OsStr>) -> bool {
    preload.is_some_and(|libraries| libraries.to_string_lossy().contains("/vgpreload_"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn valgrind_is_known_by_what_it_preloads() {
        assert!(!is_watched(None) && !is_watched(Some("/usr/lib/libmemory.so".as_ref())));
        assert!(is_watched(Some("/usr/libexec/valgrind/vgpreload_core-amd64-linux.so:/x.so".as_ref())));
    }

    use crate::layout::Layout;
    use std::os::fd::AsFd;

    #[test]
    fn only_the_right_process_is_read() {
        let memory = sys::shared_memory(c"test").unwrap();
        let segment = Segment::map(memory.as_fd(), Layout::new(3)).unwrap();
        let readers = Readers::publish(&segment, 0);
        // A process may read its own memory, so that this one can stand for another.
        assert_eq!(readers.find(&segment, 0), Some(std::process::id()));
        assert_eq!(readers.find(&segment, 1), None, "nobody has attached");
        let identity = &segment.control(2).identity.0;
        identity.pid.store(std::process::id(), Relaxed);
        identity.witness_address.store((&raw const *readers._witness).addr() as u64, Relaxed);
        identity.witness.store(4711, Relaxed);
        assert_eq!(readers.find(&segment, 2), None, "another process has that number here");
    }
}
