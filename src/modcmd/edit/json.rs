//! `mod edit -json`: the file as JSON, in go's order and names.

use modkeep_module::gomod::GoMod;
use serde::Serialize;

use crate::gojson::{self, List};
use crate::report::Failure;

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct File<'a> {
    module: Module<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    go: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    toolchain: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    go_debug: Vec<Setting<'a>>,
    #[serde(skip_serializing_if = "List::is_left_out")]
    require: List<Require<'a>>,
    #[serde(skip_serializing_if = "List::is_left_out")]
    exclude: List<gojson::PathVersion<'a>>,
    #[serde(skip_serializing_if = "List::is_left_out")]
    replace: List<gojson::Replacement<'a>>,
    #[serde(skip_serializing_if = "List::is_left_out")]
    retract: List<Retract<'a>>,
    #[serde(skip_serializing_if = "List::is_left_out")]
    tool: List<Path<'a>>,
    #[serde(skip_serializing_if = "List::is_left_out")]
    ignore: List<Path<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Module<'a> {
    path: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    deprecated: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Setting<'a> {
    key: &'a str,
    value: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Require<'a> {
    path: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    version: &'a str,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    indirect: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Retract<'a> {
    #[serde(skip_serializing_if = "str::is_empty")]
    low: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    high: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    rationale: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Path<'a> {
    path: &'a str,
}

/// The text; releases before 1.27 show empty lists as `null`.
pub(super) fn text(file: &GoMod, shows_empty: bool) -> Result<String, Failure> {
    let json = File {
        module: Module {
            path: file.module().map_or("", |module| &module.path),
            deprecated: file.module().map_or("", |module| &module.deprecated),
        },
        go: file.go().map(|go| go.version.as_str()),
        toolchain: file.toolchain().map(|toolchain| toolchain.name.as_str()),
        go_debug: file.godebugs().iter().map(|line| Setting { key: &line.key, value: &line.value }).collect(),
        require: List::of(
            file.requires().iter().map(|line| Require {
                path: &line.path,
                version: &line.version,
                indirect: line.indirect,
            }),
            shows_empty,
        ),
        exclude: List::of(
            file.excludes()
                .iter()
                .map(|line| gojson::PathVersion { path: &line.path, version: &line.version }),
            shows_empty,
        ),
        replace: List::of(file.replaces().iter().map(|line| gojson::Replacement::of(line)), shows_empty),
        retract: List::of(
            file.retracts().iter().map(|line| Retract {
                low: &line.interval.low,
                high: &line.interval.high,
                rationale: &line.rationale,
            }),
            shows_empty,
        ),
        tool: List::of(file.tools().iter().map(|line| Path { path: &line.path }), shows_empty),
        ignore: List::of(file.ignores().iter().map(|line| Path { path: &line.path }), shows_empty),
    };
    gojson::indented(&json)
}
