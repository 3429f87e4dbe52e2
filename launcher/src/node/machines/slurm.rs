//! The machines of a Slurm allocation, as Slurm's variables tell them to what runs inside.
//!
//! `hpvmrun` starts an `hpvmd` on each by a step of its own: `srun` has the right to start something there where ssh often has none, and what it
//! starts is counted and ended with the allocation. The steps overlap with others of the user: they need no part of the allocation for
//! themselves, the ranks below them are what uses it.

use super::{Catalogue, Machine, range};

/// `srun`, and what it is told beside the node. Its output comes as it is written, not by lines; ranks are bound by `hpvmd`, if at all; and it is
/// no MPI program that it starts.
const SRUN: [&str; 9] =
    ["srun", "--overlap", "--nodes=1", "--ntasks=1", "--unbuffered", "--mpi=none", "--cpu-bind=none", "--export=ALL", "--quiet"];

/// More than a node has: a digit too many shall not fill the memory.
const NODES_MAX: usize = 65_536;

/// The allocation that this process is in, and a sentence about it; `None` outside of one.
///
/// # Errors
/// When Slurm's variables contradict each other.
pub fn allocation(get: impl Fn(&str) -> Option<String>, own: &[String]) -> Result<Option<(Catalogue, String)>, String> {
    let Some(job) = get("SLURM_JOB_ID").filter(|job| !job.is_empty()) else { return Ok(None) };
    let either = |names: &[&'static str]| names.iter().find_map(|name| Some((*name, get(name)?)));
    // A process that has the number only (a user's script that keeps it) is in no allocation.
    let Some((name, list)) = either(&["SLURM_JOB_NODELIST", "SLURM_NODELIST"]) else { return Ok(None) };
    let wrong = |name: &str, value: &str, why: &str| format!("{name}={value:?}, of Slurm's allocation {job}: {why}; -m none runs on this machine alone");
    let mut nodes = Vec::new();
    for pattern in range::split_list(&list) {
        nodes.extend(range::expand(pattern.trim()).map_err(|why| wrong(name, &list, &why))?);
        if nodes.len() > NODES_MAX {
            return Err(wrong(name, &list, &format!("expected at most {NODES_MAX} nodes")));
        }
    }
    if nodes.iter().any(String::is_empty) {
        return Err(wrong(name, &list, "expected names of nodes"));
    }
    let slots = match either(&["SLURM_TASKS_PER_NODE", "SLURM_JOB_CPUS_PER_NODE"]) {
        None => vec![1; nodes.len()],
        Some((name, text)) => counts(&text, nodes.len()).map_err(|why| wrong(name, &text, &why))?,
    };
    // Its name here is Slurm's, not the system's.
    let here = get("SLURMD_NODENAME");
    let machine = |(node, slots): (&String, u32)| {
        let is_here = here.as_ref() == Some(node) || own.contains(node);
        let ssh = if is_here { Vec::new() } else { SRUN.map(String::from).into() };
        Machine { slots, ssh, by_srun: !is_here, ..Machine::named(node, own) }
    };
    let machines: Vec<_> = nodes.iter().zip(slots).map(machine).collect();
    let source = format!("machines: {} of Slurm's allocation {job} (SLURM_JOB_ID)", machines.len());
    Ok(Some((Catalogue { machines, ..Catalogue::default() }, source)))
}

/// `2(x3),1`: 2, 2, 2, 1.
fn counts(text: &str, nodes: usize) -> Result<Vec<u32>, String> {
    let mut counts = Vec::new();
    for word in text.split(',') {
        let (count, times) = match word.split_once("(x") {
            Some((count, times)) => (count, times.strip_suffix(')').unwrap_or_default()),
            None => (word, "1"),
        };
        let (Ok(count @ 1..), Ok(times)) = (count.trim().parse::<u32>(), times.parse::<usize>()) else {
            return Err(format!("expected NUMBER or NUMBER(xTIMES), found {word:?}"));
        };
        counts.extend(std::iter::repeat_n(count, times.min(nodes + 1)));
    }
    if counts.len() == nodes { Ok(counts) } else { Err(format!("it counts another number of nodes than {nodes}")) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn found(variables: &[(&str, &str)]) -> Result<Option<String>, String> {
        let get = |name: &str| variables.iter().find(|(one, _)| *one == name).map(|(_, value)| (*value).to_owned());
        let found = allocation(get, &["here".into()])?;
        let show = |machine: &Machine| format!("{}{}:{}", if machine.is_here() { "@" } else { "" }, machine.name, machine.slots);
        Ok(found.map(|(catalogue, _)| catalogue.machines.iter().map(show).collect::<Vec<_>>().join(" ")))
    }

    #[rstest]
    #[case("n[1-2,07],x", "2(x3),1", "n1:2 n2:2 n07:2 x:1")]
    #[case("r[1-2]n[1-2]", "1(x4)", "r1n1:1 r1n2:1 r2n1:1 r2n2:1")]
    #[case("here,n1", "3,4", "@here:3 n1:4")]
    fn an_allocation_is_read(#[case] nodes: &str, #[case] tasks: &str, #[case] expected: &str) {
        let variables = [("SLURM_JOB_ID", "7"), ("SLURM_JOB_NODELIST", nodes), ("SLURM_TASKS_PER_NODE", tasks)];
        assert_eq!(found(&variables).unwrap().as_deref(), Some(expected));
    }

    #[test]
    fn outside_there_is_none() {
        assert_eq!(found(&[]), Ok(None));
        assert_eq!(found(&[("SLURM_JOB_ID", "7")]), Ok(None));
        let batch = [("SLURM_JOB_ID", "7"), ("SLURM_NODELIST", "n[1-2]"), ("SLURM_JOB_CPUS_PER_NODE", "8(x2)"), ("SLURMD_NODENAME", "n1")];
        assert_eq!(found(&batch).unwrap().as_deref(), Some("@n1:8 n2:8"));
    }

    #[rstest]
    #[case("n[1-", "1", "SLURM_JOB_NODELIST=\"n[1-\", of Slurm's allocation 7")]
    #[case("n[1-2]", "1", "another number of nodes than 2")]
    #[case("n[1-2]", "2(x99999999999)", "another number of nodes than 2")]
    #[case("n1", "0", "found \"0\"")]
    #[case("n1", "1(x", "found \"1(x\"")]
    #[case("", "1", "expected")]
    #[case("n[1-99999999]", "1", "SLURM_JOB_NODELIST")]
    #[case("n[1-60000],m[1-60000],x[", "1", "at most 65536 nodes")]
    fn what_is_wrong_is_said(#[case] nodes: &str, #[case] tasks: &str, #[case] expected: &str) {
        let variables = [("SLURM_JOB_ID", "7"), ("SLURM_JOB_NODELIST", nodes), ("SLURM_TASKS_PER_NODE", tasks)];
        let text = found(&variables).unwrap_err();
        assert!(text.contains(expected) && text.contains("-m none"), "{text}");
    }
}
