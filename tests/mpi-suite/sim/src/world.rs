//! One simulation: its network, its ranks, and who runs when.

use crate::attempt::Plan;
use crate::program;
use crate::rank::SimRank;
use anyhow::{Context, Result};
use fm::sim::{self, Network, Random};
use std::ffi::CString;

/// Virtual nanoseconds that a turn takes.
const TURN_NS: u64 = 50;

/// After this many turns nothing will come of it.
const TURNS_MAX: u64 = 200_000_000;

/// Runs the program; returns its exit status: that of the first rank that failed.
pub fn run(plan: &Plan) -> Result<i32> {
    let mut random = Random::new(plan.seed);
    let network = Network::new(random.next_u64(), plan.ranks, network_plan(&mut random, plan.trouble.faults));
    let crash = plan.trouble.crash.then(|| Crash::draw(&mut random, plan.ranks));
    let mains = program::load(&plan.object, plan.ranks)?;
    let arguments = std::iter::once(&plan.shown).chain(&plan.args);
    let arguments = arguments.map(|arg| CString::new(arg.as_str())).collect::<Result<Vec<_>, _>>().context("a NUL in an argument")?;
    let mut ranks = (0..)
        .zip(mains)
        .map(|(me, main)| SimRank::new(me, plan.ranks, &network, main, arguments.clone()))
        .collect::<Result<Vec<_>, _>>()
        .context("no memory for a rank's stack")?;
    let status = schedule(&mut ranks, &network, &mut random, crash.as_ref());
    // Ranks that left with `exit` still have frames on their stacks, which nobody may unwind.
    std::mem::forget(ranks);
    Ok(status)
}

/// The status of a job of which a rank was killed, as `hpvmrun` has it.
pub const CRASHED: i32 = 128 + libc::SIGKILL;

/// A rank dies at some turn; some turns later the launcher ends the others.
struct Crash {
    rank: usize,
    turn: u64,
    end: u64,
}

impl Crash {
    fn draw(random: &mut Random, ranks: u32) -> Crash {
        let turn = random.any_size(16);
        Crash { rank: random.below(ranks.into()) as usize, turn, end: turn + random.any_size(12) }
    }
}

fn schedule(ranks: &mut [SimRank], network: &Network, random: &mut Random, crash: Option<&Crash>) -> i32 {
    let mut first_failure = 0;
    let mut runnable = Vec::new();
    for turn in 0..TURNS_MAX {
        let is_dead = |rank: usize| crash.as_ref().is_some_and(|crash| turn >= crash.turn && rank == crash.rank);
        runnable.clear();
        runnable.extend((0..ranks.len()).filter(|&index| !is_dead(index) && ranks[index].runnable(network)));
        // Nobody misses a rank that has left.
        if let Some(crash) = &crash
            && (turn >= crash.end || turn >= crash.turn && runnable.is_empty())
            && ranks[crash.rank].exited().is_none()
        {
            return if first_failure == 0 { CRASHED } else { first_failure };
        }
        if runnable.is_empty() {
            if ranks.iter().all(|rank| rank.exited().is_some()) {
                return first_failure;
            }
            if !network.advance() {
                return report("no rank can run and nothing is on its way: a deadlock", ranks);
            }
            continue;
        }
        let rank = &mut ranks[runnable[random.below(runnable.len() as u64) as usize]];
        rank.run();
        network.tick(TURN_NS);
        if let Some(status) = rank.exited()
            && first_failure == 0
        {
            first_failure = status;
        }
    }
    report("the ranks run and get nowhere", ranks)
}

fn report(what: &str, ranks: &[SimRank]) -> i32 {
    eprintln!("mpi-sim: {what}");
    ranks.iter().for_each(|rank| eprintln!("mpi-sim:   {}", rank.doing()));
    124
}

/// A network as the seed wants it: from narrow, where every other packet is refused, to wide.
fn network_plan(random: &mut Random, faults: bool) -> sim::Plan {
    let mut pick = |from: &[usize]| from[random.below(from.len() as u64) as usize];
    let max_packet = pick(&[256, 1024, 4096, 32 << 10]);
    let credits = pick(&[0, 0, 2, 5, 32]);
    let slots = pick(&[1, 3, 16, 64]);
    let delay_ns_max = pick(&[1, 500, 5_000, 100_000]);
    let faults = faults.then(|| sim::Faults {
        lost: pick(&[0, 10, 100, 500]) as u16,
        repeated: pick(&[0, 100, 500]) as u16,
        reordered: pick(&[0, 500, 5_000]) as u16,
        garbled: pick(&[0, 10, 200]) as u16,
        apart_ns_max: pick(&[0, 0, 300_000, 5_000_000]) as u64,
        rate: pick(&[0, 0, 50_000_000, 1_250_000_000]) as u64,
        queue: pick(&[20_000, 200_000]) as u64,
    });
    sim::Plan {
        faults,
        region_size: pick(&[0, 4 << 20]),
        max_packet,
        credits: (credits > 0).then_some(credits as u16),
        slots,
        delay_ns_max: delay_ns_max as u64,
    }
}
