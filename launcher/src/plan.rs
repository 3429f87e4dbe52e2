//! What is going to run: one entry per rank, everything resolved, nothing started.

use std::collections::BTreeMap;
use std::ffi::{CString, OsStr, OsString};
use std::fmt::Write as _;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use hpvm_wire::Place;
use rustix::thread::CpuSet;

use crate::binding;
use crate::exit::Refusal;
use crate::options::{Options, Part};
use crate::program;

/// A job, ready to be started.
#[derive(Debug)]
pub struct Plan {
    pub host: String,
    pub parts: Vec<PartPlan>,
    pub ranks: Vec<RankPlan>,
}

/// What the ranks of one part of the command line have in common.
#[derive(Debug)]
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
}

impl Plan {
    /// Resolves the options against this machine. `environment` is hpvmrun's own.
    pub fn new(options: &Options, environment: &BTreeMap<OsString, OsString>) -> Result<Self, Refusal> {
        let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
        let size = size(options, &host)?;
        let places = binding::places(options.job.bind_to).map_err(Refusal::Launch)?;
        let parts: Vec<_> = options.parts.iter().map(|part| part_plan(part, environment)).collect::<Result<_, _>>()?;
        let part_of = options.parts.iter().enumerate().flat_map(|(at, part)| (0..part.ranks).map(move |_| at));
        let ranks = (0..size).zip(part_of).map(|(rank, part)| RankPlan {
            place: Place { rank, size, local_rank: rank, local_size: size, appnum: part as u32, universe_size: size },
            part,
            cores: places.get(rank as usize % places.len().max(1)).cloned(),
        });
        Ok(Self { host, ranks: ranks.collect(), parts })
    }

    pub fn size(&self) -> u32 {
        self.ranks.len() as u32
    }

    /// What `--dry-run` and `--explain` print.
    pub fn describe(&self) -> String {
        let mut text = format!("{} rank(s) on {}; messages go through shared memory (smp)\n", self.size(), self.host);
        for rank in &self.ranks {
            let part = &self.parts[rank.part];
            let _ = write!(text, "rank {}:", rank.place.rank);
            if let Some(cores) = &rank.cores {
                let _ = write!(text, " on cpu {},", binding::show(cores));
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

/// The number of ranks, once it is certain that they all belong on this machine.
fn size(options: &Options, host: &str) -> Result<u32, Refusal> {
    for named in options.parts.iter().flat_map(|part| &part.hosts) {
        let name = named.rsplit_once(':').filter(|(_, slots)| slots.parse::<u32>().is_ok()).map_or(&**named, |s| s.0);
        let own = ["localhost", "127.0.0.1", "::1", host, host.split('.').next().unwrap_or(host)];
        if !own.contains(&name) {
            return Err(Refusal::Usage(format!(
                "--host {name}: this version launches on this machine only, which is localhost or {host}"
            )));
        }
    }
    let sum: u64 = options.parts.iter().map(|part| u64::from(part.ranks)).sum();
    let size = u32::try_from(sum).map_err(|_| Refusal::Usage(format!("{sum} ranks are too many")))?;
    match options.job.per_node {
        Some(most) if size > most => Err(Refusal::Usage(format!(
            "{size} ranks with --ppn {most} need {} machines, and this version launches on this machine only",
            size.div_ceil(most)
        ))),
        _ => Ok(size),
    }
}

fn part_plan(part: &Part, environment: &BTreeMap<OsString, OsString>) -> Result<PartPlan, Refusal> {
    let here =
        std::env::current_dir().map_err(|error| Refusal::Launch(format!("cannot tell the current folder: {error}")))?;
    let work_dir = part.work_dir.as_ref().map(|folder| here.join(folder));
    if let Some(folder) = &work_dir {
        check_work_dir(folder).map_err(|why| Refusal::Launch(format!("-wdir {}: {why}", folder.display())))?;
    }
    let mut variables = environment.clone();
    for name in hpvm_wire::names::ALL {
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
