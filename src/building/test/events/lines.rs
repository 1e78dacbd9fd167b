//! Bytes as they come, cut into lines, and lines that are too long into parts.

/// ^V: a line of progress begins.
pub(super) const FRAME: u8 = 0x16;
/// ^[: the next byte is itself.
pub(super) const ESCAPE: u8 = 0x1b;

/// A piece of what came.
#[derive(Debug)]
pub(super) enum Piece {
    /// A whole line with its end.
    Line(Vec<u8>),
    /// A part of one: it was too long, or of a benchmark that is still to say its result.
    Part(Vec<u8>),
}

/// Cuts.
#[derive(Debug)]
pub(super) struct Lines {
    held: Vec<u8>,
    most: usize,
    /// Whether a part of this line was given already.
    is_within: bool,
    is_escaped: bool,
}

impl Lines {
    /// Lines of at most so many bytes.
    pub(super) fn of(most: usize) -> Self {
        Self { held: Vec::with_capacity(most), most, is_within: false, is_escaped: false }
    }

    /// What is whole now.
    pub(super) fn write(&mut self, mut bytes: &[u8]) -> Vec<Piece> {
        let mut pieces = Vec::new();
        while !bytes.is_empty() {
            let fits = bytes.len().min(self.most - self.held.len());
            self.held.extend(&bytes[..fits]);
            bytes = &bytes[fits..];
            let mut given = 0;
            while given < self.held.len() {
                let Some(end) = self.end_of_line(given) else {
                    given = self.benchmark(given, &mut pieces);
                    break;
                };
                let line = self.held[given..end].to_vec();
                pieces.push(match std::mem::take(&mut self.is_within) {
                    true => Piece::Part(line),
                    false => Piece::Line(line),
                });
                given = end;
            }
            if given == 0 && self.held.len() == self.most {
                given = whole_characters(&self.held);
                pieces.push(Piece::Part(self.held[..given].to_vec()));
                self.is_within = true;
            }
            self.held.drain(..given);
        }
        pieces
    }

    /// What is left at the end.
    pub(super) fn rest(&mut self) -> Option<Piece> {
        let rest = std::mem::take(&mut self.held);
        (!rest.is_empty()).then_some(Piece::Part(rest))
    }

    /// Where the line that begins there ends: behind a newline, or before a mark.
    fn end_of_line(&mut self, begin: usize) -> Option<usize> {
        for (at, &byte) in self.held.iter().enumerate().skip(begin) {
            match byte {
                b'\n' => return Some(at + 1),
                _ if std::mem::take(&mut self.is_escaped) => {}
                ESCAPE => self.is_escaped = true,
                FRAME if at > begin => return Some(at),
                _ => {}
            }
        }
        None
    }

    /// The name of a benchmark is given before its result is there.
    fn benchmark(&mut self, begin: usize, pieces: &mut Vec<Piece>) -> usize {
        let line = &self.held[begin..];
        match line.iter().position(|byte| *byte == b'\t') {
            Some(tab) if !self.is_within && is_benchmark(&line[..tab]) => {
                pieces.push(Piece::Part(line[..=tab].to_vec()));
                self.is_within = true;
                begin + tab + 1
            }
            _ => begin,
        }
    }
}

fn is_benchmark(name: &[u8]) -> bool {
    let name = String::from_utf8_lossy(name);
    let rest = name.trim_end_matches(' ').strip_prefix("Benchmark");
    rest.is_some_and(|rest| !rest.chars().next().is_some_and(char::is_lowercase))
}

/// How many bytes there are before a character that is not whole.
fn whole_characters(bytes: &[u8]) -> usize {
    for back in 1..4.min(bytes.len() + 1) {
        let byte = bytes[bytes.len() - back];
        if byte & 0xc0 == 0x80 {
            continue;
        }
        let length = match byte {
            byte if byte & 0xe0 == 0xc0 => 2,
            byte if byte & 0xf0 == 0xe0 => 3,
            byte if byte & 0xf8 == 0xf0 => 4,
            _ => 1,
        };
        return if back < length { bytes.len() - back } else { bytes.len() };
    }
    bytes.len()
}
