//! Many sorted runs become one: the newest row of a name wins.
//!
//! A merge copies nothing that it cannot vouch for: the first damaged row ends it with an error and the runs stay as they are,
//! because dropping the row would turn damage into absence.

use std::io::{self, BufReader, Read, Write};

use crate::packed::Damaged;
use crate::packed::build::Builder;
use crate::packed::row::{HEAD, Row, Tag, checked, claimed_len, decode};

/// How much of a run is read ahead, in bytes.
const AHEAD: usize = 128 << 10;

/// Why a run could not be read on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RunError {
    #[error("reading a run of rows")]
    Io(#[from] io::Error),
    #[error("damaged at byte {0}")]
    Damaged(u64),
}

impl From<Damaged> for RunError {
    fn from(damaged: Damaged) -> Self {
        Self::Damaged(damaged.at)
    }
}

/// Rows in ascending order of their names, one at a time.
pub(crate) trait Run {
    /// The row it stands on; `None` at the end.
    fn row(&self) -> Option<Row<'_>>;

    /// Goes to the next row.
    fn advance(&mut self) -> Result<(), RunError>;
}

/// The rows of a segment from some offset on, fences left out.
pub(crate) struct SegmentRun<R> {
    source: BufReader<R>,
    offset: u64,
    end: u64,
    current: Vec<u8>,
}

impl<R: Read> SegmentRun<R> {
    /// Reads from `source`, which stands at `offset`, a row's beginning, to `end`, where the rows end.
    pub(crate) fn start(source: R, offset: u64, end: u64) -> Result<Self, RunError> {
        let mut run =
            Self { source: BufReader::with_capacity(AHEAD, source), offset, end, current: Vec::new() };
        run.advance()?;
        Ok(run)
    }

    /// Stands before the first row of a segment, whose end is not known better than `end`.
    pub(crate) fn at_start(source: R, end: u64) -> Self {
        Self { source: BufReader::with_capacity(AHEAD, source), offset: 0, end, current: Vec::new() }
    }

    /// Where the next row begins.
    pub(crate) fn offset(&self) -> u64 {
        self.offset
    }

    /// Reads the next row, be it a fence.
    pub(crate) fn read_row(&mut self) -> Result<(), RunError> {
        let damaged = RunError::Damaged(self.offset);
        let mut head = [0; HEAD];
        if self.end - self.offset < HEAD as u64 {
            return Err(damaged);
        }
        self.source.read_exact(&mut head)?;
        let len = claimed_len(&head);
        if self.end - self.offset < len as u64 {
            return Err(damaged);
        }
        self.current.clear();
        self.current.extend_from_slice(&head);
        self.current.resize(len, 0);
        self.source.read_exact(&mut self.current[HEAD..])?;
        decode(&self.current).map_err(|_| damaged)?;
        self.offset += len as u64;
        Ok(())
    }
}

impl<R: Read> Run for SegmentRun<R> {
    fn row(&self) -> Option<Row<'_>> {
        checked(&self.current)
    }

    fn advance(&mut self) -> Result<(), RunError> {
        while self.offset < self.end {
            self.read_row()?;
            if self.row().is_some_and(|row| row.tag != Tag::Fence) {
                return Ok(());
            }
        }
        self.current.clear();
        Ok(())
    }
}

/// Several runs read as one; of rows with one name the first run's counts.
pub(crate) struct Merge<'a> {
    runs: Vec<Box<dyn Run + 'a>>,
    /// The run whose row is next.
    next: Option<usize>,
}

impl<'a> Merge<'a> {
    /// Merges `runs`, the newest first.
    pub(crate) fn new(runs: Vec<Box<dyn Run + 'a>>) -> Self {
        let mut merge = Self { runs, next: None };
        merge.choose();
        merge
    }

    fn choose(&mut self) {
        let rows = self.runs.iter().enumerate().filter_map(|(run, source)| Some((source.row()?.name, run)));
        self.next = rows.min().map(|(_, run)| run);
    }

    /// Writes all rows to `builder`; without `removed` ones when nothing older lies below.
    pub(crate) fn write<W: Write>(mut self, builder: &mut Builder<W>, removed: bool) -> Result<(), RunError> {
        while let Some(row) = self.row() {
            if removed || row.tag != Tag::Removed {
                builder.push(row)?;
            }
            self.advance()?;
        }
        Ok(())
    }
}

impl Run for Merge<'_> {
    fn row(&self) -> Option<Row<'_>> {
        self.runs[self.next?].row()
    }

    fn advance(&mut self) -> Result<(), RunError> {
        let Some(name) = self.row().map(|row| row.name.to_vec()) else { return Ok(()) };
        for run in &mut self.runs {
            if run.row().is_some_and(|row| row.name == name) {
                run.advance()?;
            }
        }
        self.choose();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use bytes::Bytes;
    use proptest::collection::{btree_map, vec};
    use proptest::prelude::*;

    use super::*;
    use crate::packed::filter::hash;
    use crate::packed::segment::{Footer, Head, find, rows_for};

    type Rows = BTreeMap<Vec<u8>, Option<Vec<u8>>>;

    fn row<'a>(name: &'a [u8], payload: Option<&'a Vec<u8>>) -> Row<'a> {
        let tag = if payload.is_some() { Tag::Present } else { Tag::Removed };
        Row { tag, name, payload: payload.map_or(&[], Vec::as_slice) }
    }

    fn segment(rows: &Rows) -> Vec<u8> {
        let mut builder = Builder::new(Vec::new(), rows.len() as u64);
        rows.iter().for_each(|(name, payload)| builder.push(row(name, payload.as_ref())).unwrap());
        let (bytes, written, len) = builder.finish().unwrap();
        assert_eq!((written, len), (rows.len() as u64, bytes.len() as u64));
        bytes
    }

    fn open(bytes: &[u8]) -> Result<Head, Damaged> {
        let len = bytes.len() as u64;
        let cut = |range: std::ops::Range<u64>| &bytes[range.start as usize..range.end as usize];
        let footer = Footer::parse(cut(Footer::range(len).unwrap()), len)?;
        Head::parse(&footer, Bytes::copy_from_slice(cut(footer.head_range())))
    }

    /// What a look-up by ranges says: absent, removed or a payload.
    fn look_up(head: &Head, bytes: &[u8], name: &[u8]) -> Result<Option<Option<Vec<u8>>>, Damaged> {
        let cut = |range: std::ops::Range<u64>| &bytes[range.start as usize..range.end as usize];
        if !head.may_hold(hash(name)) {
            return Ok(None);
        }
        let Some(fences) = head.fences_for(name) else { return Ok(None) };
        let Some(block) = rows_for(cut(fences), name)? else { return Ok(None) };
        Ok(find(cut(block), name)?.map(|row| (row.tag == Tag::Present).then(|| row.payload.to_vec())))
    }

    fn names() -> impl Strategy<Value = Vec<u8>> {
        vec(prop::sample::select(b"abc/\0".to_vec()), 1..12)
    }

    fn rows(max: usize) -> impl Strategy<Value = Rows> {
        btree_map(names(), prop::option::weighted(0.8, vec(any::<u8>(), 0..900)), 0..max)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn a_segment_holds_exactly_what_was_pushed(rows in rows(600), absent in vec(names(), 20)) {
            let bytes = segment(&rows);
            let head = open(&bytes).unwrap();
            prop_assert_eq!(head.rows(), rows.len() as u64);
            for name in rows.keys().chain(&absent) {
                prop_assert_eq!(look_up(&head, &bytes, name).unwrap(), rows.get(name).cloned());
            }
        }

        #[test]
        fn a_turned_bit_is_an_error_or_harmless_but_never_a_wrong_answer(
            rows in rows(100), bit in any::<prop::sample::Index>()
        ) {
            let mut bytes = segment(&rows);
            let bit = bit.index(bytes.len() * 8);
            bytes[bit / 8] ^= 1 << (bit % 8);
            if let Ok(head) = open(&bytes) {
                for name in rows.keys() {
                    if let Ok(found) = look_up(&head, &bytes, name) {
                        prop_assert_eq!(&found, &rows.get(name).cloned());
                    }
                }
            }
        }

        #[test]
        fn the_newest_run_wins_a_merge(runs in vec(rows(80), 1..5), keep_removed: bool) {
            let segments: Vec<Vec<u8>> = runs.iter().map(segment).collect();
            let sources = segments.iter().map(|bytes| {
                let end = open(bytes).unwrap().data_end();
                Box::new(SegmentRun::start(&bytes[..], 0, end).unwrap()) as Box<dyn Run>
            });
            let mut builder = Builder::new(Vec::new(), runs.iter().map(|rows| rows.len() as u64).sum());
            Merge::new(sources.collect()).write(&mut builder, keep_removed).unwrap();
            let (bytes, written, _) = builder.finish().unwrap();
            let mut expected: Rows = runs.into_iter().rev().flatten().collect();
            expected.retain(|_, payload| keep_removed || payload.is_some());
            prop_assert_eq!(written, expected.len() as u64);
            let head = open(&bytes).unwrap();
            for (name, payload) in expected {
                prop_assert_eq!(look_up(&head, &bytes, &name).unwrap(), Some(payload));
            }
        }
    }
}
