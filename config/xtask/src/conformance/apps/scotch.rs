//! PT-Scotch, which partitions graphs, with threads beside MPI: the checks of its distributed part.

use std::fs;

use anyhow::{Context as _, Result};

use super::{App, Checked, Site, tried};
use crate::exec;
use crate::tools::{Library, Tool};

pub const APP: App = App {
    name: "scotch",
    package: "scotch",
    tools: &[Tool { program: "flex", package: "flex" }, Tool { program: "bison", package: "bison" }],
    libraries: &[Library { name: "z", package: "zlib1g-dev" }],
    build,
    check,
};

fn build(site: &Site) -> Result<()> {
    let folder = site.source().join("src");
    let sample = folder.join("Make.inc/Makefile.inc.x86-64_pc_linux2");
    let sample = fs::read_to_string(&sample).with_context(|| format!("cannot read {}", sample.display()))?;
    // Later settings replace earlier ones.
    let settings = format!("{sample}\nCCP = {mpicc}\nCCD = {mpicc}\n", mpicc = site.mpicc());
    fs::write(folder.join("Makefile.inc"), settings)?;
    exec::logged(site.make("src").args(["scotch", "ptscotch", "esmumps", "ptesmumps"]), &site.log("build"))
}

/// Some checks want 3 ranks where any number will do; all get 4.
fn check(site: &Site) -> Result<Vec<Checked>> {
    let mpirun = site.mpirun();
    let launch = format!("{mpirun} -n {}", super::RANKS);
    let mut make = site.make("src");
    make.args(["ptcheck", &format!("EXECPPROG={mpirun}"), &format!("EXECP3={launch}"), &format!("EXECP4={launch}")]);
    Ok(vec![("ptcheck".into(), tried(&mut make, &site.log("check")))])
}
