//! Output of the ranks: read from their pipes, laid out, written to the sinks.

use std::fs::{self, File};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use rustix::event::epoll::{self, CreateFlags, EventData, EventFlags};
use rustix::event::{PollFlags, Timespec};
use rustix::io::Errno;

use super::lines::{Layout, Lines, Prefix, utc};
use super::sink::Sink;
use crate::options::JobOptions;

/// hpvmrun's ends of a rank's output.
#[derive(Debug)]
pub struct Ends {
    pub stdout: OwnedFd,
    pub stderr: OwnedFd,
}

#[derive(Debug)]
struct Stream {
    rank: u32,
    /// `None` after its end.
    from: Option<OwnedFd>,
    lines: Lines,
    sink: usize,
}

/// Streams that go to the same kind of place stop together when it is full.
#[derive(Debug)]
struct Group {
    epoll: OwnedFd,
    open: usize,
}

/// Why the job has to end on account of its output.
#[derive(Debug, PartialEq, Eq)]
pub enum Trouble {
    /// The reader of stdout is gone: `hpvmrun … | head -1`.
    NobodyReads,
    /// Disk full, for one.
    CannotWrite(String),
}

const STDOUT: usize = 0;
const STDERR: usize = 1;

/// All output of a job.
#[derive(Debug)]
pub struct Output {
    /// Of rank r: 2 r for stdout, 2 r + 1 for stderr.
    streams: Vec<Stream>,
    groups: [Group; 2],
    /// hpvmrun's own two, then the files of `--output` in the order of the streams.
    sinks: Vec<(Sink, Layout)>,
    prefix: Prefix,
    whole_lines: bool,
    buffer: Vec<u8>,
}

impl Output {
    pub fn new(ends: Vec<Ends>, options: &JobOptions) -> Result<Self, String> {
        let mut sinks = vec![(Sink::stdout(), Layout::default()), (Sink::stderr(), Layout::default())];
        let group = || match epoll::create(CreateFlags::CLOEXEC) {
            Ok(epoll) => Ok(Group { epoll, open: 0 }),
            Err(errno) => Err(format!("cannot watch the ranks' output: {errno}")),
        };
        let mut groups = [group()?, group()?];
        let whole_lines = ends.len() > 1 || options.tag_output || options.timestamp;
        let mut streams = Vec::with_capacity(2 * ends.len());
        for (rank, ends) in ends.into_iter().enumerate() {
            for (kind, from) in [ends.stdout, ends.stderr].into_iter().enumerate() {
                let sink = match &options.output_dir {
                    Some(folder) => {
                        sinks.push((Sink::file(create(folder, rank, kind)?), Layout::default()));
                        sinks.len() - 1
                    }
                    None => kind,
                };
                let id = EventData::new_u64(streams.len() as u64);
                epoll::add(&groups[kind].epoll, &from, id, EventFlags::IN)
                    .map_err(|errno| format!("cannot watch a rank's output: {errno}"))?;
                groups[kind].open += 1;
                streams.push(Stream { rank: rank as u32, from: Some(from), lines: Lines::default(), sink });
            }
        }
        let prefix = Prefix { tag: options.tag_output, timestamp: options.timestamp };
        Ok(Self { streams, groups, sinks, prefix, whole_lines, buffer: vec![0; 64 << 10] })
    }

    /// What to poll for now.
    pub fn interests(&self) -> Vec<(BorrowedFd<'_>, PollFlags)> {
        let mut interests = Vec::new();
        for (kind, group) in self.groups.iter().enumerate() {
            if group.open > 0 && self.sinks[kind].0.has_room() {
                interests.push((group.epoll.as_fd(), PollFlags::IN));
            }
        }
        for (sink, _) in self.sinks.iter().filter(|(sink, _)| !sink.is_empty()) {
            interests.push((sink.as_fd(), PollFlags::OUT));
        }
        interests
    }

    /// Whether there is something to be written, or to be read first.
    pub fn has_something(&self) -> bool {
        let any = |group: &Group| group.open > 0 && !ready(&group.epoll, 1).is_empty();
        self.sinks.iter().any(|(sink, _)| !sink.is_empty()) || self.groups.iter().any(any)
    }

    /// Reads what there is to read, writes where there is room.
    pub fn work(&mut self, now: Instant) -> Result<(), Trouble> {
        for kind in [STDOUT, STDERR] {
            self.read_group(kind, now);
        }
        for stream in 0..self.streams.len() {
            if self.streams[stream].lines.deadline().is_some_and(|at| at <= now) {
                let rest = self.streams[stream].lines.flush();
                self.pass_on(stream, rest);
            }
        }
        self.write()
    }

    /// When an unfinished line is to be passed on.
    pub fn deadline(&self) -> Option<Instant> {
        self.streams.iter().filter_map(|stream| stream.lines.deadline()).min()
    }

    /// A note of hpvmrun's own on stderr.
    pub fn note(&mut self, text: &str) {
        let (sink, layout) = &mut self.sinks[STDERR];
        layout.note(&format!("hpvmrun: {}\n", text.trim_end()), sink.queue());
    }

    /// To be called when all writers are gone: true once everything is written.
    pub fn is_finished(&self) -> bool {
        let nothing_to_read = self.groups.iter().all(|group| group.open == 0 || ready(&group.epoll, 1).is_empty());
        nothing_to_read
            && self.sinks.iter().all(|(sink, _)| sink.is_empty())
            && self.streams.iter().all(|stream| stream.lines.deadline().is_none())
    }

    /// Drops what could not be written.
    pub fn discard(&mut self) {
        self.sinks.iter_mut().for_each(|(sink, _)| sink.discard());
    }

    /// The end of the files of `--output`.
    pub fn close(self) -> Result<(), Trouble> {
        for (sink, _) in self.sinks {
            sink.close().map_err(|error| Trouble::CannotWrite(format!("the output could not be written: {error}")))?;
        }
        Ok(())
    }

    fn read_group(&mut self, kind: usize, now: Instant) {
        if self.groups[kind].open == 0 || !self.sinks[kind].0.has_room() {
            return;
        }
        let mut buffer = std::mem::take(&mut self.buffer);
        for id in ready(&self.groups[kind].epoll, 64) {
            let stream = &mut self.streams[id];
            let Some(from) = &stream.from else { continue };
            let ready = match rustix::io::read(from, &mut buffer) {
                Ok(count) if count > 0 && self.whole_lines => stream.lines.push(&buffer[..count], now),
                Ok(count) if count > 0 => Some(buffer[..count].to_vec()),
                Err(Errno::INTR | Errno::AGAIN) => None,
                // Nothing more; a pty says it with EIO.
                _ => {
                    let _ = epoll::delete(&self.groups[kind].epoll, from);
                    stream.from = None;
                    self.groups[kind].open -= 1;
                    stream.lines.flush()
                }
            };
            self.pass_on(id, ready);
        }
        self.buffer = buffer;
    }

    fn pass_on(&mut self, id: usize, bytes: Option<Vec<u8>>) {
        let Some(bytes) = bytes else { return };
        let stream = &self.streams[id];
        let (sink, layout) = &mut self.sinks[stream.sink];
        let time = || utc(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default());
        layout.add(self.prefix, stream.rank, &bytes, time, sink.queue());
    }

    fn write(&mut self) -> Result<(), Trouble> {
        for (at, (sink, _)) in self.sinks.iter_mut().enumerate() {
            match (sink.write_what_fits(), at) {
                (Ok(()), _) => (),
                (Err(Errno::PIPE), STDOUT) => return Err(Trouble::NobodyReads),
                // With stderr gone there is nobody to tell.
                (Err(_), STDERR) => (),
                (Err(errno), STDOUT) => return Err(Trouble::CannotWrite(format!("stdout cannot be written: {errno}"))),
                (Err(errno), file) => {
                    let stream = &self.streams[file - 2];
                    let name = file_name(stream.rank as usize, file % 2);
                    return Err(Trouble::CannotWrite(format!("{name} cannot be written: {errno}")));
                }
            }
        }
        Ok(())
    }
}

fn file_name(rank: usize, kind: usize) -> String {
    format!("rank.{rank}.{}", if kind == STDOUT { "out" } else { "err" })
}

fn create(folder: &Path, rank: usize, kind: usize) -> Result<File, String> {
    let path = folder.join(file_name(rank, kind));
    let made = fs::create_dir_all(folder).and_then(|()| File::create(&path));
    made.map_err(|error| format!("--output: cannot make {}: {error}", path.display()))
}

/// Streams with something to read.
fn ready(epoll: &OwnedFd, most: usize) -> Vec<usize> {
    let mut events = Vec::with_capacity(most);
    let now = Timespec { tv_sec: 0, tv_nsec: 0 };
    match epoll::wait(epoll, rustix::buffer::spare_capacity(&mut events), Some(&now)) {
        Ok(_) => events.iter().map(|event| event.data.u64() as usize).collect(),
        Err(_) => Vec::new(),
    }
}
