//! Which seeds to try.

use std::ops::Range;
use std::str::FromStr;

/// A range of seeds, so that a long search can be made in portions.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Seeds(pub Range<u64>);

impl FromStr for Seeds {
    type Err = String;

    /// `20` are those from 0 to 19, `20..40` those from 20 to 39.
    fn from_str(text: &str) -> Result<Seeds, String> {
        let (first, end) = text.split_once("..").unwrap_or(("0", text));
        let number = |text: &str| text.parse::<u64>().map_err(|_| format!("\"{text}\" is no number"));
        let range = number(first)?..number(end)?;
        if range.is_empty() { Err("no seed is in this range".into()) } else { Ok(Seeds(range)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_counts_from_zero_and_a_range_excludes_its_end() {
        assert_eq!("20".parse(), Ok(Seeds(0..20)));
        assert_eq!("20..40".parse(), Ok(Seeds(20..40)));
    }

    #[test]
    fn what_holds_no_seed_is_refused() {
        for text in ["", "0", "7..7", "9..8", "a", "1..", "..3", "1..2..3", "-1"] {
            assert!(text.parse::<Seeds>().is_err(), "{text}");
        }
    }
}
