//! Two hosts that two networks join, of which one is cut at random moments, at either end, while two ranks send each other numbered messages over the device
//! `servernet`. Every message has to arrive, once and in order, and none of them much later than the one before it.
//!
//! Normally a few cuts; `cargo xtask test --only cuts --cuts 200 --fault-seed 7` is what has to hold at length.

use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use mpi_suite::lots::Lots;
use mpi_suite::report::Counts;
use mpi_suite::{Mpi, checks};

use super::check;
use crate::cluster::{Hosts, Wanted};
use crate::repo::Repo;
use crate::{exec, tools};

// The options of the step `faults` have a type of this name, too, and clap wants names of groups to differ.
#[derive(clap::Args)]
#[group(skip)]
pub struct Choice {
    /// Cuts of the step `cuts`
    #[arg(long, default_value_t = 8, value_name = "N")]
    cuts: u32,
}

/// The longest time between two messages of a stream, in milliseconds, on a machine that may have other things to do.
const PAUSE_MAX: f64 = 500.0;

/// How long a cut lasts, and how long both networks carry then, in milliseconds: from and to.
const CUT: [u64; 2] = [20, 400];
const WELL: [u64; 2] = [250, 700];

/// Every so many cuts a cable is pulled. A host then looks for the other one's address anew, once a second, and has its network back when it has found it: so long the
/// other network is left alone.
const PULLED: u32 = 5;
const FOUND_AGAIN: u64 = 1200;

struct Cut {
    /// Before it.
    well: u64,
    fabric: u8,
    host: u8,
    pulled: bool,
    lasts: u64,
    /// After it, beyond what is well before the next one.
    after: u64,
}

pub fn run(repo: &Repo, args: &Choice, seed: Option<u64>) -> Result<Counts> {
    let mut counts = Counts::default();
    if !tools::is_root() {
        println!("skip  cuts: virtual hosts take root");
        return Ok(Counts { skipped: 1, ..counts });
    }
    let mpi = Mpi::installed(&repo.prefix());
    let program = checks::build(&mpi, "kill/numbered.c")?.canonicalize()?;
    let hosts = Hosts::make(repo, &Wanted { hosts: 2, fabrics: 2, slots: 1, daemons: false })?;
    let seed = seed.unwrap_or(std::time::UNIX_EPOCH.elapsed()?.as_secs());
    let result = cut(&hosts, &mpi, &program, args.cuts, &mut Lots::of(seed));
    check(&mut counts, &format!("{} cuts of seed {seed}", args.cuts), result.map(|longest| println!("      longest pause {longest:.1} ms")));
    Ok(counts)
}

/// The longest pause in milliseconds.
fn cut(hosts: &Hosts, mpi: &Mpi, program: &std::path::Path, cuts: u32, lots: &mut Lots) -> Result<f64> {
    let between = |lots: &mut Lots, [from, to]: [u64; 2]| from + lots.below(to - from);
    let one = |number: u32| {
        let pulled = number % PULLED == PULLED - 1;
        let (fabric, host) = (lots.below(2) as u8, 1 + lots.below(2) as u8);
        Cut { well: between(lots, WELL), fabric, host, pulled, lasts: between(lots, CUT), after: if pulled { FOUND_AGAIN } else { 0 } }
    };
    let plan: Vec<Cut> = (0..cuts).map(one).collect();
    // A second to start, and one behind the last cut.
    let seconds = 2 + plan.iter().map(|cut| cut.well + cut.lasts + cut.after).sum::<u64>() / 1000;
    let mut command = Command::new(&mpi.mpirun);
    command.arg("-m").arg(&hosts.machines).args(["-n", "2", "--device", "servernet", "--timeout", &(seconds + 60).to_string()]);
    command.arg(program).arg(seconds.to_string()).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.spawn().with_context(|| exec::shown(&command))?;
    std::thread::sleep(Duration::from_secs(1));
    let sleep = |milliseconds| std::thread::sleep(Duration::from_millis(milliseconds));
    for Cut { well, fabric, host, pulled, lasts, after } in plan {
        let carries = |carries| match pulled {
            true => hosts.cluster.set_cable_of(fabric, host, carries),
            false => hosts.cluster.set_port(fabric, host, carries),
        };
        sleep(well);
        carries(false)?;
        sleep(lasts);
        carries(true)?;
        sleep(after);
    }
    let output = child.wait_with_output()?;
    let (said, wrong) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    ensure!(output.status.success(), "it ended with {}: {said}{wrong}", exec::ending(output.status));
    let pauses = said.lines().filter_map(|line| line.split_once("longest pause ")?.1.split_once(" ms")?.0.parse::<f64>().ok());
    let pauses: Vec<f64> = pauses.collect();
    ensure!(pauses.len() == 2, "two ranks have something to say: {said}{wrong}");
    let longest = pauses.into_iter().fold(0.0, f64::max);
    ensure!(longest < PAUSE_MAX, "a pause of {longest} ms: {said}");
    Ok(longest)
}
