//! What is going to run: one entry per rank, everything resolved, nothing started.

use std::collections::BTreeMap;
use std::ffi::{CString, OsStr, OsString};
use std::fmt::Write as _;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use hpvm_wire::tuning::Thresholds;
use hpvm_wire::{Place, names};
use rustix::thread::CpuSet;

use crate::binding;
use crate::debug;
use crate::exit::Refusal;
use crate::node::machines::{Machine, Network, range};
use crate::node::placement::{self, Placed};
use crate::node::route;
use crate::options::{BindTo, Devices, Options, Part};
use crate::program;
use crate::tuning;

/// A job, ready to be started.
#[derive(Debug, Default)]
pub struct Plan {
    pub host: String,
    pub parts: Vec<PartPlan>,
    pub ranks: Vec<RankPlan>,
    pub devices: Devices,
    /// Whether what goes through TCP is encrypted.
    pub encrypt: bool,
    /// Whether the user wants to know which device was chosen.
    pub explain: bool,
    pub bind_to: BindTo,
    /// The machines of the ranks, if any is another than this one. A rank's [`Place::node`] is an index.
    pub machines: Vec<Machine>,
    /// What the machines are attached to, the preferred one first.
    pub networks: Vec<Network>,
    /// Which machine file was read: a sentence.
    pub source: String,
    /// Which table of thresholds was read, and what it sets: a sentence.
    pub tuning: String,
}

/// What the ranks of one part of the command line have in common.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartPlan {
    /// As typed.
    pub name: String,
    pub file: PathBuf,
    pub path: CString,
    pub arguments: Vec<CString>,
    pub environment: Vec<CString>,
    pub work_dir: Option<CString>,
}

#[derive(Debug)]
pub struct RankPlan {
    pub place: Place,
    pub part: usize,
    pub cores: Option<CpuSet>,
    /// Processors that a rank file names, for the machine of the rank to look up.
    pub cpus: Vec<u32>,
}

impl Plan {
    /// Resolves the options against this machine. `environment` is hpvmrun's own.
    pub fn new(options: &Options, environment: &BTreeMap<OsString, OsString>) -> Result<Self, Refusal> {
        let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
        let size = size(options)?;
        let placed = placement::place(options, &host, |name| environment.get(OsStr::new(name)).cloned())?;
        let Placed { machines, nodes, cpus, networks, source } = placed;
        let devices = Devices { private: options.job.encrypt, ..options.job.devices.clone() };
        route::check(&machines, &networks, &devices).map_err(Refusal::Usage)?;
        let bind_to = options.job.binding();
        let tables = tuning::places(|name| environment.get(OsStr::new(name)).cloned(), std::env::current_exe().ok().as_deref());
        let (thresholds, tuning) = tuning::read(options.job.tuning.as_deref(), &tables).map_err(Refusal::Usage)?;
        // Elsewhere the cores are another machine's.
        let is_here = machines.is_empty();
        let places = if is_here { binding::places(bind_to).map_err(Refusal::Launch)? } else { Vec::new() };
        let mut parts: Vec<_> = options.parts.iter().map(|part| part_plan(part, environment, &thresholds)).collect::<Result<_, _>>()?;
        if !machines.is_empty() {
            // ssh begins in the user's home.
            parts.iter_mut().try_for_each(stay_here)?;
        }
        let waiting = parts.len();
        if let Some(ranks) = &options.job.gdb {
            ranks.check(size).map_err(Refusal::Usage)?;
            // Behind the others, in their order.
            parts.extend(parts.iter().map(debug::waiting).collect::<Vec<_>>());
        }
        let waits = |rank: u32| options.job.gdb.as_ref().is_some_and(|ranks| ranks.contains(rank));
        let part_of = options.parts.iter().enumerate().flat_map(|(at, part)| (0..part.ranks).map(move |_| at));
        let mut local_sizes = vec![0; machines.len().max(1)];
        let node_of = |rank: u32| nodes.get(rank as usize).copied().unwrap_or(0);
        let local_ranks: Vec<u32> = (0..size)
            .map(|rank| {
                let local_size: &mut u32 = &mut local_sizes[node_of(rank)];
                *local_size += 1;
                *local_size - 1
            })
            .collect();
        let place = |rank: u32, part: usize| {
            let node = node_of(rank);
            let (local_rank, local_size) = (local_ranks[rank as usize], local_sizes[node]);
            Place { rank, size, local_rank, local_size, node: node as u32, appnum: part as u32, universe_size: size }
        };
        let cores = |rank: u32, cpus: &[u32]| match cpus {
            [_, ..] if is_here => binding::given(cpus).map(Some).map_err(|why| Refusal::Launch(format!("rank {rank}: {why}"))),
            _ => Ok(places.get(rank as usize % places.len().max(1)).cloned()),
        };
        let rank = |(rank, part): (u32, usize)| {
            let cpus = cpus.get(rank as usize).cloned().unwrap_or_default();
            let begun = if waits(rank) { part + waiting } else { part };
            Ok(RankPlan { place: place(rank, part), part: begun, cores: cores(rank, &cpus)?, cpus })
        };
        let ranks = (0..size).zip(part_of).map(rank).collect::<Result<_, Refusal>>()?;
        let (encrypt, explain) = (options.job.encrypt, options.job.explain);
        Ok(Self { ranks, host, parts, devices, encrypt, explain, bind_to, machines, networks, source, tuning })
    }

    /// The name of a rank's machine.
    pub fn host_of(&self, rank: u32) -> &str {
        let machine = self.machines.get(self.ranks[rank as usize].place.node as usize);
        machine.map_or(&self.host, |machine| &machine.name)
    }

    pub fn size(&self) -> u32 {
        self.ranks.len() as u32
    }

    /// What `--dry-run` and `--explain` print.
    pub fn describe(&self) -> String {
        let between = route::carriers(&self.machines, &self.networks, &self.devices);
        let way = match self.devices.smp() {
            true if self.machines.len() < 2 => "shared memory (smp)".into(),
            true => format!("shared memory (smp) on a machine and {between} between them"),
            false => between,
        };
        let how = if self.encrypt && way.contains("TCP") { ", encrypted there" } else { "" };
        let names = range::fold(self.machines.iter().map(|machine| machine.name.as_str()));
        let names = if names.is_empty() { &self.host } else { &names };
        let mut text = format!("{} rank(s) on {names}; messages go through {way}{how}\n", self.size());
        let nodes: Vec<usize> = self.ranks.iter().map(|rank| rank.place.node as usize).collect();
        if !self.machines.is_empty() {
            text += &placement::table(&self.machines, &nodes);
        }
        for rank in &self.ranks {
            let part = &self.parts[rank.part];
            let _ = write!(text, "rank {}:", rank.place.rank);
            if !self.machines.is_empty() {
                let _ = write!(text, " on {},", self.host_of(rank.place.rank));
            }
            let asked = || rank.cpus.iter().map(u32::to_string).collect::<Vec<_>>().join(",");
            let cores = rank.cores.as_ref().map_or_else(asked, binding::show);
            if !cores.is_empty() {
                let _ = write!(text, " on cpu {cores},");
            }
            if let Some(folder) = &part.work_dir {
                let _ = write!(text, " in {},", folder.to_string_lossy());
            }
            let _ = write!(text, " {}", part.file.display());
            for argument in &part.arguments[1..] {
                let _ = write!(text, " {}", quoted(&argument.to_string_lossy()));
            }
            text.push('\n');
        }
        text
    }
}

impl Plan {
    /// Which machine file was read, and for each pair of machines which device carries its messages and why no other does.
    pub fn explain(&self) -> String {
        let mut crowds = vec![0; self.machines.len()];
        self.ranks.iter().for_each(|rank| crowds.iter_mut().skip(rank.place.node as usize).take(1).for_each(|count| *count += 1));
        let several = if self.machines.is_empty() { self.size() > 1 } else { crowds.iter().any(|count| *count > 1) };
        format!("{}\n{}\n{}", self.source, self.tuning, route::explain(&self.machines, &self.networks, &self.devices, several))
    }
}

fn size(options: &Options) -> Result<u32, Refusal> {
    let sum: u64 = options.parts.iter().map(|part| u64::from(part.ranks)).sum();
    u32::try_from(sum).map_err(|_| Refusal::Usage(format!("{sum} ranks are too many")))
}

/// The folder that `hpvmrun` is in, if no other was asked for.
fn stay_here(part: &mut PartPlan) -> Result<(), Refusal> {
    if part.work_dir.is_none() {
        let here = std::env::current_dir().map_err(|error| Refusal::Launch(format!("cannot tell the current folder: {error}")))?;
        part.work_dir = Some(c_string(here.as_os_str())?);
    }
    Ok(())
}

fn part_plan(part: &Part, environment: &BTreeMap<OsString, OsString>, thresholds: &Thresholds) -> Result<PartPlan, Refusal> {
    let here =
        std::env::current_dir().map_err(|error| Refusal::Launch(format!("cannot tell the current folder: {error}")))?;
    let work_dir = part.work_dir.as_ref().map(|folder| here.join(folder));
    if let Some(folder) = &work_dir {
        check_work_dir(folder).map_err(|why| Refusal::Launch(format!("-wdir {}: {why}", folder.display())))?;
    }
    let mut variables = environment.clone();
    for name in names::ALL.into_iter().chain(hpvm_wire::pmi::ALL) {
        variables.remove(OsStr::new(name));
    }
    for (name, value) in &part.exports {
        match value {
            Some(value) => drop(variables.insert(name.clone(), value.clone())),
            None if environment.contains_key(name) => (),
            None => {
                let name = name.to_string_lossy();
                return Err(Refusal::Usage(format!("-x {name}: hpvmrun's own environment has no {name} to pass on")));
            }
        }
    }
    // After the exports: it has to be the same for all parts.
    variables.remove(OsStr::new(names::THRESHOLDS));
    if !thresholds.is_empty() {
        variables.insert(names::THRESHOLDS.into(), thresholds.to_string().into());
    }
    let path = variables.get(OsStr::new("PATH"));
    let file = program::find(&part.program, path.map(OsString::as_os_str), work_dir.as_deref().unwrap_or(&here))
        .map_err(Refusal::Launch)?;
    let assignments = variables.iter().map(|(name, value)| [name, OsStr::new("="), value].into_iter().collect());
    Ok(PartPlan {
        name: part.program.to_string_lossy().into_owned(),
        path: c_string(file.as_os_str())?,
        file,
        arguments: [&part.program]
            .into_iter()
            .chain(&part.arguments)
            .map(|word| c_string(word))
            .collect::<Result<_, _>>()?,
        environment: assignments.map(|text: OsString| c_string(&text)).collect::<Result<_, _>>()?,
        work_dir: work_dir.map(|folder| c_string(folder.as_os_str())).transpose()?,
    })
}

fn check_work_dir(folder: &Path) -> Result<(), String> {
    let kind = std::fs::metadata(folder).map_err(|error| error.to_string())?;
    if kind.is_dir() { Ok(()) } else { Err("it is not a directory".into()) }
}

fn c_string(text: &OsStr) -> Result<CString, Refusal> {
    CString::new(text.as_bytes()).map_err(|_| Refusal::Usage(format!("{text:?} contains a zero byte")))
}

/// For the eye: in quotes where a shell would need them.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "-_=+./:,@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) { word.into() } else { format!("'{}'", word.replace('\'', "'\\''")) }
}
