//! `--bind-to`: which cores a rank may run on.
//!
//! Ranks take the cores, or the NUMA nodes, that `hpvmrun` itself may use, in turn and over again.

use std::fs;

use rustix::thread::CpuSet;

use crate::options::BindTo;

/// The sets of cores that ranks take in turn; empty if they are not bound.
pub fn places(bind_to: BindTo) -> Result<Vec<CpuSet>, String> {
    if bind_to == BindTo::None {
        return Ok(Vec::new());
    }
    let allowed = rustix::thread::sched_getaffinity(None)
        .map_err(|errno| format!("cannot tell which cores may be used: {errno}"))?;
    let places = match bind_to {
        BindTo::Core => distinct(&allowed, |cpu| {
            fs::read_to_string(format!("/sys/devices/system/cpu/cpu{cpu}/topology/thread_siblings_list")).ok()
        }),
        _ => distinct(&allowed, node_of),
    };
    Ok(places)
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
fn parse_list(text: &str) -> Vec<usize> {
    let range = |item: &str| {
        let (first, last) = item.split_once('-').unwrap_or((item, item));
        Some(first.parse().ok()?..=last.parse::<usize>().ok()?)
    };
    text.trim().split(',').filter_map(range).flatten().collect()
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
    fn this_machine_has_places() {
        assert!(places(BindTo::None).unwrap().is_empty());
        for bind_to in [BindTo::Core, BindTo::Numa] {
            assert!(places(bind_to).unwrap().iter().all(|place| place.count() > 0));
            assert!(!places(bind_to).unwrap().is_empty());
        }
    }
}
