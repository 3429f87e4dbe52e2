//! The buffers of a collective call, as the call's arguments keep them.

use crate::buf::Buf;
use crate::datatype::Datatype;
use std::ops::Deref;
use std::sync::Arc;

/// An object that a call uses: lent for a blocking call, which saves counting it, or shared by one that outlives its start.
pub enum Held<'a, T> {
    Lent(&'a Arc<T>),
    Shared(Arc<T>),
}

impl<T> Deref for Held<'_, T> {
    type Target = Arc<T>;

    #[inline]
    fn deref(&self) -> &Arc<T> {
        match self {
            Held::Lent(object) => object,
            Held::Shared(object) => object,
        }
    }
}

impl<T> Held<'_, T> {
    /// The same object, for a call that may outlive this one.
    pub fn own(self) -> Held<'static, T> {
        match self {
            Held::Lent(object) => Held::Shared(Arc::clone(object)),
            Held::Shared(object) => Held::Shared(object),
        }
    }
}

/// One buffer of a call: a [`Buf`] that can outlive the handle of its datatype.
pub struct Data<'a> {
    addr: *mut u8,
    count: usize,
    ty: Held<'a, Datatype>,
}

// SAFETY: as `Buf`: a name for memory that the program has handed over.
unsafe impl Send for Data<'_> {}
// SAFETY: as above.
unsafe impl Sync for Data<'_> {}

impl<'a> Data<'a> {
    pub fn new(buf: Buf<'a>) -> Data<'a> {
        Data { addr: buf.addr(), count: buf.count(), ty: Held::Lent(buf.ty()) }
    }

    #[inline]
    pub fn buf(&self) -> Buf<'_> {
        // SAFETY: what the buffer that this was made of vouched for.
        unsafe { Buf::new(self.addr, self.count, &self.ty) }
    }

    pub fn own(self) -> Data<'static> {
        Data { addr: self.addr, count: self.count, ty: self.ty.own() }
    }
}
