//! C's `long double`: x87 extended precision on x86_64, for which Rust has no type, and IEEE binary128 elsewhere.

#[cfg(not(target_arch = "x86_64"))]
pub use super::soft::Quad as Long;
#[cfg(target_arch = "x86_64")]
pub use x87::Long;

#[cfg(target_arch = "x86_64")]
mod x87 {
    use std::arch::asm;
    use std::cmp::Ordering;

    use crate::op::native::Float;
    use crate::op::soft::{self, Extended};

    /// Ten bytes of number and six that mean nothing, as the C ABI stores it.
    #[derive(Clone, Copy, Debug)]
    #[repr(C)]
    pub struct Long([u8; 16]);

    impl Long {
        fn bits(self) -> Extended {
            Extended::from_bits(u128::from_le_bytes(self.0))
        }

        fn order_of(self, other: Self) -> Option<Ordering> {
            self.bits().order(other.bits())
        }

        /// Minimum and maximum by the rules that [`Float`] states.
        fn choose(self, other: Self, wins: Ordering, zero_sign: bool) -> Self {
            match self.order_of(other) {
                None => self.plus(other),
                Some(Ordering::Equal) if soft::is_negative(self.bits()) == zero_sign => self,
                Some(Ordering::Equal) => other,
                Some(order) if order == wins => self,
                Some(_) => other,
            }
        }
    }

    /// Loads both numbers, runs one instruction on the top two of the x87 stack, stores what is left over `right`. The unit
    /// rounds to 64 bits of precision, as it does for the compiler's `long double`.
    macro_rules! binary {
        ($instruction:literal, $left:expr, $right:expr) => {{
            let (left, mut right) = ($left, $right);
            // SAFETY: reads ten bytes of each local, writes ten bytes of one; the x87 stack is left as it was found, empty.
            unsafe {
                asm!(
                    "fld tbyte ptr [{left}]",
                    "fld tbyte ptr [{right}]",
                    $instruction,
                    "fstp tbyte ptr [{right}]",
                    left = in(reg) &raw const left,
                    right = in(reg) &raw mut right,
                    out("st(0)") _, out("st(1)") _, out("st(2)") _, out("st(3)") _,
                    out("st(4)") _, out("st(5)") _, out("st(6)") _, out("st(7)") _,
                    options(nostack),
                );
            }
            right
        }};
    }

    impl Float for Long {
        fn plus(self, other: Self) -> Self {
            binary!("faddp st(1), st", self, other)
        }
        fn minus(self, other: Self) -> Self {
            binary!("fsubp st(1), st", self, other)
        }
        fn times(self, other: Self) -> Self {
            binary!("fmulp st(1), st", self, other)
        }
        fn least(self, other: Self) -> Self {
            self.choose(other, Ordering::Less, true)
        }
        fn greatest(self, other: Self) -> Self {
            self.choose(other, Ordering::Greater, false)
        }
        fn order(self, other: Self) -> Option<Ordering> {
            self.order_of(other)
        }
        fn is_nan(self) -> bool {
            self.bits().is_nan()
        }
    }

    #[cfg(test)]
    mod tests {
        use super::*;
        use proptest::prelude::*;

        fn long(sign: bool, exponent: u16, significand: u64) -> Long {
            // The integer bit is set for all numbers but zero and subnormal ones.
            let integer = if exponent == 0 { 0 } else { 1 << 63 };
            let top = (sign as u128) << 79 | (exponent as u128) << 64;
            Long((top | (significand & !(1 << 63) | integer) as u128).to_le_bytes())
        }

        fn any_long() -> impl Strategy<Value = Long> {
            let exponents = prop_oneof![Just(0u16), Just(0x7fff), 0x3fc0..0x4040u16, 0..0x7fffu16];
            let significands = prop_oneof![Just(0u64), Just(u64::MAX), any::<u64>(), (0..64u32).prop_map(|n| 1 << n)];
            (any::<bool>(), exponents, significands).prop_map(|(s, e, m)| long(s, e, m))
        }

        proptest! {
            #![proptest_config(ProptestConfig::with_cases(4_000))]
            /// The processor and the portable arithmetic check each other.
            #[test]
            fn hardware_and_software_agree(a in any_long(), b in any_long()) {
                let low = |x: Long| u128::from_le_bytes(x.0) & ((1 << 80) - 1);
                for (hard, soft) in [
                    (a.plus(b), a.bits().plus(b.bits())),
                    (a.minus(b), a.bits().minus(b.bits())),
                    (a.times(b), a.bits().times(b.bits())),
                ] {
                    if hard.is_nan() {
                        prop_assert!(soft.is_nan());
                    } else {
                        prop_assert_eq!(low(hard), soft.to_bits(), "{:x?} {:x?}", low(a), low(b));
                    }
                }
            }
        }
    }
}
