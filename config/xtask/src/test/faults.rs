//! Jobs on several hosts to which something happens, at a random moment: a rank, a daemon, a keeper or the launcher is killed, a daemon is
//! stopped, a cable is pulled, a host stands still, the user has had enough. Each has to end in time, with the right status and the right first cause, and to leave nothing on any host.
//!
//! Seed and number of a round decide all but the scheduler's part: `--fault-seed 7 --fault-first 41 --fault-rounds 1` repeats one. Normally a few rounds
//! with a seed of the hour's; `cargo xtask test --only faults --fault-rounds 200 --fault-seed 7` is a long search.

pub mod hosts;

use std::fs::{self, File};
use std::os::unix::process::ExitStatusExt as _;
use std::path::PathBuf;
use std::process::{Child, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use mpi_suite::leftovers::{MARK, marked};
use mpi_suite::lots::Lots;
use mpi_suite::report::Counts;
use mpi_suite::{Mpi, checks};

use super::check;
use crate::cluster::Hosts;
use crate::exec;
use crate::repo::Repo;
use crate::tools;
use hosts::Host;

#[derive(clap::Args)]
pub struct Choice {
    /// Rounds of the step `faults`
    #[arg(long, default_value_t = 10, value_name = "N")]
    fault_rounds: u32,
    /// What decides them, and those of the step `cuts`; another one each time if it is not said
    #[arg(long, value_name = "N")]
    fault_seed: Option<u64>,
    /// The number of the first round
    #[arg(long, default_value_t = 0, value_name = "N")]
    fault_first: u32,
}

impl Choice {
    pub fn seed(&self) -> Option<u64> {
        self.fault_seed
    }
}

const HOSTS: u8 = 4;
const RANKS_PER_HOST: u32 = 2;

/// Beyond what a silence takes: to notice, to end everything, on a machine that has much to do.
const SLACK: Duration = Duration::from_secs(8);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    KillRank,
    KillDaemon,
    /// On another host than the launcher's.
    KillKeeper,
    KillLauncher,
    /// The launcher's own keeper, or the relay.
    KillOwnKeeper,
    StopDaemon,
    PullCable,
    /// All of it stands still, and goes on when the job has ended.
    FreezeHost,
    /// Ctrl-C.
    Interrupt,
}

const FAULTS: [Fault; 9] = [
    Fault::KillRank,
    Fault::KillDaemon,
    Fault::KillKeeper,
    Fault::KillLauncher,
    Fault::KillOwnKeeper,
    Fault::StopDaemon,
    Fault::PullCable,
    Fault::FreezeHost,
    Fault::Interrupt,
];

#[derive(Debug)]
struct Plan {
    fault: Fault,
    /// What the ranks do; see kill/busy.c.
    kind: &'static str,
    host: u8,
    delay: Duration,
    heartbeat: u64,
}

impl Plan {
    fn draw(lots: &mut Lots, round: u32) -> Plan {
        // Each kind of fault in turn, from a random one on.
        let fault = FAULTS[(round as usize + lots.below(2) as usize * 4) % FAULTS.len()];
        // Half of the moments lie in the start-up.
        let milliseconds = if lots.below(2) == 0 { lots.below(500) } else { 500 + lots.below(2000) };
        Plan {
            fault,
            kind: ["plain", "fork", "setsid", "late"][lots.below(4) as usize],
            host: 1 + lots.below(HOSTS.into()) as u8,
            delay: Duration::from_millis(milliseconds),
            heartbeat: if lots.below(5) == 0 { 10 } else { 3 },
        }
    }

    /// How long the job may go on after the fault.
    fn limit(&self) -> Duration {
        let silence = match self.fault {
            // Before a daemon has answered, it is ssh that is waited for.
            Fault::StopDaemon | Fault::PullCable | Fault::FreezeHost => Duration::from_secs(self.heartbeat.max(START)),
            _ => Duration::ZERO,
        };
        silence + SLACK
    }
}

/// `--start-timeout`
const START: u64 = 6;

struct Rounds {
    up: Hosts,
    mpi: Mpi,
    program: PathBuf,
    hosts: Vec<Host>,
    output: PathBuf,
}

pub fn run(repo: &Repo, args: &Choice) -> Result<Counts> {
    let mut counts = Counts::default();
    if !tools::is_root() {
        println!("skip  faults: virtual hosts take root");
        return Ok(Counts { skipped: 1, ..counts });
    }
    let mpi = Mpi::installed(&repo.prefix());
    let program = checks::build(&mpi, "kill/busy.c")?.canonicalize()?;
    let up = Hosts::up(repo, HOSTS, RANKS_PER_HOST)?;
    let seed = args.fault_seed.unwrap_or(std::time::UNIX_EPOCH.elapsed()?.as_secs());
    let hosts = (1..=HOSTS).map(|number| Host::of(&up.cluster, number)).collect::<Result<_>>()?;
    let rounds = Rounds { up, mpi, program, hosts, output: repo.target.join("faults.err") };
    for round in (args.fault_first..).take(args.fault_rounds as usize) {
        let mut lots = of_round(seed, round);
        let plan = Plan::draw(&mut lots, round);
        let (result, seconds) = rounds.one(&plan, &mut lots, round);
        let name = format!("fault {round} of seed {seed}: {:?} on node{} after {:?}, {}", plan.fault, plan.host, plan.delay, plan.kind);
        check(&mut counts, &format!("{name}, {seconds:.1} s"), result);
    }
    Ok(counts)
}

/// Each round has its own, so that it does not depend on those before.
fn of_round(seed: u64, round: u32) -> Lots {
    Lots::of(Lots::of(seed).below(u64::MAX) ^ u64::from(round))
}

impl Rounds {
    /// How it went, and how long the job went on after the fault.
    fn one(&self, plan: &Plan, lots: &mut Lots, round: u32) -> (Result<()>, f64) {
        let mark = format!("fault-{}-{round}", std::process::id());
        let mut seconds = 0.0;
        let result = self.start(plan, &mark).and_then(|mut launcher| {
            std::thread::sleep(plan.delay);
            let victim = self.strike(plan, lots, &mark, &launcher);
            let start = Instant::now();
            let status = wait(&mut launcher, plan.limit());
            seconds = start.elapsed().as_secs_f64();
            if plan.fault == Fault::FreezeHost {
                self.host(plan).processes().into_iter().for_each(|pid| drop(hosts::signal("CONT", pid)));
            }
            let left = self.left(&mark, plan.limit().saturating_sub(start.elapsed()).max(SLACK));
            // For the next round, whatever came of this one.
            self.up.cluster.set_cable(plan.host, true)?;
            self.sweep(&mark, &mut launcher);
            self.judge(plan, victim?, status?, &left)
        });
        (result, seconds)
    }

    fn start(&self, plan: &Plan, mark: &str) -> Result<Child> {
        let mut command = hosts::interruptible(&self.mpi.mpirun);
        command.arg("-m").arg(&self.up.machines).arg("-n").arg((u32::from(HOSTS) * RANKS_PER_HOST).to_string());
        command.args(["--heartbeat", &plan.heartbeat.to_string(), "--start-timeout", &START.to_string()]);
        command.arg(&self.program).arg(plan.kind).env(MARK, mark);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(File::create(&self.output)?);
        command.spawn().with_context(|| exec::shown(&command))
    }

    fn host(&self, plan: &Plan) -> &Host {
        &self.hosts[usize::from(plan.host) - 1]
    }

    /// Lets it happen; what the first line of the launcher's report has to contain.
    fn strike(&self, plan: &Plan, lots: &mut Lots, mark: &str, launcher: &Child) -> Result<Option<String>> {
        let host = self.host(plan);
        let on_host = |wanted: &dyn Fn(i32) -> bool| host.of_job().into_iter().filter(|pid| wanted(*pid)).collect::<Vec<_>>();
        let own = || {
            let here = marked(mark).into_iter().map(|process| process.pid);
            here.filter(|pid| hosts::is_keeper(*pid) && hosts::runs(*pid, &self.mpi.mpirun)).collect::<Vec<_>>()
        };
        let mut time = Time(Duration::from_secs(10), Instant::now());
        let mut find = |candidates: &dyn Fn() -> Vec<i32>| loop {
            if let Some(pid) = lots.one(&candidates()) {
                return Ok(*pid);
            }
            anyhow::ensure!(!time.is_up(), "there was nobody to strike");
            std::thread::sleep(Duration::from_millis(5));
        };
        match plan.fault {
            Fault::KillRank => {
                let pid = find(&|| on_host(&|pid| hosts::is_rank(pid, &self.program)))?;
                let rank = hosts::variable(pid, "HPVM_RANK").context("a rank without a number")?;
                hosts::signal("KILL", pid)?;
                return Ok(Some(format!("rank {rank} (")));
            }
            Fault::KillDaemon => hosts::signal("KILL", find(&|| on_host(&|pid| hosts::name(pid) == "hpvmd"))?)?,
            Fault::StopDaemon => hosts::signal("STOP", find(&|| on_host(&hosts::is_daemon_at_work))?)?,
            Fault::KillKeeper => {
                hosts::signal("KILL", find(&|| on_host(&hosts::is_keeper))?)?;
            }
            Fault::KillLauncher => {
                hosts::signal("KILL", launcher.id() as i32)?;
                return Ok(None);
            }
            Fault::KillOwnKeeper => {
                hosts::signal("KILL", find(&own)?)?;
                return Ok(Some("a keeper, a process between hpvmrun and the ranks".into()));
            }
            Fault::PullCable => self.up.cluster.set_cable(plan.host, false)?,
            Fault::FreezeHost => {
                find(&|| host.processes())?;
                host.processes().into_iter().for_each(|pid| drop(hosts::signal("STOP", pid)));
            }
            Fault::Interrupt => {
                hosts::signal("INT", launcher.id() as i32)?;
                return Ok(Some("SIGINT ended the job".into()));
            }
        }
        Ok(Some(format!("{} ", host.name())))
    }

    /// What there still is of the job when it has had its time.
    fn left(&self, mark: &str, time: Duration) -> Vec<String> {
        let mut time = Time(time, Instant::now());
        loop {
            let here = marked(mark).into_iter().map(|process| hosts::describe(process.pid));
            let there = self.hosts.iter().flat_map(|host| host.of_job().into_iter().map(|pid| format!("{} on {}", hosts::describe(pid), host.name())));
            let files = self.hosts.iter().flat_map(Host::files).map(|file| file.display().to_string());
            let left: Vec<String> = here.chain(there).chain(files).collect();
            if left.is_empty() || time.is_up() {
                return left;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Ends what should have ended, and ssh's sessions on the host whose cable was pulled, which have not heard of it.
    fn sweep(&self, mark: &str, launcher: &mut Child) {
        let end = Instant::now() + Duration::from_secs(2);
        while self.hosts.iter().any(|host| !host.processes().is_empty()) && Instant::now() < end {
            std::thread::sleep(Duration::from_millis(20));
        }
        let there = self.hosts.iter().flat_map(Host::processes);
        for pid in marked(mark).into_iter().map(|process| process.pid).chain(there) {
            let _ = hosts::signal("KILL", pid);
        }
        let _ = launcher.wait();
    }

    fn judge(&self, plan: &Plan, cause: Option<String>, status: Option<ExitStatus>, left: &[String]) -> Result<()> {
        let said = fs::read_to_string(&self.output).unwrap_or_default();
        let status = status.with_context(|| format!("it goes on after {:?}\n{said}", plan.limit()))?;
        let expected = match plan.fault {
            Fault::KillLauncher => (None, Some(9)),
            Fault::KillRank => (Some(137), None),
            Fault::Interrupt => (Some(130), None),
            _ => (Some(125), None),
        };
        anyhow::ensure!((status.code(), status.signal()) == expected, "it ended with {}\n{said}", exec::ending(status));
        let first = said.lines().next().unwrap_or_default();
        let right = cause.as_ref().is_none_or(|cause| first.starts_with("hpvmrun: ") && first.contains(cause));
        anyhow::ensure!(right, "{:?} is not the first thing said:\n{said}", cause.unwrap_or_default());
        anyhow::ensure!(left.is_empty(), "left: {}\n{said}", left.join(", "));
        Ok(())
    }
}

fn wait(child: &mut Child, limit: Duration) -> Result<Option<ExitStatus>> {
    let mut time = Time(limit, Instant::now());
    loop {
        let status = child.try_wait()?;
        if status.is_some() || time.is_up() {
            return Ok(status);
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// What is left of a time, and when that was. Time in which this machine stood still itself is not counted: the job did, too.
struct Time(Duration, Instant);

impl Time {
    /// To be asked often.
    fn is_up(&mut self) -> bool {
        let passed = std::mem::replace(&mut self.1, Instant::now()).elapsed();
        self.0 = self.0.saturating_sub(passed.min(Duration::from_secs(1)));
        self.0.is_zero()
    }
}
