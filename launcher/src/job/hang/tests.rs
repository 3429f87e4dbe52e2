//! Time goes by in steps; `ms` of the clock are the same for the launcher and the status lines.

use super::*;

const AFTER: u64 = 8000;
const NEVER: [u64; 0] = [];

fn waits(since: u64, moved: u64) -> Seen {
    Seen { standing: Standing::Waits { since_ns: since * 1_000_000, moved_ns: moved * 1_000_000 }, process: None }
}

fn is(standing: Standing) -> Seen {
    Seen { standing, process: None }
}

fn busy(seen: Seen, state: u8, busy: u32) -> Seen {
    Seen { process: Some(Process { state, busy }), ..seen }
}

/// When something is said in so many milliseconds, looked at whenever the watch wants to.
fn told(until: u64, ranks: impl Fn(u64) -> Vec<Seen>) -> Vec<u64> {
    let start = Instant::now();
    let mut hang = Hang::new(Duration::from_millis(AFTER), start).unwrap();
    let mut times = Vec::new();
    loop {
        let now = hang.deadline();
        let ms = (now - start).as_millis() as u64;
        if ms > until {
            return times;
        }
        if hang.look(&ranks(ms), now, ms * 1_000_000) == Todo::Tell {
            times.push(ms);
        }
        assert!(hang.deadline() > now, "time goes by");
    }
}

fn is_soon_after(times: &[u64], expected: &[u64]) -> bool {
    times.len() == expected.len() && times.iter().zip(expected).all(|(time, expected)| (*expected..expected + 3000).contains(time))
}

#[test]
fn a_hang_is_told_once() {
    let times = told(100_000, |_| vec![waits(1000, 1000), waits(2000, 2000), is(Standing::Over)]);
    assert!(is_soon_after(&times, &[2000 + AFTER]), "{times:?}");
}

#[test]
fn a_rank_that_runs_is_none_however_long() {
    assert_eq!(told(100_000, |_| vec![waits(0, 0), is(Standing::Runs)]), NEVER);
    assert_eq!(told(100_000, |_| vec![is(Standing::Runs); 3]), NEVER);
    assert_eq!(told(100_000, |_| vec![is(Standing::Over); 3]), NEVER, "nobody waits for anything");
}

#[test]
fn what_comes_during_a_wait_is_progress() {
    assert_eq!(told(100_000, |ms| vec![waits(0, ms / 3000 * 3000), waits(0, 0)]), NEVER);
    let times = told(100_000, |ms| vec![waits(0, ms.min(50_000) / 3000 * 3000), waits(0, 0)]);
    assert!(is_soon_after(&times, &[48_000 + AFTER]), "{times:?}");
}

#[test]
fn new_waits_are_progress() {
    assert_eq!(told(100_000, |ms| vec![waits(ms / 5000 * 5000, ms / 5000 * 5000), waits(0, 0)]), NEVER);
}

#[test]
fn a_second_hang_is_told_too() {
    let times = told(100_000, |ms| vec![if ms < 40_000 { waits(0, 0) } else { waits(40_000, 40_000) }]);
    assert!(is_soon_after(&times, &[AFTER, 40_000 + AFTER]), "{times:?}");
}

#[test]
fn a_stopped_rank_holds_the_others_up() {
    let stopped = |ms: u64| if ms < 30_000 { is(Standing::Runs) } else { is(Standing::Stopped) };
    let times = told(100_000, |ms| vec![waits(0, 0), stopped(ms)]);
    assert_eq!(times.len(), 1, "{times:?}");
    assert!(times[0] >= 30_000 + AFTER / 2, "{times:?}");
}

#[test]
fn a_rank_that_uses_a_processor_is_at_work() {
    let half = |ms: u64| (ms / 20) as u32;
    assert_eq!(told(100_000, |ms| vec![busy(waits(0, 0), b'R', half(ms)), waits(0, 0)]), NEVER);
    // Looking around while it waits takes some, too.
    let little = |ms: u64| (ms / 500) as u32;
    assert_eq!(told(100_000, |ms| vec![busy(waits(0, 0), b'S', little(ms)), waits(0, 0)]).len(), 1);
    assert_eq!(told(100_000, |ms| vec![busy(waits(0, 0), b'R', little(ms)), waits(0, 0)]), NEVER, "it has to share");
    let until = told(100_000, |ms| vec![busy(waits(0, 0), b'S', half(ms.min(50_000)))]);
    assert!(until.len() == 1 && until[0] >= 50_000, "{until:?}");
}

#[test]
fn who_asks_and_does_nothing_else_is_without_progress() {
    let asks = |ms: u64, us: u64| {
        let standing = Standing::Asks { since_ns: 1_000_000, times: (ms * 1000 / us) as u32 };
        Seen { standing, process: Some(Process { state: b'R', busy: (ms / 10) as u32 }) }
    };
    assert_eq!(told(100_000, |ms| vec![asks(ms, 1), waits(0, 0)]).len(), 1, "once in a microsecond");
    assert_eq!(told(100_000, |ms| vec![asks(ms, 200), waits(0, 0)]), NEVER, "and computes for 200 us in between");
    let unseen = |ms: u64| Seen { process: None, ..asks(ms, 1) };
    assert_eq!(told(100_000, |ms| vec![unseen(ms), waits(0, 0)]), NEVER, "it is not known what it does");
    let moving = |ms: u64| Seen { standing: Standing::Asks { since_ns: ms / 3000 * 3_000_000_000, times: ms as u32 * 1000 }, ..asks(ms, 1) };
    assert_eq!(told(100_000, |ms| vec![moving(ms), waits(0, 0)]), NEVER, "other calls get something done");
}

#[test]
fn zero_is_never() {
    assert!(Hang::new(Duration::ZERO, Instant::now()).is_none());
}

#[test]
fn who_waits_for_whom_may_be_stopped_is_asked() {
    let start = Instant::now();
    let mut hang = Hang::new(Duration::from_millis(AFTER), start).unwrap();
    let ranks = [waits(0, 0), is(Standing::Runs)];
    let mut asked = 0;
    for _ in 0..100 {
        let now = hang.deadline();
        let ms = (now - start).as_millis() as u64;
        asked += u32::from(hang.look(&ranks, now, ms * 1_000_000) == Todo::Ask);
    }
    assert!((20..30).contains(&asked), "once in half the time, {asked} times");
}

#[test]
fn clocks_of_machines_need_not_agree_to_the_microsecond() {
    let asks = |ms: u64| {
        let since_ns = 5_000_000 + (ms * 7919 % 900) * 1000;
        busy(is(Standing::Asks { since_ns, times: ms as u32 * 1000 }), b'R', ms as u32 / 20)
    };
    let times = told(100_000, |ms| vec![asks(ms), asks(ms + 13)]);
    assert!(is_soon_after(&times, &[AFTER]), "{times:?}");
}
