//! The system calls that this device makes, each behind a safe function.

use crate::doorbell::Barrier;
use std::ffi::CStr;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU32, Ordering, compiler_fence, fence};
use std::time::Duration;

/// Memory shared with other processes, mapped for as long as the value lives.
pub struct Mapping {
    start: NonNull<u8>,
    size: usize,
}

// SAFETY: the mapping belongs to the process, not to a thread; what lies in it is accessed through atomics or by protocol.
unsafe impl Send for Mapping {}
// SAFETY: as above.
unsafe impl Sync for Mapping {}

impl Mapping {
    /// Grows the file behind `memory` to `size` bytes and maps them.
    pub fn new(memory: BorrowedFd<'_>, size: usize) -> io::Result<Mapping> {
        // Every process of the job does the same; the file cannot shrink (it is sealed), so that no access can hit its end.
        // SAFETY: a call on a valid descriptor that touches no memory of ours.
        if unsafe { libc::ftruncate(memory.as_raw_fd(), size as libc::off_t) } != 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: a new mapping at an address of the kernel's choice replaces nothing.
        let start = unsafe {
            libc::mmap(
                std::ptr::null_mut(),
                size,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_SHARED | libc::MAP_NORESERVE,
                memory.as_raw_fd(),
                0,
            )
        };
        if start == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let start = NonNull::new(start.cast()).ok_or_else(|| io::Error::other("a mapping at address 0"))?;
        Ok(Mapping { start, size })
    }

    /// The address of `size` bytes at `offset`.
    ///
    /// # Panics
    /// When they are not inside the mapping.
    pub fn at(&self, offset: usize, size: usize) -> NonNull<u8> {
        assert!(offset <= self.size && size <= self.size - offset);
        // SAFETY: just checked to stay inside the mapping.
        unsafe { self.start.add(offset) }
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: exactly what `new` mapped; whoever holds pointers into it also holds the mapping.
        unsafe { libc::munmap(self.start.as_ptr().cast(), self.size) };
    }
}

/// Anonymous memory to be shared through its descriptor: empty, and never to shrink.
pub fn shared_memory(name: &CStr) -> io::Result<OwnedFd> {
    // SAFETY: `name` is a C string.
    let fd = unsafe { libc::memfd_create(name.as_ptr(), libc::MFD_CLOEXEC | libc::MFD_ALLOW_SEALING) };
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the call returned a new descriptor that nobody else owns.
    let memory = unsafe { OwnedFd::from_raw_fd(fd) };
    // SAFETY: a call on a valid descriptor that touches no memory of ours.
    if unsafe { libc::fcntl(fd, libc::F_ADD_SEALS, libc::F_SEAL_SHRINK) } != 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(memory)
}

/// Sleeps until `word` is no longer `expected`, somebody wakes its sleepers, a signal arrives, or `limit` has passed.
pub fn futex_wait(word: &AtomicU32, expected: u32, limit: Option<Duration>) {
    let timeout = limit.map(|limit| libc::timespec {
        tv_sec: limit.as_secs() as libc::time_t,
        tv_nsec: limit.subsec_nanos() as libc::c_long,
    });
    let timeout = timeout.as_ref().map_or(std::ptr::null(), std::ptr::from_ref);
    // Every way it can end is a reason to look again, so the result does not matter.
    // SAFETY: the word and the timeout live through the call; the word is not private to this process.
    unsafe { libc::syscall(libc::SYS_futex, word.as_ptr(), libc::FUTEX_WAIT, expected, timeout) };
}

/// Wakes all who sleep on `word`.
pub fn futex_wake(word: &AtomicU32) {
    // SAFETY: the word lives through the call.
    unsafe { libc::syscall(libc::SYS_futex, word.as_ptr(), libc::FUTEX_WAKE, i32::MAX) };
}

pub fn yield_core() {
    // SAFETY: has no preconditions.
    unsafe { libc::sched_yield() };
}

/// Nanoseconds of a clock that all processes of the machine share.
#[inline]
pub fn now() -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: fills in the value it is given.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &raw mut time) };
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

/// A bit for each processor.
pub type Processors = [u64; libc::CPU_SETSIZE as usize / 64];

/// Processors that this thread may run on.
pub fn processors_allowed() -> Option<Processors> {
    let mut set = Processors::default();
    // SAFETY: a set of bits has the size that is passed, and any bits are valid.
    let failed = unsafe { libc::sched_getaffinity(0, size_of_val(&set), set.as_mut_ptr().cast()) } != 0;
    (!failed).then_some(set)
}

/// Processors of this machine that are switched on.
pub fn processors_there() -> usize {
    // SAFETY: has no preconditions.
    usize::try_from(unsafe { libc::sysconf(libc::_SC_NPROCESSORS_ONLN) }).unwrap_or(1)
}

const MEMBARRIER_GLOBAL_EXPEDITED: libc::c_int = 1 << 1;
const MEMBARRIER_REGISTER_GLOBAL_EXPEDITED: libc::c_int = 1 << 2;

fn membarrier(command: libc::c_int) -> bool {
    // SAFETY: has no preconditions and touches no memory of ours.
    unsafe { libc::syscall(libc::SYS_membarrier, command, 0, 0) == 0 }
}

/// The asymmetric fence of [`doorbell`](crate::doorbell).
pub struct Membarrier {
    registered: bool,
}

impl Membarrier {
    /// Registers this process, so that the heavy barriers of others act on it. Where the kernel refuses, all fence.
    pub fn register() -> Self {
        Membarrier { registered: membarrier(MEMBARRIER_REGISTER_GLOBAL_EXPEDITED) }
    }

    /// Whether heavy barriers can be trusted: not when this kernel or a sandbox refuses them.
    pub fn works(&self) -> bool {
        self.registered
    }
}

impl Barrier for Membarrier {
    #[inline]
    fn light(&self) {
        if self.registered {
            compiler_fence(Ordering::SeqCst);
        } else {
            fence(Ordering::SeqCst);
        }
    }

    fn heavy(&self) {
        if !(self.registered && membarrier(MEMBARRIER_GLOBAL_EXPEDITED)) {
            fence(Ordering::SeqCst);
        }
    }
}

/// Copies what lies at `address` in the memory of process `pid` into `to`.
pub fn read_memory(pid: u32, address: u64, to: &mut [u8]) -> io::Result<()> {
    copy_between(address, to.as_mut_ptr(), to.len(), |local, remote| {
        // SAFETY: the local vector is a buffer of ours; the other one the kernel checks.
        unsafe { libc::process_vm_readv(pid as libc::pid_t, local, 1, remote, 1, 0) }
    })
}

/// Copies `from` to `address` in the memory of process `pid`.
pub fn write_memory(pid: u32, address: u64, from: &[u8]) -> io::Result<()> {
    copy_between(address, from.as_ptr().cast_mut(), from.len(), |local, remote| {
        // SAFETY: the local vector is a buffer of ours, which is only read; the other one the kernel checks.
        unsafe { libc::process_vm_writev(pid as libc::pid_t, local, 1, remote, 1, 0) }
    })
}

/// Calls `copy` with what is left of both sides until nothing is.
fn copy_between(
    address: u64,
    ours: *mut u8,
    len: usize,
    copy: impl Fn(*const libc::iovec, *const libc::iovec) -> libc::ssize_t,
) -> io::Result<()> {
    let mut done = 0;
    while done < len {
        let local = libc::iovec { iov_base: ours.wrapping_add(done).cast(), iov_len: len - done };
        let remote = libc::iovec { iov_base: (address as usize + done) as *mut libc::c_void, iov_len: len - done };
        match usize::try_from(copy(&raw const local, &raw const remote)) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(count) => done += count,
            Err(_) => return Err(io::Error::last_os_error()),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_read_and_written() {
        // A process may do that to itself, too.
        let (me, from, mut to) = (std::process::id(), [1u8, 2, 3], [0u8; 3]);
        read_memory(me, from.as_ptr().addr() as u64, &mut to).unwrap();
        assert_eq!(to, from);
        write_memory(me, (&raw mut to).addr() as u64, &[7, 8]).unwrap();
        assert_eq!(to, [7, 8, 3]);
        assert!(write_memory(me, 8, &[1]).is_err(), "nothing is mapped there");
    }
}
