//! `demo`: what HPVM is, seen from the outside in a few minutes. Builds, installs into a prefix, compiles the examples with
//! `mpicc`, launches them with `hpvmrun`, and shows what came out.

use std::path::Path;
use std::process::Command;
use std::time::Instant;
use std::{env, fs};

use anyhow::{Context as _, Result, bail};

use crate::repo::Repo;
use crate::{exec, install};

#[derive(clap::Args)]
pub struct Args {
    /// Cargo profile to build with
    #[arg(long, default_value = install::QUICK, value_name = "NAME")]
    profile: String,
}

/// An example: its name, the ranks it is shown with, its arguments.
const EXAMPLES: [(&str, usize, &[&str]); 3] = [("hello", 4, &[]), ("pi", 4, &[]), ("heat2d", 4, &["heat2d.png"])];

pub fn run(args: &Args) -> Result<()> {
    let start = Instant::now();
    let repo = Repo::find();
    let (prefix, work) = (repo.prefix(), repo.target.join("demo"));
    fs::create_dir_all(&work).with_context(|| format!("cannot make {}", work.display()))?;
    heading(&format!("Building HPVM and installing it under {}", short(&prefix)));
    install::install(&repo, &prefix, &args.profile)?;

    let examples = repo.root.join("docs/examples");
    for (name, ranks, words) in EXAMPLES {
        heading(&format!("docs/examples/{name}.c on {ranks} ranks"));
        let source = examples.join(name).with_extension("c");
        let mpicc = ["-O2".into(), short(&source), "-o".into(), name.into(), "-lm".into()];
        println!("$ mpicc {}", mpicc.join(" "));
        exec::loud(
            Command::new(prefix.join("bin/mpicc")).current_dir(&work).arg("-O2").arg(&source).args(["-o", name, "-lm"]),
        )?;
        println!("$ hpvmrun -n {ranks} ./{name} {}", words.join(" "));
        exec::loud(
            Command::new(prefix.join("bin/hpvmrun"))
                .current_dir(&work)
                .args(["-n", &ranks.to_string(), &format!("./{name}")])
                .args(words),
        )?;
    }

    let picture = work.join("heat2d.png");
    let bytes = fs::metadata(&picture).map_or(0, |meta| meta.len());
    if bytes < 1000 {
        bail!("heat2d wrote no picture to {}", picture.display());
    }
    heading("What to look at");
    println!("The picture ({} kB): {}", bytes / 1000, picture.display());
    println!("To compile and launch programs of your own:");
    println!("  export PATH={}:$PATH", prefix.join("bin").display());
    println!("Done in {:.0} s.", start.elapsed().as_secs_f64());
    Ok(())
}

fn heading(text: &str) {
    println!("\n== {text}");
}

/// Relative to where the user is, if it lies below.
fn short(path: &Path) -> String {
    let here = env::current_dir().unwrap_or_default();
    path.strip_prefix(here).unwrap_or(path).display().to_string()
}
