//! The loop's dealings with the user's signals, the ranks' status lines and the keepers.

use std::io;
use std::time::Instant;

use rustix::process::{Pid, Signal};
use serde_json::json;

use super::judge::{Ending, Seen};
use super::{GRACE_FAILURE, GRACE_USER, LOOK_AGAIN, Phase, Running, summary};
use crate::exit::{self, End, signal_name};
use crate::keeper::SURVIVOR_MAX;
use crate::link::{Link, Message};
use crate::program;
use crate::reap;
use crate::sys::Step;

impl Running<'_> {
    pub(super) fn take_signals(&mut self, now: Instant) {
        while let Some(number) = self.job.signals.next() {
            match number {
                libc::SIGTSTP => self.stop(),
                libc::SIGCONT | libc::SIGUSR1 | libc::SIGUSR2 => self.send(number),
                _ => self.asked_to_end(number, now),
            }
        }
    }

    fn send(&mut self, number: i32) {
        self.job.keepers.inner.send(Message::Signal { number: number as u32 });
    }

    /// The ranks first, then hpvmrun itself, so that the shell has its terminal back. SIGCONT, which
    /// wakes hpvmrun, is passed on when it is read.
    fn stop(&mut self) {
        self.send(libc::SIGSTOP);
        let _ = rustix::process::kill_process(rustix::process::getpid(), Signal::STOP);
    }

    /// The first time the ranks are told and have some time, the second time they have none.
    fn asked_to_end(&mut self, number: i32, now: Instant) {
        self.event("signal", json!({ "signal": signal_name(number) }));
        match self.phase {
            Phase::Running => {
                self.judge.end(Ending::Signal(number));
                self.send(number);
                // A stopped process cannot act on it.
                self.send(libc::SIGCONT);
                self.phase = Phase::Asked { until: now + GRACE_USER };
            }
            _ => {
                self.hurried = true;
                self.job.output.discard();
            }
        }
    }

    /// When the bell has rung, and now and then without: a rank may have died before it could ring. Not every
    /// time, since looking at a line takes it from the rank's cache.
    pub(super) fn look_at_the_board(&mut self, now: Instant) {
        if self.job.bell.clear() || now >= self.look_again {
            self.look_again = now + LOOK_AGAIN;
            self.look_at_all_lines();
        }
        for rank in self.watch.take_gone() {
            self.mpi_process_gone(rank, now);
        }
    }

    fn mpi_process_gone(&mut self, rank: u32, now: Instant) {
        let seen = Seen::on(&self.job.board[rank as usize]);
        self.judge.mpi_process_gone(rank, seen, now);
    }

    fn look_at_all_lines(&mut self) {
        for rank in 0..self.job.plan.size() {
            let seen = Seen::on(&self.job.board[rank as usize]);
            if let Some(state) = self.judge.look(rank, seen) {
                self.event(state, json!({ "rank": rank, "pid": seen.mpi_pid }));
            }
            self.watch_below(rank, seen);
        }
    }

    /// A claimed line whose process is not the rank's own. On other machines hpvmd watches it.
    fn watch_below(&mut self, rank: u32, seen: Seen) {
        if !self.job.plan.machines.is_empty() {
            return;
        }
        let (Some(mpi), Some(child)) = (seen.mpi_pid, self.judge.child(rank)) else { return };
        if mpi != child && !self.judge.mpi_is_gone(rank) && !self.watch.contains(rank) {
            self.watch.add(rank, mpi);
        }
    }

    pub(super) fn take_messages(&mut self) {
        self.job.keepers.inner.flush();
        self.job.keepers.outer.receive();
        // After the outer one: the inner keeper's last word is sent before the outer one can see it leave.
        for message in self.job.keepers.inner.receive() {
            match message {
                Message::Hello { pid } => {
                    let outer = self.job.keepers.outer_pid.as_raw_pid();
                    self.event("keepers", json!({ "outer": outer, "inner": pid }));
                }
                Message::Started { rank, pid } => {
                    self.judge.started(rank, pid);
                    // It may have rung before this was known.
                    self.watch_below(rank, Seen::on(&self.job.board[rank as usize]));
                    self.event("started", json!({ "rank": rank, "pid": pid }));
                }
                Message::NotStarted { rank, step, errno } => self.not_started(rank, step, errno),
                Message::Ended { rank, end } => self.rank_ended(rank, end),
                Message::Vanished { rank } => self.mpi_process_gone(rank, Instant::now()),
                Message::Done => self.keeper_is_done = true,
                Message::Beat | Message::Signal { .. } | Message::Finish => (),
            }
        }
    }

    fn rank_ended(&mut self, rank: u32, end: End) {
        if let Some(net) = &self.job.net {
            net.rank_ended(rank);
        }
        let seen = Seen::on(&self.job.board[rank as usize]);
        let (code, text) = (end.code(), end.to_string());
        self.event("ended", json!({ "rank": rank, "status": code, "how": text }));
        self.judge.ended(rank, end, seen);
        self.watch_below(rank, seen);
    }

    /// Said once: when one rank's program cannot be executed, the others' cannot either.
    fn not_started(&mut self, rank: u32, step: u32, errno: u32) {
        let part = &self.job.plan.parts[self.job.plan.ranks[rank as usize].part];
        let error = io::Error::from_raw_os_error(errno as i32);
        let (file, host) = (part.file.display(), self.job.plan.host_of(rank));
        let text = match Step::from_raw(step) {
            Some(Step::Exec) if !self.job.plan.machines.is_empty() => format!("cannot run {file} on {host}: {error}"),
            Some(Step::Exec) => format!("cannot run {file}: {}", program::explain_exec(&part.file, &error)),
            Some(Step::WorkDir) => format!("cannot change to the folder of -wdir: {error}"),
            Some(Step::Bind) => format!("cannot bind rank {rank} to its cores: {error}"),
            Some(Step::Reach) => format!("rank {rank} cannot be started on {host}"),
            Some(Step::Lost) => format!("rank {rank} is lost with its machine {host}"),
            Some(Step::Fork) => format!("cannot make a process for rank {rank}: {error}"),
            _ => format!("cannot prepare the process of rank {rank}: {error}"),
        };
        if self.judge.ending().is_none() {
            self.job.output.note(&text);
            self.judge.end(Ending::Own { status: exit::LAUNCH });
        }
        self.judge.never_started(rank);
    }

    pub(super) fn time_is_up(&mut self) {
        let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
        let now_ns = now.tv_sec as u64 * 1_000_000_000 + now.tv_nsec as u64;
        let seconds = self.job.options.timeout.unwrap_or_default().as_secs_f64();
        let ranks = summary::ranks_now(&self.judge, &self.job.board, now_ns);
        self.job.output.note(&format!("the job is ended after {seconds} s (--timeout)\n{ranks}"));
        self.judge.end(Ending::Timeout);
    }

    /// The judge wants an end: SIGTERM now, SIGKILL soon.
    pub(super) fn ask_to_leave(&mut self, now: Instant) {
        if let Some(Ending::Own { status: exit::LAUNCH }) = self.judge.ending() {
            self.finish();
            return;
        }
        self.send(libc::SIGTERM);
        self.send(libc::SIGCONT);
        self.phase = Phase::Asked { until: now + GRACE_FAILURE };
    }

    pub(super) fn finish(&mut self) {
        self.phase = Phase::Finishing;
        self.job.keepers.inner.send(Message::Finish);
    }

    /// Both leave when all is done; one that leaves before has been killed. The other one then ends the ranks, and
    /// must not be killed at it: if hpvmrun died next, nobody would be left who knows what they have forked.
    pub(super) fn look_at_the_keepers(&mut self, now: Instant) {
        let left = [&self.job.keepers.inner, &self.job.keepers.outer].map(Link::is_closed);
        match self.phase {
            Phase::Draining => (),
            _ if left == [true; 2] => self.keepers_have_left(),
            Phase::Leaving { until } if until <= now => self.keepers_have_left(),
            Phase::Leaving { .. } => (),
            _ if left != [false; 2] => {
                if !self.keeper_is_done {
                    // Before a rank is seen to die from it.
                    self.judge.end(Ending::Own { status: exit::LAUNCH });
                }
                self.phase = Phase::Leaving { until: now + SURVIVOR_MAX };
            }
            _ => (),
        }
    }

    fn keepers_have_left(&mut self) {
        self.take_messages();
        let outer = self.job.keepers.outer_pid;
        let mut how = None;
        reap::everything(&self.job.spared, |pid: Pid, status| {
            if pid == outer {
                how = End::from_wait(status);
            }
        });
        self.phase = Phase::Draining;
        if !self.keeper_is_done {
            let how = match how {
                Some(End::Status(0)) | None => "was killed".into(),
                Some(end) => end.to_string(),
            };
            self.judge.end(Ending::Own { status: exit::LAUNCH });
            self.job.output.note(&format!(
                "a keeper, a process between hpvmrun and the ranks, {how}: all ranks have been ended"
            ));
        }
        let kills = summary::memory_kills().saturating_sub(self.memory_kills);
        if let Some(text) = summary::summary(self.job.plan, &self.judge, &self.job.board, kills) {
            self.job.output.note(&text);
        }
    }
}
