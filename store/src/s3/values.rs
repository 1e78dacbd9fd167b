//! Values and cells in a bucket: objects under `values/` and `cells/`, made and changed by condition.
//!
//! ```text
//! writer's mark   16 bytes, different for every write
//! row             the name, the value and a checksum
//! ```
//!
//! The mark tells a writer whose reply was lost whether it is its own write that it finds, and it gives two states of a cell
//! with the same value different entity tags. The row's checksum finds damage at rest, its name an object that was moved.

use bytes::{BufMut, Bytes, BytesMut};

use crate::cell::{Cell, Put, Revision, Swap};
use crate::error::{ErrorKind, StoreError};
use crate::key::Key;
use crate::packed::name::{Shelf, row_name};
use crate::packed::row::{Row, Tag, decode, encode};
use crate::s3::bucket::{Bucket, Condition, Object, Written};

const MARK: usize = 16;
/// How often a write meets a state that has passed by the time it looks.
const TRIES: usize = 16;

/// A number that no other write has.
pub(crate) fn mark() -> u128 {
    use std::collections::hash_map::RandomState;
    use std::hash::BuildHasher;
    use std::sync::LazyLock;
    use std::sync::atomic::{AtomicU64, Ordering};
    // the standard library's keys are random for each process; the counter makes each mark its own
    static PROCESS: LazyLock<(u64, u64)> = LazyLock::new(|| {
        let keyed = |n: u32| RandomState::new().hash_one((n, std::process::id()));
        (keyed(1), keyed(2))
    });
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let (high, low) = *PROCESS;
    u128::from(high) << 64 | u128::from(low.wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed)))
}

pub(crate) fn folder(shelf: Shelf) -> &'static str {
    match shelf {
        Shelf::Cell => "cells/",
        Shelf::Value => "values/",
    }
}

/// The object that holds `key`: the key with `=` as `=3d`, and a `=` behind it. So no object's name is a folder of another's, which
/// servers that keep objects as files cannot have.
pub(crate) fn object_name(key: &Key, shelf: Shelf) -> String {
    format!("{}=", name_prefix(key.as_str(), shelf))
}

/// What the names of objects begin with whose keys begin with `prefix`.
pub(crate) fn name_prefix(prefix: &str, shelf: Shelf) -> String {
    format!("{}{}", folder(shelf), prefix.replace('=', "=3d"))
}

/// The key whose object has this name.
pub(crate) fn key_of(name: &str, shelf: Shelf) -> Option<Key> {
    let key = name.strip_prefix(folder(shelf))?.strip_suffix('=')?;
    Key::parse(&key.replace("=3d", "=")).ok()
}

/// The body of an object, and the mark at its beginning.
fn body(key: &Key, shelf: Shelf, value: &Bytes) -> (u128, Bytes) {
    let mark = mark();
    let mut body = BytesMut::new().to_vec();
    body.put_slice(&mark.to_le_bytes());
    encode(&mut body, Row { tag: Tag::Present, name: &row_name(key, shelf), payload: value });
    (mark, body.into())
}

/// What an object of `key` says: its mark and value.
pub(crate) fn parse(key: &Key, shelf: Shelf, body: &Bytes) -> Result<(u128, Bytes), StoreError> {
    let damaged = || StoreError::new(ErrorKind::Damaged, format!("reading `{key}`"));
    let (mark, row) = body.split_first_chunk::<MARK>().ok_or_else(damaged)?;
    match decode(row) {
        Ok((row, len)) if MARK + len == body.len() && row.name == row_name(key, shelf) => {
            Ok((u128::from_le_bytes(*mark), body.slice_ref(row.payload)))
        }
        _ => Err(damaged()),
    }
}

/// The value or cell of `key` with its object.
pub(crate) async fn find(
    bucket: &Bucket,
    key: &Key,
    shelf: Shelf,
) -> Result<Option<(u128, Bytes, Object)>, StoreError> {
    let Some(object) = bucket.get(&object_name(key, shelf)).await? else { return Ok(None) };
    let (mark, value) = parse(key, shelf, &object.body)?;
    Ok(Some((mark, value, object)))
}

/// Writes the value's object unless there is one. When the outcome is unknown, what is there decides.
pub(crate) async fn put_if_absent(bucket: &Bucket, key: &Key, value: &Bytes) -> Result<Put, StoreError> {
    let (own, body) = body(key, Shelf::Value, value);
    let name = object_name(key, Shelf::Value);
    for _ in 0..TRIES {
        let unknown = match bucket.put(&name, body.clone(), Condition::Absent).await {
            Ok(Written::Done(_)) => return Ok(Put::Created),
            Ok(Written::Refused) => None,
            Err(error) if error.kind() == ErrorKind::Unknown => Some(error),
            Err(error) => return Err(error),
        };
        match (find(bucket, key, Shelf::Value).await, unknown) {
            (Ok(Some((mark, _, _))), _) if mark == own => return Ok(Put::Created),
            (Ok(Some((_, taken, _))), _) => return Ok(Put::Exists(taken)),
            // refused, and gone since: it was removed, or a write that was under way failed
            (Ok(None), None) => {}
            // it may still arrive
            (Ok(None), Some(error)) => return Err(error),
            (Err(error), None) => return Err(error),
            (Err(_), Some(error)) => return Err(error),
        }
    }
    Err(StoreError::new(ErrorKind::Unknown, format!("writing `{key}`: it comes and goes")))
}

/// Writes the cell's object if it has the expected entity tag.
pub(crate) async fn swap(
    bucket: &Bucket,
    key: &Key,
    expected: Option<&Revision>,
    value: &Bytes,
) -> Result<Swap, StoreError> {
    let (own, body) = body(key, Shelf::Cell, value);
    let name = object_name(key, Shelf::Cell);
    let condition = expected.map_or(Condition::Absent, |revision| Condition::Tag(revision.as_str()));
    for _ in 0..TRIES {
        let unknown = match bucket.put(&name, body.clone(), condition).await {
            Ok(Written::Done(tag)) => return Ok(Swap::Done(Revision::new(&tag))),
            Ok(Written::Refused) => None,
            Err(error) if error.kind() == ErrorKind::Unknown => Some(error),
            Err(error) => return Err(error),
        };
        let found = match find(bucket, key, Shelf::Cell).await {
            Ok(found) => found,
            Err(error) => return Err(unknown.unwrap_or(error)),
        };
        if let Some((mark, _, object)) = &found
            && *mark == own
        {
            return Ok(Swap::Done(Revision::new(&object.tag)));
        }
        let cell = found.map(|(_, value, object)| Cell { value, revision: Revision::new(&object.tag) });
        match unknown {
            // ours may have been there and been replaced, or may still arrive
            Some(error) => return Err(error),
            None if cell.as_ref().map(|cell| &cell.revision) != expected => return Ok(Swap::Lost(cell)),
            // refused although it is as expected: another write was under way and failed
            None => {}
        }
    }
    Err(StoreError::new(ErrorKind::Unknown, format!("swapping `{key}`: it comes and goes")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_objects_name_says_its_key() {
        for (text, name) in [("a", "values/a="), ("a/b", "values/a/b="), ("a=/b=3d", "values/a=3d/b=3d3d=")] {
            let key = Key::parse(text).unwrap();
            assert_eq!(object_name(&key, Shelf::Value), name);
            assert_eq!(key_of(name, Shelf::Value), Some(key));
        }
        assert_eq!(key_of("values/a", Shelf::Value), None);
        assert_eq!(key_of("cells/a=", Shelf::Value), None);
    }

    #[test]
    fn marks_are_never_the_same() {
        let marks: std::collections::HashSet<u128> = (0..10_000).map(|_| mark()).collect();
        assert_eq!(marks.len(), 10_000);
    }
}
