//! The wrapper's names, the compilers behind them, and the options that it answers itself: the parser, the help text and
//! the man page derive from these tables.

/// A language, and where its compiler comes from.
pub struct Language {
    pub name: &'static str,
    /// Names of the wrapper that mean this language.
    pub wrappers: &'static [&'static str],
    /// Tried in this order when nothing else names a compiler.
    pub compilers: &'static [&'static str],
    /// Variables that name the compiler, ours first, then those that users of other implementations have set.
    pub environment: &'static [&'static str],
    /// Options that name the compiler, to be followed by `=`.
    pub choose: &'static [&'static str],
    /// The interfaces for it do not exist yet.
    pub fortran: bool,
}

pub static C: Language = Language {
    name: "C",
    wrappers: &["mpicc", "mpicc_abi"],
    compilers: &["gcc", "cc", "clang"],
    environment: &["HPVM_CC", "MPICH_CC", "OMPI_CC", "I_MPI_CC"],
    choose: &["-cc"],
    fortran: false,
};

static CXX: Language = Language {
    name: "C++",
    wrappers: &["mpicxx", "mpic++", "mpiCC"],
    compilers: &["g++", "c++", "clang++"],
    environment: &["HPVM_CXX", "MPICH_CXX", "OMPI_CXX", "I_MPI_CXX"],
    choose: &["-cxx", "-CC"],
    fortran: false,
};

static FORTRAN: Language = Language {
    name: "Fortran",
    wrappers: &["mpifort", "mpif90", "mpif77"],
    compilers: &["gfortran", "f95", "flang"],
    environment: &["HPVM_FC", "MPICH_FC", "MPICH_F90", "MPICH_F77", "OMPI_FC", "I_MPI_FC", "I_MPI_F90", "I_MPI_F77"],
    choose: &["-fc", "-f90", "-f77"],
    fortran: true,
};

/// The language that a name of the wrapper stands for.
pub fn by_name(name: &str) -> Option<&'static Language> {
    [&C, &CXX, &FORTRAN].into_iter().find(|language| language.wrappers.contains(&name))
}

/// A question about the wrapper: it is answered instead of compiling.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Info {
    /// The command that would run, with the other arguments.
    Show,
    /// The flags for compiling, alone.
    Compile,
    /// The flags for linking, alone.
    Link,
    /// The compiler's name.
    Command,
    IncludeDirs,
    LibraryDirs,
    Libraries,
    Version,
    /// The compiler and its flags for compiling.
    WholeCompile,
    /// The compiler and its flags for compiling and linking.
    WholeLink,
    Help,
}

/// An option of the wrapper's own, its names without dashes: one dash and two mean the same.
pub struct Opt {
    pub names: &'static [&'static str],
    pub means: Means,
    pub help: &'static str,
}

pub enum Means {
    Info(Info),
    /// Print the command, then run it.
    Echo,
    /// Print the wrapper's version; the compiler is told too.
    Verbose,
}

use Means::{Echo, Verbose};

const fn info(names: &'static [&'static str], info: Info, help: &'static str) -> Opt {
    Opt { names, means: Means::Info(info), help }
}

pub const OPTIONS: &[Opt] = &[
    info(&["show", "showme"], Info::Show, "print the command instead of running it"),
    info(&["showme:compile"], Info::Compile, "print the flags for compiling"),
    info(&["showme:link"], Info::Link, "print the flags for linking"),
    info(&["showme:command"], Info::Command, "print the compiler's name"),
    info(&["showme:incdirs"], Info::IncludeDirs, "print the folders with headers"),
    info(&["showme:libdirs"], Info::LibraryDirs, "print the folders with libraries"),
    info(&["showme:libs"], Info::Libraries, "print the libraries' names"),
    info(&["showme:version"], Info::Version, "print the version of HPVM"),
    info(
        &["compile_info", "compile-info", "show-compile-info"],
        Info::WholeCompile,
        "print the compiler with its flags for compiling",
    ),
    info(
        &["link_info", "link-info", "show-link-info"],
        Info::WholeLink,
        "print the compiler with its flags for compiling and linking",
    ),
    info(&["help", "showme:help"], Info::Help, "print this text"),
    Opt { names: &["echo"], means: Echo, help: "print the command, then run it" },
    Opt { names: &["v"], means: Verbose, help: "print the version of HPVM and of the compiler" },
];

/// What `-help` prints.
pub fn help(called: &str, language: &Language) -> String {
    let mut text = format!(
        "Compiles and links {} programs that use MPI: adds what MPI needs to the compiler's command line.\n\n\
         Usage: {called} [OPTIONS] [COMPILER'S ARGUMENTS]\n\nOptions (with one dash or two; all others are the compiler's):\n",
        language.name
    );
    let mut row = |names: &str, help: &str| text += &format!("  {names:<32}  {help}\n");
    for option in OPTIONS {
        let names: Vec<_> = option.names.iter().map(|name| format!("-{name}")).collect();
        row(&names.join(", "), option.help);
    }
    for choose in language.choose {
        row(&format!("{choose}=COMPILER"), "use this compiler");
    }
    text + &format!(
        "\nEnvironment:\n  {}\n  name the compiler; the first that is set counts. Without any: {}.",
        language.environment.join(", "),
        language.compilers.join(", ")
    )
}
