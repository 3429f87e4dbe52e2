//! Tables of thresholds: `hpvmrun` finds one, its ranks go by it, a bad one is refused with its line; and `cargo xtask tune` writes one.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};
use mpi_suite::report::Counts;
use mpi_suite::{Mpi, checks};

use super::check;
use crate::repo::Repo;
use crate::{exec, tune};

/// Everything by other ways than the library's own.
const TABLE: &str = "eager-bytes-max = 2999\nfetch-bytes-min = 3000\nboard-members-max = 2\nallreduce-halving-min = 8\nbcast-scatter-min = 0\nboard-piece-max = 2048\n";
const VALUES: &[&str] = &["hpvm_fetch_bytes_min", "3000", "hpvm_board_members_max", "2", "hpvm_board_piece_max", "2048", "hpvm_gather_board_max", "16384"];

pub fn run(repo: &Repo) -> Result<Counts> {
    let program = checks::build(&Mpi::installed(&repo.prefix()), "tools/tuned.c")?;
    let folder = tempfile::tempdir_in(&repo.target)?;
    let place = Place { hpvmrun: repo.prefix().join("bin/hpvmrun"), program, folder: folder.path() };
    let mut counts = Counts::default();
    for ranks in ["2", "3", "9"] {
        check(&mut counts, &format!("{ranks} ranks go by a table that was asked for"), place.asked_for(ranks));
    }
    check(&mut counts, "a user's table is found, and left out if asked", place.users());
    check(&mut counts, "a bad table is refused with its line", place.refused());
    check(&mut counts, "cargo xtask tune writes a table that hpvmrun reads", place.tuned(&repo.prefix()));
    Ok(counts)
}

struct Place<'a> {
    hpvmrun: std::path::PathBuf,
    program: std::path::PathBuf,
    folder: &'a Path,
}

impl Place<'_> {
    fn hpvmrun(&self, args: &[&str]) -> Command {
        let mut command = Command::new(&self.hpvmrun);
        command.args(["--timeout", "60"]).args(args).env("XDG_CONFIG_HOME", self.folder).current_dir(self.folder).stdin(Stdio::null());
        command
    }

    fn table(&self, name: &str, text: &str) -> Result<String> {
        let path = self.folder.join(name);
        fs::create_dir_all(path.parent().context("a file is in a folder")?)?;
        fs::write(&path, text)?;
        Ok(path.display().to_string())
    }

    fn passes(&self, args: &[&str], values: &[&str]) -> Result<()> {
        let said = exec::quiet(self.hpvmrun(args).arg(&self.program).args(values))?;
        ensure!(said.lines().any(|line| line == "No Errors"), "it said:\n{said}");
        Ok(())
    }

    fn asked_for(&self, ranks: &str) -> Result<()> {
        self.passes(&["-n", ranks, "--tuning", &self.table("asked.toml", TABLE)?], VALUES)
    }

    fn users(&self) -> Result<()> {
        let path = self.table("hpvm/tuning.toml", TABLE)?;
        self.passes(&["-n", "2"], VALUES)?;
        let explained = exec::quiet(&mut self.hpvmrun(&["--dry-run", "--explain", "-n", "2", "true"]))?;
        let expected = format!("thresholds: {path} (it is the user's) sets ");
        ensure!(explained.contains(&expected) && explained.contains("bcast-scatter-min = 0"), "--explain said:\n{explained}");
        let library = ["hpvm_board_piece_max", "32768"];
        self.passes(&["-n", "2", "--tuning", "none"], &library)?;
        fs::remove_file(path)?;
        self.passes(&["-n", "2"], &library)
    }

    fn refused(&self) -> Result<()> {
        for (text, expected) in [
            ("\nbcast-board-maks = 1\n", ":2:1: unknown key bcast-board-maks: did you mean bcast-board-max?"),
            ("board-piece-max = 5\n", ":1:19: expected a whole number from 1024 to 32768, found 5"),
            ("gather-board-max\n", ":1:"),
        ] {
            let path = self.table("bad.toml", text)?;
            let output = self.hpvmrun(&["-n", "1", "--tuning", &path, "true"]).output()?;
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            ensure!(output.status.code() == Some(2) && said.contains(&(path + expected)), "{:?} gives {}:\n{said}", text, exec::ending(output.status));
        }
        Ok(())
    }

    fn tuned(&self, prefix: &Path) -> Result<()> {
        let path = self.folder.join("tuned.toml");
        let filter = regex::Regex::new("^(gather-board-pair-max|bcast-scatter-min)$")?;
        tune::run(&tune::Args { prefix: Some(prefix.into()), output: Some(path.clone()), quick: true, filter: Some(filter) })?;
        ensure!(fs::read_to_string(&path)?.starts_with("# Thresholds by "), "{} is no such table", path.display());
        self.passes(&["-n", "2", "--tuning", &path.display().to_string()], &[])
    }
}
