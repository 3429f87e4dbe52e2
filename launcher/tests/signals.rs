//! Signals to hpvmrun, and what becomes of the ranks.

mod common;

use std::io::Read as _;
use std::thread;
use std::time::{Duration, Instant};

use common::{FAKE, assert_nothing_left, start, state};
use rstest::rstest;

#[rstest]
#[case(libc::SIGINT, 130, "SIGINT ended the job")]
#[case(libc::SIGTERM, 143, "SIGTERM ended the job")]
#[case(libc::SIGHUP, 129, "SIGHUP")]
#[case(libc::SIGQUIT, 131, "SIGQUIT")]
fn a_signal_ends_the_ranks_and_gives_the_status(#[case] number: i32, #[case] status: i32, #[case] said: &str) {
    let run = start(&["-n", "4", FAKE, "init", "forever"]);
    run.wait_for(4, FAKE);
    run.signal(number);
    let outcome = run.finish();
    assert_eq!(outcome.status, status, "{outcome:?}");
    assert!(outcome.stderr.contains(said), "{outcome:?}");
}

/// Reads a line that the rank prints when its trap stands, so that no signal comes before.
fn wait_until_ready(run: &mut common::Run) {
    let mut bytes = [0; 6];
    run.child.stdout.as_mut().unwrap().read_exact(&mut bytes).unwrap();
    assert_eq!(&bytes, b"ready\n");
}

#[test]
fn ranks_may_end_well_after_a_signal() {
    let mut run =
        start(&["-n", "1", "bash", "-c", "trap 'echo caught; exit 0' INT; echo ready; while :; do sleep 0.05; done"]);
    wait_until_ready(&mut run);
    run.signal(libc::SIGINT);
    let outcome = run.finish();
    assert_eq!((outcome.status, outcome.stdout.as_str()), (0, "caught\n"));
}

#[test]
fn ranks_that_do_not_listen_are_killed_after_a_while() {
    let mut run = start(&["-n", "1", "bash", "-c", "trap '' TERM; echo ready; while :; do sleep 0.05; done"]);
    wait_until_ready(&mut run);
    let sent = Instant::now();
    run.signal(libc::SIGTERM);
    let outcome = run.finish();
    assert_eq!(outcome.status, 143);
    assert!((2..6).contains(&sent.elapsed().as_secs()), "{:?}", sent.elapsed());
}

#[test]
fn the_second_interrupt_kills_at_once() {
    let mut run = start(&["-n", "1", "bash", "-c", "trap '' INT; echo ready; while :; do sleep 0.05; done"]);
    wait_until_ready(&mut run);
    let sent = Instant::now();
    run.signal(libc::SIGINT);
    thread::sleep(Duration::from_millis(100));
    run.signal(libc::SIGINT);
    assert_eq!(run.finish().status, 130);
    assert!(sent.elapsed() < Duration::from_secs(2), "{:?}", sent.elapsed());
}

#[test]
fn the_second_user_signal_is_passed_on_and_ends_nothing() {
    let mut run =
        start(&["-n", "1", "bash", "-c", "trap 'echo got; exit 0' USR2; echo ready; while :; do sleep 0.05; done"]);
    wait_until_ready(&mut run);
    run.signal(libc::SIGUSR2);
    let outcome = run.finish();
    assert_eq!((outcome.status, outcome.stdout.as_str()), (0, "got\n"));
}

#[test]
fn stop_and_continue_reach_the_ranks() {
    let mut run = start(&["-n", "3", "bash", "-c", "sleep 60 & wait"]);
    let ranks: Vec<i32> = [run.wait_for(3, "bash -c"), run.wait_for(3, "sleep 60")].concat();
    let all = |wanted: &[char]| {
        let until = Instant::now() + Duration::from_secs(10);
        while !ranks.iter().all(|pid| wanted.contains(&state(*pid))) {
            let now: Vec<_> = ranks.iter().map(|pid| state(*pid)).collect();
            assert!(Instant::now() < until, "{now:?}, not {wanted:?}");
            thread::sleep(Duration::from_millis(10));
        }
    };
    run.signal(libc::SIGTSTP);
    all(&['T']);
    let until = Instant::now() + Duration::from_secs(10);
    while state(run.pid()) != 'T' {
        assert!(Instant::now() < until, "hpvmrun itself is not stopped");
        thread::sleep(Duration::from_millis(10));
    }
    run.signal(libc::SIGCONT);
    all(&['S', 'R']);
    run.signal(libc::SIGTERM);
    assert_eq!(run.wait(Duration::from_secs(10)), 143);
    assert_nothing_left(&run.mark);
}

#[test]
fn stopped_ranks_can_be_ended() {
    let mut run = start(&["-n", "2", FAKE, "init", "forever"]);
    let ranks = run.wait_for(2, FAKE);
    for rank in ranks {
        let rank = rustix::process::Pid::from_raw(rank).unwrap();
        rustix::process::kill_process(rank, rustix::process::Signal::STOP).unwrap();
    }
    run.signal(libc::SIGTERM);
    assert_eq!(run.wait(Duration::from_secs(10)), 143);
    assert_nothing_left(&run.mark);
}

/// Some programs start others with it.
#[test]
fn sigchld_ignored_from_the_start_changes_nothing() {
    let (command, mark) = common::command(&["-n", "2", "sh", "-c", "exit 3"]);
    let mut shell = std::process::Command::new("env");
    shell.args(["--ignore-signal=CHLD", common::HPVMRUN]).args(command.get_args());
    shell.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    shell.stdin(std::process::Stdio::null()).stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
    assert_eq!(common::start_command((shell, mark)).finish().status, 3);
}

/// A script's background job and `nohup` have signals ignored; they stay ignored.
#[test]
fn an_ignored_signal_stays_ignored() {
    let (command, mark) = common::command(&["-n", "1", "sleep", "0.7"]);
    let mut shell = std::process::Command::new("sh");
    shell.args(["-c", "trap '' HUP; exec \"$0\" \"$@\"", common::HPVMRUN]).args(command.get_args());
    shell.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    shell.stdin(std::process::Stdio::null()).stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
    let run = common::start_command((shell, mark));
    run.wait_for(1, "sleep 0.7");
    run.signal(libc::SIGHUP);
    assert_eq!(run.finish().status, 0);
}
