//! Completion of nonblocking operations (MPI 5.0 section 3.7).

use super::prelude::*;
use crate::request;

table! {
    "Completion of nonblocking operations", "3.7";

    fn MPI_Wait(request: *mut MPI_Request, status: *mut MPI_Status) = request::wait;
    fn MPI_Test(request: *mut MPI_Request, flag: *mut c_int, status: *mut MPI_Status) = request::test;
    fn MPI_Waitany(
        count: c_int, array_of_requests: *mut MPI_Request, indx: *mut c_int, status: *mut MPI_Status
    ) = request::waitany;
    fn MPI_Testany(
        count: c_int, array_of_requests: *mut MPI_Request, indx: *mut c_int, flag: *mut c_int,
        status: *mut MPI_Status
    ) = request::testany;
    fn MPI_Waitall(
        count: c_int, array_of_requests: *mut MPI_Request, array_of_statuses: *mut MPI_Status
    ) = request::waitall;
    fn MPI_Testall(
        count: c_int, array_of_requests: *mut MPI_Request, flag: *mut c_int, array_of_statuses: *mut MPI_Status
    ) = request::testall;
    fn MPI_Waitsome(
        incount: c_int, array_of_requests: *mut MPI_Request, outcount: *mut c_int, array_of_indices: *mut c_int,
        array_of_statuses: *mut MPI_Status
    ) = request::waitsome;
    fn MPI_Testsome(
        incount: c_int, array_of_requests: *mut MPI_Request, outcount: *mut c_int, array_of_indices: *mut c_int,
        array_of_statuses: *mut MPI_Status
    ) = request::testsome;
    fn MPI_Start(request: *mut MPI_Request) = request::start;
    fn MPI_Startall(count: c_int, array_of_requests: *mut MPI_Request) = request::startall;
    fn MPI_Request_free(request: *mut MPI_Request) = request::free;
    fn MPI_Cancel(request: *mut MPI_Request) = request::cancel;
    fn MPI_Request_get_status(request: MPI_Request, flag: *mut c_int, status: *mut MPI_Status) = request::get_status;
    fn MPI_Request_get_status_any(
        count: c_int, array_of_requests: *const MPI_Request, indx: *mut c_int, flag: *mut c_int,
        status: *mut MPI_Status
    ) = request::get_status_any;
    fn MPI_Request_get_status_all(
        count: c_int, array_of_requests: *const MPI_Request, flag: *mut c_int,
        array_of_statuses: *mut MPI_Status
    ) = request::get_status_all;
    fn MPI_Request_get_status_some(
        incount: c_int, array_of_requests: *const MPI_Request, outcount: *mut c_int,
        array_of_indices: *mut c_int, array_of_statuses: *mut MPI_Status
    ) = request::get_status_some;
}
