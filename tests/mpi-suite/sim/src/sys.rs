//! The system calls of the simulator.

use anyhow::{Result, bail};
use std::ffi::{CStr, CString, c_char, c_int};
use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::mem::ManuallyDrop;
use std::os::fd::{AsRawFd, FromRawFd};
use std::time::Duration;

/// A C program's entry.
pub type Main = unsafe extern "C" fn(c_int, *const *const c_char, *const *const c_char) -> c_int;

/// A file without a name.
pub fn nameless_file() -> io::Result<File> {
    // SAFETY: the name is a C string; the descriptor that is returned is ours alone.
    unsafe {
        let fd = libc::memfd_create(c"mpi-sim".as_ptr(), libc::MFD_CLOEXEC);
        if fd < 0 { Err(io::Error::last_os_error()) } else { Ok(File::from_raw_fd(fd)) }
    }
}

/// Loads a shared object that no other load shares, for good, and finds its `main`.
pub fn load_copy(object: &[u8]) -> Result<Main> {
    // The loader tells objects apart by name and by file, so each copy is a file of its own, which stays open: the next one
    // must not get its number, and with it its name.
    let mut file = ManuallyDrop::new(nameless_file()?);
    file.write_all(object)?;
    let path = CString::new(format!("/proc/self/fd/{}", file.as_raw_fd()))?;
    // SAFETY: runs the object's constructors: a C program's, which are trusted as the program is.
    let handle = unsafe { libc::dlopen(path.as_ptr(), libc::RTLD_NOW | libc::RTLD_LOCAL) };
    if handle.is_null() {
        bail!("{}", loader_error());
    }
    // SAFETY: a live handle and a C string.
    let main = unsafe { libc::dlsym(handle, c"main".as_ptr()) };
    if main.is_null() {
        bail!("{}", loader_error());
    }
    // SAFETY: the object is a C program, whose `main` has this type or one with fewer parameters.
    Ok(unsafe { std::mem::transmute::<*mut libc::c_void, Main>(main) })
}

fn loader_error() -> String {
    // SAFETY: the text is valid until the next call of the loader.
    unsafe {
        let text = libc::dlerror();
        if text.is_null() { "no reason given".into() } else { CStr::from_ptr(text).to_string_lossy().into_owned() }
    }
}

/// The process's environment as a C program's third parameter.
pub fn environment() -> *const *const c_char {
    unsafe extern "C" {
        static environ: *const *const c_char;
    }
    // SAFETY: the C library's variable; the simulation has one thread.
    unsafe { environ }
}

/// Runs `work` in a child process whose output goes to `output`, and that `limit_s` seconds of processor time end: a
/// simulation never sleeps, and a busy machine must not fail it. Its status is what `work`
/// returns. Returns the child's process id.
pub fn in_child(output: &File, limit_s: u32, work: impl FnOnce() -> c_int) -> io::Result<libc::pid_t> {
    // SAFETY: the caller has one thread, so that the child may do anything; it leaves before it returns to its parent's work.
    match unsafe { libc::fork() } {
        -1 => Err(io::Error::last_os_error()),
        0 => {
            // SAFETY: valid descriptors; no other conditions.
            unsafe {
                libc::dup2(output.as_raw_fd(), 1);
                libc::dup2(output.as_raw_fd(), 2);
                let limit = libc::rlimit { rlim_cur: limit_s.into(), rlim_max: libc::RLIM_INFINITY };
                libc::setrlimit(libc::RLIMIT_CPU, &raw const limit);
            }
            keep_memory();
            leave(work())
        }
        child => Ok(child),
    }
}

/// What programs free stays with the allocator: all ranks' large buffers come from one process, and to give pages back and
/// take them again is a tenth of a run. Memory that was used before also shows a program that relies on zeros.
fn keep_memory() {
    // SAFETY: no conditions.
    unsafe {
        libc::mallopt(libc::M_MMAP_THRESHOLD, 1 << 30);
        libc::mallopt(libc::M_TRIM_THRESHOLD, c_int::MAX);
    }
}

/// Ends this process after what its programs have printed is out.
pub fn leave(status: c_int) -> ! {
    // SAFETY: no conditions. The programs' exit handlers do not run: they belong to no rank.
    unsafe {
        libc::fflush(std::ptr::null_mut());
        libc::_exit(status)
    }
}

/// How a child ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ended {
    Status(c_int),
    Signal(c_int),
}

/// Waits for any child; says how it ended, and how much processor time it used.
pub fn wait_any() -> io::Result<(libc::pid_t, Ended, Duration)> {
    let mut status = 0;
    // SAFETY: zero is a value of all its fields.
    let mut used: libc::rusage = unsafe { std::mem::zeroed() };
    // SAFETY: places for the status and the times.
    let child = unsafe { libc::wait4(-1, &raw mut status, 0, &raw mut used) };
    if child < 0 {
        return Err(io::Error::last_os_error());
    }
    let ended =
        if libc::WIFSIGNALED(status) { Ended::Signal(libc::WTERMSIG(status)) } else { Ended::Status(libc::WEXITSTATUS(status)) };
    let time = |time: libc::timeval| Duration::new(time.tv_sec as u64, 1000 * time.tv_usec as u32);
    Ok((child, ended, time(used.ru_utime) + time(used.ru_stime)))
}

/// All that was written to `file`.
pub fn contents(mut file: File) -> io::Result<String> {
    let mut bytes = Vec::new();
    file.rewind()?;
    file.read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
