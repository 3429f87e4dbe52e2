//! `docs/coverage.md` says which functions are built; it is written from the table.
//!
//! `HPVM_UPDATE=1 cargo test -p mpi-abi --test coverage` writes it anew.

use mpi_fm_abi::table::{self, CHAPTERS, Row};
use std::fmt::Write as _;
use std::path::Path;

fn coverage() -> String {
    let (built, all) = (table::rows().filter(|row| row.built).count(), table::rows().count());
    let mut text = format!(
        "# Which functions are built\n\n\
         Generated from the table in `mpi-fm/abi/src/table/` (`HPVM_UPDATE=1 cargo test -p mpi-abi --test coverage`).\n\n\
         All {all} functions are exported. {built} are built. The others raise `MPI_ERR_UNSUPPORTED_OPERATION` through the error \
         handler in charge, with a text that names the function.\n\n\
         | chapter | MPI 5.0 section | functions | built |\n|---|---|---:|---:|\n"
    );
    let rows_of = |index: usize| CHAPTERS[index].rows.iter().flat_map(|(row, twin)| std::iter::once(row).chain(twin));
    for (index, chapter) in CHAPTERS.iter().enumerate() {
        let built = rows_of(index).filter(|row| row.built).count();
        writeln!(text, "| {} | {} | {} | {built} |", chapter.title, chapter.section, rows_of(index).count()).unwrap();
    }
    writeln!(text, "| all | | {all} | {built} |").unwrap();
    for (index, chapter) in CHAPTERS.iter().enumerate() {
        writeln!(text, "\n## {} ({})\n", chapter.title, chapter.section).unwrap();
        for (heading, wanted) in [("Built", true), ("Not built", false)] {
            let names: Vec<&str> = rows_of(index).filter(|row: &&Row| row.built == wanted).map(|row| row.name).collect();
            if !names.is_empty() {
                writeln!(text, "{heading}: {}.\n", names.join(", ")).unwrap();
            }
        }
        text.truncate(text.trim_end().len());
        text.push('\n');
    }
    text
}

#[test]
fn docs_coverage_is_current() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/coverage.md");
    let wanted = coverage();
    if std::env::var_os("HPVM_UPDATE").is_some() {
        std::fs::write(&file, &wanted).unwrap();
    }
    let found = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(found == wanted, "docs/coverage.md is not what the table says: HPVM_UPDATE=1 cargo test -p mpi-abi --test coverage");
}
