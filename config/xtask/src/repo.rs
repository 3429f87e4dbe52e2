//! Where things are.

use std::env;
use std::path::{Path, PathBuf};

/// The version that everything of the workspace carries.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The clone that this tool was built from.
pub struct Repo {
    /// The folder with the workspace's `Cargo.toml`.
    pub root: PathBuf,
    /// Everything that is built; ignored by git.
    pub target: PathBuf,
}

impl Repo {
    pub fn find() -> Repo {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).expect("config/xtask lies in the clone");
        let target = match env::var_os("CARGO_TARGET_DIR") {
            Some(dir) => root.join(dir),
            None => root.join("target"),
        };
        Repo { root: root.to_owned(), target }
    }

    /// The prefix that `demo`, `test` and `conformance` install into.
    pub fn prefix(&self) -> PathBuf {
        self.target.join("prefix")
    }
}

/// `$XDG_CACHE_HOME/hpvm`: what was downloaded, and what was built from it. Outlives the clone.
pub fn cache() -> PathBuf {
    let home = || PathBuf::from(env::var_os("HOME").unwrap_or_else(|| "/".into())).join(".cache");
    env::var_os("XDG_CACHE_HOME").map(PathBuf::from).filter(|dir| dir.is_absolute()).unwrap_or_else(home).join("hpvm")
}
