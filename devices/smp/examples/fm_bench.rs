//! What raw FM reaches over shared memory between two processes, beside what the machine itself does.
//!
//! `cargo run --release -p hpvm-smp --example fm_bench [-- rounds]`; with `--json` in their place, what `cargo xtask bench` asks for. The lines of one round are measured one after the other,
//! pinned to two cores if there are two; what counts is their ratio.

use fm::{Fm, HandlerId, Park, Peer, Receive, Threading, Upcall};
use hpvm_smp::{Smp, SmpPark};
use std::cell::{Cell, UnsafeCell};
use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

const PING: HandlerId = HandlerId(0);
const DATA: HandlerId = HandlerId(1);

/// Longer messages go as streams, so that both copies are under way at a time.
const IN_ONE_PACKET: usize = 16 << 10;

struct Node {
    fm: Fm,
    park: SmpPark,
    me: u32,
    pings: Cell<u64>,
    long_messages: Arc<LongMessages>,
}

/// Where long messages go, and how many have.
struct LongMessages {
    buffer: UnsafeCell<Vec<u8>>,
    finished: AtomicU64,
}

// SAFETY: a process of this benchmark has one thread.
unsafe impl Send for LongMessages {}
// SAFETY: as above.
unsafe impl Sync for LongMessages {}

struct Landing {
    to: Arc<LongMessages>,
    at: usize,
}

impl Landing {
    fn put(&mut self, bytes: &[u8]) {
        // SAFETY: one thread, and nobody else holds the buffer during an extraction.
        let buffer = unsafe { &mut *self.to.buffer.get() };
        buffer[self.at..][..bytes.len()].copy_from_slice(bytes);
        self.at += bytes.len();
    }

    fn finish(self) {
        self.to.finished.fetch_add(1, Ordering::Relaxed);
    }

    /// A whole message.
    fn take(mut self, body: &[u8]) {
        self.put(body);
        self.finish();
    }
}

impl Receive for Landing {
    fn piece(&mut self, bytes: &[u8]) {
        self.put(bytes);
    }

    fn end(self: Box<Self>) {
        self.finish();
    }
}

impl Upcall for Node {
    #[inline]
    fn message(&self, _: Peer, handler: HandlerId, body: &[u8]) {
        if handler == DATA {
            self.landing().take(body);
        } else {
            self.pings.set(self.pings.get() + 1);
        }
    }

    fn begin(&self, _: Peer, _: HandlerId, _: u64) -> Box<dyn Receive> {
        Box::new(self.landing())
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

    fn peer(&self) -> Peer {
        Peer(1 - self.me)
    }

    fn send(&self, len: usize) {
        self.wait(|| self.fm.try_send(self.peer(), PING, len, |room| room.fill(1)));
    }

    fn until_pings(&self, count: u64) {
        self.wait(|| self.pings.get() >= count);
    }

    /// Half a round trip, in nanoseconds.
    fn latency_ns(&self, len: usize, rounds: u64) -> f64 {
        let start = Instant::now();
        for _ in 0..rounds {
            let before = self.pings.get();
            if self.me == 0 {
                self.send(len);
                self.until_pings(before + 1);
            } else {
                self.until_pings(before + 1);
                self.send(len);
            }
        }
        start.elapsed().as_nanos() as f64 / rounds as f64 / 2.0
    }

    /// Nanoseconds per message of a flood with an answer at its end.
    fn flood_ns(&self, len: usize, messages: u64) -> f64 {
        let before = self.pings.get();
        let start = Instant::now();
        if self.me == 0 {
            (0..messages).for_each(|_| self.send(len));
            self.until_pings(before + 1);
        } else {
            self.until_pings(before + messages);
            self.send(len);
        }
        start.elapsed().as_nanos() as f64 / messages as f64
    }

    fn landing(&self) -> Landing {
        Landing { to: self.long_messages.clone(), at: 0 }
    }

    /// One message of data, as FM sends those of its length.
    fn send_data(&self, buffer: &[u8]) {
        if buffer.len() <= IN_ONE_PACKET {
            return self.wait(|| self.fm.try_send_from(self.peer(), DATA, &[], buffer));
        }
        let mut stream = self.fm.begin(self.peer(), DATA, buffer.len() as u64).expect("few streams are open");
        let mut sent = 0;
        self.wait(|| {
            sent += stream.piece(&self.fm, &buffer[sent..]);
            sent == buffer.len()
        });
        stream.end(&self.fm);
    }

    /// Gigabytes per second of long messages from one buffer into one buffer.
    fn bandwidth(&self, buffer: &[u8], messages: u64) -> f64 {
        let (pings, finished) = (self.pings.get(), self.long_messages.finished.load(Ordering::Relaxed));
        let start = Instant::now();
        if self.me == 0 {
            (0..messages).for_each(|_| self.send_data(buffer));
            self.until_pings(pings + 1);
        } else {
            self.wait(|| self.long_messages.finished.load(Ordering::Relaxed) >= finished + messages);
            self.send(8);
        }
        (messages * buffer.len() as u64) as f64 / start.elapsed().as_nanos() as f64
    }
}

/// Half a round trip of a cache line between the two processes, in nanoseconds: the floor.
fn line_ns(line: &AtomicU64, me: u32, rounds: u64) -> f64 {
    line.store(0, Ordering::SeqCst);
    std::thread::sleep(std::time::Duration::from_millis(20));
    let start = Instant::now();
    for round in 0..rounds {
        let mine = 2 * round + u64::from(me);
        while line.load(Ordering::Acquire) != mine {
            std::hint::spin_loop();
        }
        line.store(mine + 1, Ordering::Release);
    }
    start.elapsed().as_nanos() as f64 / rounds as f64 / 2.0
}

/// A two-copy pipeline with nothing around it, in gigabytes per second: eight chunks, each with a flag.
fn raw_pipeline(memory: *mut u8, me: u32, buffer: &mut [u8], messages: u64) -> f64 {
    const CHUNK: usize = 32 << 10;
    const CHUNKS: usize = 8;
    let flag = |index: usize| {
        // SAFETY: the shared memory holds eight lines and eight chunks behind them.
        unsafe { &*memory.add(index * 64).cast::<AtomicU64>() }
    };
    // SAFETY: as above.
    let chunk = |index: usize| unsafe { memory.add(4096 + index * CHUNK) };
    if me == 0 {
        (0..CHUNKS).for_each(|index| flag(index).store(0, Ordering::SeqCst));
    }
    std::thread::sleep(std::time::Duration::from_millis(20));
    let start = Instant::now();
    let mut index = 0;
    for _ in 0..messages {
        for part in buffer.chunks_mut(CHUNK) {
            while flag(index).load(Ordering::Acquire) != u64::from(me) {
                std::hint::spin_loop();
            }
            // SAFETY: the flag says that the chunk is ours.
            unsafe {
                if me == 0 {
                    std::ptr::copy_nonoverlapping(part.as_ptr(), chunk(index), part.len());
                } else {
                    std::ptr::copy_nonoverlapping(chunk(index), part.as_mut_ptr(), part.len());
                }
            }
            flag(index).store(u64::from(1 - me), Ordering::Release);
            index = (index + 1) % CHUNKS;
        }
    }
    while me == 0 && (0..CHUNKS).any(|index| flag(index).load(Ordering::Acquire) != 0) {
        std::hint::spin_loop();
    }
    (messages * buffer.len() as u64) as f64 / start.elapsed().as_nanos() as f64
}

/// The middle one of many measurements: on a busy machine some are interrupted.
fn median(count: usize, mut measure: impl FnMut() -> f64) -> f64 {
    let mut all: Vec<f64> = (0..count).map(|_| measure()).collect();
    all.sort_by(f64::total_cmp);
    all[count / 2]
}

/// What `cargo xtask bench` reads: members of a JSON object.
fn figures(node: &Node, plain: *mut u8, buffer: &mut [u8]) -> Vec<String> {
    let latency = median(201, || node.latency_ns(8, 200));
    let mut figures = vec![format!("\"fm_8_ns\":{latency:.1}")];
    for size in [8 << 10, 64 << 10, 1 << 20, 4 << 20] {
        let messages = ((32 << 20) / size) as u64;
        // One beside the other: what disturbs the machine disturbs both.
        let (mut raw, mut reached) = (Vec::new(), Vec::new());
        for _ in 0..15 {
            raw.push(raw_pipeline(plain, node.me, &mut buffer[..size], messages));
            reached.push(node.bandwidth(&buffer[..size], messages));
        }
        for (name, all) in [("ring", raw), ("fm", reached)] {
            let mut all = all.into_iter();
            let mb_s = median(15, || all.next().unwrap_or(0.0)) * 1000.0;
            figures.push(format!("\"{name}_{size}_MBps\":{mb_s:.0}"));
        }
    }
    figures
}

fn pin(core: usize) {
    // SAFETY: a set of bits, filled and passed with its size.
    unsafe {
        let mut set: libc::cpu_set_t = std::mem::zeroed();
        libc::CPU_SET(core, &mut set);
        libc::sched_setaffinity(0, size_of_val(&set), &raw const set);
    }
}

fn main() {
    let argument = std::env::args().nth(1);
    let as_json = argument.as_deref() == Some("--json");
    let rounds: usize = argument.filter(|_| !as_json).map_or(3, |text| text.parse().expect("a number of rounds"));
    let cores = hpvm_smp::cores_available();
    let memory = Smp::memory().expect("memory to share");
    // SAFETY: new anonymous memory, shared with the child.
    let plain = unsafe {
        libc::mmap(std::ptr::null_mut(), 1 << 20, libc::PROT_READ | libc::PROT_WRITE, libc::MAP_SHARED | libc::MAP_ANONYMOUS, -1, 0)
    };
    assert_ne!(plain, libc::MAP_FAILED);
    // SAFETY: the process has one thread.
    let me = u32::from(unsafe { libc::fork() } == 0);
    if cores >= 2 {
        pin(me as usize);
    }
    let smp = Smp::attach(memory.as_fd(), me, &[Peer(0), Peer(1)], Threading::Single).expect("memory to share");
    let park = smp.park(cores);
    let fm = Fm::new(Peer(me), 2, vec![Arc::new(smp)], |_| 0, Threading::Single, false);
    let mut buffer = vec![1; 4 << 20];
    let landing = LongMessages { buffer: UnsafeCell::new(vec![0; 4 << 20]), finished: AtomicU64::new(0) };
    let node = Node { fm, park, me, pings: Cell::new(0), long_messages: Arc::new(landing) };
    let say = |text: String| {
        if me == 0 {
            println!("{text}");
        }
    };
    node.latency_ns(8, 10_000);
    if as_json {
        let figures = figures(&node, plain.cast(), &mut buffer);
        return say(format!("{{{}}}", figures.join(",")));
    }
    for _ in 0..rounds {
        // SAFETY: the mapping is larger than the line.
        let line = median(31, || line_ns(unsafe { &*plain.cast::<AtomicU64>() }, me, 10_000));
        say(format!("cache line one way        {line:8.1} ns"));
        for len in [8, 48, 64, 256, 1024, 4096, 8192] {
            let latency = median(501, || node.latency_ns(len, 200));
            let flood = median(31, || node.flood_ns(len, 10_000));
            let rate = len as f64 / flood;
            say(format!("FM {len:7} B one way      {latency:8.1} ns {:5.2} x line; flood {flood:6.1} ns {rate:6.2} GB/s", latency / line));
        }
        for size in [8 << 10, 64 << 10, 256 << 10, 1 << 20, 4 << 20] {
            let messages = ((32 << 20) / size) as u64;
            let raw = median(15, || raw_pipeline(plain.cast(), me, &mut buffer[..size], messages));
            let reached = median(15, || node.bandwidth(&buffer[..size], messages));
            say(format!("FM {size:7} B stream       {reached:8.2} GB/s {:5.2} x raw pipeline", reached / raw));
        }
    }
}
