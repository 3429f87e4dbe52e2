//! One simulated rank: a coroutine that runs the program's `main`, and what its MPI library sees of the world.

use crate::sys::{self, Main};
use corosensei::stack::DefaultStack;
use corosensei::{Coroutine, CoroutineResult, Yielder};
use fm::sim::Network;
use fm::{Fm, Park, Peer, Threading};
use mpi_fm::attr::Predefined;
use mpi_fm::config::Config;
use mpi_fm::host::Host;
use mpi_fm::waiting::Waiting;
use mpi_fm::{Error, Process};
use mpi_fm_abi::host::as_shown;
use mpi_fm_abi::instance::{self, Instance};
use mpi_fm_abi::line::Line;
use mpi_fm_abi::rank::Rank;
use std::cell::Cell;
use std::ffi::{CString, c_char, c_int};
use std::io;
use std::sync::{Arc, OnceLock};

/// Why a rank lets others run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Turn {
    /// Between two calls: it could go on.
    Over,
    /// It waits for something to arrive.
    Waits,
    /// The program ended, by `exit` inside a function.
    Exits(c_int),
}

/// A rank of the simulation, seen by the scheduler.
pub struct SimRank {
    me: Peer,
    coroutine: Coroutine<(), Turn, c_int>,
    instance: &'static Instance,
    line: Arc<OnceLock<Arc<Line>>>,
    switch: Arc<Switch>,
    waits: bool,
    exited: Option<c_int>,
}

/// Room for a program's `main` and all it calls; touched as it is used.
const STACK_SIZE: usize = 8 << 20;

/// Nanoseconds of virtual time that a call takes at least.
const CALL_NS: u64 = 100;

impl SimRank {
    pub fn new(me: u32, ranks: u32, network: &Network, main: Main, args: Vec<CString>) -> io::Result<SimRank> {
        let switch = Arc::new(Switch::default());
        let line = Arc::new(OnceLock::new());
        let instance = {
            let (network, switch, line) = (network.clone(), switch.clone(), line.clone());
            Instance::started_by(Box::new(move |_, config| start(me, ranks, &network, &switch, &line, config)))
        };
        let coroutine = {
            let switch = switch.clone();
            Coroutine::with_stack(DefaultStack::new(STACK_SIZE)?, move |yielder, ()| {
                switch.yielder.set(yielder);
                call(main, &args)
            })
        };
        // For good: calls hold references into it.
        let instance = Box::leak(Box::new(instance));
        Ok(SimRank { me: Peer(me), coroutine, instance, line, switch, waits: false, exited: None })
    }

    /// Whether it can go on.
    pub fn runnable(&self, network: &Network) -> bool {
        self.exited.is_none() && (!self.waits || network.has_news(self.me))
    }

    /// The program's status, once it has ended.
    pub fn exited(&self) -> Option<c_int> {
        self.exited
    }

    /// Lets it run to its next call or wait.
    pub fn run(&mut self) {
        // SAFETY: the instance was leaked.
        unsafe { instance::switch(self.instance) };
        RUNNING.set(Arc::as_ptr(&self.switch));
        let result = self.coroutine.resume(());
        RUNNING.set(std::ptr::null());
        self.waits = matches!(result, CoroutineResult::Yield(Turn::Waits));
        self.exited = match result {
            CoroutineResult::Yield(Turn::Exits(status)) | CoroutineResult::Return(status) => Some(status),
            CoroutineResult::Yield(_) => None,
        };
    }

    /// What it is doing, for a report.
    pub fn doing(&self) -> String {
        let call = self.line.get().and_then(|line| line.last_call()).unwrap_or("no MPI call yet");
        match self.exited {
            Some(status) => format!("rank {} has ended with status {status}", self.me.0),
            None => format!("rank {} {} in {call}", self.me.0, if self.waits { "waits" } else { "runs" }),
        }
    }
}

fn call(main: Main, args: &[CString]) -> c_int {
    let mut pointers: Vec<*const c_char> = args.iter().map(|arg| arg.as_ptr()).collect();
    pointers.push(std::ptr::null());
    // SAFETY: `main` of a C program, with what C promises it: argc strings, then a null pointer.
    unsafe { main(args.len() as c_int, pointers.as_ptr(), sys::environment()) }
}

/// What `MPI_Init` makes of a simulated process.
fn start(
    me: u32,
    ranks: u32,
    network: &Network,
    switch: &Arc<Switch>,
    told: &OnceLock<Arc<Line>>,
    config: Config,
) -> Result<Rank, Error> {
    let line = {
        let (network, switch) = (network.clone(), switch.clone());
        let watcher = move || {
            network.tick(CALL_NS);
            switch.out(Turn::Over);
        };
        Arc::new(Line::watched(Box::new(watcher)))
    };
    let line = told.get_or_init(|| line).clone();
    let fm = Fm::new(Peer(me), ranks, vec![network.device(Peer(me))], |_| 0, Threading::Single, false);
    let host = Arc::new(SimHost { me, line: line.clone(), network: network.clone() });
    let park = Arc::new(SimPark(switch.clone()));
    let process = Process::new(fm, park, host, config);
    let attributes = Predefined::new(i32::MAX, true, Some(0), Some(ranks as i32));
    Ok(Rank::new(process, line, attributes))
}

/// The way from inside a rank's calls back to the scheduler.
pub struct Switch {
    yielder: Cell<*const Yielder<(), Turn>>,
}

impl Default for Switch {
    fn default() -> Self {
        Switch { yielder: Cell::new(std::ptr::null()) }
    }
}

// SAFETY: a simulation has one thread.
unsafe impl Send for Switch {}
// SAFETY: as above.
unsafe impl Sync for Switch {}

impl Switch {
    /// Lets others run, until it is this rank's turn again.
    fn out(&self, turn: Turn) {
        // SAFETY: set when the coroutine began, and only the coroutine's own calls come here.
        unsafe { &*self.yielder.get() }.suspend(turn);
    }
}

thread_local! {
    /// Of the rank that is running.
    static RUNNING: Cell<*const Switch> = const { Cell::new(std::ptr::null()) };
}

/// What `exit` is for the programs: the end of the rank, not of the simulation.
#[unsafe(no_mangle)]
extern "C" fn __wrap_exit(status: c_int) -> ! {
    let running = RUNNING.get();
    if running.is_null() {
        sys::leave(status);
    }
    // SAFETY: the switch of the coroutine that called us; its rank owns it.
    unsafe { &*running }.out(Turn::Exits(status));
    unreachable!("a rank that has exited runs again");
}

struct SimPark(Arc<Switch>);

impl Park for SimPark {
    fn idle(&self, _: u32, arrived: &dyn Fn() -> bool) {
        self.0.out(if arrived() { Turn::Over } else { Turn::Waits });
    }

    fn wake(&self) {}
}

struct SimHost {
    me: u32,
    line: Arc<Line>,
    network: Network,
}

impl Host for SimHost {
    fn wtime(&self) -> f64 {
        // Whoever looks at the clock must see it move.
        self.network.tick(CALL_NS);
        self.network.now_ns() as f64 * 1e-9
    }

    fn waits(&self, waiting: &Waiting) {
        self.line.waiting(&as_shown(waiting), self.network.now_ns());
    }

    fn goes_on(&self) {
        self.line.running();
    }

    fn is_waiting(&self) -> bool {
        self.line.is_waiting()
    }

    fn asks(&self, waiting: &Waiting, times: u32, moved: bool) {
        self.line.asking(&as_shown(waiting), times, moved, self.network.now_ns());
    }

    fn has_asked(&self) {
        self.line.asked();
    }

    fn abort(&self, code: i32) -> ! {
        sys::leave(if code == 0 { 1 } else { code })
    }

    fn node(&self) -> u64 {
        // All on one.
        0
    }

    fn processor_name(&self) -> String {
        format!("sim{}", self.me)
    }
}
