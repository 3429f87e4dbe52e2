//! Output that came from afar, on its way into the pipes that `hpvmrun` reads.

use std::collections::VecDeque;
use std::os::fd::OwnedFd;

use rustix::event::{PollFd, PollFlags};
use rustix::io::Errno;

use crate::keeper::RankEnds;

pub struct Streams {
    /// stdout and stderr of each rank.
    pipes: Vec<[Pipe; 2]>,
    waiting: usize,
}

struct Pipe {
    /// `None` when all is written, or nobody reads.
    to: Option<OwnedFd>,
    bytes: VecDeque<u8>,
    /// So much has come, and does not wait any more, since somebody asked.
    through: u32,
    ended: bool,
}

impl Streams {
    pub fn new(ends: Vec<RankEnds>) -> Self {
        let pipe = |to: OwnedFd| {
            let _ = rustix::io::ioctl_fionbio(&to, true);
            Pipe { to: Some(to), bytes: VecDeque::new(), through: 0, ended: false }
        };
        Self { pipes: ends.into_iter().map(|ends| [pipe(ends.stdout), pipe(ends.stderr)]).collect(), waiting: 0 }
    }

    /// What a rank wrote; nothing is its end.
    pub fn add(&mut self, rank: u32, stream: u8, bytes: Vec<u8>) {
        let Some(pipe) = self.pipes.get_mut(rank as usize).and_then(|pipes| pipes.get_mut(usize::from(stream))) else { return };
        if bytes.is_empty() {
            pipe.ended = true;
        } else if pipe.to.is_some() {
            self.waiting += bytes.len();
            pipe.bytes.extend(bytes);
        } else {
            pipe.through += bytes.len() as u32;
        }
    }

    /// How much of what these ranks wrote was passed on since this was asked last.
    pub fn take_through(&mut self, ranks: &[u32]) -> u32 {
        let take = |rank: &u32| self.pipes[*rank as usize].iter_mut().map(|pipe| std::mem::take(&mut pipe.through)).sum::<u32>();
        ranks.iter().map(take).sum()
    }

    /// Nothing more comes from this rank.
    pub fn end(&mut self, rank: u32) {
        [0, 1].into_iter().for_each(|stream| self.add(rank, stream, Vec::new()));
    }

    pub fn is_empty(&self) -> bool {
        self.waiting == 0
    }

    pub fn interests(&self) -> impl Iterator<Item = PollFd<'_>> {
        let waiting = self.pipes.iter().flatten().filter(|pipe| !pipe.bytes.is_empty());
        waiting.filter_map(|pipe| Some(PollFd::new(pipe.to.as_ref()?, PollFlags::OUT)))
    }

    pub fn write(&mut self) {
        for pipe in self.pipes.iter_mut().flatten() {
            let before = pipe.bytes.len();
            pipe.write();
            let written = before - pipe.bytes.len();
            self.waiting -= written;
            pipe.through += written as u32;
        }
    }
}

impl Pipe {
    fn write(&mut self) {
        while let Some(to) = self.to.as_ref().filter(|_| !self.bytes.is_empty()) {
            match rustix::io::write(to, self.bytes.as_slices().0) {
                Ok(count) => drop(self.bytes.drain(..count)),
                Err(Errno::INTR) => (),
                Err(Errno::AGAIN) => return,
                Err(_) => {
                    self.to = None;
                    self.bytes.clear();
                }
            }
        }
        if self.ended && self.bytes.is_empty() {
            self.to = None;
        }
    }
}
