//! The child of the daemon that becomes a caller's user, if the caller may be that one.
//!
//! What can take long or lead astray is done here and not in the daemon: asking the system for the account, which may ask other machines,
//! and reading files of the user, as the user.

use std::ffi::CString;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;

use rustix::net::SendFlags;

use super::config::Config;
use crate::node::noise::handshake::Wish;
use crate::node::noise::keys::{self, Key};
use crate::node::noise::sealed::Session;
use crate::sys::account::{self, Account};
use crate::{exit, sys};

/// What the child tells the daemon.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The caller is this user.
    Is { uid: u32 },
    /// It is not, or must not be; for the daemon's log.
    IsNot(String),
}

/// What the daemon tells the child: its context, and the keys of the connection.
pub const GRANT: usize = 4 + Session::LENGTH;
/// A verdict is no longer.
const VERDICT_MAX: usize = 512;

impl Verdict {
    fn encode(&self) -> Vec<u8> {
        match self {
            Self::Is { uid } => [&[1][..], &uid.to_le_bytes()].concat(),
            Self::IsNot(why) => [&[0], why.as_bytes()].concat().into_iter().take(VERDICT_MAX).collect(),
        }
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        match bytes {
            [1, uid @ ..] => Some(Self::Is { uid: u32::from_le_bytes(uid.try_into().ok()?) }),
            [0, why @ ..] => Some(Self::IsNot(String::from_utf8_lossy(why).into_owned())),
            _ => None,
        }
    }

    /// What a child has said over its link; `None` if it has ended instead.
    pub fn receive(link: &impl AsFd) -> Option<Self> {
        let mut bytes = [0; VERDICT_MAX];
        let length = rustix::io::retry_on_intr(|| rustix::io::read(link, &mut bytes)).ok()?;
        Self::decode(&bytes[..length])
    }
}

/// The child's life up to the program that it becomes, which waits for the context.
pub fn run(config: &Config, key: Key, wish: &Wish, stream: &impl AsFd, link: &OwnedFd) -> ! {
    // Neither other callers nor the daemon's own door are any business of what takes its time here.
    account::keep_only([stream.as_fd(), link.as_fd()]);
    let _ = sys::unblock_signals();
    let _ = rustix::process::setsid();
    let verdict = become_caller(config, key, wish);
    let is_well = verdict.is_ok();
    let account = verdict.as_ref().ok().cloned();
    let verdict = verdict.map_or_else(Verdict::IsNot, |account| Verdict::Is { uid: account.uid });
    let told = rustix::net::send(link, &verdict.encode(), SendFlags::NOSIGNAL).is_ok();
    if let Some(account) = account.filter(|_| is_well && told) {
        // An error here is the end of the link, which the daemon notices.
        drop(serve(&account, stream.as_fd(), link.as_fd()));
    }
    account::leave(exit::LAUNCH)
}

/// Becomes the user, and looks whether the key is one of the user's.
fn become_caller(config: &Config, key: Key, wish: &Wish) -> Result<Account, String> {
    let name = CString::new(wish.user.as_str()).map_err(|_| "no name")?;
    let account = account::named(&name).map_err(|error| format!("the account cannot be looked up: {error}"))?;
    let account = account.ok_or("there is no such user")?;
    let shell = account.shell.file_name().unwrap_or_default();
    if shell == "nologin" || shell == "false" {
        return Err(format!("{} is not for people: its shell is {}", wish.user, account.shell.display()));
    }
    if account.uid != 0 && Path::new("/etc/nologin").exists() {
        return Err("/etc/nologin is there".into());
    }
    account::become_user(&account).map_err(|error| format!("cannot become {}: {error}", wish.user))?;
    // Becoming somebody else shows the memory again, in which the daemon's secrets are.
    account::hide().map_err(|error| format!("cannot hide what the daemon knows: {error}"))?;
    account::leave_keyring();
    let mut why = format!("key {key} is in no list of {}'s", wish.user);
    for path in config.lists(&account) {
        match read_list(&path, &account) {
            Ok(text) if keys::lists(&text, key) => return Ok(account),
            Err(Fault::Unsafe(fault)) => why = fault,
            Ok(_) | Err(Fault::Missing) => (),
        }
    }
    Err(why)
}

enum Fault {
    Missing,
    Unsafe(String),
}

/// A list longer than this is none.
const LIST_MAX: u64 = 256 << 10;

/// Reads a list of keys, unless somebody else could have written it.
fn read_list(path: &Path, account: &Account) -> Result<String, Fault> {
    // A pipe in its place must not hold up anybody.
    let mut file = fs::OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY).open(path).map_err(|_| Fault::Missing)?;
    let open = |file: &File| file.metadata().is_ok_and(|about| about.is_file() && is_safe(&about, account));
    let real = path.canonicalize().map_err(|_| Fault::Missing)?;
    let folders = real.ancestors().skip(1).find(|folder| !fs::metadata(folder).is_ok_and(|about| is_safe(&about, account)));
    if let Some(folder) = folders.or_else(|| (!open(&file)).then_some(path)) {
        return Err(Fault::Unsafe(format!("{} does not count: others than {} may write {}", path.display(), account.name.to_string_lossy(), folder.display())));
    }
    let mut text = String::new();
    let read = file.by_ref().take(LIST_MAX).read_to_string(&mut text);
    read.map(|_| text).map_err(|error| Fault::Unsafe(format!("{}: {error}", path.display())))
}

/// Nobody but the user and root can change it; of a folder like /tmp, what belongs to the user or root.
fn is_safe(about: &fs::Metadata, account: &Account) -> bool {
    let is_sticky = about.is_dir() && about.mode() & 0o1000 != 0;
    [0, account.uid].contains(&about.uid()) && (about.mode() & 0o022 == 0 || is_sticky)
}

/// Becomes an `hpvmd` of the user's, with an environment of its own: ranks have that of `hpvmrun`.
fn serve(account: &Account, stream: BorrowedFd, link: BorrowedFd) -> io::Error {
    let text = |name: &str, value: &[u8]| CString::new([name.as_bytes(), b"=", value].concat()).unwrap_or_default();
    let environment = [
        text("USER", account.name.as_bytes()),
        text("LOGNAME", account.name.as_bytes()),
        text("HOME", account.home.as_os_str().as_bytes()),
        text("SHELL", account.shell.as_os_str().as_bytes()),
        text("PATH", b"/usr/local/bin:/usr/bin:/bin"),
    ];
    if std::env::set_current_dir(&account.home).is_err() {
        let _ = std::env::set_current_dir("/");
    }
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o022));
    // The daemon's log is not the user's to write, or to close.
    let null = match fs::OpenOptions::new().write(true).open("/dev/null") {
        Ok(null) => null,
        Err(error) => return error,
    };
    account::exec_anew([stream, link, null.as_fd()], &[c"hpvmd".into(), c"--context".into()], &environment)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn verdicts_arrive() {
        for verdict in [Verdict::Is { uid: 70_000 }, Verdict::IsNot("no".into())] {
            assert_eq!(Verdict::decode(&verdict.encode()), Some(verdict));
        }
        assert!(Verdict::decode(&[]).is_none() && Verdict::decode(&[1, 2]).is_none());
    }

    #[test]
    fn a_list_that_others_may_write_does_not_count() {
        let folder = tempfile::TempDir::new().unwrap();
        let path = folder.path().join("list");
        fs::write(&path, "text").unwrap();
        let own = account::numbered(rustix::process::getuid().as_raw()).unwrap().unwrap();
        assert!(read_list(&path, &own).is_ok_and(|text| text == "text"));
        for (changed, mode) in [(path.as_path(), 0o622), (path.as_path(), 0o660), (folder.path(), 0o777)] {
            let before = fs::metadata(changed).unwrap().permissions();
            fs::set_permissions(changed, fs::Permissions::from_mode(mode)).unwrap();
            assert!(matches!(read_list(&path, &own), Err(Fault::Unsafe(why)) if why.contains("may write")), "{mode:o}");
            fs::set_permissions(changed, before).unwrap();
        }
        assert!(matches!(read_list(&folder.path().join("none"), &own), Err(Fault::Missing)));
    }
}
