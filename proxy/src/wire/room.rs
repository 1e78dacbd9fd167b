//! Memory for parts of replies that wait for their clients, for all connections together.
//!
//! Its buffers are lent again and again. Fresh ones would come from the allocator on whichever thread reads, and
//! allocators keep for each thread what it has freed.

use std::sync::Arc;

use bytes::Bytes;
use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Bytes of a file that are in memory at once for one client.
pub(crate) const PIECE: usize = 128 * 1024;
/// Buffers that stay when nobody needs them.
const SPARE: usize = 32;

/// Places for so many pieces.
#[derive(Clone)]
pub(crate) struct Room(Arc<Inside>);

struct Inside {
    places: Arc<Semaphore>,
    spare: Mutex<Vec<Vec<u8>>>,
}

/// A place for one piece, taken until what was read into it has left.
pub(crate) struct Place {
    inside: Arc<Inside>,
    buffer: Vec<u8>,
    /// Bytes that were read.
    filled: usize,
    _permit: OwnedSemaphorePermit,
}

impl Room {
    pub(crate) fn of(pieces: usize) -> Self {
        Self(Arc::new(Inside { places: Arc::new(Semaphore::new(pieces)), spare: Mutex::default() }))
    }

    /// A place for a whole piece, or nothing when it is full.
    pub(crate) fn take(&self) -> Option<Place> {
        let permit = Arc::clone(&self.0.places).try_acquire_owned().ok()?;
        let buffer = self.0.spare.lock().pop().unwrap_or_default();
        Some(Place { inside: Arc::clone(&self.0), buffer, filled: 0, _permit: permit })
    }

    pub(crate) fn is_full(&self) -> bool {
        self.0.places.available_permits() == 0
    }
}

impl Place {
    /// Has `read` write into the buffer and say how much it wrote; these bytes hold the place from then on.
    pub(crate) fn fill<E>(mut self, read: impl FnOnce(&mut [u8]) -> Result<usize, E>) -> Result<Bytes, E> {
        self.buffer.resize(PIECE, 0);
        self.filled = read(&mut self.buffer)?;
        Ok(Bytes::from_owner(self))
    }
}

impl AsRef<[u8]> for Place {
    fn as_ref(&self) -> &[u8] {
        &self.buffer[..self.filled]
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut spare = self.inside.spare.lock();
        if spare.len() < SPARE {
            spare.push(std::mem::take(&mut self.buffer));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;

    #[test]
    fn a_place_is_taken_until_its_bytes_are_gone_and_its_buffer_is_lent_again() {
        let room = Room::of(1);
        let piece = room.take().unwrap().fill(|buffer| {
            buffer[..3].copy_from_slice(b"one");
            Ok::<_, Infallible>(3)
        });
        let piece = piece.unwrap();
        let (same, at) = (piece.clone(), piece.as_ptr());
        assert_eq!(&same[..], b"one");
        drop(piece);
        assert!(room.is_full() && room.take().is_none());
        drop(same);
        let again = room.take().unwrap().fill(|_| Ok::<_, Infallible>(2)).unwrap();
        assert_eq!((again.as_ptr(), again.len()), (at, 2));
    }

    #[test]
    fn a_read_that_fails_gives_its_place_back() {
        let room = Room::of(1);
        assert_eq!(room.take().unwrap().fill(|_| Err("rotten")), Err("rotten"));
        assert!(room.take().is_some());
    }
}
