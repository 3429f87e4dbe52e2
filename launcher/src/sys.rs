//! The system calls for which no safe wrapper exists: fork, exec, signal masks, signalfd; [`account`], users.
//!
//! hpvmrun and the keepers have one thread each.

pub mod account;

use std::ffi::{CStr, CString};
use std::io::{self, Write as _};
use std::os::fd::{AsFd, AsRawFd as _, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::ptr;

use rustix::process::{Pid, Rlimit};
use rustix::thread::CpuSet;

/// The signal mask and dispositions that `hpvmrun` was started with; ranks get them back.
#[derive(Clone, Copy)]
pub struct SignalMask(libc::sigset_t);

/// Blocks signals for this process and what it forks.
pub fn block_signals(numbers: &[i32]) -> io::Result<SignalMask> {
    let set = set_of(numbers)?;
    // SAFETY: a signal set is plain data; sigprocmask fills it in.
    let mut before: libc::sigset_t = unsafe { std::mem::zeroed() };
    // SAFETY: both point to signal sets.
    check(unsafe { libc::sigprocmask(libc::SIG_BLOCK, &set, &mut before) })?;
    Ok(SignalMask(before))
}

/// Lets all signals through: a relay that started this process blocks those it waits for.
pub fn unblock_signals() -> io::Result<()> {
    let none = set_of(&[])?;
    // SAFETY: `none` is a signal set, and nothing is to be filled in.
    check(unsafe { libc::sigprocmask(libc::SIG_SETMASK, &none, ptr::null_mut()) })?;
    Ok(())
}

fn set_of(numbers: &[i32]) -> io::Result<libc::sigset_t> {
    // SAFETY: a signal set is plain data, and sigemptyset makes it a defined one.
    let mut set: libc::sigset_t = unsafe { std::mem::zeroed() };
    // SAFETY: `set` is a signal set.
    check(unsafe { libc::sigemptyset(&mut set) })?;
    for number in numbers {
        // SAFETY: as above; a number that is no signal is answered with EINVAL.
        check(unsafe { libc::sigaddset(&mut set, *number) })?;
    }
    Ok(set)
}

/// Gives a signal its default action again.
pub fn default_action(number: i32) -> io::Result<()> {
    // SAFETY: the default is no function of ours; a number that is no signal is answered with EINVAL.
    if unsafe { libc::signal(number, libc::SIG_DFL) } == libc::SIG_ERR {
        Err(io::Error::last_os_error())
    } else {
        Ok(())
    }
}

fn check(result: i32) -> io::Result<i32> {
    if result == -1 { Err(io::Error::last_os_error()) } else { Ok(result) }
}

/// Blocked signals, to be read like a file.
#[derive(Debug)]
pub struct SignalFd(OwnedFd);

impl SignalFd {
    pub fn new(numbers: &[i32]) -> io::Result<Self> {
        let set = set_of(numbers)?;
        // SAFETY: -1 asks for a new descriptor; `set` is a signal set.
        let fd = check(unsafe { libc::signalfd(-1, &set, libc::SFD_CLOEXEC | libc::SFD_NONBLOCK) })?;
        // SAFETY: just made, nobody else has it.
        Ok(Self(unsafe { OwnedFd::from_raw_fd(fd) }))
    }

    /// The next pending signal.
    pub fn next(&self) -> Option<i32> {
        let mut record = [0_u8; size_of::<libc::signalfd_siginfo>()];
        match rustix::io::retry_on_intr(|| rustix::io::read(&self.0, &mut record)) {
            Ok(length) if length == record.len() => {
                Some(i32::from_ne_bytes([record[0], record[1], record[2], record[3]]))
            }
            _ => None,
        }
    }
}

impl AsFd for SignalFd {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// Forks; `None` in the child.
pub fn fork() -> io::Result<Option<Pid>> {
    // SAFETY: this program starts no threads, so the child's memory is in order and it may do all that the
    // parent may. Threads of a preloaded library hold nothing of ours, and the C library's own locks are put
    // in order by its fork.
    let pid = check(unsafe { libc::fork() })?;
    Ok(Pid::from_raw(pid))
}

/// What a rank's process does between fork and exec, all of it prepared beforehand so that nothing is
/// allocated there.
pub struct Exec<'a> {
    pub path: &'a CStr,
    pub arguments: &'a [CString],
    /// In two parts: what all ranks of a program share, and this rank's own.
    pub environment: [&'a [CString]; 2],
    pub work_dir: Option<&'a CStr>,
    /// Become descriptors 0, 1 and 2.
    pub stdio: [BorrowedFd<'a>; 3],
    /// Stay open across exec, under their numbers.
    pub inherited: &'a [RawFd],
    pub cores: Option<&'a CpuSet>,
    pub mask: &'a SignalMask,
    pub files: Rlimit,
    /// The descriptor that is told of a failure, and the rank it names there.
    pub report: BorrowedFd<'a>,
    pub rank: u32,
    /// The reading end of a pipe whose writing end only the caller has. When the caller dies, the kernel kills the
    /// rank's process group: unlike PDEATHSIG this reaches what the rank has forked, and needs no survivor.
    pub tie: BorrowedFd<'a>,
}

/// Which step failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Step {
    Fork = 0,
    Prepare = 1,
    Bind = 2,
    WorkDir = 3,
    Exec = 4,
    /// Its machine is not reached.
    Reach = 5,
    /// Its machine was reached, and is not any more.
    Lost = 6,
}

impl Step {
    pub fn from_raw(raw: u32) -> Option<Self> {
        [Self::Fork, Self::Prepare, Self::Bind, Self::WorkDir, Self::Exec, Self::Reach, Self::Lost]
            .into_iter()
            .find(|step| *step as u32 == raw)
    }
}

/// Starts a rank. The child is killed when the calling process dies.
pub fn spawn(exec: &Exec) -> io::Result<Pid> {
    let pointers = |strings: &[&[CString]]| -> Vec<*const libc::c_char> {
        strings.iter().copied().flatten().map(|string| string.as_ptr()).chain([ptr::null()]).collect()
    };
    let (arguments, environment) = (pointers(&[exec.arguments]), pointers(&exec.environment));
    let parent = rustix::process::getpid();
    match fork()? {
        Some(child) => Ok(child),
        None => {
            let (step, error) = match become_rank(exec, parent, &arguments, &environment) {
                Ok(never) => match never {},
                Err(failure) => failure,
            };
            let words = [exec.rank, step as u32, error.raw_os_error().unwrap_or(0) as u32].map(u32::to_ne_bytes);
            let _ = rustix::io::write(exec.report, words.as_flattened());
            // SAFETY: ends this child without running the parent's exit handlers.
            unsafe { libc::_exit(127) }
        }
    }
}

/// Reads another process's memory at `address`; how many bytes came.
pub fn read_process(pid: i32, address: usize, into: &mut [u8]) -> io::Result<usize> {
    let local = libc::iovec { iov_base: into.as_mut_ptr().cast(), iov_len: into.len() };
    let remote = libc::iovec { iov_base: ptr::without_provenance_mut(address), iov_len: into.len() };
    // SAFETY: the kernel writes into `into` alone, and reads the other process only where that allows it.
    let count = unsafe { libc::process_vm_readv(pid, &raw const local, 1, &raw const remote, 1, 0) };
    usize::try_from(count).map_err(|_| io::Error::last_os_error())
}

/// Has the kernel kill the calling process's group when the pipe behind `tie` loses its last writer: its
/// signal-driven input, with SIGKILL for the signal. Owner and signal belong to the open file, so every group
/// opens the pipe anew; the file lives as long as somebody in the group keeps the inherited descriptor.
fn tie_group(tie: BorrowedFd) -> io::Result<()> {
    use rustix::fs::{Mode, OFlags, open};
    let (mut path, number) = ([0_u8; 32], tie.as_raw_fd());
    // Nothing may be allocated here.
    write!(path.as_mut_slice(), "/proc/self/fd/{number}\0")?;
    let path = CStr::from_bytes_until_nul(&path).map_err(|_| io::ErrorKind::InvalidFilename)?;
    let own = open(path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?;
    let group = rustix::process::getpgrp().as_raw_pid();
    for (command, value) in [(libc::F_SETOWN, -group), (F_SETSIG, libc::SIGKILL), (libc::F_SETFL, libc::O_ASYNC)] {
        // SAFETY: an open descriptor, and commands that take a number.
        check(unsafe { libc::fcntl(own.as_raw_fd(), command, value) })?;
    }
    // The same number in all ranks, and without CLOEXEC.
    // SAFETY: both are open, and nobody else in this process uses the second.
    check(unsafe { libc::dup2(own.as_raw_fd(), number) })?;
    Ok(())
}

/// As in <asm-generic/fcntl.h>; the libc crate has it for other C libraries only.
const F_SETSIG: libc::c_int = 10;

enum Never {}

fn become_rank(
    exec: &Exec,
    parent: Pid,
    arguments: &[*const libc::c_char],
    environment: &[*const libc::c_char],
) -> Result<Never, (Step, io::Error)> {
    let prepare = |errno: rustix::io::Errno| (Step::Prepare, io::Error::from(errno));
    rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL)).map_err(prepare)?;
    // A parent that died before the line above sends nothing any more.
    if rustix::process::getppid() != Some(parent) {
        // SAFETY: as in `spawn`.
        unsafe { libc::_exit(127) }
    }
    rustix::process::setpgid(None, None).map_err(prepare)?;
    // Without /proc the keepers have to do alone.
    let _ = tie_group(exec.tie);
    rustix::process::setrlimit(rustix::process::Resource::Nofile, exec.files).map_err(prepare)?;
    if let Some(cores) = exec.cores {
        rustix::thread::sched_setaffinity(None, cores).map_err(|errno| (Step::Bind, errno.into()))?;
    }
    if let Some(folder) = exec.work_dir {
        rustix::process::chdir(folder).map_err(|errno| (Step::WorkDir, errno.into()))?;
    }
    let [stdin, stdout, stderr] = exec.stdio;
    rustix::stdio::dup2_stdin(stdin).map_err(prepare)?;
    rustix::stdio::dup2_stdout(stdout).map_err(prepare)?;
    rustix::stdio::dup2_stderr(stderr).map_err(prepare)?;
    for fd in exec.inherited {
        // SAFETY: numbers of descriptors that the inner keeper holds open for this.
        let fd = unsafe { BorrowedFd::borrow_raw(*fd) };
        rustix::io::fcntl_setfd(fd, rustix::io::FdFlags::empty()).map_err(prepare)?;
    }
    // SAFETY: the default disposition is always valid. Rust's start-up code had it ignored.
    unsafe { libc::signal(libc::SIGPIPE, libc::SIG_DFL) };
    // SAFETY: the mask is the one that sigprocmask gave.
    check(unsafe { libc::sigprocmask(libc::SIG_SETMASK, &exec.mask.0, ptr::null_mut()) })
        .map_err(|error| (Step::Prepare, error))?;
    // SAFETY: a path and two lists of strings, each ending in null, alive until exec replaces them.
    unsafe { libc::execve(exec.path.as_ptr(), arguments.as_ptr(), environment.as_ptr()) };
    Err((Step::Exec, io::Error::last_os_error()))
}
