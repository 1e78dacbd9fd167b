//! What a run of the suite said, script by script.

use std::collections::BTreeMap;
use std::fmt;

use super::TRAPS;

/// How one script ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Every line did what the script says.
    Passed,
    /// The script wants what the machine or the short mode doesn't have.
    Skipped,
    /// Some line did not.
    Failed,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Passed => "passed",
            Self::Skipped => "was skipped",
            Self::Failed => "failed",
        })
    }
}

/// The verdicts of one run, and what the scripts logged.
#[derive(Debug, Default)]
pub struct Report {
    verdicts: BTreeMap<String, Verdict>,
    logs: BTreeMap<String, String>,
    /// Whose lines come now.
    speaker: String,
}

impl Report {
    /// Reads the next line of a Go test binary in verbose mode, whose parallel tests take turns: a heading names the
    /// script that the lines below it belong to. Gives the verdict that the line tells, if it is one.
    pub(super) fn hear(&mut self, line: &str) -> Option<(String, Verdict)> {
        if let Some((name, verdict)) = verdict(line) {
            self.verdicts.insert(name.to_owned(), verdict);
            return Some((name.to_owned(), verdict));
        }
        if let Some(heading) = line.strip_prefix("=== ") {
            let test = heading.split_whitespace().nth(1).unwrap_or_default();
            test.strip_prefix("TestScript/").unwrap_or_default().clone_into(&mut self.speaker);
        } else {
            let log = self.logs.entry(self.speaker.clone()).or_default();
            log.push_str(line);
            log.push('\n');
        }
        None
    }

    /// Whether no script ran at all.
    pub fn is_empty(&self) -> bool {
        self.verdicts.is_empty()
    }

    /// How the script ended; `None` if it was not run.
    pub fn verdict(&self, script: &str) -> Option<Verdict> {
        self.verdicts.get(script).copied()
    }

    /// The names of all scripts that ended so.
    pub fn all(&self, verdict: Verdict) -> Vec<&str> {
        self.verdicts.iter().filter(|(_, v)| **v == verdict).map(|(name, _)| name.as_str()).collect()
    }

    /// What the script logged, its commands and their output.
    pub fn log(&self, script: &str) -> &str {
        self.logs.get(script).map(String::as_str).unwrap_or_default()
    }

    /// This run measured by a control: every script that passes there should pass here, but for the traps.
    pub fn score(&self, control: &Report) -> Score {
        let expected: Vec<_> = control.passed_but_traps().collect();
        let misses = expected.iter().filter(|name| self.verdict(name) != Some(Verdict::Passed));
        let misses: Vec<_> = misses.map(|name| (*name).to_owned()).collect();
        Score { passed: expected.len() - misses.len(), expected: expected.len(), misses, extra: self.extra() }
    }

    /// This run measured by how many scripts pass with the fixture elsewhere: none but the traps may fail here.
    pub fn score_of(&self, expected: usize) -> Score {
        let failed = self.all(Verdict::Failed).into_iter().filter(|name| !TRAPS.contains(name));
        let misses = failed.map(str::to_owned).collect();
        Score { passed: self.passed_but_traps().count(), expected, misses, extra: self.extra() }
    }

    fn passed_but_traps(&self) -> impl Iterator<Item = &str> {
        self.all(Verdict::Passed).into_iter().filter(|name| !TRAPS.contains(name))
    }

    fn extra(&self) -> usize {
        TRAPS.iter().filter(|name| self.verdict(name) == Some(Verdict::Passed)).count()
    }
}

/// How far a proxy comes; scripts that call trap paths of the fixture itself are counted apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Score {
    /// Scripts that passed, of those expected.
    pub passed: usize,
    /// Scripts that pass with Go's own fixture, less the traps.
    pub expected: usize,
    /// Scripts that should have passed.
    pub misses: Vec<String>,
    /// Traps that passed.
    pub extra: usize,
}

impl fmt::Display for Score {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for name in &self.misses {
            writeln!(f, "missed {name}")?;
        }
        writeln!(f, "extra {} of {} scripts that call trap paths of the fixture", self.extra, TRAPS.len())?;
        write!(f, "score {} of {}", self.passed, self.expected)
    }
}

/// Reads a line such as `    --- PASS: TestScript/mod_get (0.10s)`.
fn verdict(line: &str) -> Option<(&str, Verdict)> {
    let (word, rest) = line.trim_start().strip_prefix("--- ")?.split_once(": TestScript/")?;
    let verdict = match word {
        "PASS" => Verdict::Passed,
        "SKIP" => Verdict::Skipped,
        "FAIL" => Verdict::Failed,
        _ => return None,
    };
    Some((rest.split_once(' ')?.0, verdict))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(output: &str) -> Report {
        let mut report = Report::default();
        for line in output.lines() {
            report.hear(line);
        }
        report
    }

    const OUTPUT: &str = "\
=== RUN   TestScript
=== RUN   TestScript/mod_a
=== CONT  TestScript/mod_a
    script_test.go:1: $WORK=/tmp/a
=== NAME  TestScript/mod_b
    script_test.go:1: boom
--- FAIL: TestScript (2.15s)
    --- PASS: TestScript/mod_a (0.00s)
    --- FAIL: TestScript/mod_b (1.00s)
    --- SKIP: TestScript/mod_c (0.00s)
FAIL
";

    #[test]
    fn verdicts_and_logs_find_their_scripts() {
        let report = report(OUTPUT);
        assert_eq!(report.verdict("mod_a"), Some(Verdict::Passed));
        assert_eq!(report.all(Verdict::Failed), ["mod_b"]);
        assert_eq!(report.all(Verdict::Skipped), ["mod_c"]);
        assert!(report.log("mod_b").contains("boom"));
    }

    #[test]
    fn a_score_names_the_misses_and_counts_traps_apart() {
        let control = report(
            "--- PASS: TestScript/mod_a (0s)\n--- PASS: TestScript/mod_b (0s)\n--- PASS: TestScript/mod_sumdb (0s)\n",
        );
        let score = report(OUTPUT).score(&control);
        assert_eq!((score.passed, score.expected, score.extra), (1, 2, 0));
        assert_eq!(score.misses, ["mod_b"]);
        assert_eq!(score, report(OUTPUT).score_of(2));
        assert_eq!(control.score(&control).extra, 1);
    }
}
