//! What the user asked for, as typed values.
//!
//! Read from three places, each stronger than the next: the command line ([`parse`]), `HPVM_*`
//! variables and the configuration file ([`sources`]). [`table`] holds every option once.

pub mod help;
pub mod parse;
pub mod sources;
pub mod suggest;
pub mod table;
mod value;

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

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
    pub bind_to: BindTo,
    pub tag_output: bool,
    pub timestamp: bool,
    pub output_dir: Option<PathBuf>,
    pub timeout: Option<Duration>,
    pub json_events: Option<PathBuf>,
    pub dry_run: bool,
    pub explain: bool,
    pub verbose: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BindTo {
    #[default]
    None,
    Core,
    Numa,
}

/// What a command line asks for.
#[derive(Clone, Debug, PartialEq)]
pub enum Request {
    Run(Box<Options>),
    Help,
    Version,
}
