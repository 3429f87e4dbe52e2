//! Limits of control groups, versions 1 and 2.
//!
//! A group's limit binds together with those of all groups above it, so each on the way to the root is
//! looked at. Inside a container the path in `/proc/self/cgroup` may lie outside of what is mounted;
//! then the mount's own root is the group that binds.

use std::fs;
use std::path::{Path, PathBuf};

use super::{Limit, field, number};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Controller {
    Pids,
    Memory,
}

impl Controller {
    fn name(self) -> &'static str {
        match self {
            Self::Pids => "pids",
            Self::Memory => "memory",
        }
    }
}

pub fn pids() -> Vec<Limit> {
    limits(Controller::Pids, |folder, _| {
        Some((number(&file(folder, "pids.max"))?, number(&file(folder, "pids.current"))?))
    })
}

/// Page cache counts as used but is given up when memory is needed.
pub fn memory() -> Vec<Limit> {
    limits(Controller::Memory, |folder, version| {
        let (limit, used, cache) = match version {
            1 => ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
            _ => ("memory.max", "memory.current", "inactive_file"),
        };
        let (limit, used) = (number(&file(folder, limit))?, number(&file(folder, used))?);
        let stat = fs::read_to_string(file(folder, "memory.stat")).unwrap_or_default();
        // Version 1 writes "no limit" as a number near the largest.
        (limit < 1 << 60).then(|| (limit, used.saturating_sub(field(&stat, cache).unwrap_or(0))))
    })
}

fn file(folder: &Path, name: &str) -> String {
    folder.join(name).to_string_lossy().into_owned()
}

fn limits(controller: Controller, read: impl Fn(&Path, u32) -> Option<(u64, u64)>) -> Vec<Limit> {
    let [groups, mounts] =
        ["/proc/self/cgroup", "/proc/self/mountinfo"].map(|path| fs::read_to_string(path).unwrap_or_default());
    let mut found = Vec::new();
    for (version, mount, group) in places(controller.name(), &groups, &mounts) {
        for folder in group.ancestors().map(|path| mount.join(path)) {
            if let Some((limit, used)) = read(&folder, version) {
                found.push(Limit::of_group(controller, &folder.to_string_lossy(), limit, used));
            }
        }
    }
    found
}

/// Version, mount point, and this process's group below it, for each hierarchy with the controller.
pub fn places(controller: &str, groups: &str, mounts: &str) -> Vec<(u32, PathBuf, PathBuf)> {
    let mut places = Vec::new();
    for line in groups.lines() {
        let mut parts = line.splitn(3, ':');
        let (Some(id), Some(controllers), Some(path)) = (parts.next(), parts.next(), parts.next()) else { continue };
        let version = if id == "0" && controllers.is_empty() { 2 } else { 1 };
        if version == 1 && !controllers.split(',').any(|name| name == controller) {
            continue;
        }
        if let Some((root, mount)) = mounts.lines().find_map(|line| mounted(line, version, controller)) {
            let below = Path::new(path).strip_prefix(&root).unwrap_or(Path::new(""));
            let escapes = below.has_root() || below.components().any(|part| part == std::path::Component::ParentDir);
            places.push((version, mount, if escapes { PathBuf::new() } else { below.to_owned() }));
        }
    }
    places
}

/// `36 32 0:30 ROOT MOUNT options … - TYPE source SUPEROPTIONS`.
fn mounted(line: &str, version: u32, controller: &str) -> Option<(PathBuf, PathBuf)> {
    let (front, back) = line.split_once(" - ")?;
    let mut front = front.split(' ').skip(3);
    let (root, mount) = (front.next()?, front.next()?);
    let mut back = back.split(' ');
    let (kind, options) = (back.next()?, back.nth(1).unwrap_or(""));
    let fits = match version {
        2 => kind == "cgroup2",
        _ => kind == "cgroup" && options.split(',').any(|option| option == controller),
    };
    fits.then(|| (root.into(), mount.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOUNTS: &str = "\
30 25 0:26 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw,nsdelegate
36 32 0:30 / /sys/fs/cgroup/pids rw,nosuid shared:9 - cgroup cgroup rw,pids
37 32 0:31 /docker/ab /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory";

    #[test]
    fn both_versions_are_found() {
        let groups = "8:pids:/user/a\n4:memory:/docker/ab/c\n0::/x\n";
        let expected =
            [(1, "/sys/fs/cgroup/pids".into(), "user/a".into()), (2, "/sys/fs/cgroup/unified".into(), "x".into())];
        assert_eq!(places("pids", groups, MOUNTS), expected);
        assert_eq!(places("memory", groups, MOUNTS)[0], (1, "/sys/fs/cgroup/memory".into(), "c".into()));
    }

    #[test]
    fn a_path_outside_of_the_mount_means_its_root() {
        for group in ["/docker/zz", "/../../elsewhere", "/"] {
            let found = places("memory", &format!("4:memory:{group}\n"), MOUNTS);
            assert_eq!(found, [(1, "/sys/fs/cgroup/memory".into(), "".into())], "{group}");
        }
    }

    /// No kernel writes that.
    #[test]
    fn a_mount_without_a_root_leads_nowhere_else() {
        let found = places("pids", "0::/a/b", "29 1 0:26 root /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n29 1 0:26  /x rw - cgroup2 cgroup2 rw");
        assert!(found.iter().all(|(.., group)| group.is_relative()), "{found:?}");
    }

    #[test]
    fn nothing_mounted_is_no_limit() {
        assert_eq!(places("pids", "8:pids:/a\n0::/\n", ""), []);
    }
}
