//! Floating-point arithmetic in integers, for formats that Rust has no type for: binary16, x87 extended, binary128.
//!
//! A number is taken apart into sign, exponent and a significand with its leading one at bit 127 ([`Parts`]), which leaves
//! the widest format 15 bits below its own precision; results are exact but for a last "something was cut off" bit, and
//! are rounded once, to nearest, ties to even, as IEEE 754 asks.

use std::cmp::Ordering;

use super::native::Float;

/// A binary format: `EXPONENT` bits of exponent, `FRACTION` bits below the leading one, which is stored in x87's format
/// and implied in the others.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(transparent)]
pub struct Soft<B, const EXPONENT: u32, const FRACTION: u32, const STORED: bool>(B);

/// IEEE binary16.
pub type Half = Soft<u16, 5, 10, false>;
/// IEEE binary128.
pub type Quad = Soft<u128, 15, 112, false>;
/// x87 extended, in the lower 80 bits.
pub type Extended = Soft<u128, 15, 63, true>;

/// The integers that hold the formats' bits.
pub trait Bits: Copy {
    fn widen(self) -> u128;
    fn narrow(bits: u128) -> Self;
}

macro_rules! bits {
    ($($t:ty)*) => {$(
        impl Bits for $t {
            fn widen(self) -> u128 {
                self as u128
            }
            fn narrow(bits: u128) -> Self {
                bits as $t
            }
        }
    )*};
}
bits! { u16 u32 u64 u128 }

/// A number taken apart.
#[derive(Clone, Copy, Debug)]
pub enum Parts {
    Nan,
    Infinite { negative: bool },
    Zero { negative: bool },
    /// `significand / 2^127 * 2^exponent`; bit 127 is set.
    Finite { negative: bool, exponent: i32, significand: u128 },
}

use Parts::*;

impl<B: Bits, const EXPONENT: u32, const FRACTION: u32, const STORED: bool> Soft<B, EXPONENT, FRACTION, STORED> {
    const BIAS: i32 = (1 << (EXPONENT - 1)) - 1;
    const EXPONENT_MAX: u128 = (1 << EXPONENT) - 1;
    /// Where the exponent's lowest bit stands.
    const EXPONENT_AT: u32 = FRACTION + STORED as u32;
    const SIGN_AT: u32 = Self::EXPONENT_AT + EXPONENT;

    pub fn from_bits(bits: B) -> Self {
        Soft(bits)
    }

    /// The bits of the format; above them, zeros.
    pub fn to_bits(self) -> B {
        let width = Self::SIGN_AT + 1;
        B::narrow(self.0.widen() & (u128::MAX >> (128 - width)))
    }

    /// Magnitudes compare as integers: the exponent stands above the significand.
    fn sign_and_magnitude(self) -> (bool, u128) {
        let bits = self.to_bits().widen();
        (bits >> Self::SIGN_AT & 1 == 1, bits & ((1 << Self::SIGN_AT) - 1))
    }

    pub fn take_apart(self) -> Parts {
        let bits = self.to_bits().widen();
        let negative = bits >> Self::SIGN_AT & 1 == 1;
        let exponent = bits >> Self::EXPONENT_AT & Self::EXPONENT_MAX;
        let fraction = bits & ((1 << FRACTION) - 1);
        let leading = match STORED {
            true => bits & 1 << FRACTION,
            false => ((exponent != 0) as u128) << FRACTION,
        };
        if exponent == Self::EXPONENT_MAX {
            return if fraction == 0 { Infinite { negative } } else { Nan };
        }
        let significand = leading | fraction;
        if significand == 0 {
            return Zero { negative };
        }
        // Subnormal numbers have the exponent of the smallest normal ones.
        let exponent = exponent.max(1) as i32 - Self::BIAS;
        normalised(negative, exponent + 127 - FRACTION as i32, significand)
    }

    /// The nearest number of the format.
    pub fn put_together(parts: Parts) -> Self {
        let pack = |negative: bool, exponent: u128, significand: u128| {
            let sign = (negative as u128) << Self::SIGN_AT;
            let stored = match STORED {
                true => significand,
                false => significand & ((1 << FRACTION) - 1),
            };
            Soft(B::narrow(sign | exponent << Self::EXPONENT_AT | stored))
        };
        let one = 1 << FRACTION;
        let (negative, exponent, significand) = match parts {
            Nan => return pack(false, Self::EXPONENT_MAX, one | one >> 1),
            Infinite { negative } => return pack(negative, Self::EXPONENT_MAX, one),
            Zero { negative } => return pack(negative, 0, 0),
            Finite { negative, exponent, significand } => (negative, exponent, significand),
        };
        // Below the smallest normal exponent, precision is lost bit by bit.
        let lost = (1 - Self::BIAS - exponent).max(0) as u32;
        let rounded = round(significand, 127 - FRACTION + lost);
        // Rounding may carry into the next power of two, also from the largest subnormal to the smallest normal number.
        let carried = rounded >> (FRACTION + 1);
        let biased = match lost {
            0 => exponent + Self::BIAS + carried as i32,
            _ => (rounded >> FRACTION) as i32,
        };
        if biased >= Self::EXPONENT_MAX as i32 {
            return pack(negative, Self::EXPONENT_MAX, one);
        }
        pack(negative, biased as u128, rounded >> carried)
    }
}

/// Shifts right and rounds to nearest, ties to even.
fn round(significand: u128, shift: u32) -> u128 {
    match shift {
        0 => significand,
        1..128 => {
            let (kept, cut) = (significand >> shift, significand << (128 - shift));
            let half = 1 << 127;
            kept + (cut > half || (cut == half && kept & 1 == 1)) as u128
        }
        128 => (significand > 1 << 127) as u128,
        _ => 0,
    }
}

/// A finite number from `significand / 2^127 * 2^exponent` with its leading one anywhere.
fn normalised(negative: bool, exponent: i32, significand: u128) -> Parts {
    let up = significand.leading_zeros();
    Finite { negative, exponent: exponent - up as i32, significand: significand << up }
}

/// Shifts right; what falls out survives as the lowest bit.
fn shift_sticky(value: u128, by: u32) -> u128 {
    match by {
        0 => value,
        1..128 => value >> by | (value << (128 - by) != 0) as u128,
        _ => (value != 0) as u128,
    }
}

fn add(a: Parts, b: Parts) -> Parts {
    let (left, right) = match (a, b) {
        (Nan, _) | (_, Nan) => return Nan,
        (Infinite { negative: n }, Infinite { negative: m }) => return if n == m { a } else { Nan },
        (Infinite { .. }, _) => return a,
        (_, Infinite { .. }) => return b,
        (Zero { negative: n }, Zero { negative: m }) => return Zero { negative: n && m },
        (Zero { .. }, _) => return b,
        (_, Zero { .. }) => return a,
        (Finite { .. }, Finite { .. }) => (a, b),
    };
    let (mut x, mut y) = (finite(left), finite(right));
    if (x.1, x.2) < (y.1, y.2) {
        std::mem::swap(&mut x, &mut y);
    }
    let (sign, exponent, large) = x;
    // One bit of room above for the carry.
    let (large, small) = (large >> 1 | large & 1, shift_sticky(y.2, 1 + exponent.abs_diff(y.1)));
    match if sign == y.0 { large + small } else { large - small } {
        0 => Zero { negative: false },
        sum => normalised(sign, exponent + 1, sum),
    }
}

fn multiply(a: Parts, b: Parts) -> Parts {
    let negative = is_negative_parts(a) != is_negative_parts(b);
    match (a, b) {
        (Nan, _) | (_, Nan) => Nan,
        (Infinite { .. }, Zero { .. }) | (Zero { .. }, Infinite { .. }) => Nan,
        (Infinite { .. }, _) | (_, Infinite { .. }) => Infinite { negative },
        (Zero { .. }, _) | (_, Zero { .. }) => Zero { negative },
        (Finite { .. }, Finite { .. }) => {
            let ((_, e, x), (_, f, y)) = (finite(a), finite(b));
            normalised(negative, e + f + 1, high_product(x, y))
        }
    }
}

/// The upper half of a 256-bit product; its lowest bit also says whether the lower half was not zero.
fn high_product(x: u128, y: u128) -> u128 {
    let halves = |v: u128| (v >> 64, v & u64::MAX as u128);
    let ((xh, xl), (yh, yl)) = (halves(x), halves(y));
    let low = xl * yl;
    let (mid, carry) = (xh * yl).overflowing_add(low >> 64);
    let (mid, carried) = mid.overflowing_add(xl * yh);
    let high = xh * yh + (mid >> 64) + (((carry as u128) + (carried as u128)) << 64);
    let rest = mid << 64 | low & u64::MAX as u128;
    high | (rest != 0) as u128
}

fn finite(parts: Parts) -> (bool, i32, u128) {
    match parts {
        Finite { negative, exponent, significand } => (negative, exponent, significand),
        _ => unreachable!("callers have dealt with zero, infinity and NaN"),
    }
}

fn is_negative_parts(parts: Parts) -> bool {
    match parts {
        Nan => false,
        Infinite { negative } | Zero { negative } | Finite { negative, .. } => negative,
    }
}

/// The sign bit, also of zero.
pub fn is_negative<B: Bits, const E: u32, const F: u32, const S: bool>(x: Soft<B, E, F, S>) -> bool {
    x.sign_and_magnitude().0
}

impl<B: Bits, const E: u32, const F: u32, const S: bool> Float for Soft<B, E, F, S> {
    fn plus(self, other: Self) -> Self {
        Self::put_together(add(self.take_apart(), other.take_apart()))
    }

    fn minus(self, other: Self) -> Self {
        let negated = match other.take_apart() {
            Nan => Nan,
            Infinite { negative } => Infinite { negative: !negative },
            Zero { negative } => Zero { negative: !negative },
            Finite { negative, exponent, significand } => Finite { negative: !negative, exponent, significand },
        };
        Self::put_together(add(self.take_apart(), negated))
    }

    fn times(self, other: Self) -> Self {
        Self::put_together(multiply(self.take_apart(), other.take_apart()))
    }

    fn least(self, other: Self) -> Self {
        match self.order(other) {
            None => Self::put_together(Nan),
            Some(Ordering::Less) => self,
            Some(Ordering::Equal) if is_negative(self) => self,
            Some(_) => other,
        }
    }

    fn greatest(self, other: Self) -> Self {
        match self.order(other) {
            None => Self::put_together(Nan),
            Some(Ordering::Greater) => self,
            Some(Ordering::Equal) if !is_negative(self) => self,
            Some(_) => other,
        }
    }

    fn order(self, other: Self) -> Option<Ordering> {
        if self.is_nan() || other.is_nan() {
            return None;
        }
        let ((a_negative, a), (b_negative, b)) = (self.sign_and_magnitude(), other.sign_and_magnitude());
        Some(match (a_negative, b_negative) {
            _ if a | b == 0 => Ordering::Equal,
            (false, false) => a.cmp(&b),
            (true, true) => b.cmp(&a),
            (true, false) => Ordering::Less,
            (false, true) => Ordering::Greater,
        })
    }

    fn is_nan(self) -> bool {
        // Above infinity, which has no fraction.
        let leading = (S as u128) << F;
        self.sign_and_magnitude().1 > Self::EXPONENT_MAX << Self::EXPONENT_AT | leading
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    type Single = Soft<u32, 8, 23, false>;
    type Double = Soft<u64, 11, 52, false>;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(8_000))]

        /// The same code at the precision of the processor's own formats.
        #[test]
        fn agrees_with_hardware_in_single(a in any::<u32>(), b in any::<u32>()) {
            let (x, y) = (f32::from_bits(a), f32::from_bits(b));
            let (s, t) = (Single::from_bits(a), Single::from_bits(b));
            for (hard, soft) in [
                (x + y, s.plus(t)), (x - y, s.minus(t)), (x * y, s.times(t)),
                (x.least(y), s.least(t)), (x.greatest(y), s.greatest(t)),
            ] {
                prop_assert!(hard.to_bits() == soft.to_bits() || (hard.is_nan() && soft.is_nan()), "{x:e} {y:e}");
            }
            prop_assert_eq!(x.partial_cmp(&y), Float::order(s, t));
        }

        /// Exponents close together, where cancellation and rounding ties happen.
        #[test]
        fn agrees_with_hardware_in_double(a in any::<u64>(), b in any::<u64>(), near in 0u64..60, few in any::<bool>()) {
            let mask = if few { !0 << 40 } else { !0 };
            let a = a & mask;
            let b = (b & !(0x7ff << 52) & mask) | ((a >> 52 & 0x7ff).wrapping_sub(near) & 0x7ff) << 52;
            let (x, y) = (f64::from_bits(a), f64::from_bits(b));
            let (s, t) = (Double::from_bits(a), Double::from_bits(b));
            for (hard, soft) in [(x + y, s.plus(t)), (x - y, s.minus(t)), (x * y, s.times(t))] {
                prop_assert!(hard.to_bits() == soft.to_bits() || (hard.is_nan() && soft.is_nan()), "{x:e} {y:e}");
            }
        }
    }

    #[test]
    fn half_precision_values() {
        let half = |bits| Half::from_bits(bits);
        // 1.5 + 2.25 = 3.75; 65504 + 65504 overflows; the smallest subnormal doubled.
        assert_eq!(half(0x3e00).plus(half(0x4080)).to_bits(), 0x4380);
        assert_eq!(half(0x7bff).plus(half(0x7bff)).to_bits(), 0x7c00);
        assert_eq!(half(0x0001).plus(half(0x0001)).to_bits(), 0x0002);
        assert_eq!(half(0x3c00).times(half(0x8001)).to_bits(), 0x8001);
    }

    #[test]
    fn quad_precision_values() {
        // 1 and 2^-112 are the neighbours 1 and 1 + epsilon; 2^-113 ties to even and vanishes.
        let power = |e: i32| Quad::from_bits(((e + 16383) as u128) << 112);
        assert_eq!(power(0).plus(power(-112)).to_bits(), power(0).to_bits() + 1);
        assert_eq!(power(0).plus(power(-113)).to_bits(), power(0).to_bits());
        assert_eq!(power(100).times(power(-30)).to_bits(), power(70).to_bits());
    }
}
