//! The exact words.

use hpvm_wire::status::Process;
use hpvm_wire::waiting::{ANY, NOBODY, Waiting, What};
use hpvm_wire::calls;

use super::*;

const NOW: u64 = 100_000_000_000;

fn view(call: &'static str, doing: Doing) -> View {
    View { pid: Some(4), doing, call: Some(call), process: None }
}

fn world() -> Waiting {
    Waiting { comm: 0x101, comm_name: "MPI_COMM_WORLD".into(), ..Waiting::default() }
}

fn waits(call: &'static str, what: What, peer: i32, tag: i32) -> View {
    let operation = (what == What::Collective).then(|| calls::index_of(call)).flatten();
    on(call, Waiting { what, peer, world: peer, tag, operation, ..world() })
}

fn on(call: &'static str, waiting: Waiting) -> View {
    view(call, Doing::Waits(Wait { waiting, since_ns: NOW - 58_300_000_000, moved_ns: NOW - 58_300_000_000 }))
}

fn stopped(view: View) -> View {
    View { process: Some(Process { state: b'T', busy: 0 }), ..view }
}

fn sees(view: View, state: u8) -> View {
    View { process: Some(Process { state, busy: 0 }), ..view }
}

#[track_caller]
fn lines(ranks: Vec<View>, expected: &[&str]) {
    let report = Report { ranks, hosts: None, now_ns: NOW };
    let text = report.text();
    let lines: Vec<&str> = text.lines().map(|line| line.trim_start().split_once(", pid 4: ").map_or(line.trim_start(), |(_, rest)| rest)).collect();
    assert_eq!(lines, expected);
}

#[test]
fn two_ranks_that_wait_for_each_other() {
    lines(
        vec![waits("MPI_Recv", What::Receive, 1, 7), waits("MPI_Recv", What::Receive, 0, 7)],
        &[
            "waits in MPI_Recv for rank 1, tag 7, on MPI_COMM_WORLD, for 58.3 s",
            "waits in MPI_Recv for rank 0, tag 7, on MPI_COMM_WORLD, for 58.3 s",
            "cycle: rank 0 waits in MPI_Recv for rank 1, tag 7; rank 1 in MPI_Recv for rank 0, tag 7 (on MPI_COMM_WORLD)",
        ],
    );
}

#[test]
fn a_cycle_of_three_with_one_beside_it() {
    lines(
        vec![
            waits("MPI_Send", What::Send, 2, 1),
            waits("MPI_Recv", What::Receive, 2, ANY),
            waits("MPI_Ssend", What::Send, 3, 1),
            waits("MPI_Probe", What::Receive, 0, 5),
        ],
        &[
            "waits in MPI_Send for rank 2 to receive, tag 1, on MPI_COMM_WORLD, for 58.3 s",
            "waits in MPI_Recv for rank 2, any tag, on MPI_COMM_WORLD, for 58.3 s",
            "waits in MPI_Ssend for rank 3 to receive, tag 1, on MPI_COMM_WORLD, for 58.3 s",
            "waits in MPI_Probe for rank 0, tag 5, on MPI_COMM_WORLD, for 58.3 s",
            "cycle: rank 0 waits in MPI_Send for rank 2 to receive, tag 1; rank 2 in MPI_Ssend for rank 3 to receive, tag 1; \
             rank 3 in MPI_Probe for rank 0, tag 5 (on MPI_COMM_WORLD)",
        ],
    );
}

#[test]
fn a_collective_called_by_all_but_one() {
    let barrier = |peer| waits("MPI_Barrier", What::Collective, peer, 3);
    let others = |last: View| vec![barrier(3), barrier(0), barrier(3), last];
    let there = |instead: &str| format!("rank 3 has not called MPI_Barrier on MPI_COMM_WORLD: it {instead} (ranks 0-2 wait there)");
    for (last, doing, instead) in [
        (sees(view("MPI_Init", Doing::Runs), b'R'), "computes, last MPI call MPI_Init", "computes, last MPI call MPI_Init"),
        (view("MPI_Finalize", Doing::Finalised), "has called MPI_Finalize, and runs", "has called MPI_Finalize, and runs"),
        (view("MPI_Init", Doing::Left { finalised: false }), "has left", "has left"),
        (
            waits("MPI_Recv", What::Receive, ANY, 9),
            "waits in MPI_Recv for any rank, tag 9, on MPI_COMM_WORLD, for 58.3 s",
            "waits in MPI_Recv for any rank, tag 9, on MPI_COMM_WORLD",
        ),
    ] {
        let waits = |peer| format!("waits in MPI_Barrier for rank {peer}, on MPI_COMM_WORLD, for 58.3 s");
        lines(others(last), &[&waits(3), &waits(0), &waits(3), doing, &there(instead)]);
    }
}

#[test]
fn a_collective_and_a_receive() {
    lines(
        vec![waits("MPI_Allreduce", What::Collective, 1, 3), waits("MPI_Recv", What::Receive, 0, 9)],
        &[
            "waits in MPI_Allreduce for rank 1, on MPI_COMM_WORLD, for 58.3 s",
            "waits in MPI_Recv for rank 0, tag 9, on MPI_COMM_WORLD, for 58.3 s",
            "cycle: rank 0 waits in MPI_Allreduce for rank 1; rank 1 in MPI_Recv for rank 0, tag 9 (on MPI_COMM_WORLD)",
            "rank 1 has not called MPI_Allreduce on MPI_COMM_WORLD: it waits in MPI_Recv for rank 0, tag 9, on MPI_COMM_WORLD (rank 0 waits there)",
        ],
    );
}

#[test]
fn a_missing_receive_and_a_missing_send() {
    lines(
        vec![waits("MPI_Ssend", What::Send, 1, 7), sees(view("MPI_Comm_rank", Doing::Runs), b'S'), waits("MPI_Recv", What::Receive, 1, 8)],
        &[
            "waits in MPI_Ssend for rank 1 to receive, tag 7, on MPI_COMM_WORLD, for 58.3 s",
            "sleeps outside MPI, last MPI call MPI_Comm_rank",
            "waits in MPI_Recv for rank 1, tag 8, on MPI_COMM_WORLD, for 58.3 s",
            "rank 1 has not received the message of rank 0 (MPI_Ssend, tag 7, on MPI_COMM_WORLD): it sleeps outside MPI, last MPI call MPI_Comm_rank",
            "rank 1 has not sent what rank 2 waits for (MPI_Recv, tag 8, on MPI_COMM_WORLD): it sleeps outside MPI, last MPI call MPI_Comm_rank",
        ],
    );
}

#[test]
fn stopped_ranks() {
    lines(
        vec![waits("MPI_Recv", What::Receive, 1, 7), stopped(waits("MPI_Recv", What::Receive, 2, 7)), stopped(view("MPI_Send", Doing::Runs))],
        &[
            "waits in MPI_Recv for rank 1, tag 7, on MPI_COMM_WORLD, for 58.3 s",
            "is stopped; it waits in MPI_Recv for rank 2, tag 7, on MPI_COMM_WORLD, for 58.3 s",
            "is stopped, last MPI call MPI_Send",
            "rank 1 has not sent what rank 0 waits for (MPI_Recv, tag 7, on MPI_COMM_WORLD): it is stopped, and waits in MPI_Recv for rank 2, tag 7, on MPI_COMM_WORLD",
            "rank 2 has not sent what rank 1 waits for (MPI_Recv, tag 7, on MPI_COMM_WORLD): it is stopped, last MPI call MPI_Send",
        ],
    );
}

#[test]
fn several_requests_and_other_communicators() {
    let row = Waiting { what: What::Receive, comm: 0x8400001, comm_name: "row".into(), peer: 1, world: 0, tag: 7, ..Waiting::default() };
    let nameless = Waiting { comm_name: "".into(), world: 1, any: true, others: 2, ..row };
    let inter = Waiting { inter: true, peer: 0, world: 1, others: 1, ..row };
    lines(
        vec![on("MPI_Waitall", Waiting { others: 3, ..row }), on("MPI_Waitany", nameless), on("MPI_Sendrecv", inter)],
        &[
            "waits in MPI_Waitall for itself, tag 7, on row, and for 3 more requests, for 58.3 s",
            "waits in MPI_Waitany for itself, tag 7, on communicator 0x8400001, or for one of 2 other requests, for 58.3 s",
            "waits in MPI_Sendrecv for rank 1 (rank 0 of the other group), tag 7, on row, and for 1 more request, for 58.3 s",
            "cycle: rank 0 waits in MPI_Waitall for itself, tag 7 (on row)",
        ],
    );
}

#[test]
fn a_nonblocking_collective() {
    let barrier = Waiting { what: What::Collective, peer: 0, world: 1, tag: 3, operation: calls::index_of("MPI_Barrier"), comm_name: "half".into(), ..world() };
    lines(
        vec![on("MPI_Wait", barrier), view("MPI_Finalize", Doing::Left { finalised: true })],
        &[
            "waits in MPI_Wait (of a nonblocking MPI_Barrier) for rank 1 (rank 0 there), on half, for 58.3 s",
            "has called MPI_Finalize, and has left",
            "rank 1 (rank 0 there) has not called MPI_Barrier on half: it has called MPI_Finalize, and has left (rank 0 waits there)",
        ],
    );
}

#[test]
fn all_wait_for_whoever_comes() {
    let any = || waits("MPI_Recv", What::Receive, ANY, ANY);
    let line = "waits in MPI_Recv for any rank, any tag, on MPI_COMM_WORLD, for 58.3 s";
    lines(vec![any(), any()], &[line, line, "ranks 0-1 wait for any rank, and no rank is left that could send"]);
    lines(
        vec![any(), view("MPI_Finalize", Doing::Left { finalised: true })],
        &[line, "has called MPI_Finalize, and has left", "rank 0 waits in MPI_Recv for any rank, and no rank is left that could send"],
    );
    lines(vec![any(), view("MPI_Init", Doing::Runs)], &[line, "runs, last MPI call MPI_Init"]);
}

#[test]
fn a_wait_of_this_moment_is_no_cycle() {
    let young = |peer| {
        let waiting = Waiting { what: What::Receive, peer, world: peer, tag: 7, ..world() };
        view("MPI_Recv", Doing::Waits(Wait { waiting, since_ns: NOW - 2_000_000, moved_ns: NOW - 2_000_000 }))
    };
    let line = |peer: i32| format!("waits in MPI_Recv for rank {peer}, tag 7, on MPI_COMM_WORLD, for 0.0 s");
    lines(vec![young(1), young(0)], &[&line(1), &line(0)]);
}

#[test]
fn asking_again_and_again() {
    let asks = |peer| {
        let waiting = Waiting { what: What::Receive, peer, world: peer, tag: 7, ..world() };
        view("MPI_Test", Doing::Asks(Wait { waiting, since_ns: NOW - 5_000_000_000, moved_ns: NOW - 5_000_000_000 }))
    };
    lines(
        vec![asks(1), waits("MPI_Recv", What::Receive, 0, 7), waits("MPI_Barrier", What::Collective, 0, 7)],
        &[
            "asks in MPI_Test for rank 1, tag 7, on MPI_COMM_WORLD, in vain for 5.0 s",
            "waits in MPI_Recv for rank 0, tag 7, on MPI_COMM_WORLD, for 58.3 s",
            "waits in MPI_Barrier for rank 0, on MPI_COMM_WORLD, for 58.3 s",
            "cycle: rank 0 waits in MPI_Test for rank 1, tag 7; rank 1 in MPI_Recv for rank 0, tag 7 (on MPI_COMM_WORLD)",
            "rank 0 has not called MPI_Barrier on MPI_COMM_WORLD: it asks again and again in MPI_Test for rank 1, tag 7, on MPI_COMM_WORLD (rank 2 waits there)",
        ],
    );
}

#[test]
fn many_that_wait_for_the_same() {
    lines(
        vec![waits("MPI_Recv", What::Receive, 3, 7), waits("MPI_Recv", What::Receive, 3, 7), waits("MPI_Recv", What::Receive, 3, 8), view("MPI_Init", Doing::Runs)],
        &[
            "waits in MPI_Recv for rank 3, tag 7, on MPI_COMM_WORLD, for 58.3 s",
            "waits in MPI_Recv for rank 3, tag 7, on MPI_COMM_WORLD, for 58.3 s",
            "waits in MPI_Recv for rank 3, tag 8, on MPI_COMM_WORLD, for 58.3 s",
            "runs, last MPI call MPI_Init",
            "rank 3 has not sent what ranks 0-1 wait for (MPI_Recv, tag 7, on MPI_COMM_WORLD): it runs, last MPI call MPI_Init",
            "rank 3 has not sent what rank 2 waits for (MPI_Recv, tag 8, on MPI_COMM_WORLD): it runs, last MPI call MPI_Init",
        ],
    );
}

#[test]
fn what_nobody_else_has_to_do() {
    let finalize = Waiting { peer: NOBODY, world: NOBODY, ..Waiting::default() };
    lines(vec![on("MPI_Finalize", finalize)], &["waits in MPI_Finalize, for 58.3 s"]);
}

#[test]
fn numbers_of_ranks() {
    for (list, text) in [(&[3][..], "rank 3"), (&[0, 1], "ranks 0-1"), (&[0, 2, 3, 4, 9], "ranks 0, 2-4, 9")] {
        assert_eq!(words::ranks(list), text);
    }
}
