//! Results of tests after a fresh checkout, and after a change that no file's time tells.

use std::fs::{self, File, FileTimes};
use std::path::Path;
use std::time::{Duration, UNIX_EPOCH};

use crate::clock::Cost;
use crate::side::Side;
use crate::table::{Goal, row};

/// Packages whose tests open a file, and as many whose tests open none.
const PACKAGES: usize = 4;
/// When the first files were written, in seconds of the epoch; long ago, so that their times tell something.
const BEGIN: u64 = 1_600_000_000;

/// Tests a module, checks it out anew at the same path, and tests it again.
pub(crate) fn measure(sides: &[Side; 2]) {
    let outcome = sides.each_ref().map(|side| {
        let module = side.path("module");
        check_out(&module, BEGIN);
        let first = test(side, &module);
        assert_eq!((first.passed, first.cached), (2 * PACKAGES, 0), "nothing is known of a new module");
        check_out(&module, BEGIN + 1000);
        let mut again = Outcome::default();
        let cost = Cost::of(1, || again = test(side, &module));
        // The same length and the same time, and another content.
        let data = module.join("reads0/testdata/data.txt");
        write(&data, "other\n", BEGIN + 1000);
        let changed = test(side, &module);
        (cost, again, changed)
    });
    let [(theirs, of_go, of_go_changed), (ours, of_ours, of_ours_changed)] = outcome;
    row("tests after a fresh checkout", &[theirs], &[ours], Goal::default());
    let all = 2 * PACKAGES;
    println!("  results kept: go {} of {all}, modkeep {} of {all} (goal: all)", of_go.cached, of_ours.cached);
    println!(
        "  a data file changed behind its size and time: go {}, modkeep {} (goal: notices it)",
        of_go_changed.verdict(),
        of_ours_changed.verdict()
    );
}

#[derive(Clone, Copy, Debug, Default)]
struct Outcome {
    passed: usize,
    cached: usize,
    failed: usize,
}

impl Outcome {
    fn verdict(&self) -> &'static str {
        if self.failed == 1 { "notices it" } else { "doesn't notice it" }
    }
}

fn test(side: &Side, module: &Path) -> Outcome {
    let mut command = side.command(module, &["test", "-vet=off", "./..."]);
    let ran = command.output().expect("a program that runs");
    let text = String::from_utf8_lossy(&ran.stdout).into_owned();
    let count = |holds: fn(&&str) -> bool| text.lines().filter(holds).count();
    let outcome = Outcome {
        passed: count(|line| line.starts_with("ok ")),
        cached: count(|line| line.starts_with("ok ") && line.ends_with("(cached)")),
        failed: count(|line| line.starts_with("FAIL\texample.com/")),
    };
    let said = String::from_utf8_lossy(&ran.stderr);
    assert_eq!(outcome.passed + outcome.failed, 2 * PACKAGES, "{command:?}: {text}{said}");
    outcome
}

/// Writes all files of the module as of a time, in place of those that are there.
fn check_out(module: &Path, time: u64) {
    // It may be the first time.
    let _ = fs::remove_dir_all(module);
    write(&module.join("go.mod"), "module example.com/checkout\n\ngo 1.26\n", time);
    for number in 0..PACKAGES {
        let reads = format!(
            "package reads{number}\n\nimport (\n\t\"os\"\n\t\"testing\"\n)\n\nfunc TestData(t *testing.T) {{\n\
             \tdata, err := os.ReadFile(\"testdata/data.txt\")\n\tif err != nil || string(data) != \"first\\n\" {{\n\
             \t\tt.Fatal(string(data), err)\n\t}}\n}}\n"
        );
        write(&module.join(format!("reads{number}/a_test.go")), &reads, time);
        write(&module.join(format!("reads{number}/testdata/data.txt")), "first\n", time);
        let computes = format!(
            "package computes{number}\n\nimport \"testing\"\n\nfunc TestSum(t *testing.T) {{\n\
             \tif 1+{number} != {} {{\n\t\tt.Fatal()\n\t}}\n}}\n",
            number + 1
        );
        write(&module.join(format!("computes{number}/a_test.go")), &computes, time);
    }
}

fn write(path: &Path, text: &str, time: u64) {
    fs::create_dir_all(path.parent().expect("a file is in a folder")).expect("a folder");
    fs::write(path, text).expect("a file of our own");
    let time = UNIX_EPOCH + Duration::from_secs(time);
    let file = File::options().write(true).open(path).expect("the file");
    file.set_times(FileTimes::new().set_modified(time)).expect("a file of our own");
}
