//! `fm::reliability` on trial: at many seeds against its checkers, and how well it uses a link.
//!
//! ```text
//! cargo run --profile fast -p fm --example reliability -- --seeds 0..1000    seeds against the checkers (fm::sim::trial), two at a time
//! cargo run --profile fast -p fm --example reliability -- --seed 17          the 17th again: the same run
//! cargo run --profile fast -p fm --example reliability -- --link             the figures of a link with losses, and of one that is shared
//! ```
//! `-j N` runs so many seeds at a time.

use fm::sim::bottleneck::{Bottleneck, Figures};
use fm::sim::trial::{self, Sums};
use std::cell::Cell;
use std::ops::Range;
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Instant;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    match parse(&words) {
        Some(Work::Link) => {
            link();
            ExitCode::SUCCESS
        }
        Some(Work::Seeds(seeds, jobs)) => try_all(seeds, jobs),
        None => {
            eprintln!("usage: reliability --seeds A..B [-j N] | --seed N | --link");
            ExitCode::from(2)
        }
    }
}

enum Work {
    Link,
    Seeds(Range<u64>, usize),
}

fn parse(words: &[&str]) -> Option<Work> {
    match *words {
        ["--link"] => Some(Work::Link),
        ["--seed", seed] => seed.parse().ok().map(|seed| Work::Seeds(seed..seed + 1, 1)),
        ["--seeds", range, ref jobs @ ..] => {
            let jobs = match *jobs {
                [] => 2,
                ["-j", jobs] => jobs.parse().ok().filter(|&jobs| jobs > 0)?,
                _ => return None,
            };
            let (first, end) = range.split_once("..").unwrap_or(("0", range));
            Some(Work::Seeds(first.parse().ok()?..end.parse().ok()?, jobs))
        }
        _ => None,
    }
}

/// Tries all seeds, prints each failure with the command that repeats it, and the sums as the last line.
fn try_all(seeds: Range<u64>, jobs: usize) -> ExitCode {
    name_panics();
    let (next, failures, sums) = (AtomicU64::new(seeds.start), AtomicU64::new(0), Mutex::new(Sums::default()));
    let begin = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..jobs {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Relaxed);
                    if seed >= seeds.end {
                        return;
                    }
                    SEED.set(Some(seed));
                    match trial::run(seed) {
                        Ok(sum) => add(&mut sums.lock().expect("nobody panics here"), &sum),
                        Err(what) => {
                            failures.fetch_add(1, Relaxed);
                            println!("FAIL  {what}\n      {}", again(seed));
                        }
                    }
                }
            });
        }
    });
    let (failures, sums) = (failures.into_inner(), sums.into_inner().expect("nobody panics here"));
    let took_s = begin.elapsed().as_secs_f64();
    let Sums { messages, given_up, frames, faults, restarts, took_ns } = sums;
    println!("      {messages} messages ({given_up} in flows with a declared failure), {frames} frames, {faults} faults, {restarts} restarts");
    println!("      {:.0} s of virtual time in {took_s:.1} s", took_ns as f64 / 1e9);
    println!("{} passed, {failures} failed", seeds.end.saturating_sub(seeds.start) - failures);
    if failures == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

thread_local! {
    /// What this thread tries.
    static SEED: Cell<Option<u64>> = const { Cell::new(None) };
}

fn again(seed: u64) -> String {
    format!("again: cargo run --profile fast -p fm --example reliability -- --seed {seed}")
}

/// A panic is one more way to fail; it ends all.
fn name_panics() {
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        usual(info);
        if let Some(seed) = SEED.get() {
            println!("FAIL  seed {seed}: panicked\n      {}", again(seed));
        }
    }));
}

fn add(sums: &mut Sums, one: &Sums) {
    sums.messages += one.messages;
    sums.given_up += one.given_up;
    sums.frames += one.frames;
    sums.faults += one.faults;
    sums.restarts += one.restarts;
    sums.took_ns += one.took_ns;
}

/// The figures of one link of 1 Gbit/s with a round trip of 1 ms and a queue of as much as that holds.
fn link() {
    println!("1 Gbit/s, 1 ms, 125 KB of queue; 2 s, from 0.5 s on; seed 1");
    let run = |lost: u64, begin_ms: &[u64]| Bottleneck::new(lost, begin_ms.iter().map(|ms| ms * 1_000_000).collect(), 1).run();
    let whole = run(0, &[0]).goodput[0];
    for lost in [0, 1_000, 10_000, 50_000, 100_000] {
        show("one", lost, &run(lost, &[0]), whole);
    }
    for lost in [0, 10_000] {
        show("two at once", lost, &run(lost, &[0, 0]), whole);
        show("two, one 0.3 s later", lost, &run(lost, &[0, 300]), whole);
        show("four", lost, &run(lost, &[0, 10, 20, 30]), whole);
    }
}

fn show(what: &str, lost: u64, figures: &Figures, whole: u64) {
    let mbytes = |bytes: u64| format!("{:5.1}", bytes as f64 / 1e6);
    let percent = |part: u64| part as f64 / 100.0;
    let sum: u64 = figures.goodput.iter().sum();
    let each: Vec<String> = figures.goodput.iter().map(|&one| mbytes(one)).collect();
    println!(
        "{what:20} {:4} % lost: {} MB/s, {:5.1} %; each {}; the queue overflows in {:.2} % of all ms and drops {:.2} %, {} KB wait",
        lost as f64 / 10_000.0,
        mbytes(sum),
        sum as f64 * 100.0 / whole as f64,
        each.join(" "),
        percent(figures.overflows),
        percent(figures.dropped),
        figures.waiting / 1000,
    );
}
