//! Medians and bootstrap intervals.

/// The median; of an even number of values the mean of the two in the middle.
///
/// # Panics
/// Without values.
pub fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    if sorted.len() % 2 == 1 { sorted[middle] } else { f64::midpoint(sorted[middle - 1], sorted[middle]) }
}

const RESAMPLES: usize = 4000;

/// The 95 % interval of `median(a) / median(b)`. `a[i]` and `b[i]` were measured in the same round, so rounds are what is
/// drawn: a round in which the machine was slow counts for both.
pub fn ratio_interval(a: &[f64], b: &[f64]) -> [f64; 2] {
    let rounds = a.len().min(b.len());
    // Any seed will do; a fixed one gives the same interval for the same measurements.
    let mut state = 0x2545_F491_4F6C_DD1Du64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    let mut ratios: Vec<f64> = (0..RESAMPLES)
        .map(|_| {
            let drawn: Vec<usize> = (0..rounds).map(|_| (next() % rounds as u64) as usize).collect();
            let of = |values: &[f64]| median(&drawn.iter().map(|&round| values[round]).collect::<Vec<_>>());
            of(a) / of(b)
        })
        .collect();
    ratios.sort_by(f64::total_cmp);
    [ratios[RESAMPLES * 25 / 1000], ratios[RESAMPLES * 975 / 1000 - 1]]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians_of_odd_and_even_numbers() {
        assert_eq!(median(&[3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), 2.5);
    }

    #[test]
    fn an_interval_holds_the_ratio_and_is_narrow_for_steady_values() {
        let a = [2.0, 2.1, 1.9, 2.0, 2.05, 1.95, 2.0, 2.0, 2.02];
        let b = [1.0; 9];
        let [low, high] = ratio_interval(&a, &b);
        assert!(low <= 2.0 && 2.0 <= high && high - low < 0.15, "{low} to {high}");
    }

    #[test]
    fn a_disturbance_that_hits_both_does_not_widen_it() {
        let a: Vec<f64> = (0..9).map(|round| if round % 2 == 0 { 1.0 } else { 4.0 }).collect();
        let b: Vec<f64> = a.iter().map(|value| value * 2.0).collect();
        assert_eq!(ratio_interval(&a, &b), [0.5, 0.5]);
    }
}
