//! What of a suite is not run, and why: `tests/mpi-suite/*.toml`.

use std::fs;

use anyhow::{Context as _, Result};
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exclusions {
    exclude: Vec<Exclusion>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exclusion {
    pub name: String,
    pub reason: String,
    /// Only at these numbers of ranks; at all when empty.
    #[serde(default)]
    ranks: Vec<usize>,
}

impl Exclusions {
    pub fn load(file: &str) -> Result<Exclusions> {
        let path = mpi_suite::home().join(file);
        let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        toml::from_str(&text).with_context(|| format!("in {}", path.display()))
    }

    /// Those that hold at a number of ranks.
    pub fn at(&self, ranks: usize) -> impl Iterator<Item = &Exclusion> {
        self.exclude.iter().filter(move |exclusion| exclusion.ranks.is_empty() || exclusion.ranks.contains(&ranks))
    }

    /// Why `name` is not run at a number of ranks.
    pub fn reason(&self, name: &str, ranks: usize) -> Option<&str> {
        self.at(ranks).find(|exclusion| exclusion.name == name).map(|exclusion| &*exclusion.reason)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lists_are_readable() {
        let mpi4py = Exclusions::load("mpi4py.toml").unwrap();
        assert!(mpi4py.reason("test_rma", 2).is_some() && mpi4py.reason("test_p2p_buf", 2).is_none());
        assert!(mpi4py.reason("test_util_pool", 1).is_some() && mpi4py.reason("test_util_pool", 2).is_none());
        assert!(Exclusions::load("rsmpi.toml").unwrap().reason("spawn", 1).is_some());
    }
}
