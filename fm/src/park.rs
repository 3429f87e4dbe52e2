//! How a process waits.

/// Decides what a thread does that has nothing to do. Production spins, yields and sleeps; the simulator switches to
/// another rank.
pub trait Park: Send + Sync {
    /// Called by a waiting thread whose last `round` polls in a row found nothing (counted from 0). May return at once, spin,
    /// yield the core, or sleep until something may have arrived. Spurious returns are fine.
    ///
    /// Before it sleeps it makes the process known as asleep and asks `arrived` once more.
    fn idle(&self, round: u32, arrived: &dyn Fn() -> bool);

    /// Ends the sleep of this process's other threads, if any sleeps: a thread completed what another may wait for.
    fn wake(&self);
}
