//! Input and output.

mod common;

use std::fs;
use std::io::{Read as _, Write as _};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use common::{FAKE, HPVMRUN, command, run, run_with_stdin, start_command};
use rstest::rstest;

#[test]
fn stdin_goes_to_rank_0_and_ends() {
    let outcome = run_with_stdin(&["-n", "3", "sh", "-c", "wc -c"], b"12345");
    let mut counts: Vec<_> = outcome.stdout.lines().collect();
    counts.sort_unstable();
    assert_eq!((outcome.status, counts), (0, vec!["0", "0", "5"]));
}

#[test]
fn large_input_and_output_pass_unchanged() {
    let data: Vec<u8> = (0..8_u32 << 20).map(|at| (at.wrapping_mul(2_654_435_761) >> 13) as u8 & 0x7f).collect();
    let outcome = run_with_stdin(&["-n", "1", "cat"], &data);
    assert_eq!(outcome.status, 0);
    assert!(outcome.stdout.as_bytes() == data, "{} of {} bytes", outcome.stdout.len(), data.len());
}

#[rstest]
#[case::never_reads(&["sleep", "0.3"])]
#[case::reads_a_line(&["sh", "-c", "read line"])]
#[case::closes_it(&["sh", "-c", "exec <&-; sleep 0.3"])]
fn a_rank_need_not_read_its_input(#[case] program: &[&str]) {
    let words: Vec<&str> = ["-n", "2"].iter().chain(program).copied().collect();
    assert_eq!(run_with_stdin(&words, &vec![b'\n'; 1 << 20]).took.as_secs() / 5, 0);
}

#[test]
fn lines_of_ranks_do_not_mix() {
    let script = "for i in $(seq 200); do printf %s $HPVM_RANK$HPVM_RANK$HPVM_RANK; printf '%s\\n' $HPVM_RANK$HPVM_RANK$HPVM_RANK; done";
    let outcome = run(&["-n", "8", "bash", "-c", script]);
    assert_eq!(outcome.stdout.lines().count(), 8 * 200);
    for line in outcome.stdout.lines() {
        assert!(line.len() == 6 && line.chars().all(|c| line.starts_with(c)), "{line}");
    }
}

#[test]
fn tags_and_times() {
    let script = "echo out; printf tail; echo err >&2";
    let outcome = run(&["--tag-output", "-n", "2", "sh", "-c", script]);
    let mut lines: Vec<_> = outcome.stdout.lines().collect();
    lines.sort_unstable();
    assert_eq!(lines, ["[0] out", "[0] tail", "[1] out", "[1] tail"]);
    assert_eq!(outcome.stderr.lines().filter(|line| line.ends_with("] err")).count(), 2);

    let outcome = run(&["--timestamp", "--tag-output", "echo", "x"]);
    let (time, rest) = outcome.stdout.split_once(' ').unwrap();
    assert_eq!((rest, time.len(), &time[10..11], &time[23..]), ("[0] x\n", 24, "T", "Z"));
}

/// A prompt has no newline, and the user has to see it before answering.
#[test]
fn an_unfinished_line_is_shown_soon() {
    let (mut command, mark) =
        command(&["-n", "2", "sh", "-c", "[ $HPVM_RANK = 0 ] && printf 'name? ' && read name && echo $name"]);
    command.stdin(Stdio::piped());
    let mut run = start_command((command, mark));
    let mut bytes = [0; 6];
    run.child.stdout.as_mut().unwrap().read_exact(&mut bytes).unwrap();
    assert_eq!(&bytes, b"name? ");
    run.child.stdin.take().unwrap().write_all(b"fm\n").unwrap();
    let outcome = run.finish();
    assert_eq!(outcome.stdout, "fm\n");
}

#[test]
fn output_files_one_per_rank_and_stream() {
    let folder = tempfile::tempdir().unwrap();
    let into = folder.path().join("deep/er");
    let outcome = run(&[
        "--output",
        into.to_str().unwrap(),
        "-n",
        "2",
        "sh",
        "-c",
        "echo out $HPVM_RANK; echo err $HPVM_RANK >&2",
    ]);
    assert_eq!((outcome.status, outcome.stdout.as_str(), outcome.stderr.as_str()), (0, "", ""));
    for rank in 0..2 {
        for (end, text) in [("out", "out"), ("err", "err")] {
            let written = fs::read_to_string(into.join(format!("rank.{rank}.{end}"))).unwrap();
            assert_eq!(written, format!("{text} {rank}\n"));
        }
    }
}

#[rstest]
#[case::file(true)]
#[case::stdout(false)]
fn a_full_disk_ends_the_job_and_is_said(#[case] file: bool) {
    let folder = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink("/dev/full", folder.path().join("rank.1.out")).unwrap();
    let endless = ["-n", "2", "sh", "-c", "[ $HPVM_RANK = 0 ] && exec sleep 60; while echo x; do :; done"];
    let into = ["--output", folder.path().to_str().unwrap()];
    let words: Vec<&str> = if file { into.iter().chain(&endless).copied().collect() } else { endless.to_vec() };
    let (mut command, mark) = command(&words);
    if !file {
        command.stdout(fs::OpenOptions::new().write(true).open("/dev/full").unwrap());
    }
    let mut run = start_command((command, mark));
    let mut stderr = run.child.stderr.take().unwrap();
    assert_eq!(run.wait(Duration::from_secs(20)), 1);
    let mut text = String::new();
    stderr.read_to_string(&mut text).unwrap();
    assert!(text.contains("No space left") && text.contains(if file { "rank.1.out" } else { "stdout" }), "{text}");
    common::assert_nothing_left(&run.mark);
}

#[test]
fn a_reader_that_leaves_ends_the_job_quietly() {
    let script = format!("{HPVMRUN} -n 4 yes | head -1; echo ${{PIPESTATUS[0]}}");
    let start = Instant::now();
    let output = Command::new("bash").args(["-c", &script]).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), "y\n141\n");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    assert!(start.elapsed() < Duration::from_secs(5));
}

#[test]
fn a_reader_that_does_not_read_stops_the_ranks_and_not_hpvmrun() {
    let (command, mark) = command(&["-n", "2", "yes"]);
    let mut run = start_command((command, mark));
    run.wait_for(2, "yes");
    thread::sleep(Duration::from_millis(300));
    let memory = fs::read_to_string(format!("/proc/{}/statm", run.pid())).unwrap();
    let pages: u64 = memory.split(' ').nth(1).unwrap().parse().unwrap();
    assert!(pages < 8192, "{pages} pages are resident");
    run.signal(libc::SIGINT);
    // Ranks that write are ended; what nobody reads is given up at the second signal.
    thread::sleep(Duration::from_millis(200));
    run.signal(libc::SIGINT);
    assert_eq!(run.wait(Duration::from_secs(5)), 130);
    common::assert_nothing_left(&run.mark);
}

#[test]
fn stderr_closed_is_no_reason_to_end() {
    let script = format!("{HPVMRUN} -n 2 sh -c 'echo err >&2; sleep 0.1; echo err >&2; echo out' 2>&-");
    let output = Command::new("bash").args(["-c", &script]).output().unwrap();
    assert_eq!((output.status.code(), String::from_utf8_lossy(&output.stdout).as_ref()), (Some(0), "out\nout\n"));
}

mod in_a_terminal {
    use super::*;
    use common::terminal;
    use std::fs::File;

    fn read_until(from: &mut File, wanted: &str) -> String {
        let (mut text, mut byte) = (String::new(), [0]);
        while !text.contains(wanted) {
            match from.read(&mut byte) {
                Ok(1) => text.push(byte[0] as char),
                other => panic!("{other:?} after {text:?}"),
            }
        }
        text
    }

    #[test]
    fn ranks_have_one_too_and_their_lines_come_at_once() {
        let (mut ours, theirs) = terminal();
        // Python buffers whole blocks unless it writes to a terminal.
        let script = "import sys, time\nprint('tty', sys.stdout.isatty())\ntime.sleep(30)";
        let (mut command, mark) = command(&["-n", "2", "python3", "-c", script]);
        command.stdout(theirs);
        let mut run = start_command((command, mark));
        let text = read_until(&mut ours, "tty True\r\ntty True\r\n");
        assert_eq!(text.len(), 20, "{text}");
        run.signal(libc::SIGTERM);
        assert_eq!(run.wait(Duration::from_secs(10)), 143);
        common::assert_nothing_left(&run.mark);
    }

    /// Two of three machines take their time: a line says so, also while nothing happens, and makes room for what ranks write.
    #[test]
    fn a_line_says_how_far_the_start_is() {
        let (mut ours, theirs) = terminal();
        let folder = tempfile::TempDir::new().unwrap();
        let go = folder.path().join("go");
        let wait = format!("case \"$*\" in *one*) ;; *) while [ ! -e {} ]; do sleep 0.05; done ;; esac", go.display());
        let ssh = common::fake_ssh(folder.path(), &wait);
        let machine = |name: &str| format!("[[machine]]\nname = {name:?}\n");
        let text = format!("ssh = [{:?}, \"-x\"]\n{}", ssh.display().to_string(), ["one", "two", "three"].map(machine).concat());
        let file = folder.path().join("machines.toml");
        std::fs::write(&file, text).unwrap();
        let (mut command, mark) = command(&["-m", file.to_str().unwrap(), "-n", "3", "sh", "-c", "echo said >&2"]);
        command.env("TERM", "xterm").stderr(theirs);
        let mut run = start_command((command, mark));
        read_until(&mut ours, "hpvmrun: 1 of 3 machines have answered");
        std::fs::write(&go, "").unwrap();
        let rest = read_until(&mut ours, "said\r\n");
        let (before, _) = rest.split_once("said").unwrap();
        assert!(before.ends_with("\r\x1b[2K"), "the line is in the way: {rest:?}");
        assert_eq!(run.wait(Duration::from_secs(10)), 0);
        common::assert_nothing_left(&run.mark);
    }

    /// A background job that reads its terminal is stopped by SIGTTIN; hpvmrun must not read.
    #[test]
    fn in_the_background_it_goes_on() {
        let script = format!(
            "import os, pty, subprocess, sys\n\
            pid, fd = pty.fork()\n\
            if pid == 0:\n    os.execvp('bash', ['bash', '--norc', '-i'])\n\
            os.write(fd, b'PS1=; {HPVMRUN} -n 2 {FAKE} init sleep=0.3 finalize say=through & wait; echo status $?\\n')\n\
            text = b''\n\
            while text.count(b'through') < 3 or b'status 0' not in text:\n    text += os.read(fd, 1000)\n\
            os.write(fd, b'exit\\n')\n\
            print('well')\n"
        );
        let output = Command::new("timeout").args(["20", "python3", "-c", &script]).output().unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stdout), "well\n", "{output:?}");
    }
}
