//! The conformance tests over the simulated network.

use fm::conformance::{Fixture, Program, Step};
use fm::reliability::Failure;
use fm::sim::{Faults, Network, Plan};
use fm::{Fm, HandlerId, Peer, Receive, Threading, Upcall};
use std::cell::RefCell;

struct Simulated(Plan);

/// Nobody sends to a node that is done.
struct Silence;

impl Upcall for Silence {
    fn message(&self, from: Peer, _: HandlerId, body: &[u8]) {
        panic!("a message of {} bytes from {from:?}", body.len());
    }

    fn begin(&self, from: Peer, _: HandlerId, total: u64) -> Box<dyn Receive> {
        panic!("a message of {total} bytes from {from:?}");
    }
}

/// Virtual time that a turn of every node takes.
const TURN_NS: u64 = 50;

impl Fixture for Simulated {
    fn run(&self, mut programs: Vec<Box<dyn Program>>) {
        let nodes = programs.len() as u32;
        let network = Network::new(7, nodes, self.0.clone());
        let endpoint = |me| Fm::new(Peer(me), nodes, vec![network.device(Peer(me))], |_| 0, Threading::Single, false);
        let endpoints: Vec<Fm> = (0..nodes).map(endpoint).collect();
        let mut running: Vec<usize> = (0..programs.len()).collect();
        while !running.is_empty() {
            let mut moved = false;
            running.retain(|&node| {
                let step = programs[node].step(&endpoints[node]);
                moved |= step != Step::Idle;
                step != Step::Done
            });
            // Who is done still acknowledges what the network repeats.
            for node in (0..endpoints.len()).filter(|node| !running.contains(node)) {
                moved |= endpoints[node].extract(usize::MAX, &Silence) > 0;
            }
            network.tick(TURN_NS);
            // One that is done may have something to repeat whose time has just come.
            let ready = || endpoints.iter().any(Fm::arrived);
            assert!(moved || ready() || network.advance(), "nodes {running:?} wait and nothing is on its way");
        }
    }
}

fm::conformance_tests!(roomy, Simulated(Plan::default()));
fm::conformance_tests!(tiny_packets, Simulated(Plan { max_packet: 128, slots: 3, ..Plan::default() }));
fm::conformance_tests!(credits, Simulated(Plan { max_packet: 512, credits: Some(16), ..Plan::default() }));
fm::conformance_tests!(starved_credits, Simulated(Plan { max_packet: 256, credits: Some(1), ..Plan::default() }));
fm::conformance_tests!(
    faulty,
    Simulated(Plan { faults: Some(Faults { lost: 200, repeated: 200, reordered: 2_000, ..Faults::default() }), ..Plan::default() })
);
fm::conformance_tests!(garbling, Simulated(Plan { faults: Some(Faults { garbled: 500, ..Faults::default() }), ..Plan::default() }));
fm::conformance_tests!(
    falling_apart,
    Simulated(Plan { faults: Some(Faults { apart_ns_max: 5_000_000, ..Faults::default() }), ..Plan::default() })
);
fm::conformance_tests!(
    narrow,
    Simulated(Plan { faults: Some(Faults { rate: 125_000_000, queue: 20_000, lost: 50, ..Faults::default() }), ..Plan::default() })
);
fm::conformance_tests!(two_credits, Simulated(Plan { max_packet: 256, credits: Some(2), ..Plan::default() }));

/// Keeps what arrives.
#[derive(Default)]
struct Kept(RefCell<Vec<Vec<u8>>>);

impl Upcall for Kept {
    fn message(&self, _: Peer, _: HandlerId, body: &[u8]) {
        self.0.borrow_mut().push(body.to_vec());
    }

    fn begin(&self, _: Peer, _: HandlerId, total: u64) -> Box<dyn Receive> {
        panic!("a message of {total} bytes");
    }
}

/// Extracts on all endpoints until nothing is to happen any more, or for a second of virtual time.
fn settle(network: &Network, endpoints: [&Fm; 2], kept: [&Kept; 2]) {
    let end_ns = network.now_ns() + 1_000_000_000;
    while network.now_ns() < end_ns {
        let moved: usize = endpoints.iter().zip(kept).map(|(fm, kept)| fm.extract(usize::MAX, kept)).sum();
        network.tick(TURN_NS);
        if moved == 0 && !endpoints.iter().any(|fm| fm.arrived()) && !network.advance() {
            return;
        }
    }
}

#[test]
fn who_takes_the_place_of_a_node_that_crashed_gets_and_sends_nothing_in_its_name() {
    let network = Network::new(3, 2, Plan { faults: Some(Faults::default()), ..Plan::default() });
    let endpoint = |device| |me| Fm::new(Peer(me), 2, vec![device], |_| 0, Threading::Single, false);
    let stays = endpoint(network.device(Peer(0)))(0);
    let crashes = endpoint(network.device(Peer(1)))(1);
    let kept = [Kept::default(), Kept::default()];
    assert!(stays.try_send_from(Peer(1), HandlerId(1), b"to the first", &[]) && crashes.try_send_from(Peer(0), HandlerId(1), b"from the first", &[]));
    settle(&network, [&stays, &crashes], [&kept[0], &kept[1]]);
    assert_eq!(kept[0].0.take(), [b"from the first"]);
    assert_eq!(kept[1].0.take(), [b"to the first"]);
    // On its way when its receiver is gone.
    assert!(stays.try_send_from(Peer(1), HandlerId(1), b"to the first", &[]));
    drop(crashes);
    let second = endpoint(network.restart(Peer(1)))(1);
    assert!(second.try_send_from(Peer(0), HandlerId(1), b"from the second", &[]));
    settle(&network, [&stays, &second], [&kept[0], &kept[1]]);
    assert_eq!((kept[0].0.take(), kept[1].0.take()), (vec![], vec![]));
    assert_eq!(network.failures(), [(Peer(0), Peer(1), Failure::Restarted { incarnation: 4 })]);
}
