//! The one table of options: parsing, `--help`, the man page, `HPVM_*` variables, keys of the
//! configuration file and suggestions all come from it.

/// What an option sets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Id {
    Ranks,
    WorkDir,
    Export,
    Host,
    PerNode,
    MapBy,
    BindTo,
    Device,
    TagOutput,
    Timestamp,
    OutputDir,
    Timeout,
    JsonEvents,
    DryRun,
    Explain,
    Verbose,
    Help,
    Version,
    Completions,
    Machines,
    HostFile,
    RankFile,
    NoOversubscribe,
    HangReport,
    Encrypt,
    Tuning,
    StartTimeout,
    Heartbeat,
    Gdb,
}

/// Where an option may stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Once per part of an MPMD command line.
    Part,
    /// For the whole job: on the command line, as `HPVM_NAME`, as a key of the configuration file.
    Job,
    /// For this one call of `hpvmrun`: on the command line only.
    Call,
}

/// One option.
#[derive(Debug)]
pub struct Flag {
    pub id: Id,
    /// Spellings, the usual one first. One dash or two are the same in front of a long name.
    pub names: &'static [&'static str],
    /// What stands for its value in the help; `None` for a switch.
    pub value: Option<&'static str>,
    pub scope: Scope,
    pub help: &'static str,
}

const fn flag(
    id: Id,
    names: &'static [&'static str],
    value: Option<&'static str>,
    scope: Scope,
    help: &'static str,
) -> Flag {
    Flag { id, names, value, scope, help }
}

#[rustfmt::skip]
pub const FLAGS: &[Flag] = &[
    flag(Id::Ranks, &["-n", "-np", "--ranks"], Some("N"), Scope::Part,
        "start N ranks of the program (default 1)"),
    flag(Id::WorkDir, &["-wdir", "-wd"], Some("DIR"), Scope::Part,
        "run the program in DIR"),
    flag(Id::Export, &["-x"], Some("VAR[=VALUE]"), Scope::Part,
        "set an environment variable for the ranks, or pass hpvmrun's own on; may be repeated"),
    flag(Id::Host, &["-H", "--host", "--hosts"], Some("LIST"), Scope::Part,
        "machines to run on, NAME or NAME:SLOTS, separated by commas: those of the machine file, or any that ssh reaches; n[1-4] are four, @LABEL are all with a label, localhost is this one"),
    flag(Id::Machines, &["-m", "--machines"], Some("FILE"), Scope::Job,
        "the machine file, in TOML (see docs/machines.md); by itself the first of ./machines.toml, hpvm/machines.toml in $XDG_CONFIG_HOME or ~/.config, /etc/hpvm/machines.toml that exists, otherwise this machine alone; none stands for no file"),
    flag(Id::HostFile, &["-f", "--hostfile", "--machinefile"], Some("FILE"), Scope::Job,
        "the machines to run on, one on each line: NAME, NAME:SLOTS or NAME slots=SLOTS max_slots=SLOTS"),
    flag(Id::RankFile, &["--rankfile", "-rf"], Some("FILE"), Scope::Job,
        "where each rank goes, one on each line: rank NUMBER=HOST slot=PROCESSORS"),
    flag(Id::PerNode, &["--ppn"], Some("N"), Scope::Job,
        "at most N ranks per machine"),
    flag(Id::NoOversubscribe, &["--no-oversubscribe", "--nooversubscribe"], None, Scope::Job,
        "refuse the job if it has more ranks than the machines have slots"),
    flag(Id::MapBy, &["--map-by"], Some("slot|node|numa"), Scope::Job,
        "how ranks are placed: slot fills a machine before the next (default), node gives each machine one in turn, numa is slot and binds the ranks of a machine to its NUMA nodes in turn (with --bind-to core to a core of each)"),
    flag(Id::BindTo, &["--bind-to"], Some("core|numa|none"), Scope::Job,
        "bind each rank to a core or to the cores of a NUMA node, in turn (default none: two jobs on a machine must not pile up on the same core)"),
    flag(Id::Device, &["--device"], Some("NAME,..."), Scope::Job,
        "the devices that may carry messages, the preferred one first: smp (shared memory of a machine), ip (TCP), servernet (UDP over two networks); by itself smp is chosen where it reaches, and elsewhere what the machine file names, or ip"),
    flag(Id::Encrypt, &["--encrypt"], None, Scope::Job,
        "encrypt what ranks send through TCP (see docs/devices/ip.md); shared memory is the machine's own"),
    flag(Id::Tuning, &["--tuning"], Some("FILE"), Scope::Job,
        "the table of the library's thresholds, in TOML (see docs/tuning.md); by itself the first that exists of hpvm/tuning.toml in $XDG_CONFIG_HOME or ~/.config, /etc/hpvm/tuning.toml, share/hpvm/tuning.toml of the installation; none stands for no table"),
    flag(Id::TagOutput, &["--tag-output"], None, Scope::Job,
        "begin each line of output with [RANK]"),
    flag(Id::Timestamp, &["--timestamp"], None, Scope::Job,
        "begin each line of output with the time (UTC)"),
    flag(Id::OutputDir, &["--output"], Some("DIR"), Scope::Job,
        "write the ranks' output to DIR/rank.N.out and DIR/rank.N.err instead"),
    flag(Id::Timeout, &["--timeout"], Some("SECONDS"), Scope::Job,
        "end the job after so long, say what each rank waits for, and exit with status 124"),
    flag(Id::StartTimeout, &["--start-timeout"], Some("SECONDS"), Scope::Job,
        "give up when ssh has not led to another machine's hpvmd after so long (default 30; 0: never)"),
    flag(Id::Heartbeat, &["--heartbeat"], Some("SECONDS"), Scope::Job,
        "a machine of which nothing is heard for so long is lost, and the job ends (default 10; 0: never)"),
    flag(Id::HangReport, &["--hang-report"], Some("SECONDS"), Scope::Job,
        "when no rank has made progress for so long, say what each waits for, and end nothing (default 60; 0: never)"),
    flag(Id::JsonEvents, &["--json-events"], Some("FILE"), Scope::Job,
        "write what happens to the job to FILE, one JSON object per line"),
    flag(Id::Gdb, &["--gdb"], Some("RANKS"), Scope::Call,
        "have these ranks (0,2,4-7 or all) wait, stopped, until gdb is attached to them, and print what to type for that"),
    flag(Id::DryRun, &["--dry-run"], None, Scope::Call,
        "check everything, print what would be run and where, and run nothing"),
    flag(Id::Explain, &["--explain"], None, Scope::Job,
        "say on stderr what was chosen and why, which device between which machines above all, then run"),
    flag(Id::Verbose, &["--verbose"], None, Scope::Job,
        "say on stderr what happens to the job"),
    flag(Id::Help, &["-h", "--help"], None, Scope::Call,
        "print this text"),
    flag(Id::Version, &["-V", "--version"], None, Scope::Call,
        "print the version"),
    flag(Id::Completions, &["--completions"], Some("bash|zsh|fish"), Scope::Call,
        "print what makes a shell complete these options"),
];

/// What users of other launchers type, and what to say to them.
pub const FOREIGN: &[(&str, &str)] = &[
    ("oversubscribe", "it is not needed: there may be more ranks than cores"),
    ("allow-run-as-root", "it is not needed: root may launch jobs"),
    ("use-hwthread-cpus", "it is not needed: there may be more ranks than cores"),
    ("l", "use --tag-output"),
    ("prepend-rank", "use --tag-output"),
    ("tag", "use --tag-output"),
    ("outfile-pattern", "use --output DIR"),
    ("output-filename", "use --output DIR"),
    ("genv", "use -x VAR=VALUE"),
    ("env", "use -x VAR=VALUE"),
    ("envlist", "use -x VAR, once for each variable"),
    ("genvall", "it is not needed: ranks inherit the environment"),
    ("envall", "it is not needed: ranks inherit the environment"),
    ("mca", "options of Open MPI's components have no meaning here"),
    ("c", "use -n N"),
    ("N", "use --ppn N"),
    ("npernode", "use --ppn N"),
    ("perhost", "use --ppn N"),
    ("v", "use --verbose"),
    ("stdin", "stdin goes to rank 0"),
];

/// Variables of other launchers that mean the same as one of ours, for scripts and test suites that set them.
pub const FOREIGN_VARIABLES: &[(&str, Id)] = &[("MPIEXEC_TIMEOUT", Id::Timeout)];

/// Finds an option by what was typed, dashes and all.
pub fn find(typed: &str) -> Option<&'static Flag> {
    let bare = bare(typed);
    let short = typed.len() == 2 || bare.len() > 1;
    FLAGS.iter().find(|flag| short && flag.names.iter().any(|name| self::bare(name) == bare))
}

impl Flag {
    /// The spelling that also names the variable and the key.
    pub fn long(&self) -> &'static str {
        self.names.iter().map(|name| bare(name)).find(|name| name.len() > 2).unwrap_or(bare(self.names[0]))
    }

    /// `HPVM_TAG_OUTPUT` for `--tag-output`.
    pub fn variable(&self) -> Option<String> {
        (self.scope == Scope::Job).then(|| format!("HPVM_{}", self.long().to_uppercase().replace('-', "_")))
    }
}

/// Without its dashes.
pub fn bare(typed: &str) -> &str {
    typed.strip_prefix("--").or_else(|| typed.strip_prefix('-')).unwrap_or(typed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_are_unique() {
        let mut all: Vec<_> = FLAGS.iter().flat_map(|flag| flag.names).map(|name| bare(name)).collect();
        let count = all.len();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), count);
        assert!(FOREIGN.iter().all(|(name, _)| !all.contains(name)), "a hint for an option that exists");
    }

    #[test]
    fn no_variable_of_an_option_is_one_of_the_start_up_protocol() {
        for variable in FLAGS.iter().filter_map(Flag::variable) {
            assert!(!hpvm_wire::names::ALL.contains(&variable.as_str()), "{variable}");
        }
    }

    #[test]
    fn one_dash_or_two() {
        for typed in ["-np", "--np", "-wdir", "--wdir", "-tag-output", "--tag-output", "-H", "-host"] {
            assert!(find(typed).is_some(), "{typed}");
        }
        assert!(find("--n").is_none() && find("--x").is_none(), "two dashes in front of one letter");
    }
}
