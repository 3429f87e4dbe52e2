//! Sessions, and the handles through which a tool reads performance variables (MPI 5.0 section 15.3.7).
//!
//! The engine's counts run from the start of the process. What a tool sees through its handle is its own: a sum counts while the handle is
//! started, from where it was last reset or set; a peak is that of the time since.

use super::pvar::{self, Gauge, Variable};
use super::{Refusal, Result, State, at, put};
use crate::instance::Instance;
use crate::types::{MPI_T_pvar_handle, MPI_T_pvar_session};
use mpi_fm::tally::{Depth, Depths};
use std::ffi::{c_int, c_void};
use std::sync::Arc;

/// A performance variable as one handle sees it.
pub struct Watch {
    session: usize,
    gauge: Gauge,
    /// For variables of a communicator; they stay readable after it is gone.
    depths: Option<Arc<Depths>>,
    running: bool,
    /// The value, but for what was added since the handle was started.
    kept: Vec<u64>,
    /// What the engine's counts were then.
    since: Vec<u64>,
}

/// `MPI_T_PVAR_ALL_HANDLES`
const ALL_HANDLES: MPI_T_pvar_handle = MPI_T_pvar_handle(1);

impl Watch {
    fn new(session: usize, variable: &Variable, depths: Option<Arc<Depths>>) -> Watch {
        let gauge = variable.gauge();
        let zeros = vec![0; gauge.count()];
        let mut watch = Watch { session, gauge, depths, running: gauge.is_continuous(), kept: zeros.clone(), since: zeros };
        watch.kept = watch.beginning();
        watch
    }

    fn engine(&self, instance: &Instance) -> Vec<u64> {
        self.gauge.read(instance, self.depths.as_deref())
    }

    /// The queue whose peak is watched.
    fn peak(&self) -> Option<&Depth> {
        match (self.gauge, &self.depths) {
            (Gauge::Peak(pick), Some(depths)) => Some(pick(depths)),
            _ => None,
        }
    }

    /// The starting value: of a watermark the present level, else 0.
    fn beginning(&self) -> Vec<u64> {
        match self.peak() {
            Some(depth) => vec![depth.level()],
            None => vec![0; self.gauge.count()],
        }
    }

    fn value(&self, instance: &Instance) -> Vec<u64> {
        match (self.gauge, self.running) {
            (Gauge::Length(_) | Gauge::WorldModel, _) => self.engine(instance),
            (_, false) => self.kept.clone(),
            (Gauge::Peak(_), true) => vec![self.kept[0].max(self.engine(instance)[0])],
            (Gauge::Messages(_) | Gauge::Bytes(_) | Gauge::Fm(_), true) => {
                let now = self.engine(instance);
                (0..now.len()).map(|i| self.kept[i].wrapping_add(now[i].wrapping_sub(self.since[i]))).collect()
            }
        }
    }

    /// From here on the value is `value`, and what happens is added to it.
    fn set(&mut self, instance: &Instance, value: Vec<u64>) {
        self.since = self.engine(instance);
        self.kept = value;
    }

    fn start(&mut self, instance: &Instance) {
        if !self.running {
            let value = match self.peak() {
                Some(depth) => vec![self.kept[0].max(depth.level())],
                None => std::mem::take(&mut self.kept),
            };
            self.set(instance, value);
            self.running = true;
        }
    }

    fn stop(&mut self, instance: &Instance) {
        if !self.gauge.is_continuous() {
            self.kept = self.value(instance);
            self.running = false;
        }
    }
}

impl State {
    fn session(&self, session: MPI_T_pvar_session) -> Result<usize> {
        self.sessions.get(&session.0).map(|()| session.0).ok_or(Refusal::INVALID_SESSION)
    }

    fn watch(&mut self, session: MPI_T_pvar_session, handle: MPI_T_pvar_handle) -> Result<&mut Watch> {
        let session = self.session(session)?;
        self.watches.get_mut(&handle.0).filter(|watch| watch.session == session).ok_or(Refusal::INVALID_HANDLE)
    }

    /// Before a handle begins to watch a queue's peak: the engine keeps one peak for all, so the others take down theirs.
    fn restart_peak(&mut self, instance: &Instance, handle: usize) {
        let Some(depths) = self.watches.get(&handle).filter(|watch| watch.peak().is_some()).and_then(|watch| watch.depths.clone())
        else {
            return;
        };
        let same = |watch: &&mut Watch| watch.running && watch.depths.as_ref().is_some_and(|other| Arc::ptr_eq(other, &depths));
        for watch in self.watches.values_mut().filter(same) {
            watch.kept = watch.value(instance);
        }
        if let Some(depth) = self.watches.get(&handle).and_then(Watch::peak) {
            depth.restart();
        }
    }

    /// The handles that a call is for: one, or those of the session that `wanted` picks.
    fn chosen(
        &mut self,
        session: MPI_T_pvar_session,
        handle: MPI_T_pvar_handle,
        wanted: impl Fn(Gauge) -> bool,
        refusal: Refusal,
    ) -> Result<Vec<usize>> {
        if handle == ALL_HANDLES {
            let session = self.session(session)?;
            let of_session = self.watches.iter().filter(|(_, watch)| watch.session == session && wanted(watch.gauge));
            return Ok(of_session.map(|(number, _)| *number).collect());
        }
        if wanted(self.watch(session, handle)?.gauge) { Ok(vec![handle.0]) } else { Err(refusal) }
    }
}

pub unsafe fn session_create(instance: &Instance, session: *mut MPI_T_pvar_session) -> Result<()> {
    let mut state = instance.tools.open()?;
    let number = state.next_handle();
    // SAFETY: see `init_thread`; so in all of this file.
    unsafe { put(session, MPI_T_pvar_session(number)) }?;
    state.sessions.insert(number, ());
    Ok(())
}

/// Frees the session's handles, too.
pub unsafe fn session_free(instance: &Instance, session: *mut MPI_T_pvar_session) -> Result<()> {
    let mut state = instance.tools.open()?;
    if session.is_null() {
        return Err(Refusal::INVALID);
    }
    // SAFETY: not null; see `session_create`.
    let number = state.session(unsafe { session.read() })?;
    state.sessions.remove(&number);
    state.watches.retain(|_, watch| watch.session != number);
    // SAFETY: see `session_create`.
    unsafe { put(session, MPI_T_pvar_session(0)) }
}

pub unsafe fn handle_alloc(
    instance: &Instance,
    session: MPI_T_pvar_session,
    index: c_int,
    obj_handle: *mut c_void,
    handle: *mut MPI_T_pvar_handle,
    count: *mut c_int,
) -> Result<()> {
    let mut state = instance.tools.open()?;
    let session = state.session(session)?;
    let variable = at(&pvar::ALL, index)?;
    // SAFETY: see `session_create`.
    let depths = unsafe { variable.gauge().bind(instance, obj_handle) }?;
    let number = state.next_handle();
    // SAFETY: see `session_create`.
    unsafe {
        put(count, variable.gauge().count() as c_int)?;
        put(handle, MPI_T_pvar_handle(number))?;
    }
    state.watches.insert(number, Watch::new(session, variable, depths));
    Ok(())
}

pub unsafe fn handle_free(instance: &Instance, session: MPI_T_pvar_session, handle: *mut MPI_T_pvar_handle) -> Result<()> {
    let mut state = instance.tools.open()?;
    if handle.is_null() {
        return Err(Refusal::INVALID);
    }
    // SAFETY: not null; see `session_create`.
    let number = unsafe { handle.read() };
    state.watch(session, number)?;
    state.watches.remove(&number.0);
    // SAFETY: see `session_create`.
    unsafe { put(handle, MPI_T_pvar_handle(0)) }
}

pub unsafe fn start(instance: &Instance, session: MPI_T_pvar_session, handle: MPI_T_pvar_handle) -> Result<()> {
    let mut state = instance.tools.open()?;
    for number in state.chosen(session, handle, |gauge| !gauge.is_continuous(), Refusal::PVAR_NO_STARTSTOP)? {
        if state.watches.get(&number).is_some_and(|watch| !watch.running) {
            state.restart_peak(instance, number);
        }
        if let Some(watch) = state.watches.get_mut(&number) {
            watch.start(instance);
        }
    }
    Ok(())
}

pub unsafe fn stop(instance: &Instance, session: MPI_T_pvar_session, handle: MPI_T_pvar_handle) -> Result<()> {
    let mut state = instance.tools.open()?;
    for number in state.chosen(session, handle, |gauge| !gauge.is_continuous(), Refusal::PVAR_NO_STARTSTOP)? {
        if let Some(watch) = state.watches.get_mut(&number) {
            watch.stop(instance);
        }
    }
    Ok(())
}

pub unsafe fn reset(instance: &Instance, session: MPI_T_pvar_session, handle: MPI_T_pvar_handle) -> Result<()> {
    let mut state = instance.tools.open()?;
    for number in state.chosen(session, handle, |gauge| !gauge.is_continuous(), Refusal::PVAR_NO_WRITE)? {
        state.restart_peak(instance, number);
        if let Some(watch) = state.watches.get_mut(&number) {
            watch.set(instance, watch.beginning());
        }
    }
    Ok(())
}

pub unsafe fn read(
    instance: &Instance,
    session: MPI_T_pvar_session,
    handle: MPI_T_pvar_handle,
    buf: *mut c_void,
) -> Result<()> {
    let mut state = instance.tools.open()?;
    let watch = state.watch(session, handle)?;
    // SAFETY: see `session_create`.
    unsafe { watch.gauge.ty().write(buf, &watch.value(instance)) }
}

pub unsafe fn write(
    instance: &Instance,
    session: MPI_T_pvar_session,
    handle: MPI_T_pvar_handle,
    buf: *const c_void,
) -> Result<()> {
    let mut state = instance.tools.open()?;
    let gauge = state.watch(session, handle)?.gauge;
    if gauge.is_continuous() {
        return Err(Refusal::PVAR_NO_WRITE);
    }
    // SAFETY: see `session_create`.
    let values = unsafe { gauge.ty().read(buf, gauge.count()) }?;
    state.restart_peak(instance, handle.0);
    state.watch(session, handle)?.set(instance, values.into_iter().map(|value| value as u64).collect());
    Ok(())
}

/// Nothing that happens between reading and resetting is lost: the engine is asked once.
pub unsafe fn readreset(
    instance: &Instance,
    session: MPI_T_pvar_session,
    handle: MPI_T_pvar_handle,
    buf: *mut c_void,
) -> Result<()> {
    let mut state = instance.tools.open()?;
    let watch = state.watch(session, handle)?;
    if watch.gauge.is_continuous() {
        return Err(Refusal::PVAR_NO_WRITE);
    }
    if !watch.gauge.is_atomic() {
        return Err(Refusal::PVAR_NO_ATOMIC);
    }
    let now = watch.engine(instance);
    let before = std::mem::replace(&mut watch.since, now.clone());
    let running = watch.running;
    let added = |i: usize| if running { now[i].wrapping_sub(before[i]) } else { 0 };
    let value: Vec<u64> = (0..now.len()).map(|i| watch.kept[i].wrapping_add(added(i))).collect();
    watch.kept = watch.beginning();
    // SAFETY: see `session_create`.
    unsafe { watch.gauge.ty().write(buf, &value) }
}
