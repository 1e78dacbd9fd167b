//! What a filled remote cache is worth beside go with nothing, near and 20 ms away.

use std::net::SocketAddr;
use std::path::Path;

use modkeep_harness::modkeep::Modkeep;
use modkeep_store::Digest;

use crate::clock::Cost;
use crate::relay::relay;
use crate::same;
use crate::side::{Side, run};
use crate::table::{Goal, row};

const TOKEN: &str = "of the bench";
const ROUNDS: usize = 5;

/// Fills a cache on a server of its own from what was built, and builds with nothing else. `cold` is what go costs with
/// nothing.
pub(crate) fn measure(sides: &[Side; 2], program: &Path, home: &Path, cold: &[Cost]) {
    let mut serve = Modkeep::command(program, home);
    serve.args(["serve", "--listen", "127.0.0.1:0", "--offline", "--sumdb", "off", "--access-log=false"]);
    serve.arg("--cache-folder").arg(home.join("shelf"));
    serve.args(["--cache-writers", &Digest::of(TOKEN.as_bytes()).to_string()]);
    let server = Modkeep::start(serve);
    let near = server.url().to_owned();
    let address: SocketAddr = near.trim_start_matches("http://").parse().expect("an address");
    let far = format!("http://{}", relay(address));
    let ours = &sides[1];
    // A program that is in its place is not put on the shelf.
    std::fs::remove_file(ours.output()).expect("a program");
    let mut fill =
        ours.command(&ours.source(), &["build", "-trimpath", "-remote", &near, "-remote-mode", "rw", "-o"]);
    fill.env("MODKEEP_REMOTE_TOKEN", TOKEN).arg(ours.output()).arg("./go");
    run(&mut fill);
    let build = |flags: &[&str]| {
        let costs = (0..ROUNDS).map(|_| {
            ours.forget();
            let cost = ours.build(1, flags);
            same(sides);
            cost
        });
        costs.collect::<Vec<_>>()
    };
    let goal = |times| Goal { wall: Some(times), ..Goal::default() };
    row("nothing cached here, a remote cache near", cold, &build(&["-remote", &near]), goal(15.0));
    row("nothing cached here, one 20 ms away", cold, &build(&["-remote", &far]), goal(8.0));
    // The linker is given something that changes nothing but the key: all archives are fetched, and it runs here.
    for side in sides {
        side.forget();
    }
    let flag = "-ldflags=-X=main.nothing=1";
    sides[0].build(1, &[flag]);
    row("the same near, and linked here", cold, &build(&["-remote", &near, flag]), Goal::default());
    row("the same far, and linked here", cold, &build(&["-remote", &far, flag]), Goal::default());
}
