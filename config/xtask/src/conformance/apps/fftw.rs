//! FFTW's MPI transforms: its own program tries random problems and compares with what the definition gives, at 1 to 4 ranks.

use std::process::Command;

use anyhow::Result;

use super::{App, Checked, Site, tried};
use crate::exec;
use crate::tools::Tool;

pub const APP: App = App {
    name: "fftw",
    package: "fftw3",
    tools: &[Tool { program: "perl", package: "perl" }],
    libraries: &[],
    build,
    check,
};

/// Random problems of each kind and number of ranks.
const PROBLEMS: usize = 5;

fn build(site: &Site) -> Result<()> {
    let mut configure = Command::new("./configure");
    configure.current_dir(site.source()).args(["--quiet", "--enable-mpi", "--disable-fortran", "--disable-doc", "CFLAGS=-O1"]);
    exec::logged(configure.arg(format!("MPICC={}", site.mpicc())), &site.log("configure"))?;
    exec::logged(&mut site.make("."), &site.log("build"))
}

fn check(site: &Site) -> Result<Vec<Checked>> {
    let log = site.log("check");
    let mut make = site.make("mpi");
    make.args(["check", &format!("MPIRUN={}", site.mpirun()), &format!("NUMCHECK={PROBLEMS}")]);
    let failed = tried(&mut make, &log);
    let said = std::fs::read_to_string(&log)?;
    // It stops at the first failure.
    let result = |ranks: usize| match said.contains(&passed(ranks)) {
        true => None,
        false => Some(failed.clone().unwrap_or_else(|| format!("did not say that it passed; see {}", log.display()))),
    };
    Ok((1..=super::RANKS).map(|ranks| (format!("transforms -n {ranks}"), result(ranks))).collect())
}

fn passed(ranks: usize) -> String {
    format!("MPI FFTW transforms passed {PROBLEMS} tests, {ranks} CPU")
}
