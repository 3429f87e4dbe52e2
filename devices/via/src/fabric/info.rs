//! What libfabric's providers offer.

use super::abi::{
    API, FI_CONTEXT, FI_CONTEXT2, FI_EP_RDM, FI_MR_ALLOCATED, FI_MR_ENDPOINT, FI_MR_LOCAL, FI_MR_PROV_KEY, FI_MR_VIRT_ADDR, FI_MSG,
    FI_ORDER_SAS, FI_READ, FI_RECV, FI_REMOTE_READ, FI_RM_ENABLED, FI_RMA, FI_SEND, FI_SOCKADDR_IN, FI_SOCKADDR_IN6, FI_THREAD_DOMAIN, Info,
};
use super::library::Library;
use super::signals;
use std::ffi::{CStr, CString};
use std::net::IpAddr;
use std::ptr::null_mut;

/// Offers, as libfabric lists them.
pub struct Infos {
    loaded: &'static Library,
    first: *mut Info,
}

/// One of them.
#[derive(Clone, Copy)]
pub struct Offer<'i> {
    pub(super) loaded: &'static Library,
    pub(super) info: &'i Info,
}

/// What a provider speaks with its like.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Protocol {
    pub number: u32,
    pub version: u32,
}

impl Infos {
    /// All offers of provider `name` that this device can use; with `reads`, also reading the memory of others.
    ///
    /// # Errors
    /// When there is none.
    pub fn of(library: &'static Library, name: &str, reads: bool) -> Result<Infos, String> {
        let caps = FI_MSG | FI_SEND | FI_RECV | if reads { FI_RMA | FI_READ | FI_REMOTE_READ } else { 0 };
        // Its hints own the name and free it: with the C library's function.
        let name = CString::new(name).map_err(|_| "a provider's name has no NUL".to_owned())?;
        // SAFETY: a new structure with all its parts, which libfabric allocates and frees.
        let hints = unsafe { (library.dupinfo)(std::ptr::null()) };
        if hints.is_null() {
            return Err("no memory".into());
        }
        // SAFETY: as above; each part is there and ours to fill.
        unsafe {
            let hints = &mut *hints;
            hints.caps = caps;
            hints.mode = FI_CONTEXT | FI_CONTEXT2;
            (*hints.ep_attr).kind = FI_EP_RDM;
            (*hints.tx_attr).msg_order = FI_ORDER_SAS;
            (*hints.rx_attr).msg_order = FI_ORDER_SAS;
            (*hints.domain_attr).threading = FI_THREAD_DOMAIN;
            (*hints.domain_attr).resource_mgmt = FI_RM_ENABLED;
            (*hints.domain_attr).mr_mode = FI_MR_LOCAL | FI_MR_VIRT_ADDR | FI_MR_ALLOCATED | FI_MR_PROV_KEY | FI_MR_ENDPOINT;
            (*hints.fabric_attr).prov_name = libc::strdup(name.as_ptr());
        }
        let mut first = null_mut();
        // SAFETY: hints as above; a place for the answer.
        let failed = signals::kept(|| unsafe {
            let failed = (library.getinfo)(API, std::ptr::null(), std::ptr::null(), 0, hints, &raw mut first);
            (library.freeinfo)(hints);
            failed
        });
        match failed {
            0 if !first.is_null() => Ok(Infos { loaded: library, first }),
            0 => Err("it offers nothing".into()),
            failed => Err(library.describe(-(failed as isize))),
        }
    }

    pub fn iter(&self) -> impl Iterator<Item = Offer<'_>> {
        // SAFETY: a list that ends with a null pointer, and lives as long as we do.
        let mut next = unsafe { self.first.as_ref() };
        std::iter::from_fn(move || {
            let info = next?;
            // SAFETY: as above.
            next = unsafe { info.next.as_ref() };
            Some(Offer { loaded: self.loaded, info })
        })
    }
}

impl Drop for Infos {
    fn drop(&mut self) {
        // SAFETY: from `fi_getinfo`, and freed once.
        unsafe { (self.loaded.freeinfo)(self.first) };
    }
}

impl Offer<'_> {
    /// The provider's full name.
    pub fn provider(&self) -> String {
        // SAFETY: offers have this part, and the name in it ends.
        let name = unsafe { CStr::from_ptr((*self.info.fabric_attr).prov_name) };
        name.to_string_lossy().into_owned()
    }

    pub fn protocol(&self) -> Protocol {
        // SAFETY: offers have this part.
        let ep = unsafe { &*self.info.ep_attr };
        Protocol { number: ep.protocol, version: ep.protocol_version }
    }

    /// The network device, as the provider calls it.
    pub fn domain(&self) -> String {
        // SAFETY: offers have this part; the name in it may be missing, else it ends.
        let name = unsafe {
            let name = (*self.info.domain_attr).name;
            if name.is_null() { c"" } else { CStr::from_ptr(name) }
        };
        name.to_string_lossy().into_owned()
    }

    /// Our address there, where the provider's addresses are those of the Internet; `None` where they are something else.
    pub fn address(&self) -> Option<IpAddr> {
        let (info, bytes) = (self.info, self.info.src_addr.cast::<u8>());
        if bytes.is_null() {
            return None;
        }
        match info.addr_format {
            FI_SOCKADDR_IN if info.src_addrlen >= size_of::<libc::sockaddr_in>() => {
                // SAFETY: it says that it is one, and is long enough.
                let address = unsafe { bytes.cast::<libc::sockaddr_in>().read_unaligned() };
                Some(IpAddr::from(address.sin_addr.s_addr.to_ne_bytes()))
            }
            FI_SOCKADDR_IN6 if info.src_addrlen >= size_of::<libc::sockaddr_in6>() => {
                // SAFETY: as above.
                let address = unsafe { bytes.cast::<libc::sockaddr_in6>().read_unaligned() };
                Some(IpAddr::from(address.sin6_addr.s6_addr))
            }
            _ => None,
        }
    }

    /// Whether [`address`](Self::address) says where it is.
    pub fn is_of_internet(&self) -> bool {
        matches!(self.info.addr_format, FI_SOCKADDR_IN | FI_SOCKADDR_IN6)
    }
}
