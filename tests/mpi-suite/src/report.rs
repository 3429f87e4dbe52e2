//! The report that `cargo xtask conformance --report` writes, for our own suite and for those of others.

use std::path::Path;

use anyhow::{Context, Result};
use serde::Serialize;

/// One suite's run.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Report {
    pub suite: String,
    pub version: String,
    /// The largest number of ranks of a run.
    pub ranks: usize,
    pub dirs: Vec<Dir>,
}

/// One directory (chapter) of it. `listed` counts what was to be run: pass, fail and skip together.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Dir {
    pub dir: String,
    pub listed: usize,
    pub pass: usize,
    pub fail: Vec<NotPassed>,
    pub skip: Vec<NotPassed>,
    pub excluded: Vec<Excluded>,
    pub seconds: f64,
}

#[derive(Clone, Debug, Serialize)]
pub struct NotPassed {
    pub name: String,
    pub why: String,
}

#[derive(Clone, Debug, Serialize)]
pub struct Excluded {
    pub name: String,
    pub reason: String,
}

/// Passed, failed, skipped.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Counts {
    pub passed: usize,
    pub failed: usize,
    pub skipped: usize,
}

impl std::fmt::Display for Counts {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        write!(f, "{} passed, {} failed, {} skipped", self.passed, self.failed, self.skipped)
    }
}

impl Report {
    pub fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        for dir in &self.dirs {
            counts.passed += dir.pass;
            counts.failed += dir.fail.len();
            counts.skipped += dir.skip.len();
        }
        counts
    }

    pub fn write(&self, path: &Path) -> Result<()> {
        let text = serde_json::to_string_pretty(self)?;
        std::fs::write(path, text + "\n").with_context(|| format!("writing {}", path.display()))
    }

    /// The entry of a directory, made when it is new.
    pub fn dir(&mut self, name: &str) -> &mut Dir {
        let at = match self.dirs.iter().position(|dir| dir.dir == name) {
            Some(at) => at,
            None => {
                self.dirs.push(Dir { dir: name.into(), ..Dir::default() });
                self.dirs.len() - 1
            }
        };
        &mut self.dirs[at]
    }
}
