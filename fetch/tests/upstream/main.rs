//! Chains of upstreams over real sockets: the go command as the judge of settings and order, faults of every kind, and
//! what must never be seen.

#![allow(clippy::unwrap_used, reason = "a world that a test can not build is a failure of the test")]

mod environment;
mod faults;
mod folder;
mod go_is_the_judge;
mod health;
mod privacy;
mod resume;
mod secrets;
mod shadow;
mod sumdb;
mod transport;

use std::time::Duration;

use modkeep_fetch::goproxy::GoProxy;
use modkeep_fetch::private::Private;
use modkeep_fetch::via::Identity;
use modkeep_fetch::{Config, Manners, Patience, Retry, Timeouts, Upstream};
use modkeep_harness::upstream::{Module, Tree};
use modkeep_module::resource::Resource;

/// The one module that most tests ask for.
fn tree() -> Tree {
    Tree::default().with(Module::new("example.com/m", "v1.0.0").file("m.go", "package m\n"))
}

/// A chain with little patience and without repetition.
fn config(goproxy: &str) -> Config {
    let manners = Manners {
        timeouts: Timeouts {
            connect: Duration::from_secs(5),
            first_byte: Duration::from_millis(400),
            idle: Duration::from_millis(400),
        },
        retry: Retry { attempts: 1, ..Retry::default() },
        ..Manners::new(Identity::new("test").unwrap())
    };
    let goproxy = GoProxy::parse(goproxy).unwrap();
    Config { goproxy, private: Private::default(), manners, listening: None }
}

fn chain(goproxy: &str) -> Upstream {
    Upstream::new(config(goproxy)).unwrap()
}

/// A chain whose breakers never open.
fn stubborn(mut config: Config) -> Upstream {
    config.manners.patience = Patience { busy_answers: u32::MAX, ..Patience::default() };
    Upstream::new(config).unwrap()
}

fn resource(path: &str) -> Resource {
    Resource::parse(path).unwrap()
}

const LIST: &str = "/example.com/m/@v/list";
const INFO: &str = "/example.com/m/@v/v1.0.0.info";
const MOD: &str = "/example.com/m/@v/v1.0.0.mod";
const ZIP: &str = "/example.com/m/@v/v1.0.0.zip";

/// Content in short, or the error with its causes; ports are replaced, because they differ from run to run.
async fn ask(upstream: &Upstream, path: &str) -> String {
    let answer = match upstream.fetch(&resource(path)).await {
        Ok(answer) => answer.bytes().await,
        Err(error) => Err(error),
    };
    match answer {
        Ok(bytes) if bytes.len() < 100 && std::str::from_utf8(&bytes).is_ok() => {
            String::from_utf8(bytes.to_vec()).unwrap()
        }
        Ok(bytes) => format!("{} bytes", bytes.len()),
        Err(error) => without_ports(&error.chain()),
    }
}

fn without_ports(text: &str) -> String {
    let mut pieces = text.split("127.0.0.1:");
    let first = pieces.next().unwrap_or_default().to_owned();
    pieces.fold(first, |text, piece| {
        text + "HOST" + piece.trim_start_matches(|letter: char| letter.is_ascii_digit())
    })
}
