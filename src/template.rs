//! Go's text templates, as far as `-f` of go verbs needs them: fields, pipelines, `if`, `with`, `range`, templates in
//! templates, variables and the functions of the language.
//!
//! Source of the rules: `text/template` (`parse/lex.go`, `parse/parse.go`, `exec.go`, `funcs.go`). Not here: numbers that
//! are no integers, for no field holds one.

mod escape;
mod functions;
mod lex;
mod parse;
mod printf;
mod run;
mod value;

pub(crate) use parse::Template;
pub(crate) use value::{Record, Value};
