//! Which machine file is read: the one that `-m` names, or else the first of `./machines.toml`, the user's, the system's.
//!
//! A machine file names programs that are run (`ssh`, `hpvmd`). One that lies in a folder where others may write is not to be run by whoever
//! happens to start a job there: in the current folder only a file of this user or of root counts, that not everyone may write.

use std::ffi::OsString;
use std::fmt;
use std::fs::{self, File};
use std::io::Read as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use super::Catalogue;
use super::fault::{Fault, text_of};
use super::file;

/// What `-m` says if no machine file shall be read.
pub const NO_FILE: &str = "none";

/// No machine file, hostfile or table is as long.
const BYTES_MAX: u64 = 16 << 20;

/// Why this file was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    Asked,
    Here,
    User,
    System,
    Installed,
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Asked => "asked for",
            Self::Here => "it is in the current folder",
            Self::User => "it is the user's",
            Self::System => "it is the system's",
            Self::Installed => "it is the installation's",
        })
    }
}

/// Where machine files are looked for.
pub fn places(get: impl Fn(&str) -> Option<OsString>) -> Vec<(PathBuf, Why)> {
    let user = users(get).map(|folder| (folder.join("hpvm/machines.toml"), Why::User));
    [("./machines.toml".into(), Why::Here)].into_iter().chain(user).chain([("/etc/hpvm/machines.toml".into(), Why::System)]).collect()
}

/// The folder of a user's configuration.
pub fn users(get: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    let set = |name: &str| get(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    set("XDG_CONFIG_HOME").or_else(|| Some(set("HOME")?.join(".config")))
}

/// The catalogue of the file that was found, and which one that was.
pub fn read(asked: Option<&Path>, places: &[(PathBuf, Why)], own: &[String]) -> Result<(Catalogue, Option<(PathBuf, Why)>), String> {
    if asked.is_some_and(|path| path == Path::new(NO_FILE)) {
        return Ok(Default::default());
    }
    if let Some(path) = asked {
        let text = read_text(path)?;
        return Ok((parse(path, &text, own)?, Some((path.into(), Why::Asked))));
    }
    for (path, why) in places {
        // Not there, or in a folder that this user cannot look into.
        let Ok(kind) = fs::metadata(path) else { continue };
        if kind.is_dir() {
            continue;
        }
        let catalogue = trusted(path, *why).and_then(|()| parse(path, &read_text(path)?, own));
        let catalogue = catalogue.map_err(|text| format!("{text}\n  the file was not asked for: {why}; -m {NO_FILE} leaves it out"))?;
        return Ok((catalogue, Some((path.clone(), *why))));
    }
    Ok(Default::default())
}

/// See the module's text.
fn trusted(path: &Path, why: Why) -> Result<(), String> {
    let kind = fs::metadata(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let user = rustix::process::geteuid().as_raw();
    let shown = path.display();
    match why {
        Why::Here if kind.uid() != user && kind.uid() != 0 => {
            Err(format!("{shown} belongs to another user (uid {}), and is read only if asked for: -m {shown}", kind.uid()))
        }
        Why::Here if kind.mode() & 0o002 != 0 => Err(format!("{shown} may be changed by everyone, and is read only if asked for: -m {shown}")),
        _ => Ok(()),
    }
}

fn parse(path: &Path, text: &str, own: &[String]) -> Result<Catalogue, String> {
    let folder = path.parent().unwrap_or(Path::new(""));
    file::parse(text, folder, own).map_err(|fault| show(&fault, path, text))
}

pub fn show(fault: &Fault, path: &Path, text: &str) -> String {
    fault.show(&path.display().to_string(), text)
}

/// A file of text.
pub fn read_text(path: &Path) -> Result<String, String> {
    let failed = |error: std::io::Error| format!("cannot read {}: {error}", path.display());
    let mut bytes = Vec::new();
    File::open(path).map_err(failed)?.take(BYTES_MAX + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > BYTES_MAX {
        return Err(format!("{}: it is longer than {} MiB, which no such file is", path.display(), BYTES_MAX >> 20));
    }
    text_of(&path.display().to_string(), bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    /// A folder with machine files in the places of a user, of the system, and a current folder.
    struct Found(tempfile::TempDir);

    impl Found {
        fn new() -> Self {
            Self(tempfile::tempdir().unwrap())
        }

        fn put(&self, name: &str, machine: &str) -> PathBuf {
            let path = self.0.path().join(name);
            fs::write(&path, format!("[[machine]]\nname = {machine:?}\n")).unwrap();
            path
        }

        fn places(&self) -> Vec<(PathBuf, Why)> {
            [("here", Why::Here), ("user", Why::User), ("system", Why::System)].map(|(name, why)| (self.0.path().join(name), why)).into()
        }

        fn read(&self, asked: Option<&Path>) -> Result<(String, Option<Why>), String> {
            let (catalogue, found) = read(asked, &self.places(), &[])?;
            Ok((catalogue.machines.iter().map(|machine| machine.name.as_str()).collect(), found.map(|(_, why)| why)))
        }
    }

    #[test]
    fn the_first_one_counts() {
        let folder = Found::new();
        assert_eq!(folder.read(None), Ok((String::new(), None)));
        for (name, why) in [("system", Why::System), ("user", Why::User), ("here", Why::Here)] {
            folder.put(name, name);
            assert_eq!(folder.read(None), Ok((name.into(), Some(why))));
        }
        let other = folder.put("other", "o");
        assert_eq!(folder.read(Some(&other)), Ok(("o".into(), Some(Why::Asked))));
        assert_eq!(folder.read(Some(Path::new(NO_FILE))), Ok((String::new(), None)));
    }

    #[test]
    fn a_file_that_others_may_write_is_read_only_if_asked_for() {
        let folder = Found::new();
        let path = folder.put("here", "a");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o666)).unwrap();
        let shown = path.display();
        let why = format!("{shown} may be changed by everyone, and is read only if asked for: -m {shown}\n  the file was not asked for: it is in the current folder; -m none leaves it out");
        assert_eq!(folder.read(None), Err(why));
        assert_eq!(folder.read(Some(&path)), Ok(("a".into(), Some(Why::Asked))));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o664)).unwrap();
        assert!(folder.read(None).is_ok());
        // Only root can give a file away.
        if rustix::process::geteuid().is_root() {
            std::os::unix::fs::chown(&path, Some(4242), None).unwrap();
            let why = folder.read(None).unwrap_err();
            assert!(why.starts_with(&format!("{shown} belongs to another user (uid 4242), and is read only if asked for: -m {shown}\n")), "{why}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        let folder = Found::new();
        let path = folder.0.path().join("here");
        fs::create_dir(&path).unwrap();
        assert_eq!(folder.read(None), Ok((String::new(), None)), "a folder of that name is somebody else's");
        assert!(folder.read(Some(&path)).unwrap_err().ends_with("here: Is a directory (os error 21)"));
        fs::remove_dir(&path).unwrap();
        fs::write(&path, "[[machine]]\nnam = 3").unwrap();
        let why = folder.read(None).unwrap_err();
        assert!(why.contains("here:2:1: unknown key nam: did you mean name?") && why.ends_with("; -m none leaves it out"), "{why}");
        fs::write(&path, b"[[machine]]\nname = \"\xe9\"").unwrap();
        assert!(folder.read(Some(&path)).unwrap_err().ends_with("here:2:9: expected text in UTF-8, found the byte 0xe9"));
        assert!(read_text(Path::new("/dev/zero")).unwrap_err().contains("longer than 16 MiB"));
    }

    #[test]
    fn places_of_users() {
        let user = |variables: &[(&str, &str)]| {
            let places = places(|name| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| value.into()));
            places.iter().map(|(path, _)| path.display().to_string()).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(user(&[]), "./machines.toml /etc/hpvm/machines.toml");
        assert_eq!(user(&[("HOME", "/h")]), "./machines.toml /h/.config/hpvm/machines.toml /etc/hpvm/machines.toml");
        assert_eq!(user(&[("HOME", "/h"), ("XDG_CONFIG_HOME", "/c")]), "./machines.toml /c/hpvm/machines.toml /etc/hpvm/machines.toml");
    }
}
