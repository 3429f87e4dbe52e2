//! `--help`, from which the man page is made too: a line at the margin that ends in a colon is a heading.

use super::table::{FLAGS, Flag};

const USAGE: &str = "\
[options] program [arguments] [: [options] program [arguments]]…
  hpvmrun doctor [options]

Starts an MPI job: N ranks of a program, or with : ranks of several programs in one job.
Options after the program belong to the program. What is not an MPI program (a shell script,
a debugger, hostname) can be launched too. With the word doctor in place of a program no job is
started: the machines that --machines, --host and --hostfile name are examined, and what should be
mended is said; the exit status is 1 if there is anything.
";

const AFTER: &str = "
Exit status:
  0    every rank left with 0, and none that had called MPI_Init without MPI_Finalize
  N    the first failing rank's exit status, or 128 + the signal that killed it; 1 for a rank that left
       with 0 after MPI_Init and without MPI_Finalize; for MPI_Abort the lowest 8 bits of its code
  2    the command line is wrong
  124  --timeout ended the job
  125  the job could not be launched

Environment:
  HPVM_CONFIG names the configuration file (TOML, keys are the long options without their dashes);
  without it hpvm/hpvmrun.toml in $XDG_CONFIG_HOME or ~/.config is read if it exists.
  An option of the whole job can be set as a variable: --tag-output as HPVM_TAG_OUTPUT=1.
  MPIEXEC_TIMEOUT is taken for HPVM_TIMEOUT where that is not set.
  The command line is stronger than variables, variables are stronger than the file.

Signals:
  SIGINT, SIGTERM, SIGHUP and SIGQUIT are passed on to the ranks, which are killed 3 seconds later; a
  second SIGINT kills them at once. SIGTSTP and SIGCONT stop and continue them. SIGUSR1 asks for a report
  of what each rank is doing and waiting for. SIGUSR2 is passed on.
";

/// The text for the name that the launcher was called by.
pub fn text(called: &str) -> String {
    let mut text = format!("Usage:\n  {called} {USAGE}\nOptions:\n");
    for flag in FLAGS {
        text += &entry(flag);
    }
    text + AFTER
}

fn entry(flag: &Flag) -> String {
    let names = flag.names.join(", ");
    let head = match flag.value {
        Some(value) => format!("  {names} {value}"),
        None => format!("  {names}"),
    };
    let mut text = head;
    let mut column = usize::MAX;
    for word in flag.help.split_whitespace() {
        if column.saturating_add(word.len()) >= 96 {
            text += "\n        ";
            column = 8;
        } else {
            text.push(' ');
            column += 1;
        }
        text += word;
        column += word.len();
    }
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_option_is_listed_and_no_line_is_long() {
        let text = text("hpvmrun");
        for flag in FLAGS {
            assert!(text.contains(&format!("  {}", flag.names.join(", "))), "{:?}", flag.names);
        }
        for line in text.lines() {
            assert!(line.chars().count() <= 110, "{line}");
        }
    }
}
