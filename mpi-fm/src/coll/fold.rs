//! Making a number of members a power of two: of the first few, neighbours join their data, and one of each pair stands for both.
//!
//! Since neighbours join, and those that stand keep their order, ranges of places are ranges of ranks: operations that do not commute
//! stay in order.

/// How a member takes part among `places` that are a power of two.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Part {
    /// Gives its data to the next rank, and waits.
    Gives { to: usize },
    /// Stands for itself and `with`, the rank before it.
    Stands { place: usize, with: Option<usize> },
}

/// The folding of a group of some size.
#[derive(Clone, Copy, Debug)]
pub struct Fold {
    /// A power of two.
    pub places: usize,
    /// Members beyond it.
    extra: usize,
}

impl Fold {
    pub fn new(size: usize) -> Fold {
        let places = 1 << size.ilog2();
        Fold { places, extra: size - places }
    }

    pub fn part(&self, rank: usize) -> Part {
        if rank >= 2 * self.extra {
            Part::Stands { place: rank - self.extra, with: None }
        } else if rank % 2 == 1 {
            Part::Stands { place: rank / 2, with: Some(rank - 1) }
        } else {
            Part::Gives { to: rank + 1 }
        }
    }

    /// The rank that stands at `place`.
    pub fn rank(&self, place: usize) -> usize {
        if place < self.extra { 2 * place + 1 } else { place + self.extra }
    }

    /// The ranks that the ones at places `from .. to` stand for.
    pub fn ranks(&self, from: usize, to: usize) -> std::ops::Range<usize> {
        let first = |place: usize| if place < self.extra { 2 * place } else { place + self.extra };
        first(from)..first(to)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rank_is_stood_for_once_in_order() {
        for size in 1..70 {
            let fold = Fold::new(size);
            let mut seen = Vec::new();
            for place in 0..fold.places {
                let rank = fold.rank(place);
                let Part::Stands { place: own, with } = fold.part(rank) else { panic!("{rank} of {size} does not stand") };
                assert_eq!(own, place);
                if let Some(with) = with {
                    assert_eq!(fold.part(with), Part::Gives { to: rank });
                }
                let both: Vec<usize> = with.into_iter().chain([rank]).collect();
                assert_eq!(both, fold.ranks(place, place + 1).collect::<Vec<_>>());
                seen.extend(both);
            }
            assert_eq!(seen, (0..size).collect::<Vec<_>>());
        }
    }
}
