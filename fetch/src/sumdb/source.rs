//! The database at the end of the way to it: the place that was named, or else the one that the chain finds, once.

use std::sync::Arc;

use bytes::Bytes;
use modkeep_module::resource::{DatabaseName, SumdbRequest, SumdbResource};
use modkeep_module::sumdb::Tile;
use modkeep_module::sumdb::tile::TilePath;
use tokio::sync::{OnceCell, Semaphore};

use super::error::SumdbError;
use crate::chain::{Route, Upstream};
use crate::error::FetchError;

/// Requests to one database that are in the air at the same time.
const MAX_REQUESTS: usize = 32;

/// Who is asked.
pub(super) struct Source {
    name: DatabaseName,
    upstream: Arc<Upstream>,
    named_route: Option<Route>,
    found_route: OnceCell<Route>,
    requests: Semaphore,
}

impl Source {
    pub(super) fn new(name: DatabaseName, upstream: Arc<Upstream>, named_route: Option<Route>) -> Self {
        let (found_route, requests) = (OnceCell::new(), Semaphore::new(MAX_REQUESTS));
        Self { name, upstream, named_route, found_route, requests }
    }

    /// A tile of hashes.
    pub(super) async fn read_tile(&self, tile: Tile) -> Result<Bytes, SumdbError> {
        self.read(SumdbRequest::Tile(TilePath::Hashes(tile))).await
    }

    /// Whatever is asked, bounded in size and time by the chain.
    pub(super) async fn read(&self, request: SumdbRequest) -> Result<Bytes, SumdbError> {
        let route = match &self.named_route {
            Some(route) => route,
            None => self
                .found_route
                .get_or_try_init(|| self.upstream.route(&self.name))
                .await
                .map_err(unreachable)?,
        };
        let _permit = self.requests.acquire().await.expect("the semaphore is never closed");
        let resource = SumdbResource { database: self.name.clone(), request };
        Ok(self.upstream.read(route, &resource).await?)
    }
}

/// Without a way there, what the last one asked said is not about the thing wanted.
fn unreachable(error: FetchError) -> SumdbError {
    SumdbError::Unavailable(error)
}
