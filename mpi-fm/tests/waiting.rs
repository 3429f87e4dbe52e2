//! Whoever waits for room in the network may sleep: the network says when there is some again.

use fm::sim::{Network, Plan};
use fm::{Fm, Park, Peer, Threading};
use mpi_fm::adi::envelope::Plane;
use mpi_fm::adi::receive::From;
use mpi_fm::adi::send::{Address, Mode};
use mpi_fm::config::Config;
use mpi_fm::datatype::{Basic, Datatype};
use mpi_fm::host::Host;
use mpi_fm::waiting::Waiting;
use mpi_fm::{Buf, Process};
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::sync::{Arc, Mutex, OnceLock};

struct Quiet;

impl Host for Quiet {
    fn wtime(&self) -> f64 {
        0.0
    }

    fn waits(&self, _: &Waiting) {}

    fn goes_on(&self) {}

    fn is_waiting(&self) -> bool {
        false
    }

    fn asks(&self, _: &Waiting, _: u32, _: bool) {}

    fn has_asked(&self) {}

    fn abort(&self, code: i32) -> ! {
        panic!("aborted with code {code}")
    }

    fn node(&self) -> u64 {
        0
    }

    fn processor_name(&self) -> String {
        "here".to_owned()
    }
}

/// Rank 0 is about to sleep: meanwhile time passes and rank 1 takes what has come.
struct Asleep {
    network: Network,
    other: OnceLock<Arc<Process>>,
    sleeps: AtomicU32,
}

impl Park for Asleep {
    fn idle(&self, _: u32, arrived: &dyn Fn() -> bool) {
        let Some(other) = self.other.get() else { panic!("rank 1 never waits") };
        assert!(!arrived(), "rank 0 is kept from sleeping though nothing has changed");
        self.sleeps.fetch_add(1, Relaxed);
        while !arrived() {
            other.progress();
            assert!(self.network.advance() || arrived(), "rank 0 sleeps for good");
        }
    }

    fn wake(&self) {}
}

fn sleeps_of_a_sender(plan: Plan, messages: usize, bytes: usize) -> u32 {
    let network = Network::new(1, 2, plan);
    let park = || Arc::new(Asleep { network: network.clone(), other: OnceLock::new(), sleeps: AtomicU32::new(0) });
    let parks = [park(), park()];
    let process = |me: u32| {
        let fm = Fm::new(Peer(me), 2, vec![network.device(Peer(me))], |_| 0, Threading::Single, false);
        Process::new(fm, parks[me as usize].clone(), Arc::new(Quiet), Config::default())
    };
    let sender = process(0);
    assert!(parks[0].other.set(process(1)).is_ok());
    let ty: &Arc<Datatype> = sender.types.get(Basic::MPI_BYTE);
    let mut memory = vec![0u8; bytes];
    for _ in 0..messages {
        // SAFETY: the vector outlives the blocking send.
        let buf = unsafe { Buf::new(memory.as_mut_ptr(), bytes, ty) };
        let to = Address { comm: sender.world(), rank: 1, tag: 1, plane: Plane::PointToPoint };
        sender.send(buf, to, Mode::Standard).expect("a send to a rank that extracts");
    }
    parks[0].sleeps.load(Relaxed)
}

#[test]
fn a_sender_sleeps_until_the_network_has_room() {
    let narrow = Plan { max_packet: 256, credits: None, slots: 1, delay_ns_max: 100_000, ..Plan::default() };
    assert_eq!(sleeps_of_a_sender(narrow, 10, 16), 9, "once for each message that finds the last one still there");
}

#[test]
fn a_sender_sleeps_until_credits_return() {
    let narrow = Plan { max_packet: 256, credits: Some(2), slots: 0, delay_ns_max: 100_000, ..Plan::default() };
    assert!(sleeps_of_a_sender(narrow, 10, 16) > 0);
}

/// A thread of rank 0 is about to sleep. Before its last look, another thread does this.
type Meanwhile = Box<dyn Fn() + Send + Sync>;

#[derive(Default)]
struct Interrupted {
    meanwhile: OnceLock<Meanwhile>,
    sleeps: AtomicU32,
}

impl Park for Interrupted {
    fn idle(&self, _: u32, arrived: &dyn Fn() -> bool) {
        self.sleeps.fetch_add(1, Relaxed);
        self.meanwhile.get().expect("it is set before anybody waits")();
        assert!(arrived(), "the thread sleeps for good");
    }

    fn wake(&self) {}
}

/// Two ranks; threads of rank 0 sleep in `park`.
fn threaded_pair(network: &Network, park: Arc<Interrupted>) -> [Arc<Process>; 2] {
    [0, 1].map(|me| {
        let fm = Fm::new(Peer(me), 2, vec![network.device(Peer(me))], |_| 0, Threading::Multiple, false);
        let park = if me == 0 { park.clone() } else { Arc::default() };
        Process::new(fm, park, Arc::new(Quiet), Config::default())
    })
}

/// Bytes that outlive whatever is done with them.
fn forever(process: &Process, bytes: usize) -> Buf<'_> {
    let memory = Box::leak(vec![0u8; bytes].into_boxed_slice());
    // SAFETY: leaked, so they live for good; nobody else names them.
    unsafe { Buf::new(memory.as_mut_ptr(), bytes, process.types.get(Basic::MPI_BYTE)) }
}

fn to_the_other(process: &Process, tag: i32) -> Address<'_> {
    let rank = 1 - process.world().rank;
    Address { comm: process.world(), rank, tag, plane: Plane::PointToPoint }
}

fn from_the_other(process: &Process) -> From<'_> {
    From { comm: process.world(), rank: Some(1 - process.world().rank), tag: None, plane: Plane::PointToPoint }
}

#[test]
fn a_message_that_another_thread_took_from_the_network_wakes() {
    let network = Network::new(1, 2, Plan::default());
    let park = Arc::new(Interrupted::default());
    let [here, there] = threaded_pair(&network, park.clone());
    let (tester, sending) = (here.clone(), network.clone());
    let meanwhile = move || {
        there.isend(forever(&there, 8), to_the_other(&there, 1), Mode::Standard).expect("a small send");
        while sending.advance() {}
        // As in MPI_Test of another request.
        tester.progress();
    };
    assert!(park.meanwhile.set(Box::new(meanwhile)).is_ok());
    here.recv(forever(&here, 8), from_the_other(&here)).expect("a message");
    assert_eq!(park.sleeps.load(Relaxed), 1);
}

#[test]
fn room_that_another_thread_took_wakes_who_waits_for_more() {
    let plan = Plan { max_packet: 256, credits: None, slots: 1, delay_ns_max: 1000, ..Plan::default() };
    let network = Network::new(1, 2, plan);
    let park = Arc::new(Interrupted::default());
    let [here, there] = threaded_pair(&network, park.clone());
    there.irecv(forever(&there, 2000), from_the_other(&there)).expect("a receive");
    let (other, network, taken) = (here.clone(), network.clone(), AtomicU32::new(0));
    let meanwhile = move || {
        while network.advance() {}
        there.progress();
        while network.advance() {}
        if taken.fetch_add(1, Relaxed) < 5 {
            // Takes the only slot before the body's next piece can.
            other.isend(forever(&other, 8), to_the_other(&other, 2), Mode::Standard).expect("a small send");
        }
    };
    assert!(park.meanwhile.set(Box::new(meanwhile)).is_ok());
    here.send(forever(&here, 2000), to_the_other(&here, 1), Mode::Standard).expect("a send in pieces");
    assert!(park.sleeps.load(Relaxed) > 5);
}

/// Notes how often somebody asked in vain.
#[derive(Default)]
struct Asked(Mutex<Vec<u32>>);

impl Park for Asked {
    fn idle(&self, _: u32, _: &dyn Fn() -> bool) {
        panic!("nobody waits");
    }

    fn give_way(&self, round: u32) {
        self.0.lock().expect("no panic").push(round);
    }

    fn wake(&self) {}
}

#[test]
fn who_asks_in_vain_gives_way() {
    let network = Network::new(1, 2, Plan::default());
    let park = Arc::new(Asked::default());
    let [here, there] = [0, 1].map(|me| {
        let fm = Fm::new(Peer(me), 2, vec![network.device(Peer(me))], |_| 0, Threading::Single, false);
        Process::new(fm, park.clone(), Arc::new(Quiet), Config::default())
    });
    (0..3).for_each(|_| here.poll(|| Waiting::UNKNOWN));
    there.isend(forever(&there, 8), to_the_other(&there, 1), Mode::Standard).expect("a small send");
    while network.advance() {}
    (0..3).for_each(|_| here.poll(|| Waiting::UNKNOWN));
    assert_eq!(*park.0.lock().expect("no panic"), [1, 2, 3, 1, 2], "the message is no vain poll");
}
