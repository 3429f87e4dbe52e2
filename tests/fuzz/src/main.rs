//! Fuzz targets: one for every parser that reads what came from a network, from a file, or out of memory that another process writes.
//!
//! `cargo xtask fuzz` builds this with coverage for libFuzzer (`--cfg fuzzing`) and runs one target after the other; by itself it lists
//! them, and repeats single inputs. A target takes any bytes. It fails by panicking, by taking seconds for one input, or by taking too much memory: [`targets`] says what
//! each holds besides. What a run finds becomes a unit test beside the code that is mended.

#![cfg_attr(fuzzing, no_main)]

mod targets;

use targets::{TARGETS, Target};

/// The target that is to be run, and the folder that its first inputs go to.
#[cfg(fuzzing)]
const TARGET: &str = "HPVM_FUZZ_TARGET";
#[cfg(fuzzing)]
const SEEDS: &str = "HPVM_FUZZ_SEEDS";

#[cfg(fuzzing)]
static CHOSEN: std::sync::OnceLock<&Target> = std::sync::OnceLock::new();

#[cfg(fuzzing)]
fn choose() {
    let name = std::env::var(TARGET).unwrap_or_default();
    let Some(target) = TARGETS.iter().find(|target| target.name == name) else {
        eprintln!("{TARGET} names no target: {name:?}");
        list();
        std::process::exit(2);
    };
    if let Some(folder) = std::env::var_os(SEEDS).map(std::path::PathBuf::from) {
        for (number, seed) in (target.seeds)().iter().enumerate() {
            std::fs::write(folder.join(format!("seed-{number}")), seed).expect("the folder of the seeds can be written");
        }
    }
    let _ = CHOSEN.set(target);
}

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(init: choose(), |data: &[u8]| (CHOSEN.get().expect("it was chosen before").run)(data));

fn list() {
    for Target { name, reads, .. } in TARGETS {
        println!("{name}\t{reads}");
    }
}

/// By itself it repeats: `hpvm-fuzz TARGET FILE…` gives the target those inputs, `hpvm-fuzz TARGET` its seeds.
#[cfg(not(fuzzing))]
fn main() -> std::io::Result<()> {
    let mut words = std::env::args().skip(1);
    let name = words.next().unwrap_or_default();
    let Some(target) = TARGETS.iter().find(|target| target.name == name) else {
        list();
        return Ok(());
    };
    let files: Vec<Vec<u8>> = words.map(std::fs::read).collect::<Result<_, _>>()?;
    let inputs = if files.is_empty() { (target.seeds)() } else { files };
    inputs.iter().for_each(|input| (target.run)(input));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Seeds are what a run begins with: none of them may be a find.
    #[test]
    fn every_target_takes_its_seeds_and_nothing_at_all() {
        for target in TARGETS {
            let seeds = (target.seeds)();
            assert!(!seeds.is_empty(), "{} has no seed", target.name);
            seeds.iter().for_each(|seed| (target.run)(seed));
            (target.run)(&[]);
        }
    }

    #[test]
    fn names_are_unique() {
        let names: std::collections::HashSet<_> = TARGETS.iter().map(|target| target.name).collect();
        assert_eq!(names.len(), TARGETS.len());
    }
}
