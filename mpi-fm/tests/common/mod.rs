//! Many processes of the engine in one thread, over the simulated network.
//!
//! Each member of a job is a future, which is polled turn by turn with its process's progress engine, in an order that a seed decides. The same
//! seed gives the same run; a job in which nobody can go on is found out at once.
#![allow(dead_code)]

use corosensei::{Coroutine, CoroutineResult, Yielder};
use fm::sim::{Network, Plan, Random};
use fm::{Fm, Park, Peer, Threading};
use mpi_fm::config::Config;
use mpi_fm::host::Host;
use mpi_fm::process::Process;
use mpi_fm::waiting::Waiting;
use std::cell::Cell;
use std::pin::Pin;
use std::ptr::NonNull;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

/// Processes with a world of their own.
pub struct Job {
    network: Network,
    seed: u64,
    pub processes: Vec<Arc<Process>>,
}

struct Nowhere;

impl Host for Nowhere {
    fn wtime(&self) -> f64 {
        0.0
    }

    fn waits(&self, _: &Waiting) {}

    fn goes_on(&self) {}

    fn is_waiting(&self) -> bool {
        false
    }

    fn asks(&self, _: &Waiting, _: u32, _: bool) {}

    fn has_asked(&self) {}

    fn abort(&self, code: i32) -> ! {
        panic!("aborted with code {code}")
    }

    fn node(&self) -> u64 {
        0
    }

    fn processor_name(&self) -> String {
        "here".to_owned()
    }
}

thread_local! {
    /// The stack on which a call is being made that may wait.
    static CALL: Cell<Option<NonNull<Yielder<(), ()>>>> = const { Cell::new(None) };
}

/// All ranks share one thread: only calls with a stack of their own ([`blocking`]) may wait, and then the others go on.
struct Turns;

impl Park for Turns {
    fn idle(&self, _: u32, _: &dyn Fn() -> bool) {
        let call = CALL.take().expect("a call waits that should not");
        // SAFETY: the stack that it belongs to is the one on which we are.
        unsafe { call.as_ref() }.suspend(());
        CALL.set(Some(call));
    }

    fn wake(&self) {}
}

/// Makes a call that may wait.
pub async fn blocking<T: 'static>(call: impl FnOnce() -> T + 'static) -> T {
    let mut call = Coroutine::new(|yielder: &Yielder<(), ()>, ()| {
        CALL.set(Some(NonNull::from(yielder)));
        let result = call();
        CALL.set(None);
        result
    });
    std::future::poll_fn(|_| match call.resume(()) {
        CoroutineResult::Yield(()) => Poll::Pending,
        CoroutineResult::Return(result) => Poll::Ready(result),
    })
    .await
}

impl Job {
    pub fn new(size: u32, seed: u64) -> Job {
        Job::with(size, seed, Config::default())
    }

    pub fn with(size: u32, seed: u64, config: Config) -> Job {
        let plan = Plan { region_size: 4 << 20, ..Plan::default() };
        let network = Network::new(seed, size, plan);
        let processes = (0..size).map(|me| Job::process(&network, me, size, config)).collect();
        Job { network, seed, processes }
    }

    /// One of `size` processes in a network.
    pub fn process(network: &Network, me: u32, size: u32, config: Config) -> Arc<Process> {
        let fm = Fm::new(Peer(me), size, vec![network.device(Peer(me))], |_| 0, Threading::Single, false);
        Process::new(fm, Arc::new(Turns), Arc::new(Nowhere), config)
    }

    /// Runs `member` for every process until all are done; their results, in the order of ranks.
    pub fn run<'j, F: Future>(&'j self, member: impl Fn(&'j Arc<Process>) -> F) -> Vec<F::Output> {
        let mut random = Random::new(self.seed);
        let mut members: Vec<Pin<Box<F>>> = self.processes.iter().map(|process| Box::pin(member(process))).collect();
        let mut results: Vec<Option<F::Output>> = members.iter().map(|_| None).collect();
        let mut order: Vec<usize> = (0..members.len()).collect();
        let mut context = Context::from_waker(Waker::noop());
        let mut idle_turns = 0;
        while results.iter().any(Option::is_none) {
            for last in (1..order.len()).rev() {
                order.swap(last, random.below(last as u64 + 1) as usize);
            }
            let mut something = false;
            for &rank in &order {
                something |= self.processes[rank].progress() == mpi_fm::adi::progress::Progress::Something;
                if results[rank].is_none()
                    && let Poll::Ready(result) = members[rank].as_mut().poll(&mut context)
                {
                    results[rank] = Some(result);
                    something = true;
                }
                self.network.tick(50);
            }
            // A step on a board is not seen otherwise.
            something |= (0..results.len()).any(|rank| self.network.has_news(Peer(rank as u32)));
            idle_turns = if something { 0 } else { idle_turns + 1 };
            if !something && !self.network.advance() && idle_turns > 3 {
                let waiting: Vec<usize> = (0..results.len()).filter(|rank| results[*rank].is_none()).collect();
                panic!("ranks {waiting:?} of {} wait for nothing (seed {})", results.len(), self.seed);
            }
        }
        results.into_iter().flatten().collect()
    }
}

/// Waits for a request of a process that is a member of a running job.
pub async fn wait(process: &Process, request: mpi_fm::handle::Handle) -> mpi_fm::status::Outcome {
    std::future::poll_fn(|_| match process.standing(request) {
        Ok(mpi_fm::request::complete::Standing::Active) => Poll::Pending,
        _ => Poll::Ready(()),
    })
    .await;
    process.finish(request).expect("a live request")
}
