//! Size, bounds and alignment of a datatype (MPI 5.0 sections 5.1 and 5.1.7), with all arithmetic checked.

use crate::bail;
use crate::error::Result;

/// What the type map's displacements amount to, without the map itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Shape {
    /// Bytes of data.
    pub size: i64,
    pub lb: i64,
    pub extent: i64,
    /// First byte and one past the last byte of data; both 0 when there is none.
    pub true_lb: i64,
    pub true_ub: i64,
    /// Largest alignment of a basic element; 1 when there is none.
    pub alignment: i64,
    /// Lower and upper bound were given explicitly somewhere inside (`resized`, subarray, darray). Such bounds stick:
    /// where some component has them, only they count.
    pub marked: bool,
}

/// `count` copies of a type, an extent apart, the first one displaced by `disp` bytes.
#[derive(Clone, Copy)]
pub struct Block<'a> {
    pub disp: i64,
    pub count: i64,
    pub shape: &'a Shape,
}

impl Shape {
    pub const EMPTY: Shape =
        Shape { size: 0, lb: 0, extent: 0, true_lb: 0, true_ub: 0, alignment: 1, marked: false };

    pub fn ub(&self) -> i64 {
        self.lb + self.extent
    }

    pub fn basic(size: i64, alignment: i64) -> Shape {
        Shape { size, extent: size, true_ub: size, alignment, ..Shape::EMPTY }
    }

    /// The shape of several blocks together: the rules of all constructors but `resized`.
    pub fn join<'a>(blocks: impl IntoIterator<Item = Block<'a>>) -> Result<Shape> {
        let mut all = Joined::default();
        for block in blocks {
            all.add(block);
        }
        all.finish()
    }

    pub fn resized(&self, lb: i64, extent: i64) -> Result<Shape> {
        if lb.checked_add(extent).is_none() {
            bail!(ARG, "lower bound {lb} and extent {extent} give an upper bound outside of 64 bits");
        }
        Ok(Shape { lb, extent, marked: true, ..*self })
    }
}

/// Bounds being gathered, in 128 bits: a product of two 64-bit numbers and a few sums cannot overflow there.
#[derive(Default)]
struct Joined {
    size: i128,
    data: Option<(i128, i128)>,
    /// The same with each component's padding. It makes a difference where the alignment of a component's place is less than its own: the
    /// standard's type map knows no padding inside, but all MPIs leave the component whole, and programs rely on it (mpi4py does).
    padded: Option<(i128, i128)>,
    marks: Option<(i128, i128)>,
    alignment: i64,
}

impl Joined {
    fn add(&mut self, block: Block<'_>) {
        let Block { disp, count, shape } = block;
        if count <= 0 {
            return;
        }
        // Copies march off in the direction of the extent's sign: the first and last one bound all of them.
        let march = (count as i128 - 1) * shape.extent as i128;
        let (down, up) = (disp as i128 + march.min(0), disp as i128 + march.max(0));
        let widen = |range: &mut Option<(i128, i128)>, lo: i64, hi: i64| {
            let (lo, hi) = (lo as i128 + down, hi as i128 + up);
            *range = Some(range.map_or((lo, hi), |(a, b)| (a.min(lo), b.max(hi))));
        };
        if shape.size > 0 {
            self.size = self.size.saturating_add(count as i128 * shape.size as i128);
            self.alignment = self.alignment.max(shape.alignment);
            widen(&mut self.data, shape.true_lb, shape.true_ub);
            widen(&mut self.padded, shape.true_lb, if shape.marked { shape.true_ub } else { shape.ub() });
        }
        if shape.marked {
            widen(&mut self.marks, shape.lb, shape.lb + shape.extent);
        }
    }

    fn finish(self) -> Result<Shape> {
        let (true_lb, true_ub) = self.data.unwrap_or((0, 0));
        let alignment = self.alignment.max(1);
        let (lb, ub) = match self.marks {
            Some(bounds) => bounds,
            None => {
                let (lb, ub) = self.padded.unwrap_or((0, 0));
                let step = alignment as i128;
                (lb, lb + (ub - lb + step - 1) / step * step)
            }
        };
        let fit = |what: &str, value: i128| match i64::try_from(value) {
            Ok(value) => Ok(value),
            Err(_) => bail!(VALUE_TOO_LARGE, "the new datatype's {what} would be {value}, outside of 64 bits"),
        };
        fit("upper bound", ub)?;
        Ok(Shape {
            size: fit("size", self.size)?,
            lb: fit("lower bound", lb)?,
            extent: fit("extent", ub - lb)?,
            true_lb: fit("true lower bound", true_lb)?,
            true_ub: fit("true upper bound", true_ub)?,
            alignment,
            marked: self.marks.is_some(),
        })
        .and_then(|shape| fit("true extent", true_ub - true_lb).map(|_| shape))
    }
}
