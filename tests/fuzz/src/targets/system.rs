//! What the system, ssh and the probe of `hpvmrun doctor` say.

use std::os::unix::process::ExitStatusExt as _;
use std::process::ExitStatus;
use std::time::Duration;

use hpvm_launcher::doctor::findings::{self, Facts};
use hpvm_launcher::keeper::relay::cause;
use hpvm_launcher::{binding, capacity, proc};

use super::input::Input;

pub fn run(data: &[u8]) {
    let mut input = Input(data);
    let kind = input.u8();
    let Ok(text) = str::from_utf8(input.0) else { return };
    match kind % 6 {
        0 => {
            proc::parse(1, text);
            proc::parse_seen(text);
        }
        1 => {
            let (groups, mounts) = text.split_once('\0').unwrap_or((text, ""));
            for (version, _, group) in ["pids", "memory"].iter().flat_map(|one| capacity::cgroup::places(one, groups, mounts)) {
                assert!(version == 1 || version == 2);
                assert!(group.is_relative() && !group.components().any(|part| part == std::path::Component::ParentDir), "{group:?}");
            }
        }
        2 => {
            assert!(binding::parse_list(text).len() <= 1 << 20);
            assert!(binding::parse_cpus(text).is_none_or(|cpus| !cpus.is_empty() && cpus.len() <= text.len() * 1024));
        }
        3 => {
            let facts = Facts::parse(text);
            assert!(!facts.summary(Duration::from_millis(3), 0.5).is_empty());
            facts.mend(-2.0);
            findings::call(text);
        }
        4 => {
            let found = cause::of(Some(ExitStatus::from_raw(255 << 8)), text);
            assert!(found.is_none_or(|cause| !cause.text("hpvmd").is_empty()));
        }
        #[cfg(fuzzing)]
        _ => assert!(hpvm_smp::fuzz::quota(text).is_none_or(|cores| cores > 0)),
        #[cfg(not(fuzzing))]
        _ => (),
    }
}

pub fn seeds() -> Vec<Vec<u8>> {
    let stat = "7 (a) b) S 1 7 7 0 -1 4194560 96 0 0 0 12 3 0 0 20 0 1 0 1234 2 3 18446744073709551615 1 1 0 0 0";
    let groups = "5:memory,x:/a/b\n0::/user.slice\n\0 29 1 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n30 1 0:27 /a /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n";
    let facts = "host=n1\tprocessors=4\tmemory=8388608\tfree=4194304\tfiles=1048576\tprocesses=100\taddress-space=1048576\treading=no\tptrace-scope=1";
    [(0, stat), (1, groups), (2, "0-3,8,1023"), (3, facts), (3, "ok 1200.5 1e9"), (4, "ssh: connect to host n port 22: Connection refused"), (5, "150000 100000\n"), (5, "max 100000\n")]
        .map(|(kind, text)| [&[kind], text.as_bytes()].concat())
        .into()
}
