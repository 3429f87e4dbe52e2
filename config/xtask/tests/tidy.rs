//! The rules of the code base that no compiler checks. Each test names every place that breaks its rule.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use regex::Regex;
use serde_json::Value;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap()
}

/// Every file of the clone that git does not ignore, relative to the root.
fn files() -> Vec<PathBuf> {
    let git = Command::new("git")
        .current_dir(root())
        .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .output()
        .unwrap();
    assert!(git.status.success(), "git ls-files: {}", String::from_utf8_lossy(&git.stderr));
    let names = String::from_utf8(git.stdout).unwrap();
    let paths = names.split('\0').filter(|name| !name.is_empty()).map(PathBuf::from);
    paths.filter(|path| root().join(path).is_file()).collect()
}

fn with_extension<'a>(files: &'a [PathBuf], extensions: &[&str]) -> impl Iterator<Item = &'a PathBuf> {
    files.iter().filter(move |file| file.extension().is_some_and(|e| extensions.iter().any(|wanted| e == *wanted)))
}

fn read(file: &Path) -> String {
    String::from_utf8_lossy(&fs::read(root().join(file)).unwrap()).into_owned()
}

/// The part of a Rust file before its test module.
fn without_tests(text: &str) -> &str {
    text.split("\n#[cfg(test)]\nmod tests").next().unwrap_or(text)
}

/// Lines without comments that stand alone or at the end.
fn code_of(text: &str) -> impl Iterator<Item = (usize, &str)> {
    without_tests(text).lines().enumerate().map(|(index, line)| (index + 1, line.split("//").next().unwrap_or_default()))
}

/// `file:line: text` for every line that matches.
fn hits<'a>(files: impl Iterator<Item = &'a PathBuf>, pattern: &str) -> Vec<String> {
    let regex = Regex::new(pattern).unwrap();
    let mut hits = Vec::new();
    for file in files {
        let text = read(file);
        let lines = text.lines().enumerate().filter(|(_, line)| regex.is_match(line));
        hits.extend(lines.map(|(index, line)| format!("{}:{}: {}", file.display(), index + 1, line.trim())));
    }
    hits
}

#[track_caller]
fn none(what: &str, found: Vec<String>) {
    assert!(found.is_empty(), "{what}:\n  {}", found.join("\n  "));
}

/// What a package may depend on of ours, in its released form (tests may reach further).
fn allowed(package: &str, folder: &str) -> &'static [&'static str] {
    match package {
        "fm" | "hpvm-wire" | "mpi-suite" => &[],
        "mpi-fm" => &["fm"],
        "mpi-abi" => &["fm", "mpi-fm", "hpvm-wire", "devices/*"],
        "hpvm-launcher" => &["hpvm-wire"],
        "mpi-sim" => &["fm", "mpi-fm", "mpi-abi", "hpvm-wire", "mpi-suite"],
        // Its targets are in all of them.
        "hpvm-fuzz" => &["fm", "mpi-fm", "mpi-abi", "hpvm-wire", "hpvm-launcher", "devices/*"],
        // The tool uses the suite's runner and report.
        "xtask" => &["mpi-suite"],
        _ if folder.starts_with("devices/") => &["fm"],
        _ => panic!("the package {package} in {folder} has no place among the layers (DESIGN: dependencies)"),
    }
}

/// Name, folder and normal dependencies of every package of the workspace.
fn packages() -> Vec<(String, String, Vec<String>)> {
    let cargo = Command::new(env!("CARGO"))
        .current_dir(root())
        .args(["metadata", "--no-deps", "--offline", "--format-version=1"])
        .output()
        .unwrap();
    assert!(cargo.status.success(), "cargo metadata: {}", String::from_utf8_lossy(&cargo.stderr));
    let metadata: Value = serde_json::from_slice(&cargo.stdout).unwrap();
    let package = |value: &Value| {
        let folder = Path::new(value["manifest_path"].as_str().unwrap()).parent().unwrap();
        let dependencies = value["dependencies"].as_array().unwrap().iter();
        let normal = dependencies.filter(|dependency| dependency["kind"].is_null());
        (
            value["name"].as_str().unwrap().to_owned(),
            folder.strip_prefix(root()).unwrap().display().to_string(),
            normal.map(|dependency| dependency["name"].as_str().unwrap().to_owned()).collect(),
        )
    };
    metadata["packages"].as_array().unwrap().iter().map(package).collect()
}

#[test]
fn dependencies_point_downwards() {
    let packages = packages();
    let folders: BTreeMap<_, _> = packages.iter().map(|(name, folder, _)| (name.as_str(), folder.as_str())).collect();
    let mut wrong = Vec::new();
    for (name, folder, dependencies) in &packages {
        let allowed = allowed(name, folder);
        for dependency in dependencies {
            let Some(of) = folders.get(dependency.as_str()) else { continue };
            let device = of.starts_with("devices/") && allowed.contains(&"devices/*");
            if !device && !allowed.contains(&dependency.as_str()) {
                wrong.push(format!("{name} depends on {dependency}"));
            }
        }
    }
    none("dependencies against the layers", wrong);
}

#[test]
fn fm_and_the_engine_make_no_system_calls() {
    let mut wrong = Vec::new();
    for (name, _, dependencies) in packages().iter().filter(|(name, ..)| ["fm", "mpi-fm"].contains(&name.as_str())) {
        let calls = dependencies.iter().filter(|one| ["libc", "rustix", "nix", "socket2", "memmap2"].contains(&one.as_str()));
        wrong.extend(calls.map(|dependency| format!("{name} depends on {dependency}")));
    }
    none("crates that make system calls", wrong);
}

/// Neither `fm` nor the engine holds a global, reads a clock or talks to the system: many ranks live in one test process.
#[test]
fn fm_and_the_engine_hold_no_global_and_read_no_clock() {
    let forbidden = Regex::new(
        r"\bstatic\s+mut\b|\bstatic\s+\w+\s*:\s*[^=]*(Atomic|Mutex|RwLock|Cell|Once|Lazy)|thread_local!|\bInstant::now|\bSystemTime\b|\bstd::(fs|net|env|process)\b|\be?println!",
    )
    .unwrap();
    let files = files();
    let sources = with_extension(&files, &["rs"]).filter(|file| file.starts_with("fm/src") || file.starts_with("mpi-fm/src"));
    let mut wrong = Vec::new();
    for file in sources {
        let text = read(file);
        let lines = code_of(&text).filter(|(_, line)| forbidden.is_match(line));
        wrong.extend(lines.map(|(number, line)| format!("{}:{number}: {}", file.display(), line.trim())));
    }
    none("globals, clocks and system calls", wrong);
}

/// The engine sees traits of `fm`, never which device is behind them.
#[test]
fn the_engine_names_no_device() {
    let devices = fs::read_dir(root().join("devices")).unwrap().flatten();
    let names: Vec<String> = devices.map(|entry| entry.file_name().into_string().unwrap()).collect();
    let name = Regex::new(&format!(r"(?i)\b({})\b", names.join("|"))).unwrap();
    let files = files();
    let mut wrong = Vec::new();
    for file in with_extension(&files, &["rs"]).filter(|file| file.starts_with("mpi-fm/src")) {
        let text = read(file);
        let lines = code_of(&text).filter(|(_, line)| name.is_match(line));
        wrong.extend(lines.map(|(number, line)| format!("{}:{number}: {}", file.display(), line.trim())));
    }
    none("devices named in the engine", wrong);
}

#[test]
fn files_are_short() {
    let files = files();
    let lines = |file: &PathBuf| {
        let text = read(file);
        let text = if file.extension().is_some_and(|extension| extension == "rs") { without_tests(&text) } else { &text };
        text.lines().count()
    };
    let long = with_extension(&files, &["rs", "c", "h", "cpp"]).filter(|file| lines(file) > 1000);
    none("more than 1,000 lines", long.map(|file| file.display().to_string()).collect());
}

#[test]
fn modules_begin_with_what_they_are_for() {
    let files = files();
    let sources = with_extension(&files, &["rs"]).filter(|file| file.iter().any(|part| part == "src"));
    let sources = sources.filter(|file| file.file_name().unwrap() != "tests.rs");
    let silent = sources.filter(|file| !read(file).trim_start().starts_with("//!"));
    none("no `//!` at the top", silent.map(|file| file.display().to_string()).collect());
}

/// Whoever is the module above has to name it (perhaps inside a macro).
#[test]
fn every_source_file_is_compiled() {
    let files = files();
    let has_parent = |file: &PathBuf| {
        let (folder, stem) = (file.parent().unwrap(), file.file_stem().unwrap().to_str().unwrap());
        let name = Regex::new(&format!(r"\b{stem}\b")).unwrap();
        let mut above = vec![folder.with_extension("rs")];
        above.extend(["lib.rs", "main.rs", "mod.rs"].map(|root| folder.join(root)));
        above.iter().any(|parent| files.contains(parent) && name.is_match(&read(parent)))
    };
    let is_root = |file: &PathBuf| {
        let name = file.file_name().unwrap().to_str().unwrap();
        let parent = file.parent().unwrap().file_name().unwrap_or_default();
        ["lib.rs", "main.rs", "build.rs", "mod.rs"].contains(&name)
            || ["bin", "tests", "benches", "examples"].iter().any(|folder| parent == *folder)
    };
    let dead = with_extension(&files, &["rs"]).filter(|file| !is_root(file) && !has_parent(file));
    none("no module declares them", dead.map(|file| file.display().to_string()).collect());
}

#[test]
fn nothing_is_left_over() {
    // Put together here, so that this file does not break its own rule.
    let words = [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("X", "XX"), concat!("HA", "CK")];
    let macros = [concat!("to", "do!"), concat!("unimple", "mented!"), concat!(r"#\[ign", "ore")];
    let pattern = format!(r"\b({})\b|{}|\bdbg!\(", words.join("|"), macros.join("|"));
    let files = files();
    none("left-overs", hits(with_extension(&files, &["rs", "c", "h", "cpp", "toml"]), &pattern));
}

/// What belongs to the machine a change was made on, or to an archive that may move, has no place in a file.
#[test]
fn no_file_names_a_machine_or_an_archive() {
    let paths = [concat!("/ro", "ot/"), concat!("/wo", "rk/"), concat!("/ho", r"me/\w")];
    let hosts = [concat!("crates", r"\.io"), concat!("pypi", r"\.org"), concat!("deb", r"\.debian\."), concat!("static", r"\.rust-lang\.")];
    let pattern = format!(r#"(^|[\s"'=(`])({})|{}"#, paths.join("|"), hosts.join("|"));
    let files = files();
    // Cargo writes its lock file itself.
    none("paths and hosts", hits(files.iter().filter(|file| *file != Path::new("Cargo.lock")), &pattern));
}

/// Words that sell instead of saying something, and words about how the code came to be.
#[test]
fn the_prose_is_plain() {
    let words = [
        concat!("blazing", "ly?"), concat!("seam", "less"), concat!("cutting", "-edge"), concat!("world", "-class"),
        concat!("state-of-", "the-art"), concat!("lever", "ag(e|es|ing)"), concat!("del", "ve"), concat!("effort", "lessly"),
        concat!("lightning", "[- ]fast"), concat!("battle", "-tested"), concat!("game", "[- ]chang"), concat!("super", "charge"),
        concat!("chat", "bot"), concat!("language ", "model"), concat!("ll", "ms?"), concat!("prompt ", "engineering"),
    ];
    let files = files();
    let prose = files.iter().filter(|file| !["Cargo.lock", "LICENSE"].iter().any(|exempt| *file == Path::new(exempt)));
    none("words", hits(prose, &format!(r"(?i)\b({})\b", words.join("|"))));
}

#[test]
fn the_top_level_is_the_agreed_layout() {
    let agreed = [
        "Cargo.toml", "Cargo.lock", "mpi-fm", "fm", "devices", "launcher", "tests", "config", "docs", "LICENSE", "README.md",
        "CHANGELOG.md",
    ];
    let tops: BTreeSet<String> =
        files().iter().map(|file| file.iter().next().unwrap().to_str().unwrap().to_owned()).collect();
    let others = tops.into_iter().filter(|name| !name.starts_with('.') && !agreed.contains(&name.as_str()));
    none("not in the layout", others.collect());
}

/// `docs/decisions/0001-title.md`, numbered without a gap.
#[test]
fn decisions_are_numbered() {
    let files = files();
    let records: Vec<_> = files.iter().filter(|file| file.starts_with("docs/decisions")).collect();
    let name = Regex::new(r"^(\d{4})-[a-z0-9-]+\.md$").unwrap();
    let mut numbers = Vec::new();
    for record in records {
        let file = record.file_name().unwrap().to_str().unwrap();
        let number = name.captures(file).map(|found| found[1].parse::<usize>().unwrap());
        numbers.push(number.unwrap_or_else(|| panic!("{} is not named NNNN-title.md", record.display())));
        assert!(read(record).starts_with("# "), "{} begins with no title", record.display());
    }
    numbers.sort();
    assert_eq!(numbers, (1..=numbers.len()).collect::<Vec<_>>(), "the numbers of docs/decisions");
}

#[test]
fn links_in_the_documents_lead_somewhere() {
    let link = Regex::new(r"\]\(([^)#\s]+)(#[^)]*)?\)").unwrap();
    let files = files();
    let mut broken = Vec::new();
    for file in with_extension(&files, &["md"]) {
        for found in link.captures_iter(&read(file)) {
            let target = &found[1];
            let here = root().join(file).parent().unwrap().join(target);
            if !target.contains("://") && !target.starts_with("mailto:") && !here.exists() {
                broken.push(format!("{}: {target}", file.display()));
            }
        }
    }
    none("broken links", broken);
}

#[test]
fn every_package_takes_the_workspace_lints() {
    let manifests = packages().into_iter().map(|(_, folder, _)| Path::new(&folder).join("Cargo.toml"));
    let without = manifests.filter(|file| !read(file).contains("[lints]\nworkspace = true"));
    none("no `[lints] workspace = true`", without.map(|file| file.display().to_string()).collect());
}
