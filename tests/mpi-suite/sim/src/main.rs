//! Runs unmodified C programs as N ranks of one process, on a simulated network, in virtual time.
//!
//! ```text
//! mpi-sim --ranks 4 --seeds 20 pi.c            a program at 20 seeds
//! mpi-sim --ranks 4 --seed 17 pi.c             the 17th again: the same run
//! mpi-sim --suite --seeds 20                   every program that the suite's manifest marks `sim`
//! mpi-sim --suite --seeds 20..40               the same at the next 20
//! mpi-sim --suite --seeds 20 --faults          the same while the network does wrong: loses packets, and worse
//! ```
//! A seed decides how packets are delayed, which rank runs next at every MPI call, and how narrow the network is. It is tried
//! in a child process, so that a crash or a hang is one more way to fail.
//!
//! From the outside in: [`suite`] and [`attempt`] run many simulations and judge them; [`program`] compiles a program and
//! loads a private copy for each rank; [`world`] is one simulation: its ranks are coroutines ([`rank`]), one of which runs at
//! a time; [`sys`] holds the system calls.

mod attempt;
mod program;
mod rank;
mod seeds;
mod suite;
mod sys;
mod world;

use anyhow::{Result, bail, ensure};
use clap::Parser;
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(Parser)]
#[command(version, about = "Runs C programs as ranks of one process, on a simulated network")]
struct Args {
    /// Ranks of the program
    #[arg(short = 'n', long, default_value_t = 2)]
    ranks: u32,
    /// Tries this many seeds, from 0 on; or those of a range such as 20..40
    #[arg(long, value_name = "NUMBER|RANGE", default_value = "1")]
    seeds: seeds::Seeds,
    /// Tries this seed only, and shows all that the program says
    #[arg(long, conflicts_with = "seeds")]
    seed: Option<u64>,
    #[command(flatten)]
    trouble: attempt::Trouble,
    /// Runs the programs of the suite's manifest instead
    #[arg(long)]
    suite: bool,
    /// With --suite: only programs whose name matches
    #[arg(long, value_name = "REGEX")]
    filter: Option<regex::Regex>,
    /// Seconds of processor time that one run may take
    #[arg(long, default_value_t = 60)]
    limit: u32,
    /// Runs at a time
    #[arg(short, long, default_value_t = 2)]
    jobs: usize,
    /// The compiler's flags, for a program in C
    #[arg(long, value_name = "FLAG", allow_hyphen_values = true)]
    cflag: Vec<String>,
    /// A program in C, or one built as a shared object; then its arguments
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    program: Vec<String>,
}

fn main() -> ExitCode {
    // What the programs call must be linked although nothing here calls it.
    mpi_fm_abi::table::keep();
    match run(&Args::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("mpi-sim: {error:#}");
            ExitCode::from(2)
        }
    }
}

/// Returns whether every run was good.
fn run(args: &Args) -> Result<bool> {
    let seeds = args.seed.map_or_else(|| args.seeds.0.clone(), |seed| seed..seed + 1);
    if args.suite {
        return suite::run(seeds, args.trouble, args.filter.as_ref(), args.jobs);
    }
    ensure!(args.ranks > 0, "a program needs at least one rank");
    let Some((program, program_args)) = args.program.split_first() else {
        bail!("no program (see --help)");
    };
    let object = program::object(&PathBuf::from(program), &args.cflag)?;
    let plan = |seed| attempt::Plan {
        name: String::new(),
        object: object.clone(),
        shown: args.program.join(" "),
        args: program_args.to_vec(),
        env: Vec::new(),
        flags: args.cflag.clone(),
        ranks: args.ranks,
        seed,
        trouble: args.trouble,
        limit_s: args.limit,
    };
    let mut good = true;
    attempt::run_all(seeds.map(plan), args.jobs, |plan, outcome| {
        let failure = outcome.failure();
        if failure.is_some() || args.seed.is_some() {
            print!("{}", outcome.output);
        }
        if let Some(why) = failure {
            println!("seed {}: {why}\n  again: {}", plan.seed, plan.replay());
            good = false;
        }
    })?;
    Ok(good)
}
