//! Accounts of this machine, and becoming one of them.

use std::ffi::{CStr, CString, OsStr};
use std::io;
use std::os::fd::{AsRawFd as _, BorrowedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::PathBuf;
use std::ptr;

use super::check;

/// What the system knows of a user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    pub name: CString,
    pub uid: u32,
    pub gid: u32,
    pub home: PathBuf,
    pub shell: PathBuf,
}

/// What the system may need for one entry at most.
const BUFFER_MAX: usize = 1 << 20;

/// The account of that name.
pub fn named(name: &CStr) -> io::Result<Option<Account>> {
    // SAFETY: the name is a string, the rest as `look` says.
    users(|entry, buffer, length, found| unsafe { libc::getpwnam_r(name.as_ptr(), entry, buffer, length, found) })
}

/// The account of that number.
pub fn numbered(uid: u32) -> io::Result<Option<Account>> {
    // SAFETY: as `look` says.
    users(|entry, buffer, length, found| unsafe { libc::getpwuid_r(uid, entry, buffer, length, found) })
}

fn users(ask: impl Fn(*mut libc::passwd, *mut libc::c_char, usize, *mut *mut libc::passwd) -> i32) -> io::Result<Option<Account>> {
    // SAFETY: plain data, of which zeros are a value.
    let empty = || unsafe { std::mem::zeroed() };
    // SAFETY: the entry was filled in, and its strings are still there.
    look(empty, ask, |entry| unsafe { account(entry) })
}

/// `ask` gets room for an entry, for its strings, and for a pointer that says whether there is one; `take` takes what is wanted of it.
fn look<E, T>(
    empty: impl Fn() -> E,
    ask: impl Fn(*mut E, *mut libc::c_char, usize, *mut *mut E) -> i32,
    take: impl Fn(&E) -> T,
) -> io::Result<Option<T>> {
    let mut buffer = vec![0; 4 << 10];
    loop {
        let (mut entry, mut found) = (empty(), ptr::null_mut());
        match ask(&raw mut entry, buffer.as_mut_ptr(), buffer.len(), &raw mut found) {
            0 if found.is_null() => return Ok(None),
            0 => return Ok(Some(take(&entry))),
            libc::ERANGE if buffer.len() < BUFFER_MAX => buffer.resize(buffer.len() * 4, 0),
            libc::EINTR => (),
            // Ways to say that there is none.
            libc::ENOENT | libc::ESRCH => return Ok(None),
            error => return Err(io::Error::from_raw_os_error(error)),
        }
    }
}

/// # Safety
/// The pointers in `entry` are null or lead to strings.
unsafe fn account(entry: &libc::passwd) -> Account {
    let text = |at: *const libc::c_char| match at.is_null() {
        true => CString::default(),
        // SAFETY: the caller's promise.
        false => unsafe { CStr::from_ptr(at) }.to_owned(),
    };
    let path = |at| PathBuf::from(OsStr::from_bytes(text(at).as_bytes()));
    Account { name: text(entry.pw_name), uid: entry.pw_uid, gid: entry.pw_gid, home: path(entry.pw_dir), shell: path(entry.pw_shell) }
}

/// Makes this process one of the user's, with the user's groups and for good. Who is that user already stays what it is.
pub fn become_user(account: &Account) -> io::Result<()> {
    let own = rustix::process::geteuid().as_raw();
    if own != 0 && own == account.uid {
        return Ok(());
    }
    // SAFETY: the name is a string.
    check(unsafe { libc::initgroups(account.name.as_ptr(), account.gid) })?;
    // SAFETY: numbers only.
    check(unsafe { libc::setresgid(account.gid, account.gid, account.gid) })?;
    // SAFETY: as above.
    check(unsafe { libc::setresuid(account.uid, account.uid, account.uid) })?;
    let is_back = account.uid != 0 && {
        // SAFETY: as above.
        unsafe { libc::setuid(0) == 0 }
    };
    if is_back { Err(io::Error::other("this process could become root again")) } else { Ok(()) }
}

/// Becomes the program that this process runs, anew: nothing of its memory stays, and of its descriptors only these three, as 0, 1 and 2.
pub fn exec_anew(stdio: [BorrowedFd; 3], arguments: &[CString], environment: &[CString]) -> io::Error {
    let pointers = |strings: &[CString]| -> Vec<*const libc::c_char> { strings.iter().map(|string| string.as_ptr()).chain([ptr::null()]).collect() };
    let (arguments, environment) = (pointers(arguments), pointers(environment));
    // Above all three of them, so that none is overwritten before it is copied.
    for (target, fd) in stdio.iter().enumerate() {
        // SAFETY: an open descriptor.
        let copy = match check(unsafe { libc::fcntl(fd.as_raw_fd(), libc::F_DUPFD_CLOEXEC, 16 + target as i32) }) {
            Ok(copy) => copy,
            Err(error) => return error,
        };
        // SAFETY: this process has one thread, and goes on to another program or ends.
        if let Err(error) = check(unsafe { libc::dup2(copy, target as i32) }) {
            return error;
        }
    }
    // SAFETY: as above; what cannot be closed closes itself at exec.
    unsafe { libc::syscall(libc::SYS_close_range, 3, u32::MAX, 0) };
    // SAFETY: a path and two lists of strings, each ending in null.
    unsafe { libc::execve(c"/proc/self/exe".as_ptr(), arguments.as_ptr(), environment.as_ptr()) };
    io::Error::last_os_error()
}

/// Closes all descriptors but those for input, output and errors, and these.
pub fn keep_only(kept: &mut [BorrowedFd]) {
    kept.sort_unstable_by_key(|fd| fd.as_raw_fd());
    let mut first = 3;
    for last in kept.iter().map(|fd| fd.as_raw_fd() as u32).chain([u32::MAX]) {
        if first < last {
            // SAFETY: this process has one thread, which uses none of them any more; what cannot be closed closes itself at exec.
            unsafe { libc::syscall(libc::SYS_close_range, first, last - 1, 0) };
        }
        first = first.max(last.saturating_add(1));
    }
}

/// A line of the list that says how long accounts and passwords last, in days: of the dates since 1970. -1 is for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lasting {
    /// The date from which on there is no account any more.
    pub expires: i64,
    /// When the password was set, for how long it is good, and after how much more nobody gets in.
    pub set: i64,
    pub good: i64,
    pub inactive: i64,
}

impl Lasting {
    /// Of that account; `None` where nothing is said of it, or to this process.
    pub fn of(name: &CStr) -> io::Result<Option<Self>> {
        // SAFETY: plain data, of which zeros are a value.
        let empty = || unsafe { std::mem::zeroed::<libc::spwd>() };
        // SAFETY: the name is a string, the rest as `look` says.
        let ask = |entry, buffer, length, found| unsafe { libc::getspnam_r(name.as_ptr(), entry, buffer, length, found) };
        let lasting = |entry: &libc::spwd| Self { expires: entry.sp_expire, set: entry.sp_lstchg, good: entry.sp_max, inactive: entry.sp_inact };
        look(empty, ask, lasting).or_else(|error| if error.kind() == io::ErrorKind::PermissionDenied { Ok(None) } else { Err(error) })
    }

    /// Why the account is none on that day, as others who let people in see it.
    pub fn fault(&self, today: i64) -> Option<&'static str> {
        let Self { expires, set, good, inactive } = *self;
        if expires >= 0 && today >= expires {
            Some("the account has expired")
        } else if [set, good, inactive].iter().all(|days| *days >= 0) && today - set > good.saturating_add(inactive) {
            Some("its password has expired for so long that the account has, too")
        } else {
            None
        }
    }
}

/// Leaves the keys that this process shares with the daemon, if the kernel has such.
pub fn leave_keyring() {
    const JOIN_SESSION_KEYRING: libc::c_int = 1;
    // SAFETY: no name: a keyring of its own.
    unsafe { libc::syscall(libc::SYS_keyctl, JOIN_SESSION_KEYRING, std::ptr::null::<libc::c_char>()) };
}

/// No other process of the same user may look into this one, until it runs another program.
pub fn hide() -> io::Result<()> {
    // SAFETY: numbers only.
    check(unsafe { libc::prctl(libc::PR_SET_DUMPABLE, 0, 0, 0, 0) })?;
    Ok(())
}

/// Ends this process at once, with nothing of what it inherited run.
pub fn leave(status: u8) -> ! {
    // SAFETY: it does not return.
    unsafe { libc::_exit(status.into()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accounts_end() {
        let for_ever = Lasting { expires: -1, set: 100, good: 99_999, inactive: -1 };
        assert_eq!(for_ever.fault(1_000_000), None);
        let ends = Lasting { expires: 200, ..for_ever };
        assert_eq!((ends.fault(199), ends.fault(200)), (None, Some("the account has expired")));
        // 110 is the last day of the password, 115 the last one on which it may be changed.
        let password = Lasting { good: 10, inactive: 5, ..for_ever };
        assert!(password.fault(115).is_none() && password.fault(116).is_some());
        assert_eq!(Lasting { inactive: -1, ..password }.fault(1_000), None, "who does not use it needs none");
        assert_eq!(Lasting::of(c"nobody of this name").unwrap(), None);
    }

    #[test]
    fn accounts_are_found() {
        let root = numbered(0).unwrap().unwrap();
        assert_eq!((root.name.as_c_str(), root.gid), (c"root", 0));
        assert_eq!(named(c"root").unwrap(), Some(root));
        assert_eq!(named(c"nobody of this name").unwrap(), None);
    }
}
