//! The symbol gate: the installed libraries export the functions of the standard ABI and those of `extra.txt`, each as a
//! weak `MPI_X` over a strong `PMPI_X` at the same address (MPI 5.0 section 15.2), and nothing else.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use mpi_suite::report::Counts;

use super::check;
use crate::exec;
use crate::repo::Repo;

pub fn run(repo: &Repo) -> Result<Counts> {
    let lib = repo.prefix().join("lib");
    let names = names(&repo.root.join("mpi-fm/abi"))?;
    let mut counts = Counts::default();
    let shared = nm(&["--dynamic"], &lib.join("libmpi_abi.so.1"))?;
    check(&mut counts, "libmpi_abi.so.1 exports each name once weak, once strong, and nothing else", gate(&names, &shared));
    let archive = nm(&["--extern-only"], &lib.join("libmpi_abi.a"))?;
    check(&mut counts, "libmpi_abi.a exports each name once weak, once strong, and nothing else", gate(&names, &archive));
    Ok(counts)
}

/// The functions that have to be there, as `MPI_X`.
fn names(abi: &Path) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for file in ["functions.txt", "extra.txt"] {
        let path = abi.join(file);
        let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let lines = text.lines().map(|line| line.split('#').next().unwrap_or_default());
        names.extend(lines.filter_map(|line| line.split_whitespace().next()).map(str::to_owned));
    }
    names.sort();
    Ok(names)
}

/// The defined symbols of a library: kind and address by name.
fn nm(options: &[&str], library: &Path) -> Result<BTreeMap<String, (String, String)>> {
    let text = exec::quiet(Command::new("nm").args(options).args(["--defined-only", "--format=posix"]).arg(library))?;
    let mut symbols = BTreeMap::new();
    for line in text.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        // `name kind address [size]`; other lines name members of an archive.
        if let [name, kind, address, ..] = words[..]
            && symbols.insert(name.to_owned(), (kind.to_owned(), address.to_owned())).is_some()
        {
            bail!("{name} is defined twice");
        }
    }
    Ok(symbols)
}

fn gate(names: &[String], symbols: &BTreeMap<String, (String, String)>) -> Result<()> {
    for name in names {
        let strong = format!("P{name}");
        match (symbols.get(name), symbols.get(&strong)) {
            (Some((weak, address)), Some((kind, other))) => {
                if (&**weak, &**kind) != ("W", "T") || address != other {
                    bail!("{name} is {weak} at {address}, {strong} is {kind} at {other}");
                }
            }
            (weak, _) => bail!("{} is not exported", if weak.is_none() { name } else { &strong }),
        }
    }
    if let Some(other) = symbols.keys().find(|symbol| names.binary_search(&symbol.trim_start_matches("P").into()).is_err()) {
        bail!("{other} is exported too");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn symbols(text: &str) -> BTreeMap<String, (String, String)> {
        let entry = |line: &str| {
            let words: Vec<_> = line.split_whitespace().collect();
            (words[0].to_owned(), (words[1].to_owned(), words[2].to_owned()))
        };
        text.lines().map(entry).collect()
    }

    #[test]
    fn the_gate_is_narrow() {
        let names = ["MPI_Init".to_owned()];
        assert!(gate(&names, &symbols("MPI_Init W 10\nPMPI_Init T 10")).is_ok());
        for wrong in [
            "MPI_Init W 10\nPMPI_Init T 20",
            "MPI_Init T 10\nPMPI_Init T 10",
            "MPI_Init W 10",
            "PMPI_Init T 10",
            "MPI_Init W 10\nPMPI_Init T 10\nrust_begin_unwind T 30",
        ] {
            assert!(gate(&names, &symbols(wrong)).is_err(), "{wrong}");
        }
    }
}
