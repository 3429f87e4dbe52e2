//! How a datatype was made: what MPI_Type_get_envelope and MPI_Type_get_contents give back (MPI 5.0 section 5.1.13).

use std::sync::Arc;

use super::Datatype;

/// The constructor, with the standard ABI's numbers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(i32)]
pub enum Combiner {
    Named = 101,
    Dup = 102,
    Contiguous = 103,
    Vector = 104,
    Hvector = 105,
    Indexed = 106,
    Hindexed = 107,
    IndexedBlock = 108,
    HindexedBlock = 109,
    Struct = 110,
    Subarray = 111,
    Darray = 112,
    F90Real = 113,
    F90Complex = 114,
    F90Integer = 115,
    Resized = 116,
}

impl Combiner {
    /// For texts.
    pub fn name(self) -> &'static str {
        match self {
            Combiner::Named => "named",
            Combiner::Dup => "duplicated",
            Combiner::Contiguous => "contiguous",
            Combiner::Vector | Combiner::Hvector => "vector",
            Combiner::Indexed | Combiner::Hindexed => "indexed",
            Combiner::IndexedBlock | Combiner::HindexedBlock => "indexed-block",
            Combiner::Struct => "struct",
            Combiner::Subarray => "subarray",
            Combiner::Darray => "distributed-array",
            Combiner::F90Real | Combiner::F90Complex | Combiner::F90Integer => "Fortran",
            Combiner::Resized => "resized",
        }
    }
}

/// Which of the twins made a datatype: the arguments come back as that twin took them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Form {
    /// `int` counts and MPI_Aint displacements.
    Int,
    /// MPI_Count for all of them (`_c`).
    Count,
}

/// The constructor's arguments, in the order and the three classes that MPI_Type_get_contents_c defines.
#[derive(Debug)]
pub struct Contents {
    pub combiner: Combiner,
    pub integers: Vec<i32>,
    pub addresses: Vec<i64>,
    pub large_counts: Vec<i64>,
    pub types: Vec<Arc<Datatype>>,
}

impl Contents {
    pub fn new(combiner: Combiner, types: Vec<Arc<Datatype>>) -> Contents {
        Contents { combiner, integers: vec![], addresses: vec![], large_counts: vec![], types }
    }

    /// Counts, block lengths, element displacements: `int` in one twin, MPI_Count in the other.
    pub fn counts(mut self, form: Form, values: &[i64]) -> Contents {
        match form {
            // The abi layer widened them from `int`.
            Form::Int => self.integers.extend(values.iter().map(|&v| v as i32)),
            Form::Count => self.large_counts.extend(values),
        }
        self
    }

    /// Byte displacements: MPI_Aint in one twin, MPI_Count in the other.
    pub fn bytes(mut self, form: Form, values: &[i64]) -> Contents {
        match form {
            Form::Int => self.addresses.extend(values),
            Form::Count => self.large_counts.extend(values),
        }
        self
    }

    /// Arguments that are `int` in both twins.
    pub fn ints(mut self, values: impl IntoIterator<Item = i32>) -> Contents {
        self.integers.extend(values);
        self
    }
}
