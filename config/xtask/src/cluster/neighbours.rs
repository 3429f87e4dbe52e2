//! The kernel's table of neighbours, which all network namespaces share: hosts that all talk with each other need more than it holds.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};

const LIMIT: &str = "/proc/sys/net/ipv4/neigh/default/gc_thresh3";

/// What the limit was. In a folder that does not outlive the machine's run, as the limit does not.
const BEFORE: &str = "/run/hpvm-cluster-neighbours";

/// Makes room for so many hosts that each know each other, if there is less.
pub fn make_room(hosts: u8) -> Result<()> {
    // Both ways, and some for others.
    let needed = 2 * u64::from(hosts) * u64::from(hosts) + 512;
    let before = limit()?;
    if before >= needed {
        return Ok(());
    }
    // Another clone's cluster may have raised it already.
    if !Path::new(BEFORE).exists() {
        fs::write(BEFORE, before.to_string()).with_context(|| format!("cannot write {BEFORE}"))?;
    }
    fs::write(LIMIT, needed.to_string()).with_context(|| format!("cannot write {LIMIT}"))
}

/// When the last cluster of this machine is gone.
pub fn put_back() -> Result<()> {
    let Ok(before) = fs::read_to_string(BEFORE) else { return Ok(()) };
    if super::net::is_any_left() {
        return Ok(());
    }
    fs::write(LIMIT, before).with_context(|| format!("cannot write {LIMIT}"))?;
    fs::remove_file(BEFORE).with_context(|| format!("cannot remove {BEFORE}"))
}

fn limit() -> Result<u64> {
    let text = fs::read_to_string(LIMIT).with_context(|| format!("cannot read {LIMIT}"))?;
    text.trim().parse().with_context(|| format!("{LIMIT} is {text:?}"))
}
