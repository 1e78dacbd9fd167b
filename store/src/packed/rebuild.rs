//! A segment whose head is damaged gets a new one from its rows, so that one bad byte does not close the store.

use std::io::Read;

use crate::packed::build::place;
use crate::packed::filter::Filter;
use crate::packed::merge::{Run, RunError, SegmentRun};
use crate::packed::row::{Row, Tag, encode};
use crate::packed::segment::{Head, block_of};

/// Reads a segment of `len` bytes and `rows` rows from its beginning.
///
/// Behind the rows are the top fences, of which the first points to the first block of fences: that is where the rows end.
pub(crate) fn rebuild(source: impl Read, len: u64, rows: u64) -> Result<Head, RunError> {
    let mut filter = Filter::with_room(rows);
    let mut top = Vec::new();
    if rows == 0 {
        return Ok(Head::made_of(0, 0, filter, top));
    }
    let mut run = SegmentRun::at_start(source, len);
    let (mut counted, mut first_group, mut group) = (0, None, None::<Group>);
    loop {
        let at = run.offset();
        run.read_row()?;
        let Some(row) = run.row() else { return Err(RunError::Damaged(at)) };
        let is_fence = row.tag == Tag::Fence;
        let ends_rows =
            is_fence && first_group.is_some() && block_of(row).map(|block| block.start) == first_group;
        if (!is_fence || ends_rows)
            && let Some(group) = group.take()
        {
            let payload = place(group.start, (at - group.start) as usize);
            encode(&mut top, Row { tag: Tag::Fence, name: &group.first, payload: &payload });
        }
        if ends_rows {
            return Ok(Head::made_of(counted, at, filter, top));
        }
        if is_fence {
            first_group.get_or_insert(at);
            group.get_or_insert_with(|| Group { start: at, first: row.name.to_vec() });
        } else {
            filter.insert(row.name);
            counted += 1;
        }
    }
}

/// A block of fences.
struct Group {
    start: u64,
    first: Vec<u8>,
}
