//! What waiting costs: a barrier of several processes, with some computation between two of them.
//!
//! `cargo run --release -p hpvm-smp --example waiting -- processes microseconds barriers`. With more processes than cores, or beside
//! other programs on the same ones, it shows what the ways of waiting are worth; several of it at once show whether jobs share alike.

use fm::{Fm, HandlerId, Park, Peer, Receive, Threading, Upcall};
use hpvm_smp::{Smp, SmpPark};
use std::cell::RefCell;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::time::{Duration, Instant};

const ARRIVED: HandlerId = HandlerId(0);

struct Node {
    fm: Fm,
    park: SmpPark,
    me: u32,
    processes: u32,
    /// Messages of each round of the barrier.
    arrivals: RefCell<[u64; 16]>,
    barriers: u64,
}

impl Upcall for Node {
    fn message(&self, _: Peer, _: HandlerId, body: &[u8]) {
        self.arrivals.borrow_mut()[usize::from(body[0])] += 1;
    }

    fn begin(&self, _: Peer, _: HandlerId, _: u64) -> Box<dyn Receive> {
        unreachable!("messages of a byte")
    }
}

impl Node {
    fn wait(&self, mut done: impl FnMut() -> bool) {
        let mut round = 0;
        while !done() {
            if self.fm.extract(16, self) > 0 {
                round = 0;
            } else {
                self.park.idle(round, &|| self.fm.arrived());
                round += 1;
            }
        }
    }

    /// By dissemination: in each round a message to whom is twice as far away.
    fn barrier(&mut self) {
        self.barriers += 1;
        let (mut distance, mut round) = (1, 0);
        while distance < self.processes {
            let to = Peer((self.me + distance) % self.processes);
            self.wait(|| self.fm.try_send(to, ARRIVED, 1, |room| room[0] = round));
            self.wait(|| self.arrivals.borrow()[usize::from(round)] >= self.barriers);
            (distance, round) = (2 * distance, round + 1);
        }
    }
}

/// So many dependent steps.
fn compute(steps: u64) {
    let mut x = 1.0_f64;
    for _ in 0..steps {
        x = std::hint::black_box(x * 1.000_000_1);
    }
}

/// How many steps take so long on a core that nobody else uses.
fn steps_for(time: Duration) -> u64 {
    const STEPS: u64 = 10_000;
    let measure = |_| {
        let start = Instant::now();
        compute(STEPS);
        start.elapsed()
    };
    let best = (0..200).map(measure).min().expect("some were measured");
    (STEPS as f64 * time.as_secs_f64() / best.as_secs_f64()) as u64
}

fn main() {
    let mut arguments = std::env::args().skip(1).map(|text| text.parse::<f64>().expect("three numbers"));
    let mut next = |default: f64| arguments.next().unwrap_or(default);
    let (processes, steps, barriers) = (next(4.0) as u32, steps_for(Duration::from_secs_f64(next(0.0) * 1e-6)), next(10_000.0) as usize);
    let memory = Smp::memory().expect("memory to share");
    // SAFETY: the process has one thread.
    let me = (1..processes).find(|_| unsafe { libc::fork() } == 0).unwrap_or(0);
    let peers: Vec<Peer> = (0..processes).map(Peer).collect();
    let smp = Smp::attach(memory.as_fd(), me, &peers, Threading::Single).expect("memory to share");
    let park = smp.park(hpvm_smp::cores_limit());
    let fm = Fm::new(Peer(me), processes, vec![Arc::new(smp)], |_| 0, Threading::Single, false);
    let mut node = Node { fm, park, me, processes, arrivals: RefCell::default(), barriers: 0 };
    node.barrier();
    let mut times = Vec::with_capacity(barriers);
    let start = Instant::now();
    for _ in 0..barriers {
        compute(steps);
        let before = Instant::now();
        node.barrier();
        times.push(before.elapsed().as_secs_f64() * 1e6);
    }
    if me == 0 {
        let each = start.elapsed().as_secs_f64() * 1e6 / barriers as f64;
        times.sort_by(f64::total_cmp);
        let at = |part: f64| times[(part * (barriers - 1) as f64) as usize];
        println!("{each:.2} us each; a barrier {:.2} us, 99 % within {:.2} us, 99.9 % within {:.2} us", at(0.5), at(0.99), at(0.999));
    }
}
