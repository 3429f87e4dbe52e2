//! `MPI_Dims_create`: a balanced grid for a number of processes (MPI 5.0 section 8.5.2).
//!
//! The standard asks for dimensions "as close to each other as possible" in non-increasing order. Taken at its word: the
//! difference between the largest and the smallest is the least possible; among such grids the smallest dimension is the largest
//! possible, since the same difference is less where both are larger, then the second smallest, and so on. Divisibility decides, so
//! all divisors are tried, but a choice that is already worse than the best grid known is not pursued; near-balanced choices come
//! first, which makes that cut deep.

use crate::bail;
use crate::error::Result;

/// Replaces the zeros in `dims` so that the product of all is `processes`.
pub fn create(processes: i32, dims: &mut [i32]) -> Result<()> {
    if processes < 1 {
        bail!(ARG, "a grid of {processes} processes is asked for; there must be at least one");
    }
    let mut fixed = 1i64;
    for (i, &dim) in dims.iter().enumerate() {
        if dim < 0 {
            bail!(DIMS, "dimension {i} is {dim}; it must be 0, to be chosen, or positive");
        }
        fixed = fixed.saturating_mul(i64::from(dim.max(1)));
    }
    let free = dims.iter().filter(|&&dim| dim == 0).count();
    if i64::from(processes) % fixed != 0 || (free == 0 && !dims.is_empty() && i64::from(processes) != fixed) {
        bail!(DIMS, "{processes} processes cannot fill a grid whose given dimensions multiply to {fixed}");
    }
    if free > 0 {
        let mut chosen = balanced((i64::from(processes) / fixed) as i32, free).into_iter();
        for dim in dims.iter_mut().filter(|dim| **dim == 0) {
            *dim = chosen.next().expect("as many factors as free dimensions");
        }
    }
    Ok(())
}

/// `number` as a product of `count` factors, the largest first.
fn balanced(number: i32, count: usize) -> Vec<i32> {
    // Beyond 31 factors all further ones are 1: 2^31 has none more.
    let searched = count.min(31);
    let mut search =
        Search { divisors: divisors(number), best: vec![1; searched], spread: i32::MAX, chosen: Vec::new() };
    search.best[0] = number;
    search.spread = if searched == 1 { 0 } else { number - 1 };
    if searched > 1 {
        search.choose(number, searched);
    }
    search.best.resize(count, 1);
    search.best
}

struct Search {
    /// In ascending order.
    divisors: Vec<i32>,
    best: Vec<i32>,
    /// Largest factor of `best` minus its smallest.
    spread: i32,
    /// Factors chosen so far, the largest first.
    chosen: Vec<i32>,
}

impl Search {
    /// Chooses `left` more factors, which multiply to `rest`.
    fn choose(&mut self, rest: i32, left: usize) {
        let largest = self.chosen.first().copied();
        if left == 1 {
            let fits = self.chosen.last().is_none_or(|&last| rest <= last);
            let spread = largest.map_or(0, |largest| largest - rest);
            let from_smallest = || [rest].into_iter().chain(self.chosen.iter().rev().copied());
            if fits && (spread < self.spread || (spread == self.spread && from_smallest().gt(self.best.iter().rev().copied()))) {
                self.spread = spread;
                self.best = self.chosen.iter().copied().chain([rest]).collect();
            }
            return;
        }
        // The next factor is the largest of those left, so at least their geometric mean; the smallest is at most that.
        let start = self.divisors.partition_point(|&divisor| power(divisor, left) < i64::from(rest));
        for i in start..self.divisors.len() {
            let factor = self.divisors[i];
            let largest = largest.unwrap_or(factor);
            if self.chosen.last().is_some_and(|&last| factor > last) {
                break;
            }
            // If even the most balanced rest is too far apart beside what is known, so it is with all larger factors.
            let smallest_allowed = largest - self.spread;
            if smallest_allowed > 1 && power(smallest_allowed, left - 1) > i64::from(rest / factor) {
                break;
            }
            if rest % factor == 0 {
                self.chosen.push(factor);
                self.choose(rest / factor, left - 1);
                self.chosen.pop();
            }
        }
    }
}

fn divisors(number: i32) -> Vec<i32> {
    let small: Vec<i32> =
        (1..).take_while(|&d| i64::from(d) * i64::from(d) <= i64::from(number)).filter(|d| number % d == 0).collect();
    let large = small.iter().rev().map(|&d| number / d).filter(|large| !small.contains(large));
    small.iter().copied().chain(large).collect()
}

fn power(base: i32, exponent: usize) -> i64 {
    i64::from(base).saturating_pow(exponent as u32)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Class;

    fn of(processes: i32, dims: &[i32]) -> Vec<i32> {
        let mut dims = dims.to_vec();
        create(processes, &mut dims).unwrap();
        dims
    }

    /// All non-increasing products, without any cleverness.
    fn all_products(number: i32, count: usize, largest: i32, found: &mut Vec<Vec<i32>>, prefix: &mut Vec<i32>) {
        if count == 0 {
            if number == 1 {
                found.push(prefix.clone());
            }
            return;
        }
        for factor in (1..=largest.min(number)).filter(|factor| number % factor == 0) {
            prefix.push(factor);
            all_products(number / factor, count - 1, factor, found, prefix);
            prefix.pop();
        }
    }

    #[test]
    fn as_balanced_as_brute_force() {
        for number in (1..400).chain([512, 720, 840, 960, 1001, 1024, 1296, 2520, 4096, 5040, 6240, 10800]) {
            for count in 1..=4 {
                let mut all = Vec::new();
                all_products(number, count, number, &mut all, &mut Vec::new());
                let smallest_first = |dims: &[i32]| dims.iter().rev().copied().collect::<Vec<_>>();
                let key = |dims: &Vec<i32>| (dims[count - 1] - dims[0], smallest_first(dims));
                let best = all.into_iter().max_by_key(key).unwrap();
                assert_eq!(of(number, &vec![0; count]), best, "{number} in {count}");
            }
        }
    }

    #[test]
    fn examples_of_the_standard() {
        assert_eq!(of(6, &[0, 0]), [3, 2]);
        assert_eq!(of(7, &[0, 0]), [7, 1]);
        assert_eq!(of(6, &[0, 3, 0]), [2, 3, 1]);
        let mut dims = [0, 3, 0];
        assert_eq!(create(7, &mut dims).unwrap_err().class, Class::DIMS);
        assert_eq!(dims, [0, 3, 0]);
    }

    #[test]
    fn fixed_dimensions() {
        assert_eq!(of(12, &[3, 4]), [3, 4]);
        assert_eq!(of(60, &[0, 5, 0]), [4, 5, 3]);
        assert_eq!(of(5040, &[0, 0, 0]), [21, 16, 15], "not 20, 18, 14");
        assert_eq!(of(1, &[0; 40]), [1; 40]);
        assert_eq!(of(5, &[]), []);
        for (processes, dims, class) in [
            (12, &mut [3, 3][..], Class::DIMS),
            (12, &mut [2, 3], Class::DIMS),
            (0, &mut [0], Class::ARG),
            (-4, &mut [0], Class::ARG),
            (4, &mut [-2, 0], Class::DIMS),
            (4, &mut [i32::MAX, i32::MAX, i32::MAX, 0], Class::DIMS),
        ] {
            assert_eq!(create(processes, dims).unwrap_err().class, class, "{processes} {dims:?}");
        }
    }

    #[test]
    fn numbers_with_many_divisors_take_no_time() {
        let start = std::time::Instant::now();
        for number in [2_095_133_040, 1 << 30, i32::MAX, 1_838_037_600, 223_092_870, 2_147_483_646, 1_073_676_289] {
            for count in [1, 2, 3, 4, 5, 6, 8, 10, 16, 31, 50] {
                let dims = of(number, &vec![0; count]);
                assert!(dims.is_sorted_by(|a, b| a >= b), "{dims:?}");
                assert_eq!(dims.iter().map(|&d| i64::from(d)).product::<i64>(), i64::from(number));
            }
        }
        assert!(start.elapsed().as_secs() < 20, "{:?}", start.elapsed());
    }
}
