//! Jobs on several machines, all of them this one: what stands for ssh is a script that runs the command here. What a real ssh between
//! real networks adds is tested with `cargo xtask cluster`.

mod common;

use std::fs;
use std::path::Path;
use std::time::Duration;

use common::{FAKE, Outcome, Run, command, run_with_stdin, start_command};
use rstest::rstest;
use tempfile::TempDir;

/// A folder with a machine file for two nodes of two slots each. `login` is what the shell there says and does first.
fn machines(login: &str) -> TempDir {
    let folder = TempDir::new().unwrap();
    let ssh = common::fake_ssh(folder.path(), login);
    let text = format!(
        "ssh = [{:?}, \"-x\"]\n[[machine]]\nname = \"one\"\nslots = 2\n[[machine]]\nname = \"two\"\nslots = 2\n",
        ssh.display().to_string()
    );
    fs::write(folder.path().join("machines.toml"), text).unwrap();
    folder
}

fn start(folder: &TempDir, words: &[&str]) -> Run {
    let file = file(folder.path());
    start_command(command(&[&["-m", &file], words].concat()))
}

#[track_caller]
fn run(folder: &TempDir, words: &[&str]) -> Outcome {
    start(folder, words).finish()
}

fn file(folder: &Path) -> String {
    folder.join("machines.toml").display().to_string()
}

fn sorted(text: &str) -> Vec<&str> {
    let mut lines: Vec<_> = text.lines().collect();
    lines.sort_unstable();
    lines
}

#[test]
fn ranks_know_their_places_and_their_output_comes_back() {
    let folder = machines("echo Welcome!");
    let script = "echo $HPVM_RANK/$HPVM_SIZE $HPVM_NODE $HPVM_LOCAL_RANK/$HPVM_LOCAL_SIZE; echo $HPVM_RANK >&2";
    let outcome = run(&folder, &["-n", "5", "sh", "-c", script]);
    assert_eq!(outcome.status, 0, "{outcome:?}");
    assert_eq!(sorted(&outcome.stdout), ["0/5 0 0/3", "1/5 0 1/3", "2/5 1 0/2", "3/5 1 1/2", "4/5 0 2/3"]);
    assert_eq!(sorted(&outcome.stderr), ["0", "1", "2", "3", "4"]);
}

#[test]
fn much_goes_both_ways() {
    let folder = machines("");
    let input: Vec<u8> = (0..3_000_000_u32).flat_map(|number| [b'a' + (number % 23) as u8]).collect();
    let outcome = run_with_stdin(&["-m", &file(folder.path()), "-n", "3", "cat"], &input);
    assert_eq!(outcome.status, 0, "{}", outcome.stderr);
    assert!(outcome.stdout.as_bytes() == input, "{} bytes of {}", outcome.stdout.len(), input.len());
}

#[test]
fn the_folder_and_the_environment_go_along() {
    let folder = machines("cd /");
    let outcome = run(&folder, &["-n", "3", "-x", "GREETING=a  b", "sh", "-c", "echo \"$GREETING\"; pwd"]);
    let here = std::env::current_dir().unwrap().display().to_string();
    assert_eq!(sorted(&outcome.stdout), sorted(&format!("{0}\n{0}\n{0}\na  b\na  b\na  b\n", here)));
}

#[test]
fn an_mpi_program_fails_there_as_it_would_here() {
    let folder = machines("");
    let outcome = run(&folder, &["-n", "4", FAKE, "init", "@3/exit=7", "forever"]);
    assert_eq!(outcome.status, 7, "{outcome:?}");
    assert!(outcome.stderr.contains("on two) left with exit status 7, after MPI_Init and without MPI_Finalize"), "{outcome:?}");
    let outcome = run(&folder, &["-n", "4", FAKE, "init", "call=MPI_Recv", "@2/abort=9", "forever"]);
    assert_eq!(outcome.status, 9, "{outcome:?}");
    let outcome = run(&folder, &["-n", "3", FAKE, "init", "finalize", "@2/exit=4"]);
    assert_eq!(outcome.status, 4, "{outcome:?}");
    let outcome = run(&folder, &["-n", "3", "sh", "-c", &format!("{FAKE} init finalize; exit 0")]);
    assert_eq!(outcome.status, 0, "{outcome:?}");
}

/// The MPI program of rank 2, on the second machine, is below a shell which does not become it.
#[rstest]
#[case("FAKE init call=MPI_Send @2/signal=11 forever", 139, "its last MPI call was MPI_Send")]
#[case("FAKE init @2/exit=0 forever; sleep 60", 1, "below another program")]
#[case("FAKE init @2/signal=9 forever & sleep 60", 1, "below another program")]
#[case("FAKE init finalize; true", 0, "")]
#[case("FAKE init sleep=0.3 finalize & exit 0", 0, "")]
#[case("FAKE init finalize; sleep 0.5; exit $((HPVM_RANK == 2 ? 5 : 0))", 5, "after MPI_Finalize")]
fn below_a_shell_there(#[case] script: &str, #[case] status: i32, #[case] said: &str) {
    let outcome = run(&machines(""), &["-n", "3", "bash", "-c", &format!("{}; exit $?", script.replace("FAKE", FAKE))]);
    assert_eq!(outcome.status, status, "{outcome:?}");
    assert!(outcome.stderr.contains(said), "{outcome:?}");
    assert_eq!(outcome.stderr.is_empty(), status == 0, "{outcome:?}");
    assert!(outcome.took < Duration::from_secs(20), "{outcome:?}");
}

#[test]
fn a_timeout_says_what_ranks_do_there() {
    let folder = machines("");
    let run_for = |seconds: &str| run(&folder, &["-n", "3", "--timeout", seconds, FAKE, "init", "call=MPI_Recv", "wait=1,7", "forever"]);
    let there = |outcome: &Outcome| outcome.stderr.contains("rank 2, pid ") && outcome.stderr.contains("waits in MPI_Recv for ");
    let outcome = common::within_some_time(1.5, run_for, there);
    assert_eq!(outcome.status, 124, "{outcome:?}");
    assert!(there(&outcome), "{outcome:?}");
}

#[test]
fn what_ranks_wait_for_there_is_reported() {
    let folder = machines("");
    let steps = ["init", "call=MPI_Recv", "@0/wait=3,7", "@3/wait=0,7", "@1/wait=any,2", "@2/stop", "forever"];
    let run_for = |seconds: &str| run(&folder, &["--hang-report", "1", "--timeout", seconds, "-n", "4", FAKE].into_iter().chain(steps).collect::<Vec<_>>());
    let all = [
        " on one: waits in MPI_Recv for rank 3, tag 7, on MPI_COMM_WORLD, for ",
        " on one: waits in MPI_Recv for any rank, tag 2, on MPI_COMM_WORLD, for ",
        " on two: is stopped, last MPI call MPI_Recv\n",
        "  cycle: rank 0 waits in MPI_Recv for rank 3, tag 7; rank 3 in MPI_Recv for rank 0, tag 7 (on MPI_COMM_WORLD)\n",
    ];
    let outcome = common::within_some_time(6.0, run_for, |outcome| all.iter().all(|expected| outcome.stderr.matches(expected).count() == 2));
    assert_eq!(outcome.status, 124, "{outcome:?}");
    assert_eq!(outcome.stderr.matches("no rank has made progress for 1 s").count(), 1, "{outcome:?}");
    for expected in all {
        assert_eq!(outcome.stderr.matches(expected).count(), 2, "{expected:?}, for the hang and for the time-out: {outcome:?}");
    }
}

#[test]
fn signals_are_passed_on() {
    let folder = machines("");
    let run = start(&folder, &["-n", "4", "sh", "-c", "trap 'echo told; exit 0' TERM; sleep 60 & wait"]);
    run.wait_for(4, "sleep 60");
    run.signal(libc::SIGTERM);
    let outcome = run.finish();
    assert_eq!(outcome.stdout.matches("told").count(), 4, "{outcome:?}");
}

/// A report that is asked for early is none of what a node expects then.
#[test]
fn a_signal_before_the_start_harms_nothing() {
    let folder = machines("sleep 1.2");
    let run = start(&folder, &["-n", "3", "echo", "in"]);
    run.wait_for(2, "sleep 1.2");
    run.signal(libc::SIGUSR1);
    let outcome = run.finish();
    assert_eq!((outcome.status, outcome.stdout.matches("in").count()), (0, 3), "{outcome:?}");
}

#[test]
fn without_hpvmrun_nothing_is_left_there() {
    let folder = machines("");
    let mut run = start(&folder, &["-n", "4", "sh", "-c", "setsid sleep 61 & exec sleep 62"]);
    run.wait_for(4, "sleep 62");
    run.signal(libc::SIGKILL);
    assert_eq!(run.wait(Duration::from_secs(10)), 128 + libc::SIGKILL);
    common::assert_nothing_left(&run.mark);
}

#[test]
fn a_machine_that_is_lost_ends_the_job() {
    let folder = machines("");
    let run = start(&folder, &["-n", "4", "sh", "-c", "setsid sleep 63 & exec sleep 64"]);
    run.wait_for(4, "sleep 64");
    let daemons = run.wait_for(2, env!("CARGO_BIN_EXE_hpvmd"));
    // The first of them, by whichever of its names: hpvmd itself or a keeper.
    let daemon = rustix::process::Pid::from_raw(daemons[0]).unwrap();
    rustix::process::kill_process(daemon, rustix::process::Signal::KILL).unwrap();
    let outcome = run.finish();
    assert_eq!(outcome.status, 125, "{outcome:?}");
    assert!(outcome.stderr.contains("is lost"), "{outcome:?}");
}

#[test]
fn what_keeps_a_machine_from_being_used_is_said() {
    let ssh_says = |text: &str| format!("echo '{text}' >&2; exit 255");
    for (login, said) in [
        ("echo nothing for you; exit 255".into(), " cannot be reached: ssh did not lead to an hpvmd\n"),
        ("echo nothing for you; exit 255".into(), "exit status: 255; it said: nothing for you"),
        (ssh_says("ssh: Could not resolve hostname one: Name or service not known"), " cannot be reached: no address is known for its name\n"),
        (ssh_says("ssh: connect to host one port 22: Connection refused"), "no sshd listens at that port\n"),
        (ssh_says("user@one: Permission denied (publickey)."), "it said: user@one: Permission denied (publickey)."),
        ("exec sh -c /no/such/hpvmd".into(), "install HPVM there"),
        ("echo 'HPVM node, start-up protocol 1, version 0.0.1'; exit 0".into(), " cannot be used: its hpvmd is of another time"),
        ("echo 'HPVM node, version 0.0.1, protocols 1 to 2, start-up protocol 1'; exit 0".into(), "its hpvmd is 0.0.1 (protocols 1 to 2, "),
    ] {
        let outcome = run(&machines(&login), &["-n", "3", "true"]);
        assert_eq!(outcome.status, 125, "{outcome:?}");
        assert!(outcome.stderr.contains(said), "{said}: {outcome:?}");
        assert!(outcome.took < Duration::from_secs(20), "{outcome:?}");
    }
    let outcome = run(&machines(""), &["-n", "3", "/no/such/program"]);
    assert_eq!(outcome.status, 125, "{outcome:?}");
}

#[test]
fn what_ssh_says_on_a_way_that_works_is_not_shown_and_what_hpvmd_says_is() {
    let signs = TempDir::new().unwrap();
    let signs = signs.path().display();
    let afar = format!("(while [ ! -e {signs}/running ]; do sleep 0.02; done; echo 'from afar' >&2; echo > {signs}/said.$$) >/dev/null &");
    let folder = machines(&format!("echo 'Warning: something about keys' >&2; {afar}"));
    // It has left the shells; the rest of its way is short.
    let wait = format!("touch {signs}/running; while [ $(ls {signs}/said.* | wc -l) != 2 ]; do sleep 0.1; done; sleep 1");
    let outcome = run(&folder, &["-n", "3", "sh", "-c", &format!("{{ {wait}; }} 2>/dev/null")]);
    assert_eq!(outcome.status, 0, "{outcome:?}");
    assert_eq!(sorted(&outcome.stderr), ["hpvmrun: one: from afar", "hpvmrun: two: from afar"], "{outcome:?}");
}

#[test]
fn an_ssh_that_hangs_is_not_waited_for_for_ever() {
    let outcome = run(&machines("echo half a greeting; sleep 65; exit 1"), &["-n", "3", "--start-timeout", "1", "true"]);
    assert_eq!(outcome.status, 125, "{outcome:?}");
    assert!(outcome.stderr.contains("one cannot be reached: no answer for 1 s (--start-timeout)\n"), "{outcome:?}");
    assert!(outcome.stderr.contains("it still runs; it said: half a greeting"), "{outcome:?}");
    // Well before that ssh ends.
    assert!(outcome.took < Duration::from_secs(40), "{outcome:?}");
}

/// The hpvmd of the first machine, whichever that is.
fn daemon(run: &Run) -> i32 {
    let daemons = run.wait_for(2, env!("CARGO_BIN_EXE_hpvmd"));
    *daemons.iter().find(|pid| common::name(**pid) == "hpvmd").unwrap()
}

fn send(pid: i32, signal: rustix::process::Signal) {
    rustix::process::kill_process(rustix::process::Pid::from_raw(pid).unwrap(), signal).unwrap();
}

/// It neither ends nor says anything: `hpvmrun` notices, and so do the keepers there.
#[test]
fn a_daemon_that_was_stopped_is_a_lost_machine() {
    let folder = machines("");
    let run = start(&folder, &["-n", "4", "--heartbeat", "2", "sh", "-c", "setsid sleep 66 & exec sleep 67"]);
    run.wait_for(4, "sleep 67");
    send(daemon(&run), rustix::process::Signal::STOP);
    let outcome = run.finish();
    assert_eq!(outcome.status, 125, "{outcome:?}");
    assert!(outcome.stderr.contains(" is lost: nothing was heard of its hpvmd for 2 s (--heartbeat)"), "{outcome:?}");
    assert!(outcome.took < Duration::from_secs(40), "{outcome:?}");
}

/// The same from the other side. The relay stands for a launcher whose machine is cut off: everything there ends.
#[test]
fn a_launcher_that_is_not_heard_is_gone() {
    let folder = machines("");
    let mut run = start(&folder, &["-n", "4", "--heartbeat", "2", "sh", "-c", "setsid sleep 68 & exec sleep 69"]);
    run.wait_for(4, "sleep 69");
    let relay = common::marked(&run.mark).into_iter().find(|pid| common::name(*pid) == "hpvm-relay").unwrap();
    send(relay, rustix::process::Signal::STOP);
    let until = std::time::Instant::now() + Duration::from_secs(30);
    while common::marked(&run.mark).into_iter().any(|pid| common::command_line(pid).starts_with("sleep")) {
        assert!(std::time::Instant::now() < until, "ranks outlive the launcher's silence");
        std::thread::sleep(Duration::from_millis(20));
    }
    send(relay, rustix::process::Signal::CONT);
    assert_eq!(run.wait(Duration::from_secs(10)), 125);
    common::assert_nothing_left(&run.mark);
}

/// Its cable was pulled after ssh had led to the daemon, and before the answer to its greeting came.
#[test]
fn a_daemon_that_is_not_answered_leaves() {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_hpvmd"));
    let command = command.arg("--job").stdin(std::process::Stdio::piped()).stdout(std::process::Stdio::null());
    let start = std::time::Instant::now();
    let mut daemon = command.spawn().unwrap();
    let _open = daemon.stdin.take();
    assert!(daemon.wait().unwrap().success());
    // Longer where this machine itself stood still meanwhile.
    assert!((9..60).contains(&start.elapsed().as_secs()), "{:?}", start.elapsed());
}

/// A debugger stops ranks for hours, and Ctrl-Z stops a job.
#[test]
fn a_rank_that_was_stopped_loses_nothing() {
    let folder = machines("");
    let go = folder.path().join("go");
    let wait = format!("while [ ! -e {} ]; do sleep 0.05; done", go.display());
    let run = start(&folder, &["-n", "4", "--heartbeat", "1", "sh", "-c", &wait]);
    let ranks = run.wait_for(4, "sh -c while");
    ranks.iter().for_each(|rank| send(*rank, rustix::process::Signal::STOP));
    std::thread::sleep(Duration::from_secs(3));
    fs::write(&go, "").unwrap();
    ranks.iter().for_each(|rank| send(*rank, rustix::process::Signal::CONT));
    assert_eq!(run.finish().status, 0);
}

/// Nobody reads what ranks write: they wait, and their machine is not lost.
#[test]
fn output_that_nobody_takes_is_no_silence() {
    let folder = machines("");
    let mut run = start(&folder, &["-n", "4", "--heartbeat", "1", "sh", "-c", "head -c 3000000 /dev/zero"]);
    let mut output = run.child.stdout.take().unwrap();
    std::thread::sleep(Duration::from_secs(4));
    let mut bytes = Vec::new();
    std::io::Read::read_to_end(&mut output, &mut bytes).unwrap();
    assert_eq!((bytes.len(), run.wait(Duration::from_secs(10))), (12_000_000, 0));
}

#[test]
fn many_machines_are_called() {
    let folder = machines("");
    let text = fs::read_to_string(folder.path().join("machines.toml")).unwrap();
    let more: String = (0..38).map(|number| format!("[[machine]]\nname = \"more{number}\"\n")).collect();
    fs::write(folder.path().join("machines.toml"), text + &more).unwrap();
    let outcome = run(&folder, &["-n", "42", "sh", "-c", "echo $HPVM_RANK"]);
    assert_eq!((outcome.status, outcome.stdout.lines().count()), (0, 42), "{outcome:?}");
}
