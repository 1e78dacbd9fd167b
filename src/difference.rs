//! The difference of two texts as go shows it: unified, anchored at lines that are there once in both.
//!
//! Source of the format and of the choice of lines: `internal/diff` of Go, after Szymanski's algorithm for the longest
//! common subsequence of unique lines.

use std::collections::HashMap;
use std::fmt::Write;

/// Lines around a change.
const CONTEXT: usize = 3;

/// The difference; empty where there is none.
pub(crate) fn unified(old_name: &str, old: &[u8], new_name: &str, new: &[u8]) -> String {
    if old == new {
        return String::new();
    }
    let (old, new) = (String::from_utf8_lossy(old), String::from_utf8_lossy(new));
    let (old, new) = (lines(&old), lines(&new));
    let mut text = format!("diff {old_name} {new_name}\n--- {old_name}\n+++ {new_name}\n");
    let mut chunk = Chunk::default();
    let mut done = (0, 0);
    for anchor in anchors(&old, &new) {
        if anchor.0 < done.0 {
            continue;
        }
        let (mut start, mut end) = (anchor, anchor);
        while start.0 > done.0 && start.1 > done.1 && old[start.0 - 1] == new[start.1 - 1] {
            start = (start.0 - 1, start.1 - 1);
        }
        while end.0 < old.len() && end.1 < new.len() && old[end.0] == new[end.1] {
            end = (end.0 + 1, end.1 + 1);
        }
        old[done.0..start.0].iter().for_each(|line| chunk.remove(line));
        new[done.1..start.1].iter().for_each(|line| chunk.add(line));
        let common = end.0 - start.0;
        let is_end = end.0 >= old.len() && end.1 >= new.len();
        if !is_end && (common < CONTEXT || (!chunk.text.is_empty() && common < 2 * CONTEXT)) {
            old[start.0..end.0].iter().for_each(|line| chunk.keep(line));
            done = end;
            continue;
        }
        if !chunk.text.is_empty() {
            let shown = common.min(CONTEXT);
            old[start.0..start.0 + shown].iter().for_each(|line| chunk.keep(line));
            chunk.write(&mut text);
        }
        if is_end {
            break;
        }
        let from = (end.0 - CONTEXT, end.1 - CONTEXT);
        chunk = Chunk { from, ..Chunk::default() };
        old[from.0..end.0].iter().for_each(|line| chunk.keep(line));
        done = end;
    }
    text
}

/// Lines that are shown together.
#[derive(Default)]
struct Chunk {
    from: (usize, usize),
    count: (usize, usize),
    text: String,
}

impl Chunk {
    fn remove(&mut self, line: &str) {
        self.text.push_str(&format!("-{line}"));
        self.count.0 += 1;
    }

    fn add(&mut self, line: &str) {
        self.text.push_str(&format!("+{line}"));
        self.count.1 += 1;
    }

    fn keep(&mut self, line: &str) {
        self.text.push_str(&format!(" {line}"));
        self.count = (self.count.0 + 1, self.count.1 + 1);
    }

    /// Lines are counted from one; those of an empty file are at zero.
    fn write(&mut self, text: &mut String) {
        let first = |from: usize, count: usize| if count > 0 { from + 1 } else { from };
        let ((from_old, from_new), (old, new)) = (self.from, self.count);
        writeln!(text, "@@ -{},{old} +{},{new} @@", first(from_old, old), first(from_new, new))
            .expect("a String takes all text");
        text.push_str(&self.text);
        *self = Self::default();
    }
}

/// The lines with their ends; one without says so.
fn lines(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = text.split_inclusive('\n').map(str::to_owned).collect();
    if let Some(last) = lines.last_mut().filter(|line| !line.ends_with('\n')) {
        last.push_str("\n\\ No newline at end of file\n");
    }
    lines
}

/// The longest rising sequence of lines that are once in each text, between the beginnings and the ends.
fn anchors(old: &[String], new: &[String]) -> Vec<(usize, usize)> {
    let mut counts: HashMap<&str, (usize, usize)> = HashMap::new();
    old.iter().for_each(|line| counts.entry(line).or_default().0 += 1);
    new.iter().for_each(|line| counts.entry(line).or_default().1 += 1);
    let is_unique = |line: &str| counts.get(line) == Some(&(1, 1));
    let places: HashMap<&str, usize> = new
        .iter()
        .enumerate()
        .filter(|(_, line)| is_unique(line))
        .map(|(at, line)| (line.as_str(), at))
        .collect();
    let pairs: Vec<(usize, usize)> =
        old.iter().enumerate().filter_map(|(at, line)| Some((at, *places.get(line.as_str())?))).collect();
    // `ends[n]` is the lowest end of a sequence of n + 1; `lengths` the length of the best one that ends at each pair.
    let mut ends: Vec<usize> = Vec::new();
    let mut lengths = Vec::with_capacity(pairs.len());
    for (_, place) in &pairs {
        let at = ends.partition_point(|end| end < place);
        match ends.get_mut(at) {
            Some(end) => *end = *place,
            None => ends.push(*place),
        }
        lengths.push(at + 1);
    }
    let mut chosen = vec![(old.len(), new.len())];
    let mut length = ends.len();
    for (pair, own) in pairs.iter().zip(&lengths).rev() {
        if *own == length {
            chosen.push(*pair);
            length -= 1;
        }
    }
    chosen.push((0, 0));
    chosen.reverse();
    chosen
}

#[cfg(test)]
mod tests {
    use super::unified;

    #[test]
    fn changes_are_shown_with_three_lines_around_them() {
        let old = b"a\nb\nc\nd\ne\nf\ng\nh\n";
        let new = b"a\nb\nc\nd\nE\nf\ng\nh";
        let want = "diff x y\n--- x\n+++ y\n@@ -2,7 +2,7 @@\n b\n c\n d\n-e\n+E\n f\n g\n-h\n+h\n\\ No newline at end of file\n";
        assert_eq!(unified("x", old, "y", new), want);
    }

    #[test]
    fn a_new_file_begins_at_line_one() {
        assert_eq!(unified("x", b"", "y", b"a\n"), "diff x y\n--- x\n+++ y\n@@ -0,0 +1,1 @@\n+a\n");
        assert_eq!(unified("x", b"a\n", "y", b"a\n"), "");
    }
}
