//! `MPI_Info_…` (MPI 5.0 chapter 10), which may be called at any time.

use crate::args;
use crate::instance::Instance;
use crate::types::{CHandle, MPI_Info};
use mpi_fm::constants::{MAX_INFO_KEY, MAX_INFO_VAL};
use mpi_fm::handle::{Kind, Table};
use mpi_fm::info::{Environment, Info};
use mpi_fm::{Result, bail};
use std::ffi::{c_char, c_int};
use std::os::unix::ffi::OsStringExt;
use std::sync::{Arc, LazyLock, OnceLock};

/// The info objects of an instance.
pub struct Infos {
    table: LazyLock<Table<Info>>,
    /// `MPI_INFO_ENV`, once somebody asks for it.
    environment: OnceLock<Arc<Info>>,
}

impl Infos {
    pub const fn new() -> Infos {
        Infos { table: LazyLock::new(|| Table::new(Kind::Info)), environment: OnceLock::new() }
    }

    /// # Errors
    /// `MPI_ERR_INFO`
    pub fn get(&self, info: MPI_Info) -> Result<&Arc<Info>> {
        match info {
            MPI_Info::NULL => bail!(INFO, "the info object is MPI_INFO_NULL"),
            MPI_Info::ENV => {
                let environment = || Arc::new(Info::of_environment(&environment(command_line()), true));
                Ok(self.environment.get_or_init(environment))
            }
            _ => self.table.get(info.handle()),
        }
    }

    /// As [`get`](Infos::get), where `MPI_INFO_NULL` stands for no hints.
    ///
    /// # Errors
    /// `MPI_ERR_INFO`
    pub fn hints(&self, info: MPI_Info) -> Result<Option<&Arc<Info>>> {
        if info == MPI_Info::NULL { Ok(None) } else { self.get(info).map(Some) }
    }

    /// How many objects of the program have a handle.
    pub fn live(&self) -> usize {
        self.table.iter().count()
    }

    /// The handle of a new object.
    ///
    /// # Errors
    /// `MPI_ERR_NO_MEM`
    pub fn add(&self, info: Info) -> Result<MPI_Info> {
        Ok(MPI_Info::from_handle(self.table.insert(Arc::new(info))?))
    }
}

impl Default for Infos {
    fn default() -> Self {
        Infos::new()
    }
}

fn environment(command_line: Vec<Vec<u8>>) -> Environment {
    let startup = hpvm_wire::StartUp::from_environment().ok().flatten();
    Environment {
        command_line,
        maxprocs: startup.map(|startup| startup.place.size),
        host: Some(crate::host::node_name()),
        arch: Some(std::env::consts::ARCH.into()),
        wdir: std::env::current_dir().ok().map(|path| path.into_os_string().into_vec()),
        // hpvmrun is never told one.
        thread_level: None,
    }
}

fn command_line() -> Vec<Vec<u8>> {
    std::env::args_os().map(OsStringExt::into_vec).collect()
}

pub unsafe fn create(instance: &Instance, info: *mut MPI_Info) -> Result<()> {
    args::check("info", info)?;
    // SAFETY: as the standard asks of the caller; so in all of this file.
    unsafe { args::put("info", info, instance.infos.add(Info::new())?) }
}

/// The arguments are those of `main`; without them the process's own are told.
pub unsafe fn create_env(instance: &Instance, argc: c_int, argv: *mut *mut c_char, info: *mut MPI_Info) -> Result<()> {
    args::check("info", info)?;
    let argc = args::length("argc", argc)?;
    let command_line = match argc == 0 || argv.is_null() {
        true => command_line(),
        // SAFETY: see `create`.
        false => unsafe {
            let strings = args::array("argv", argv, argc)?;
            let strings = strings.iter().map(|&string| args::text("an element of argv", string).map(Vec::from));
            strings.collect::<Result<_>>()?
        },
    };
    let environment = Info::of_environment(&environment(command_line), false);
    // SAFETY: see `create`.
    unsafe { args::put("info", info, instance.infos.add(environment)?) }
}

pub unsafe fn set(instance: &Instance, info: MPI_Info, key: *const c_char, value: *const c_char) -> Result<()> {
    // SAFETY: see `create`.
    unsafe { instance.infos.get(info)?.set(args::text("key", key)?, args::text("value", value)?) }
}

pub unsafe fn delete(instance: &Instance, info: MPI_Info, key: *const c_char) -> Result<()> {
    // SAFETY: see `create`.
    unsafe { instance.infos.get(info)?.delete(args::text("key", key)?) }
}

/// `buflen` counts the NUL; on return it says what the whole value needs. With 0 only that is asked for.
pub unsafe fn get_string(
    instance: &Instance,
    info: MPI_Info,
    key: *const c_char,
    buflen: *mut c_int,
    value: *mut c_char,
    flag: *mut c_int,
) -> Result<()> {
    // SAFETY: see `create`.
    unsafe {
        let room = args::length("*buflen", args::get("buflen", buflen)?)?;
        args::check("flag", flag)?;
        let found = instance.infos.get(info)?.get(args::text("key", key)?)?;
        if let Some(text) = &found {
            if room > 0 {
                args::put_text("value", value, text, room)?;
            }
            args::put("buflen", buflen, text.len() as c_int + 1)?;
        }
        args::put("flag", flag, found.is_some().into())
    }
}

/// `valuelen` does not count the NUL, for which the caller has one byte more.
pub unsafe fn get(
    instance: &Instance,
    info: MPI_Info,
    key: *const c_char,
    valuelen: c_int,
    value: *mut c_char,
    flag: *mut c_int,
) -> Result<()> {
    // SAFETY: see `create`.
    unsafe {
        let key = args::text("key", key)?;
        if valuelen < 0 {
            bail!(ARG, "valuelen is {valuelen}; it cannot be negative");
        }
        args::check("flag", flag)?;
        let found = instance.infos.get(info)?.get(key)?;
        if let Some(text) = &found {
            args::put_text("value", value, text, (valuelen as usize).min(MAX_INFO_VAL - 1) + 1)?;
        }
        args::put("flag", flag, found.is_some().into())
    }
}

pub unsafe fn get_valuelen(
    instance: &Instance,
    info: MPI_Info,
    key: *const c_char,
    valuelen: *mut c_int,
    flag: *mut c_int,
) -> Result<()> {
    // SAFETY: see `create`.
    unsafe {
        args::check("flag", flag)?;
        let found = instance.infos.get(info)?.get(args::text("key", key)?)?;
        if let Some(text) = &found {
            args::put("valuelen", valuelen, text.len() as c_int)?;
        }
        args::put("flag", flag, found.is_some().into())
    }
}

pub unsafe fn get_nkeys(instance: &Instance, info: MPI_Info, nkeys: *mut c_int) -> Result<()> {
    // SAFETY: see `create`.
    unsafe { args::put("nkeys", nkeys, instance.infos.get(info)?.len() as c_int) }
}

pub unsafe fn get_nthkey(instance: &Instance, info: MPI_Info, n: c_int, key: *mut c_char) -> Result<()> {
    // SAFETY: see `create`; the caller's buffer has `MPI_MAX_INFO_KEY` bytes.
    unsafe { args::put_text("key", key, &instance.infos.get(info)?.nth_key(n)?, MAX_INFO_KEY) }
}

pub unsafe fn dup(instance: &Instance, info: MPI_Info, newinfo: *mut MPI_Info) -> Result<()> {
    args::check("newinfo", newinfo)?;
    let copy = instance.infos.get(info)?.duplicate();
    // SAFETY: see `create`.
    unsafe { args::put("newinfo", newinfo, instance.infos.add(copy)?) }
}

pub unsafe fn free(instance: &Instance, info: *mut MPI_Info) -> Result<()> {
    // SAFETY: see `create`.
    match unsafe { args::get("info", info)? } {
        MPI_Info::NULL => bail!(INFO, "the info object is MPI_INFO_NULL"),
        MPI_Info::ENV => bail!(INFO, "MPI_INFO_ENV cannot be freed"),
        dynamic => drop(instance.infos.table.remove(dynamic.handle())?),
    }
    // SAFETY: see `create`.
    unsafe { args::put("info", info, MPI_Info::NULL) }
}
