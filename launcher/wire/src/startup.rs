//! The environment of a rank as a typed value, parsed once.

use std::env;
use std::fmt;

use crate::descriptor::Descriptor;
use crate::names;

/// Where a process stands in its job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    pub rank: u32,
    pub size: u32,
    pub local_rank: u32,
    pub local_size: u32,
    /// Number of the node among the job's.
    pub node: u32,
    /// `MPI_APPNUM`: which part of an MPMD command line (MPI 5.0 §11.10.3).
    pub appnum: u32,
    /// `MPI_UNIVERSE_SIZE` (MPI 5.0 §11.10.1).
    pub universe_size: u32,
}

/// What the launcher hands to a rank.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StartUp {
    pub place: Place,
    pub launcher_pid: u32,
    pub mem: Descriptor,
    pub status: Descriptor,
    pub event: Descriptor,
    /// Where there are ranks that shared memory does not reach.
    pub net: Option<Net>,
}

/// The way to other nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Net {
    /// The file that [`crate::Network`] reads.
    pub file: Descriptor,
    /// This rank's listening socket.
    pub listener: Descriptor,
}

/// Why an environment that names a rank cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StartUpError {
    Missing(&'static str),
    Unreadable { name: &'static str, value: String },
    Inconsistent(Place),
    Version { launcher: u32 },
}

impl fmt::Display for StartUpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(name) => write!(
                f,
                "{} is set but {name} is not: the environment that hpvmrun made was changed on the way",
                names::RANK
            ),
            Self::Unreadable { name, value } => write!(f, "{name}={value:?} is not what hpvmrun writes there"),
            Self::Inconsistent(p) => write!(
                f,
                "rank {} of {}, local rank {} of {}: not a place that hpvmrun gives",
                p.rank, p.size, p.local_rank, p.local_size
            ),
            Self::Version { launcher } => write!(
                f,
                "this library speaks version {} of the start-up protocol, the hpvmrun that started it version {launcher}: \
                 use the hpvmrun of the same installation",
                names::VERSION
            ),
        }
    }
}

impl std::error::Error for StartUpError {}

impl StartUp {
    /// What this process was started with: `None` when no `hpvmrun` is behind it.
    pub fn from_environment() -> Result<Option<Self>, StartUpError> {
        Self::parse(|name| env::var_os(name).map(|value| value.to_string_lossy().into_owned()))
    }

    /// The same over any source of variables.
    pub fn parse(get: impl Fn(&str) -> Option<String>) -> Result<Option<Self>, StartUpError> {
        if get(names::RANK).is_none() {
            return Ok(None);
        }
        let launcher = number(&get, names::WIRE_VERSION)?;
        if launcher != names::VERSION {
            return Err(StartUpError::Version { launcher });
        }
        let place = Place {
            rank: number(&get, names::RANK)?,
            size: number(&get, names::SIZE)?,
            local_rank: number(&get, names::LOCAL_RANK)?,
            local_size: number(&get, names::LOCAL_SIZE)?,
            node: number(&get, names::NODE)?,
            appnum: number(&get, names::APPNUM)?,
            universe_size: number(&get, names::UNIVERSE_SIZE)?,
        };
        if place.rank >= place.size || place.local_rank >= place.local_size || place.local_size > place.size {
            return Err(StartUpError::Inconsistent(place));
        }
        let net = match get(names::NET_FD) {
            None => None,
            Some(_) => Some(Net { file: value(&get, names::NET_FD)?, listener: value(&get, names::LISTEN_FD)? }),
        };
        Ok(Some(Self {
            place,
            launcher_pid: number(&get, names::LAUNCHER_PID)?,
            mem: value(&get, names::MEM_FD)?,
            status: value(&get, names::STATUS_FD)?,
            event: value(&get, names::EVENT_FD)?,
            net,
        }))
    }

    /// The variables for one rank: what [`StartUp::parse`] reads.
    pub fn variables(&self) -> Vec<(&'static str, String)> {
        let place = &self.place;
        let mut variables = vec![
            (names::WIRE_VERSION, names::VERSION.to_string()),
            (names::RANK, place.rank.to_string()),
            (names::SIZE, place.size.to_string()),
            (names::LOCAL_RANK, place.local_rank.to_string()),
            (names::LOCAL_SIZE, place.local_size.to_string()),
            (names::NODE, place.node.to_string()),
            (names::APPNUM, place.appnum.to_string()),
            (names::UNIVERSE_SIZE, place.universe_size.to_string()),
            (names::LAUNCHER_PID, self.launcher_pid.to_string()),
            (names::MEM_FD, self.mem.to_string()),
            (names::STATUS_FD, self.status.to_string()),
            (names::EVENT_FD, self.event.to_string()),
        ];
        if let Some(net) = &self.net {
            variables.push((names::NET_FD, net.file.to_string()));
            variables.push((names::LISTEN_FD, net.listener.to_string()));
        }
        variables
    }
}

fn value<T: std::str::FromStr>(get: &impl Fn(&str) -> Option<String>, name: &'static str) -> Result<T, StartUpError> {
    let value = get(name).ok_or(StartUpError::Missing(name))?;
    value.parse().map_err(|_| StartUpError::Unreadable { name, value })
}

fn number(get: &impl Fn(&str) -> Option<String>, name: &'static str) -> Result<u32, StartUpError> {
    value(get, name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    fn sample() -> StartUp {
        StartUp {
            place: Place { rank: 3, size: 8, local_rank: 1, local_size: 4, node: 3, appnum: 2, universe_size: 16 },
            launcher_pid: 4711,
            mem: Descriptor { fd: 5, inode: 99 },
            status: Descriptor { fd: 6, inode: 100 },
            event: Descriptor { fd: 7, inode: 101 },
            net: Some(Net { file: Descriptor { fd: 8, inode: 102 }, listener: Descriptor { fd: 9, inode: 103 } }),
        }
    }

    fn parse(change: impl FnOnce(&mut HashMap<&'static str, String>)) -> Result<Option<StartUp>, StartUpError> {
        let mut variables = HashMap::from_iter(sample().variables());
        change(&mut variables);
        StartUp::parse(|name| variables.get(name).cloned())
    }

    #[test]
    fn what_is_written_is_read_back() {
        assert_eq!(parse(|_| ()), Ok(Some(sample())));
    }

    #[test]
    fn every_name_is_written_once() {
        let written: Vec<_> = sample().variables().iter().map(|(name, _)| *name).collect();
        assert_eq!(written, names::ALL);
    }

    #[test]
    fn without_a_rank_there_is_no_launcher() {
        assert_eq!(parse(|v| drop(v.remove(names::RANK))), Ok(None));
    }

    #[test]
    fn a_hole_is_named() {
        for name in names::ALL.into_iter().filter(|name| ![names::RANK, names::NET_FD].contains(name)) {
            assert_eq!(parse(|v| drop(v.remove(name))), Err(StartUpError::Missing(name)));
        }
    }

    #[test]
    fn a_job_on_one_node_needs_no_network() {
        let found = parse(|v| drop(v.remove(names::NET_FD)));
        assert_eq!(found, Ok(Some(StartUp { net: None, ..sample() })));
    }

    #[test]
    fn nonsense_is_refused() {
        for (name, bad) in [(names::RANK, "-1"), (names::SIZE, ""), (names::MEM_FD, "5"), (names::EVENT_FD, "-3:9")] {
            let found = parse(|v| drop(v.insert(name, bad.into())));
            assert_eq!(found, Err(StartUpError::Unreadable { name, value: bad.into() }));
        }
        let outside = parse(|v| drop(v.insert(names::RANK, "8".into())));
        assert!(matches!(outside, Err(StartUpError::Inconsistent(_))), "{outside:?}");
    }

    #[test]
    fn another_version_is_refused_before_anything_else_is_read() {
        let found = parse(|v| {
            v.insert(names::WIRE_VERSION, "77".into());
            v.remove(names::SIZE);
        });
        assert_eq!(found, Err(StartUpError::Version { launcher: 77 }));
    }
}
