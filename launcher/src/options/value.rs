//! From an option's text to its value; each error says what would have been right.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt as _;
use std::path::PathBuf;
use std::time::Duration;

use hpvm_wire::devices::{self, DEVICES, Device};

use super::completions::Shell;
use super::table::{Flag, Id};
use crate::debug::Ranks;
use super::{BindTo, JobOptions, MapBy};

/// More ranks than any machine's process table holds; what is below is judged by [`crate::capacity`].
const RANKS_MAX: u32 = 4_194_304;

/// Sets an option of the whole job. The caller has made sure that a switch has no value and the rest one.
pub fn set(job: &mut JobOptions, flag: &Flag, value: &OsStr) -> Result<(), String> {
    match flag.id {
        Id::PerNode => job.per_node = Some(count(value)?),
        Id::MapBy => job.map_by = map_by(value)?,
        Id::BindTo => {
            let choices = [("core", BindTo::Core), ("numa", BindTo::Numa), ("none", BindTo::None)];
            job.bind_to = Some(choice(value, &choices)?);
        }
        Id::Device => job.devices.named = devices(value)?,
        Id::Machines => job.machines = Some(path(value)?),
        Id::HostFile => job.host_file = Some(path(value)?),
        Id::RankFile => job.rank_file = Some(path(value)?),
        Id::NoOversubscribe => job.no_oversubscribe = switch(value)?,
        Id::Encrypt => job.encrypt = switch(value)?,
        Id::Tuning => job.tuning = Some(path(value)?),
        Id::TagOutput => job.tag_output = switch(value)?,
        Id::Timestamp => job.timestamp = switch(value)?,
        Id::OutputDir => job.output_dir = Some(path(value)?),
        Id::Timeout => job.timeout = Some(seconds(value)?),
        Id::StartTimeout => job.patience.start = limit(value)?,
        Id::Heartbeat => job.patience.silence = limit(value)?,
        Id::HangReport => job.hang_report = Some(seconds_or_never(value)?),
        Id::JsonEvents => job.json_events = Some(path(value)?),
        Id::Gdb => job.gdb = Some(Ranks::parse(value)?),
        Id::DryRun => job.dry_run = switch(value)?,
        Id::Explain => job.explain = switch(value)?,
        Id::Verbose => job.verbose = switch(value)?,
        id => unreachable!("{id:?} is not an option of the job"),
    }
    Ok(())
}

/// A number of ranks.
pub fn count(value: &OsStr) -> Result<u32, String> {
    match value.to_str().and_then(|text| text.parse::<i64>().ok()) {
        Some(0) => Err("0 is too few: at least one rank is needed".into()),
        Some(number) if number < 0 => Err(format!("{number} is not a number of ranks")),
        Some(number) => u32::try_from(number)
            .ok()
            .filter(|number| *number <= RANKS_MAX)
            .ok_or_else(|| format!("{number} is too many: a machine holds at most {RANKS_MAX} processes")),
        None => Err(format!("{value:?} is not a number")),
    }
}

fn seconds(value: &OsStr) -> Result<Duration, String> {
    let number = value.to_str().and_then(|text| text.parse::<f64>().ok()).filter(|number| *number > 0.0);
    number
        .and_then(|number| Duration::try_from_secs_f64(number).ok())
        .ok_or_else(|| format!("{value:?} is not a number of seconds above 0"))
}

/// At least a second, so that a busy machine is not taken for a lost one; 0 is no limit.
fn limit(value: &OsStr) -> Result<Option<Duration>, String> {
    if value.to_str().and_then(|text| text.parse::<f64>().ok()) == Some(0.0) {
        return Ok(None);
    }
    let most = Duration::from_secs(30 * 24 * 3600);
    let time = seconds(value).ok().filter(|time| (Duration::from_secs(1)..=most).contains(time));
    time.map(Some).ok_or_else(|| format!("{value:?} is neither 0 nor a number of seconds from 1 to a month"))
}

fn seconds_or_never(value: &OsStr) -> Result<Duration, String> {
    let never = value.to_str().and_then(|text| text.parse::<f64>().ok()) == Some(0.0);
    if never { Ok(Duration::ZERO) } else { seconds(value) }
}

fn choice<T: Copy>(value: &OsStr, choices: &[(&str, T)]) -> Result<T, String> {
    choices.iter().find(|(name, _)| value == *name).map(|(_, found)| *found).ok_or_else(|| {
        let names: Vec<_> = choices.iter().map(|(name, _)| *name).collect();
        format!("{value:?} is not known; possible: {}", names.join(", "))
    })
}

/// Open MPI's other ways have options of their own here.
fn map_by(value: &OsStr) -> Result<MapBy, String> {
    let choices = [("slot", MapBy::Slot), ("node", MapBy::Node), ("numa", MapBy::Numa)];
    choice(value, &choices).map_err(|why| {
        let text = value.to_string_lossy().to_lowercase();
        let hint = match text.split_once(':') {
            Some(("ppr", _)) => "; for ranks per node use --ppn N",
            Some((_, "nooversubscribe")) => "; beside it use --no-oversubscribe",
            Some((_, "oversubscribe")) => "; there may be more ranks than slots without it",
            _ if ["core", "hwthread"].contains(&text.as_str()) => "; to bind ranks to cores use --bind-to core",
            _ => "",
        };
        why + hint
    })
}

fn devices(value: &OsStr) -> Result<Vec<&'static Device>, String> {
    let built = || DEVICES.iter().filter(|device| device.built).map(|device| device.name).collect::<Vec<_>>().join(", ");
    let mut named: Vec<&'static Device> = Vec::new();
    for name in value.to_string_lossy().split(',') {
        match devices::find(name) {
            Some(device) if !device.built => return Err(format!("the device {name} is not built in this version; possible: {}", built())),
            Some(device) if named.contains(&device) => (),
            Some(device) => named.push(device),
            None => return Err(format!("there is no device {name:?}; possible: {}", built())),
        }
    }
    Ok(named)
}

/// A switch is on when it stands on the command line (no value); a variable or a key has a value.
fn switch(value: &OsStr) -> Result<bool, String> {
    let choices = [("", true), ("1", true), ("true", true), ("yes", true), ("on", true)];
    let off = [("0", false), ("false", false), ("no", false), ("off", false)];
    choice(value, &[choices.as_slice(), &off].concat())
        .map_err(|_| format!("{value:?} is neither yes nor no; possible: 1, 0, true, false, yes, no, on, off"))
}

/// A shell for which there are completions.
pub fn shell(value: &OsStr) -> Result<Shell, String> {
    choice(value, &[("bash", Shell::Bash), ("zsh", Shell::Zsh), ("fish", Shell::Fish)])
}

/// A path that is not empty.
pub fn path(value: &OsStr) -> Result<PathBuf, String> {
    if value.is_empty() { Err("the path is empty".into()) } else { Ok(value.into()) }
}

/// `VAR` or `VAR=VALUE`.
pub fn export(value: &OsStr) -> Result<(OsString, Option<OsString>), String> {
    let bytes = value.as_bytes();
    let (name, text) = match bytes.iter().position(|byte| *byte == b'=') {
        Some(at) => (&bytes[..at], Some(OsStr::from_bytes(&bytes[at + 1..]).to_owned())),
        None => (bytes, None),
    };
    if name.is_empty() {
        return Err(format!("{value:?} does not name a variable"));
    }
    Ok((OsStr::from_bytes(name).to_owned(), text))
}
