//! What the user asked for, as typed values.
//!
//! Read from three places, each stronger than the next: the command line ([`parse`]), `HPVM_*`
//! variables and the configuration file ([`sources`]). [`table`] holds every option once.

pub mod completions;
pub mod help;
pub mod parse;
pub mod sources;
pub mod suggest;
pub mod table;
mod value;

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use hpvm_wire::devices::Device;

/// A whole command line.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Options {
    pub parts: Vec<Part>,
    pub job: JobOptions,
}

/// One part of an MPMD command line: a program and its number of ranks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    pub ranks: u32,
    pub work_dir: Option<PathBuf>,
    /// `None` as a value passes on what hpvmrun itself has.
    pub exports: Vec<(OsString, Option<OsString>)>,
    pub hosts: Vec<String>,
    pub program: OsString,
    pub arguments: Vec<OsString>,
}

/// Options for the whole job.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct JobOptions {
    pub per_node: Option<u32>,
    /// By default none; with `--map-by numa` a NUMA node.
    pub bind_to: Option<BindTo>,
    pub map_by: MapBy,
    pub no_oversubscribe: bool,
    pub devices: Devices,
    pub encrypt: bool,
    /// The machine file, and the list of machines in the form of other launchers.
    pub machines: Option<PathBuf>,
    pub host_file: Option<PathBuf>,
    pub rank_file: Option<PathBuf>,
    /// The table of thresholds.
    pub tuning: Option<PathBuf>,
    pub tag_output: bool,
    pub timestamp: bool,
    pub output_dir: Option<PathBuf>,
    pub timeout: Option<Duration>,
    pub patience: Patience,
    /// Zero: never. `None`: not said.
    pub hang_report: Option<Duration>,
    pub json_events: Option<PathBuf>,
    pub dry_run: bool,
    /// The ranks that wait for a debugger.
    pub gdb: Option<crate::debug::Ranks>,
    pub explain: bool,
    pub verbose: bool,
}

/// How long other machines are waited for; `None` for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// Until ssh has led to an `hpvmd`.
    pub start: Option<Duration>,
    /// While nothing is heard of it.
    pub silence: Option<Duration>,
}

impl Default for Patience {
    fn default() -> Self {
        Self { start: Some(Duration::from_secs(30)), silence: Some(Duration::from_secs(10)) }
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BindTo {
    #[default]
    None,
    Core,
    Numa,
    /// A core, those of different NUMA nodes in turn: `--map-by numa --bind-to core`.
    CoreOfNuma,
}

/// How ranks are dealt to machines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MapBy {
    /// As many as a machine has slots, then the next.
    #[default]
    Slot,
    /// One each, over and over.
    Node,
    /// As by slot, and on a machine to its NUMA nodes in turn.
    Numa,
}

impl JobOptions {
    /// What ranks are bound to, by `--bind-to` and `--map-by` together.
    pub fn binding(&self) -> BindTo {
        match (self.bind_to, self.map_by) {
            (None, MapBy::Numa) => BindTo::Numa,
            (Some(BindTo::Core), MapBy::Numa) => BindTo::CoreOfNuma,
            (bind_to, _) => bind_to.unwrap_or_default(),
        }
    }
}

/// The devices that may carry messages.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Devices {
    /// Those that `--device` names, the preferred one first; none: nothing was said.
    pub named: Vec<&'static Device>,
    /// Only those that nobody can listen to: `--encrypt`.
    pub private: bool,
}

impl Devices {
    /// Whether ranks of a machine use its memory.
    pub fn smp(&self) -> bool {
        self.named.is_empty() || self.named.iter().any(|device| device.name == SMP)
    }

    /// Why a device that this version has may not be used, if it may not.
    pub fn refuse(&self, device: &Device) -> Option<&'static str> {
        match self.private && !device.private {
            _ if !self.named.is_empty() && !self.named.contains(&device) => Some("--device does not name it"),
            true => Some("it does not encrypt, and --encrypt is asked for"),
            false => None,
        }
    }
}

/// A machine's own memory.
pub const SMP: &str = "smp";

/// What a command line asks for.
#[derive(Clone, Debug, PartialEq)]
pub enum Request {
    Run(Box<Options>),
    Help,
    Version,
    Completions(completions::Shell),
}
