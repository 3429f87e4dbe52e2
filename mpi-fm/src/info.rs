//! Info objects: ordered lists of keys with values, both strings of bytes (MPI 5.0 chapter 10).
//!
//! They live outside any process state: the standard allows their use before `MPI_Init` and after `MPI_Finalize`.

use crate::bail;
use crate::constants::{MAX_INFO_KEY, MAX_INFO_VAL};
use crate::error::Result;
use parking_lot::Mutex;

/// A key or a value: a C string without its NUL, in any encoding.
pub type Text = Box<[u8]>;

/// An info object. Keys keep the order in which they were first set.
pub struct Info {
    entries: Mutex<Vec<(Text, Text)>>,
    /// `MPI_INFO_ENV` cannot be changed.
    fixed: bool,
}

/// What `MPI_INFO_ENV` and `MPI_Info_create_env` tell about how the process was started (MPI 5.0 section 11.2.4). What is not
/// known has no key.
#[derive(Clone, Default, Debug)]
pub struct Environment {
    /// The program and its arguments.
    pub command_line: Vec<Vec<u8>>,
    /// How many processes the launcher was asked for.
    pub maxprocs: Option<u32>,
    pub host: Option<String>,
    pub arch: Option<String>,
    /// Working directory of the process.
    pub wdir: Option<Vec<u8>>,
    /// The thread level that the launcher was told the program needs.
    pub thread_level: Option<&'static str>,
}

impl Info {
    pub fn new() -> Info {
        Info::with(Vec::new(), false)
    }

    fn with(entries: Vec<(Text, Text)>, fixed: bool) -> Info {
        Info { entries: Mutex::new(entries), fixed }
    }

    /// The contents of `MPI_INFO_ENV`, for good (`fixed`) or as a fresh object for `MPI_Info_create_env`.
    pub fn of_environment(environment: &Environment, fixed: bool) -> Info {
        let mut entries: Vec<(Text, Text)> = Vec::new();
        let mut tell = |key: &str, value: Option<Vec<u8>>| {
            // Half an argument list would mislead: what does not fit is not told.
            if let Some(value) = value.filter(|value| value.len() < MAX_INFO_VAL) {
                entries.push((key.as_bytes().into(), value.into()));
            }
        };
        let (command, arguments) = match environment.command_line.split_first() {
            Some((command, arguments)) => (Some(command.clone()), arguments),
            None => (None, &[][..]),
        };
        tell("command", command);
        tell("argv", (!arguments.is_empty()).then(|| arguments.join(&b' ')));
        tell("maxprocs", environment.maxprocs.map(|number| number.to_string().into()));
        tell("host", environment.host.clone().map(Into::into));
        tell("arch", environment.arch.clone().map(Into::into));
        tell("wdir", environment.wdir.clone());
        tell("thread_level", environment.thread_level.map(Into::into));
        Info::with(entries, fixed)
    }

    /// `MPI_Info_set`: replaces the value of a key that is there.
    pub fn set(&self, key: &[u8], value: &[u8]) -> Result<()> {
        check_key(key)?;
        if value.len() >= MAX_INFO_VAL {
            bail!(
                INFO_VALUE,
                "the value of info key \"{}\" has {} characters; MPI_MAX_INFO_VAL allows {}",
                key.escape_ascii(),
                value.len(),
                MAX_INFO_VAL - 1
            );
        }
        self.check_changeable()?;
        let mut entries = self.entries.lock();
        match entries.iter_mut().find(|(known, _)| **known == *key) {
            Some((_, old)) => *old = value.into(),
            None => entries.push((key.into(), value.into())),
        }
        Ok(())
    }

    /// The value of a key, if it is there.
    pub fn get(&self, key: &[u8]) -> Result<Option<Text>> {
        check_key(key)?;
        let entries = self.entries.lock();
        Ok(entries.iter().find(|(known, _)| **known == *key).map(|(_, value)| value.clone()))
    }

    /// `MPI_Info_delete`.
    pub fn delete(&self, key: &[u8]) -> Result<()> {
        check_key(key)?;
        self.check_changeable()?;
        let mut entries = self.entries.lock();
        match entries.iter().position(|(known, _)| **known == *key) {
            Some(index) => {
                entries.remove(index);
                Ok(())
            }
            None => bail!(INFO_NOKEY, "the info object has no key \"{}\"", key.escape_ascii()),
        }
    }

    /// `MPI_Info_get_nkeys`.
    pub fn len(&self) -> usize {
        self.entries.lock().len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// `MPI_Info_get_nthkey`.
    pub fn nth_key(&self, n: i32) -> Result<Text> {
        let entries = self.entries.lock();
        match usize::try_from(n).ok().and_then(|n| entries.get(n)) {
            Some((key, _)) => Ok(key.clone()),
            None => {
                bail!(ARG, "there is no info key number {n}: the object has {} keys, counted from 0", entries.len())
            }
        }
    }

    /// Takes over all keys of `hints` with their values (`MPI_Comm_set_info`).
    pub fn update(&self, hints: &Info) -> Result<()> {
        let hints = hints.entries.lock().clone();
        hints.iter().try_for_each(|(key, value)| self.set(key, value))
    }

    /// `MPI_Info_dup`: same keys, same order; can be changed even if `self` cannot.
    pub fn duplicate(&self) -> Info {
        Info::with(self.entries.lock().clone(), false)
    }

    fn check_changeable(&self) -> Result<()> {
        if self.fixed {
            bail!(INFO, "MPI_INFO_ENV cannot be changed; MPI_Info_dup gives a copy that can");
        }
        Ok(())
    }
}

impl Default for Info {
    fn default() -> Self {
        Info::new()
    }
}

fn check_key(key: &[u8]) -> Result<()> {
    if key.is_empty() {
        bail!(INFO_KEY, "an info key cannot be empty");
    }
    if key.len() >= MAX_INFO_KEY {
        bail!(INFO_KEY, "an info key has {} characters; MPI_MAX_INFO_KEY allows {}", key.len(), MAX_INFO_KEY - 1);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Class;

    fn keys(info: &Info) -> Vec<String> {
        (0..info.len()).map(|n| String::from_utf8(info.nth_key(n as i32).unwrap().into()).unwrap()).collect()
    }

    #[test]
    fn keys_keep_their_order() {
        let info = Info::new();
        for key in ["b", "a", "c", "a"] {
            info.set(key.as_bytes(), key.as_bytes()).unwrap();
        }
        info.set(b"b", b"new").unwrap();
        assert_eq!(keys(&info), ["b", "a", "c"]);
        assert_eq!(info.get(b"b").unwrap().as_deref(), Some(&b"new"[..]));
        info.delete(b"a").unwrap();
        assert_eq!(keys(&info), ["b", "c"]);
        assert_eq!(info.get(b"a").unwrap(), None);
        assert_eq!(info.delete(b"a").unwrap_err().class, Class::INFO_NOKEY);
        assert_eq!(info.nth_key(2).unwrap_err().class, Class::ARG);
        assert_eq!(info.nth_key(-1).unwrap_err().class, Class::ARG);
    }

    #[test]
    fn lengths_up_to_the_limits() {
        let info = Info::new();
        let (key, value) = ([b'k'; MAX_INFO_KEY - 1], [b'v'; MAX_INFO_VAL - 1]);
        info.set(&key, &value).unwrap();
        assert_eq!(info.get(&key).unwrap().as_deref(), Some(&value[..]));
        info.set(b"empty", b"").unwrap();
        assert_eq!(info.get(b"empty").unwrap().as_deref(), Some(&b""[..]));
        assert_eq!(info.set(&[b'k'; MAX_INFO_KEY], b"").unwrap_err().class, Class::INFO_KEY);
        assert_eq!(info.set(b"", b"").unwrap_err().class, Class::INFO_KEY);
        assert_eq!(info.get(&[b'k'; MAX_INFO_KEY]).unwrap_err().class, Class::INFO_KEY);
        assert_eq!(info.set(b"k", &[b'v'; MAX_INFO_VAL]).unwrap_err().class, Class::INFO_VALUE);
    }

    #[test]
    fn a_copy_is_independent() {
        let info = Info::new();
        info.set(b"a", b"1").unwrap();
        let copy = info.duplicate();
        copy.set(b"a", b"2").unwrap();
        info.set(b"b", b"3").unwrap();
        assert_eq!(info.get(b"a").unwrap().as_deref(), Some(&b"1"[..]));
        assert_eq!(keys(&copy), ["a"]);
    }

    #[test]
    fn hints_add_up() {
        let (info, hints) = (Info::new(), Info::new());
        info.set(b"a", b"1").unwrap();
        info.set(b"b", b"2").unwrap();
        hints.set(b"b", b"3").unwrap();
        hints.set(b"c", b"4").unwrap();
        info.update(&hints).unwrap();
        info.update(&info).unwrap();
        assert_eq!(keys(&info), ["a", "b", "c"]);
        assert_eq!(info.get(b"b").unwrap().as_deref(), Some(&b"3"[..]));
    }

    #[test]
    fn the_environment() {
        let environment = Environment {
            command_line: vec![b"./a.out".into(), b"-n".into(), b"3".into()],
            maxprocs: Some(4),
            host: Some("node".into()),
            wdir: Some(vec![b'x'; 5000]),
            ..Default::default()
        };
        let info = Info::of_environment(&environment, true);
        assert_eq!(keys(&info), ["command", "argv", "maxprocs", "host"]);
        assert_eq!(info.get(b"argv").unwrap().as_deref(), Some(&b"-n 3"[..]));
        assert_eq!(info.set(b"host", b"other").unwrap_err().class, Class::INFO);
        assert_eq!(info.delete(b"host").unwrap_err().class, Class::INFO);
        let copy = info.duplicate();
        copy.set(b"host", b"other").unwrap();
        assert!(Info::of_environment(&Environment::default(), true).is_empty());
    }
}
