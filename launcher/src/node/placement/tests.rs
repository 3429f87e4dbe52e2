use super::*;
use crate::options::{Request, parse};
use rstest::rstest;
use std::fs;

fn placed(line: &str) -> Result<Placed, String> {
    // Whoever runs the tests may have a machine file.
    let words: Vec<_> = line.split_whitespace().map(Into::into).collect();
    let job = JobOptions { machines: Some("none".into()), ..JobOptions::default() };
    let Ok(Request::Run(options)) = parse::parse(&words, job) else { panic!("{line}") };
    place(&options, "here", |_| None).map_err(|refusal| refusal.to_string())
}

/// The machine of each rank by its name.
fn nodes(line: &str) -> Result<String, String> {
    placed(line).map(|Placed { machines, nodes, .. }| nodes.into_iter().map(|node| machines[node].name.as_str()).collect())
}

#[rstest]
#[case("-n 4 a.out", "")]
#[case("-n 4 -H localhost:2,here a.out", "")]
#[case("-n 5 -H a:2,b:1 a.out", "aabaa")]
#[case("-n 5 -H a:2,b:1 --map-by node a.out", "ababa")]
#[case("-n 5 -H a:2,b:1 --map-by numa a.out", "aabaa")]
#[case("-n 4 -H a:7,b --ppn 2 a.out", "aabb")]
#[case("-n 4 -H a:7,b --ppn 2 --map-by node a.out", "abab")]
#[case("-n 1 -H b a.out : -n 2 -H b,a a.out", "bab")]
#[case("-n 1 -H a,b,c a.out", "a")]
#[case("-n 4 -H a,a,b a.out", "aaba")]
#[case("-n 6 -H n[1,3]:2 a.out", "n1n1n3n3n1n1")]
#[case("-n 3 --no-oversubscribe -H a:2,b a.out", "aab")]
#[case("-n 2 -H a:2 --no-oversubscribe a.out : -n 1 -H b a.out", "aab")]
fn ranks_are_dealt(#[case] line: &str, #[case] expected: &str) {
    assert_eq!(nodes(line).unwrap(), expected);
}

#[rstest]
#[case("-n 5 -H a,b --ppn 2 a.out", "5 ranks with --ppn 2 need 3 machines, and there are 2")]
#[case("-n 4 -H a:2,b --no-oversubscribe a.out", "4 ranks do not fit on a,b, where there is room for 3: --no-oversubscribe allows one for each slot")]
#[case("-n 5 -H a:5 --no-oversubscribe a.out : -n 1 -H a:2 a.out", "6 ranks do not fit on a, where there is room for 2: --no-oversubscribe allows one for each slot")]
#[case("-n 5000 --no-oversubscribe a.out", "5000 ranks do not fit on localhost, where there is room for ")]
#[case("-n 5 -H a:x a.out", "--host: \"a:x\": expected a number of slots above 0, found \"x\"")]
#[case("-n 5 -H a:0 a.out", "--host: \"a:0\": expected a number of slots above 0, found \"0\"")]
#[case("-n 5 -H a,,b a.out", "--host: expected the name of a machine, found nothing")]
#[case("-n 5 -H -b a.out", "--host: expected a name, and none begins with \"-\", found \"-b\"")]
#[case("-n 5 -H fe80::1:2:x a.out", "--host: \"fe80::1:2:x\": expected NAME:SLOTS, or [ADDRESS]:SLOTS for an IPv6 address, found several colons")]
#[case("-n 5 -H a;reboot a.out", "--host: expected a name of letters, digits and . _ - @ : %, found ';' in \"a;reboot\"")]
#[case("-n 5 -H @gpu a.out", "--host: no machine has the label \"gpu\"; there are no labels")]
#[case("-n 5 -m /nowhere/machines.toml a.out", "cannot read /nowhere/machines.toml: No such file")]
#[case("-n 5 -m / a.out", "cannot read /: Is a directory")]
#[case("-n 5 --rankfile /nowhere/ranks --ppn 2 a.out", "--rankfile says where each rank goes")]
fn what_cannot_be_placed(#[case] line: &str, #[case] expected: &str) {
    let found = nodes(line).unwrap_err();
    assert!(found.starts_with(expected), "{found}");
}

/// A folder with a hostfile, a machine file and a rank file.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let put = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    put("hosts", "b slots=2\nc max_slots=1\n");
    put("machines.toml", "[[machine]]\nname = \"a\"\nslots = 2\nlabels = [\"gpu\"]\n[[machine]]\nname = \"b\"\naddress = \"10.0.0.2\"\nslots = 3\nlabels = [\"gpu\", \"fat\"]\n[[machine]]\nname = \"c\"\n");
    put("ranks", "rank 1=a slot=0-1\nrank 0=10.0.0.2\nrank 2=+n2 slot=1\n");
    put("here", "rank 0=localhost slot=0\nrank 1=here\n");
    folder
}

#[rstest]
#[case("-n 6 -m F/machines.toml a.out", "aabbbc")]
#[case("-n 4 -m F/machines.toml -H c,b a.out", "cbbb")]
#[case("-n 4 -m F/machines.toml -H b:1,@gpu a.out", "bbaa")]
#[case("-n 3 -m F/machines.toml -H @fat a.out", "bbb")]
#[case("-n 3 -m F/machines.toml -H 10.0.0.2,d a.out", "bbb")]
#[case("-n 4 -m F/machines.toml --hostfile F/hosts a.out", "bbcb")]
#[case("-n 4 --hostfile F/hosts a.out", "bbcb")]
#[case("-n 5 --hostfile F/hosts --map-by node a.out", "bcbbb")]
#[case("-n 3 -m F/machines.toml --rankfile F/ranks a.out", "bac")]
fn files_say_where(#[case] line: &str, #[case] expected: &str) {
    let folder = folder();
    assert_eq!(nodes(&line.replace('F', folder.path().to_str().unwrap())).unwrap(), expected);
}

#[test]
fn a_rank_file_names_processors() {
    let folder = folder();
    let path = folder.path().to_str().unwrap();
    assert_eq!(placed(&format!("-n 3 -m {path}/machines.toml --rankfile {path}/ranks a.out")).unwrap().cpus, [vec![], vec![0, 1], vec![1]]);
    let here = placed(&format!("-n 2 --rankfile {path}/here a.out")).unwrap();
    assert_eq!((here.cpus.len(), here.cpus[0].as_slice(), here.machines.len()), (2, &[0][..], 0));
    for (line, expected) in [
        ("-n 4 -m F/machines.toml --rankfile F/ranks a.out", "F/ranks: it places no rank 3, and the job has 4"),
        ("-n 3 --rankfile F/ranks a.out", "F/ranks: rank 2: there is no machine +n2, of 1"),
        ("-n 3 --hostfile F/ranks a.out", "F/ranks:1:6: unknown key 1: expected one of slots, max_slots, user\n  1 | rank 1=a slot=0-1\n    |      ^"),
        ("-n 3 --hostfile F/hosts --no-oversubscribe -H c a.out", "3 ranks do not fit on c, where there is room for 1: --no-oversubscribe allows one for each slot"),
        ("-n 3 --hostfile F/hosts -H c a.out", "3 ranks do not fit on c, where there is room for 1: max-slots allows no more"),
    ] {
        assert_eq!(nodes(&line.replace('F', path)).unwrap_err(), expected.replace('F', path), "{line}");
    }
}

#[test]
fn a_table_for_people() {
    let found = placed("-n 5 -H a:2,b:1 a.out").unwrap();
    assert_eq!(table(&found.machines, &found.nodes), "  a: ranks 0-1,3-4 (4 on 2 slots)\n  b: rank 2 (1 on 1 slot)\n");
}

/// Looking through all machines for every rank would take minutes.
#[test]
fn many_ranks_on_many_machines() {
    let start = std::time::Instant::now();
    let found = placed("-n 200000 -H n[1-20000]:3 a.out").unwrap();
    assert_eq!((found.machines.len(), found.nodes[0], found.nodes[3], found.nodes[59_999], found.nodes[60_000]), (20_000, 0, 1, 19_999, 0));
    assert!(start.elapsed() < std::time::Duration::from_secs(10), "{:?}", start.elapsed());
}
