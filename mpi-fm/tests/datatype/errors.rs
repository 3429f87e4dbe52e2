//! Wrong arguments give errors with the right class, and nothing wraps.

use mpi_fm::datatype::array::Order;
use mpi_fm::datatype::{Basic, Combiner, Datatype, Form, Predefined};
use mpi_fm::{Class, Error};
use std::sync::Arc;

fn class(result: Result<Arc<Datatype>, Error>) -> Class {
    result.expect_err("must be refused").class
}

#[test]
fn negative_counts_and_lengths() {
    let types = Predefined::new();
    let int = types.get(Basic::MPI_INT);
    assert_eq!(class(Datatype::contiguous(Form::Int, -1, int)), Class::COUNT);
    assert_eq!(class(Datatype::vector(Form::Int, -1, 1, 1, int)), Class::COUNT);
    assert_eq!(class(Datatype::vector(Form::Int, 1, -1, 1, int)), Class::ARG);
    assert_eq!(class(Datatype::hvector(Form::Int, 1, -1, 1, int)), Class::ARG);
    assert_eq!(class(Datatype::indexed(Form::Int, &[1, -2], &[0, 4], int)), Class::ARG);
    assert_eq!(class(Datatype::hindexed_block(Form::Int, -2, &[0, 4], int)), Class::ARG);
    let error = Datatype::structure(Form::Int, &[1, -7], &[0, 4], &[int.clone(), int.clone()]).unwrap_err();
    assert_eq!((error.class, &*error.text), (Class::ARG, "block length 1 is -7, it must not be negative"));
}

#[test]
fn overflow_is_an_error() {
    let types = Predefined::new();
    let double = types.get(Basic::MPI_DOUBLE);
    let form = Form::Count;
    let big = Datatype::contiguous(form, 1 << 59, double).unwrap();
    assert_eq!(big.size(), 1 << 62);
    assert_eq!(class(Datatype::contiguous(form, 2, &big)), Class::VALUE_TOO_LARGE);
    assert_eq!(class(Datatype::contiguous(form, i64::MAX, double)), Class::VALUE_TOO_LARGE);
    assert_eq!(class(Datatype::vector(form, 3, 1, i64::MAX / 8, double)), Class::VALUE_TOO_LARGE);
    assert_eq!(class(Datatype::vector(form, 2, 1, i64::MAX, double)), Class::ARG);
    assert_eq!(class(Datatype::hvector(form, i64::MAX, 1, 0, double)), Class::VALUE_TOO_LARGE);
    assert_eq!(class(Datatype::hvector(form, i64::MAX, i64::MAX, 1, double)), Class::VALUE_TOO_LARGE);
    assert_eq!(class(Datatype::hvector(form, i64::MAX, 0, i64::MAX, double)), Class::VALUE_TOO_LARGE);
    assert_eq!(class(Datatype::hindexed(form, &[1, 1], &[i64::MIN, i64::MAX - 8], double)), Class::VALUE_TOO_LARGE);
    assert_eq!(class(Datatype::indexed(form, &[1], &[i64::MAX / 2], double)), Class::ARG);
    assert_eq!(class(Datatype::resized(form, double, i64::MAX, 1)), Class::ARG);
    let sizes = [1 << 31, 1 << 31];
    assert_eq!(class(Datatype::subarray(form, &sizes, &[1, 1], &[0, 0], Order::C, double)), Class::VALUE_TOO_LARGE);
}

#[test]
fn subarrays_and_distributed_arrays_check_their_grids() {
    let types = Predefined::new();
    let int = types.get(Basic::MPI_INT);
    let sub = |sizes: &[i64], subs: &[i64], starts: &[i64]| Datatype::subarray(Form::Int, sizes, subs, starts, Order::C, int);
    assert_eq!(class(sub(&[], &[], &[])), Class::ARG);
    assert_eq!(class(sub(&[4], &[0], &[0])), Class::ARG);
    assert_eq!(class(sub(&[4], &[5], &[0])), Class::ARG);
    assert_eq!(class(sub(&[4], &[2], &[3])), Class::ARG);
    assert_eq!(class(sub(&[4], &[2], &[-1])), Class::ARG);
    assert!(Order::of(14).is_err());
    let dist = |size, rank, g, distrib, darg, p| {
        Datatype::darray(Form::Int, size, rank, &[g], &[distrib], &[darg], &[p], Order::C, int)
    };
    assert_eq!(class(dist(4, 4, 10, 17, 19, 4)), Class::ARG);
    assert_eq!(class(dist(4, 0, 10, 17, 19, 3)), Class::ARG);
    assert_eq!(class(dist(4, 0, 10, 17, 2, 4)), Class::ARG);
    assert_eq!(class(dist(4, 0, 10, 18, 0, 4)), Class::ARG);
    assert_eq!(class(dist(4, 0, 10, 16, 19, 4)), Class::ARG);
    assert_eq!(class(dist(4, 0, 10, 15, 19, 4)), Class::ARG);
    assert!(dist(4, 3, i32::MAX as i64, 18, i32::MAX, 4).is_ok());
}

#[test]
fn nesting_has_an_end() {
    let types = Predefined::new();
    let mut ty = types.get(Basic::MPI_INT).clone();
    let error = loop {
        let parts = [types.get(Basic::MPI_CHAR).clone(), ty.clone()];
        match Datatype::structure(Form::Int, &[1, 2], &[0, 8], &parts) {
            Ok(next) if next.size() < 1 << 40 => ty = next,
            Ok(_) => ty = Datatype::dup(&ty).unwrap(),
            Err(error) => break error,
        }
        if let Err(error) = Datatype::dup(&ty) {
            break error;
        }
    };
    assert_eq!(error.class, Class::NO_MEM);
}

#[test]
fn contents_come_back_as_they_were_given() {
    let types = Predefined::new();
    let int = types.get(Basic::MPI_INT);
    let of = |ty: Result<Arc<Datatype>, Error>| ty.unwrap();
    let ty = of(Datatype::hindexed(Form::Int, &[1, 2], &[0, 40], int));
    let c = ty.contents();
    assert_eq!((c.combiner, &c.integers[..], &c.addresses[..]), (Combiner::Hindexed, &[2, 1, 2][..], &[0, 40][..]));
    let ty = of(Datatype::hindexed(Form::Count, &[1, 2], &[0, 40], int));
    let c = ty.contents();
    assert_eq!((c.integers.len(), c.addresses.len(), &c.large_counts[..]), (0, 0, &[2, 1, 2, 0, 40][..]));
    let ty = of(Datatype::subarray(Form::Count, &[4, 5], &[2, 3], &[1, 0], Order::Fortran, int));
    assert_eq!((&ty.contents().integers[..], &ty.contents().large_counts[..]), (&[2, 15][..], &[4, 5, 2, 3, 1, 0][..]));
    let ty = of(Datatype::darray(Form::Int, 4, 1, &[8, 9], &[17, 18], &[19, 2], &[2, 2], Order::C, int));
    assert_eq!(ty.contents().integers, [4, 1, 2, 8, 9, 17, 18, 19, 2, 2, 2, 12]);
    let ty = of(Datatype::resized(Form::Int, int, -4, 12));
    assert_eq!((ty.contents().combiner, &ty.contents().addresses[..]), (Combiner::Resized, &[-4, 12][..]));
    assert!(Arc::ptr_eq(&ty.contents().types[0], int));
}
