//! A seed is a run: the same one whenever it is tried, and another one than its neighbour's.

use std::process::{Command, Output};

fn sim(options: &[&str], args: &[&str]) -> Output {
    let program = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/clock.c");
    Command::new(env!("CARGO_BIN_EXE_mpi-sim")).args(options).arg(program).args(args).output().unwrap()
}

/// What the virtual clock shows at the end of a good run, on each rank.
fn clocks(options: &[&str]) -> String {
    let run = sim(options, &[]);
    let said = String::from_utf8(run.stdout).unwrap();
    assert!(run.status.success(), "{options:?}: {said}{}", String::from_utf8_lossy(&run.stderr));
    assert_eq!(said.lines().filter(|line| line.starts_with("rank ")).count(), 5, "{said}");
    said
}

#[test]
fn the_same_seed_is_the_same_run() {
    for trouble in ["--jobs=1", "--faults"] {
        let run = |seed| clocks(&["--ranks=5", trouble, "--seed", seed]);
        assert_eq!(run("11"), run("11"), "{trouble}");
        assert_ne!(run("11"), run("12"), "{trouble}");
    }
}

#[test]
fn each_failure_is_shown_with_what_repeats_it() {
    let run = sim(&["--ranks=2", "--faults", "--seeds=20..22"], &["7"]);
    assert_eq!(run.status.code(), Some(1));
    let said = String::from_utf8(run.stdout).unwrap();
    for seed in [20, 21] {
        assert!(said.contains(&format!("seed {seed}: exit status 7\n")), "{said}");
        assert!(said.contains(&format!("cargo run -p mpi-sim -- --faults --ranks 2 --seed {seed} ")), "{said}");
    }
    assert!(!said.contains("seed 19") && !said.contains("seed 22"), "{said}");
}
