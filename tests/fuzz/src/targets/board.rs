//! Status lines: every rank may write anything into the board, and other machines send what theirs say.

use hpvm_launcher::job::hang;
use hpvm_launcher::job::judge::{Judge, Seen};
use hpvm_launcher::job::report::Report;
use hpvm_launcher::plan::{Plan, RankPlan};
use hpvm_wire::status::Snapshot;
use hpvm_wire::waiting::{Waiting, What};
use hpvm_wire::{Board, StatusLine, startup::Place};

use super::input::Input;

const RANKS: u32 = 4;
const NOW: u64 = 100_000_000_000;

/// What comes from afar is shown on the board, the board is read, and reported, whatever it says.
pub fn run(data: &[u8]) {
    let mut input = Input(data);
    let file = Board::create(RANKS).expect("a board");
    let (kind, left) = (input.u8(), input.u8());
    if kind & 1 == 0 {
        rustix::io::pwrite(&file, input.bytes(RANKS as usize * StatusLine::SIZE), 0).expect("the board can be written");
    }
    let board = Board::map(&file, RANKS).expect("a board of that size");
    if kind & 1 == 1 {
        for rank in 0..RANKS as usize {
            let snapshot = Snapshot::from_words(std::array::from_fn(|_| input.u64() as u32));
            assert_eq!(Snapshot::from_words(snapshot.to_words()), snapshot);
            board[rank].show(&snapshot.turn_clock(NOW));
        }
    }
    let mut judge = Judge::new(RANKS);
    for rank in 0..RANKS {
        if left >> rank & 1 == 0 {
            judge.started(rank, 100 + rank);
        }
        judge.look(rank, Seen::on(&board[rank as usize]));
    }
    let report = Report::new(&plan(), &judge, &board, NOW);
    let text = report.text();
    assert!(text.lines().count() >= RANKS as usize);
    assert!(!text.chars().any(|letter| letter.is_control() && letter != '\n'), "{text:?}");
    assert!(report.fields()["ranks"].is_array());
    assert_eq!(hang::Seen::all(&judge, &board, NOW).len(), RANKS as usize);
}

fn plan() -> Plan {
    let rank = |rank| {
        let place = Place { rank, size: RANKS, local_rank: rank, local_size: RANKS, node: 0, appnum: 0, universe_size: RANKS };
        RankPlan { cores: None, place, part: 0, cpus: Vec::new() }
    };
    Plan { host: "here".into(), ranks: (0..RANKS).map(rank).collect(), ..Plan::default() }
}

/// Ranks that wait for each other, and take part in different collective calls.
pub fn seeds() -> Vec<Vec<u8>> {
    let line = |rank: u32, what| {
        let waiting = Waiting {
            what,
            comm: 0x101,
            comm_name: "MPI_COMM_WORLD".into(),
            peer: (rank as i32 + 1) % RANKS as i32,
            world: (rank as i32 + 1) % RANKS as i32,
            tag: rank as i32,
            operation: (what == What::Collective).then_some(rank as u16 + 20),
            others: 1,
            ..Waiting::default()
        };
        Snapshot { state: 1, pid: 100 + rank, call: rank as u16 + 20, since_ns: 5_000_000_000, moved_ns: 4_000_000_000, waiting: waiting.to_words(), process: u32::from(b'S'), ..Snapshot::default() }
    };
    [What::Receive, What::Send, What::Collective]
        .into_iter()
        .flat_map(|what| {
            let words: Vec<u32> = (0..RANKS).flat_map(|rank| line(rank, what).to_words()).collect();
            let afar = [1, 0].into_iter().chain(words.iter().flat_map(|word| u64::from(*word).to_le_bytes())).collect();
            let file = Board::create(RANKS).expect("a board");
            let board = Board::map(&file, RANKS).expect("a board of that size");
            (0..RANKS).for_each(|rank| board[rank as usize].show(&line(rank, what)));
            let mut bytes = vec![0; 2 + RANKS as usize * StatusLine::SIZE];
            rustix::io::pread(&file, &mut bytes[2..], 0).expect("the board can be read");
            [afar, bytes]
        })
        .collect()
}
