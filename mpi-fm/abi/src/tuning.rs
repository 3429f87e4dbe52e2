//! The settings that a rank starts with: the library's own, and above them what a table of thresholds sets that `hpvmrun` has read.
//!
//! Only `hpvmrun` reads tables, since all processes of a job must choose alike. Under another launcher the library goes by its own values: each
//! machine might have a table of its own, and nobody compares them.

use hpvm_wire::names::THRESHOLDS;
use hpvm_wire::tuning::Thresholds;
use mpi_fm::config::Config;
use mpi_fm::{Result, bail};

/// What the process starts with, if no tool changes it. Without what the launcher says if that cannot be read, of which [`check`] tells.
pub fn config() -> Config {
    let mut config = Config::DEFAULT;
    if let Ok(thresholds) = from_launcher() {
        adopt(&mut config, &thresholds);
    }
    config
}

/// Whether the launcher's table was read.
///
/// # Errors
/// `MPI_ERR_OTHER` when it sets what this library does not know: the others might know it.
pub fn check() -> Result<()> {
    match from_launcher() {
        Ok(_) => Ok(()),
        Err(word) => bail!(
            OTHER,
            "{THRESHOLDS} says {word}, which this library does not know: use the hpvmrun of the same installation, or --tuning none"
        ),
    }
}

fn from_launcher() -> std::result::Result<Thresholds, String> {
    let text = std::env::var_os(THRESHOLDS).unwrap_or_default();
    Thresholds::parse(&text.to_string_lossy())
}

fn adopt(config: &mut Config, thresholds: &Thresholds) {
    for (key, value) in thresholds.iter() {
        let known = config.set(key.name(), value);
        debug_assert!(known, "{}", key.name());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hpvm_wire::tuning::{ALWAYS, KEYS};

    #[test]
    fn each_key_is_a_setting_of_its_own() {
        let mut all = vec![Config::DEFAULT];
        for key in KEYS {
            let mut config = Config::DEFAULT;
            let own = config.get(key.name()).unwrap_or_else(|| panic!("{} is no setting", key.name()));
            assert!(key.allows(own), "{}", key.name());
            assert!(config.set(key.name(), own) && config == Config::DEFAULT);
            assert!(config.set(key.name(), key.least + 11) && config.get(key.name()) == Some(key.least + 11));
            assert!(!all.contains(&config), "{}", key.name());
            all.push(config);
        }
        assert_eq!(ALWAYS, mpi_fm::coll::select::ALWAYS);
    }

    #[test]
    fn a_table_is_adopted() {
        let mut config = Config::DEFAULT;
        adopt(&mut config, &Thresholds::parse("fetch_bytes_min=5 board_members_max=0").unwrap());
        assert_eq!((config.fetch_bytes_min, config.tuning.board_members_max), (5, 0));
    }
}
