/*
 * mpi.h: the C interface of MPI 5.0 in the standard ABI 1.0 (MPI 5.0, chapter 20).
 *
 * A program compiled against this file runs with any library that implements the standard ABI, and the other way round. So no
 * number, no struct and no type may change here. Numbers in parentheses are sections of the MPI standard 5.0.
 *
 * Beside the standard it declares MPI_Fint with the c2f and f2c functions (19.3), and the functions removed in MPI-3.0 (17.1).
 */
#ifndef HPVM_MPI_H
#define HPVM_MPI_H

#include <stdint.h>

#if defined(__cplusplus)
extern "C" {
#endif

#define MPI_VERSION 5
#define MPI_SUBVERSION 0

#define MPI_ABI_VERSION 1
#define MPI_ABI_SUBVERSION 0

#include "hpvm/types.h"
#include "hpvm/constants.h"
#include "hpvm/callbacks.h"

/*
 * Functions, by chapter of the standard. Each file declares them twice: the MPI_ names are weak; a library that comes first may define
 * any of them and call its PMPI_ name, which no tool replaces.
 */
#include "hpvm/p2p.h"
#include "hpvm/datatype.h"
#include "hpvm/coll.h"
#include "hpvm/comm.h"
#include "hpvm/topology.h"
#include "hpvm/process.h"
#include "hpvm/rma.h"
#include "hpvm/io.h"
#include "hpvm/tools.h"
#include "hpvm/language.h"

#if defined(__cplusplus)
}
#endif

#endif
