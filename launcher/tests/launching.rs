//! What can be launched, what is refused, and what a rank finds around it.

mod common;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;
use std::time::Duration;

use common::{FAKE, HPVMRUN, command, run, start_command};
use rstest::rstest;

#[rstest]
#[case(&["-n", "2", "/no/such/program"], 125, "cannot run /no/such/program: No such file")]
#[case(&["-n", "2", "no-such-program"], 125, "neither in PATH nor in ")]
#[case(&["-n", "2", "/tmp"], 125, "directory")]
#[case(&["-n", "2", "/etc/passwd"], 125, "not executable")]
#[case(&["-n", "2", "-wdir", "/no/such/folder", "true"], 125, "-wdir /no/such/folder: No such file")]
#[case(&["-n", "2", "-wdir", "/etc/passwd", "true"], 125, "not a directory")]
#[case(&["-n", "0", "true"], 2, "at least one")]
#[case(&["-n", "-3", "true"], 2, "not a number of ranks")]
#[case(&["-n", "4000000", "true"], 125, "4000000 ranks need 4000002 more processes, but ")]
#[case(&["-n", "2", "--tag-outptu", "true"], 2, "did you mean --tag-output?")]
#[case(&["-n", "2"], 2, "no program")]
#[case(&["-H", "elsewhere.invalid", "true"], 125, "elsewhere.invalid cannot be reached")]
#[case(&["-m", "/no/such/file", "true"], 2, "/no/such/file: No such file")]
#[case(&["-H", "a,b", "-n", "2", "--device", "smp", "true"], 2, "between a and b no device can carry messages")]
#[case(&["-n", "4", "--ppn", "2", "true"], 2, "need 2 machines")]
#[case(&["--output", "/proc/nowhere", "true"], 125, "--output: cannot make")]
#[case(&["--json-events", "/proc/nowhere", "true"], 125, "--json-events: cannot make")]
#[case(&["-x", "NO_SUCH_VARIABLE", "true"], 2, "no NO_SUCH_VARIABLE")]
fn refusals(#[case] words: &[&str], #[case] status: i32, #[case] said: &str) {
    let outcome = run(words);
    assert_eq!(outcome.status, status, "{outcome:?}");
    assert!(outcome.stderr.contains(said), "{outcome:?}");
    assert_eq!(outcome.stdout, "");
}

#[rstest]
#[case("#!/no/such/interpreter\n", "the interpreter it names, /no/such/interpreter, does not exist")]
#[case("#!/bin/sh\r\n", "carriage return")]
#[case("echo no first line\n", "#!/bin/sh")]
#[case("\u{7f}ELF broken", "no program that this machine can execute")]
fn what_exec_refuses(#[case] content: &str, #[case] said: &str) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("script");
    fs::write(&file, content).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
    let outcome = run(&["-n", "16", file.to_str().unwrap()]);
    assert_eq!(outcome.status, 125, "{outcome:?}");
    assert!(outcome.stderr.contains(said), "{outcome:?}");
    assert_eq!(outcome.stderr.matches("hpvmrun: ").count(), 1, "said once: {outcome:?}");
}

#[test]
fn mpmd_ranks_have_their_place() {
    let script = "echo $HPVM_RANK/$HPVM_SIZE local $HPVM_LOCAL_RANK/$HPVM_LOCAL_SIZE app $HPVM_APPNUM $A $PWD $0 $*";
    let mut words = vec!["-n", "1", "-x", "A=one", "sh", "-c", script, "zero", "-n", "--tag-output"];
    words.extend([":", "-n", "2", "-wdir", "/", "/bin/sh", "-c", script, "other"]);
    let mut lines: Vec<_> = run(&words).stdout.lines().map(str::to_owned).collect();
    lines.sort();
    let here = std::env::current_dir().unwrap();
    assert_eq!(lines[0], format!("0/3 local 0/3 app 0 one {} zero -n --tag-output", here.display()));
    assert_eq!(lines[1..], ["1/3 local 1/3 app 1 / other", "2/3 local 2/3 app 1 / other"]);
}

#[rstest]
#[case("mpiexec")]
#[case("mpirun")]
fn it_goes_by_other_names(#[case] name: &str) {
    let folder = tempfile::tempdir().unwrap();
    let link = folder.path().join(name);
    std::os::unix::fs::symlink(HPVMRUN, &link).unwrap();
    let output = Command::new(&link).args(["-n", "0", "x"]).output().unwrap();
    assert!(String::from_utf8_lossy(&output.stderr).starts_with(&format!("{name}: ")), "{output:?}");
    let output = Command::new(&link).arg("--help").output().unwrap();
    assert!(String::from_utf8_lossy(&output.stdout).contains(&format!("\n  {name} [options] program")), "{output:?}");
}

#[test]
fn a_rank_starts_as_from_a_shell() {
    // Signals as they are without a launcher, descriptors too but for the three of the protocol, PMI's and the tie.
    let signals = "grep -E 'SigBlk|SigIgn' /proc/self/status; ls /proc/self/fd | wc -l";
    let alone = Command::new("sh").args(["-c", signals]).output().unwrap();
    let script = format!("{signals}; ulimit -n");
    let (mut command, mark) = command(&["-n", "200", "sh", "-c", &script]);
    let limit = "ulimit -Sn 256 && exec \"$0\" \"$@\"";
    let mut limited = Command::new("sh");
    limited.args(["-c", limit, HPVMRUN]).args(command.get_args());
    limited.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    limited
        .stdin(std::process::Stdio::null())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped());
    command.stdin(std::process::Stdio::null());
    let outcome = start_command((limited, mark)).finish();
    assert_eq!(outcome.status, 0, "{outcome:?}");
    let alone = String::from_utf8_lossy(&alone.stdout);
    for line in outcome.stdout.lines().filter(|line| line.starts_with("Sig")) {
        assert!(alone.contains(line), "{line}, not {alone}");
    }
    let files = (alone.lines().last().unwrap().parse::<u32>().unwrap() + 5).to_string();
    assert_eq!(outcome.stdout.lines().filter(|line| *line == files).count(), 200, "{files} in {}", outcome.stdout);
    assert_eq!(outcome.stdout.lines().filter(|line| *line == "256").count(), 200, "the raised limit is hpvmrun's own");
}

#[test]
fn too_few_descriptors_are_refused_before_anything_starts() {
    let output = Command::new("sh").args(["-c", "ulimit -n 100; exec \"$0\" -n 200 true", HPVMRUN]).output().unwrap();
    assert_eq!(output.status.code(), Some(125), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stderr).contains("the limit is 100"), "{output:?}");
}

#[test]
fn many_ranks_start_quickly() {
    let outcome = run(&["-n", "256", FAKE, "init", "finalize"]);
    assert_eq!(outcome.status, 0, "{outcome:?}");
    // Far below a second on an idle machine; this bound holds on a busy one, too.
    assert!(outcome.took < Duration::from_secs(5), "{:?}", outcome.took);
}

#[test]
fn a_dry_run_runs_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("made");
    let outcome = run(&["--dry-run", "--bind-to", "core", "-n", "2", "touch", path.to_str().unwrap(), "a b"]);
    assert_eq!(outcome.status, 0, "{outcome:?}");
    assert!(outcome.stdout.contains("rank 1: on cpu ") && outcome.stdout.contains(" 'a b'\n"), "{outcome:?}");
    assert!(!path.exists());
}

#[rstest]
#[case("core")]
#[case("numa")]
fn binding_restricts_the_ranks(#[case] to: &str) {
    let outcome = run(&["--bind-to", to, "-n", "3", "grep", "Cpus_allowed_list", "/proc/self/status"]);
    assert_eq!((outcome.status, outcome.stdout.lines().count()), (0, 3), "{outcome:?}");
    if to == "core" && std::thread::available_parallelism().unwrap().get() > 1 {
        let distinct: std::collections::BTreeSet<_> = outcome.stdout.lines().collect();
        assert!(distinct.len() > 1, "{outcome:?}");
    }
}

#[test]
fn sources_have_their_order() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("config.toml");
    fs::write(&config, "tag-output = true\ntimestamp = true\n").unwrap();
    let run = |words: &[&str], variables: &[(&str, &str)]| {
        let (mut command, mark) = command(words);
        command.env("HPVM_CONFIG", &config).envs(variables.iter().copied());
        start_command((command, mark)).finish()
    };
    assert_eq!(run(&["echo", "x"], &[("HPVM_TIMESTAMP", "0")]).stdout, "[0] x\n");
    let wrong = run(&["echo", "x"], &[("HPVM_TIMEOUT", "soon")]);
    assert_eq!(wrong.status, 2);
    assert!(wrong.stderr.contains("HPVM_TIMEOUT=soon"), "{wrong:?}");
    fs::write(&config, "tag-outputs = true\n").unwrap();
    let wrong = run(&["echo", "x"], &[]);
    assert!(wrong.status == 2 && wrong.stderr.contains("config.toml: unknown option --tag-outputs"), "{wrong:?}");
}

#[test]
fn events_are_json_lines() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("events");
    let outcome =
        run(&["--json-events", path.to_str().unwrap(), "-n", "2", FAKE, "init", "@1/exit=3", "sleep=0.3", "finalize"]);
    assert_eq!(outcome.status, 3, "{outcome:?}");
    let text = fs::read_to_string(path).unwrap();
    let events: Vec<serde_json::Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let names: Vec<_> = events.iter().map(|event| event["event"].as_str().unwrap()).collect();
    assert_eq!((names[0], *names.last().unwrap()), ("start", "end"), "{text}");
    for name in ["keepers", "started", "initialised", "ended"] {
        assert!(names.contains(&name), "{name} not in {text}");
    }
    assert_eq!(events.last().unwrap()["status"], 3);
}

/// Debuggers and the like are launched as commands, with the program as their argument.
#[rstest]
#[case("bash", &["-c", "./a.out"])]
#[case("env", &["A=1", "./a.out"])]
#[case("gdb", &["-q", "-batch", "-ex", "run", "-ex", "quit", "./a.out"])]
#[case("valgrind", &["-q", "./a.out"])]
#[case("python3", &["-c", "import subprocess; subprocess.run(['./a.out'], check=True)"])]
fn tools_around_a_program(#[case] tool: &str, #[case] arguments: &[&str]) {
    let found = Command::new("sh").args(["-c", &format!("command -v {tool}")]).output().unwrap().status.success();
    assert!(found, "{tool} is needed for this test");
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("a.out");
    // Not the fake itself under valgrind, which would take long over a debug build.
    fs::copy(if tool == "valgrind" { "/bin/true" } else { FAKE }, &script).unwrap();
    let folder = folder.path().to_str().unwrap();
    let words: Vec<&str> = ["-n", "2", "-wdir", folder, tool].into_iter().chain(arguments.iter().copied()).collect();
    let outcome = run(&words);
    assert_eq!(outcome.status, 0, "{outcome:?}");
}

/// In a network namespace of its own there is not even a loopback address.
#[test]
fn no_network_is_needed() {
    let output = Command::new("unshare").args(["-rn", HPVMRUN, "-n", "2", FAKE, "init", "finalize"]).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
}
