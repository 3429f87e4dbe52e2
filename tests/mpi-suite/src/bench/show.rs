//! A table as people read it: on the terminal, and in Markdown.

use std::fmt::Write as _;

use super::table::{Cell, Table, Verdict};

pub fn print(table: &Table) {
    println!("\n{}", table.machine);
    for (name, value) in &table.floor {
        println!("floor: {name} {}", number(*value));
    }
    for cells in table.programs() {
        let peers: String = names(cells).iter().map(|name| format!("{name:>13}")).collect();
        let title = format!("{}, {} ranks", cells[0].program, cells[0].ranks);
        println!("\n{title:<27}{:>9} {:<11}{:>11}{peers}  ratio  95 %", "bytes", "unit", "ours");
        for cell in cells {
            let peers: String = names(cells).iter().map(|name| format!("{:>13}", peer(cell, name))).collect();
            let [low, high] = cell.ci;
            print!("  {:<25}{:>9} {:<11}{:>11}{peers}", cell.test, cell.bytes, cell.unit, number(cell.ours));
            match cell.verdict() {
                Verdict::Alone => println!(),
                verdict => println!(" {:>6.2}  {low:.2} to {high:.2}  {}", cell.ratio, word(verdict)),
            }
        }
    }
    if !table.failures.is_empty() {
        println!("\nwhat did not come to its end:");
    }
    for failure in &table.failures {
        println!("  {} under {}, {} times: {}", failure.program, failure.mpi, failure.times, failure.why);
    }
    println!("\n{}\n", sums(table));
    for demand in &table.must_show {
        let verdict = if demand.met { "met" } else if demand.figure.is_none() { "" } else { "NOT MET" };
        let (figure, note) = (demand.figure_shown(), &demand.note);
        println!("{}  {:<66}{figure:>10}  {:<14}{verdict:<8}{note}", demand.line, demand.what, demand.bound_shown());
    }
}

/// The same as Markdown.
pub fn markdown(table: &Table) -> String {
    let mut text = format!("# Measured side by side\n\n{}; medians of {} rounds.", table.machine, table.settings["rounds"]);
    text += " A ratio below 1 means ahead of the best of the others.\n\n";
    for (name, settings) in table.settings.iter().filter(|(name, _)| *name != "rounds") {
        let _ = writeln!(text, "- {name}: `{settings}`");
    }
    text += "\n## What is demanded\n\n| line | what | figure | bound | |\n|---|---|---|---|---|\n";
    for demand in &table.must_show {
        let verdict = if demand.met { "met" } else if demand.figure.is_none() { "" } else { "**not met**" };
        let (figure, bound) = (demand.figure_shown(), demand.bound_shown());
        let _ = writeln!(text, "| {} | {} | {figure} | {bound} | {verdict} {} |", demand.line, demand.what, demand.note);
    }
    text += "\n## Floor\n\n| what | figure |\n|---|---|\n";
    for (name, value) in &table.floor {
        let _ = writeln!(text, "| {name} | {} |", number(*value));
    }
    let mut line = 0;
    for cells in table.programs() {
        if cells[0].line != line {
            line = cells[0].line;
            let _ = writeln!(text, "\n## Table {line}");
        }
        section(&mut text, cells);
    }
    if !table.failures.is_empty() {
        text += "\n## What did not come to its end\n\n| program | under | times | |\n|---|---|---|---|\n";
    }
    for failure in &table.failures {
        let why = failure.why.replace('|', "\\|");
        let _ = writeln!(text, "| {} | {} | {} | {why} |", failure.program, failure.mpi, failure.times);
    }
    let _ = writeln!(text, "\n{}", sums(table));
    text
}

fn section(text: &mut String, cells: &[Cell]) {
    let names = names(cells);
    let header: String = names.iter().map(|name| format!(" {name} |")).collect();
    let _ = writeln!(text, "\n### {}, {} ranks\n", cells[0].program, cells[0].ranks);
    let _ = writeln!(text, "| test | bytes | unit | ours |{header} ratio | 95 % | |");
    let _ = writeln!(text, "|---|---|---|---|{}---|---|---|", "---|".repeat(names.len()));
    for cell in cells {
        let best = |name: &str| if cell.best == name { "**" } else { "" };
        let peers: String = names.iter().map(|name| format!(" {0}{1}{0} |", best(name), peer(cell, name))).collect();
        let _ = write!(text, "| {} | {} | {} | {} |{peers}", cell.test, cell.bytes, cell.unit, number(cell.ours));
        let [low, high] = cell.ci;
        let _ = match cell.verdict() {
            Verdict::Alone => writeln!(text, " | | |"),
            verdict => writeln!(text, " {:.2} | {low:.2} to {high:.2} | {} |", cell.ratio, word(verdict)),
        };
    }
}

fn sums(table: &Table) -> String {
    let counts = [Verdict::Ahead, Verdict::Even, Verdict::AtFloor, Verdict::Behind]
        .map(|verdict| format!("{} {}", table.count(verdict), word(verdict)));
    format!("{} cells: {}", table.cells.len(), counts.join(", "))
}

fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Ahead => "ahead",
        Verdict::Even => "even",
        Verdict::AtFloor => "at the floor",
        Verdict::Behind => "behind",
        Verdict::Alone => "",
    }
}

/// Everybody who has a value in one of these cells.
fn names(cells: &[Cell]) -> Vec<&str> {
    let all: std::collections::BTreeSet<&str> = cells.iter().flat_map(|cell| cell.peers.keys().map(String::as_str)).collect();
    all.into_iter().collect()
}

fn peer(cell: &Cell, name: &str) -> String {
    cell.peers.get(name).map_or_else(|| "-".into(), |value| number(*value))
}

pub fn number(value: f64) -> String {
    match value {
        0.0..10.0 => format!("{value:.3}"),
        10.0..1000.0 => format!("{value:.1}"),
        _ => format!("{value:.0}"),
    }
}
