//! Which rank goes to which machine.

use std::fs;
use std::path::Path;

use super::machines::{self, Machine};
use crate::exit::Refusal;
use crate::options::{JobOptions, MapBy, Options};

/// Where a job's ranks go.
#[derive(Debug, Default)]
pub struct Placed {
    /// The machines that have ranks; none for a job on this machine alone.
    pub machines: Vec<Machine>,
    /// By rank: the index of its machine.
    pub nodes: Vec<usize>,
}

/// Deals the ranks to the machines that the user names. `host` is the name of this one.
pub fn place(options: &Options, host: &str) -> Result<Placed, Refusal> {
    let own = machines::own_names(host);
    let mut machines = known(&options.job, &own)?;
    let listed: Vec<usize> = (0..machines.len()).collect();
    let mut of_part = Vec::new();
    for part in &options.parts {
        let mut candidates = Vec::new();
        for text in &part.hosts {
            let named = machines::parse_name(text, &own).map_err(|why| Refusal::Usage(format!("--host: {why}")))?;
            candidates.push(match machines.iter().position(|machine| machine.name == named.name) {
                Some(index) => index,
                None => {
                    machines.push(named);
                    machines.len() - 1
                }
            });
        }
        of_part.push(if candidates.is_empty() { listed.clone() } else { candidates });
    }
    if machines.is_empty() {
        machines.push(machines::parse_name("localhost", &own).map_err(Refusal::Usage)?);
    }
    if let Some(ranks) = options.job.per_node {
        machines.iter_mut().for_each(|machine| machine.slots = ranks);
    }
    if machines.iter().all(Machine::is_here) && options.job.per_node.is_none() {
        return Ok(Placed::default());
    }
    let mut used = vec![0; machines.len()];
    let mut nodes = Vec::new();
    for (part, mut candidates) in options.parts.iter().zip(of_part) {
        if candidates.is_empty() {
            candidates.push(0);
        }
        for _ in 0..part.ranks {
            nodes.push(deal(&machines, &candidates, &mut used, &options.job).ok_or_else(|| too_many(options, candidates.len()))?);
        }
    }
    if machines.iter().zip(&used).all(|(machine, used)| *used == 0 || machine.is_here()) {
        return Ok(Placed::default());
    }
    // Without those that have no rank.
    let kept: Vec<usize> = (0..machines.len()).filter(|index| used[*index] > 0).collect();
    let nodes = nodes.into_iter().filter_map(|node| kept.binary_search(&node).ok()).collect();
    Ok(Placed { machines: kept.into_iter().map(|index| machines[index].clone()).collect(), nodes })
}

/// The machines of the two kinds of file.
fn known(job: &JobOptions, own: &[String]) -> Result<Vec<Machine>, Refusal> {
    let read = |path: &Path| fs::read_to_string(path).map_err(|error| error.to_string());
    let named = |path: &Path, why: String| Refusal::Usage(format!("{}: {why}", path.display()));
    match (&job.machines, &job.host_file) {
        (Some(path), _) => {
            let folder = path.parent().unwrap_or(Path::new(""));
            read(path).and_then(|text| machines::parse_file(&text, folder, own)).map_err(|why| named(path, why))
        }
        (None, Some(path)) => read(path).and_then(|text| machines::parse_list(&text, own)).map_err(|why| named(path, why)),
        (None, None) => Ok(Vec::new()),
    }
}

/// The machine for the next rank: the first that has used its slots the fewest times over.
fn deal(machines: &[Machine], candidates: &[usize], used: &mut [u32], job: &JobOptions) -> Option<usize> {
    let rounds = |index: usize| match job.map_by {
        MapBy::Slot => used[index] / machines[index].slots,
        MapBy::Node => used[index],
    };
    let free = |index: &&usize| job.per_node.is_none_or(|most| used[**index] < most);
    let chosen = *candidates.iter().filter(free).min_by_key(|index| rounds(**index))?;
    used[chosen] += 1;
    Some(chosen)
}

/// No machine may have another rank.
fn too_many(options: &Options, machines: usize) -> Refusal {
    let ranks: u64 = options.parts.iter().map(|part| u64::from(part.ranks)).sum();
    let most = options.job.per_node.unwrap_or(1);
    let needed = ranks.div_ceil(most.into());
    Refusal::Usage(format!("{ranks} ranks with --ppn {most} need {needed} machines, and there are {machines}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::{Request, parse};

    /// The machine of each rank by its name.
    fn nodes(line: &str) -> Result<Vec<String>, String> {
        let words: Vec<_> = line.split_whitespace().map(Into::into).collect();
        let Ok(Request::Run(options)) = parse::parse(&words, JobOptions::default()) else { panic!("{line}") };
        match place(&options, "here") {
            Ok(Placed { machines, nodes }) => Ok(nodes.into_iter().map(|node| machines[node].name.clone()).collect()),
            Err(Refusal::Usage(text) | Refusal::Launch(text)) => Err(text),
        }
    }

    #[test]
    fn ranks_are_dealt() {
        for (line, expected) in [
            ("-n 4 a.out", ""),
            ("-n 4 -H localhost:2,here a.out", ""),
            ("-n 5 -H a:2,b:1 a.out", "aabaa"),
            ("-n 5 -H a:2,b:1 --map-by node a.out", "ababa"),
            ("-n 4 -H a:7,b --ppn 2 a.out", "aabb"),
            ("-n 1 -H b a.out : -n 2 -H b,a a.out", "bab"),
            ("-n 1 -H a,b,c a.out", "a"),
        ] {
            assert_eq!(nodes(line).unwrap().concat(), expected, "{line}");
        }
        assert!(nodes("-n 5 -H a,b --ppn 2 a.out").unwrap_err().contains("need 3 machines, and there are 2"));
        assert!(nodes("-n 5 -H a:x a.out").unwrap_err().contains("slots"));
        assert!(nodes("-n 5 -m /nowhere/machines.toml a.out").unwrap_err().contains("/nowhere/machines.toml"));
    }
}
