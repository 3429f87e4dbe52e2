//! Loading libfabric: few of its functions are symbols, and those are looked up by the version of the interface that we speak.

use super::abi::{FabricAttr, FabricFid, Info};
use std::ffi::{CStr, CString, OsStr, c_char, c_int, c_void};
use std::os::unix::ffi::OsStrExt as _;
use std::sync::OnceLock;

/// The name under which every distribution has it.
pub const NAME: &str = "libfabric.so.1";

/// libfabric, loaded for good: objects of it may live until the process ends.
pub struct Library {
    pub(super) getinfo: GetInfo,
    pub(super) freeinfo: FreeInfo,
    pub(super) dupinfo: DupInfo,
    pub(super) fabric: OpenFabric,
    version: Version,
    strerror: StrError,
}

type GetInfo = unsafe extern "C" fn(u32, *const c_char, *const c_char, u64, *const Info, *mut *mut Info) -> c_int;
type FreeInfo = unsafe extern "C" fn(*mut Info);
type DupInfo = unsafe extern "C" fn(*const Info) -> *mut Info;
type OpenFabric = unsafe extern "C" fn(*mut FabricAttr, *mut *mut FabricFid, *mut c_void) -> c_int;
type Version = unsafe extern "C" fn() -> u32;
type StrError = unsafe extern "C" fn(c_int) -> *const c_char;

impl Library {
    /// The library at `path`, or where the system finds [`NAME`].
    ///
    /// # Errors
    /// Says why there is none that can be used.
    pub fn load(path: Option<&OsStr>) -> Result<&'static Library, String> {
        static LOADED: OnceLock<Result<Library, String>> = OnceLock::new();
        LOADED.get_or_init(|| Library::open(path.unwrap_or(OsStr::new(NAME)))).as_ref().map_err(String::clone)
    }

    fn open(path: &OsStr) -> Result<Library, String> {
        let file = CString::new(path.as_bytes()).map_err(|_| "its path has a NUL".to_owned())?;
        // SAFETY: a library that the user's system names, or the user: its constructors are as good as any that a program loads. It is never
        // unloaded.
        let handle = unsafe { libc::dlopen(file.as_ptr(), libc::RTLD_NOW | libc::RTLD_LOCAL | libc::RTLD_NODELETE) };
        if handle.is_null() {
            return Err(last_error());
        }
        let symbol = |name: &CStr, version: &CStr| {
            // SAFETY: of the library just opened, with names that end.
            let found = unsafe { libc::dlvsym(handle, name.as_ptr(), version.as_ptr()) };
            if found.is_null() { Err(last_error()) } else { Ok(found) }
        };
        // The version is part of the name: a symbol's meaning under it never changes.
        // SAFETY: functions of these types under these versions, by libfabric's interface.
        unsafe {
            Ok(Library {
                getinfo: std::mem::transmute::<*mut c_void, GetInfo>(symbol(c"fi_getinfo", c"FABRIC_1.3")?),
                freeinfo: std::mem::transmute::<*mut c_void, FreeInfo>(symbol(c"fi_freeinfo", c"FABRIC_1.3")?),
                dupinfo: std::mem::transmute::<*mut c_void, DupInfo>(symbol(c"fi_dupinfo", c"FABRIC_1.3")?),
                fabric: std::mem::transmute::<*mut c_void, OpenFabric>(symbol(c"fi_fabric", c"FABRIC_1.1")?),
                version: std::mem::transmute::<*mut c_void, Version>(symbol(c"fi_version", c"FABRIC_1.0")?),
                strerror: std::mem::transmute::<*mut c_void, StrError>(symbol(c"fi_strerror", c"FABRIC_1.0")?),
            })
        }
    }

    /// Major and minor number.
    pub fn version(&self) -> (u32, u32) {
        // SAFETY: no condition.
        let version = unsafe { (self.version)() };
        (version >> 16, version & 0xffff)
    }

    /// What error number `code` (positive) means.
    pub fn describe(&self, code: isize) -> String {
        let code = c_int::try_from(code).unwrap_or(c_int::MAX);
        // SAFETY: takes any number, and returns a text that ends, of the library's own.
        let text = unsafe {
            let text = (self.strerror)(code);
            if text.is_null() { c"" } else { CStr::from_ptr(text) }
        };
        text.to_string_lossy().into_owned()
    }
}

fn last_error() -> String {
    // SAFETY: after a call that failed; the text is copied before anything else is called.
    let text = unsafe {
        let text = libc::dlerror();
        if text.is_null() { c"it cannot be loaded" } else { CStr::from_ptr(text) }
    };
    text.to_string_lossy().into_owned()
}
