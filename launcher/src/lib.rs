//! The launcher: from a command line to ranks that run, and from any ending to nothing left behind.
//!
//! In the order in which a job passes through:
//!
//! 1. [`options`] reads the command line, `HPVM_*` variables and the configuration file, by one table.
//! 2. [`plan`] makes of it one entry per rank: [`program`] finds what is to be run, [`binding`] the
//!    cores, [`capacity`] refuses what the machine's limits would refuse half way.
//! 3. [`keeper`] holds the processes between `hpvmrun` and the ranks. There are three in a row,
//!    `hpvmrun`, the outer and the inner keeper, and each of them alone is able to end all that is
//!    below it ([`reap`], over [`proc`]). See `docs/decisions/0004-two-keepers.md`.
//! 4. [`job`] is the event loop of `hpvmrun`: output, input, signals, the status board, and
//!    [`job::judge`], which decides what the leaving of a rank means for the job.
//!
//! [`doctor`] examines machines instead of running a job. Ranks on other machines are [`node`]'s business, and [`network`] makes the sockets by which they find each other.
//!
//! [`mpir`] is what debuggers look for, [`debug`] has ranks wait for one.
//!
//! Where to start reading: [`run`], which is those four steps, then [`job::judge`].
//!
//! `unsafe` is confined to [`sys`]: fork, exec and signal masks; [`mpir`] only exports names.

#![deny(unsafe_code)]

pub mod binding;
pub mod capacity;
pub mod debug;
pub mod doctor;
pub mod exit;
pub mod job;
pub mod keeper;
pub mod link;
#[allow(unsafe_code)]
pub mod mpir;
pub mod network;
pub mod node;
pub mod options;
pub mod plan;
pub mod proc;
pub mod program;
pub mod reap;
pub mod run;
#[allow(unsafe_code)]
pub mod sys;
pub mod tuning;
