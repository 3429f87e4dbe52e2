//! The compiler wrappers, in a prefix of their own with an MPI library of one function: what build systems ask them,
//! what they hand to the compiler, and what they say when they cannot.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::symlink;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use rstest::rstest;
use tempfile::TempDir;

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// An installed prefix: wrapper under all its names, header, library. And beside it `fake`, a compiler that prints its
/// arguments.
struct Place {
    dir: TempDir,
}

impl Place {
    fn new() -> Place {
        let place = Place { dir: tempfile::tempdir().unwrap() };
        for folder in ["bin", "include", "lib"] {
            fs::create_dir_all(place.prefix().join(folder)).unwrap();
        }
        install(Path::new(env!("CARGO_BIN_EXE_mpicc")), &place.tool("mpicc"));
        for name in ["mpicc_abi", "mpicxx", "mpic++", "mpiCC", "mpifort", "mpif90", "mpif77"] {
            symlink("mpicc", place.tool(name)).unwrap();
        }
        fs::write(
            place.prefix().join("include/mpi.h"),
            "#ifdef __cplusplus\nextern \"C\"\n#endif\nint MPI_Answer(void);\n",
        )
        .unwrap();
        place.script("fake", "echo FAKE \"$@\"");
        place
    }

    /// With a library that really links.
    fn with_library() -> Place {
        let place = Place::new();
        let source = place.file("answer.c", "int MPI_Answer(void) { return 42; }\n");
        let library = place.prefix().join("lib/libmpi_abi.so");
        let built = Command::new("gcc")
            .args(["-shared", "-fPIC", "-Wl,-soname,libmpi_abi.so", "-o"])
            .args([&library, &source])
            .status();
        assert!(built.unwrap().success());
        place
    }

    /// Its name has a space in it: nothing may trip over that.
    fn prefix(&self) -> PathBuf {
        self.dir.path().join("pre fix")
    }

    fn tool(&self, name: &str) -> PathBuf {
        self.prefix().join("bin").join(name)
    }

    fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.dir.path().join(name);
        fs::write(&path, text).unwrap();
        path
    }

    fn script(&self, name: &str, body: &str) -> PathBuf {
        let text = self.file(&format!("{name}.text"), &format!("#!/bin/sh\n{body}\n"));
        let path = self.dir.path().join(name);
        install(&text, &path);
        path
    }

    /// The wrapper, in an environment without anyone's compiler variables.
    fn command(&self, name: &str) -> Command {
        let mut command = Command::new(self.tool(name));
        for maker in ["HPVM", "MPICH", "OMPI", "I_MPI"] {
            for what in ["CC", "CXX", "FC", "F90", "F77"] {
                command.env_remove(format!("{maker}_{what}"));
            }
        }
        command
    }

    fn ask(&self, name: &str, args: &[&str]) -> String {
        let output = self.command(name).args(args).output().unwrap();
        assert!(output.status.success(), "{name} {args:?}: {output:?}");
        assert!(output.stderr.is_empty(), "clients read standard error too: {output:?}");
        text(&output.stdout).trim_end().to_owned()
    }

    /// `P` stands for the prefix.
    fn ours(&self, text: &str) -> String {
        let quoted = |word: &str| {
            if word.contains('P') && word.contains('/') {
                format!("'{}'", word.replace("P/", &format!("{}/", self.prefix().display())))
            } else {
                word.to_owned()
            }
        };
        text.split(' ').map(quoted).collect::<Vec<_>>().join(" ")
    }
}

/// Copies an executable in a process of its own. Written by this one, it could not be started (ETXTBSY) as long as a child
/// that another test has just forked holds the file open for writing.
fn install(from: &Path, to: &Path) {
    let status = Command::new("install").args(["-m", "755"]).args([from, to]).status();
    assert!(status.unwrap().success(), "installing {}", to.display());
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn error_of(output: &Output) -> String {
    assert!(!output.status.success(), "{output:?}");
    text(&output.stderr)
}

const LINK: &str = "-LP/lib -Wl,-rpath,P/lib -Wl,--enable-new-dtags -lmpi_abi";

#[rstest]
#[case("showme:compile", "-IP/include")]
#[case("showme:link", "LINK")]
#[case("showme:command", "gcc")]
#[case("showme:incdirs", "P/include")]
#[case("showme:libdirs", "P/lib")]
#[case("showme:libs", "mpi_abi")]
#[case("show", "gcc -IP/include LINK")]
#[case("showme", "gcc -IP/include LINK")]
#[case("compile_info", "gcc -IP/include")]
#[case("compile-info", "gcc -IP/include")]
#[case("link_info", "gcc -IP/include LINK")]
#[case("link-info", "gcc -IP/include LINK")]
fn questions_are_answered_with_one_dash_and_two(#[case] option: &str, #[case] answer: &str) {
    let place = Place::new();
    let answer = place.ours(&answer.replace("LINK", LINK));
    for dashes in ["-", "--"] {
        assert_eq!(place.ask("mpicc", &[&format!("{dashes}{option}")]), answer);
    }
    assert_eq!(place.ask("mpicxx", &[&format!("-{option}")]), answer.replace("gcc", "g++"));
}

#[rstest]
#[case("mpicc", "C")]
#[case("mpicc_abi", "C")]
#[case("mpicxx", "C++")]
#[case("mpic++", "C++")]
#[case("mpiCC", "C++")]
#[case("mpifort", "Fortran")]
#[case("mpif90", "Fortran")]
#[case("mpif77", "Fortran")]
fn every_name_knows_its_language(#[case] name: &str, #[case] language: &str) {
    let place = Place::new();
    assert_eq!(place.ask(name, &["-showme:version"]), format!("{name}: HPVM {VERSION} (Language: {language})"));
    assert_eq!(place.ask(name, &["--showme:compile"]), place.ours("-IP/include"));
    for option in ["-help", "--help", "-showme:help"] {
        assert!(place.ask(name, &[option]).starts_with(&format!("Compiles and links {language} programs")));
    }
}

#[rstest]
#[case("-v")]
#[case("--v")]
fn v_says_the_version_first_and_asks_the_compiler_too(#[case] option: &str) {
    let place = Place::new();
    let answer = place.ask("mpicc", &[option, &format!("-cc={}", place.dir.path().join("fake").display())]);
    let mut lines = answer.lines();
    assert_eq!(lines.next().unwrap(), format!("mpicc for HPVM version {VERSION}"));
    let compiler = lines.next().unwrap();
    assert!(compiler.ends_with(" -v"), "no library without input, or the compiler would try to link: {compiler}");
}

#[test]
fn v_needs_no_compiler() {
    let place = Place::new();
    let answer = place.ask("mpifort", &["-v", "-fc=/nowhere/gfortran"]);
    assert_eq!(answer, format!("mpifort for HPVM version {VERSION}"));
}

#[rstest]
#[case(&["-c", "a.c"])]
#[case(&["a.c", "-o", "a.o", "-c"])]
#[case(&["-E", "a.c"])]
#[case(&["-S", "a.c"])]
#[case(&["-M", "a.c"])]
#[case(&["-MM", "a.c"])]
#[case(&["-fsyntax-only", "a.c"])]
#[case(&["-r", "a.o", "b.o"])]
#[case(&["--version"])]
#[case(&["-dumpmachine"])]
fn nothing_to_link_no_library(#[case] args: &[&str]) {
    let place = Place::new();
    let shown = place.ask("mpicc", &[args, &["-show"]].concat());
    assert_eq!(shown, place.ours(&format!("gcc -IP/include {}", args.join(" "))));
}

#[rstest]
#[case(&["a.c", "-o", "a"])]
#[case(&["-MMD", "-MP", "a.c"])]
#[case(&["-v", "a.o"])]
#[case(&["-xc", "-"])]
#[case(&["-shared", "a.o"])]
fn the_library_comes_last(#[case] args: &[&str]) {
    let place = Place::new();
    let shown = place.ask("mpicc", &[&["-show"], args].concat());
    assert_eq!(shown, place.ours(&format!("gcc -IP/include {} {LINK}", args.join(" "))));
}

#[rstest]
#[case("mpicc", &["HPVM_CC", "MPICH_CC", "OMPI_CC", "I_MPI_CC"], "-cc")]
#[case("mpicxx", &["HPVM_CXX", "MPICH_CXX", "OMPI_CXX", "I_MPI_CXX"], "-cxx")]
#[case("mpifort", &["HPVM_FC", "MPICH_FC", "OMPI_FC", "I_MPI_FC"], "-fc")]
fn the_compiler_is_chosen_by_option_then_by_environment(
    #[case] tool: &str,
    #[case] variables: &[&str],
    #[case] option: &str,
) {
    let place = Place::new();
    for (index, variable) in variables.iter().enumerate() {
        let mut command = place.command(tool);
        command.arg("-showme:command").env(variable, "chosen -m64");
        for weaker in &variables[index + 1..] {
            command.env(weaker, "weaker");
        }
        assert_eq!(text(&command.output().unwrap().stdout), "chosen -m64\n", "{variable}");
    }
    let output = place.command(tool).env(variables[0], "weaker").args([&format!("{option}=strong"), "-showme:command"]).output();
    assert_eq!(text(&output.unwrap().stdout), "strong\n");
    let output = place.command(tool).env(variables[0], "").env(variables[1], "other").arg("-showme:command").output();
    assert_eq!(text(&output.unwrap().stdout), "other\n", "an empty variable is none");
}

#[test]
fn the_ending_is_the_compilers() {
    let place = Place::new();
    place.script("seven", "exit 7");
    place.script("killed", "kill -9 $$");
    let run = |compiler: &str| {
        let compiler = place.dir.path().join(compiler);
        place.command("mpicc").env("HPVM_CC", compiler).args(["-c", "a.c"]).status().unwrap()
    };
    assert_eq!(run("seven").code(), Some(7));
    assert_eq!(run("killed").signal(), Some(9));
}

#[test]
fn arguments_reach_the_compiler_as_they_were() {
    let place = Place::new();
    let compiler = place.script("each", "for word; do echo \"<$word>\"; done");
    let output = place.command("mpicc").env("HPVM_CC", compiler).args(["-c", "a b.c", "-DX=\"y z\"", "*"]).output();
    let lines = text(&output.unwrap().stdout);
    assert!(lines.ends_with("<-c>\n<a b.c>\n<-DX=\"y z\">\n<*>\n"), "{lines}");
}

#[test]
fn echo_prints_and_runs() {
    let place = Place::new();
    let fake = place.dir.path().join("fake");
    let output = place.command("mpicc").env("HPVM_CC", &fake).args(["-echo", "-c", "a.c"]).output().unwrap();
    // Outside of what `ours` replaces: the name of a temporary folder may hold a P too.
    let expected = format!("{} {}", fake.display(), place.ours("-IP/include -c a.c"));
    assert_eq!(text(&output.stderr).trim_end(), expected);
    assert!(text(&output.stdout).starts_with("FAKE "));
}

#[test]
fn links_from_elsewhere_find_the_prefix() {
    let place = Place::new();
    let link = |name: &str, to: &Path| {
        let link = place.dir.path().join(name);
        symlink(to, &link).unwrap();
        text(&Command::new(link).args(["-showme:compile", "-showme"]).output().unwrap().stdout)
    };
    let answer = place.ours("-IP/include") + "\n";
    assert_eq!(link("mpicxx", &place.tool("mpicxx")), answer);
    assert_eq!(link("my-cc", &place.tool("mpicc")), answer, "a name that says nothing");
    assert_eq!(link("chain", &place.dir.path().join("my-cc")), answer);
}

#[test]
fn programs_compile_and_run_also_after_the_prefix_moved() {
    let place = Place::with_library();
    let source = "#include <mpi.h>\nint main(void) { return MPI_Answer(); }\n";
    let c = place.file("main.c", source);
    let cxx = place.file("main.cpp", source);
    let program = place.dir.path().join("program");
    let check = |tool: &Path, source: &Path| {
        let _ = fs::remove_file(&program);
        let output = Command::new(tool).arg(source).arg("-o").arg(&program).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        let status = Command::new(&program).env_remove("LD_LIBRARY_PATH").status().unwrap();
        assert_eq!(status.code(), Some(42), "the program finds the library by its run path");
    };
    check(&place.tool("mpicc"), &c);
    check(&place.tool("mpicxx"), &cxx);
    let moved = place.dir.path().join("moved");
    fs::rename(place.prefix(), &moved).unwrap();
    check(&moved.join("bin/mpicc"), &c);
    check(&moved.join("bin/mpicxx"), &cxx);

    // Compiling and linking in two steps, the second by what -show says, as a shell reads it.
    let object = place.dir.path().join("main.o");
    let status = Command::new(moved.join("bin/mpicc")).arg("-c").arg(&c).arg("-o").arg(&object).status();
    assert!(status.unwrap().success());
    let shown = Command::new(moved.join("bin/mpicc")).arg("-show").arg(&object).arg("-o").arg(&program).output();
    assert!(Command::new("sh").arg("-c").arg(text(&shown.unwrap().stdout)).status().unwrap().success());
    assert_eq!(Command::new(&program).status().unwrap().code(), Some(42));
}

#[rstest]
#[case(&["a.c"], "HPVM_CC", "nowhere-cc", "no C compiler: nowhere-cc is not in PATH")]
#[case(&["a.c"], "HPVM_CC", "/nowhere/cc -m64", "no C compiler: /nowhere/cc is not in PATH")]
#[case(&[], "HPVM_CC", "gcc", "no input files")]
fn what_cannot_be_done_is_said(
    #[case] args: &[&str],
    #[case] variable: &str,
    #[case] compiler: &str,
    #[case] says: &str,
) {
    let place = Place::new();
    let error = error_of(&place.command("mpicc").env(variable, compiler).args(args).output().unwrap());
    assert!(error.starts_with(&format!("mpicc: {says}")), "{error}");
}

#[test]
fn a_wrapper_is_not_its_own_compiler() {
    let place = Place::new();
    let error = error_of(&place.command("mpicc").env("HPVM_CC", place.tool("mpicxx")).arg("a.c").output().unwrap());
    assert!(error.contains("is this wrapper itself"), "{error}");
}

#[test]
fn outside_a_prefix_it_says_what_is_missing() {
    let place = Place::new();
    fs::remove_file(place.prefix().join("include/mpi.h")).unwrap();
    let error = error_of(&place.command("mpicc").arg("a.c").output().unwrap());
    assert!(error.contains("include/mpi.h is missing"), "{error}");
}

#[rstest]
#[case("mpifort")]
#[case("mpif90")]
#[case("mpif77")]
fn fortran_is_refused_in_words(#[case] name: &str) {
    let place = Place::new();
    let error = error_of(&place.command(name).args(["-c", "a.f90"]).output().unwrap());
    assert!(error.contains("Fortran interfaces (mpif.h, use mpi, use mpi_f08) are not built yet"), "{error}");
    assert_eq!(
        place.ask(name, &["-show", "-fc=gfortran"]),
        place.ours(&format!("gfortran -IP/include {LINK}")),
        "questions are answered all the same"
    );
}

#[test]
fn the_compilers_own_questions_pass_through() {
    let place = Place::new();
    let machine = Command::new("gcc").arg("-dumpmachine").output().unwrap();
    assert_eq!(place.ask("mpicc", &["-dumpmachine"]), text(&machine.stdout).trim_end());
    let output = place.command("mpicc").arg(OsStr::new("--version")).output().unwrap();
    assert!(output.status.success());
}
