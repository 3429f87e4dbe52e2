//! PMIx: for `srun --mpi=pmix` and other launchers that serve it.
//!
//! PMIx is the interface of a library, and what that library and launchers say to each other is their own business. So it is loaded when a
//! launcher says that it serves PMIx, and nothing of ours depends on it otherwise. Types and numbers below are those of the PMIx standard, version 4.

use super::{Manager, World};
use mpi_fm::{Result, bail};
use std::ffi::{CStr, CString, c_char, c_int, c_void};

/// Which job this process belongs to, and which of its ranks it is: with both a launcher serves PMIx.
const NAMESPACE: &str = "PMIX_NAMESPACE";
const RANK: &str = "PMIX_RANK";

/// The first that is found is taken.
const LIBRARIES: [&CStr; 2] = [c"libpmix.so.2", c"libpmix.so"];

type Status = c_int;
const SUCCESS: Status = 0;
const SCOPE_GLOBAL: u8 = 3;
/// What a job says of itself is asked of no rank in particular.
const ANY_RANK: u32 = u32::MAX - 1;

#[repr(C)]
#[derive(Clone, Copy)]
struct Proc {
    namespace: [c_char; 256],
    rank: u32,
}

const BOOL: u16 = 1;
const STRING: u16 = 3;
const UINT32: u16 = 14;

#[repr(C)]
struct Value {
    kind: u16,
    data: Data,
}

/// As large as its largest member, which is none of those that are used here.
#[repr(C)]
union Data {
    flag: bool,
    string: *mut c_char,
    uint32: u32,
    _largest: [usize; 3],
}

#[repr(C)]
struct Info {
    key: [c_char; 512],
    flags: u32,
    value: Value,
}

const _: () = assert!(size_of::<Value>() == 32 && size_of::<Info>() == 552);

type Init = unsafe extern "C" fn(*mut Proc, *mut Info, usize) -> Status;
type Finalize = unsafe extern "C" fn(*const Info, usize) -> Status;
type Put = unsafe extern "C" fn(u8, *const c_char, *mut Value) -> Status;
type Commit = unsafe extern "C" fn() -> Status;
type Fence = unsafe extern "C" fn(*const Proc, usize, *const Info, usize) -> Status;
type Get = unsafe extern "C" fn(*const Proc, *const c_char, *const Info, usize, *mut *mut Value) -> Status;
type Abort = unsafe extern "C" fn(Status, *const c_char, *mut Proc, usize) -> Status;
type ErrorString = unsafe extern "C" fn(Status) -> *const c_char;

/// The library's functions.
struct Library {
    init: Init,
    finalize: Finalize,
    put: Put,
    commit: Commit,
    fence: Fence,
    get: Get,
    abort: Abort,
    error_string: ErrorString,
}

/// A launcher that serves PMIx.
pub struct Pmix {
    functions: Library,
    me: Proc,
    world: World,
}

impl Pmix {
    /// The launcher that the environment names.
    ///
    /// # Errors
    /// When there is no library to speak with it, or it does not answer.
    pub fn find(get: impl Fn(&str) -> Option<String>) -> Result<Option<Pmix>> {
        let (Some(namespace), Some(rank)) = (get(NAMESPACE), get(RANK)) else { return Ok(None) };
        let library = Library::load(&format!("{NAMESPACE}={namespace} {RANK}={rank}"))?;
        let mut me = Proc { namespace: [0; 256], rank: 0 };
        // SAFETY: `me` is writable; there are no directives.
        library.check("PMIx_Init", unsafe { (library.init)(&mut me, std::ptr::null_mut(), 0) })?;
        let mut pmix = Pmix { functions: library, me, world: World { rank: me.rank, size: 0, appnum: None, universe_size: None } };
        let Some(size) = pmix.number(ANY_RANK, c"pmix.job.size") else { bail!(OTHER, "the PMIx launcher does not say how many ranks there are") };
        if me.rank >= size {
            bail!(OTHER, "the PMIx launcher says that this is rank {} of {size}", me.rank);
        }
        let attribute = |number: Option<u32>| number.and_then(|number| i32::try_from(number).ok());
        let appnum = attribute(pmix.number(me.rank, c"pmix.appnum"));
        let universe_size = attribute(pmix.number(ANY_RANK, c"pmix.univ.size"));
        pmix.world = World { rank: me.rank, size, appnum, universe_size };
        Ok(Some(pmix))
    }

    fn of(&self, rank: u32) -> Proc {
        Proc { rank, ..self.me }
    }

    /// Gives what there is under a key to `read`.
    fn look<T>(&self, rank: u32, key: &CStr, read: impl FnOnce(&Value) -> Option<T>) -> std::result::Result<Option<T>, Status> {
        let (proc, mut value) = (self.of(rank), std::ptr::null_mut::<Value>());
        // SAFETY: all live for the call; there are no directives.
        let status = unsafe { (self.functions.get)(&proc, key.as_ptr(), std::ptr::null(), 0, &mut value) };
        // SAFETY: null, or a value that the library has made for us.
        let Some(found) = (unsafe { value.as_ref() }).filter(|_| status == SUCCESS) else { return Err(status) };
        let read = read(found);
        // SAFETY: the library allocates a value, and a string in it, with malloc, and leaves them to its caller; values of other kinds that
        // point somewhere are only lost.
        unsafe {
            if found.kind == STRING {
                libc::free(found.data.string.cast::<c_void>());
            }
            libc::free(value.cast::<c_void>());
        }
        Ok(read)
    }

    fn number(&self, rank: u32, key: &CStr) -> Option<u32> {
        // SAFETY: any bytes of the union are a number; the kind says whether it counts.
        self.look(rank, key, |value| (value.kind == UINT32).then_some(unsafe { value.data.uint32 })).ok()?
    }
}

impl Manager for Pmix {
    fn world(&self) -> World {
        self.world
    }

    fn put(&self, key: &str, value: &str) -> Result<()> {
        let (Ok(key), Ok(text)) = (CString::new(format!("hpvm-{key}")), CString::new(value)) else { bail!(OTHER, "{key} has a zero byte") };
        let mut value = Value { kind: STRING, data: Data { string: text.as_ptr().cast_mut() } };
        // SAFETY: both live for the call, in which the library copies the value.
        self.functions.check("PMIx_Put", unsafe { (self.functions.put)(SCOPE_GLOBAL, key.as_ptr(), &mut value) })
    }

    fn fence(&self) -> Result<()> {
        // SAFETY: no condition.
        self.functions.check("PMIx_Commit", unsafe { (self.functions.commit)() })?;
        let all = self.of(ANY_RANK);
        let mut collect = Info { key: [0; 512], flags: 0, value: Value { kind: BOOL, data: Data { _largest: [0; 3] } } };
        for (to, byte) in collect.key.iter_mut().zip(c"pmix.collect".to_bytes()) {
            *to = *byte as c_char;
        }
        collect.value.data.flag = true;
        // SAFETY: all live for the call.
        self.functions.check("PMIx_Fence", unsafe { (self.functions.fence)(&all, 1, &collect, 1) })
    }

    fn get(&self, rank: u32, key: &str) -> Result<String> {
        let Ok(name) = CString::new(format!("hpvm-{key}")) else { bail!(OTHER, "{key} has a zero byte") };
        let text = self.look(rank, &name, |value| {
            if value.kind != STRING {
                return None;
            }
            // SAFETY: a string, null or with a zero at its end.
            unsafe { value.data.string.as_ref().map(|text| CStr::from_ptr(text).to_string_lossy().into_owned()) }
        });
        match text {
            Ok(Some(text)) => Ok(text),
            Ok(None) => bail!(OTHER, "the launcher has no text as {key} of rank {rank}"),
            Err(status) => bail!(OTHER, "the launcher has no {key} of rank {rank}: {}; is it of the same MPI library?", self.functions.text(status)),
        }
    }

    fn finalize(&self) {
        // A launcher that is gone ends this process by other means.
        // SAFETY: there are no directives.
        let _ = unsafe { (self.functions.finalize)(std::ptr::null(), 0) };
    }

    fn abort(&self, code: i32) {
        std::thread::sleep(super::LAST_WORDS);
        let mut all = self.of(ANY_RANK);
        // SAFETY: all live for the call.
        let _ = unsafe { (self.functions.abort)(code, c"MPI_Abort".as_ptr(), &mut all, 1) };
    }
}

impl Library {
    fn load(launcher: &str) -> Result<Library> {
        // SAFETY: these libraries do nothing harmful when they are loaded.
        let handle = LIBRARIES.iter().map(|name| unsafe { libc::dlopen(name.as_ptr(), libc::RTLD_NOW) }).find(|handle| !handle.is_null());
        let Some(handle) = handle else {
            bail!(
                OTHER,
                "a PMIx launcher has started this process ({launcher}), and libpmix.so.2, by which it is spoken with, cannot be loaded: install it \
                 here, or use srun --mpi=pmi2 or hpvmrun"
            );
        };
        macro_rules! symbol {
            ($name:literal, $function:ty) => {{
                // SAFETY: the handle is a library's, the name ends with a zero.
                let found = unsafe { libc::dlsym(handle, $name.as_ptr()) };
                if found.is_null() {
                    bail!(OTHER, "libpmix.so.2 has no {}", $name.to_string_lossy());
                }
                // SAFETY: a function of this name has this type in the PMIx standard.
                unsafe { std::mem::transmute::<*mut c_void, $function>(found) }
            }};
        }
        Ok(Library {
            init: symbol!(c"PMIx_Init", Init),
            finalize: symbol!(c"PMIx_Finalize", Finalize),
            put: symbol!(c"PMIx_Put", Put),
            commit: symbol!(c"PMIx_Commit", Commit),
            fence: symbol!(c"PMIx_Fence", Fence),
            get: symbol!(c"PMIx_Get", Get),
            abort: symbol!(c"PMIx_Abort", Abort),
            error_string: symbol!(c"PMIx_Error_string", ErrorString),
        })
    }

    fn check(&self, function: &str, status: Status) -> Result<()> {
        if status == SUCCESS {
            return Ok(());
        }
        bail!(OTHER, "the launcher cannot be spoken with: {function}: {}", self.text(status))
    }

    fn text(&self, status: Status) -> String {
        // SAFETY: the library answers with a text of its own for any number.
        let text = unsafe { (self.error_string)(status).as_ref().map(|text| CStr::from_ptr(text)) };
        format!("{} ({status})", text.map_or("?".into(), CStr::to_string_lossy))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_both_variables_there_is_no_launcher() {
        for (namespace, rank) in [(None, None), (Some("job"), None), (None, Some("0"))] {
            let get = |name: &str| if name == NAMESPACE { namespace } else { rank }.map(String::from);
            assert!(Pmix::find(get).unwrap().is_none());
        }
    }
}
