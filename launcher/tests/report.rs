//! The wait-for report: asked for by SIGUSR1, by `--timeout`, and unasked when nobody makes progress.

mod common;

use std::thread;
use std::time::Duration;

use common::{FAKE, Outcome, Run, run, start};
use rstest::rstest;

fn words<'a>(options: &[&'a str], ranks: &'a str, steps: &str) -> Vec<String> {
    let steps = steps.split_whitespace();
    options.iter().copied().chain(["-n", ranks, FAKE, "init"]).chain(steps).map(str::to_owned).collect()
}

fn start_words(words: &[String]) -> Run {
    start(&words.iter().map(String::as_str).collect::<Vec<_>>())
}

#[track_caller]
fn run_words(words: &[String]) -> Outcome {
    run(&words.iter().map(String::as_str).collect::<Vec<_>>())
}

#[track_caller]
fn says(outcome: &Outcome, expected: &str) {
    assert!(outcome.stderr.contains(expected), "{expected:?} not in {}", outcome.stderr);
}

const DEADLOCK: &str = "call=MPI_Recv @0/wait=1,7 @1/wait=0,7 forever";
const CYCLE: &str = "cycle: rank 0 waits in MPI_Recv for rank 1, tag 7; rank 1 in MPI_Recv for rank 0, tag 7 (on MPI_COMM_WORLD)\n";

#[test]
fn a_hang_is_reported_once_and_ends_nothing() {
    let outcome = run_words(&words(&["--hang-report", "1", "--timeout", "5"], "2", DEADLOCK));
    assert_eq!(outcome.status, 124, "{outcome:?}");
    says(&outcome, "hpvmrun: no rank has made progress for 1 s (--hang-report); nothing is ended\n  rank 0, pid ");
    assert_eq!(outcome.stderr.matches("(--hang-report)").count(), 1, "{outcome:?}");
    assert_eq!(outcome.stderr.matches(CYCLE).count(), 2, "once for the hang, once for the time-out: {outcome:?}");
}

#[rstest]
#[case("call=MPI_Recv @0/wait=1,7 @1/run forever")]
#[case("call=MPI_Recv @0/wait=1,7 @1/compute forever")]
#[case("call=MPI_Recv wait=0,7 @1/compute forever")]
#[case("finalize forever")]
fn a_rank_at_work_is_no_hang(#[case] steps: &str) {
    let outcome = run_words(&words(&["--hang-report", "0.5", "--timeout", "3"], "2", steps));
    assert_eq!(outcome.status, 124, "{outcome:?}");
    assert!(!outcome.stderr.contains("--hang-report"), "{outcome:?}");
}

#[test]
fn no_report_where_none_is_wanted() {
    let outcome = run_words(&words(&["--hang-report", "0", "--timeout", "2"], "2", DEADLOCK));
    assert!(!outcome.stderr.contains("--hang-report"), "{outcome:?}");
}

#[test]
fn a_report_on_demand() {
    let run = start_words(&words(&[], "3", "call=MPI_Barrier @0/wait-together=2,3 @1/wait-together=2,3 @2/compute forever"));
    run.wait_for(3, FAKE);
    thread::sleep(Duration::from_millis(500));
    run.signal(libc::SIGUSR1);
    thread::sleep(Duration::from_millis(500));
    run.signal(libc::SIGTERM);
    let outcome = run.finish();
    assert_eq!(outcome.status, 143, "the ranks have not been sent the signal: {outcome:?}");
    says(&outcome, "hpvmrun: what each rank is doing (SIGUSR1)\n  rank 0, pid ");
    says(&outcome, ": waits in MPI_Barrier for rank 2, on MPI_COMM_WORLD, for 0.");
    says(&outcome, ": computes, last MPI call MPI_Barrier\n");
    says(&outcome, "rank 2 has not called MPI_Barrier on MPI_COMM_WORLD: it computes, last MPI call MPI_Barrier (ranks 0-1 wait there)\n");
}

#[test]
fn a_stopped_rank_is_shown_and_harms_nobody() {
    let steps = "call=MPI_Recv @0/wait=1,7 @1/call=MPI_Send sleep=4 run finalize";
    let run = start_words(&words(&["--hang-report", "1"], "2", steps));
    let is_rank_1 = |pid: &i32| {
        let environment = std::fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        environment.split(|byte| *byte == 0).any(|variable| variable == b"HPVM_RANK=1")
    };
    let rank_1 = run.wait_for(2, FAKE).into_iter().find(is_rank_1).unwrap();
    thread::sleep(Duration::from_millis(300));
    let pid = rustix::process::Pid::from_raw(rank_1).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::STOP).unwrap();
    thread::sleep(Duration::from_secs(4));
    rustix::process::kill_process(pid, rustix::process::Signal::CONT).unwrap();
    let outcome = run.finish();
    assert_eq!(outcome.status, 0, "{outcome:?}");
    says(&outcome, "rank 1 has not sent what rank 0 waits for (MPI_Recv, tag 7, on MPI_COMM_WORLD): it is stopped, last MPI call MPI_Send\n");
}

#[test]
fn a_report_for_programs() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("events");
    let outcome = run_words(&words(&["--timeout", "1", "--json-events", file.to_str().unwrap()], "2", DEADLOCK));
    assert_eq!(outcome.status, 124, "{outcome:?}");
    let text = std::fs::read_to_string(&file).unwrap();
    let events: Vec<serde_json::Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let report = events.iter().find(|event| event["event"] == "report").unwrap();
    assert_eq!((&report["why"], &report["ranks"][1]["wait"]["rank"]), (&"timeout".into(), &0.into()), "{report}");
    assert_eq!(report["ranks"][0]["wait"]["communicator"], "MPI_COMM_WORLD", "{report}");
    assert!(report["conclusions"][0].as_str().unwrap().starts_with("cycle: rank 0 waits in MPI_Recv"), "{report}");
}

#[rstest]
#[case("finalize", 0, "done", None)]
#[case("@1/exit=3 forever", 3, "failure", Some(" left with exit status 3, after MPI_Init and without MPI_Finalize"))]
#[case("@0/abort=7 forever", 7, "failure", Some(" called MPI_Abort with code 7"))]
fn events_from_start_to_end(#[case] steps: &str, #[case] status: i32, #[case] why: &str, #[case] failure: Option<&str>) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("events");
    let outcome = run_words(&words(&["--json-events", file.to_str().unwrap()], "2", steps));
    assert_eq!(outcome.status, status, "{outcome:?}");
    let text = std::fs::read_to_string(&file).unwrap();
    let events: Vec<serde_json::Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let named = |name: &str| events.iter().filter(|event| event["event"] == name).collect::<Vec<_>>();
    assert_eq!((&events[0]["event"], &events[0]["ranks"]), (&"start".into(), &2.into()), "{text}");
    let started = named("started");
    assert!(started.len() == 2 && started.iter().all(|event| event["pid"].is_u64() && event["node"].is_string()), "{text}");
    assert_eq!(named("ended").len(), 2, "{text}");
    let end = events.last().unwrap();
    assert_eq!((&end["event"], &end["status"], &end["why"]), (&"end".into(), &status.into(), &why.into()), "{text}");
    let failures = named("failure");
    assert_eq!(failures.len(), usize::from(failure.is_some()), "{text}");
    if let Some(how) = failure {
        assert!(failures[0]["how"].as_str().unwrap().contains(how) && failures[0]["status"] == status, "{text}");
    }
}
