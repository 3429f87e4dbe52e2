//! Whatever is killed, nothing is left.
//!
//! Each round starts a job, waits for a random time, kills hpvmrun, a keeper, a rank, or two of them, and
//! then looks for anything that carries the round's mark, for System V objects and for files. The number
//! of rounds is `HPVM_KILL_ROUNDS` (default 24); `HPVM_KILL_SEED` repeats a run's choices.

mod common;

use std::collections::BTreeSet;
use std::env;
use std::fs;
use std::thread;
use std::time::Duration;

use common::{FAKE, assert_nothing_left, command_line, marked, name, start};
use rustix::process::{Pid, Signal, kill_process};

/// SplitMix64: enough for choosing victims.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % bound as u64) as usize
    }
}

fn from_environment(name: &str, default: u64) -> u64 {
    env::var(name).map_or(default, |text| text.parse().unwrap_or_else(|_| panic!("{name}={text} is not a number")))
}

/// What ranks do, from plain to nasty.
fn programs() -> Vec<Vec<String>> {
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    vec![
        words(&[FAKE, "init", "forever"]),
        words(&["sleep", "300"]),
        words(&["bash", "-c", &format!("{FAKE} init forever; true")]),
        words(&["bash", "-c", "(sleep 300 & sleep 300 &); sleep 300; true"]),
        words(&["bash", "-c", "setsid sleep 300 & setsid bash -c 'sleep 300 & sleep 300' & wait"]),
        words(&["bash", "-c", "trap '' TERM INT HUP; while :; do sleep 0.01 & wait; done"]),
        words(&[
            "bash",
            "-c",
            "(trap '' TERM; setsid nohup bash -c 'while :; do (sleep 300 &) ; sleep 0.05; done' >/dev/null 2>&1 &); exit 0",
        ]),
    ]
}

/// hpvmrun or a keeper. A rank has the inner keeper's name, too, until it has become its program.
fn is_ours(pid: i32) -> bool {
    name(pid).starts_with("hpvm") && parent(pid).is_none_or(|parent| name(parent) != "hpvm-keeper-2")
}

fn parent(pid: i32) -> Option<i32> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit(") ").next()?.split(' ').nth(1)?.parse().ok()
}

/// Things outside of the process table that a job might leave.
fn leavings() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for folder in ["/dev/shm", "/tmp"] {
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        let ours = entries.filter(|entry| entry.file_name().to_string_lossy().contains("hpvm"));
        found.extend(ours.map(|entry| entry.path().display().to_string()));
    }
    for kind in ["shm", "sem", "msg"] {
        let text = fs::read_to_string(format!("/proc/sysvipc/{kind}")).unwrap_or_default();
        found.extend(text.lines().skip(1).map(|line| format!("{kind} {line}")));
    }
    found
}

#[test]
fn nothing_is_left_whoever_is_killed() {
    let rounds = from_environment("HPVM_KILL_ROUNDS", 24);
    let seed = from_environment("HPVM_KILL_SEED", u64::from(std::process::id()));
    eprintln!("HPVM_KILL_SEED={seed}");
    let mut random = Random(seed);
    let (programs, before) = (programs(), leavings());
    for round in 0..rounds {
        let program = &programs[random.below(programs.len())];
        let ranks = (1 + random.below(6)).to_string();
        let words: Vec<&str> = ["-n", &ranks].into_iter().chain(program.iter().map(String::as_str)).collect();
        let mut run = start(&words);
        // From before the keepers exist to long after the ranks have settled.
        thread::sleep(Duration::from_micros(random.below(60_000) as u64));

        let mut candidates = marked(&run.mark);
        let mut victims = Vec::new();
        for _ in 0..1 + random.below(2) {
            // Every third time hpvmrun or a keeper, wherever the dice fall for the rest.
            let chosen: Vec<i32> = match random.below(3) {
                0 => candidates.clone(),
                1 => candidates.iter().copied().filter(|pid| is_ours(*pid)).collect(),
                _ => candidates.iter().copied().filter(|pid| is_ours(*pid) && *pid != run.pid()).collect(),
            };
            if let Some(victim) = chosen.get(random.below(chosen.len().max(1))) {
                victims.push((*victim, name(*victim), is_ours(*victim)));
                candidates.retain(|pid| pid != victim);
            }
        }
        for (victim, ..) in &victims {
            // One that has left by itself in the meantime is as good as killed.
            let _ = kill_process(Pid::from_raw(*victim).unwrap(), Signal::KILL);
        }
        let said = format!("round {round} of seed {seed}: {program:?} as {ranks} ranks, killed {victims:?}");
        let is_doomed = victims.iter().any(|(.., ours)| *ours);
        if !is_doomed {
            // The death of a mere command is not the job's end.
            run.signal(libc::SIGTERM);
        }
        let status = run.wait(Duration::from_secs(20));
        // The last program's ranks leave at once and well; a rank may do so, too, when what it has waited for was killed.
        assert!(status != 0 || !is_doomed || program == &programs[programs.len() - 1], "{said}");
        let mark = run.mark.clone();
        let checked = std::panic::catch_unwind(|| assert_nothing_left(&mark));
        assert!(checked.is_ok(), "{said}");
    }
    assert_eq!(leavings(), before);
}

/// A shell may have started something and then `exec`ed hpvmrun, whose child it is from then on.
#[test]
fn children_from_before_the_job_are_spared() {
    let script = "sleep 300 >/dev/null 2>&1 & echo $!; exec \"$0\" -n 2 true";
    let output = std::process::Command::new("bash").args(["-c", script, common::HPVMRUN]).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let sleeper: i32 = String::from_utf8_lossy(&output.stdout).trim().parse().unwrap();
    assert_eq!(command_line(sleeper), "sleep 300 ");
    kill_process(Pid::from_raw(sleeper).unwrap(), Signal::KILL).unwrap();
}
