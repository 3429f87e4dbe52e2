//! How a process waits.

/// Decides what a thread does that has nothing to do. Production spins, yields and sleeps; the simulator switches to
/// another rank.
pub trait Park: Send + Sync {
    /// Called by a waiting thread whose last `round` polls in a row found nothing (counted from 0). May return at once, spin,
    /// yield the core, or sleep until something may have arrived. Spurious returns are fine.
    ///
    /// Before it sleeps it makes the process known as asleep and asks `arrived` once more.
    fn idle(&self, round: u32, arrived: &dyn Fn() -> bool);

    /// Called by a thread that does not wait but asks again and again whether something has arrived, and has found nothing `round` times in a
    /// row (counted from 1). May yield the core to whom it asks for; never sleeps.
    fn give_way(&self, round: u32) {
        let _ = round;
    }

    /// Whether each process here has a core of its own, as far as is known: to ask one that waits for help then takes nothing from another.
    fn has_cores(&self) -> bool {
        false
    }

    /// Ends the sleep of this process's other threads, if any sleeps: a thread completed what another may wait for.
    fn wake(&self);
}
