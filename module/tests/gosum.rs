//! go.sum: lines are written in the order of golang.org/x/mod/module.Sort, whatever the order they came in.

use std::collections::BTreeSet;

use modkeep_harness::dice::{Dice, cases};
use modkeep_harness::judge::Judge;
use modkeep_module::GoSum;
use serde_json::json;

#[test]
fn lines_are_sorted_as_go_sorts_them() {
    let test = "lines_are_sorted_as_go_sorts_them";
    let Some(mut judge) = Judge::start_or_skip(test) else { return };
    let mut dice = Dice::of(test);
    let lists: Vec<Vec<[String; 2]>> = (0..cases()).map(|_| lines(&mut dice)).collect();
    judge.check("module.Sort", &lists, |list| {
        let text: String = list.iter().map(|[path, version]| format!("{path} {version} h1:x\n")).collect();
        let sums = GoSum::parse("go.sum", text.as_bytes()).expect("every line has three fields");
        let sorted: Vec<_> = sums.iter().map(|(path, version, _)| [path, version]).collect();
        assert_eq!(GoSum::parse("go.sum", sums.format()).as_ref().map(GoSum::format), Ok(sums.format()));
        (json!([list]), Ok(json!(sorted)))
    });
}

/// Lines in random order, none of which Go finds equal to another.
fn lines(dice: &mut Dice) -> Vec<[String; 2]> {
    let mut lines = BTreeSet::new();
    for _ in 0..dice.below(12) {
        let path = dice.pick(&["a.b", "a.b/c", "a.b-c", "A.b", "go", "rsc.io/quote", "rsc.io/quote/v2"]);
        let version = match dice.below(12) {
            0 => "odd".to_owned(),
            1 => "v2.0.0+incompatible".to_owned(),
            2 => format!("v1.{}.0-{}", dice.below(12), dice.pick(&["rc.1", "rc.2", "rc.10", "beta", "1"])),
            3 => "v0.0.0-20240102030405-abcdef012345".to_owned(),
            _ => format!("v1.{}.{}", dice.below(12), dice.below(3)),
        };
        let file = dice.pick(&["", "/go.mod", "/go.sum"]);
        lines.insert([path.to_owned(), version + file]);
    }
    let mut shuffled: Vec<_> = lines.into_iter().collect();
    for end in (1..shuffled.len()).rev() {
        shuffled.swap(end, dice.below(end + 1));
    }
    shuffled
}
