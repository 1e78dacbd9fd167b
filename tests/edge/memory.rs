//! Zips far larger than memory allows, many at a time: what the server holds of them.
//!
//! In every run 16 of 6 MB; with `MODKEEP_FULL=1` 16 of 90 MB.

use futures_util::StreamExt as _;
use modkeep_harness::dice::Dice;
use modkeep_harness::place::{full_run, tell};
use modkeep_harness::upstream::{Module, Tree, Upstream};

use crate::server::{Over, Server, run};

const AT_ONCE: usize = 16;
/// How much more than when idle may be resident, in bytes.
const ALLOWED: u64 = 32 << 20;

#[test]
fn sixteen_large_zips_at_a_time_are_never_held_in_memory() {
    let size = if full_run() { 90_000_000 } else { 6_000_000 };
    let mut dice = Dice::of("memory");
    let mut tree = Tree::default();
    for number in 0..=AT_ONCE {
        // The first is small: it brings the code into memory.
        let length = if number == 0 { 100_000 } else { size };
        let noise: Vec<u8> = (0..length / 8).flat_map(|_| dice.bits().to_le_bytes()).collect();
        tree.add(Module::new(&format!("example.com/m{number}"), "v1.0.0").file("noise", noise));
    }
    let upstream = Upstream::start(tree);
    for [cold, other] in [[Over::Plain, Over::PlainHttp2], [Over::Tls, Over::TlsHttp2]] {
        let server = Server::before(&upstream.url(), cold.is_tls(), &[]);
        for over in [cold, other] {
            taken_at_once(&server, over, 0..=0);
        }
        let idle = server.resident();
        for (state, over) in [("cold", cold), ("warm", cold), ("warm", other)] {
            server.forget_peak();
            let bytes = taken_at_once(&server, over, 1..=AT_ONCE);
            let above = server.peak().saturating_sub(idle);
            let (sum, mib) = (bytes / 1_000_000, above as f64 / f64::from(1 << 20));
            tell(&format!("{state}, {over:?}: {sum} MB in {AT_ONCE} zips at once, {mib:.1} MiB above idle"));
            assert!(bytes >= (AT_ONCE * size) as u64, "{bytes} bytes");
            assert!(above <= ALLOWED, "{state}, {over:?}: {above} bytes above idle");
        }
    }
}

/// All the zips at the same time, each over a connection of its own, thrown away as they come; gives their bytes.
fn taken_at_once(server: &Server, over: Over, numbers: std::ops::RangeInclusive<usize>) -> u64 {
    run(async {
        let clients = numbers.map(|number| async move {
            let url = server.url(&format!("/example.com/m{number}/@v/v1.0.0.zip"));
            let reply = server.client(over).get(url).send().await.unwrap().error_for_status().unwrap();
            let mut body = reply.bytes_stream();
            let mut bytes = 0;
            while let Some(piece) = body.next().await {
                bytes += piece.unwrap().len() as u64;
            }
            bytes
        });
        futures_util::future::join_all(clients).await.into_iter().sum()
    })
}
