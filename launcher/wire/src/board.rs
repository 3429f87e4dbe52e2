//! The board: the status lines of a job in one piece of shared memory.

use std::io;
use std::ops::Deref;
use std::os::fd::{AsFd, OwnedFd};
use std::ptr::{self, NonNull};
use std::slice;

use rustix::fs::{MemfdFlags, SealFlags};
use rustix::mm::{MapFlags, ProtFlags};

use crate::status::StatusLine;

/// A mapping of all status lines; index it by rank.
#[derive(Debug)]
pub struct Board {
    lines: NonNull<StatusLine>,
    ranks: usize,
}

// SAFETY: the memory is shared between processes anyway and consists of atomics only; the mapping is
// removed when the one owner is dropped.
unsafe impl Send for Board {}
// SAFETY: as above.
unsafe impl Sync for Board {}

impl Board {
    /// New memory for so many ranks, sealed to its size so that no rank can make another one fault.
    pub fn create(ranks: u32) -> io::Result<OwnedFd> {
        let file = rustix::fs::memfd_create("hpvm-status", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?;
        rustix::fs::ftruncate(&file, bytes(ranks) as u64)?;
        rustix::fs::fcntl_add_seals(&file, SealFlags::SHRINK | SealFlags::GROW | SealFlags::SEAL)?;
        Ok(file)
    }

    /// Maps it. The descriptor is not needed afterwards.
    pub fn map(file: impl AsFd, ranks: u32) -> io::Result<Self> {
        let length = bytes(ranks);
        let found = rustix::fs::fstat(&file)?.st_size;
        if ranks == 0 || found as u64 != length as u64 {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                format!("the status board has {found} bytes, for {ranks} ranks it should have {length}"),
            ));
        }
        // SAFETY: a new mapping at an address of the kernel's choice, of a file that is as long.
        let at = unsafe {
            rustix::mm::mmap(ptr::null_mut(), length, ProtFlags::READ | ProtFlags::WRITE, MapFlags::SHARED, &file, 0)
        }?;
        let lines = NonNull::new(at.cast()).ok_or(io::ErrorKind::OutOfMemory)?;
        Ok(Self { lines, ranks: ranks as usize })
    }
}

impl Deref for Board {
    type Target = [StatusLine];

    fn deref(&self) -> &[StatusLine] {
        // SAFETY: `lines` points to `ranks` lines, page-aligned, mapped until drop, all atomics.
        unsafe { slice::from_raw_parts(self.lines.as_ptr(), self.ranks) }
    }
}

impl Drop for Board {
    fn drop(&mut self) {
        // SAFETY: exactly the mapping made in `map`; no reference outlives `self`.
        let unmapped = unsafe { rustix::mm::munmap(self.lines.as_ptr().cast(), self.ranks * StatusLine::SIZE) };
        debug_assert!(unmapped.is_ok());
    }
}

fn bytes(ranks: u32) -> usize {
    ranks as usize * StatusLine::SIZE
}

/// The node's message memory: empty, and sealed against shrinking, so that no process can make another
/// one fault. Each rank grows it to the same size.
pub fn create_message_memory() -> io::Result<OwnedFd> {
    let file = rustix::fs::memfd_create("hpvm-messages", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?;
    rustix::fs::fcntl_add_seals(&file, SealFlags::SHRINK)?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::State;

    #[test]
    fn two_mappings_show_the_same_lines() {
        let file = Board::create(40).unwrap();
        let (rank, launcher) = (Board::map(&file, 40).unwrap(), Board::map(&file, 40).unwrap());
        rank[39].aborted(7);
        assert_eq!((launcher[39].state(), launcher[39].abort_code()), (State::Aborted, 7));
        assert_eq!(launcher[38].state(), State::Plain);
    }

    #[test]
    fn a_board_of_another_size_is_refused() {
        let file = Board::create(4).unwrap();
        let error = Board::map(&file, 5).unwrap_err().to_string();
        assert!(error.contains("512 bytes") && error.contains("640"), "{error}");
        assert!(Board::map(&file, 0).is_err());
    }

    #[test]
    fn neither_memory_can_be_shrunk() {
        let board = Board::create(4).unwrap();
        assert!(rustix::fs::ftruncate(&board, 128).is_err());
        let messages = create_message_memory().unwrap();
        rustix::fs::ftruncate(&messages, 1 << 20).unwrap();
        assert!(rustix::fs::ftruncate(&messages, 0).is_err());
    }
}
