//! Workspaces that take up modules which need a newer release.

use std::os::unix::fs::PermissionsExt;

use modkeep_harness::beside::{BOTH, Who};

use crate::{ground, write};

#[test]
fn a_workspace_with_a_module_for_a_newer_release_is_that_releases_business() {
    let Some(mut ground) = ground("newer releases") else { return };
    let bin = ground.home().join("bin");
    std::fs::create_dir(&bin).unwrap();
    // Go hands over to this program; we begin again as that release.
    let program = bin.join("go1.99.0");
    write(&program, "#!/bin/sh\nexit 0\n");
    std::fs::set_permissions(&program, PermissionsExt::from_mode(0o755)).unwrap();
    #[allow(clippy::disallowed_methods, reason = "the programs of the machine stay to be found")]
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
    ground.variables.extend([("PATH", path), ("GOWORK", String::new())]);
    let files = "-- w/go.work --\ngo 1.21\n\nuse ./a\n-- w/a/go.mod --\nmodule ex.com/a\n\ngo 1.21\n\
                 -- w/b/go.mod --\nmodule ex.com/b\n\ngo 1.99\n-- w/c/go.mod --\nmodule ex.com/c\n\ngo 1.98.3\n\
                 -- new/x --\n-- far/go.work --\ngo 1.21\n-- far/go.mod --\nmodule ex.com/far\n\ngo 1.200\n";
    let lines =
        ["work use -C w ./none", "work use -C w ./b ./c", "work init -C new ../w/b", "work use -C far ."];
    for (setting, works) in [("path", true), ("local+path", true), ("local", false)] {
        ground.variables.push(("GOTOOLCHAIN", setting.to_owned()));
        let [theirs, ours] = BOTH.map(|who| ground.all(who, files, &lines));
        for ((line, theirs), ours) in lines.iter().zip(&theirs).zip(&ours) {
            // Go looks at the folders that are named in no certain order.
            let [ours, theirs] = [ours, theirs].map(|outcome| outcome.clone().sorted().stderr);
            assert_eq!(ours, theirs, "{setting}: {line}");
        }
        assert_eq!(ours[3].status, Some(1), "{setting}: there is no such release");
        let made = ground.all(
            Who::Modkeep,
            files,
            &["work use -C w ./b ./c", "sh: cat w/go.work", "work init -C new ../w/b", "sh: cat new/go.work"],
        );
        let want = if works {
            ["go 1.99\n\nuse (\n\t./a\n\t./b\n\t./c\n)\n", "go 1.99.0\n\nuse ../w/b\n"]
        } else {
            ["go 1.21\n\nuse ./a\n", ""]
        };
        assert_eq!([made[1].stdout.as_str(), &made[3].stdout], want, "{setting}");
        ground.variables.pop();
    }
}
