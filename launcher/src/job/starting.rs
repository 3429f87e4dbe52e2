//! What a person sees at a terminal while many ranks are being started: how many machines have answered, how many ranks run.
//!
//! It stands in one line, which goes before anything else is written. There is none where stderr is no terminal, or all is there at once.

use std::io::IsTerminal as _;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use rustix::event::{PollFd, PollFlags, Timespec, poll};

/// Fewer ranks on one machine are there before one has read that they are coming.
const MANY: u32 = 32;
/// Nobody wonders before.
const AFTER: Duration = Duration::from_millis(400);

const MACHINES: &str = "machines have answered";
const RANKS: &str = "ranks are started";

pub struct Starting {
    /// `None` when there is nothing to be seen, or no more.
    bar: Option<ProgressBar>,
    /// What it says: what there is of something, how much, and of how much.
    news: (&'static str, u64, u64),
    since: Instant,
    /// Its moment has not come yet.
    early: bool,
    machines: u64,
    ranks: u64,
    started: u64,
}

impl Starting {
    /// Of a job of `ranks` on so many other `machines`.
    pub fn new(ranks: u32, machines: usize) -> Self {
        let wanted = (ranks >= MANY || machines > 1) && std::io::stderr().is_terminal();
        let (machines, ranks) = (machines as u64, ranks.into());
        let news = if machines > 1 { (MACHINES, 0, machines) } else { (RANKS, 0, ranks) };
        Self { bar: wanted.then(ProgressBar::hidden), news, since: Instant::now(), early: wanted, machines, ranks, started: 0 }
    }

    /// When [`Self::tick`] has something to show.
    pub fn deadline(&self) -> Option<Instant> {
        self.early.then(|| self.since + AFTER)
    }

    pub fn tick(&mut self, now: Instant) {
        if self.deadline().is_some_and(|at| at <= now) {
            self.early = false;
            self.draw();
        }
    }

    /// So many machines have answered.
    pub fn reached(&mut self, machines: u32) {
        self.show((MACHINES, machines.into(), self.machines));
    }

    /// One more rank runs.
    pub fn started(&mut self) {
        self.started += 1;
        if self.started < self.ranks {
            self.show((RANKS, self.started, self.ranks));
        } else {
            self.clear();
        }
    }

    /// Makes room for what is to be written.
    pub fn clear(&mut self) {
        self.early = false;
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }

    fn show(&mut self, news: (&'static str, u64, u64)) {
        self.news = news;
        if !self.early {
            self.draw();
        }
    }

    fn draw(&self) {
        let Some(bar) = self.bar.as_ref().filter(|_| stderr_takes_more()) else { return };
        let (what, count, of) = self.news;
        // Each of the two is drawn at once: what is counted, and its numbers, belong into one of them.
        bar.update(|state| {
            state.set_len(of);
            state.set_pos(count);
        });
        bar.set_message(format!("{count} of {of} {what}"));
        if bar.is_hidden() {
            bar.set_style(ProgressStyle::with_template("hpvmrun: {msg} {wide_bar}").unwrap_or_else(|_| ProgressStyle::default_bar()));
            bar.set_draw_target(ProgressDrawTarget::stderr());
            bar.tick();
        }
    }
}

/// A terminal that stands still (Ctrl-S) must not keep hpvmrun from its work.
fn stderr_takes_more() -> bool {
    let mut polled = [PollFd::from_borrowed_fd(rustix::stdio::stderr(), PollFlags::OUT)];
    let now = Timespec { tv_sec: 0, tv_nsec: 0 };
    poll(&mut polled, Some(&now)).is_ok_and(|ready| ready > 0)
}
