//! What a node is told of the job: its ranks and their programs.

use std::ffi::{CString, OsStr};
use std::os::unix::ffi::OsStrExt as _;
use std::path::PathBuf;

use hpvm_wire::Place;

use super::frame::{Reader, Writer};
use crate::binding;
use crate::options::BindTo;
use crate::plan::{PartPlan, Plan, RankPlan};

/// One node's share of a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeJob {
    pub bind_to: BindTo,
    pub parts: Vec<PartPlan>,
    /// Its ranks, in the order of their local ranks, each with the index of its part.
    pub ranks: Vec<(Place, usize)>,
    /// By rank here: the processors that a rank file gives it, none of them for those of `bind_to`.
    pub cpus: Vec<Vec<u32>>,
}

impl NodeJob {
    /// The share of node number `node`.
    pub fn of(plan: &Plan, node: usize) -> Self {
        let (ranks, cpus) = plan.ranks.iter().filter(|rank| rank.place.node as usize == node).map(|rank| ((rank.place, rank.part), rank.cpus.clone())).unzip();
        Self { bind_to: plan.bind_to, parts: plan.parts.clone(), ranks, cpus }
    }

    /// On the node itself: what its keepers are to start.
    pub fn into_plan(self, host: String) -> Result<Plan, String> {
        let places = binding::places(self.bind_to)?;
        let rank = |((place, part), cpus): ((Place, usize), Vec<u32>)| {
            let cores = match cpus.is_empty() {
                true => places.get(place.local_rank as usize % places.len().max(1)).cloned(),
                false => Some(binding::given(&cpus).map_err(|why| format!("rank {}: {why}", place.rank))?),
            };
            Ok(RankPlan { cores, place, part, cpus })
        };
        let ranks = self.ranks.into_iter().zip(self.cpus).map(rank).collect::<Result<_, String>>()?;
        Ok(Plan { host, parts: self.parts, ranks, bind_to: self.bind_to, ..Plan::default() })
    }

    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut writer = Writer(&mut bytes);
        writer.u32(BINDINGS.iter().position(|one| *one == self.bind_to).unwrap_or(0) as u32);
        writer.u32(self.parts.len() as u32);
        for part in &self.parts {
            writer.bytes(part.name.as_bytes());
            writer.bytes(part.file.as_os_str().as_bytes());
            writer.bytes(part.path.as_bytes());
            // An empty folder stands for none.
            writer.bytes(part.work_dir.as_deref().map_or(&[], |folder| folder.to_bytes()));
            for list in [&part.arguments, &part.environment] {
                writer.u32(list.len() as u32);
                list.iter().for_each(|text| writer.bytes(text.as_bytes()));
            }
        }
        for ((place, part), cpus) in self.ranks.iter().zip(&self.cpus) {
            let Place { rank, size, local_rank, local_size, node, appnum, universe_size } = *place;
            writer.words(&[rank, size, local_rank, local_size, node, appnum, universe_size, *part as u32]);
            writer.u32(cpus.len() as u32);
            writer.words(cpus);
        }
        bytes
    }

    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader(bytes);
        let bind_to = *BINDINGS.get(reader.u32()? as usize)?;
        let parts = (0..reader.u32()?).map(|_| part(&mut reader)).collect::<Option<Vec<_>>>()?;
        let (mut ranks, mut all_cpus) = (Vec::new(), Vec::new());
        while !reader.0.is_empty() {
            let [rank, size, local_rank, local_size, node, appnum, universe_size, part] = reader.words()?;
            let place = Place { rank, size, local_rank, local_size, node, appnum, universe_size };
            if part as usize >= parts.len() || rank >= size || local_rank as usize != ranks.len() {
                return None;
            }
            ranks.push((place, part as usize));
            all_cpus.push((0..reader.u32()?).map(|_| reader.u32()).collect::<Option<_>>()?);
        }
        (!ranks.is_empty()).then_some(Self { bind_to, parts, ranks, cpus: all_cpus })
    }
}

const BINDINGS: [BindTo; 4] = [BindTo::None, BindTo::Core, BindTo::Numa, BindTo::CoreOfNuma];

fn part(reader: &mut Reader) -> Option<PartPlan> {
    let name = String::from_utf8_lossy(reader.bytes()?).into_owned();
    let file = PathBuf::from(OsStr::from_bytes(reader.bytes()?));
    let path = CString::new(reader.bytes()?).ok()?;
    let work_dir = Some(CString::new(reader.bytes()?).ok()?).filter(|folder| !folder.is_empty());
    let mut list = || (0..reader.u32()?).map(|_| CString::new(reader.bytes()?).ok()).collect::<Option<Vec<_>>>();
    Some(PartPlan { name, file, path, arguments: list()?, environment: list()?, work_dir })
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub fn sample() -> NodeJob {
        let strings = |list: &[&str]| list.iter().map(|text| CString::new(*text).unwrap()).collect::<Vec<_>>();
        let part = |folder: Option<&str>| PartPlan {
            name: "./a.out".into(),
            file: "/tmp/a.out".into(),
            path: c"/tmp/a.out".into(),
            arguments: strings(&["./a.out", "", "x y"]),
            environment: strings(&["A=1", "B="]),
            work_dir: folder.map(|folder| CString::new(folder).unwrap()),
        };
        let place = Place { rank: 5, size: 9, local_rank: 0, local_size: 2, node: 2, appnum: 1, universe_size: 9 };
        let ranks = vec![(place, 1), (Place { rank: 8, local_rank: 1, ..place }, 0)];
        NodeJob { bind_to: BindTo::Numa, parts: vec![part(None), part(Some("/tmp"))], ranks, cpus: vec![vec![], vec![0, 3]] }
    }

    #[test]
    fn a_job_arrives_as_it_was_sent() {
        let bytes = sample().encode();
        assert_eq!(NodeJob::decode(&bytes), Some(sample()));
        assert!((0..bytes.len()).filter(|cut| NodeJob::decode(&bytes[..*cut]).is_some()).count() <= 1, "but for the last rank");
    }
}
