//! A stand-in for an MPI program in the launcher's own tests; it is not installed.
//!
//! It does what the library does towards the launcher, over the same crate, step by step as its arguments
//! say: `init`, `finalize`, `call=MPI_Recv`, `wait=PEER,TAG`, `wait-sending=PEER,TAG`, `wait-together=PEER,NUMBER`, `run`, `compute`, `stop`, `abort=CODE`, `abort-saying=TEXT`, `exit=STATUS`, `signal=NUMBER`,
//! `sleep=SECONDS`, `forever`, `say=TEXT`, `ignore-term`,
//! `second-claim`, `flee`. `@2/exit=3` is a step for rank 2 only.

use std::env;
use std::io::Write as _;
use std::process::{self, Command};
use std::thread;
use std::time::{Duration, Instant};

use hpvm_launcher::sys::fork;
use hpvm_wire::waiting::{ANY, CommName, Waiting, What};
use hpvm_wire::{Bell, Board, Claim, StartUp, calls};

struct Rank {
    start: StartUp,
    mpi: Option<(Board, Bell)>,
}

fn main() {
    let start = match StartUp::from_environment() {
        Ok(Some(start)) => start,
        other => fail(&format!("not started by hpvmrun: {other:?}")),
    };
    let mut rank = Rank { start, mpi: None };
    for step in env::args().skip(1) {
        match step.strip_prefix('@').and_then(|rest| rest.split_once('/')) {
            Some((only, step)) if only == rank.start.place.rank.to_string() => rank.step(step),
            Some(_) => (),
            None => rank.step(&step),
        }
    }
}

fn fail(text: &str) -> ! {
    eprintln!("fake rank: {text}");
    process::exit(99)
}

impl Rank {
    fn step(&mut self, step: &str) {
        let (name, value) = step.split_once('=').unwrap_or((step, ""));
        let number = || value.parse::<i32>().unwrap_or_else(|_| fail(step));
        match name {
            "init" => self.init(),
            "finalize" => self.ring(|line| line.finalised()),
            "call" => self.line(|line| line.enter(calls::index_of(value).unwrap_or_else(|| fail(step)))),
            "wait" => self.wait(What::Receive, value),
            "wait-sending" => self.wait(What::Send, value),
            "wait-together" => self.wait(What::Collective, value),
            "run" => self.line(|line| line.running()),
            "compute" => compute(),
            "stop" => signal(libc::SIGSTOP),
            "abort" => {
                let code = number();
                self.ring(|line| line.aborted(code));
                forever()
            }
            "abort-saying" => {
                self.ring(|line| line.aborted(6));
                thread::sleep(Duration::from_millis(30));
                println!("{value}");
                process::exit(6)
            }
            "exit" => process::exit(number()),
            "signal" => signal(number()),
            "sleep" => thread::sleep(Duration::from_secs_f64(value.parse().unwrap_or_else(|_| fail(step)))),
            "forever" => forever(),
            "say" => {
                println!("{value}");
                let _ = std::io::stdout().flush();
            }
            "ignore-term" => ignore_term(),
            "flee" => flee(),
            "second-claim" => self.second_claim(),
            _ => fail(&format!("no step {step}")),
        }
    }

    fn init(&mut self) {
        let open = |descriptor: hpvm_wire::Descriptor| {
            descriptor.open(self.start.launcher_pid).unwrap_or_else(|error| fail(&error.to_string()))
        };
        let board = Board::map(open(self.start.status), self.start.place.size);
        let board = board.unwrap_or_else(|error| fail(&error.to_string()));
        let bell = Bell::from_descriptor(open(self.start.event));
        drop(open(self.start.mem));
        let line = &board[self.start.place.rank as usize];
        line.enter(calls::index_of("MPI_Init").unwrap_or(calls::NONE));
        if let Claim::Taken { pid } = line.claim(process::id()) {
            fail(&format!("process {pid} is the MPI process of this rank"));
        }
        line.initialised();
        bell.ring();
        self.mpi = Some((board, bell));
    }

    fn line(&self, act: impl FnOnce(&hpvm_wire::StatusLine)) {
        let (board, _) = self.mpi.as_ref().unwrap_or_else(|| fail("not initialised"));
        act(&board[self.start.place.rank as usize]);
    }

    fn ring(&self, act: impl FnOnce(&hpvm_wire::StatusLine)) {
        self.line(act);
        if let Some((_, bell)) = &self.mpi {
            bell.ring();
        }
    }

    /// Shows a wait for PEER,TAG; in a collective call, which is the call entered last, TAG is its number.
    fn wait(&self, what: What, value: &str) {
        let Some((peer, tag)) = value.split_once(',') else { fail(value) };
        let [peer, tag] = [peer, tag].map(|text| if text == "any" { ANY } else { text.parse().unwrap_or_else(|_| fail(value)) });
        let comm_name = CommName::from("MPI_COMM_WORLD");
        let waiting = Waiting { what, comm: 0x101, comm_name, peer, world: peer, tag, ..Waiting::default() };
        let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
        self.line(|line| {
            let operation = line.last_call().and_then(calls::index_of).filter(|_| what == What::Collective);
            line.waiting(&Waiting { operation, ..waiting }, now.tv_sec as u64 * 1_000_000_000 + now.tv_nsec as u64);
        });
    }

    /// A program started by an MPI program finds its parent's claim.
    fn second_claim(&self) {
        let own = env::current_exe().unwrap_or_else(|error| fail(&error.to_string()));
        let status = Command::new(own).arg("init").status().unwrap_or_else(|error| fail(&error.to_string()));
        if status.code() != Some(99) {
            fail(&format!("a second process could claim the rank: {status}"));
        }
    }
}

fn compute() -> ! {
    loop {
        std::hint::spin_loop();
    }
}

fn forever() -> ! {
    loop {
        thread::sleep(Duration::from_secs(3600));
    }
}

fn signal(number: i32) {
    let Some(signal) = rustix::process::Signal::from_named_raw(number) else { fail("no such signal") };
    loop {
        // Rust's own handler of SIGSEGV takes the first one and steps aside.
        let _ = rustix::process::kill_process(rustix::process::getpid(), signal);
    }
}

/// Is never the same process for long, nor in the same session: each forks the next one and leaves. Not for ever,
/// since nobody could end it.
fn flee() -> ! {
    let until = Instant::now() + Duration::from_secs(60);
    while Instant::now() < until && matches!(fork(), Ok(None)) {
        let _ = rustix::process::setsid();
    }
    process::exit(0)
}

/// Without a handler of its own: the shell that is asked to `trap` hands the disposition on.
fn ignore_term() {
    let own = env::current_exe().unwrap_or_else(|error| fail(&error.to_string()));
    let script = format!("trap '' TERM; exec {} init forever", own.display());
    use std::os::unix::process::CommandExt as _;
    let error = Command::new("sh").args(["-c", &script]).exec();
    fail(&error.to_string())
}
