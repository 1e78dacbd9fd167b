//! Version queries judged by the table in Go's own `query_test.go`, read from its source at run time.
//!
//! The repository of that table is a git repository; here its tags are read from the script that makes it, and what its
//! hashes and branches stand for from the table itself, since finding that out is the business of a source.

use modkeep_conformance::go::Go;
use modkeep_harness::place::skip;
use modkeep_module::{GoMod, pseudo, version};
use modkeep_resolver::error::{Fault, Halt, ModuleError};
use modkeep_resolver::known::{Need, Revision};
use modkeep_resolver::main_modules::MainModule;
use modkeep_resolver::node::Node;
use modkeep_resolver::query::{Allowed, Query};
use modkeep_resolver::world::{LocalGo, Mode, World};

#[derive(Debug, Default)]
struct Row {
    path: String,
    query: String,
    current: String,
    allow: String,
    version: String,
    error: String,
}

/// The repository: its tags, and the rows that say what revisions are.
struct Source {
    tags: Vec<String>,
    rows: Vec<Row>,
}

#[test]
fn every_row_of_gos_query_table_has_gos_answer() {
    let go = match Go::specification() {
        Ok(go) => go,
        Err(missing) => return skip("every_row_of_gos_query_table_has_gos_answer", &missing),
    };
    let read = |name: &str| std::fs::read_to_string(go.root().join(name)).expect("Go has its sources");
    let table = read("src/cmd/go/internal/modload/query_test.go");
    let script = read("src/cmd/go/testdata/vcstest/git/querytest.txt");
    let tag = |line: &str| Some(line.strip_prefix("git tag ")?.trim_matches('\'').to_owned());
    let source = Source {
        tags: script.lines().filter_map(tag).collect(),
        rows: table.lines().filter_map(|line| row(&table, line)).collect(),
    };
    let mut answered = 0;
    for row in &source.rows {
        // A source refuses a commit of another major version; a resolver never hears of it.
        let is_of_source = row.error.contains("go.mod has non-");
        // Nobody but that test disallows versions by a pattern.
        let is_disallowed = row.error.contains("disallowed module version");
        if is_of_source || is_disallowed {
            continue;
        }
        let want = if row.error.is_empty() { &row.version } else { &row.error };
        assert_eq!(answer(&source, row), *want, "{row:?}");
        answered += 1;
    }
    println!("{answered} of {} rows answered as Go does", source.rows.len());
    assert!(answered > 50, "only {answered} rows were found in the table");
}

/// `{path: queryRepo, query: "<v0.0.0", vers: "v0.0.0-pre1"},`
fn row(table: &str, line: &str) -> Option<Row> {
    let fields = line.trim().strip_prefix("{path: ")?.strip_suffix("},")?;
    let (name, fields) = fields.split_once(", ")?;
    let quoted = |name: &str| {
        let (_, rest) = fields.split_once(&format!("{name}: "))?;
        let quote = rest.chars().next()?;
        rest[1..].split(quote).next().map(str::to_owned)
    };
    let base = table.split("queryRepo   = \"").nth(1)?.split('"').next()?;
    let empty = table.split("emptyRepoPath = \"").nth(1)?.split('"').next()?;
    let path = match name {
        "queryRepo" => base.to_owned(),
        "queryRepoV2" => format!("{base}/v2"),
        "queryRepoV3" => format!("{base}/v3"),
        _ => empty.to_owned(),
    };
    let field = |name: &str| quoted(name).unwrap_or_default();
    Some(Row {
        path,
        query: field("query"),
        current: field("current"),
        allow: field("allow"),
        version: field("vers"),
        error: field("err"),
    })
}

impl Source {
    fn versions(&self, path: &str) -> Vec<String> {
        let majors: &[&str] = match path {
            path if path.ends_with("/v2") => &["v2."],
            path if path.ends_with("querytest.git") => &["v0.", "v1."],
            _ => &[],
        };
        let is_listed = |tag: &&String| {
            let is_canonical = version::canonical_version(tag).as_deref() == Some(tag);
            is_canonical && majors.iter().any(|major| tag.starts_with(major))
        };
        self.tags.iter().filter(is_listed).cloned().collect()
    }

    fn revision(&self, path: &str, revision: &str) -> Result<Revision, ModuleError> {
        let time = |version: &str| match pseudo::pseudo_version_time(version) {
            Ok(time) => format!("{time}Z"),
            Err(_) => "2018-07-04T02:40:00Z".to_owned(),
        };
        let known = |version: &str| Revision { version: version.to_owned(), time: Some(time(version)) };
        if self.versions(path).iter().any(|version| version == revision)
            || pseudo::is_pseudo_version(revision)
        {
            return Ok(known(revision));
        }
        let row = self.rows.iter().find(|row| row.path == path && row.query == revision);
        match row.filter(|row| {
            !row.version.is_empty() && version::canonical_version(&row.query).as_deref() != Some(&row.version)
        }) {
            Some(row) => Ok(known(&row.version)),
            None => Err(ModuleError {
                module: Some(Node::new(path, revision)),
                invalid: Some("version"),
                text: format!("unknown revision {revision}"),
                kind: Fault::NotExist,
            }),
        }
    }

    fn latest(&self, path: &str) -> Result<Revision, ModuleError> {
        let row = self.rows.iter().find(|row| row.path == path && row.query == "latest");
        match row.filter(|row| pseudo::is_pseudo_version(&row.version)) {
            Some(row) => Ok(Revision { version: row.version.clone(), time: None }),
            None => Err(ModuleError::of_source(Node::new(path, ""), "no commits", Fault::NotExist)),
        }
    }
}

fn answer(source: &Source, row: &Row) -> String {
    let mut text = "module ex.com/m\n".to_owned();
    if row.allow == "NOMATCH" {
        let excludes = source.versions(&row.path);
        text.extend(excludes.iter().map(|version| format!("exclude {} {version}\n", row.path)));
    }
    let file = GoMod::parse("go.mod", text.as_bytes()).expect("a go.mod");
    let main = MainModule { file, was_fixed: false, directory: "/m".to_owned(), shown: ".".to_owned() };
    let local = LocalGo { version: "1.27.3".to_owned(), explain: String::new() };
    let mut world = World::new(vec![main], None, Mode::Mod, local).expect("one main module");
    let Row { path, query, current, .. } = row;
    let query = Query { path, query, current, allowed: Allowed::NotExcluded };
    loop {
        let needs = match world.attempt(|world| world.query(&query)) {
            Ok(revision) => return revision.version.clone(),
            Err(Halt::Error(error)) => return error.to_string(),
            Err(Halt::Need(needs)) => needs,
        };
        for need in needs {
            match need {
                Need::Versions(path) => world.known.tell_versions(&path, Ok(source.versions(&path))),
                Need::Revision { path, revision } => {
                    let answer = source.revision(&path, &revision);
                    world.known.tell_revision(&path, &revision, answer);
                }
                Need::Latest(path) => world.known.tell_latest(&path, source.latest(&path)),
                other => panic!("queries of that table need no {other:?}"),
            }
        }
    }
}
