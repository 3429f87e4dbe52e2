//! The loop of `hpvmd`: between the channel to `hpvmrun` and the keepers, pipes and status lines of this node.

use std::collections::{HashMap, HashSet, VecDeque};
use std::os::fd::OwnedFd;
use std::thread;
use std::time::{Duration, Instant};

use hpvm_wire::status::Snapshot;
use hpvm_wire::{Bell, Board};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

use crate::job::output::Ends;
use crate::job::watch::Watch;
use crate::keeper::{Keepers, SURVIVOR_MAX};
use crate::link::Message;
use crate::network::Kept;
use crate::node::channel::Channel;
use crate::node::frame::Frame;
use crate::node::pulse::{Look, Pulse};
use crate::{proc, reap};

/// Status lines are passed on when a rank rings, and so often otherwise.
const LOOK_AGAIN: Duration = Duration::from_millis(250);

/// So much of the ranks' output may be under way. With more, those who write wait; what is to be said besides does not.
const OUTPUT_MAX: u32 = 256 << 10;

pub struct Service {
    /// Numbers in the job of the ranks here.
    ranks: Vec<u32>,
    board: Board,
    bell: Bell,
    keepers: Keepers,
    /// stdout and stderr of each rank; `None` after the end.
    outputs: Vec<[Option<OwnedFd>; 2]>,
    output_under_way: u32,
    stdin: Option<OwnedFd>,
    input: VecDeque<u8>,
    input_ended: bool,
    /// What was passed on last of each line.
    shown: Vec<Snapshot>,
    /// The processes made for the ranks.
    children: HashMap<u32, u32>,
    /// MPI processes that are none of those, and the ranks that had one.
    watch: Watch,
    watched: HashSet<u32>,
    look_again: Instant,
    /// A keeper has left: until when the other one is waited for.
    leaving: Option<Instant>,
    /// Both have left, and everything below them; whether in order.
    is_over: bool,
    done: bool,
    /// By which the outer keeper hears that this process lives.
    pulse: Pulse,
    net: Kept,
    _kept: [OwnedFd; 2],
}

impl Service {
    #[allow(clippy::too_many_arguments)] // Each is what one system call made.
    pub fn new(
        ranks: Vec<u32>,
        board: Board,
        bell: Bell,
        keepers: Keepers,
        ends: Vec<Ends>,
        stdin: OwnedFd,
        net: Kept,
        kept: [OwnedFd; 2],
        silence: Option<Duration>,
    ) -> Self {
        // Only rank 0 of the job reads what hpvmrun reads.
        let stdin = ranks.contains(&0).then_some(stdin);
        Self {
            shown: vec![Snapshot::default(); ranks.len()],
            ranks,
            board,
            bell,
            keepers,
            outputs: ends.into_iter().map(|ends| [Some(ends.stdout), Some(ends.stderr)]).collect(),
            output_under_way: 0,
            stdin,
            input: VecDeque::new(),
            input_ended: false,
            children: HashMap::new(),
            watch: Watch::default(),
            watched: HashSet::new(),
            look_again: Instant::now(),
            leaving: None,
            is_over: false,
            done: false,
            pulse: Pulse::new(silence, Instant::now()),
            net,
            _kept: kept,
        }
    }

    /// Sees the job through to its end; the exit status.
    pub fn run(mut self, mut channel: Channel) -> u8 {
        loop {
            self.wait(&channel);
            channel.flush();
            for frame in channel.receive() {
                self.obey(frame);
            }
            channel.look(Instant::now());
            if channel.is_closed() {
                return self.abandon();
            }
            self.look(&mut channel);
            if !self.is_over {
                self.listen_to_keepers(&mut channel);
            }
            self.pass_input(&mut channel);
            self.pass_output(&mut channel);
            if !self.is_over && self.keepers_are_gone() {
                self.keepers_have_left(&mut channel);
            }
            // Nobody writes any more: what is in the pipes is all there will be.
            if self.is_over && self.outputs.iter().flatten().all(Option::is_none) {
                return self.finish(channel);
            }
        }
    }

    /// hpvmrun is gone: so is everything here, by the keepers and then by our own hand. They are not killed at their work: the kernel may end this
    /// process any moment, with ssh's session.
    fn abandon(self) -> u8 {
        let Keepers { inner, outer, outer_pid } = self.keepers;
        drop((inner, outer));
        let (mut outer_lives, until) = (!self.is_over, Instant::now() + SURVIVOR_MAX);
        while outer_lives && Instant::now() < until {
            thread::sleep(Duration::from_millis(2));
            reap::ready(&mut |pid, _| outer_lives &= pid != outer_pid);
        }
        reap::everything(&HashSet::new(), |_, _| ());
        crate::exit::LAUNCH
    }

    /// Both leave when all is done. When one was killed the other one ends the ranks, and is given some time.
    fn keepers_are_gone(&mut self) -> bool {
        let closed = [self.keepers.inner.is_closed(), self.keepers.outer.is_closed()];
        if closed == [false; 2] {
            return false;
        }
        let until = *self.leaving.get_or_insert_with(|| Instant::now() + SURVIVOR_MAX);
        closed == [true; 2] || Instant::now() >= until
    }

    fn keepers_have_left(&mut self, channel: &mut Channel) {
        self.is_over = true;
        self.listen_to_keepers(channel);
        reap::everything(&HashSet::new(), |_, _| ());
        self.pass_output(channel);
    }

    fn finish(mut self, mut channel: Channel) -> u8 {
        self.pass_lines(&mut channel);
        let last = if self.done {
            Frame::Report(Message::Done)
        } else {
            Frame::Refused("a keeper, a process between hpvmd and the ranks, was killed: all ranks have been ended".into())
        };
        channel.send(&last);
        channel.drain();
        0
    }

    fn wait(&self, channel: &Channel) {
        let mut polled: Vec<PollFd> = channel.interests().collect();
        if !self.is_over {
            let sending = if self.keepers.inner.has_unsent() { PollFlags::OUT } else { PollFlags::empty() };
            let (inner, outer) = (&self.keepers.inner, &self.keepers.outer);
            // One that has ended would be ready for ever.
            polled.extend((!inner.is_closed()).then(|| PollFd::new(inner, PollFlags::IN | sending)));
            polled.extend((!outer.is_closed()).then(|| PollFd::new(outer, PollFlags::IN)));
        }
        polled.push(PollFd::new(&self.bell, PollFlags::IN));
        polled.extend(self.watch.interests().map(|process| PollFd::from_borrowed_fd(process, PollFlags::IN)));
        if self.output_under_way < OUTPUT_MAX {
            polled.extend(self.outputs.iter().flatten().flatten().map(|from| PollFd::new(from, PollFlags::IN)));
        }
        if let Some(stdin) = self.stdin.as_ref().filter(|_| !self.input.is_empty()) {
            polled.push(PollFd::new(stdin, PollFlags::OUT));
        }
        let leaving = self.leaving.filter(|_| !self.is_over);
        let next = [channel.next_look(), self.pulse.next(), leaving].into_iter().flatten().fold(self.look_again, Instant::min);
        let left = next.saturating_duration_since(Instant::now());
        let _ = poll(&mut polled, Timespec::try_from(left).ok().as_ref());
    }

    fn obey(&mut self, frame: Frame) {
        match frame {
            Frame::Order(message @ (Message::Signal { .. } | Message::Finish)) => self.keepers.inner.send(message),
            Frame::Order(Message::Look) => {
                for rank in &self.ranks {
                    let line = &self.board[*rank as usize];
                    line.see(line.pid().or(self.children.get(rank).copied()).and_then(proc::seen));
                }
                self.look_again = Instant::now();
            }
            Frame::Stdin(bytes) if bytes.is_empty() => self.input_ended = true,
            Frame::Stdin(bytes) => self.input.extend(bytes),
            Frame::Shown(count) => self.output_under_way = self.output_under_way.saturating_sub(count),
            _ => (),
        }
    }

    fn look(&mut self, channel: &mut Channel) {
        let now = Instant::now();
        // It only hears.
        self.pulse.heard(now);
        if self.pulse.look(now) == Look::Beat {
            self.pulse.said(now);
            self.keepers.outer.send(Message::Beat);
        }
        if self.bell.clear() || now >= self.look_again {
            self.look_again = now + LOOK_AGAIN;
            self.pass_lines(channel);
        }
        for rank in self.watch.take_gone() {
            // How far it had come says what its end means.
            self.pass_lines(channel);
            channel.send(&Frame::Report(Message::Vanished { rank }));
        }
    }

    fn pass_lines(&mut self, channel: &mut Channel) {
        (0..self.ranks.len()).for_each(|local| self.pass_line(local, channel));
    }

    fn pass_line(&mut self, local: usize, channel: &mut Channel) {
        let rank = self.ranks[local];
        let line = self.board[rank as usize].snapshot();
        if line == self.shown[local] {
            return;
        }
        self.shown[local] = line;
        channel.send(&Frame::Line { rank, line: line.turn_clock(now_ns()) });
        self.watch_below(local);
    }

    /// A claimed line whose process is not the rank's own: hpvmrun cannot watch it from where it is.
    fn watch_below(&mut self, local: usize) {
        let (rank, mpi) = (self.ranks[local], self.shown[local].pid);
        let below = mpi != 0 && self.children.get(&rank).is_some_and(|child| *child != mpi);
        if below && self.watched.insert(rank) {
            self.watch.add(rank, mpi);
        }
    }

    fn listen_to_keepers(&mut self, channel: &mut Channel) {
        self.keepers.inner.flush();
        self.keepers.outer.receive();
        for message in self.keepers.inner.receive() {
            let rank = |local: u32| self.ranks.get(local as usize).copied().unwrap_or(local);
            let report = match message {
                Message::Started { rank: local, pid } => {
                    let rank = rank(local);
                    self.children.insert(rank, pid);
                    // It may have rung before this was known.
                    self.watch_below(local as usize);
                    Message::Started { rank, pid }
                }
                Message::NotStarted { rank: local, step, errno } => Message::NotStarted { rank: rank(local), step, errno },
                Message::Ended { rank: local, end } => {
                    let rank = rank(local);
                    self.net.rank_ended(local);
                    // How far it had come says what its end means.
                    self.pass_line(local as usize, channel);
                    Message::Ended { rank, end }
                }
                Message::Done => {
                    self.done = true;
                    continue;
                }
                _ => continue,
            };
            channel.send(&Frame::Report(report));
        }
    }

    fn pass_input(&mut self, channel: &mut Channel) {
        let mut taken = 0;
        while let Some(stdin) = self.stdin.as_ref().filter(|_| !self.input.is_empty()) {
            match rustix::io::write(stdin, self.input.as_slices().0) {
                Ok(count) => {
                    drop(self.input.drain(..count));
                    taken += count as u32;
                }
                Err(Errno::INTR) => (),
                Err(Errno::AGAIN) => break,
                Err(_) => self.stdin = None,
            }
        }
        if self.stdin.is_none() {
            // Nobody reads it: it is as good as taken.
            taken += self.input.len() as u32;
            self.input.clear();
        }
        if self.input_ended && self.input.is_empty() {
            self.stdin = None;
        }
        if taken > 0 {
            channel.send(&Frame::Taken(taken));
        }
    }

    fn pass_output(&mut self, channel: &mut Channel) {
        let mut buffer = vec![0; 64 << 10];
        for (local, streams) in self.outputs.iter_mut().enumerate() {
            for (stream, slot) in (0..).zip(streams) {
                while let Some(from) = slot
                    && self.output_under_way < OUTPUT_MAX
                {
                    let bytes = match rustix::io::read(&*from, &mut buffer) {
                        Ok(count) if count > 0 => buffer[..count].to_vec(),
                        Err(Errno::INTR) => continue,
                        Err(Errno::AGAIN) => break,
                        _ => {
                            *slot = None;
                            Vec::new()
                        }
                    };
                    self.output_under_way += bytes.len() as u32;
                    channel.send(&Frame::Output { rank: self.ranks[local], stream, bytes });
                }
            }
        }
    }
}

/// `CLOCK_MONOTONIC`, by which ranks say since when they wait.
pub fn now_ns() -> u64 {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    now.tv_sec as u64 * 1_000_000_000 + now.tv_nsec as u64
}
