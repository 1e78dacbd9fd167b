//! `work edit -json`: the file as JSON, in go's order and names.

use modkeep_module::gowork::GoWork;
use serde::Serialize;

use crate::gojson::{self, List, Replacement};
use crate::report::Failure;

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct File<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    go: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    toolchain: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    godebug: Vec<Setting<'a>>,
    #[serde(skip_serializing_if = "List::is_left_out")]
    r#use: List<Use<'a>>,
    #[serde(skip_serializing_if = "List::is_left_out")]
    replace: List<Replacement<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Setting<'a> {
    key: &'a str,
    value: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Use<'a> {
    disk_path: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    mod_path: &'a str,
}

/// The text; releases before 1.27 know neither toolchain nor godebug here, and show empty lists as `null`.
pub(super) fn text(file: &GoWork, is_before_127: bool) -> Result<String, Failure> {
    let settings = file.godebugs().iter().map(|line| Setting { key: &line.key, value: &line.value });
    let uses = file.uses().iter().map(|line| Use { disk_path: &line.path, mod_path: &line.module_path });
    let toolchain = file.toolchain().map(|toolchain| toolchain.name.as_str());
    gojson::indented(&File {
        go: file.go().map(|go| go.version.as_str()),
        toolchain: toolchain.filter(|_| !is_before_127),
        godebug: settings.filter(|_| !is_before_127).collect(),
        r#use: List::of(uses, is_before_127),
        replace: List::of(file.replaces().iter().map(|line| Replacement::of(line)), is_before_127),
    })
}
