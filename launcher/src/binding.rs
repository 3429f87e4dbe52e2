//! `--bind-to`: which cores a rank may run on.
//!
//! Ranks take the cores, or the NUMA nodes, that `hpvmrun` itself may use, in turn and over again. A rank file names processors instead.

use std::fs;

use rustix::thread::CpuSet;

use crate::options::BindTo;

/// The sets of cores that ranks take in turn; empty if they are not bound.
pub fn places(bind_to: BindTo) -> Result<Vec<CpuSet>, String> {
    if bind_to == BindTo::None {
        return Ok(Vec::new());
    }
    let allowed = allowed()?;
    let cores = || {
        distinct(&allowed, |cpu| fs::read_to_string(format!("/sys/devices/system/cpu/cpu{cpu}/topology/thread_siblings_list")).ok())
    };
    Ok(match bind_to {
        BindTo::Core => cores(),
        BindTo::CoreOfNuma => in_turn(cores(), &distinct(&allowed, node_of)),
        _ => distinct(&allowed, node_of),
    })
}

/// The processors that a rank file gives to a rank.
pub fn given(cpus: &[u32]) -> Result<CpuSet, String> {
    let (allowed, mut set) = (allowed()?, CpuSet::new());
    for cpu in cpus.iter().map(|cpu| *cpu as usize) {
        if cpu >= CpuSet::MAX_CPU || !allowed.is_set(cpu) {
            return Err(format!("processor {cpu} is none of those that may be used, which are {}", show(&allowed)));
        }
        set.set(cpu);
    }
    Ok(set)
}

fn allowed() -> Result<CpuSet, String> {
    rustix::thread::sched_getaffinity(None).map_err(|errno| format!("cannot tell which cores may be used: {errno}"))
}

/// One core of each NUMA node, then the next of each.
fn in_turn(cores: Vec<CpuSet>, nodes: &[CpuSet]) -> Vec<CpuSet> {
    let is_in = |core: &CpuSet, node: &CpuSet| (0..CpuSet::MAX_CPU).any(|cpu| core.is_set(cpu) && node.is_set(cpu));
    let mut seen = vec![0; nodes.len() + 1];
    let mut places: Vec<(usize, CpuSet)> = Vec::new();
    for core in cores {
        let node = nodes.iter().position(|node| is_in(&core, node)).unwrap_or(nodes.len());
        places.push((seen[node], core));
        seen[node] += 1;
    }
    places.sort_by_key(|(turn, _)| *turn);
    places.into_iter().map(|(_, core)| core).collect()
}

/// One set for each different list that the allowed processors name, restricted to the allowed ones. A
/// processor of which nothing is known stands for itself.
fn distinct(allowed: &CpuSet, list_of: impl Fn(usize) -> Option<String>) -> Vec<CpuSet> {
    let mut places: Vec<CpuSet> = Vec::new();
    for cpu in (0..CpuSet::MAX_CPU).filter(|cpu| allowed.is_set(*cpu)) {
        let mut place = CpuSet::new();
        place.set(cpu);
        for other in parse_list(&list_of(cpu).unwrap_or_default()) {
            if other < CpuSet::MAX_CPU && allowed.is_set(other) {
                place.set(other);
            }
        }
        if !places.contains(&place) {
            places.push(place);
        }
    }
    places
}

fn node_of(cpu: usize) -> Option<String> {
    let entries = fs::read_dir(format!("/sys/devices/system/cpu/cpu{cpu}")).ok()?;
    let mut names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let node = names.find(|name| name.strip_prefix("node").is_some_and(|rest| rest.parse::<u32>().is_ok()));
    match node {
        Some(node) => fs::read_to_string(format!("/sys/devices/system/node/{node}/cpulist")).ok(),
        // A kernel without NUMA: one node with everything.
        None => fs::read_to_string("/sys/devices/system/cpu/online").ok(),
    }
}

/// The kernel's lists: `0-3,8`.
pub fn parse_list(text: &str) -> Vec<usize> {
    let range = |item: &str| {
        let (first, last) = item.split_once('-').unwrap_or((item, item));
        // Processors beyond can be in no set.
        Some(first.parse().ok()?..=last.parse::<usize>().ok()?.min(CpuSet::MAX_CPU))
    };
    text.trim().split(',').filter_map(range).flatten().collect()
}

/// A user's list in the same form. `None` if it is none, or names no processor.
pub fn parse_cpus(text: &str) -> Option<Vec<u32>> {
    let mut cpus = Vec::new();
    for item in text.split(',') {
        let (first, last) = item.split_once('-').unwrap_or((item, item));
        let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let (first, last) = (first.parse().ok().filter(|_| is_number(first))?, last.parse::<u32>().ok().filter(|_| is_number(last))?);
        if first > last || last as usize >= CpuSet::MAX_CPU {
            return None;
        }
        cpus.extend(first..=last);
    }
    Some(cpus)
}

/// A set as the kernel writes it.
pub fn show(set: &CpuSet) -> String {
    let cpus: Vec<_> = (0..CpuSet::MAX_CPU).filter(|cpu| set.is_set(*cpu)).map(|cpu| cpu.to_string()).collect();
    cpus.join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_the_kernel() {
        assert_eq!(parse_list("0-3,8\n"), [0, 1, 2, 3, 8]);
        assert_eq!(parse_list(""), Vec::<usize>::new());
        assert_eq!(parse_list("x,5"), [5]);
        assert_eq!(parse_list("1020-18446744073709551615").len(), CpuSet::MAX_CPU - 1020 + 1);
    }

    #[test]
    fn hyperthreads_of_a_core_are_one_place_and_forbidden_ones_are_left_out() {
        let mut allowed = CpuSet::new();
        [0, 1, 2, 3, 5].into_iter().for_each(|cpu| allowed.set(cpu));
        let places =
            distinct(&allowed, |cpu| Some(if cpu < 4 { format!("{},{}", cpu % 2, cpu % 2 + 2) } else { "4-5".into() }));
        let shown: Vec<_> = places.iter().map(show).collect();
        assert_eq!(shown, ["0,2", "1,3", "5"]);
    }

    #[test]
    fn lists_of_users() {
        assert_eq!(parse_cpus("0-2,8"), Some(vec![0, 1, 2, 8]));
        for wrong in ["", "x", "1,", "3-1", "+1", "1-2-3", "4000000000", "0-4000000000"] {
            assert_eq!(parse_cpus(wrong), None, "{wrong}");
        }
        assert!(given(&[1023]).unwrap_err().contains("processor 1023 is none of those that may be used, which are "));
    }

    #[test]
    fn cores_of_different_nodes_in_turn() {
        let set = |cpus: &[usize]| {
            let mut set = CpuSet::new();
            cpus.iter().for_each(|cpu| set.set(*cpu));
            set
        };
        let cores = [0, 1, 2, 3, 4].map(|cpu| set(&[cpu])).into();
        let shown: Vec<_> = in_turn(cores, &[set(&[0, 1, 2]), set(&[3, 4])]).iter().map(show).collect();
        assert_eq!(shown, ["0", "3", "1", "4", "2"]);
    }

    #[test]
    fn this_machine_has_places() {
        assert!(places(BindTo::None).unwrap().is_empty());
        for bind_to in [BindTo::Core, BindTo::Numa, BindTo::CoreOfNuma] {
            assert!(places(bind_to).unwrap().iter().all(|place| place.count() > 0));
            assert!(!places(bind_to).unwrap().is_empty());
        }
    }
}
