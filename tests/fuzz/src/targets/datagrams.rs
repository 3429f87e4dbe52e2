//! Frames of `fm::reliability`, over a network that says what the input says.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex};

use fm::reliability::{Datagrams, Path, Reliable, Settings};
use fm::{Device, HandlerId, Header, Peer};

use super::input::Input;

const PEERS: u32 = 3;
const FRAME_MAX: usize = 256;

#[derive(Default)]
struct Wire {
    arrived: Mutex<VecDeque<(Peer, Vec<u8>)>>,
    sent: Mutex<Vec<(Peer, Vec<u8>)>>,
    now_ns: AtomicU64,
}

impl Datagrams for Wire {
    fn name(&self) -> &'static str {
        "wire"
    }

    fn frame_max(&self) -> usize {
        FRAME_MAX
    }

    fn send(&self, to: Peer, _: Path, frame: &[u8]) {
        assert!(frame.len() <= FRAME_MAX && to.0 < PEERS);
        self.sent.lock().expect("one thread").push((to, frame.to_vec()));
    }

    fn receive(&self, frame: &mut dyn FnMut(Peer, &[u8])) -> bool {
        let Some((from, bytes)) = self.arrived.lock().expect("one thread").pop_front() else { return false };
        frame(from, &bytes);
        true
    }

    fn arrived(&self) -> bool {
        !self.arrived.lock().expect("one thread").is_empty()
    }

    fn now_ns(&self) -> u64 {
        self.now_ns.load(Relaxed)
    }

    fn wake_at(&self, _: u64) {}
}

/// Process 0 hears frames from peers that there are and from others, sends now and then, and time goes by. What it delivers came in a frame.
pub fn run(data: &[u8]) {
    let mut input = Input(data);
    let wire = Arc::new(Wire::default());
    let device = Reliable::new(Arc::clone(&wire) as Arc<dyn Datagrams>, PEERS, Settings::new(7));
    let (mut inbox, mut links) = (device.inbox(), [device.link(Peer(1)), device.link(Peer(2))]);
    while !input.is_empty() {
        match input.u8() {
            step @ 0..=3 => {
                let link = &mut links[usize::from(step & 1)];
                if let Some(room) = link.lend(usize::from(step) * 8) {
                    room.fill(step);
                    link.commit(Header::single(HandlerId(step)));
                }
            }
            4 => drop(wire.now_ns.fetch_add(u64::from(input.u16()) << 10, Relaxed)),
            // An answer to what was sent last: a frame of ours with some of its bytes changed.
            5 => {
                let (at, to) = (usize::from(input.u8()), input.u8());
                let Some((peer, mut frame)) = wire.sent.lock().expect("one thread").pop() else { continue };
                if let Some(byte) = frame.get_mut(at) {
                    *byte ^= to;
                }
                wire.arrived.lock().expect("one thread").push_back((peer, frame));
            }
            from => {
                let length = usize::from(input.u8());
                let frame = input.bytes(length).to_vec();
                wire.arrived.lock().expect("one thread").push_back((Peer(u32::from(from & 3)), frame));
            }
        }
        let polled = inbox.poll(4, &mut |from, _, body| assert!(from.0 < PEERS && body.len() <= FRAME_MAX));
        assert!(polled <= 4);
        inbox.arrived();
    }
    // A frame of one peer does not keep the process from leaving for ever.
    wire.now_ns.fetch_add(1 << 40, Relaxed);
    inbox.close();
}

pub fn seeds() -> Vec<Vec<u8>> {
    // Frames as a peer with another incarnation writes them.
    let wire = Arc::new(Wire::default());
    let device = Reliable::new(Arc::clone(&wire) as Arc<dyn Datagrams>, PEERS, Settings { peer: Some(7), ..Settings::new(9) });
    let mut link = device.link(Peer(0));
    let mut script = vec![0, 1, 2];
    for len in [0, 5, 60] {
        link.lend(len).expect("room for a few").fill(1);
        link.commit(Header::single(HandlerId(3)));
    }
    for (_, frame) in wire.sent.lock().expect("one thread").iter() {
        script.extend([0x11, frame.len() as u8]);
        script.extend(frame);
        script.extend([4, 1, 0]);
    }
    vec![script.clone(), [script, vec![5, 9, 255, 5, 3, 1, 4, 0, 255]].concat(), vec![3, 3, 3, 5, 0, 0, 5, 20, 4]]
}
