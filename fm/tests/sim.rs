//! The conformance tests over the simulated network.

use fm::conformance::{Fixture, Program, Step};
use fm::sim::{Faults, Network, Plan};
use fm::{Fm, HandlerId, Peer, Receive, Threading, Upcall};

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
            let ready = || running.iter().any(|&node| endpoints[node].arrived());
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
fm::conformance_tests!(two_credits, Simulated(Plan { max_packet: 256, credits: Some(2), ..Plan::default() }));
