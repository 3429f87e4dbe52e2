//! `mpi.h` and the table say the same: every row, printed as a C function type, is compared by the C and the C++ compiler with
//! what the header declares. And the table has the functions it should have.

use mpi_fm_abi::table::{self, Row};
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

fn crate_file(path: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// `*const *mut c_char` as C writes it.
fn c_type(rust: &str, large: bool) -> String {
    if let Some(function) = rust.strip_prefix("Option<").and_then(|rest| rest.strip_suffix('>')) {
        return format!("{function} *");
    }
    if let Some(pointee) = rust.strip_prefix("*mut ") {
        return match pointee.strip_prefix('[').and_then(|array| array.strip_suffix("; 3]")) {
            Some(element) => format!("{} (*)[3]", c_type(element, large)),
            None => format!("{} *", c_type(pointee, large)),
        };
    }
    if let Some(pointee) = rust.strip_prefix("*const ") {
        return format!("const {} *", c_type(pointee, large));
    }
    match (rust, large) {
        ("N" | "D", false) | ("c_int" | "", _) => "int",
        ("N", true) | ("A", true) => "MPI_Count",
        ("D", true) | ("A", false) => "MPI_Aint",
        ("c_char", _) => "char",
        ("c_double", _) => "double",
        ("c_void", _) => "void",
        _ => rust,
    }
    .into()
}

/// Two lines of C that compile only if the header declares the function, and its `PMPI_` name, with just this type.
fn checks(row: &Row) -> String {
    let mut params: Vec<String> = row.params.iter().map(|(_, kind)| c_type(kind, row.large)).collect();
    if params.is_empty() {
        params.push("void".into());
    }
    // The one function of the standard with an open parameter list. Rust cannot define one; for a callee that reads none of
    // the open arguments the calling conventions are the same.
    if row.name == "MPI_Pcontrol" {
        params.push("...".into());
    }
    let (returns, name, params) = (c_type(row.returns, row.large), row.name, params.join(", "));
    ["", "P"].map(|prefix| format!("{returns} (*check_{prefix}{name})({params}) = {prefix}{name};\n")).concat()
}

/// Runs a compiler over `source` with the header's folder in its path; its complaints if it has any.
fn compile(compiler: &str, language: &str, standard: &str, source: &str) -> Result<(), String> {
    let mut child = Command::new(compiler)
        .args(["-fsyntax-only", "-Wall", "-Wextra", "-pedantic", "-Werror", "-x", language])
        .arg(format!("-std={standard}"))
        .arg("-I")
        .arg(crate_file("include"))
        .arg("-")
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("cannot run {compiler}: {error}"));
    child.stdin.take().unwrap().write_all(source.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let complaints = String::from_utf8_lossy(&output.stderr);
    if output.status.success() { Ok(()) } else { Err(format!("{compiler} -std={standard}: {complaints}")) }
}

#[test]
fn every_row_has_the_type_that_the_header_declares() {
    let mut source = String::from("#include <mpi.h>\n");
    for row in table::rows() {
        source += &checks(row);
    }
    compile("cc", "c", "c11", &source).unwrap();
    compile("c++", "c++", "c++17", &source).unwrap();
}

#[test]
fn a_wrong_row_is_found() {
    for wrong in ["int (*f)(int) = MPI_Comm_rank;", "int (*f)(void *, MPI_Count) = MPI_Buffer_attach;", "int (*f)(void) = MPI_Hello;"] {
        assert!(compile("cc", "c", "c11", &format!("#include <mpi.h>\n{wrong}\n")).is_err(), "{wrong}");
    }
}

#[test]
fn the_header_compiles_in_every_dialect() {
    let source = "#include <mpi.h>\n#include <mpi.h>\n";
    for standard in ["c89", "c99", "c11", "c17", "c2x"] {
        compile("cc", "c", standard, source).unwrap();
    }
    for standard in ["c++98", "c++11", "c++14", "c++17", "c++20", "c++2b"] {
        compile("c++", "c++", standard, source).unwrap();
    }
}

#[test]
fn rust_and_c_agree_on_sizes() {
    let mut source = String::from("#include <mpi.h>\n#include <assert.h>\n");
    for (name, size) in [
        ("MPI_Comm", size_of::<mpi_fm_abi::types::MPI_Comm>()),
        ("MPI_Status", size_of::<mpi_fm_abi::types::MPI_Status>()),
        ("MPI_Aint", size_of::<mpi_fm_abi::types::MPI_Aint>()),
        ("MPI_Count", size_of::<mpi_fm_abi::types::MPI_Count>()),
        ("MPI_Fint", size_of::<mpi_fm_abi::types::MPI_Fint>()),
        ("MPI_T_cb_safety", size_of::<mpi_fm_abi::types::MPI_T_cb_safety>()),
        ("MPI_T_source_order", size_of::<mpi_fm_abi::types::MPI_T_source_order>()),
        ("MPI_User_function *", size_of::<Option<mpi_fm_abi::types::MPI_User_function>>()),
    ] {
        writeln!(source, "static_assert(sizeof({name}) == {size}, \"{name}\");").unwrap();
    }
    for (class, name, _) in mpi_fm::Class::ALL {
        writeln!(source, "static_assert({name} == {}, \"{name}\");", class.0).unwrap();
    }
    compile("cc", "c", "c11", &source).unwrap();
}

/// The first word of each line that is no comment.
fn names_in(file: &str) -> BTreeSet<String> {
    let text = std::fs::read_to_string(crate_file(file)).unwrap();
    text.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split(' ').next()).filter(|name| !name.is_empty()).map(String::from).collect()
}

#[test]
fn the_table_has_the_functions_of_the_lists() {
    let standard = names_in("functions.txt");
    let extra = names_in("extra.txt");
    assert_eq!(standard.len(), 664, "MPI 5.0 has so many functions");
    let listed: BTreeSet<String> = standard.union(&extra).cloned().collect();
    assert_eq!(listed.len(), standard.len() + extra.len(), "an extra function is one that the standard does not have");
    let rows: Vec<String> = table::rows().map(|row| row.name.to_owned()).collect();
    let table: BTreeSet<String> = rows.iter().cloned().collect();
    assert_eq!(table.len(), rows.len(), "a function has two rows");
    assert_eq!(listed.difference(&table).collect::<Vec<_>>(), Vec::<&String>::new(), "not in the table");
    assert_eq!(table.difference(&listed).collect::<Vec<_>>(), Vec::<&String>::new(), "not in the lists");
    let launcher: BTreeSet<String> = hpvm_wire::calls::NAMES.iter().map(|name| name.to_string()).collect();
    assert_eq!(launcher, table, "the launcher's list of names");
}

#[test]
fn all_entry_points_are_kept() {
    assert_eq!(table::keep(), table::rows().count());
}
