//! Some providers install handlers for fatal signals when they are opened. A rank's signals are its program's.

use std::ffi::c_int;
use std::mem::MaybeUninit;

/// Those that libfabric's shared-memory provider is known to take.
const TAKEN: [c_int; 4] = [libc::SIGBUS, libc::SIGSEGV, libc::SIGTERM, libc::SIGINT];

/// Runs `call`, after which these signals are handled as before.
pub fn kept<T>(call: impl FnOnce() -> T) -> T {
    let before = TAKEN.map(|signal| {
        let mut action = MaybeUninit::<libc::sigaction>::zeroed();
        // SAFETY: asks for an action, for which there is room.
        let asked = unsafe { libc::sigaction(signal, std::ptr::null(), action.as_mut_ptr()) } == 0;
        // SAFETY: all zero is a valid action, and the kernel has written another.
        asked.then(|| unsafe { action.assume_init() })
    });
    let result = call();
    for (signal, action) in TAKEN.into_iter().zip(before) {
        if let Some(action) = action {
            // SAFETY: what was in force a moment ago.
            unsafe { libc::sigaction(signal, &raw const action, std::ptr::null_mut()) };
        }
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    fn handler_of(signal: c_int) -> usize {
        let mut action = MaybeUninit::<libc::sigaction>::zeroed();
        // SAFETY: as above.
        unsafe {
            assert_eq!(libc::sigaction(signal, std::ptr::null(), action.as_mut_ptr()), 0);
            action.assume_init().sa_sigaction
        }
    }

    #[test]
    fn a_handler_that_was_installed_meanwhile_is_gone() {
        extern "C" fn theirs(_: c_int) {}
        let before = handler_of(libc::SIGTERM);
        kept(|| {
            let handler = theirs as extern "C" fn(c_int) as libc::sighandler_t;
            // SAFETY: a handler that does nothing.
            unsafe { libc::signal(libc::SIGTERM, handler) };
            assert_eq!(handler_of(libc::SIGTERM), handler);
        });
        assert_eq!(handler_of(libc::SIGTERM), before);
    }
}
