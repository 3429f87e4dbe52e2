//! The HPC Challenge: HPL, PTRANS, RandomAccess, FFT and b_eff with the input that comes with it, for a grid of 2 by 2 ranks. What it
//! writes ends in a table of numbers, and each part has its own measure of being right.

use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result};
use mpi_suite::Mpi;
use mpi_suite::run::{self, Job};

use super::{App, Checked, Site};
use crate::exec;
use crate::tools::Library;

pub const APP: App = App {
    name: "hpcc",
    package: "hpcc",
    tools: &[],
    libraries: &[Library { name: "blas", package: "libblas-dev" }],
    build,
    check,
};

/// Its build wants a file of settings, which every site writes anew; its own makefiles rely on these names.
fn settings(mpicc: &str) -> String {
    let mut text = String::new();
    for (name, value) in [
        ("SHELL", "/bin/sh"),
        ("CD", "cd"),
        ("CP", "cp"),
        ("LN_S", "ln -s"),
        ("MKDIR", "mkdir"),
        ("RM", "rm -f"),
        ("TOUCH", "touch"),
        ("ARCH", "$(arch)"),
        ("TOPdir", "../../.."),
        ("INCdir", "$(TOPdir)/include"),
        ("BINdir", "$(TOPdir)/bin/$(ARCH)"),
        ("LIBdir", "$(TOPdir)/lib/$(ARCH)"),
        ("HPLlib", "$(LIBdir)/libhpl.a"),
        // Names of the Fortran interface of BLAS as gfortran makes them.
        ("HPL_DEFS", "-DAdd_ -DF77_INTEGER=int -DStringSunStyle -I$(INCdir) -I$(INCdir)/$(ARCH)"),
        ("HPL_LIBS", "$(HPLlib) -lblas -lm"),
        ("CC", mpicc),
        ("CCNOOPT", "$(HPL_DEFS)"),
        ("CCFLAGS", "$(HPL_DEFS) -O2"),
        ("LINKER", mpicc),
        ("LINKFLAGS", "$(CCFLAGS)"),
        ("ARCHIVER", "ar"),
        ("ARFLAGS", "r"),
        ("RANLIB", "echo"),
    ] {
        text += &format!("{name} = {value}\n");
    }
    text
}

fn build(site: &Site) -> Result<()> {
    let source = site.source();
    fs::write(source.join("hpl/Make.hpvm"), settings(&site.mpicc()))?;
    fs::copy(source.join("_hpccinf.txt"), source.join("hpccinf.txt")).context("its sample input")?;
    exec::logged(site.make(".").arg("arch=hpvm"), &site.log("build"))
}

fn check(site: &Site) -> Result<Vec<Checked>> {
    let source = site.source();
    let output = source.join("hpccoutf.txt");
    let _ = fs::remove_file(&output);
    let mut mpi = Mpi::installed(site.prefix);
    mpi.launcher_args = site.launcher_args.to_vec();
    mpi.launcher_args.extend(["--timeout".into(), site.limit.to_string().into()]);
    let job = Job {
        program: Path::new("./hpcc"),
        ranks: super::RANKS,
        args: &[],
        env: Vec::new(),
        preload: None,
        dir: Some(&source),
        stdin: None,
        limit: Duration::from_secs(site.limit + 15),
    };
    let ended = run::launch(&mpi, &job, &site.kept.join("hpcc.run"))?;
    let run = match ended.status {
        Some(status) if status.success() => None,
        Some(status) => Some(format!("{}{}", exec::ending(status), super::super::mpich::first_words(&ended))),
        None => Some(format!("the launcher did not end within {:.0} s", ended.seconds)),
    };
    let said = fs::read_to_string(&output).unwrap_or_default();
    fs::write(site.log("output"), &said)?;
    let mut checked = vec![("run".to_owned(), run)];
    checked.extend(judge(&said));
    Ok(checked)
}

/// The five parts by what the program wrote about them.
fn judge(said: &str) -> Vec<Checked> {
    let numbers: HashMap<&str, f64> =
        said.lines().filter_map(|line| line.split_once('=')).filter_map(|(name, value)| Some((name, value.parse().ok()?))).collect();
    let number = |name: &str| numbers.get(name).copied().unwrap_or(f64::NAN);
    let section = |name: &str| {
        let from = said.find(&format!("Begin of {name} section."))?;
        Some(&said[from..from + said[from..].find(&format!("End of {name} section."))?])
    };
    let residuals = |name: &str| section(name).is_some_and(|text| text.contains("PASSED") && !text.contains("FAILED"));
    let updates = |name: &str| number(&format!("{name}_ExeUpdates")) > 0.0 && number(&format!("{name}_Errors")) == 0.0;
    let rates = ["MaxPingPongLatency_usec", "RandomlyOrderedRingLatency_usec", "MinPingPongBandwidth_GBytes"];
    let parts = [
        ("HPL", residuals("HPL") && number("HPL_time") > 0.0, "residual check"),
        ("PTRANS", residuals("PTRANS") && number("PTRANS_residual").abs() < 1.0, "residual check"),
        ("RandomAccess", updates("MPIRandomAccess") && updates("MPIRandomAccess_LCG"), "updates lost"),
        ("FFT", number("MPIFFT_maxErr").abs() < 1e-12, "largest error"),
        ("b_eff", rates.iter().all(|name| number(name) > 0.0) && number("Success") == 1.0, "no figures"),
    ];
    parts.into_iter().map(|(name, right, what)| (name.to_owned(), (!right).then(|| format!("{what}: see hpcc.output.log")))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const RIGHT: &str = "\
Begin of HPL section.
||Ax-b||_oo/(eps*(||A||_oo*||x||_oo+||b||_oo)*N)=  0.0072 ...... PASSED
End of HPL section.
Begin of PTRANS section.
WALL   500   500  80  80   2   2     0.02 PASSED
End of PTRANS section.
Success=1
HPL_time=0.5
PTRANS_residual=0
MPIRandomAccess_LCG_ExeUpdates=2097152
MPIRandomAccess_LCG_Errors=0
MPIRandomAccess_ExeUpdates=2097152
MPIRandomAccess_Errors=0
MPIFFT_maxErr=1.29948e-15
MaxPingPongLatency_usec=11.8
RandomlyOrderedRingLatency_usec=8.5
MinPingPongBandwidth_GBytes=0.15
";

    fn wrong(said: &str) -> Vec<String> {
        judge(said).into_iter().filter(|(_, why)| why.is_some()).map(|(name, _)| name).collect()
    }

    #[test]
    fn parts_are_judged() {
        assert_eq!(wrong(RIGHT), Vec::<String>::new());
        assert_eq!(wrong(&RIGHT.replace("MPIRandomAccess_Errors=0", "MPIRandomAccess_Errors=3")), ["RandomAccess"]);
        assert_eq!(wrong(&RIGHT.replacen("PASSED", "FAILED", 1)), ["HPL"]);
        assert_eq!(wrong(&RIGHT.replace("e-15", "e-2")), ["FFT"]);
        assert_eq!(wrong("").len(), 5);
    }
}
