//! The loop's dealings with the user's signals, the ranks' status lines and the keepers.

use std::io;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal};
use serde_json::json;

use super::hang::{self, ANSWER, Hang, Todo};
use super::judge::{Ending, Seen};
use super::report::Report;
use super::{GRACE_FAILURE, GRACE_USER, LOOK_AGAIN, Phase, Running, Why, summary};
use crate::debug;
use crate::exit::{self, End, signal_name};
use crate::keeper::SURVIVOR_MAX;
use crate::link::{Link, Message};
use crate::mpir::{self, Place};
use crate::node::daemon::serve::now_ns;
use crate::reap;
use crate::{proc, program};
use crate::sys::Step;

impl Running<'_> {
    pub(super) fn take_signals(&mut self, now: Instant) {
        while let Some(number) = self.job.signals.next() {
            match number {
                libc::SIGTSTP => self.stop(),
                libc::SIGUSR1 => self.ask_for_report(Why::Asked, now),
                libc::SIGCONT | libc::SIGUSR2 => self.send(number),
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

    /// Before the board is looked at.
    pub(super) fn speak_pmi(&mut self, ready: &[u32], now: Instant) {
        let Some(pmi) = &mut self.job.pmi else { return };
        let (news, words) = pmi.work(ready, &self.job.board);
        for text in words {
            self.job.output.note(&text);
        }
        if news {
            self.look_again = now;
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
                    self.starting.started();
                    // It may have rung before this was known.
                    self.watch_below(rank, Seen::on(&self.job.board[rank as usize]));
                    self.event("started", json!({ "rank": rank, "pid": pid, "node": self.job.plan.host_of(rank) }));
                    self.tell_debugger();
                    self.tell_how_to_debug(rank, pid);
                }
                Message::Reached { machines } => self.starting.reached(machines),
                Message::NotStarted { rank, step, errno } => self.not_started(rank, step, errno),
                Message::Ended { rank, end } => self.rank_ended(rank, end),
                Message::Vanished { rank } => self.mpi_process_gone(rank, Instant::now()),
                Message::Done => self.keeper_is_done = true,
                Message::Beat | Message::Signal { .. } | Message::Finish | Message::Look => (),
            }
        }
    }

    /// A rank that waits for a debugger.
    fn tell_how_to_debug(&mut self, rank: u32, pid: u32) {
        let plan = self.job.plan;
        if self.job.options.gdb.as_ref().is_none_or(|ranks| !ranks.contains(rank)) {
            return;
        }
        let machine = plan.machines.get(plan.ranks[rank as usize].place.node as usize);
        self.job.output.note(&format!("rank {rank} on {} waits for a debugger:\n  {}", plan.host_of(rank), debug::command(pid, machine)));
    }

    /// Once, when all ranks have been started.
    fn tell_debugger(&mut self) {
        let plan = self.job.plan;
        let pids: Option<Vec<u32>> = (0..plan.size()).map(|rank| self.judge.child(rank)).collect();
        let Some(pids) = pids.filter(|_| !std::mem::replace(&mut self.debugger_is_told, true)) else { return };
        mpir::spawned((0..).zip(pids).map(|(rank, pid)| {
            let program = plan.parts[plan.ranks[rank as usize].part].file.to_str().unwrap_or_default();
            Place { host: plan.host_of(rank), program, pid }
        }));
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

    /// The system is asked how it sees the ranks, here at once, elsewhere by those who are there.
    fn look_closer(&mut self) {
        if !self.job.plan.machines.is_empty() {
            self.job.keepers.inner.send(Message::Look);
            return;
        }
        for rank in 0..self.job.plan.size() {
            let pid = self.judge.pid(rank).filter(|_| !self.judge.has_left(rank));
            self.job.board[rank as usize].see(pid.and_then(proc::seen));
        }
    }

    pub(super) fn ask_for_report(&mut self, why: Why, now: Instant) {
        self.look_closer();
        let at = if self.job.plan.machines.is_empty() { now } else { now + ANSWER };
        self.reports.push((at, why));
    }

    pub(super) fn look_for_hangs(&mut self, now: Instant) {
        let Some(hang) = self.hang.as_mut().filter(|hang| hang.deadline() <= now && self.phase == Phase::Running) else { return };
        let now_ns = now_ns();
        match hang.look(&hang::Seen::all(&self.judge, &self.job.board, now_ns), now, now_ns) {
            Todo::Nothing => (),
            Todo::Ask => self.look_closer(),
            Todo::Tell => self.reports.push((now, Why::Hang)),
        }
    }

    /// Writes the reports whose time has come, while there is something to report.
    pub(super) fn report(&mut self, now: Instant) {
        let due: Vec<_> = self.reports.extract_if(.., |(at, _)| *at <= now).collect();
        for (_, why) in due {
            if self.phase != Phase::Running || self.judge.ending().is_some() {
                continue;
            }
            let headline = match why {
                Why::Asked => "what each rank is doing (SIGUSR1)".into(),
                Why::Timeout => {
                    format!("the job is ended after {} s (--timeout)", self.job.options.timeout.unwrap_or_default().as_secs_f64())
                }
                Why::Hang => {
                    let after = self.hang.as_ref().map_or(Duration::ZERO, Hang::after).as_secs_f64();
                    format!("no rank has made progress for {after} s (--hang-report); nothing is ended")
                }
            };
            let report = Report::new(self.job.plan, &self.judge, &self.job.board, now_ns());
            self.job.output.note(&format!("{headline}\n{}", report.text()));
            let mut fields = report.fields();
            fields["why"] = match why {
                Why::Asked => "signal",
                Why::Timeout => "timeout",
                Why::Hang => "hang",
            }
            .into();
            self.event("report", fields);
            if why == Why::Timeout {
                self.judge.end(Ending::Timeout);
            }
        }
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
