//! The attributes that the library attaches to communicators (MPI 5.0 section 9.1.2): pointers to integers.

use super::Value;
use crate::constants::{ANY_SOURCE, PROC_NULL};

pub const TAG_UB: i32 = 501;
pub const IO: i32 = 502;
pub const HOST: i32 = 503;
pub const WTIME_IS_GLOBAL: i32 = 504;
pub const APPNUM: i32 = 505;
pub const LASTUSEDCODE: i32 = 506;
pub const UNIVERSE_SIZE: i32 = 507;

/// The name of a predefined key of any kind of object.
pub fn name(keyval: i32) -> Option<&'static str> {
    Some(match keyval {
        TAG_UB => "MPI_TAG_UB",
        IO => "MPI_IO",
        HOST => "MPI_HOST",
        WTIME_IS_GLOBAL => "MPI_WTIME_IS_GLOBAL",
        APPNUM => "MPI_APPNUM",
        LASTUSEDCODE => "MPI_LASTUSEDCODE",
        UNIVERSE_SIZE => "MPI_UNIVERSE_SIZE",
        601 => "MPI_WIN_BASE",
        602 => "MPI_WIN_DISP_UNIT",
        603 => "MPI_WIN_SIZE",
        604 => "MPI_WIN_CREATE_FLAVOR",
        605 => "MPI_WIN_MODEL",
        _ => return None,
    })
}

/// The integers that programs get pointers to. Boxed: they never move while the process has them.
///
/// All communicators share them, as other implementations have it; the standard asks for them on `MPI_COMM_WORLD`, and for
/// `MPI_TAG_UB` everywhere.
pub struct Predefined(Box<Integers>);

#[derive(Clone, Copy, Debug)]
struct Integers {
    tag_ub: i32,
    io: i32,
    host: i32,
    wtime_is_global: i32,
    appnum: Option<i32>,
    universe_size: Option<i32>,
}

impl Predefined {
    /// `appnum` and `universe_size` come from the launcher; without one the attributes are not set.
    pub fn new(tag_ub: i32, wtime_is_global: bool, appnum: Option<i32>, universe_size: Option<i32>) -> Predefined {
        Predefined(Box::new(Integers {
            tag_ub,
            // Every process can do input and output.
            io: ANY_SOURCE,
            // No process is special for being on a host.
            host: PROC_NULL,
            wtime_is_global: wtime_is_global.into(),
            appnum,
            universe_size,
        }))
    }

    /// The value of a predefined key of communicators: `None` if `keyval` is none, `Some(None)` if it is not set.
    /// `last_used` is where the value of `MPI_LASTUSEDCODE` lives.
    pub fn get(&self, keyval: i32, last_used: *const i32) -> Option<Option<Value>> {
        let integers = &*self.0;
        let integer: Option<*const i32> = match keyval {
            TAG_UB => Some(&integers.tag_ub),
            IO => Some(&integers.io),
            HOST => Some(&integers.host),
            WTIME_IS_GLOBAL => Some(&integers.wtime_is_global),
            APPNUM => integers.appnum.as_ref().map(|number| number as *const i32),
            LASTUSEDCODE => Some(last_used),
            UNIVERSE_SIZE => integers.universe_size.as_ref().map(|number| number as *const i32),
            _ => return None,
        };
        Some(integer.map(|integer| Value(integer as usize)))
    }
}
