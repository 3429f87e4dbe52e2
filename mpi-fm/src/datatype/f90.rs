//! Types chosen by property: Fortran's parameterised kinds (MPI 5.0 section 19.1.9) and pairs of a value and its index
//! (section 5.1.5).

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use parking_lot::Mutex;

use super::{Basic, Combiner, Contents, Datatype, Predefined};
use crate::bail;
use crate::error::Result;

/// MPI_UNDEFINED: this property does not matter.
const ANY: i32 = -32766;

/// MPI_TYPECLASS_INTEGER and the others; LOGICAL is the ABI stubs' extension.
const CLASS_LOGICAL: i32 = 191;
const CLASS_INTEGER: i32 = 192;
const CLASS_REAL: i32 = 193;
const CLASS_COMPLEX: i32 = 194;

/// Real kinds by decimal precision and exponent range, as Fortran's `precision()` and `range()` give them: the type for
/// reals and the one for complex numbers. Kind 10 exists where C has an x87 `long double`.
const REALS: &[(i32, i32, Basic, Basic)] = &[
    (6, 37, Basic::MPI_REAL4, Basic::MPI_COMPLEX8),
    (15, 307, Basic::MPI_REAL8, Basic::MPI_COMPLEX16),
    #[cfg(target_arch = "x86_64")]
    (18, 4931, Basic::MPI_LONG_DOUBLE, Basic::MPI_C_LONG_DOUBLE_COMPLEX),
    (33, 4931, Basic::MPI_REAL16, Basic::MPI_COMPLEX32),
];

/// Integer kinds by the decimal digits they hold.
const INTEGERS: &[(i32, Basic)] = &[
    (2, Basic::MPI_INTEGER1),
    (4, Basic::MPI_INTEGER2),
    (9, Basic::MPI_INTEGER4),
    (18, Basic::MPI_INTEGER8),
    (38, Basic::MPI_INTEGER16),
];

impl Predefined {
    pub fn f90_real(&self, precision: i32, range: i32) -> Result<Arc<Datatype>> {
        let (real, _) = real_kind(precision, range)?;
        self.equivalent(Combiner::F90Real, &[precision, range], real)
    }

    pub fn f90_complex(&self, precision: i32, range: i32) -> Result<Arc<Datatype>> {
        let (_, complex) = real_kind(precision, range)?;
        self.equivalent(Combiner::F90Complex, &[precision, range], complex)
    }

    pub fn f90_integer(&self, range: i32) -> Result<Arc<Datatype>> {
        match INTEGERS.iter().find(|&&(digits, _)| digits >= range) {
            Some(&(_, basic)) => self.equivalent(Combiner::F90Integer, &[range], basic),
            None => bail!(ARG, "no integer kind holds {range} decimal digits"),
        }
    }

    /// MPI_Type_match_size: the named type of a class that has `size` bytes.
    pub fn match_size(&self, class: i32, size: i32) -> Result<Arc<Datatype>> {
        use Basic as B;
        let candidates: &[B] = match class {
            CLASS_LOGICAL => {
                &[B::MPI_LOGICAL1, B::MPI_LOGICAL2, B::MPI_LOGICAL4, B::MPI_LOGICAL8, B::MPI_LOGICAL16]
            }
            CLASS_INTEGER => {
                &[B::MPI_INTEGER1, B::MPI_INTEGER2, B::MPI_INTEGER4, B::MPI_INTEGER8, B::MPI_INTEGER16]
            }
            CLASS_REAL => &[B::MPI_REAL2, B::MPI_REAL4, B::MPI_REAL8, B::MPI_REAL16],
            CLASS_COMPLEX => &[B::MPI_COMPLEX4, B::MPI_COMPLEX8, B::MPI_COMPLEX16, B::MPI_COMPLEX32],
            _ => bail!(ARG, "type class {class} is none of MPI_TYPECLASS_INTEGER, _REAL, _COMPLEX"),
        };
        match candidates.iter().find(|basic| basic.size() as i64 == size as i64) {
            Some(&basic) => Ok(self.get(basic).clone()),
            None => bail!(ARG, "no datatype of this class has {size} bytes"),
        }
    }

    /// MPI_Type_get_value_index: the named pair of two named types, or `None` (MPI_DATATYPE_NULL) where there is none. The standard lets an
    /// implementation have unnamed pairs as well (section 6.9.4), predefined ones that must not be freed; programs that know only named
    /// pairs and their own types free what they get.
    pub fn value_index(&self, value: &Arc<Datatype>, index: &Arc<Datatype>) -> Result<Option<Arc<Datatype>>> {
        let named = |ty: &Datatype| ty.basic.filter(|_| ty.contents.combiner == Combiner::Named);
        let (Some(v), Some(i)) = (named(value), named(index)) else {
            bail!(TYPE, "value type {} and index type {} must both be named", value.describe(), index.describe());
        };
        Ok(Basic::all().find(|b| b.row().pair == Some((v, i))).map(|basic| self.get(basic).clone()))
    }

    /// An unnamed type that is laid out and reduced like `basic`.
    fn equivalent(&self, combiner: Combiner, arguments: &[i32], basic: Basic) -> Result<Arc<Datatype>> {
        let contents = Contents::new(combiner, vec![]).ints(arguments.iter().copied());
        self.unnamed(contents, |contents| {
            let named = self.get(basic);
            Ok(Arc::new(Datatype {
                shape: named.shape,
                layout: named.layout.clone(),
                contiguous: named.contiguous,
                signature: named.signature.clone(),
                contents: Arc::new(contents),
                basic: Some(basic),
                depth: 0,
                committed: AtomicBool::new(true),
                name: Mutex::default(),
                attributes: Default::default(),
                handle: Default::default(),
            }))
        })
    }
}

fn real_kind(precision: i32, range: i32) -> Result<(Basic, Basic)> {
    if precision == ANY && range == ANY {
        bail!(ARG, "precision and range are both MPI_UNDEFINED");
    }
    let enough = |&&(p, r, ..): &&(i32, i32, Basic, Basic)| p >= precision && r >= range;
    match REALS.iter().find(enough) {
        Some(&(_, _, real, complex)) => Ok((real, complex)),
        None => bail!(ARG, "no real kind has precision {precision} and range {range}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_the_smallest_that_suffice_and_the_same_each_time() {
        let types = Predefined::new();
        assert_eq!(types.f90_real(6, 30).unwrap().size(), 4);
        assert_eq!(types.f90_real(7, ANY).unwrap().size(), 8);
        assert_eq!(types.f90_real(ANY, 400).unwrap().size(), 16);
        assert_eq!(types.f90_complex(15, 307).unwrap().size(), 16);
        assert_eq!(types.f90_integer(9).unwrap().size(), 4);
        assert_eq!(types.f90_integer(10).unwrap().size(), 8);
        assert!(types.f90_real(40, 10).is_err() && types.f90_real(ANY, ANY).is_err());
        assert!(types.f90_integer(39).is_err());
        assert!(Arc::ptr_eq(&types.f90_real(6, 30).unwrap(), &types.f90_real(6, 30).unwrap()));
        assert!(!Arc::ptr_eq(&types.f90_real(6, 30).unwrap(), &types.f90_real(5, 30).unwrap()));
        assert_eq!(types.f90_real(6, 30).unwrap().contents().integers, [6, 30]);
    }

    #[test]
    fn sizes_match_named_types() {
        let types = Predefined::new();
        assert_eq!(types.match_size(CLASS_REAL, 8).unwrap().name(), "MPI_REAL8");
        assert_eq!(types.match_size(CLASS_COMPLEX, 8).unwrap().name(), "MPI_COMPLEX8");
        assert_eq!(types.match_size(CLASS_INTEGER, 1).unwrap().name(), "MPI_INTEGER1");
        assert!(types.match_size(CLASS_REAL, 3).is_err() && types.match_size(1, 4).is_err());
    }

    #[test]
    fn value_index_finds_named_pairs() {
        let types = Predefined::new();
        let pair = |v, i| types.value_index(types.get(v), types.get(i)).unwrap();
        let named = pair(Basic::MPI_DOUBLE, Basic::MPI_INT).unwrap();
        assert!(Arc::ptr_eq(&named, types.get(Basic::MPI_DOUBLE_INT)));
        assert!(pair(Basic::MPI_FLOAT, Basic::MPI_INT64_T).is_none());
        assert!(pair(Basic::MPI_C_DOUBLE_COMPLEX, Basic::MPI_INT).is_none());
    }
}
