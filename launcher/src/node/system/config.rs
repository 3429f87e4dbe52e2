//! The settings of `hpvmd --system`: `/etc/hpvm/hpvmd.toml`, all of which may be left out.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::node::machines::PORT;
use crate::sys::account::Account;

/// Where the settings are, if nothing else is said.
const PATH: &str = "/etc/hpvm/hpvmd.toml";

/// More are no mistake of a digit.
const CONTEXTS_MAX: u32 = 4096;

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Config {
    /// How many jobs the node has room for.
    pub contexts: u32,
    /// Addresses and ports.
    pub listen: Vec<SocketAddr>,
    /// The node's secret key; made if it is not there.
    pub host_key: PathBuf,
    /// Where a user's public keys are: `%u` is the user's name, `%h` the home folder.
    pub authorized_keys: Vec<String>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            contexts: 32,
            listen: vec![SocketAddr::from((std::net::Ipv6Addr::UNSPECIFIED, PORT))],
            host_key: "/etc/hpvm/host.key".into(),
            authorized_keys: vec!["/etc/hpvm/authorized_keys/%u".into(), "%h/.config/hpvm/authorized_keys".into()],
        }
    }
}

impl Config {
    pub fn read(path: Option<&Path>) -> Result<Self, String> {
        let wanted = path.unwrap_or(Path::new(PATH));
        match fs::read_to_string(wanted) {
            Ok(text) => Self::parse(&text).map_err(|why| format!("{}: {why}", wanted.display())),
            Err(error) if path.is_none() && error.kind() == std::io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(format!("{}: {error}", wanted.display())),
        }
    }

    pub fn parse(text: &str) -> Result<Self, String> {
        let config: Self = toml::from_str(text).map_err(|error| error.to_string().trim_end().to_owned())?;
        if !(1..=CONTEXTS_MAX).contains(&config.contexts) {
            return Err(format!("expected contexts from 1 to {CONTEXTS_MAX}, found {}", config.contexts));
        }
        if config.listen.is_empty() {
            return Err("expected addresses to listen at, found none".into());
        }
        Ok(config)
    }

    /// Where the public keys of this user may be.
    pub fn lists(&self, account: &Account) -> Vec<PathBuf> {
        let name = account.name.to_string_lossy();
        let home = account.home.to_string_lossy();
        self.authorized_keys.iter().map(|path| path.replace("%u", &name).replace("%h", &home).into()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_said_has_a_default() {
        assert_eq!(Config::parse(""), Ok(Config::default()));
        let config = Config::parse("contexts = 4\nlisten = [\"127.0.0.1:0\"]\nauthorized-keys = [\"/keys/%u\"]").unwrap();
        let ann = Account { name: c"ann".into(), uid: 7, gid: 7, home: "/h/ann".into(), shell: "/bin/sh".into() };
        assert_eq!((config.contexts, config.lists(&ann)), (4, vec!["/keys/ann".into()]));
        assert_eq!(Config::default().lists(&ann)[1], Path::new("/h/ann/.config/hpvm/authorized_keys"));
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (text, expected) in [("contexts = 0", "from 1 to"), ("context = 3", "unknown field `context`"), ("listen = [\"x\"]", "socket address"), ("listen = []", "found none")] {
            let why = Config::parse(text).unwrap_err();
            assert!(why.contains(expected), "{why}");
        }
    }
}
