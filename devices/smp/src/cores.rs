//! How many cores the processes of a job may use on this node.

use crate::sys;
use std::fs;

/// The cores this process may run on, or fewer if its control group may use less of them.
pub fn available() -> usize {
    let allowed = sys::processors_allowed().unwrap_or(1).max(1);
    quota().map_or(allowed, |quota| allowed.min(quota))
}

/// The control groups' limit in whole cores, the strictest on the way up.
fn quota() -> Option<usize> {
    let membership = fs::read_to_string("/proc/self/cgroup").ok()?;
    membership.lines().filter_map(quota_of_line).min()
}

/// One line is one hierarchy: `number:controllers:path`.
fn quota_of_line(line: &str) -> Option<usize> {
    let mut fields = line.splitn(3, ':');
    let (controllers, path) = (fields.nth(1)?, fields.next()?);
    let unified = controllers.is_empty();
    if !unified && !controllers.split(',').any(|name| name == "cpu") {
        return None;
    }
    let roots: &[&str] = if unified { &["/sys/fs/cgroup", "/sys/fs/cgroup/unified"] } else { &["/sys/fs/cgroup/cpu", "/sys/fs/cgroup/cpu,cpuacct"] };
    let mut strictest = None;
    for root in roots {
        let mut group = Some(path.trim_start_matches('/'));
        while let Some(name) = group {
            let folder = format!("{root}/{name}");
            let found = if unified { unified_quota(&folder) } else { legacy_quota(&folder) };
            strictest = [strictest, found].into_iter().flatten().min();
            group = if name.is_empty() { None } else { Some(name.rsplit_once('/').map_or("", |(parent, _)| parent)) };
        }
    }
    strictest
}

fn unified_quota(folder: &str) -> Option<usize> {
    parse_unified(&fs::read_to_string(format!("{folder}/cpu.max")).ok()?)
}

fn legacy_quota(folder: &str) -> Option<usize> {
    let read = |name: &str| fs::read_to_string(format!("{folder}/{name}")).ok();
    whole_cores(&read("cpu.cfs_quota_us")?, &read("cpu.cfs_period_us")?)
}

/// `cpu.max`: the quota, or `max`, and the period.
fn parse_unified(text: &str) -> Option<usize> {
    let (quota, period) = text.trim().split_once(' ')?;
    whole_cores(quota, period)
}

fn whole_cores(quota: &str, period: &str) -> Option<usize> {
    let quota: u64 = quota.trim().parse().ok()?;
    let period: u64 = period.trim().parse().ok().filter(|&period| period > 0)?;
    usize::try_from(quota.div_ceil(period)).ok().map(|cores| cores.max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotas_are_read_in_whole_cores() {
        assert_eq!(parse_unified("max 100000\n"), None);
        assert_eq!(parse_unified("150000 100000\n"), Some(2));
        assert_eq!(parse_unified("1000 100000\n"), Some(1));
        assert_eq!(whole_cores("-1\n", "100000\n"), None);
        assert_eq!(whole_cores("400000\n", "100000\n"), Some(4));
        assert_eq!(whole_cores("400000\n", "0\n"), None);
    }

    #[test]
    fn there_is_at_least_one_core() {
        assert!(available() >= 1);
    }
}
