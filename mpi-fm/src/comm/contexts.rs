//! By which numbers the members of a communicator know it.

/// For each rank, the number that its process gave the communicator.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Contexts {
    /// All the same, as they usually are.
    Same(u32),
    Each(Box<[u32]>),
}

impl Contexts {
    /// From the numbers in the order of ranks; there is at least one.
    pub fn from_numbers(numbers: Vec<u32>) -> Contexts {
        match numbers.first() {
            Some(first) if numbers.iter().all(|number| number == first) => Contexts::Same(*first),
            _ => Contexts::Each(numbers.into()),
        }
    }

    #[inline]
    pub fn of(&self, rank: usize) -> u32 {
        match self {
            Contexts::Same(number) => *number,
            Contexts::Each(numbers) => numbers[rank],
        }
    }
}
