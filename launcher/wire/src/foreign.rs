//! Was this process started by a launcher that the library does not speak with?
//!
//! A program that was, and that finds no `hpvmrun`, would run as N singletons, each believing that it
//! is rank 0 of 1: the silent failure that users of mixed installations meet most. So the library
//! asks here before it starts as a singleton, and refuses with the text.

use std::env;

/// One family of launchers: what names a rank, and what says how many there are.
struct Family {
    launcher: &'static str,
    rank: &'static str,
    /// Any of these, above 1, is proof; with none set, the rank alone is, if `alone`.
    sizes: &'static [&'static str],
    alone: bool,
}

const FAMILIES: &[Family] = &[
    Family {
        launcher: "Open MPI's mpirun",
        rank: "OMPI_COMM_WORLD_RANK",
        sizes: &["OMPI_COMM_WORLD_SIZE"],
        alone: false,
    },
    Family {
        launcher: "MVAPICH's launcher",
        rank: "MV2_COMM_WORLD_RANK",
        sizes: &["MV2_COMM_WORLD_SIZE"],
        alone: false,
    },
    Family {
        launcher: "a PMI launcher without PMI_FD",
        rank: "PMI_RANK",
        sizes: &["PMI_SIZE"],
        alone: false,
    },
    Family { launcher: "Flux", rank: "FLUX_TASK_RANK", sizes: &["FLUX_JOB_SIZE"], alone: false },
    Family { launcher: "PALS", rank: "PALS_RANKID", sizes: &["PALS_SIZE"], alone: false },
    Family {
        launcher: "srun",
        rank: "SLURM_PROCID",
        sizes: &["SLURM_STEP_NUM_TASKS", "SLURM_NTASKS", "SLURM_NPROCS"],
        alone: false,
    },
    Family { launcher: "a PMIx launcher", rank: "PMIX_RANK", sizes: &["PMIX_SIZE"], alone: true },
];

/// What was found of a foreign launcher, as a sentence for the user; `None` if nothing.
pub fn detect() -> Option<String> {
    detect_in(|name| env::var_os(name).map(|value| value.to_string_lossy().into_owned()))
}

/// The same over any source of variables.
pub fn detect_in(get: impl Fn(&str) -> Option<String>) -> Option<String> {
    FAMILIES.iter().find_map(|family| family.trace(&get))
}

impl Family {
    fn trace(&self, get: &impl Fn(&str) -> Option<String>) -> Option<String> {
        let rank = get(self.rank)?;
        if self.rank == "SLURM_PROCID" && !in_a_slurm_step(get) {
            return None;
        }
        let size = self.sizes.iter().find_map(|name| Some((*name, get(name)?)));
        let found = match &size {
            Some((name, size)) if size.trim().parse::<u64>().is_ok_and(|size| size > 1) => {
                format!("{}={rank}, {name}={size}", self.rank)
            }
            None if self.alone => format!("{}={rank}", self.rank),
            _ => return None,
        };
        Some(format!(
            "this process was started by {} ({found}), which this MPI library does not speak to: every rank would be \
             alone in its own MPI_COMM_WORLD. Start the program with hpvmrun, mpiexec.hydra or srun --mpi=pmi2",
            self.launcher
        ))
    }
}

/// A batch script and an interactive allocation carry the job's variables too, but there the user has
/// not started a program with srun: their steps have reserved ids, from 0xffff_fff0 up, or none.
fn in_a_slurm_step(get: &impl Fn(&str) -> Option<String>) -> bool {
    ["SLURM_STEP_ID", "SLURM_STEPID"]
        .iter()
        .find_map(|name| get(name))
        .is_some_and(|id| id.trim().parse::<u64>().is_ok_and(|id| id < 0xffff_fff0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn detect(variables: &[(&str, &str)]) -> Option<String> {
        detect_in(|name| variables.iter().find(|(n, _)| *n == name).map(|(_, value)| (*value).to_string()))
    }

    #[test]
    fn launchers_of_others_are_named() {
        let cases: &[(&[(&str, &str)], &str)] = &[
            (&[("PMI_RANK", "3"), ("PMI_SIZE", "4")], "PMI_RANK=3, PMI_SIZE=4"),
            (&[("OMPI_COMM_WORLD_RANK", "0"), ("OMPI_COMM_WORLD_SIZE", "2"), ("PMIX_RANK", "0")], "Open MPI"),
            (&[("PMIX_RANK", "0")], "PMIX_RANK=0"),
            (&[("SLURM_PROCID", "1"), ("SLURM_STEP_ID", "0"), ("SLURM_NTASKS", "2")], "srun"),
        ];
        for (variables, expected) in cases {
            let text = detect(variables).unwrap_or_else(|| panic!("{variables:?} not recognised"));
            assert!(text.contains(expected) && text.contains("hpvmrun"), "{text}");
        }
    }

    #[test]
    fn a_singleton_is_left_alone() {
        let cases: &[&[(&str, &str)]] = &[
            &[],
            &[("PMI_RANK", "0"), ("PMI_SIZE", "1")],
            &[("OMPI_COMM_WORLD_RANK", "0"), ("OMPI_COMM_WORLD_SIZE", "1")],
            // Inside a batch script, and in the shell of an interactive allocation.
            &[("SLURM_PROCID", "0"), ("SLURM_NTASKS", "8")],
            &[("SLURM_PROCID", "0"), ("SLURM_NTASKS", "8"), ("SLURM_STEP_ID", "4294967290")],
            // srun -n 1 inside an allocation of eight tasks.
            &[("SLURM_PROCID", "0"), ("SLURM_NTASKS", "8"), ("SLURM_STEP_NUM_TASKS", "1"), ("SLURM_STEP_ID", "0")],
        ];
        for variables in cases {
            assert_eq!(detect(variables), None, "{variables:?}");
        }
    }
}
