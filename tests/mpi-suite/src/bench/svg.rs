//! Plots, one file each: what a test takes over the message's size, or over the number of ranks. Both axes are logarithmic.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

use anyhow::{Context, Result};

use super::table::{Cell, Table};

struct Plot {
    /// Ends the file's name.
    name: String,
    title: String,
    x: &'static str,
    y: String,
    /// Ours first.
    curves: Vec<(String, Vec<(f64, f64)>)>,
}

/// Fewer points are no curve.
const POINTS_MIN: usize = 3;

/// Writes them beside the report: `F.json` gives `F-latency.svg` and its like.
pub fn write_all(table: &Table, report: &Path) -> Result<()> {
    let stem = report.file_stem().unwrap_or_default().to_string_lossy();
    for plot in plots(table) {
        let path = report.with_file_name(format!("{stem}-{}.svg", plot.name));
        std::fs::write(&path, plot.draw()).with_context(|| format!("writing {}", path.display()))?;
    }
    Ok(())
}

fn plots(table: &Table) -> Vec<Plot> {
    let tests = table.cells.chunk_by(|a, b| (&a.test, a.ranks) == (&b.test, b.ranks));
    let by_size = tests.filter_map(|cells| {
        let cells: Vec<&Cell> = cells.iter().filter(|cell| cell.bytes > 0).collect();
        let first = cells.first()?;
        let title = format!("{}, {} ranks", first.test, first.ranks);
        Plot::new(&cells, first.test.clone(), title, "bytes", |cell| cell.bytes as f64)
    });
    let mut over_ranks: BTreeMap<(&str, u64), Vec<&Cell>> = BTreeMap::new();
    for cell in &table.cells {
        over_ranks.entry((&cell.test, cell.bytes)).or_default().push(cell);
    }
    let by_ranks = over_ranks.into_iter().filter_map(|((test, bytes), mut cells)| {
        // Two ranks with a core for each are another matter than many without.
        if cells[0].line == 2 || cells.iter().any(|cell| cell.line == 3) {
            cells.retain(|cell| cell.line == 3);
        }
        let (name, title) = (format!("{test}-{bytes}-ranks"), format!("{test}, {bytes} bytes"));
        Plot::new(&cells, name, title, "ranks", |cell| cell.ranks as f64)
    });
    by_size.chain(by_ranks).collect()
}

/// Colours that are told apart with any eyes (Okabe and Ito), ours first.
const COLOURS: [&str; 8] = ["#D55E00", "#0072B2", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#999999", "#000000"];

const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 440.0;
const LEFT: f64 = 70.0;
const TOP: f64 = 40.0;
const RIGHT: f64 = 150.0;
const BOTTOM: f64 = 50.0;

impl Plot {
    fn new(cells: &[&Cell], name: String, title: String, x: &'static str, at: impl Fn(&Cell) -> f64) -> Option<Plot> {
        let places: BTreeSet<u64> = cells.iter().map(|cell| at(cell) as u64).collect();
        if places.len() < POINTS_MIN {
            return None;
        }
        let names: BTreeSet<&String> = cells.iter().flat_map(|cell| cell.peers.keys()).collect();
        let mut curves = vec![("ours".to_owned(), cells.iter().map(|cell| (at(cell), cell.ours)).collect())];
        for name in names {
            let points = cells.iter().filter_map(|cell| Some((at(cell), *cell.peers.get(name)?)));
            curves.push((name.clone(), points.collect()));
        }
        Some(Plot { name, title, x, y: cells[0].unit.clone(), curves })
    }

    fn draw(&self) -> String {
        let points = || self.curves.iter().flat_map(|(_, points)| points);
        let x = Axis::over(points().map(|point| point.0), 2.0, LEFT, WIDTH - RIGHT);
        let y = Axis::over(points().map(|point| point.1), 10.0, HEIGHT - BOTTOM, TOP);
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"sans-serif\" font-size=\"12\">\n\
             <rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n\
             <text x=\"{LEFT}\" y=\"22\" font-size=\"15\">{} ({})</text>\n",
            self.title, self.y
        );
        self.draw_grid(&mut svg, &x, &y);
        for (index, (name, points)) in self.curves.iter().enumerate() {
            let colour = COLOURS[index % COLOURS.len()];
            let width = if index == 0 { 3.0 } else { 1.5 };
            let path: String = points.iter().map(|&(a, b)| format!("{:.1},{:.1} ", x.place(a), y.place(b))).collect();
            let _ = writeln!(svg, "<polyline points=\"{path}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"{width}\"/>");
            for &(a, b) in points {
                let (a, b) = (x.place(a), y.place(b));
                let _ = writeln!(svg, "<circle cx=\"{a:.1}\" cy=\"{b:.1}\" r=\"{}\" fill=\"{colour}\"/>", width + 1.0);
            }
            let (left, at) = (WIDTH - RIGHT + 15.0, TOP + 10.0 + 20.0 * index as f64);
            let _ = writeln!(
                svg,
                "<rect x=\"{left}\" y=\"{}\" width=\"14\" height=\"4\" fill=\"{colour}\"/>\
                 <text x=\"{}\" y=\"{at}\">{name}</text>",
                at - 6.0,
                left + 20.0
            );
        }
        svg + "</svg>\n"
    }

    fn draw_grid(&self, svg: &mut String, x: &Axis, y: &Axis) {
        let (bottom, right) = (HEIGHT - BOTTOM, WIDTH - RIGHT);
        for mark in x.marks() {
            let at = x.place(mark);
            let _ = writeln!(
                svg,
                "<line x1=\"{at:.1}\" y1=\"{TOP}\" x2=\"{at:.1}\" y2=\"{bottom}\" stroke=\"#ddd\"/>\
                 <text x=\"{at:.1}\" y=\"{}\" text-anchor=\"middle\">{}</text>",
                bottom + 18.0,
                size(mark)
            );
        }
        for mark in y.marks() {
            let at = y.place(mark);
            let _ = writeln!(
                svg,
                "<line x1=\"{LEFT}\" y1=\"{at:.1}\" x2=\"{right}\" y2=\"{at:.1}\" stroke=\"#ddd\"/>\
                 <text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{mark}</text>",
                LEFT - 8.0,
                at + 4.0
            );
        }
        let middle = f64::midpoint(LEFT, right);
        let _ = writeln!(svg, "<text x=\"{middle}\" y=\"{}\" text-anchor=\"middle\">{}</text>", bottom + 38.0, self.x);
    }
}

/// From a power of its base to another, drawn from one place to another.
struct Axis {
    base: f64,
    first: i32,
    last: i32,
    from: f64,
    to: f64,
}

impl Axis {
    fn over(values: impl Iterator<Item = f64> + Clone, base: f64, from: f64, to: f64) -> Axis {
        let power = |value: f64| value.log2() / base.log2();
        // A power of the base may come out a little off.
        let first = (values.clone().map(power).fold(f64::INFINITY, f64::min) + 1e-9).floor() as i32;
        let last = (values.map(power).fold(f64::NEG_INFINITY, f64::max) - 1e-9).ceil() as i32;
        Axis { base, first, last: last.max(first + 1), from, to }
    }

    fn place(&self, value: f64) -> f64 {
        let share = (value.log2() / self.base.log2() - f64::from(self.first)) / f64::from(self.last - self.first);
        self.from + share * (self.to - self.from)
    }

    /// At most a dozen powers.
    fn marks(&self) -> impl Iterator<Item = f64> {
        let step = (self.last - self.first) / 12 + 1;
        (self.first..=self.last).step_by(step as usize).map(|power| self.base.powi(power))
    }
}

fn size(value: f64) -> String {
    match value as u64 {
        bytes if bytes >= 1 << 20 => format!("{} Mi", bytes >> 20),
        bytes if bytes >= 1 << 10 => format!("{} Ki", bytes >> 10),
        bytes => bytes.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::table;

    #[test]
    fn a_test_of_three_sizes_is_drawn_within_its_frame() {
        let latency = |bytes, ours| Cell { bytes, ours, ..table::tests::cell([1.0; 2], 1.0, ours, None) };
        let cells = [latency(8, 0.2), latency(1024, 0.5), latency(1 << 20, 80.0)];
        let cells: Vec<&Cell> = cells.iter().collect();
        let new = |cells| Plot::new(cells, "latency".into(), "latency".into(), "bytes", |cell| cell.bytes as f64);
        assert!(new(&cells[..2]).is_none());
        let plot = new(&cells).unwrap();
        let names: Vec<&str> = plot.curves.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["ours", "peer"]);
        let y = Axis::over([0.2, 80.0].into_iter(), 10.0, HEIGHT - BOTTOM, TOP);
        assert_eq!(y.marks().collect::<Vec<_>>(), [0.1, 1.0, 10.0, 100.0]);
        assert!([0.2, 80.0].iter().all(|&value| (TOP..=HEIGHT - BOTTOM).contains(&y.place(value))));
        assert_eq!(plot.draw().matches("<circle").count(), 6);
    }
}
