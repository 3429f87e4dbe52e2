//! Machine files, hostfiles and rank files, from the command line to where ranks are.

mod common;

use std::fs;
use std::path::Path;

use common::{Outcome, command, start_command};
use rstest::rstest;
use tempfile::TempDir;

/// Four machines, all of them this one, and some files beside the machine file.
fn folder() -> TempDir {
    let folder = TempDir::new().unwrap();
    let ssh = common::fake_ssh(folder.path(), "");
    let put = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    put(
        "machines.toml",
        &format!(
            "[defaults]\nssh = [{:?}]\nslots = 2\n[[network]]\nname = \"lan\"\ndevices = [\"myrinet\", \"ip\"]\n\
             [[machine]]\nname = \"n[1-3]\"\nnetworks = {{ lan = \"127.0.0.[1-3]\" }}\n[[machine]]\nname = \"big\"\nslots = 4\nlabels = [\"big\"]\n",
            ssh.display().to_string()
        ),
    );
    put("hosts", "n3 slots=1\nn1:3\n");
    put("ranks", "rank 0=n2 slot=0\nrank 1=n1\n");
    put("wrong", "[[machine]]\nname = \"a\"\nslot = 2\n");
    folder
}

/// Runs hpvmrun in the folder, with no word about machines but those given.
#[track_caller]
fn run_in(folder: &Path, words: &[&str]) -> Outcome {
    let (mut command, mark) = command(words);
    command.current_dir(folder).env_remove("HPVM_MACHINES");
    start_command((command, mark)).finish()
}

#[rstest]
#[case(&["-n", "7"], "n1 n1 n2 n2 n3 n3 big")]
#[case(&["-n", "5", "--map-by", "node"], "n1 n2 n3 big n1")]
#[case(&["-n", "5", "--map-by", "numa"], "n1 n1 n2 n2 n3")]
#[case(&["-n", "5", "--ppn", "3"], "n1 n1 n1 n2 n2")]
#[case(&["-n", "5", "-H", "@big,n2"], "big big big big n2")]
#[case(&["-n", "3", "-H", "n[3,1]:1,n2"], "n3 n1 n2")]
#[case(&["-n", "5", "--hostfile", "hosts"], "n3 n1 n1 n1 n3")]
#[case(&["-n", "2", "--rankfile", "ranks"], "n2 n1")]
#[case(&["-n", "1", "-H", "n3", "true", ":", "-n", "2"], "n3 n1 n1")]
fn the_placement_is_shown(#[case] words: &[&str], #[case] expected: &str) {
    let outcome = run_in(folder().path(), &[&["--dry-run"], words, &["true"]].concat());
    assert_eq!((outcome.status, outcome.stderr.as_str()), (0, ""), "{outcome:?}");
    let place = |line: &str| Some(line.strip_prefix("rank ")?.split_once(": on ")?.1.split(',').next()?.to_owned());
    let places: Vec<String> = outcome.stdout.lines().filter_map(place).collect();
    assert_eq!(places.join(" "), expected, "{outcome:?}");
}

#[test]
fn ranks_are_where_the_dry_run_says() {
    let folder = folder();
    let outcome = run_in(folder.path(), &["--verbose", "-n", "5", "--map-by", "node", "sh", "-c", "echo $HPVM_RANK on $HPVM_NODE, $HPVM_LOCAL_RANK"]);
    assert_eq!(outcome.status, 0, "{outcome:?}");
    let mut lines: Vec<&str> = outcome.stdout.lines().collect();
    lines.sort_unstable();
    assert_eq!(lines, ["0 on 0, 0", "1 on 1, 0", "2 on 2, 0", "3 on 3, 0", "4 on 0, 1"]);
    assert!(outcome.stderr.contains("hpvmrun: machines: ./machines.toml (it is in the current folder)\n"), "{outcome:?}");
}

#[test]
fn a_rank_file_binds_there() {
    let folder = folder();
    let outcome = run_in(folder.path(), &["-n", "2", "--rankfile", "ranks", "sh", "-c", "echo $HPVM_RANK $HPVM_NODE $(grep Cpus_allowed_list /proc/self/status)"]);
    assert_eq!(outcome.status, 0, "{outcome:?}");
    assert!(outcome.stdout.contains("0 1 Cpus_allowed_list: 0\n"), "{outcome:?}");
    fs::write(folder.path().join("ranks"), "rank 0=n2 slot=1022\n").unwrap();
    let outcome = run_in(folder.path(), &["--rankfile", "ranks", "true"]);
    assert_eq!(outcome.status, 125, "{outcome:?}");
    assert!(outcome.stderr.contains("n2 cannot go on: rank 0: processor 1022 is none of those that may be used, which are "), "{outcome:?}");
}

#[test]
fn devices_are_explained() {
    let outcome = run_in(folder().path(), &["--dry-run", "--explain", "-n", "7", "true"]);
    let expected = "machines: ./machines.toml (it is in the current folder)\n\
        between ranks of one machine: smp\n    not ip: smp comes before it\n\
        between any two of n[1-3]: ip over lan\n    not smp: they share no memory\n    not myrinet over lan: this version does not have it\n\
        between n[1-3] and big: ip\n    not smp: they share no memory\n";
    // Devices that nobody speaks of come and go with versions; where thresholds are looked for depends on the prefix.
    let concerns = |line: &&str| !line.starts_with("thresholds: ") && (!line.contains("not ") || line.contains(" over ") || line.contains("smp"));
    let told = |text: &str| text.split_inclusive('\n').filter(concerns).collect::<String>();
    assert!(told(&outcome.stdout).ends_with(expected), "{outcome:?}");
    let outcome = run_in(folder().path(), &["--explain", "-m", "none", "-n", "2", "true"]);
    assert_eq!(outcome.status, 0, "{outcome:?}");
    assert!(told(&outcome.stderr).ends_with("machines: no file, as asked for\nbetween ranks of one machine: smp\n    not ip: smp comes before it\n"), "{outcome:?}");
}

#[rstest]
#[case(&["-m", "wrong"], "hpvmrun: wrong:3:1: unknown key slot: did you mean slots?\n  3 | slot = 2\n    | ^\n")]
#[case(&["-m", "nowhere"], "hpvmrun: cannot read nowhere: No such file or directory (os error 2)\n")]
#[case(&["-m", "."], "hpvmrun: cannot read .: Is a directory (os error 21)\n")]
#[case(&["--hostfile", "wrong"], "hpvmrun: wrong:1:1: \"[[machine]]\" has a [ without a ] after it\n")]
#[case(&["--rankfile", "hosts"], "hpvmrun: hosts:1:1: expected rank NUMBER=HOST slot=PROCESSORS, found \"n3 slots=1\"\n")]
#[case(&["--device", "smp", "-n", "3"], "hpvmrun: between n1 and n2 no device can carry messages:\n    smp: they share no memory\n    myrinet over lan: this version does not have it\n    ip over lan: --device does not name it\n")]
#[case(&["--no-oversubscribe", "-n", "11"], "hpvmrun: 11 ranks do not fit on n[1-3],big, where there is room for 10: --no-oversubscribe allows one for each slot\n")]
#[case(&["-H", "@fat"], "hpvmrun: --host: no machine has the label \"fat\"; there are: big\n")]
fn what_is_wrong_is_said(#[case] words: &[&str], #[case] expected: &str) {
    let outcome = run_in(folder().path(), &[words, &["true"]].concat());
    assert_eq!((outcome.status, outcome.stdout.as_str()), (2, ""), "{outcome:?}");
    assert!(outcome.stderr.starts_with(expected), "{}", outcome.stderr);
}

/// Somebody else's `machines.toml` in the current folder.
#[test]
fn a_stray_file_says_how_to_do_without() {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("machines.toml"), "[washing]\nload = 3\n").unwrap();
    let outcome = run_in(folder.path(), &["true"]);
    assert_eq!(outcome.status, 2, "{outcome:?}");
    let said = "hpvmrun: ./machines.toml:1:2: unknown key washing: expected one of ssh, defaults, network, site, machine\n  \
                1 | [washing]\n    |  ^\n  the file was not asked for: it is in the current folder; -m none leaves it out\n";
    assert!(outcome.stderr.starts_with(said), "{}", outcome.stderr);
    assert_eq!(run_in(folder.path(), &["-m", "none", "true"]).status, 0);
    // A user's own, named in a configuration folder.
    let config = folder.path().join("config/hpvm");
    fs::create_dir_all(&config).unwrap();
    fs::write(config.join("machines.toml"), "[[machine]]\nname = \"elsewhere.invalid\"\n").unwrap();
    let (mut command, mark) = command(&["--dry-run", "--explain", "true"]);
    command.current_dir("/").env_remove("HPVM_MACHINES").env("XDG_CONFIG_HOME", folder.path().join("config"));
    let outcome = start_command((command, mark)).finish();
    assert!(outcome.stdout.contains("machines.toml (it is the user's)\n") && outcome.stdout.contains("rank 0: on elsewhere.invalid,"), "{outcome:?}");
}

#[test]
fn machines_are_examined() {
    let folder = folder();
    let outcome = run_in(folder.path(), &["doctor", "-H", "n[1-2]"]);
    assert!(outcome.status <= 1, "{outcome:?}");
    assert!(outcome.stdout.starts_with("machines: ./machines.toml (it is in the current folder)\nn1: reached in "), "{outcome:?}");
    assert!(outcome.stdout.contains("\nn2: reached in "), "{outcome:?}");
    let pair = outcome.stdout.lines().find(|line| line.starts_with("n1 to n2 at 127.0.0.2: ")).unwrap_or_else(|| panic!("{outcome:?}"));
    assert!(pair.contains(" us, ") && pair.ends_with(" GB/s"), "{pair}");
    let told = if outcome.status == 0 { "nothing to mend\n" } else { "there is something to mend\n" };
    assert!(outcome.stdout.ends_with(told), "{outcome:?}");
}

/// One says something first and is fine, one does not answer, one has another version.
#[test]
fn what_is_wrong_with_machines_is_found() {
    let folder = folder();
    let login = "case $* in *'-T n1 '*) echo Welcome;; *'-T n2 '*) echo 'ssh: connect to host n2 port 22: Connection refused' >&2; exit 255;; \
                 *) echo 'HPVM node, version 0.0.1, protocols 1 to 2, start-up protocol 1';; esac";
    common::fake_ssh(folder.path(), login);
    let outcome = run_in(folder.path(), &["doctor", "-H", "n[1-3]"]);
    assert_eq!(outcome.status, 1, "{outcome:?}");
    for said in ["\nn1: reached in ", "\nn2: cannot be reached: it refuses the connection: no sshd listens at that port\n", "\nn3: its hpvmd is 0.0.1 (protocols 1 to 2, "] {
        assert!(outcome.stdout.contains(said), "{said}: {outcome:?}");
    }
    assert!(outcome.stdout.ends_with("there is something to mend\n"), "{outcome:?}");
    let outcome = run_in(folder.path(), &["doctor", "-H", "n1", "true"]);
    assert_eq!(outcome.status, 2, "{outcome:?}");
    assert!(outcome.stderr.contains("\"true\" has no place here: only options have"), "{outcome:?}");
}
