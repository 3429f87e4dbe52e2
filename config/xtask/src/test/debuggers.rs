//! What debuggers do with a job: gdb finds the ranks by the names of the MPIR interface, and `--gdb` holds a rank until gdb is there.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use mpi_suite::Mpi;
use mpi_suite::report::Counts;

use super::check;
use crate::repo::Repo;
use crate::{exec, tools};

pub fn run(repo: &Repo) -> Result<Counts> {
    tools::need(&[tools::GDB])?;
    let mpi = Mpi::installed(&repo.prefix());
    let mut counts = Counts::default();
    check(&mut counts, "gdb finds the ranks (MPIR)", finds_the_ranks(&mpi));
    check(&mut counts, "gdb gets a rank before its program begins (--gdb)", gets_a_rank(repo, &mpi));
    Ok(counts)
}

/// gdb with these commands, without what its user has set.
fn gdb(commands: &[&str]) -> Command {
    let mut gdb = Command::new("timeout");
    gdb.args(["60", "gdb", "-nx", "-batch"]).args(commands.iter().flat_map(|command| ["-ex", *command])).env_remove("DEBUGINFOD_URLS");
    gdb
}

/// Three ranks, the table with them, and each entry's number is that of a process; then the job goes on to its end.
fn finds_the_ranks(mpi: &Mpi) -> Result<()> {
    let mut gdb = gdb(&[
        "set breakpoint pending on",
        "break MPIR_Breakpoint",
        "run",
        // hpvmrun's own has no casts of this kind.
        "set language c",
        "printf \"state %d size %d\\n\", *(int*)&MPIR_debug_state, *(int*)&MPIR_proctable_size",
        "set $entry = *(long*)&MPIR_proctable",
        "printf \"%s %d\\n\", *(char**)($entry + 8), *(int*)($entry + 16) == *(int*)($entry + 40)",
        "printf \"last %s %d\\n\", *(char**)($entry + 56), *(int*)($entry + 64) > 1",
        "continue",
    ]);
    let said = exec::quiet(gdb.arg("--args").arg(&mpi.mpirun).args(["-n", "3", "sleep", "0.5"]))?;
    for expected in ["state 1 size 3\n", "/sleep 0\n", "last /", "/sleep 1\n", "exited normally"] {
        ensure!(said.contains(expected), "{expected:?} is not among what gdb says:\n{said}");
    }
    Ok(())
}

/// What hpvmrun says to type is typed, but for its end.
fn gets_a_rank(repo: &Repo, mpi: &Mpi) -> Result<()> {
    let (source, program) = (repo.target.join("debugged.c"), repo.target.join("debugged"));
    fs::write(&source, "int main(int count, char **words) { return count == 3 && words[2][0] == 'b' ? 0 : 9; }\n")?;
    exec::quiet(Command::new("cc").arg("-g").arg("-o").args([&program, &source]))?;
    let mut command = Command::new(&mpi.mpirun);
    command.args(["-n", "3", "--gdb", "1", "--timeout", "60"]).arg(&program).args(["a", "b"]);
    let mut job = command.stdin(Stdio::null()).stderr(Stdio::piped()).spawn().context("cannot run hpvmrun")?;
    let mut lines = BufReader::new(job.stderr.take().expect("it is piped")).lines();
    let line = lines.find_map(|line| line.ok().and_then(|line| Some(line.trim_start().strip_prefix("gdb ")?.to_owned())));
    let line = line.context("it is not said how to attach gdb")?;
    std::thread::sleep(Duration::from_millis(200));
    ensure!(job.try_wait()?.is_none(), "the rank does not wait");
    let said = exec::quiet(Command::new("sh").args(["-c", &format!("timeout 60 gdb -nx -batch {line} -ex 'print count' -ex continue")]));
    let status = job.wait()?;
    let said = said?;
    ensure!(said.contains("Breakpoint 1, main") && said.contains("$1 = 3"), "gdb did not get to the beginning of the program:\n{said}");
    ensure!(status.success(), "the job ended with {}", exec::ending(status));
    Ok(())
}
