//! From times to values. The library's own value stays unless another one is better beyond doubt: a table is read by jobs whose lengths and ranks
//! were not measured, and what was measured once on a busy machine is no reason for one.

use mpi_suite::bench::stats::{median, ratio_interval};

use super::choices::{Choice, Kind};

/// A way is better at a length if the whole interval of its ratio to the other lies below this, or above its inverse.
const CLEARLY: f64 = 0.97;
/// A value is taken if the lengths that it concerns take at most this part of the time.
const WORTH: f64 = 0.95;
/// A ratio that is uncertain by this factor, and might be 1, says nothing. Where most are like that, nothing is judged.
const NOISY: f64 = 1.4;

/// The times of one operation at one length: for each alternative one per round.
#[derive(Clone, Debug)]
pub struct Cell {
    pub operation: &'static str,
    /// In the table's unit.
    pub length: u64,
    pub times: Vec<Vec<f64>>,
}

impl Cell {
    /// The ratio of an alternative to another one, with its interval.
    pub fn ratio(&self, of: usize, to: usize) -> (f64, [f64; 2]) {
        let (a, b) = (&self.times[of], &self.times[to]);
        (median(a) / median(b), ratio_interval(a, b))
    }

    /// How much better (negative) or worse an alternative is beyond doubt, as a logarithm; 0 where there is doubt.
    fn gain(&self, of: usize, to: usize) -> f64 {
        let (ratio, interval) = self.ratio(of, to);
        if is_clear(interval) { ratio.ln() } else { 0.0 }
    }
}

fn is_clear([low, high]: [f64; 2]) -> bool {
    high < CLEARLY || low > 1.0 / CLEARLY
}

/// What came out.
#[derive(Clone, PartialEq, Debug)]
pub enum Verdict {
    /// The values of the choice's keys, and what part of the time the lengths that they concern take.
    Better(Vec<u64>, f64),
    /// The library's own is as good as any.
    Right,
    /// The typical interval is that wide.
    TooNoisy(f64),
}

pub fn judge(choice: &Choice, own: &[u64], cells: &[Cell]) -> Verdict {
    let alternatives = cells.first().map_or(0, |cell| cell.times.len());
    if alternatives < 2 {
        return Verdict::Right;
    }
    let intervals = cells.iter().map(|cell| cell.ratio(0, alternatives - 1).1);
    let vague: Vec<f64> = intervals.filter(|interval| !is_clear(*interval)).map(|[low, high]| high / low).filter(|width| *width > NOISY).collect();
    if 2 * vague.len() > cells.len() {
        return Verdict::TooNoisy(median(&vague));
    }
    match choice.kind {
        Kind::Value(..) => best_value(choice, own, cells, alternatives),
        _ => best_threshold(choice, own, cells),
    }
}

/// The last alternative is the library's own.
fn best_value(choice: &Choice, own: &[u64], cells: &[Cell], alternatives: usize) -> Verdict {
    let last = alternatives - 1;
    let gains = |alternative: usize| cells.iter().map(|cell| cell.gain(alternative, last)).sum::<f64>() / cells.len() as f64;
    let best = (0..last).map(|alternative| (alternative, gains(alternative))).min_by(|a, b| a.1.total_cmp(&b.1));
    match best {
        Some((alternative, gain)) if gain.exp() <= WORTH => {
            let values = choice.alternatives(own[0])[alternative].iter().map(|(_, value)| *value).collect();
            Verdict::Better(values, gain.exp())
        }
        _ => Verdict::Right,
    }
}

/// Alternative 1 is the way, 0 the other one.
fn best_threshold(choice: &Choice, own: &[u64], cells: &[Cell]) -> Verdict {
    let mut lengths: Vec<u64> = cells.iter().map(|cell| cell.length).collect();
    lengths.sort_unstable();
    lengths.dedup();
    // What going by these values gains over the library's own, and at how many cells they differ.
    let account = |values: &[u64]| {
        let differ = cells.iter().filter(|cell| choice.takes(values, cell.length) != choice.takes(own, cell.length));
        differ.fold((0.0, 0), |(gain, count), cell| {
            let (of, to) = if choice.takes(values, cell.length) { (1, 0) } else { (0, 1) };
            (gain + cell.gain(of, to), count + 1)
        })
    };
    let accounts = choice.candidates(&lengths).into_iter().map(|values| (account(&values), values));
    // Of equal gains the one that changes least.
    let best = accounts.min_by(|((a, few), _), ((b, many), _)| a.total_cmp(b).then(few.cmp(many)));
    match best {
        Some(((gain, count), values)) if count > 0 && (gain / f64::from(count)).exp() <= WORTH => {
            Verdict::Better(values, (gain / f64::from(count)).exp())
        }
        _ => Verdict::Right,
    }
}

#[cfg(test)]
mod tests {
    use super::super::choices::{Ranks, Unit};
    use super::*;

    const WINDOW: Kind = Kind::Window { first: "a", last: "b", beyond: true };

    fn choice(kind: Kind) -> Choice {
        Choice { what: "", kind, operations: &["x"], ranks: Ranks::Two, unit: Unit::Block, sizes: (1, 64), fixed: &[] }
    }

    /// One round is as good as the other but for a little; `ratios` are those of the way to the other one, at 1, 2, 4, ….
    fn cells(ratios: &[f64], noise: f64) -> Vec<Cell> {
        let cell = |(at, ratio): (usize, &f64)| {
            let round = |base: f64, shift: usize| (0..9).map(|n| base * (1.0 + noise * ((n * 7 + shift) % 9) as f64 / 9.0)).collect();
            Cell { operation: "x", length: 1 << at, times: vec![round(1.0, 0), round(*ratio, 4)] }
        };
        ratios.iter().enumerate().map(cell).collect()
    }

    fn judged(kind: Kind, own: &[u64], ratios: &[f64]) -> Option<Vec<u64>> {
        match judge(&choice(kind), own, &cells(ratios, 0.01)) {
            Verdict::Better(values, gain) => {
                assert!(gain < WORTH);
                Some(values)
            }
            Verdict::Right => None,
            Verdict::TooNoisy(width) => panic!("{width}"),
        }
    }

    #[test]
    fn thresholds_go_to_where_the_ways_cross() {
        let up = [0.5, 0.6, 0.8, 1.2, 1.5];
        let longest = Kind::Longest("a");
        for own in [0, 1, 2, 8, 16, 1 << 40] {
            assert_eq!(judged(longest, &[own], &up), Some(vec![4]), "{own}");
        }
        for own in [4, 5, 7] {
            assert_eq!(judged(longest, &[own], &up), None, "{own} leads to the same");
        }
        let down = [1.5, 1.2, 0.8, 0.6];
        assert_eq!(judged(Kind::Shortest("a"), &[1], &down), Some(vec![4]));
        assert_eq!(judged(Kind::Shortest("a"), &[3], &down), None);
        assert_eq!(judged(Kind::Shortest("a"), &[1], &[1.5, 1.5]), Some(vec![4]), "never");
    }

    #[test]
    fn windows() {
        let ratios = [1.5, 0.7, 0.7, 1.3, 1.3];
        assert_eq!(judged(WINDOW, &[1, 32], &ratios), Some(vec![2, 8]));
        assert_eq!(judged(WINDOW, &[2, 8], &ratios), None);
        assert_eq!(judged(WINDOW, &[2, 8], &[1.3; 5]), Some(vec![64, 32]), "none");
    }

    #[test]
    fn what_makes_little_difference_changes_nothing() {
        assert_eq!(judged(Kind::Longest("a"), &[16], &[0.5, 0.6, 1.02, 1.02, 1.03]), None);
        assert_eq!(judged(Kind::Longest("a"), &[16], &[0.5, 0.6, 1.0, 1.0, 1.2]), Some(vec![8]), "only as far as there is a reason");
    }

    #[test]
    fn noise_is_said() {
        let longest = choice(Kind::Longest("a"));
        let noisy = cells(&[1.0, 1.1, 0.9], 3.0);
        assert!(matches!(judge(&longest, &[16], &noisy), Verdict::TooNoisy(width) if width > NOISY));
        // But what is clear is clear.
        let noisy = cells(&[0.1, 10.0, 10.0], 3.0);
        assert!(matches!(judge(&longest, &[16], &noisy), Verdict::Better(values, _) if values == [1]));
    }

    #[test]
    fn a_value_is_taken_if_it_is_better_everywhere() {
        let value = choice(Kind::Value("a", &[1, 2, 4]));
        let three = |ratio: f64| {
            let mut cells = cells(&[1.0, 1.0], 0.01);
            // Those of 1, of 4, and of 2, which is the library's own.
            cells.iter_mut().for_each(|cell| cell.times = vec![cell.times[0].iter().map(|time| time * ratio).collect(), cell.times[1].clone(), cell.times[1].clone()]);
            cells
        };
        assert!(matches!(judge(&value, &[2], &three(0.8)), Verdict::Better(values, _) if values == [1]));
        assert_eq!(judge(&value, &[2], &three(0.98)), Verdict::Right);
    }
}
