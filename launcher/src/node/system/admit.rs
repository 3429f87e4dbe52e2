//! The child of the daemon that becomes a caller's user, if the caller may be that one.
//!
//! What can take long or lead astray is done here and not in the daemon: asking the system for the account, which may ask other machines,
//! and reading files of the user, as the user.

use std::ffi::CString;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::os::fd::{AsFd, AsRawFd as _, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;
use std::time::SystemTime;

use rustix::net::SendFlags;
use rustix::process::{Resource, Rlimit, setrlimit};

use super::config::Config;
use crate::node::noise::handshake::Wish;
use crate::node::noise::keys::{self, Key};
use crate::node::noise::sealed::Session;
use crate::sys;
use crate::sys::account::{self, Account, Lasting};

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
pub fn run(config: &Config, files: Rlimit, key: Key, wish: &Wish, stream: &impl AsFd, link: &OwnedFd) {
    // Neither other callers nor the daemon's own door are any business of what takes its time here.
    account::keep_only(&mut [stream.as_fd(), link.as_fd()]);
    // A job begins with the limits of the service. The daemon itself has more.
    let _ = setrlimit(Resource::Nofile, files);
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
    if account.uid != 0
        && let Some(notice) = notice(&NOTICES)
    {
        return Err(format!("nobody but root may come in: {notice} is there"));
    }
    let lasting = Lasting::of(&name).map_err(|error| format!("it cannot be looked up how long the account lasts: {error}"))?;
    if let Some(fault) = lasting.and_then(|lasting| lasting.fault(today())) {
        return Err(fault.into());
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

/// Files that say that only root may come in: by the system while it starts or is about to stop, and by its administrator.
const NOTICES: [&str; 2] = ["/run/nologin", "/etc/nologin"];

fn notice<'a>(of: &[&'a str]) -> Option<&'a str> {
    of.iter().copied().find(|path| Path::new(path).exists())
}

/// In days since 1970.
fn today() -> i64 {
    SystemTime::UNIX_EPOCH.elapsed().map_or(0, |since| (since.as_secs() / 86_400) as i64)
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
    let file = fs::OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY).open(path).map_err(|_| Fault::Missing)?;
    read_open_list(file, path, account)
}

/// The same of what `path` has led to. Links on the way may lead elsewhere by now: it is where the file itself lies that is looked at.
fn read_open_list(mut file: File, path: &Path, account: &Account) -> Result<String, Fault> {
    let fault = |why: String| Fault::Unsafe(format!("{} does not count: {why}", path.display()));
    let system = |error: io::Error| fault(error.to_string());
    let others = |written: &Path| fault(format!("others than {} may write {}", account.name.to_string_lossy(), written.display()));
    let about = file.metadata().map_err(system)?;
    if !about.is_file() || !is_safe(&about, account) {
        return Err(others(path));
    }
    let real = fs::read_link(format!("/proc/self/fd/{}", file.as_raw_fd())).map_err(system)?;
    if let Some(folder) = real.ancestors().skip(1).find(|folder| !fs::metadata(folder).is_ok_and(|about| is_safe(&about, account))) {
        return Err(others(folder));
    }
    // In folders of which each is safe nobody else can have moved it meanwhile.
    let now = fs::symlink_metadata(&real).map_err(system)?;
    if (now.dev(), now.ino()) != (about.dev(), about.ino()) {
        return Err(fault("it is being moved".into()));
    }
    let mut text = String::new();
    file.by_ref().take(LIST_MAX).read_to_string(&mut text).map_err(system)?;
    Ok(text)
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

    /// The link on the way to it is turned when it has been opened.
    #[test]
    fn a_list_is_looked_at_where_it_lies() {
        let folder = tempfile::TempDir::new().unwrap();
        let at = |name: &str| folder.path().join(name);
        let own = account::numbered(rustix::process::getuid().as_raw()).unwrap().unwrap();
        for (name, mode) in [("safe", 0o700), ("open", 0o777)] {
            fs::create_dir(at(name)).unwrap();
            fs::write(at(name).join("list"), name).unwrap();
            fs::set_permissions(at(name), fs::Permissions::from_mode(mode)).unwrap();
        }
        let (link, path) = (at("link"), at("link/list"));
        std::os::unix::fs::symlink(at("open"), &link).unwrap();
        let opened = File::open(&path).unwrap();
        fs::remove_file(&link).unwrap();
        std::os::unix::fs::symlink(at("safe"), &link).unwrap();
        assert!(read_list(&path, &own).is_ok_and(|text| text == "safe"));
        assert!(matches!(read_open_list(opened, &path, &own), Err(Fault::Unsafe(why)) if why.contains("may write") && why.contains("open")));
        let opened = File::open(&path).unwrap();
        fs::rename(at("safe/list"), at("safe/other")).unwrap();
        fs::write(at("safe/list"), "new").unwrap();
        assert!(read_open_list(opened, &path, &own).is_ok_and(|text| text == "safe"), "it lies there under another name");
    }

    #[test]
    fn a_notice_is_found_wherever_it_may_be() {
        let folder = tempfile::TempDir::new().unwrap();
        let names = ["run", "etc"].map(|name| folder.path().join(name).display().to_string());
        let names = [names[0].as_str(), names[1].as_str()];
        assert_eq!(notice(&names), None);
        for name in names {
            fs::write(name, "back at noon").unwrap();
            assert_eq!(notice(&names), Some(name));
            fs::remove_file(name).unwrap();
        }
    }
}
