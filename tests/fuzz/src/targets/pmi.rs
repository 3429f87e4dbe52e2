//! PMI-1 as `hpvmrun` serves it: what ranks with the library of another MPI say.

use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;

use hpvm_launcher::job::pmi::Pmi;
use hpvm_launcher::plan::{Plan, RankPlan};
use hpvm_wire::pmi::{Lines, Message};
use hpvm_wire::{Board, startup::Place};

use super::input::Input;

const RANKS: u32 = 3;

/// Three ranks say what the input says, in pieces. Whatever they are answered is one line of PMI each, and what is told to the user is told once for a rank.
pub fn run(data: &[u8]) {
    let mut input = Input(data);
    let (mut pmi, theirs) = Pmi::new(&plan()).expect("sockets");
    let mut ranks: Vec<UnixStream> = theirs.into_iter().map(UnixStream::from).collect();
    let board = Board::map(Board::create(RANKS).expect("a board"), RANKS).expect("a board of that size");
    let mut told = 0;
    while !input.is_empty() {
        let (rank, length) = (u32::from(input.u8()) % RANKS, usize::from(input.u8()));
        let said = input.bytes(length);
        // One that was not understood is not listened to any more.
        let _ = ranks[rank as usize].write_all(said);
        let (_, words) = pmi.work(&[rank], &board);
        assert!(words.iter().all(|text| text.starts_with("rank ")), "{words:?}");
        told += words.len();
        ranks.iter_mut().for_each(answers);
    }
    assert!(told <= RANKS as usize);
    for line in data.split(|byte| *byte == b'\n') {
        if let Ok(message) = Message::parse(line) {
            let again = message.to_line();
            assert_eq!(Message::parse(again.strip_suffix('\n').expect("a line").as_bytes()), Ok(message));
        }
    }
}

fn answers(rank: &mut UnixStream) {
    rank.set_nonblocking(true).expect("a socket");
    let (mut lines, mut bytes) = (Lines::default(), [0; 8 << 10]);
    while let Ok(count @ 1..) = rank.read(&mut bytes) {
        lines.push(&bytes[..count]);
        while let Ok(Some(line)) = lines.take() {
            assert!(Message::parse(&line).is_ok(), "{:?}", String::from_utf8_lossy(&line));
        }
    }
}

fn plan() -> Plan {
    let rank = |rank| {
        let place = Place { rank, size: RANKS, local_rank: rank, local_size: RANKS, node: 0, appnum: 0, universe_size: RANKS };
        RankPlan { cores: None, place, part: 0, cpus: Vec::new() }
    };
    Plan { ranks: (0..RANKS).map(rank).collect(), ..Plan::default() }
}

pub fn seeds() -> Vec<Vec<u8>> {
    let all = |lines: &[&str]| -> Vec<u8> {
        let say = |rank: u8, line: &str| [&[rank, line.len() as u8 + 1], line.as_bytes(), b"\n"].concat();
        lines.iter().flat_map(|line| (0..RANKS as u8).flat_map(move |rank| say(rank, line))).collect()
    };
    let init = "cmd=init pmi_version=1 pmi_subversion=1";
    vec![
        all(&[init, "cmd=get_maxes", "cmd=get_appnum", "cmd=get_universe_size", "cmd=get_my_kvsname", "cmd=put kvsname=hpvm key=a value=b", "cmd=barrier_in",
            "cmd=get kvsname=hpvm key=a", "cmd=get kvsname=hpvm key=PMI_process_mapping", "cmd=finalize"]),
        all(&[init, "mcmd=spawn\nnprocs=1\nexecname=a\nendcmd", "cmd=publish_name service=a port=b", "cmd=abort exitcode=7"]),
        all(&["cmd=init pmi_version=2 pmi_subversion=0", "cmd=get"]),
        all(&["key=value"]),
    ]
}
