//! Keys, and the files in which they are kept: 64 hexadecimal digits on a line.

use std::ffi::OsString;
use std::fmt;
use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use snow::params::DHChoice;
use snow::resolvers::{CryptoResolver as _, DefaultResolver};

use crate::network;

/// A public key of x25519.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Key(pub [u8; 32]);

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Key {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        digits(text).map(Self).ok_or_else(|| format!("expected a key, which has 64 hexadecimal digits, found {text:?}"))
    }
}

fn digits(text: &str) -> Option<[u8; 32]> {
    let pairs = text.as_bytes().as_chunks::<2>();
    let mut bytes = [0; 32];
    if pairs.0.len() != bytes.len() || !pairs.1.is_empty() {
        return None;
    }
    for (byte, pair) in bytes.iter_mut().zip(pairs.0) {
        let digit = |letter: u8| char::from(letter).to_digit(16);
        *byte = (digit(pair[0])? * 16 + digit(pair[1])?) as u8;
    }
    Some(bytes)
}

/// A secret key with the public one that belongs to it.
#[derive(Clone, PartialEq, Eq)]
pub struct KeyPair {
    pub secret: [u8; 32],
    pub public: Key,
}

/// The secret is for nobody's eyes.
impl fmt::Debug for KeyPair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyPair({})", self.public)
    }
}

impl KeyPair {
    pub fn of(secret: [u8; 32]) -> Result<Self, String> {
        let mut group = DefaultResolver.resolve_dh(&DHChoice::Curve25519).ok_or("x25519 is not built in")?;
        group.set(&secret);
        let public = group.pubkey().try_into().map_err(|_| "a public key of another length")?;
        Ok(Self { secret, public: Key(public) })
    }

    /// Reads a file that nobody but its owner can read, and who reads it here is that owner.
    pub fn read(path: &Path) -> Result<Self, String> {
        let fault = |why: &dyn fmt::Display| format!("{}: {why}", path.display());
        let about = fs::metadata(path).map_err(|error| fault(&error))?;
        if about.mode() & 0o077 != 0 {
            return Err(fault(&"others may read or write this key: chmod 600 it, or make a new one"));
        }
        if about.uid() != rustix::process::geteuid().as_raw() {
            return Err(fault(&"this key belongs to another user"));
        }
        let text = fs::read_to_string(path).map_err(|error| fault(&error))?;
        let secret = digits(text.trim()).ok_or_else(|| fault(&"expected 64 hexadecimal digits"))?;
        Self::of(secret).map_err(|why| fault(&why))
    }

    /// The same, and makes the key if there is none.
    pub fn read_or_make(path: &Path) -> Result<Self, String> {
        if path.exists() {
            return Self::read(path);
        }
        let fault = |error: io::Error| format!("{}: {error}", path.display());
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            fs::DirBuilder::new().recursive(true).mode(0o755).create(folder).map_err(fault)?;
        }
        let pair = Self::of(network::key().map_err(fault)?)?;
        match pair.write(path) {
            Ok(()) => Ok(pair),
            // Somebody else was quicker.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Self::read(path),
            Err(error) => Err(fault(error)),
        }
    }

    /// Under its name the file is there as a whole or not at all, and one that is there stays.
    fn write(&self, path: &Path) -> io::Result<()> {
        let mut other = path.as_os_str().to_owned();
        other.push(format!(".{}", Key(network::key()?)));
        let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&other)?;
        let written = writeln!(file, "{}", Key(self.secret)).and_then(|()| file.sync_all());
        let named = written.and_then(|()| match fs::hard_link(&other, path) {
            // A file system without second names.
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists && !path.exists() => fs::rename(&other, path),
            named => named,
        });
        // Where it was renamed it is not there any more.
        let _ = fs::remove_file(&other);
        named
    }
}

/// Where a user's key is.
pub fn path_of_user(environment: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    let folder = |name| environment(name).map(PathBuf::from).filter(|folder| folder.is_absolute());
    let folder = folder("XDG_CONFIG_HOME").or_else(|| Some(folder("HOME")?.join(".config")))?;
    Some(folder.join("hpvm/key"))
}

/// Whether a list of public keys has this one: a key on each line, what comes after it is a comment.
pub fn lists(text: &str, key: Key) -> bool {
    text.lines().filter_map(|line| line.split_whitespace().next()?.parse::<Key>().ok()).any(|listed| listed == key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    /// Bob's, of RFC 7748, section 6.1.
    #[test]
    fn a_public_key_is_what_the_standard_says() {
        let secret = digits("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb").unwrap();
        let public = "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f";
        assert_eq!(KeyPair::of(secret).unwrap().public.to_string(), public);
    }

    #[test]
    fn a_key_file_is_made_once_and_for_its_owner() {
        let folder = tempfile::TempDir::new().unwrap();
        let path = folder.path().join("hpvm/key");
        let made = KeyPair::read_or_make(&path).unwrap();
        assert_eq!(KeyPair::read_or_make(&path), Ok(made.clone()));
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        assert!(KeyPair::read(&path).unwrap_err().contains("others may read"), "{made:?}");
        assert!(!format!("{made:?}").contains(&Key(made.secret).to_string()));
    }

    /// Of several who make it at once, all get the same one, and whole.
    #[test]
    fn a_key_file_is_made_by_one() {
        let folder = tempfile::TempDir::new().unwrap();
        for round in 0..50 {
            let path = folder.path().join(round.to_string());
            let made = std::thread::scope(|scope| {
                let makers: Vec<_> = (0..4).map(|_| scope.spawn(|| KeyPair::read_or_make(&path))).collect();
                makers.into_iter().map(|maker| maker.join().unwrap().unwrap()).collect::<Vec<_>>()
            });
            assert!(made.iter().all(|pair| *pair == made[0]));
        }
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 50, "nothing else is left there");
    }

    #[test]
    fn lists_are_read() {
        let (one, other) = (Key([1; 32]), Key([2; 32]));
        let text = format!("# {other}\n\n{one} ann@laptop\nnonsense\n");
        assert!(lists(&text, one) && !lists(&text, other) && !lists("", one));
        assert!("0x".parse::<Key>().is_err() && "é".repeat(32).parse::<Key>().is_err() && one.to_string().parse() == Ok(one));
    }
}
