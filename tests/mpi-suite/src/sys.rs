//! The few system calls the runner makes itself.

/// Sends a signal; a process (or group, when negative) that is gone already is no error.
pub fn kill(pid: i32, signal: i32) {
    // SAFETY: `kill` takes two integers and touches no memory of ours.
    unsafe { libc::kill(pid, signal) };
}

/// CLOCK_MONOTONIC in seconds, which processes can compare.
pub fn monotonic_s() -> f64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: writes the structure that it is given; the clock always exists.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &raw mut time) };
    time.tv_sec as f64 + time.tv_nsec as f64 * 1e-9
}
