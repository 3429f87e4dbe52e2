//! Cartesian grids (MPI 5.0 section 8.5).

use super::{Link, Neighbours};
use crate::bail;
use crate::constants::{PROC_NULL, UNDEFINED};
use crate::error::Result;

/// A grid of ranks, numbered row by row: the last coordinate runs fastest. With no dimensions it is a single point.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Cart {
    axes: Box<[Axis]>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Axis {
    /// Number of places, at least 1.
    pub length: i32,
    /// Whether the last place is followed by the first.
    pub periodic: bool,
}

/// A process's part in cutting a grid into lower-dimensional ones (`MPI_Cart_sub`).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Slice {
    pub cart: Cart,
    /// Same for all processes of a slice: to split the communicator by.
    pub colour: i32,
    /// The rank in the slice.
    pub key: i32,
}

impl Cart {
    /// A grid that fits into a communicator of `processes`.
    pub fn new(axes: impl IntoIterator<Item = Axis>, processes: usize) -> Result<Cart> {
        let axes: Box<[Axis]> = axes.into_iter().collect();
        let mut places = 1usize;
        for (i, axis) in axes.iter().enumerate() {
            if axis.length < 1 {
                bail!(DIMS, "dimension {i} of the grid has length {}; it must be at least 1", axis.length);
            }
            places = places.saturating_mul(axis.length as usize);
        }
        if places > processes {
            let lengths: Vec<String> = axes.iter().map(|axis| axis.length.to_string()).collect();
            bail!(DIMS, "a grid of {} needs {places} processes, the communicator has {processes}", lengths.join(" x "));
        }
        Ok(Cart { axes })
    }

    pub fn axes(&self) -> &[Axis] {
        &self.axes
    }

    /// Number of places, which are the ranks from 0 on.
    pub fn size(&self) -> usize {
        self.axes.iter().map(|axis| axis.length as usize).product()
    }

    /// `MPI_Cart_coords`.
    pub fn coords(&self, rank: i32) -> Result<Vec<i32>> {
        if rank < 0 || rank as usize >= self.size() {
            bail!(RANK, "there is no rank {rank} in a grid of {}", self.size());
        }
        let mut rest = rank;
        let mut coords: Vec<i32> = self.axes.iter().rev().map(|axis| take_digit(&mut rest, axis.length)).collect();
        coords.reverse();
        Ok(coords)
    }

    /// `MPI_Cart_rank`: a coordinate beyond the end of a periodic dimension wraps round, of another is an error.
    pub fn rank(&self, coords: &[i32]) -> Result<i32> {
        assert_eq!(coords.len(), self.axes.len(), "one coordinate per dimension");
        let mut rank = 0;
        for (i, (axis, &coord)) in self.axes.iter().zip(coords).enumerate() {
            let Some(place) = axis.place(i64::from(coord)) else {
                bail!(
                    ARG,
                    "coordinate {coord} of dimension {i} is outside 0 to {} and the dimension is not periodic",
                    axis.length - 1
                );
            };
            rank = rank * axis.length + place;
        }
        Ok(rank)
    }

    /// `MPI_Cart_shift`: from whom and to whom `rank` transfers data when all shift by `displacement`.
    pub fn shift(&self, rank: i32, direction: i32, displacement: i32) -> Result<(i32, i32)> {
        let Some(&axis) = usize::try_from(direction).ok().and_then(|direction| self.axes.get(direction)) else {
            bail!(DIMS, "there is no direction {direction} in a grid with {} dimensions", self.axes.len());
        };
        let coords = self.coords(rank)?;
        let stride: i32 = self.axes[direction as usize + 1..].iter().map(|axis| axis.length).product();
        let here = coords[direction as usize];
        let at = |displacement: i64| match axis.place(i64::from(here) + displacement) {
            Some(place) => rank + (place - here) * stride,
            None => PROC_NULL,
        };
        Ok((at(-i64::from(displacement)), at(i64::from(displacement))))
    }

    /// `MPI_Cart_sub`: the slice of `rank` when only the dimensions marked in `remain` are kept.
    pub fn slice(&self, rank: i32, remain: &[bool]) -> Result<Slice> {
        assert_eq!(remain.len(), self.axes.len(), "one flag per dimension");
        let coords = self.coords(rank)?;
        let number = |kept: bool| {
            let digits = self.axes.iter().zip(&coords).zip(remain).filter(|&(_, &remain)| remain == kept);
            digits.fold(0, |number, ((axis, coord), _)| number * axis.length + coord)
        };
        let kept = self.axes.iter().zip(remain).filter(|&(_, &remain)| remain);
        let cart = Cart { axes: kept.map(|(axis, _)| *axis).collect() };
        Ok(Slice { cart, colour: number(false), key: number(true) })
    }

    /// `MPI_Cart_map`: the place of a process in the grid, which is its own rank as far as the grid reaches.
    pub fn map(&self, rank: usize) -> i32 {
        if rank < self.size() { rank as i32 } else { UNDEFINED }
    }

    /// Dimension by dimension, first downwards, then upwards (MPI 5.0 section 8.6.1).
    ///
    /// What is sent downwards arrives from above. In a periodic dimension of length 1 or 2 both neighbours are the same process,
    /// hence the tags.
    pub(super) fn neighbours(&self, rank: usize) -> Neighbours {
        let mut neighbours = Neighbours::default();
        for direction in 0..self.axes.len() as i32 {
            let (below, above) = self.shift(rank as i32, direction, 1).expect("a rank and a direction of this grid");
            let (down, up) = (2 * direction, 2 * direction + 1);
            neighbours.destinations.extend([Link { rank: below, tag: down }, Link { rank: above, tag: up }]);
            neighbours.sources.extend([Link { rank: below, tag: up }, Link { rank: above, tag: down }]);
        }
        neighbours
    }
}

impl Axis {
    fn place(self, coord: i64) -> Option<i32> {
        let length = i64::from(self.length);
        match self.periodic {
            true => Some(coord.rem_euclid(length) as i32),
            false => (0..length).contains(&coord).then_some(coord as i32),
        }
    }
}

fn take_digit(rest: &mut i32, base: i32) -> i32 {
    let digit = *rest % base;
    *rest /= base;
    digit
}
