//! The shared cache in a bucket of a real S3 server: filled by one machine, used by others, and damaged.

use modkeep_conformance::go::Go;
use modkeep_harness::place::{kept_folder, skip};
use modkeep_harness::s3::{Gateway, settings};
use modkeep_harness::tree;

use super::{Machine, compiles, damage, links, said};

const PREFIX: &str = "builds/of/all";

#[test]
fn what_is_in_a_bucket_is_not_made_again_and_never_believed_when_it_is_damaged() {
    let test = "a shared cache in a bucket";
    let go = match Go::specification() {
        Ok(go) => go,
        Err(missing) => return skip(test, &missing),
    };
    let Some(gateway) = Gateway::start_or_skip(test, "modkeep") else { return };
    let all = tempfile::tempdir().unwrap();
    let machine = |name: &str| {
        let machine =
            Machine::new(all.path(), name, &go).with("MODKEEP_REMOTE", &format!("s3://modkeep/{PREFIX}"));
        let variables = settings(&gateway.endpoint(), PREFIX);
        let of_bucket = variables.iter().filter(|(variable, _)| *variable != "MODKEEP_STORE");
        of_bucket.fold(machine, |machine, (variable, value)| machine.with(variable, value))
    };
    // Of this one's cache the standard library stays from run to run.
    let kept = kept_folder().join("beside-cache");
    let first = machine("first").with("MODKEEP_REMOTE_MODE", "rw").with("GOCACHE", kept.to_str().unwrap());
    let (program, script) = first.build();
    assert!(script.contains("bytes sent"), "{script}");

    let second = machine("second");
    let (same, script) = second.build();
    assert_eq!((compiles(&script), links(&script)), (0, 0), "{script}");
    assert!(same == program);
    let third = machine("third");
    third.edit("cmd/hello/main.go", "\"hello\"", "\"bye\"");
    let (_, script) = third.build();
    assert_eq!((compiles(&script), links(&script)), (1, 1), "only what was edited:\n{script}");

    let shelf = gateway.folder().join("modkeep").join(PREFIX);
    let objects = tree::files(&shelf);
    assert!(objects.len() > 20, "{} objects below {}", objects.len(), shelf.display());
    damage(&objects);
    let fourth = machine("fourth");
    let (same, script) = fourth.build();
    assert!(same == program, "{script}");
    assert!(compiles(&script) > 10, "what is damaged is made again:\n{script}");

    drop(gateway);
    fourth.edit("lib/lib.go", "42", "43");
    let told = said(&fourth.modkeep(&["build", "-trimpath", "./lib"])).unwrap();
    assert_eq!(
        told.matches("the remote cache is not used").count(),
        1,
        "a server that is gone holds nobody up: {told}"
    );
}
