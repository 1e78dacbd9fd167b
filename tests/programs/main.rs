//! Real modules from the machine's own registry: what modkeep answers, prints and leaves behind beside the real go.
//!
//! In every run a small one; with `MODKEEP_FULL=1` all of them, one test each. The registry is asked once for everything
//! (`recorder.rs`), and go too: its answers are kept in the target folder under `modkeep-tests/programs`, with the texts of
//! those that differ from ours.

#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

mod client;
mod files;
mod recorder;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use client::{Machine, Question, Subject};
use modkeep_conformance::go::Go;
use modkeep_harness::go::Client;
use modkeep_harness::place::{full_run, kept_folder, program, skip, tell};
use modkeep_harness::{mains, tree};
use recorder::Recorder;

/// The release before the one whose source is the specification.
const OLDER: &str = "go1.26.8";

/// A main module and what is asked about it.
#[derive(Clone, Copy)]
struct Program {
    module: &'static str,
    /// Modules that questions about a few are about; the first is asked for versions, too.
    few: &'static [&'static str],
    /// What `get` raises, and what it lowers.
    up: &'static str,
    down: &'static str,
    /// Whether questions about packages are asked: they need hundreds of zips.
    has_packages: bool,
    /// Whether all that go.mod requires is downloaded, or only the few.
    downloads_all: bool,
    /// Whether the older release is asked too.
    asks_older: bool,
}

/// As most of them are asked.
const USUAL: Program = Program {
    module: "",
    few: &["golang.org/x/sys", "golang.org/x/text"],
    up: "golang.org/x/sys@latest",
    down: "golang.org/x/sys@v0.40.0",
    has_packages: true,
    downloads_all: true,
    asks_older: false,
};

const STATICCHECK: Program = Program {
    module: "honnef.co/go/tools@v0.8.2",
    few: &["golang.org/x/sys", "golang.org/x/mod"],
    up: "golang.org/x/exp@latest",
    down: "golang.org/x/mod@v0.30.0",
    asks_older: true,
    ..USUAL
};

/// Its go.mod has no go line.
const QUOTE: Program = Program {
    module: "rsc.io/quote/v3@v3.1.0",
    few: &["rsc.io/sampler", "golang.org/x/text"],
    up: "rsc.io/sampler@latest",
    down: "golang.org/x/text@none",
    asks_older: true,
    ..USUAL
};

/// Of small ones only what asks for little.
#[test]
fn small_modules_are_answered_as_by_go() {
    let little = |program| Program { has_packages: false, asks_older: false, ..program };
    check(Program { downloads_all: false, ..little(STATICCHECK) });
    check(little(QUOTE));
}

/// Two of them side by side.
#[test]
fn a_workspace_is_answered_as_by_go() {
    if !full_run() {
        return;
    }
    let question = |(line, is_vendored): &(&str, bool)| Question {
        words: line.split(' ').map(str::to_owned).collect(),
        is_vendored: *is_vendored,
    };
    check_subject("workspace", true, |go, proxy, kept| {
        let main = kept.join("mains/workspace");
        for (folder, module) in
            [("zap", "go.uber.org/zap@v1.27.0"), ("client", "github.com/prometheus/client_golang@v1.25.0")]
        {
            let module = main_module(go, proxy, kept, module);
            tree::remove(&main.join(folder)).unwrap();
            tree::copy(&module, &main.join(folder)).unwrap();
        }
        let questions = WORKSPACE.iter().map(question).collect();
        Subject { name: "workspace".to_owned(), main, questions, is_workspace: true }
    });
}

/// What is asked in a workspace, and whether its vendor folder stays.
const WORKSPACE: [(&str, bool); 23] = [
    ("work init ./zap", false),
    ("list -m all", false),
    ("work use ./client", false),
    ("work edit -json", false),
    ("list -m", false),
    ("list -m all", false),
    ("list -m -json all", false),
    ("list -m -u go.uber.org/multierr golang.org/x/sys", false),
    ("mod graph", false),
    ("mod download -json", false),
    ("mod why -m go.uber.org/goleak golang.org/x/sys", false),
    ("mod verify", false),
    ("list -deps ./zap/... ./client/...", false),
    ("work vendor", false),
    ("list -m all", true),
    ("list -m -json github.com/stretchr/testify", true),
    ("list -deps ./zap ./client/prometheus", true),
    ("mod why -m -vendor github.com/stretchr/testify", true),
    ("work sync", false),
    ("list -m all", false),
    ("get -C zap go.uber.org/multierr@latest", false),
    ("work edit -dropuse=./zap", false),
    ("mod tidy -C zap -diff", false),
];

/// One test for each, run by name.
macro_rules! programs {
    ($($name:ident: $program:expr;)*) => { mod full { $(
        #[test]
        fn $name() {
            if super::full_run() {
                super::check($program);
            }
        }
    )* } };
}

programs! {
    staticcheck: super::STATICCHECK;
    quote: super::QUOTE;
    esbuild: super::Program {
        module: "github.com/evanw/esbuild@v0.28.2",
        few: &["golang.org/x/sys"],
        down: "golang.org/x/sys@v0.0.0-20210423082822-04245dca01da",
        asks_older: true,
        ..super::USUAL
    };
    fzf: super::Program {
        module: "github.com/junegunn/fzf@v0.65.2",
        few: &["golang.org/x/sys", "github.com/gdamore/tcell/v2"],
        up: "github.com/gdamore/tcell/v2@latest",
        down: "golang.org/x/term@v0.20.0",
        asks_older: true,
        ..super::USUAL
    };
    zap: super::Program {
        module: "go.uber.org/zap@v1.27.0",
        few: &["github.com/stretchr/testify", "go.uber.org/multierr"],
        up: "github.com/stretchr/testify@upgrade",
        down: "go.uber.org/multierr@v1.9.0",
        asks_older: true,
        ..super::USUAL
    };
    cobra: super::Program {
        module: "github.com/spf13/cobra@v1.1.3",
        few: &["github.com/spf13/viper", "golang.org/x/sys"],
        up: "github.com/spf13/viper@v1.8.1",
        down: "github.com/spf13/viper@v1.4.0",
        asks_older: true,
        ..super::USUAL
    };
    gin: super::Program {
        module: "github.com/gin-gonic/gin@v1.12.0",
        few: &["golang.org/x/net", "golang.org/x/sys"],
        up: "golang.org/x/net@latest",
        down: "golang.org/x/net@v0.40.0",
        ..super::USUAL
    };
    delve: super::Program {
        module: "github.com/go-delve/delve@v1.27.2",
        up: "github.com/spf13/cobra@latest golang.org/x/sys@patch",
        down: "golang.org/x/sys@v0.30.0",
        ..super::USUAL
    };
    client_golang: super::Program {
        module: "github.com/prometheus/client_golang@v1.25.0",
        few: &["google.golang.org/protobuf", "golang.org/x/sys"],
        up: "-u ./prometheus",
        down: "github.com/prometheus/common@v0.66.0",
        ..super::USUAL
    };
    kustomize: super::Program {
        module: "sigs.k8s.io/kustomize/kustomize/v5@v5.8.3",
        few: &["sigs.k8s.io/yaml", "golang.org/x/text"],
        up: "sigs.k8s.io/kustomize/kyaml@latest",
        down: "sigs.k8s.io/kustomize/kyaml@v0.20.0",
        ..super::USUAL
    };
    nats_server: super::Program {
        module: "github.com/nats-io/nats-server/v2@v2.15.2",
        few: &["golang.org/x/sys", "github.com/nats-io/nats.go"],
        down: "github.com/nats-io/nats.go@v1.40.0",
        asks_older: true,
        ..super::USUAL
    };
    gopls: super::Program {
        module: "golang.org/x/tools/gopls@v0.24.0",
        few: &["golang.org/x/sys", "golang.org/x/tools"],
        up: "github.com/fsnotify/fsnotify@latest",
        down: "golang.org/x/net@v0.50.0",
        asks_older: true,
        ..super::USUAL
    };
    etcd: super::Program {
        module: "go.etcd.io/etcd/server/v3@v3.7.3",
        up: "go.etcd.io/bbolt@latest",
        down: "google.golang.org/grpc@v1.80.0",
        ..super::USUAL
    };
    caddy: super::Program {
        module: "github.com/caddyserver/caddy/v2@v2.11.9",
        up: "go.uber.org/zap@latest",
        down: "golang.org/x/net@v0.50.0",
        downloads_all: false,
        ..super::USUAL
    };
    kine: super::Program {
        module: "github.com/k3s-io/kine@v0.16.4",
        up: "github.com/jackc/pgx/v5@latest",
        down: "go.uber.org/zap@v1.26.0",
        downloads_all: false,
        ..super::USUAL
    };
    golangci_lint: super::Program {
        module: "github.com/golangci/golangci-lint/v2@v2.15.0",
        down: "golang.org/x/tools@v0.40.0",
        downloads_all: false,
        ..super::USUAL
    };
    terraform: super::Program {
        module: "github.com/hashicorp/terraform@v0.15.5",
        up: "github.com/hashicorp/hcl/v2@v2.11.1",
        down: "github.com/aws/aws-sdk-go@v1.36.0",
        downloads_all: false,
        ..super::USUAL
    };
    kubernetes: super::Program {
        module: modkeep_harness::mains::KUBERNETES,
        up: "github.com/spf13/cobra@latest",
        down: "google.golang.org/grpc@v1.70.0",
        downloads_all: false,
        ..super::USUAL
    };
    // One of its modules is refused by the registry.
    hugo: super::Program {
        module: "github.com/gohugoio/hugo@v0.169.0",
        down: "golang.org/x/tools@v0.40.0",
        downloads_all: false,
        ..super::USUAL
    };
    refusals: super::REFUSALS;
}

/// What the registry refuses, and what the checksum database does not know.
const REFUSALS: Program = Program { module: "rsc.io/quote/v3@v3.1.0", few: &[], ..USUAL };

fn questions(program: &Program) -> Vec<Question> {
    let mut asked = Vec::new();
    let mut ask = |line: &str, rest: &[&str], is_vendored: bool| {
        let words = line.split(' ').chain(rest.iter().copied()).map(str::to_owned).collect();
        asked.push(Question { words, is_vendored });
    };
    let few = program.few;
    if few.is_empty() {
        for line in [
            "list -m -versions github.com/cli/cli/v2",
            "list -m -json github.com/cli/cli/v2@latest",
            "list -m github.com/cli/cli/v2@v2.83.0",
            "mod download -json github.com/cli/cli/v2@v2.83.0",
            "get github.com/cli/cli/v2",
            "get github.com/cli/cli/v2@v2.83.0",
            "mod download k8s.io/cri-client@v0.33.5",
            "mod download -json k8s.io/cri-client@v0.33.5",
            "get k8s.io/cri-client@v0.33.5",
            "get k8s.io/no-such-module",
            "get rsc.io/quote/v3@v3.9.9",
            "list -m -e -json rsc.io/sampler@v1.9.9",
        ] {
            ask(line, &[], false);
        }
        return asked;
    }
    ask("mod graph", &[], false);
    ask("list -m all", &[], false);
    ask("list -m -json all", &[], false);
    ask("list -m -versions", &few[..1], false);
    ask("list -m -versions -retracted -json", &few[..1], false);
    ask("list -m -u -json", few, false);
    if full_run() {
        ask("list -m -u all", &[], false);
    }
    match program.downloads_all {
        true => ask("mod download -json", &[], false),
        false => ask("mod download -json", few, false),
    }
    if program.has_packages {
        ask("mod why -m", few, false);
        ask("mod tidy -diff", &[], false);
        ask("mod vendor", &[], false);
        ask("list -m all", &[], true);
        ask("list -m -json", few, true);
        ask("list -deps ./...", &[], true);
        ask("mod why -m -vendor", few, true);
    }
    ask("mod verify", &[], false);
    ask(&format!("get {}", program.up), &[], false);
    ask(&format!("get {}", program.down), &[], false);
    asked
}

/// Asks both about a program, and panics when there is any difference in the end.
fn check(program: Program) {
    let name = match program.few.is_empty() {
        true => "refusals".to_owned(),
        false => program.module.replace('/', "+"),
    };
    let questions = questions(&program);
    check_subject(&name, program.asks_older, |go, proxy, kept| {
        let main = main_module(go, proxy, kept, program.module);
        Subject { name: name.clone(), main, questions: questions.clone(), is_workspace: false }
    });
}

/// The folder with a main module as it was published, made once.
fn main_module(go: &Go, proxy: &str, kept: &Path, module: &str) -> PathBuf {
    let client = Client::new(go, proxy).unwrap();
    let made = mains::folder(&client, &kept.join("mains"), module);
    tree::remove(&client.module_cache()).unwrap();
    made.unwrap_or_else(|missing| panic!("{missing}"))
}

/// The same about what the closure makes of the release of the specification, a registry and the kept folder.
fn check_subject(name: &str, asks_older: bool, make: impl FnOnce(&Go, &str, &Path) -> Subject) {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let kept = kept_folder().join("programs");
    let recorder = match Recorder::shared(&kept.join("registry")) {
        Ok(recorder) => recorder,
        Err(missing) => return skip("programs", &missing),
    };
    let releases: Vec<_> = std::iter::once(Go::specification())
        .chain(asks_older.then(|| Go::named(OLDER)))
        .collect::<Result<_, _>>()
        .unwrap_or_else(|missing| panic!("{missing}"));
    let subject = make(&releases[0], recorder.url(), &kept);
    let differences: usize = releases.iter().map(|go| compare(&subject, go, recorder.url(), &kept)).sum();
    assert!(differences == 0, "{name}: {differences} answers differ from go's");
}

/// The number of questions that are answered otherwise than by go.
fn compare(subject: &Subject, go: &Go, proxy: &str, kept: &Path) -> usize {
    let release = fs::read_to_string(go.root().join("VERSION")).unwrap();
    let release = release.lines().next().unwrap().to_owned();
    let name = &subject.name;
    let wanted = go_says(subject, go, proxy, &kept.join("answers").join(&release).join(name));
    let ours = program(env!("CARGO_BIN_EXE_modkeep"));
    let mut machine = Machine::new(go, proxy, Some(&ours), subject);
    let mut differences = 0;
    for (number, (question, want)) in subject.questions.iter().zip(&wanted).enumerate() {
        let got = machine.ask(question);
        let (what, lines) = (question.text(), want.lines().count());
        if got == *want {
            tell(&format!("{name} {release}: {what}: {lines} lines are the same"));
            continue;
        }
        differences += 1;
        let folder = kept.join("differences").join(&release).join(name);
        write(&folder.join(format!("{number:02}.go")), want);
        write(&folder.join(format!("{number:02}.modkeep")), &got);
        let first = got.lines().zip(want.lines()).take_while(|(got, want)| got == want).count();
        let line = |text: &str| text.lines().nth(first).unwrap_or("(the end)").to_owned();
        tell(&format!(
            "{name} {release}: {what}: DIFFERS after {first} of {lines} lines, in {}\n  go:      {}\n  modkeep: {}",
            folder.join(format!("{number:02}.*")).display(),
            line(want),
            line(&got)
        ));
    }
    differences
}

/// Go's answers, of an earlier run if the questions are the same.
fn go_says(subject: &Subject, go: &Go, proxy: &str, kept: &Path) -> Vec<String> {
    let texts: Vec<String> = subject.questions.iter().map(Question::text).collect();
    let earlier = fs::read(kept).ok().and_then(|data| serde_json::from_slice(&data).ok());
    let earlier: Vec<(String, String)> = earlier.unwrap_or_default();
    if earlier.iter().map(|(text, _)| text).eq(&texts) {
        return earlier.into_iter().map(|(_, answer)| answer).collect();
    }
    let mut machine = Machine::new(go, proxy, None, subject);
    let answers: Vec<String> = subject.questions.iter().map(|question| machine.ask(question)).collect();
    let all: Vec<(&String, &String)> = texts.iter().zip(&answers).collect();
    write(kept, &serde_json::to_string(&all).unwrap());
    answers
}

#[allow(clippy::disallowed_methods, reason = "a file of the test")]
fn write(file: &Path, text: &str) {
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(file, text).unwrap();
}
