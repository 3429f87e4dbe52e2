//! Running collectives: blocking ones in the caller's loop, nonblocking ones in the progress engine.

use crate::error::Result;
use crate::handle::Handle;
use crate::memory::Memory;
use crate::process::Process;
use crate::request::State;
use crate::status::{Outcome, Status};
use fm::{ThreadLock, Threading};
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

/// A collective under way, that its owner need not stay for.
pub type Task = Pin<Box<dyn Future<Output = Result<()>> + Send>>;

struct Run {
    request: Handle,
    task: Pin<Box<dyn Future<Output = Result<Status>> + Send>>,
}

/// The nonblocking collectives of a process that are not complete.
pub struct Running {
    runs: ThreadLock<Vec<Run>>,
}

impl Running {
    pub fn new(threading: Threading) -> Running {
        Running { runs: ThreadLock::new(threading, Vec::new()) }
    }
}

impl Process {
    /// Carries out a collective operation and returns when its part here is done. `comm` is for reports.
    ///
    /// # Errors
    /// Those of the operation.
    pub fn block_on<T>(&self, comm: Handle, operation: impl Future<Output = Result<T>>) -> Result<T> {
        let mut operation = pin!(operation);
        let mut context = Context::from_waker(Waker::noop());
        let mut result = None;
        self.wait_until(|| self.waits_in_collective(comm), || match operation.as_mut().poll(&mut context) {
            Poll::Ready(output) => {
                result = Some(output);
                true
            }
            Poll::Pending => false,
        });
        result.expect("the wait ends when the operation does")
    }

    /// Starts a collective operation that goes on whenever the process makes progress.
    ///
    /// # Errors
    /// `MPI_ERR_NO_MEM`
    pub fn start_collective(&self, comm: Handle, task: impl Future<Output = Result<()>> + Send + 'static) -> Result<Handle> {
        self.start_task(comm, async move { task.await.map(|()| Status::EMPTY) })
    }

    /// Starts an operation of several messages; its request completes with the status that `task` comes to.
    ///
    /// # Errors
    /// `MPI_ERR_NO_MEM`
    pub fn start_task(&self, comm: Handle, task: impl Future<Output = Result<Status>> + Send + 'static) -> Result<Handle> {
        let request = self.requests.start(State::Collective, Memory::EMPTY, comm)?;
        let mut task = Box::pin(task);
        match task.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(output) => self.requests.complete(request, outcome(output)),
            Poll::Pending => self.running.runs.lock().push(Run { request, task }),
        }
        Ok(request)
    }

    /// Advances the nonblocking collectives. Returns whether one completed. Called by the thread that has the turn.
    #[inline]
    pub(crate) fn advance_running(&self) -> bool {
        let any = !self.running.runs.lock().is_empty();
        any && self.advance_some()
    }

    fn advance_some(&self) -> bool {
        // Taken out, because a task may need locks that others hold while they start one.
        let mut runs = std::mem::take(&mut *self.running.runs.lock());
        let before = runs.len();
        let mut context = Context::from_waker(Waker::noop());
        runs.retain_mut(|run| match run.task.as_mut().poll(&mut context) {
            Poll::Ready(output) => {
                self.requests.complete(run.request, outcome(output));
                false
            }
            Poll::Pending => true,
        });
        let completed = runs.len() < before;
        let mut started = self.running.runs.lock();
        runs.append(&mut started);
        *started = runs;
        completed
    }
}

fn outcome(output: Result<Status>) -> Outcome {
    match output {
        Ok(status) => Outcome { status, error: None },
        Err(error) => Outcome { status: Status::EMPTY, error: Some(error) },
    }
}
