use super::*;
use rstest::rstest;

const OK: End = End::Status(0);
const SEGV: End = End::Signal { number: 11, core: false };

fn seen(state: State, pid: u32) -> Seen {
    Seen { state, mpi_pid: (state != State::Plain).then_some(pid), abort_code: 0 }
}

/// Ranks 0, 1, … run as processes 100, 101, …
fn job(ranks: u32) -> Judge {
    let mut judge = Judge::new(ranks);
    (0..ranks).for_each(|rank| judge.started(rank, 100 + rank));
    judge
}

#[rstest]
#[case(State::Plain, OK, 0, false)]
#[case(State::Finalised, OK, 0, false)]
#[case(State::Initialised, OK, 1, true)]
#[case(State::Initialised, End::Status(3), 3, true)]
#[case(State::Initialised, SEGV, 139, true)]
#[case(State::Finalised, End::Status(3), 3, false)]
#[case(State::Finalised, SEGV, 139, false)]
#[case(State::Plain, End::Status(3), 3, false)]
#[case(State::Plain, SEGV, 139, false)]
fn one_of_two_leaves(#[case] state: State, #[case] end: End, #[case] status: u8, #[case] ends: bool) {
    let mut judge = job(2);
    judge.ended(0, end, seen(state, 100));
    assert_eq!(judge.ending().is_some(), ends);
    assert_eq!(judge.ended_others, usize::from(ends));
    if !ends {
        judge.ended(1, OK, seen(State::Plain, 101));
    }
    assert_eq!(judge.status(), status);
    assert_eq!(judge.all_left(), !ends);
}

#[test]
fn the_first_failing_rank_gives_the_status() {
    let mut judge = job(3);
    judge.ended(2, End::Status(7), seen(State::Plain, 102));
    judge.ended(0, End::Status(9), seen(State::Finalised, 100));
    judge.ended(1, OK, seen(State::Plain, 101));
    assert_eq!((judge.status(), judge.incidents.len()), (7, 2));
}

#[test]
fn what_the_ending_does_to_others_is_not_their_failure() {
    let mut judge = job(3);
    judge.ended(1, SEGV, seen(State::Initialised, 101));
    for rank in [0, 2] {
        judge.ended(rank, End::Signal { number: 15, core: false }, seen(State::Initialised, 100 + rank));
    }
    assert_eq!((judge.status(), judge.incidents.len(), judge.ended_others), (139, 1, 2));
}

#[rstest]
#[case(5, 5)]
#[case(0, 1)]
#[case(256, 1)]
#[case(-1, 255)]
#[case(0x1203, 3)]
fn abort_codes(#[case] code: i32, #[case] status: u8) {
    let mut judge = job(2);
    let aborted = Seen { state: State::Aborted, mpi_pid: Some(101), abort_code: code };
    judge.look(1, aborted);
    judge.look(1, aborted);
    assert_eq!(judge.ending(), Some(Ending::Incident(0)));
    judge.ended(1, End::Status(1), aborted);
    assert_eq!((judge.status(), judge.incidents.len(), judge.ended_others), (status, 1, 1));
}

#[test]
fn a_rank_that_dies_before_mpi_ends_those_that_are_in_it() {
    for already in [true, false] {
        let mut judge = job(2);
        if already {
            judge.look(0, seen(State::Initialised, 100));
        }
        judge.ended(1, SEGV, seen(State::Plain, 101));
        assert_eq!(judge.ending().is_some(), already);
        judge.look(0, seen(State::Initialised, 100));
        assert_eq!((judge.ending(), judge.status()), (Some(Ending::Incident(0)), 139));
    }
}

#[test]
fn commands_go_on_when_one_of_them_fails() {
    let mut judge = job(2);
    judge.ended(1, End::Status(2), seen(State::Plain, 101));
    judge.look(0, seen(State::Finalised, 100));
    assert_eq!(judge.ending(), None);
}

mod below_a_shell {
    use super::*;

    #[test]
    fn the_shells_status_counts_when_it_leaves_in_time() {
        let (mut judge, now) = (job(2), Instant::now());
        judge.mpi_process_gone(0, seen(State::Initialised, 900), now);
        judge.tick(now + PATIENCE / 2);
        assert_eq!(judge.ending(), None);
        judge.ended(0, End::Status(139), seen(State::Initialised, 900));
        assert_eq!((judge.status(), judge.ending().is_some()), (139, true));
    }

    #[test]
    fn a_shell_that_goes_on_is_not_waited_for() {
        let (mut judge, now) = (job(2), Instant::now());
        judge.mpi_process_gone(0, seen(State::Initialised, 900), now);
        assert_eq!(judge.deadline(), Some(now + PATIENCE));
        judge.tick(now + PATIENCE);
        assert_eq!((judge.status(), judge.incidents[0].cause), (1, Cause::Vanished));
        assert_eq!((judge.ended_others, judge.deadline()), (1, None));
    }

    #[test]
    fn a_shell_may_leave_before_its_mpi_program() {
        let (mut judge, now) = (job(1), Instant::now());
        judge.ended(0, OK, seen(State::Initialised, 900));
        assert!(!judge.all_left() && judge.ending().is_none());
        judge.mpi_process_gone(0, seen(State::Finalised, 900), now);
        assert!(judge.all_left());
        assert_eq!(judge.status(), 0);
    }

    #[test]
    fn a_shell_may_run_on_after_finalize() {
        let (mut judge, now) = (job(1), Instant::now());
        judge.mpi_process_gone(0, seen(State::Finalised, 900), now);
        assert_eq!((judge.deadline(), judge.ending()), (None, None));
        judge.ended(0, OK, seen(State::Finalised, 900));
        assert_eq!(judge.status(), 0);
    }
}

mod ended_from_outside {
    use super::*;

    #[test]
    fn ranks_that_finish_cleanly_after_a_signal_make_a_clean_job() {
        let mut judge = job(1);
        judge.end(Ending::Signal(2));
        assert_eq!(judge.status(), 130);
        judge.ended(0, OK, seen(State::Finalised, 100));
        assert_eq!(judge.status(), 0);
    }

    #[test]
    fn ranks_that_die_of_it_make_it_the_signal() {
        let mut judge = job(2);
        judge.end(Ending::Signal(15));
        judge.ended(0, End::Signal { number: 15, core: false }, seen(State::Plain, 100));
        judge.ended(1, OK, seen(State::Finalised, 101));
        assert_eq!((judge.status(), judge.ended_others), (143, 2));
    }

    #[test]
    fn the_first_reason_stands() {
        let mut judge = job(1);
        judge.end(Ending::Timeout);
        judge.end(Ending::Signal(2));
        judge.look(0, Seen { state: State::Aborted, mpi_pid: Some(100), abort_code: 3 });
        assert_eq!((judge.status(), judge.ending()), (124, Some(Ending::Timeout)));
    }
}
