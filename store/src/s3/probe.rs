//! Does this bucket keep its conditions? Asked at every start, because everything else here stands on the answer.
//!
//! Some servers ignore `If-None-Match` and `If-Match`, and some check them and write in two steps, so that of two writers
//! both win. The probe catches the first kind always and the second almost always: it lets many writers race.

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use futures_util::future::join_all;

use crate::check::Tidied;
use crate::error::{ErrorKind, StoreError};
use crate::s3::bucket::{Bucket, Condition, Pages, Written};
use crate::s3::values::mark;

/// Where objects are while they are asked about.
const FOLDER: &str = "probe/";
/// Objects of starts that long ago are left over, whatever a sweep is told: a younger one may be in use.
const LEFT_OVER: Duration = Duration::from_secs(3600);
/// Writers that race.
const WRITERS: usize = 16;
/// Races of each kind.
const RACES: usize = 4;
/// Bytes that a racing writer sends: long enough that writes overlap.
const LENGTH: usize = 64 << 10;

/// Makes sure that the bucket keeps both conditions.
///
/// # Errors
/// [`ErrorKind::Refused`] in plain words when it does not.
pub(crate) async fn probe(bucket: &Bucket) -> Result<(), StoreError> {
    let name = format!("{FOLDER}{:032x}", mark());
    let outcome = probe_with(bucket, &name).await;
    bucket.delete(&name).await?;
    outcome
}

/// Deletes what starts that were killed have left, before `moment` and not lately.
pub(crate) async fn tidy(bucket: &Bucket, moment: SystemTime) -> Result<Tidied, StoreError> {
    let mut tidied = Tidied::default();
    let mut pages = Pages::new(bucket, FOLDER.into());
    while let Some(page) = pages.next().await? {
        for object in page.iter().filter(|object| object.written + LEFT_OVER < moment) {
            bucket.delete(&object.name).await?;
            tidied += Tidied { files: 1, bytes: object.len };
        }
    }
    Ok(tidied)
}

async fn probe_with(bucket: &Bucket, name: &str) -> Result<(), StoreError> {
    for _ in 0..RACES {
        let absent = (0..WRITERS).map(|_| bucket.put(name, body(), Condition::Absent));
        let first = one_winner(bucket, join_all(absent).await, "If-None-Match: *")?;
        if let Written::Done(_) = bucket.put(name, body(), Condition::Absent).await? {
            return Err(refusal(bucket, "If-None-Match: *", "an object that was there was overwritten"));
        }
        let matching = (0..WRITERS).map(|_| bucket.put(name, body(), Condition::Tag(&first)));
        one_winner(bucket, join_all(matching).await, "If-Match")?;
        if let Written::Done(_) = bucket.put(name, body(), Condition::Tag(&first)).await? {
            return Err(refusal(bucket, "If-Match", "an object that had changed was overwritten"));
        }
        bucket.delete(name).await?;
        if let Written::Done(_) = bucket.put(name, body(), Condition::Tag(&first)).await? {
            return Err(refusal(bucket, "If-Match", "an object was made that was not there"));
        }
    }
    Ok(())
}

fn body() -> Bytes {
    let mark = mark().to_le_bytes();
    mark.repeat(LENGTH / mark.len()).into()
}

/// The entity tag of the only winner.
fn one_winner(
    bucket: &Bucket,
    race: Vec<Result<Written, StoreError>>,
    header: &str,
) -> Result<String, StoreError> {
    let mut winners = Vec::new();
    for outcome in race {
        if let Written::Done(tag) = outcome? {
            winners.push(tag);
        }
    }
    match winners.len() {
        1 => Ok(winners.remove(0)),
        0 => Err(refusal(bucket, header, "of several writers none won")),
        more => Err(refusal(bucket, header, &format!("of {WRITERS} writers {more} won"))),
    }
}

fn refusal(bucket: &Bucket, header: &str, what: &str) -> StoreError {
    let subject = format!(
        "bucket `{}` does not keep the condition `{header}`: {what}; two servers would overwrite each other, so it cannot be a store",
        bucket.name
    );
    StoreError::new(ErrorKind::Refused, subject)
}
