//! Which rank goes to which machine.
//!
//! Machines are those of a machine file; `--hostfile` and `--host` pick some of them, or name others. Ranks are dealt by `--map-by`, or sit
//! where a [rank file](rankfile) says.

pub mod rankfile;

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::ffi::OsString;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use super::machines::list::{self, Entry};
use super::machines::{self, Catalogue, Machine, Network, find, range, slurm};
use crate::exit::Refusal;
use crate::options::{JobOptions, MapBy, Options};
use rankfile::Host;

/// Where a job's ranks go.
#[derive(Debug, Default)]
pub struct Placed {
    /// The machines that have ranks; none for a job on this machine alone.
    pub machines: Vec<Machine>,
    /// By rank: the index of its machine.
    pub nodes: Vec<usize>,
    /// By rank, if there is a rank file: the processors that it may use, none of them for any.
    pub cpus: Vec<Vec<u32>>,
    /// Of which the machines know theirs by index.
    pub networks: Vec<Network>,
    /// Which machine file was read, or that there is none: a sentence.
    pub source: String,
}

/// Deals the ranks to the machines that the user names. `host` is the name of this one, `environment` tells variables.
pub fn place(options: &Options, host: &str, environment: impl Fn(&str) -> Option<OsString>) -> Result<Placed, Refusal> {
    let (own, job) = (machines::own_names(host), &options.job);
    let (mut catalogue, source) = catalogue(job, host, environment)?;
    let listed = listed(job, &mut catalogue, &own)?;
    let mut dealer = Dealer { job, used: Vec::new(), nodes: Vec::new() };
    let mut cpus = Vec::new();
    if let Some(path) = &job.rank_file {
        cpus = dealer.seat(options, path, &listed, &mut catalogue, &own)?;
    } else {
        for part in &options.parts {
            let candidates = if part.hosts.is_empty() { listed.clone() } else { named(&part.hosts, &mut catalogue, &own)? };
            dealer.deal(part.ranks, &candidates, &catalogue.machines, options)?;
        }
    }
    let Dealer { mut used, nodes, .. } = dealer;
    let machines = &catalogue.machines;
    used.resize(machines.len(), 0);
    if machines.iter().zip(&used).all(|(machine, used)| *used == 0 || machine.is_here()) {
        return Ok(Placed { cpus, source, ..Placed::default() });
    }
    // Without those that have no rank.
    let kept: Vec<usize> = (0..machines.len()).filter(|index| used[*index] > 0).collect();
    let nodes = nodes.into_iter().filter_map(|node| kept.binary_search(&node).ok()).collect();
    let machines = kept.into_iter().map(|index| machines[index].clone()).collect();
    Ok(Placed { machines, nodes, cpus, networks: catalogue.networks, source })
}

/// All machines that a job with these options might be on, what they are attached to, and which machine file was read.
pub fn all(options: &Options, host: &str, environment: impl Fn(&str) -> Option<OsString>) -> Result<(Vec<Machine>, Vec<Network>, String), Refusal> {
    let (mut catalogue, source) = catalogue(&options.job, host, environment)?;
    let own = machines::own_names(host);
    let hosts: Vec<String> = options.parts.iter().flat_map(|part| part.hosts.clone()).collect();
    let picks = if hosts.is_empty() { listed(&options.job, &mut catalogue, &own)? } else { named(&hosts, &mut catalogue, &own)? };
    let machines = picks.into_iter().map(|index| catalogue.machines[index].clone()).collect();
    Ok((machines, catalogue.networks, source))
}

/// What the machine file says, and which one it was. An allocation is what the user has been given: only a file that was asked for comes before it.
fn catalogue(job: &JobOptions, host: &str, environment: impl Fn(&str) -> Option<OsString>) -> Result<(Catalogue, String), Refusal> {
    if job.machines.is_none() {
        let get = |name: &str| environment(name).map(|value| value.to_string_lossy().into_owned());
        if let Some(found) = slurm::allocation(get, &machines::own_names(host)).map_err(Refusal::Usage)? {
            return Ok(found);
        }
    }
    let places = find::places(environment);
    let (catalogue, found) = find::read(job.machines.as_deref(), &places, &machines::own_names(host)).map_err(Refusal::Usage)?;
    let source = match &found {
        Some((path, why)) => format!("machines: {} ({why})", path.display()),
        None if job.machines.is_some() => "machines: no file, as asked for".into(),
        None => format!("machines: no file; looked for {}", shown(&places)),
    };
    Ok((catalogue, source))
}

fn shown(places: &[(PathBuf, find::Why)]) -> String {
    places.iter().map(|(path, _)| path.display().to_string()).collect::<Vec<_>>().join(", ")
}

/// The machines of a job whose parts name none: those of the hostfile, or of the machine file, or this one.
fn listed(job: &JobOptions, catalogue: &mut Catalogue, own: &[String]) -> Result<Vec<usize>, Refusal> {
    if let Some(path) = &job.host_file {
        let text = find::read_text(path).map_err(Refusal::Usage)?;
        let entries = list::parse_list(&text).map_err(|fault| Refusal::Usage(find::show(&fault, path, &text)))?;
        return list::pick(&entries, catalogue, own).map_err(|why| Refusal::Usage(format!("{}: {why}", path.display())));
    }
    if catalogue.machines.is_empty() {
        let cores = std::thread::available_parallelism().map_or(1, |cores| cores.get() as u32);
        return list::parse_host(&format!("localhost:{cores}")).and_then(|here| list::pick(&here, catalogue, own)).map_err(Refusal::Usage);
    }
    Ok((0..catalogue.machines.len()).collect())
}

/// What `--host` names.
fn named(hosts: &[String], catalogue: &mut Catalogue, own: &[String]) -> Result<Vec<usize>, Refusal> {
    let usage = |why: String| Refusal::Usage(format!("--host: {why}"));
    let entries: Vec<Vec<Entry>> = hosts.iter().map(|text| list::parse_host(text)).collect::<Result<_, _>>().map_err(usage)?;
    list::pick(&entries.concat(), catalogue, own).map_err(usage)
}

struct Dealer<'a> {
    job: &'a JobOptions,
    /// By machine: its ranks so far.
    used: Vec<u32>,
    /// By rank: the index of its machine.
    nodes: Vec<usize>,
}

impl Dealer<'_> {
    /// How many ranks a machine may have.
    fn most(&self, machine: &Machine) -> u32 {
        let slots = self.job.no_oversubscribe.then_some(machine.slots);
        [self.job.per_node, slots, machine.max_slots].into_iter().flatten().min().unwrap_or(u32::MAX)
    }

    /// Each rank to the first machine that has used its slots the fewest times over.
    fn deal(&mut self, ranks: u32, candidates: &[usize], machines: &[Machine], options: &Options) -> Result<(), Refusal> {
        self.used.resize(machines.len(), 0);
        let rounds = |index: usize, used: u32| match self.job.map_by {
            MapBy::Slot | MapBy::Numa => used / self.job.per_node.unwrap_or(machines[index].slots),
            MapBy::Node => used,
        };
        if let [only] = candidates {
            let room = self.most(&machines[*only]).saturating_sub(self.used[*only]);
            if ranks > room {
                return Err(self.too_many(options, candidates, machines));
            }
            self.used[*only] += ranks;
            self.nodes.extend(std::iter::repeat_n(*only, ranks as usize));
            return Ok(());
        }
        // By rounds, then in their order.
        let mut waiting: BinaryHeap<_> =
            candidates.iter().enumerate().map(|(order, index)| Reverse((rounds(*index, self.used[*index]), order, *index))).collect();
        let mut left = ranks;
        while left > 0
            && let Some(Reverse((_, order, index))) = waiting.pop()
        {
            if self.used[index] < self.most(&machines[index]) {
                self.used[index] += 1;
                self.nodes.push(index);
                left -= 1;
                waiting.push(Reverse((rounds(index, self.used[index]), order, index)));
            }
        }
        if left == 0 { Ok(()) } else { Err(self.too_many(options, candidates, machines)) }
    }

    /// No machine may have another rank.
    fn too_many(&self, options: &Options, candidates: &[usize], machines: &[Machine]) -> Refusal {
        let ranks = ranks_of(options);
        let limits = candidates.iter().map(|index| self.most(&machines[*index]));
        let room: u64 = limits.clone().map(u64::from).sum();
        if let Some(most) = self.job.per_node
            && limits.clone().all(|limit| limit == most)
        {
            let needed = ranks.div_ceil(most.into());
            return Refusal::Usage(format!("{ranks} ranks with --ppn {most} need {needed} machines, and there are {}", candidates.len()));
        }
        let names = range::fold(candidates.iter().map(|index| machines[*index].name.as_str()));
        let why = if self.job.no_oversubscribe { "--no-oversubscribe allows one for each slot" } else { "max-slots allows no more" };
        Refusal::Usage(format!("{ranks} ranks do not fit on {names}, where there is room for {room}: {why}"))
    }

    /// As a rank file says; the processors of each rank.
    fn seat(&mut self, options: &Options, path: &Path, listed: &[usize], catalogue: &mut Catalogue, own: &[String]) -> Result<Vec<Vec<u32>>, Refusal> {
        let refuse = |why: String| Refusal::Usage(format!("{}: {why}", path.display()));
        if self.job.per_node.is_some() || options.parts.iter().any(|part| !part.hosts.is_empty()) {
            return Err(Refusal::Usage("--rankfile says where each rank goes: --ppn and --host have no place beside it".into()));
        }
        let text = find::read_text(path).map_err(Refusal::Usage)?;
        let seats = rankfile::parse(&text).map_err(|fault| Refusal::Usage(find::show(&fault, path, &text)))?;
        let size = ranks_of(options);
        let mut cpus = Vec::new();
        for rank in 0..size {
            let seat = u32::try_from(rank).ok().and_then(|rank| seats.get(&rank));
            let seat = seat.ok_or_else(|| refuse(format!("it places no rank {rank}, and the job has {size}")))?;
            let machine = match &seat.host {
                Host::Number(number) => *listed.get(*number).ok_or_else(|| refuse(format!("rank {rank}: there is no machine +n{number}, of {}", listed.len())))?,
                Host::Named(name) => {
                    let picks = list::parse_host(name).and_then(|entries| list::pick(&entries, catalogue, own)).map_err(&refuse)?;
                    let [machine] = picks[..] else { return Err(refuse(format!("rank {rank}: {name} are several machines"))) };
                    machine
                }
            };
            self.used.resize(catalogue.machines.len(), 0);
            if self.used[machine] >= self.most(&catalogue.machines[machine]) {
                return Err(self.too_many(options, &[machine], &catalogue.machines));
            }
            self.used[machine] += 1;
            self.nodes.push(machine);
            cpus.push(seat.cpus.clone());
        }
        Ok(cpus)
    }
}

fn ranks_of(options: &Options) -> u64 {
    options.parts.iter().map(|part| u64::from(part.ranks)).sum()
}

/// The ranks of each machine, for people.
pub fn table(machines: &[Machine], nodes: &[usize]) -> String {
    let mut ranks: Vec<Vec<String>> = vec![Vec::new(); machines.len()];
    for (rank, node) in nodes.iter().enumerate() {
        ranks[*node].push(rank.to_string());
    }
    let mut text = String::new();
    for (machine, ranks) in machines.iter().zip(ranks) {
        let list = range::fold(ranks.iter().map(String::as_str)).replace(['[', ']'], "");
        let many = if ranks.len() == 1 { "rank" } else { "ranks" };
        let slots = if machine.slots == 1 { "slot" } else { "slots" };
        let _ = writeln!(text, "  {}: {many} {list} ({} on {} {slots})", machine.name, ranks.len(), machine.slots);
    }
    text
}

#[cfg(test)]
mod tests;
