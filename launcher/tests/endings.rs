//! How a job ends, and what is said about it.

mod common;

use std::time::Duration;

use common::{FAKE, run, within_some_time};
use rstest::rstest;

/// Steps of the fake MPI program, its exit status, words of the summary, words that must not appear.
#[rstest]
#[case::all_well("init finalize", 0, &[], &["hpvmrun"])]
#[case::not_mpi("say=x", 0, &[], &["hpvmrun"])]
#[case::left_without_finalize("init @1/exit=0 @0/forever", 1, &["rank 1 (pid ", "left with exit status 0", "without MPI_Finalize", "1 other rank was ended"], &[])]
#[case::left_with_status("init call=MPI_Bcast @0/exit=7 forever", 7, &["rank 0 (pid ", "exit status 7", "its last MPI call was MPI_Bcast"], &[])]
#[case::segv("init call=MPI_Recv wait=0,5 @1/signal=11 forever", 139, &["rank 1 (pid ", "signal 11 (SIGSEGV", "it was waiting in MPI_Recv"], &[])]
#[case::killed_before_init("@1/signal=9 init forever", 137, &["rank 1", "SIGKILL", "had not called MPI_Init", "1 other rank was ended"], &[])]
#[case::failed_after_finalize("init finalize @1/exit=3", 3, &["rank 1", "exit status 3, after MPI_Finalize"], &["ended"])]
#[case::abort("init @1/abort=42 forever", 42, &["rank 1 (pid ", "called MPI_Abort with code 42", "1 other rank was ended"], &["rank 0"])]
#[case::abort_256("init @1/abort=256 forever", 1, &["code 256"], &[])]
#[case::abort_ignoring_sigterm("@0/ignore-term init @1/abort=5 forever", 5, &["code 5"], &[])]
#[case::second_program_in_a_rank("init second-claim finalize", 0, &["is the MPI process of this rank"], &["hpvmrun"])]
fn of_two(#[case] steps: &str, #[case] status: i32, #[case] said: &[&str], #[case] unsaid: &[&str]) {
    let words: Vec<&str> = ["-n", "2", FAKE].into_iter().chain(steps.split(' ')).collect();
    let outcome = run(&words);
    assert_eq!(outcome.status, status, "{outcome:?}");
    for words in said {
        assert!(outcome.stderr.contains(words), "{words:?} not in {outcome:?}");
    }
    for words in unsaid {
        assert!(!outcome.stderr.contains(words), "{words:?} in {outcome:?}");
    }
    assert!(outcome.stderr.matches("hpvmrun: ").count() <= 1, "one summary: {outcome:?}");
    assert!(outcome.took < Duration::from_secs(10), "{outcome:?}");
}

#[test]
fn abort_ends_the_job_within_a_second() {
    let took = quickest(|| {
        let outcome = run(&["-n", "8", FAKE, "init", "@3/abort=9", "forever"]);
        assert_eq!(outcome.status, 9);
        assert!(outcome.stderr.contains("7 other ranks were ended"), "{outcome:?}");
        outcome.took
    });
    assert!(took < Duration::from_secs(1), "{took:?}");
}

/// Of a few times, until it is less than a second: beside others each of them may take longer.
fn quickest(mut once: impl FnMut() -> Duration) -> Duration {
    (0..10).map(|_| once()).find(|took| *took < Duration::from_secs(1)).unwrap_or(Duration::MAX)
}

/// What a program has printed before is part of the explanation, and is flushed after the launcher knows.
#[test]
fn an_aborting_rank_has_its_last_words() {
    let took = quickest(|| {
        let outcome = run(&["-n", "2", FAKE, "init", "@1/abort-saying=because", "forever"]);
        assert_eq!((outcome.status, outcome.stdout.as_str()), (6, "because\n"), "{outcome:?}");
        outcome.took
    });
    assert!(took < Duration::from_secs(1), "{took:?}");
}

/// The MPI program below a shell, which does not become it.
#[rstest]
#[case("FAKE init call=MPI_Send signal=11", 139, "its last MPI call was MPI_Send")]
#[case("FAKE init exit=4; exit 4", 4, "its last MPI call was MPI_Init")]
#[case("FAKE init exit=0; sleep 60", 1, "below another program")]
#[case("FAKE init signal=9 & sleep 60", 1, "below another program")]
#[case("FAKE init abort=6; true", 6, "code 6")]
#[case("FAKE init finalize; true", 0, "")]
#[case("FAKE init sleep=0.2 finalize & exit 0", 0, "")]
#[case("FAKE init finalize; sleep 0.5; exit 5", 5, "after MPI_Finalize")]
fn below_a_shell(#[case] script: &str, #[case] status: i32, #[case] said: &str) {
    let outcome = run(&["-n", "2", "bash", "-c", &script.replace("FAKE", FAKE)]);
    assert_eq!(outcome.status, status, "{outcome:?}");
    assert!(outcome.stderr.contains(said), "{outcome:?}");
    assert_eq!(outcome.stderr.is_empty(), status == 0, "{outcome:?}");
    assert!(outcome.took < Duration::from_secs(10), "{outcome:?}");
}

#[test]
fn commands_are_left_to_finish_when_one_of_them_fails() {
    let outcome = run(&["-n", "1", "sh", "-c", "exit 3", ":", "-n", "2", "sh", "-c", "sleep 0.5; echo done"]);
    assert_eq!((outcome.status, outcome.stdout.as_str()), (3, "done\ndone\n"));
    assert!(outcome.stderr.contains("rank 0 (pid "), "{outcome:?}");
}

#[test]
fn a_timeout_lists_what_each_rank_was_doing() {
    let steps = ["init", "@0/call=MPI_Recv", "@0/wait=1,7", "@1/call=MPI_Barrier", "@2/finalize", "forever"];
    let run_for = |seconds: &str| {
        let words: Vec<&str> = ["--timeout", seconds, "-n", "3", FAKE].into_iter().chain(steps).collect();
        run(&words.into_iter().chain([":", "-n", "1", "sleep", "60", ":", "-n", "1", "true"]).collect::<Vec<_>>())
    };
    let all = [
        " s (--timeout)",
        ": waits in MPI_Recv for rank 1, tag 7, on MPI_COMM_WORLD, for ",
        ": sleeps outside MPI, last MPI call MPI_Barrier",
        ": has called MPI_Finalize, and runs",
        ": has not called MPI_Init",
        "rank 4, pid ",
        ": has left",
    ];
    let outcome = within_some_time(0.5, run_for, |outcome| all.iter().all(|expected| outcome.stderr.contains(expected)));
    assert_eq!(outcome.status, 124, "{outcome:?}");
    for expected in all {
        assert!(outcome.stderr.contains(expected), "{expected:?} not in {}", outcome.stderr);
    }
}

#[test]
fn a_closed_descriptor_is_found_through_the_launcher() {
    // As Python's subprocess and many daemons do before they run a program.
    let script = format!(
        "for fd in $(ls /proc/self/fd); do [ $fd -gt 2 ] && eval \"exec $fd>&-\"; done; exec {FAKE} init finalize"
    );
    let outcome = run(&["-n", "2", "bash", "-c", &script]);
    assert_eq!(outcome.status, 0, "{outcome:?}");
    // And with the numbers taken by other files.
    let script = format!(
        "for fd in $(ls /proc/self/fd); do [ $fd -gt 2 ] && eval \"exec $fd</dev/null\"; done; {FAKE} init abort=3"
    );
    let outcome = run(&["-n", "1", "bash", "-c", &script]);
    assert_eq!(outcome.status, 3, "{outcome:?}");
}
