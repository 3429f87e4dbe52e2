//! Compiles the benchmark programs: with each MPI's own `mpicc`, and with plain `cc` what needs no MPI.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::measure::Contender;
use super::plan::Program;
use crate::home;

/// Where the compiled programs are.
#[derive(Debug)]
pub struct Built {
    /// By family and source.
    programs: BTreeMap<(String, &'static str), PathBuf>,
    pub floor: PathBuf,
    /// The floor between hosts.
    pub tcp: PathBuf,
    /// Computes for ever.
    pub hog: PathBuf,
}

impl Built {
    pub fn program(&self, contender: &Contender, program: &Program) -> &Path {
        &self.programs[&(contender.family.clone(), program.source)]
    }
}

pub fn all(contenders: &[Contender], programs: &[&Program], work_dir: &Path) -> Result<Built> {
    let dir = work_dir.join("bench");
    std::fs::create_dir_all(&dir).with_context(|| format!("creating {}", dir.display()))?;
    let mut built = BTreeMap::new();
    for contender in contenders {
        for program in programs.iter().filter(|program| contender.takes_part(program)) {
            let key = (contender.family.clone(), program.source);
            let Entry::Vacant(place) = built.entry(key) else { continue };
            let output = dir.join(format!("{}.{}", program.source, contender.family));
            let mut command = Command::new(&contender.mpi.mpicc);
            command.envs(contender.mpi.env.iter().map(|(name, value)| (name, value)));
            compile(&mut command, program.source, &output)?;
            place.insert(output);
        }
    }
    let plain = |source: &str| {
        let output = dir.join(source);
        compile(&mut Command::new("cc"), source, &output).map(|()| output)
    };
    Ok(Built { programs: built, floor: plain("floor")?, tcp: plain("tcp")?, hog: plain("hog")? })
}

fn compile(command: &mut Command, source: &str, output: &Path) -> Result<()> {
    command.args(["-O2", "-std=gnu11", "-pthread"]).arg(home().join("bench").join(format!("{source}.c")));
    command.arg("-o").arg(output);
    let done = command.output().with_context(|| format!("running {command:?}"))?;
    if !done.status.success() {
        bail!("{command:?}: {}", String::from_utf8_lossy(&done.stderr).trim());
    }
    Ok(())
}
