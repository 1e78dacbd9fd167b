//! `modkeep conformance URL`: how far does a module proxy come with Go's own scripts?
//!
//! Go's server of test modules is started as the upstream for the proxy on trial to be pointed at; what to configure
//! is printed, and the scripts run when the proxy serves those modules. What counts is what passes on this very
//! machine without a proxy between, so a control runs first.

mod verdicts;

use std::io::{IsTerminal, stderr};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use modkeep_conformance::go::Go;
use modkeep_conformance::suite::{Report, SUBJECTS, Suite, SuiteError, WRONGLY_LOGGED};

use crate::config::{Environment, places};
use crate::report;
use crate::report::Failure;
use verdicts::{Pass, Verdicts};

/// How often it is looked whether the proxy serves the fixture's modules.
const LOOK: Duration = Duration::from_secs(1);

/// The verb and its flags.
pub(crate) fn command() -> Command {
    Command::new("conformance")
        .about("Judge any module proxy by Go's own scripts [exit status 1 for misses]")
        .after_help(
            "Needs a go command that may download its releases: the scripts are those of the release that modkeep \
             takes as the specification. The last line is `score N of M`.",
        )
        .arg(Arg::new("url").value_name("URL").required(true).help("The proxy, as GOPROXY takes it"))
        .arg(
            Arg::new("offline-pass")
                .long("offline-pass")
                .action(ArgAction::SetTrue)
                .help("Run everything a second time with the upstream stopped"),
        )
        .arg(
            Arg::new("json")
                .long("json")
                .action(ArgAction::SetTrue)
                .help("Print one JSON document; the story goes to stderr"),
        )
        .arg(
            Arg::new("run")
                .long("run")
                .value_name("PATTERN")
                .default_value(SUBJECTS)
                .help("Only the scripts whose names match, as go test -run takes it"),
        )
        .arg(
            Arg::new("wait")
                .long("wait")
                .value_name("SECONDS")
                .default_value("600")
                .value_parser(value_parser!(u64))
                .help("How long the proxy may take to be configured; then the scripts run all the same"),
        )
}

/// Prepares, waits, judges.
pub(crate) fn run(matches: &ArgMatches, environment: &Environment) -> Result<(), Failure> {
    let text =
        |name: &str| matches.get_one::<String>(name).expect("it is required or has a default").as_str();
    let trial = Trial {
        url: text("url"),
        pattern: text("run"),
        is_json: matches.get_flag("json"),
        place: places::cache(environment)?.join("conformance"),
    };
    if trial.pattern.contains('/') {
        return Err(Failure::usage("--run: the names of scripts have no `/`"));
    }
    let failed = |error: SuiteError| Failure::of(error);
    std::fs::create_dir_all(&trial.place)
        .map_err(|error| Failure::of(format!("making `{}`: {error}", trial.place.display())))?;
    let go = Go::specification().map_err(|missing| {
        Failure::of(missing).with_hint("install Go 1.21 or newer, and let it download toolchains")
    })?;
    trial.say("preparing Go's tests, which takes a minute or two the first time");
    let suite = Suite::build(&go, &trial.place).map_err(failed)?;
    let fixture = suite.fixture().map_err(failed)?;
    trial.explain(fixture.url(), suite.verifier_key())?;
    let control = trial.pass(&suite, "control, no proxy between", None).map_err(failed)?;
    let seconds = *matches.get_one::<u64>("wait").expect("it has a default");
    trial.wait(&suite, Duration::from_secs(seconds)).map_err(failed)?;

    let report = trial.pass(&suite, "cold", Some(trial.url)).map_err(failed)?;
    let mut passes = vec![Pass { name: "cold", score: report.score(&control) }];
    if matches.get_flag("offline-pass") {
        drop(fixture);
        let report = trial.pass(&suite, "upstream stopped", Some(trial.url)).map_err(failed)?;
        passes.push(Pass { name: "upstream stopped", score: report.score(&control) });
    }
    let verdicts = Verdicts { release: modkeep_conformance::go::RELEASE, proxy: trial.url, passes };
    if trial.is_json {
        report::out(&verdicts.json())?;
    } else {
        report::out(&verdicts.text())?;
    }
    match verdicts.is_clean() {
        true => Ok(()),
        false => Err(Failure::exact(1, verdicts.summary())),
    }
}

/// What is judged, and how it is told.
struct Trial<'a> {
    url: &'a str,
    pattern: &'a str,
    is_json: bool,
    /// Where Go's tests are built and kept.
    place: PathBuf,
}

impl Trial<'_> {
    /// The story, which is no result.
    fn say(&self, text: &str) {
        report::tell(text);
    }

    /// What the proxy must be told.
    fn explain(&self, upstream: &str, key: &str) -> Result<(), Failure> {
        let text = format!(
            "point {} at\n    upstream           {upstream}\n    checksum database  {key}\n    unproved modules   \
             {WRONGLY_LOGGED} (its checksums there are wrong)\nfor modkeep: GONOSUMDB={WRONGLY_LOGGED} modkeep serve \
             --upstream {upstream} --sumdb {key}\n",
            self.url
        );
        match self.is_json {
            true => {
                self.say(text.trim_end());
                Ok(())
            }
            false => report::out(&text),
        }
    }

    /// Waits until the proxy serves what the fixture has.
    fn wait(&self, suite: &Suite, patience: Duration) -> Result<(), SuiteError> {
        let begun = Instant::now();
        let mut is_told = false;
        while !suite.reaches(self.url, &self.place)? {
            if begun.elapsed() >= patience {
                self.say(&format!("{} does not serve the test modules: running all the same", self.url));
                break;
            }
            if !is_told {
                self.say(&format!("waiting until {} serves the test modules", self.url));
                is_told = true;
            }
            std::thread::sleep(LOOK);
        }
        Ok(())
    }

    /// Runs the scripts once, with a counter on a terminal.
    fn pass(&self, suite: &Suite, name: &str, goproxy: Option<&str>) -> Result<Report, SuiteError> {
        let is_terminal = stderr().is_terminal();
        self.say(&format!("running Go's scripts: {name}"));
        let mut ended = 0;
        let report = suite.run_only(self.pattern, goproxy, |script, verdict| {
            ended += 1;
            if is_terminal {
                report::progress(&format!("{ended}: {script} {verdict}"));
            }
        });
        if is_terminal {
            report::progress("");
        }
        report
    }
}
