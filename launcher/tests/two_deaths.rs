//! Of hpvmrun and the two keepers any one is enough, whenever the other two die, and in whichever order.
//!
//! `clean_death.rs` leaves moments to chance; here they are chosen: the second death comes while the
//! survivors of the first are at work.

mod common;

use std::thread;
use std::time::{Duration, Instant};

use common::{FAKE, Run, assert_nothing_left, marked, name, start, state};
use rstest::rstest;
use rustix::process::{Pid, Signal, kill_process};

#[derive(Clone, Copy, Debug, PartialEq)]
enum Member {
    Launcher,
    Outer,
    Inner,
}
use Member::{Inner, Launcher, Outer};

/// A job whose ranks have forked; what they have forked does not die with them by itself.
struct Job {
    run: Run,
    outer: i32,
    inner: i32,
}

/// What a rank forks: in its process group, and in a session of its own, which only a walk over the processes finds.
const IN_GROUP: &str = "\"$0\" init forever; true";
const IN_SESSION: &str = "setsid \"$0\" init forever & wait; true";

impl Job {
    fn start(ranks: usize, script: &str) -> Self {
        let run = start(&["-n", &ranks.to_string(), "bash", "-c", script, FAKE]);
        run.wait_for(ranks, FAKE);
        let keeper = |wanted: &str| {
            let found: Vec<i32> = marked(&run.mark).into_iter().filter(|pid| name(*pid) == wanted).collect();
            assert_eq!(found.len(), 1, "{wanted}: {found:?}");
            found[0]
        };
        let (outer, inner) = (keeper("hpvm-keeper-1"), keeper("hpvm-keeper-2"));
        Self { run, outer, inner }
    }

    fn pid(&self, member: Member) -> i32 {
        match member {
            Launcher => self.run.pid(),
            Outer => self.outer,
            Inner => self.inner,
        }
    }

    fn send(&self, member: Member, signal: Signal) {
        // One that has left by itself in the meantime is as good as killed.
        let _ = kill_process(Pid::from_raw(self.pid(member)).unwrap(), signal);
    }

    fn finish(mut self) {
        assert_ne!(self.run.wait(Duration::from_secs(20)), 0);
        assert_nothing_left(&self.run.mark);
    }
}

/// If a survivor ended the other one before the ranks, its own death would be the third.
#[rstest]
#[case(Outer, Inner)]
#[case(Inner, Outer)]
fn hpvmrun_leaves_the_other_keeper_alone(#[case] first: Member, #[case] survivor: Member) {
    let job = Job::start(4, IN_SESSION);
    job.send(survivor, Signal::STOP);
    job.send(first, Signal::KILL);
    thread::sleep(Duration::from_millis(500));
    assert_eq!(state(job.pid(survivor)), 'T');
    job.send(Launcher, Signal::KILL);
    job.send(survivor, Signal::CONT);
    job.finish();
}

#[rstest]
fn the_second_dies_while_the_survivors_work(
    #[values((Outer, Launcher), (Inner, Launcher), (Launcher, Outer), (Launcher, Inner), (Outer, Inner), (Inner, Outer))]
    (first, second): (Member, Member),
) {
    for step in 0..24 {
        let job = Job::start(12, IN_SESSION);
        job.send(first, Signal::KILL);
        let until = Instant::now() + Duration::from_micros(100 * step);
        while Instant::now() < until {
            std::hint::spin_loop();
        }
        job.send(second, Signal::KILL);
        job.finish();
    }
}

/// Then nobody is left to act but the kernel.
#[test]
fn what_ranks_have_forked_dies_with_all_three() {
    for order in [[Launcher, Outer, Inner], [Inner, Outer, Launcher], [Outer, Inner, Launcher]] {
        let job = Job::start(6, IN_GROUP);
        for member in order {
            job.send(member, Signal::STOP);
        }
        for member in order {
            job.send(member, Signal::KILL);
        }
        job.finish();
    }
}

/// A walk over all processes hardly ever meets it.
#[test]
fn a_program_that_flees_is_caught() {
    let program = format!("for one in 1 2 3 4; do {FAKE} flee & done; wait; exec sleep 300");
    for _ in 0..3 {
        let mut run = start(&["-n", "4", "bash", "-c", &program]);
        run.wait_for(4, "sleep 300");
        run.signal(libc::SIGTERM);
        assert_eq!(run.wait(Duration::from_secs(20)), 143);
        assert_nothing_left(&run.mark);
    }
}
