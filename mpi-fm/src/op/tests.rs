//! Operations against straightforward references, and the table of what is allowed.

use super::*;
use crate::datatype::{Basic, Form, Predefined};

/// Applies an operation to arrays of a plain type, at unaligned addresses.
fn apply<T: Copy>(builtin: Builtin, basic: Basic, left: &[T], right: &[T]) -> Vec<T> {
    let types = Predefined::new();
    let bytes = size_of_val(left);
    let (mut a, mut b) = (vec![0u8; bytes + 1], vec![0u8; bytes + 1]);
    // SAFETY: plain numbers, copied as bytes into buffers of their size.
    unsafe {
        std::ptr::copy_nonoverlapping(left.as_ptr().cast(), a.as_mut_ptr().add(1), bytes);
        std::ptr::copy_nonoverlapping(right.as_ptr().cast(), b.as_mut_ptr().add(1), bytes);
        let op = Op::builtin(builtin);
        let items = bytes / types.get(basic).extent() as usize;
        op.apply(a.as_ptr().add(1), b.as_mut_ptr().add(1), items, types.get(basic)).unwrap();
        (0..left.len()).map(|i| b.as_ptr().add(1).cast::<T>().add(i).read_unaligned()).collect()
    }
}

/// 67 elements: whole vectors and a rest.
fn numbers<T>(make: impl Fn(i64) -> T) -> (Vec<T>, Vec<T>) {
    ((0..67).map(|i| make(i * 7919 % 211 - 100)).collect(), (0..67).map(|i| make(i * 104_729 % 197 - 90)).collect())
}

fn check<T: Copy + PartialEq + std::fmt::Debug>(
    basics: &[Basic],
    builtin: Builtin,
    make: impl Fn(i64) -> T,
    reference: impl Fn(T, T) -> T,
) {
    let (left, right) = numbers(make);
    let expected: Vec<T> = left.iter().zip(&right).map(|(&a, &b)| reference(a, b)).collect();
    for &basic in basics {
        assert_eq!(apply(builtin, basic, &left, &right), expected, "{builtin:?} {basic:?}");
    }
}

macro_rules! check_integers {
    ($($t:ty: $($basic:ident)*;)*) => {$({
        let basics = &[$(Basic::$basic),*];
        // Multiplied up so that products and sums wrap.
        let make = |i: i64| (i as $t).wrapping_mul((0x5851_f42d_4c95_7f2d_i128) as $t);
        check::<$t>(basics, Builtin::Sum, make, |a, b| a.wrapping_add(b));
        check::<$t>(basics, Builtin::Prod, make, |a, b| a.wrapping_mul(b));
        check::<$t>(basics, Builtin::Min, make, |a, b| if a < b { a } else { b });
        check::<$t>(basics, Builtin::Max, make, |a, b| if a > b { a } else { b });
        check::<$t>(basics, Builtin::Band, make, |a, b| a & b);
        check::<$t>(basics, Builtin::Bor, make, |a, b| a | b);
        check::<$t>(basics, Builtin::Bxor, make, |a, b| a ^ b);
    })*};
}

#[test]
fn integers_wrap_and_compare_by_their_sign() {
    check_integers! {
        i8: MPI_SIGNED_CHAR MPI_INT8_T MPI_INTEGER1;
        u8: MPI_UNSIGNED_CHAR MPI_UINT8_T;
        i16: MPI_SHORT MPI_INT16_T MPI_INTEGER2;
        u16: MPI_UNSIGNED_SHORT MPI_UINT16_T;
        i32: MPI_INT MPI_INT32_T MPI_INTEGER MPI_INTEGER4;
        u32: MPI_UNSIGNED MPI_UINT32_T;
        i64: MPI_LONG MPI_LONG_LONG_INT MPI_INT64_T MPI_INTEGER8 MPI_AINT MPI_COUNT MPI_OFFSET;
        u64: MPI_UNSIGNED_LONG MPI_UNSIGNED_LONG_LONG MPI_UINT64_T;
        i128: MPI_INTEGER16;
    }
}

#[test]
fn logical_results_are_zero_and_one() {
    let some = |i: i64| (i % 3) as i32;
    let basics = &[Basic::MPI_INT, Basic::MPI_LOGICAL, Basic::MPI_LOGICAL4];
    check(basics, Builtin::Land, some, |a, b| (a != 0 && b != 0) as i32);
    check(basics, Builtin::Lor, some, |a, b| (a != 0 || b != 0) as i32);
    check(basics, Builtin::Lxor, some, |a, b| ((a != 0) != (b != 0)) as i32);
    let some = |i: i64| (i & 1) as u8;
    check(&[Basic::MPI_C_BOOL, Basic::MPI_CXX_BOOL], Builtin::Lxor, some, |a, b| a ^ b);
}

#[test]
fn native_floats() {
    let singles = &[Basic::MPI_FLOAT, Basic::MPI_REAL, Basic::MPI_REAL4];
    let doubles = &[Basic::MPI_DOUBLE, Basic::MPI_DOUBLE_PRECISION, Basic::MPI_REAL8];
    check(singles, Builtin::Sum, |i| i as f32 / 7.0, |a, b| a + b);
    check(singles, Builtin::Prod, |i| i as f32 / 7.0, |a, b| a * b);
    check(doubles, Builtin::Sum, |i| i as f64 / 7.0, |a, b| a + b);
    check(doubles, Builtin::Prod, |i| i as f64 / 7.0, |a, b| a * b);
    check(doubles, Builtin::Min, |i| i as f64 / 7.0, f64::min);
    check(doubles, Builtin::Max, |i| i as f64 / 7.0, f64::max);
}

#[test]
fn extremes_know_signed_zero_and_keep_nans() {
    let both = |builtin, a: f64, b: f64| {
        let (ab, ba) = (
            apply(builtin, Basic::MPI_DOUBLE, &[a; 9], &[b; 9])[8],
            apply(builtin, Basic::MPI_DOUBLE, &[b; 9], &[a; 9])[8],
        );
        assert!(ab.to_bits() == ba.to_bits() || (ab.is_nan() && ba.is_nan()), "the order of {a} and {b} matters");
        ab
    };
    assert_eq!(both(Builtin::Min, 0.0, -0.0).to_bits(), (-0.0f64).to_bits());
    assert_eq!(both(Builtin::Max, 0.0, -0.0).to_bits(), 0.0f64.to_bits());
    assert!(both(Builtin::Min, f64::NAN, 1.0).is_nan() && both(Builtin::Max, f64::NAN, f64::INFINITY).is_nan());
    assert_eq!(both(Builtin::Max, f64::NEG_INFINITY, -1.0), -1.0);
}

#[test]
fn complex_numbers() {
    // (1 + 2i) + (3 - i), and their product 5 + 5i.
    let (a, b) = ([1.0, 2.0, 1.0, 2.0], [3.0, -1.0, 3.0, -1.0]);
    for basic in [Basic::MPI_C_DOUBLE_COMPLEX, Basic::MPI_DOUBLE_COMPLEX, Basic::MPI_COMPLEX16] {
        assert_eq!(apply(Builtin::Sum, basic, &a, &b), [4.0, 1.0, 4.0, 1.0]);
        assert_eq!(apply(Builtin::Prod, basic, &a, &b), [5.0, 5.0, 5.0, 5.0]);
    }
    let (a, b) = ([1.0f32, 2.0], [3.0f32, -1.0]);
    assert_eq!(apply(Builtin::Prod, Basic::MPI_CXX_FLOAT_COMPLEX, &a, &b), [5.0, 5.0]);
}

/// The x87 number `significand * 2^(exponent - 63)`.
#[cfg(target_arch = "x86_64")]
fn x87(significand: u64, exponent: i32) -> u128 {
    ((exponent + 16383) as u128) << 64 | significand as u128
}

#[cfg(target_arch = "x86_64")]
#[test]
fn long_double_keeps_64_bits_of_precision() {
    let one = x87(1 << 63, 0);
    let tiny = x87(1 << 63, -63);
    let sum = apply(Builtin::Sum, Basic::MPI_LONG_DOUBLE, &[one, tiny], &[tiny, one]);
    assert_eq!(sum, [x87(1 << 63 | 1, 0); 2]);
    let (one, two, three, five) = (one, x87(1 << 63, 1), x87(3 << 62, 1), x87(5 << 61, 2));
    let minus_one = one | 1 << 79;
    let product = apply(Builtin::Prod, Basic::MPI_C_LONG_DOUBLE_COMPLEX, &[one, two], &[three, minus_one]);
    assert_eq!(product, [five, five]);
    assert_eq!(apply(Builtin::Max, Basic::MPI_LONG_DOUBLE, &[minus_one], &[one]), [one]);
    assert_eq!(apply(Builtin::Min, Basic::MPI_LONG_DOUBLE, &[minus_one], &[one]), [minus_one]);
}

#[test]
fn locations_are_the_lowest_of_the_extreme() {
    #[derive(Clone, Copy, PartialEq, Debug)]
    #[repr(C)]
    struct DoubleInt(f64, i32);
    let left = [DoubleInt(1.0, 5), DoubleInt(2.0, 7), DoubleInt(2.0, 3), DoubleInt(f64::NAN, 9), DoubleInt(0.0, 2)];
    let right = [DoubleInt(2.0, 1), DoubleInt(2.0, 4), DoubleInt(2.0, 6), DoubleInt(1.0, 1), DoubleInt(-0.0, 8)];
    let min = apply(Builtin::Minloc, Basic::MPI_DOUBLE_INT, &left, &right);
    assert_eq!((min[0].1, min[1].1, min[2].1, min[3].1, min[4].1), (5, 4, 3, 9, 2));
    let max = apply(Builtin::Maxloc, Basic::MPI_DOUBLE_INT, &left, &right);
    assert_eq!((max[0].1, max[1].1, max[2].1, max[3].1, max[4].1), (1, 4, 3, 9, 2));
    let max = apply(Builtin::Maxloc, Basic::MPI_2REAL, &[1.0f32, 4.0], &[3.0f32, 2.0]);
    assert_eq!(max, [3.0, 2.0]);
    let min = apply(Builtin::Minloc, Basic::MPI_SHORT_INT, &[[-3i16, 0, 4, 0]], &[[2, 0, 1, 0]]);
    assert_eq!(min, [[-3, 0, 4, 0]]);
}

/// Every pair of operation and predefined type is either applied or refused with a text that names both.
#[test]
fn every_allowed_pair_works_and_every_other_says_why() {
    let types = Predefined::new();
    let mut allowed = 0;
    for &(builtin, _, name) in BUILTINS {
        let op = Op::builtin(builtin);
        for basic in Basic::all() {
            let ty = types.get(basic);
            let (input, mut inout) = ([0u8; 64], [0u8; 64]);
            // SAFETY: no predefined item is larger than 32 bytes.
            let applied = unsafe { op.apply(input.as_ptr(), inout.as_mut_ptr(), 2, ty) };
            assert_eq!(applied, op.check_accumulate(ty));
            match applied {
                Ok(()) => allowed += 1,
                Err(error) => assert_eq!(error.text, format!("{name} is not defined for {basic:?}")),
            }
        }
    }
    // Groups: 18 C integers, 6 Fortran ones, 3 of all languages, 9 real and 12 complex numbers, 8 logicals, MPI_BYTE, 9 pairs.
    let (ints, all_ints, reals, complex) = (18, 18 + 6 + 3, 9, 12);
    let arithmetic = 2 * (all_ints + reals) + 2 * (all_ints + reals + complex);
    let bitwise = 3 * (all_ints + 1);
    let logical = 3 * (ints + 3 + 8);
    assert_eq!(allowed, arithmetic + bitwise + logical + 2 * 9 + 2 * Basic::all().count());
}

#[test]
fn texts_of_refusals() {
    let types = Predefined::new();
    let error = Op::builtin(Builtin::Band).check(types.get(Basic::MPI_DOUBLE)).unwrap_err();
    assert_eq!((error.class, &*error.text), (crate::Class::OP, "MPI_BAND is not defined for MPI_DOUBLE"));
    let pair = Datatype::contiguous(Form::Int, 2, types.get(Basic::MPI_INT)).unwrap();
    let error = Op::builtin(Builtin::Sum).check(&pair).unwrap_err();
    assert!(error.text.contains("predefined datatypes only"), "{error}");
    let again = Datatype::dup(types.get(Basic::MPI_INT)).unwrap();
    assert_eq!(Op::builtin(Builtin::Sum).check(&again), Ok(()));
    assert!(Op::builtin(Builtin::Replace).check(&again).is_err());
}
