//! Whoever waits for room in the network may sleep: the network says when there is some again.

use fm::sim::{Network, Plan};
use fm::{Fm, Park, Peer, Threading};
use mpi_fm::adi::envelope::Plane;
use mpi_fm::adi::send::{Address, Mode};
use mpi_fm::config::Config;
use mpi_fm::datatype::{Basic, Datatype};
use mpi_fm::host::{Host, Waiting};
use mpi_fm::{Buf, Process};
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::sync::{Arc, OnceLock};

struct Quiet;

impl Host for Quiet {
    fn wtime(&self) -> f64 {
        0.0
    }

    fn waiting(&self, _: Option<Waiting>) {}

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
    let narrow = Plan { max_packet: 256, credits: None, slots: 1, delay_ns_max: 100_000, faults: None };
    assert_eq!(sleeps_of_a_sender(narrow, 10, 16), 9, "once for each message that finds the last one still there");
}

#[test]
fn a_sender_sleeps_until_credits_return() {
    let narrow = Plan { max_packet: 256, credits: Some(2), slots: 0, delay_ns_max: 100_000, faults: None };
    assert!(sleeps_of_a_sender(narrow, 10, 16) > 0);
}
