//! How many cores the processes of a job may use on this node.

use crate::layout::Control;
use crate::segment::Segment;
use crate::sys::{self, Processors};
use std::fs;
use std::sync::atomic::Ordering::Relaxed;

/// The cores this process may run on, or fewer if its control group may use less of them.
pub fn available() -> usize {
    sys::processors_allowed().map_or(1, |allowed| count(&allowed)).clamp(1, limit())
}

/// How many cores the control group may use at a time.
pub fn limit() -> usize {
    quota().unwrap_or(usize::MAX)
}

fn count(processors: &Processors) -> usize {
    processors.iter().map(|word| word.count_ones() as usize).sum()
}

/// Says on which cores this process may run. Before its identity is published.
pub fn publish(control: &Control) {
    let allowed = sys::processors_allowed().unwrap_or_default();
    control.cores.iter().zip(allowed).for_each(|(word, bits)| word.store(bits, Relaxed));
}

/// Whether there is a core for each process of the segment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Room {
    Enough,
    /// As far as is known: some have not attached.
    NotYet,
    No,
}

/// Looks where the processes may run that have attached: each may be bound to a few cores, and all of them together still have enough. No
/// more than `limit` count.
pub fn room(segment: &Segment, limit: usize) -> Room {
    let ranks = segment.ranks();
    if ranks > limit.min(sys::processors_there()) {
        return Room::No;
    }
    let (mut all, mut missing) = (Processors::default(), false);
    for rank in 0..ranks {
        let control = segment.control(rank);
        missing |= !control.identity.0.is_known();
        all.iter_mut().zip(&control.cores).for_each(|(word, bits)| *word |= bits.load(Relaxed));
    }
    match count(&all) {
        cores if ranks <= cores => Room::Enough,
        _ if missing => Room::NotYet,
        _ => Room::No,
    }
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
pub(crate) fn parse_unified(text: &str) -> Option<usize> {
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
    use crate::layout::Layout;
    use std::os::fd::AsFd;

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
    fn processes_that_are_bound_have_the_cores_of_all() {
        let memory = sys::shared_memory(c"test").unwrap();
        let segment = Segment::map(memory.as_fd(), Layout::new(2)).unwrap();
        let attach = |rank: usize, cores: u64| {
            segment.control(rank).cores[3].store(cores, Relaxed);
            segment.control(rank).identity.0.witness.store(1, Relaxed);
        };
        assert_eq!(room(&segment, 1), Room::No);
        attach(0, 0b01);
        assert_eq!(room(&segment, 2), if sys::processors_there() < 2 { Room::No } else { Room::NotYet });
        attach(1, 0b01);
        assert_eq!(room(&segment, 2), Room::No, "both on the same core");
        attach(1, 0b10);
        assert_eq!(room(&segment, 2), if sys::processors_there() < 2 { Room::No } else { Room::Enough });
    }

    #[test]
    fn there_is_at_least_one_core() {
        assert!(available() >= 1);
    }
}
