//! What the scripts said, for people and as JSON.

use std::fmt::Write;

use modkeep_conformance::suite::{Score, TRAPS};
use serde_json::{Value, json};

/// One run of all scripts.
pub(super) struct Pass {
    pub(super) name: &'static str,
    pub(super) score: Score,
}

/// All runs.
pub(super) struct Verdicts<'a> {
    pub(super) release: &'a str,
    pub(super) proxy: &'a str,
    pub(super) passes: Vec<Pass>,
}

impl Verdicts<'_> {
    /// Whether nothing was missed.
    pub(super) fn is_clean(&self) -> bool {
        self.passes.iter().all(|pass| pass.score.misses.is_empty())
    }

    fn sums(&self) -> (usize, usize) {
        let sum = |of: fn(&Score) -> usize| self.passes.iter().map(|pass| of(&pass.score)).sum();
        (sum(|score| score.passed), sum(|score| score.expected))
    }

    /// `score N of M`.
    pub(super) fn summary(&self) -> String {
        let (passed, expected) = self.sums();
        format!("score {passed} of {expected}")
    }

    /// Misses by name, and the score in the last line.
    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        for Pass { name, score } in &self.passes {
            for miss in &score.misses {
                writeln!(text, "{name}: missed {miss}").expect("a string takes all");
            }
            let (passed, expected) = (score.passed, score.expected);
            let traps = format!("{} of {} that trap the fixture", score.extra, TRAPS.len());
            writeln!(text, "{name}: {passed} of {expected}, and {traps}").expect("a string takes all");
        }
        format!("{text}{}\n", self.summary())
    }

    /// One document in one line.
    pub(super) fn json(&self) -> String {
        let pass = |Pass { name, score }: &Pass| {
            json!({
                "name": name,
                "score": score.passed,
                "of": score.expected,
                "misses": score.misses,
                "traps": score.extra,
            })
        };
        let (passed, expected) = self.sums();
        let passes: Vec<Value> = self.passes.iter().map(pass).collect();
        let document = json!({
            "release": self.release,
            "proxy": self.proxy,
            "passes": passes,
            "score": passed,
            "of": expected,
        });
        format!("{document}\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_sums_up_all_passes() {
        let score = |misses: &[&str]| Score {
            passed: 3 - misses.len(),
            expected: 3,
            misses: misses.iter().map(|name| (*name).to_owned()).collect(),
            extra: 1,
        };
        let cold = Pass { name: "cold", score: score(&[]) };
        let dead = Pass { name: "upstream stopped", score: score(&["mod_get"]) };
        let verdicts = Verdicts { release: "go1", proxy: "http://p", passes: vec![cold, dead] };
        assert!(!verdicts.is_clean());
        assert_eq!(
            verdicts.text(),
            "cold: 3 of 3, and 1 of 13 that trap the fixture\nupstream stopped: missed mod_get\n\
             upstream stopped: 2 of 3, and 1 of 13 that trap the fixture\nscore 5 of 6\n"
        );
        let document: Value = serde_json::from_str(&verdicts.json()).unwrap();
        assert_eq!(document["passes"][1]["misses"], json!(["mod_get"]));
        assert_eq!((&document["score"], &document["of"]), (&json!(5), &json!(6)));
    }
}
