//! The hostile corpus: each zip gets the verdict that is written beside it, from Go and from us.

use modkeep_harness::hostile::{Verdict as Expected, genuine, hostile_zips};
use modkeep_harness::judge::Judge;
use modkeep_module::ModuleVersion;
use modkeep_module::zip::{prove, strict};

use crate::verdict::{Verdict, arguments};

fn module() -> ModuleVersion {
    ModuleVersion::parse("example.com/m", "v1.2.3").unwrap()
}

#[test]
fn hostile_zips_get_the_verdict_written_beside_them() {
    let Some(mut judge) = Judge::start_or_skip("hostile_zips_get_the_verdict_written_beside_them") else {
        return;
    };
    let module = module();
    let zip = genuine("example.com/m", "v1.2.3").bytes();
    let genuine_h1 = prove(zip.as_slice(), zip.len() as u64, &module).unwrap().h1.to_string();
    let mut wrong = Vec::new();
    let corpus = hostile_zips("example.com/m", "v1.2.3");
    let count = corpus.len();
    for hostile in corpus {
        let place = tempfile::tempdir().unwrap();
        let file = place.path().join("hostile.zip");
        write(&file, &hostile.zip());
        let question = arguments(&module, file.to_str().unwrap());
        let go = Verdict::of_go(&judge.ask("zip.JudgeFile", question).unwrap());
        let ours = Verdict::ours(&file, &module, &place.path().join("unzipped"));
        let want = |verdict: &Verdict| match verdict.accepted() {
            Some(h1) if h1 == genuine_h1 => Expected::Same,
            Some(_) => Expected::Other,
            None => Expected::Refused,
        };
        let matches = match hostile.verdict {
            Expected::Stricter(rule) => {
                let error = ours.check.clone().and_then(|_| ours.unzip.clone()).unwrap_err();
                go.accepted().is_some() && error.contains(rule)
            }
            expected => expected == want(&go) && ours.agrees_with(&go),
        };
        if !matches {
            wrong.push(format!(
                "{}: wanted {:?}\n  go {go:.300?}\n  we {ours:.300?}",
                hostile.name, hostile.verdict
            ));
        }
    }
    assert!(wrong.is_empty(), "{} of {count} wrong:\n{}", wrong.len(), wrong.join("\n"));
    assert!(count >= 200, "only {count} hostile zips");
}

#[test]
fn only_what_is_read_in_one_way_is_strict() {
    let zip = genuine("example.com/m", "v1.2.3").bytes();
    strict(zip.as_slice(), zip.len() as u64).unwrap();
    // What has the genuine files but other bytes is dressed up, or changed where nobody looks.
    let harmless: Vec<_> = hostile_zips("example.com/m", "v1.2.3")
        .into_iter()
        .filter(|hostile| hostile.verdict == Expected::Same)
        .filter(|hostile| {
            let zip = hostile.zip();
            strict(zip.as_slice(), zip.len() as u64).is_ok()
        })
        .map(|hostile| hostile.name)
        .collect();
    assert_eq!(
        harmless,
        [
            "an ASCII name marked as UTF-8",
            "mode bits of a setuid file",
            "mode bits of something unknown",
            "a stream with empty stored blocks before it",
        ]
    );
}

#[allow(clippy::disallowed_methods, reason = "files of a test need not outlive it")]
fn write(path: &std::path::Path, bytes: &[u8]) {
    std::fs::write(path, bytes).unwrap();
}
