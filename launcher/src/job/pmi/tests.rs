use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::net::UnixStream;

use hpvm_wire::{Place, State};

use super::*;
use crate::plan::RankPlan;

fn plan(nodes: &[u32]) -> Plan {
    let rank = |(rank, node): (usize, &u32)| {
        let size = nodes.len() as u32;
        let place = Place { rank: rank as u32, size, local_rank: 0, local_size: 1, node: *node, appnum: 4, universe_size: size };
        RankPlan { place, part: 0, cores: None, cpus: Vec::new() }
    };
    Plan { ranks: nodes.iter().enumerate().map(rank).collect(), ..Plan::default() }
}

struct Job {
    pmi: Pmi,
    board: Board,
    ranks: Vec<BufReader<UnixStream>>,
}

impl Job {
    fn new(size: u32) -> Self {
        let (pmi, theirs) = Pmi::new(&plan(&vec![0; size as usize])).unwrap();
        let board = Board::map(Board::create(size).unwrap(), size).unwrap();
        Self { pmi, board, ranks: theirs.into_iter().map(|socket| BufReader::new(socket.into())).collect() }
    }

    /// What the launcher has to say to people.
    fn say(&mut self, rank: usize, line: &str) -> Vec<String> {
        self.ranks[rank].get_ref().write_all(line.as_bytes()).unwrap();
        self.pmi.work(&[rank as u32], &self.board).1
    }

    fn hear(&mut self, rank: usize) -> String {
        let mut line = String::new();
        self.ranks[rank].read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    fn ask(&mut self, rank: usize, line: &str) -> String {
        assert_eq!(self.say(rank, &format!("{line}\n")), Vec::<String>::new());
        self.hear(rank)
    }
}

const INIT: &str = "cmd=init pmi_version=1 pmi_subversion=1";

#[test]
fn ranks_tell_each_other_what_they_put() {
    let mut job = Job::new(2);
    for rank in 0..2 {
        assert_eq!(job.ask(rank, INIT), "cmd=response_to_init pmi_version=1 pmi_subversion=1 rc=0");
        assert_eq!(job.board[rank].state(), State::Initialised);
        assert_eq!(job.ask(rank, "cmd=get_maxes"), "cmd=maxes kvsname_max=256 keylen_max=64 vallen_max=1024");
        assert_eq!(job.ask(rank, "cmd=get_appnum"), "cmd=appnum appnum=4");
        assert_eq!(job.ask(rank, "cmd=get_universe_size"), "cmd=universe_size size=2");
        let put = format!("cmd=put kvsname=hpvm key=P{rank} value=at#{rank}$=");
        assert_eq!(job.ask(rank, &put), "cmd=put_result rc=0 msg=success");
    }
    assert!(job.say(1, "cmd=barrier_in\n").is_empty());
    assert!(job.say(1, "cmd=barrier_in\n").is_empty(), "one that enters twice is one");
    assert_eq!(job.ask(0, "cmd=barrier_in"), "cmd=barrier_out");
    assert_eq!(job.hear(1), "cmd=barrier_out");
    assert_eq!(job.ask(1, "cmd=get kvsname=hpvm key=P0"), "cmd=get_result rc=0 msg=success value=at#0$=");
    assert_eq!(job.ask(1, "cmd=get kvsname=hpvm key=P7"), "cmd=get_result rc=-1 msg=key_not_found value=unknown");
    assert_eq!(job.ask(0, "cmd=get kvsname=hpvm key=PMI_process_mapping"), "cmd=get_result rc=0 msg=success value=(vector,(0,1,2))");
    assert_eq!(job.ask(0, "cmd=finalize"), "cmd=finalize_ack");
    assert_eq!((job.board[0].state(), job.board[1].state()), (State::Finalised, State::Initialised));
    assert!(job.say(1, "cmd=abort exitcode=9\n").is_empty());
    assert_eq!((job.board[1].state(), job.board[1].abort_code()), (State::Aborted, 9));
}

#[test]
fn what_is_not_served_is_said() {
    let mut job = Job::new(1);
    job.ask(0, INIT);
    assert!(job.ask(0, "cmd=publish_name service=x port=y").starts_with("cmd=publish_name_result rc=-1"));
    assert!(job.ask(0, "mcmd=spawn\nnprocs=2\nexecname=x y\nendcmd").starts_with("cmd=spawn_result rc=-1"));
    let long = format!("cmd=put kvsname=hpvm key=k value={}", "x".repeat(VALUE_MAX));
    assert!(job.ask(0, &long).starts_with("cmd=put_result rc=-1"));
    assert_eq!(job.ask(0, "cmd=init pmi_version=2 pmi_subversion=0"), "cmd=response_to_init pmi_version=1 pmi_subversion=1 rc=-1");
}

#[test]
fn a_broken_rank_is_named_and_heard_no_more() {
    for (nonsense, why) in [
        ("GET / HTTP/1.1\n", "not key=value"),
        ("cmd=finalize\n", "begin with init"),
        ("\u{1}\n", "not key=value"),
        ("cmd=init\n", "no pmi_version"),
        (&*"x".repeat(20_000), "a line of more than"),
    ] {
        let mut job = Job::new(2);
        let words = job.say(0, nonsense);
        assert!(words.len() == 1 && words[0].starts_with("rank 0 speaks PMI") && words[0].contains(why), "{words:?}");
        assert_eq!(job.hear(0), "", "its conversation has ended");
        job.ask(1, INIT);
        assert_eq!(job.board[0].state(), State::Plain);
    }
}

/// It says on and on, and reads nothing of the answers: the others are served meanwhile, it takes no memory without end, and in the end it has all answers.
#[test]
fn one_that_asks_without_end_holds_up_nobody() {
    const ASKED: usize = 60_000;
    let mut job = Job::new(2);
    (0..2).for_each(|rank| drop(job.ask(rank, INIT)));
    assert_eq!(job.ask(0, &format!("cmd=put kvsname=hpvm key=long value={}", "x".repeat(VALUE_MAX - 1))), "cmd=put_result rc=0 msg=success");
    let mut asking = job.ranks[0].get_ref().try_clone().unwrap();
    let asker = std::thread::spawn(move || (0..ASKED).for_each(|_| asking.write_all(b"cmd=get key=long\n").unwrap()));
    for _ in 0..200 {
        assert_eq!(job.pmi.work(&[0], &job.board).1, Vec::<String>::new());
        assert_eq!(job.ask(1, "cmd=get_universe_size"), "cmd=universe_size size=2");
        assert!(job.pmi.ranks[0].as_ref().unwrap().unsent.len() < 2 * UNREAD_MAX);
    }
    // In the end it is not even listened to.
    while job.pmi.interests().next().unwrap().2 != PollFlags::OUT {
        job.pmi.work(&[0], &job.board);
    }
    let (mut answers, mut bytes) = (0, [0; 64 << 10]);
    while answers < ASKED {
        while let Ok((count, _)) = rustix::net::recv(job.ranks[0].get_ref(), &mut bytes, RecvFlags::DONTWAIT) {
            answers += bytes[..count].iter().filter(|byte| **byte == b'\n').count();
        }
        job.pmi.work(&[0], &job.board);
    }
    asker.join().unwrap();
    assert_eq!(answers, ASKED);
}

#[test]
fn nodes_are_mapped_in_blocks() {
    for (nodes, expected) in [
        (&[0, 0, 0][..], "(vector,(0,1,3))"),
        (&[0, 0, 1, 1, 2], "(vector,(0,2,2),(2,1,1))"),
        (&[0, 1, 2, 0, 1, 2], "(vector,(0,3,1),(0,3,1))"),
    ] {
        assert_eq!(mapping(&plan(nodes)).as_deref(), Some(expected));
    }
    let scattered: Vec<u32> = (0..2000).map(|rank| (rank * 7919) % 1009).collect();
    assert_eq!(mapping(&plan(&scattered)), None, "ranks then find out by the names of machines");
}
