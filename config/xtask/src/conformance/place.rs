//! A folder of the cache where a suite is built against one prefix. The prefix's path is in the built programs (run path), so each
//! prefix has folders of its own.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::{exec, repo};

pub struct Place {
    pub root: PathBuf,
    /// Held as long as the place is in use: two runs of the tool take turns.
    _lock: File,
}

impl Place {
    pub fn open(suite: &str, version: &str, prefix: &Path) -> Result<Place> {
        let name = format!("{suite}-{version}-{:016x}", hash(prefix.as_os_str().as_encoded_bytes()));
        let root = repo::cache().join(name);
        fs::create_dir_all(&root).with_context(|| format!("cannot make {}", root.display()))?;
        let lock = File::create(root.join("lock"))?;
        lock.lock()?;
        Ok(Place { root, _lock: lock })
    }

    /// Builds something, unless that was done for these very headers and this set of functions: only they decide the outcome.
    pub fn once(&self, what: &str, prefix: &Path, build: impl FnOnce() -> Result<()>) -> Result<()> {
        let include = prefix.join("include");
        let parts = fs::read_dir(include.join("hpvm")).and_then(|parts| parts.map(|part| Ok(part?.path())).collect());
        let mut headers: Vec<PathBuf> = parts.with_context(|| format!("{} is not an installed prefix", prefix.display()))?;
        headers.sort();
        headers.push(include.join("mpi.h"));
        let mut seen = Vec::new();
        for header in headers {
            seen.extend(fs::read(&header).with_context(|| format!("cannot read {}", header.display()))?);
        }
        let library = prefix.join("lib/libmpi_abi.so");
        seen.extend(exec::quiet(Command::new("nm").args(["-D", "-j", "--defined-only"]).arg(library))?.into_bytes());
        let stamp = self.root.join(what);
        let now = format!("{:016x}\n", hash(&seen));
        if fs::read_to_string(&stamp).is_ok_and(|then| then == now) {
            return Ok(());
        }
        let _ = fs::remove_file(&stamp);
        build()?;
        fs::write(&stamp, now).with_context(|| format!("cannot write {}", stamp.display()))
    }
}

/// FNV-1a: names and stamps need no more.
fn hash(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, &byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3))
}
