//! Asking a silent host, now and then, whether it is back.

use std::sync::Arc;
use std::time::Duration;

use reqwest::{RequestBuilder, StatusCode};

use crate::breaker::Breaker;
use crate::kind::Kind;
use crate::requests::Requests;

/// Sends the request with growing pauses until any answer but "not now" comes, or until the breaker was closed
/// by a request that had been under way. Ends with the task set that owns it.
pub(super) async fn until_answered(
    request: RequestBuilder,
    patience: Duration,
    breaker: Arc<Breaker>,
    requests: Arc<Requests>,
) {
    while let Some(pause) = breaker.pause() {
        tokio::time::sleep(pause).await;
        let Some(request) = request.try_clone() else { return };
        requests.count(Kind::Probe);
        if let Ok(Ok(response)) = tokio::time::timeout(patience, request.send()).await
            && !is_not_now(response.status())
        {
            tracing::info!(status = response.status().as_u16(), "upstream answers again");
            breaker.probe_answered();
            return;
        }
    }
}

fn is_not_now(status: StatusCode) -> bool {
    matches!(status.as_u16(), 502..=504)
}
