//! The end of the server under load, over each protocol: what it has begun it finishes.

use std::time::Duration;

use tokio::sync::mpsc;

use crate::server::{BIG, Over, Server, run};

const CLIENTS: usize = 8;

#[test]
fn no_reply_is_cut_short_by_a_stop_under_load() {
    for over in Over::ALL {
        let server = Server::start(over.is_tls(), &[]);
        run(check(server, over));
    }
}

async fn check(server: Server, over: Over) {
    let (served, mut replies) = mpsc::unbounded_channel();
    let length = server.big.len();
    let clients: Vec<_> = (0..CLIENTS)
        .map(|_| {
            let (client, url, served) = (server.client(over), server.url(BIG), served.clone());
            tokio::spawn(async move {
                // A request that is refused was not begun; a reply that was must be whole.
                while let Ok(reply) = client.get(&url).send().await {
                    assert_eq!(reply.status(), 200, "{over:?}");
                    let body = reply.bytes().await.unwrap_or_else(|error| panic!("{over:?}: {error:?}"));
                    assert_eq!(body.len(), length, "{over:?}");
                    if served.send(()).is_err() {
                        break;
                    }
                }
            })
        })
        .collect();
    drop(served);
    for _ in 0..3 * CLIENTS {
        tokio::time::timeout(Duration::from_secs(120), replies.recv()).await.unwrap().unwrap();
    }
    let stopped = tokio::task::spawn_blocking(move || server.modkeep.stop());
    let (status, log) = stopped.await.unwrap();
    drop(replies);
    for client in clients {
        client.await.unwrap();
    }
    assert_eq!(status.code(), Some(0), "{over:?}: {log}");
}
