//! What is told of a module: as JSON, as text, and to templates (`cmd/go/internal/modinfo/info.go`).

use std::fmt;
use std::rc::Rc;

use modkeep_module::info::Origin;
use serde::Serialize;

use crate::session::OriginDocument;
use crate::template::{Record, Value};

const TYPE: &str = "*modinfo.ModulePublic";

/// A module, in the order of go's fields.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ModulePublic {
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) path: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) version: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) query: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) versions: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) replace: Option<Box<Self>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) time: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) update: Option<Box<Self>>,
    #[serde(skip_serializing_if = "is_false")]
    pub(crate) main: bool,
    #[serde(skip_serializing_if = "is_false")]
    pub(crate) indirect: bool,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) dir: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) go_mod: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) go_version: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) retracted: Vec<String>,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) deprecated: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) error: Option<ModuleFault>,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) sum: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) go_mod_sum: String,
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "origin")]
    pub(crate) origin: Option<Origin>,
    /// Newer major versions, oldest first; no field of go's.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) majors: Vec<Self>,
}

/// Why a module can't be told of.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ModuleFault {
    pub(crate) err: String,
}

fn is_false(value: &bool) -> bool {
    !value
}

fn origin<S: serde::Serializer>(origin: &Option<Origin>, serializer: S) -> Result<S::Ok, S::Error> {
    origin.as_ref().map(OriginDocument::of).serialize(serializer)
}

impl ModulePublic {
    /// Sets the error, unless there is one.
    pub(crate) fn blame(&mut self, error: impl ToString) {
        self.error.get_or_insert_with(|| ModuleFault { err: error.to_string() });
    }

    /// With nothing but the named fields; `all` for all.
    pub(crate) fn with_fields(&self, fields: &str) -> Self {
        let names: Vec<&str> = fields.split(',').collect();
        let has = |name: &str| names.contains(&name) || names.contains(&"all");
        let mut module = self.clone();
        let clear = |name: &str, text: &mut String| {
            if !has(name) {
                text.clear();
            }
        };
        clear("Path", &mut module.path);
        clear("Version", &mut module.version);
        clear("Query", &mut module.query);
        clear("Dir", &mut module.dir);
        clear("GoMod", &mut module.go_mod);
        clear("GoVersion", &mut module.go_version);
        clear("Deprecated", &mut module.deprecated);
        clear("Sum", &mut module.sum);
        clear("GoModSum", &mut module.go_mod_sum);
        module.versions.retain(|_| has("Versions"));
        module.retracted.retain(|_| has("Retracted"));
        module.majors.retain(|_| has("Majors"));
        module.replace = module.replace.filter(|_| has("Replace"));
        module.time = module.time.filter(|_| has("Time"));
        module.update = module.update.filter(|_| has("Update"));
        module.error = module.error.filter(|_| has("Error"));
        module.origin = module.origin.filter(|_| has("Origin"));
        module.main &= has("Main");
        module.indirect &= has("Indirect");
        module
    }

    /// What a template sees.
    pub(crate) fn value(&self) -> Value {
        let text = |text: &String| Value::Text(text.clone());
        let list = |list: &[String]| Value::List(list.iter().cloned().map(Value::Text).collect());
        let module = |module: &Option<Box<Self>>| module.as_ref().map_or(Value::Nil(TYPE), |m| m.value());
        let fields = vec![
            ("Path", text(&self.path)),
            ("Version", text(&self.version)),
            ("Query", text(&self.query)),
            ("Versions", list(&self.versions)),
            ("Replace", module(&self.replace)),
            ("Time", self.time.clone().map_or(Value::Nil("*time.Time"), Value::Time)),
            ("Update", module(&self.update)),
            ("Main", Value::Bool(self.main)),
            ("Indirect", Value::Bool(self.indirect)),
            ("Dir", text(&self.dir)),
            ("GoMod", text(&self.go_mod)),
            ("GoVersion", text(&self.go_version)),
            ("Retracted", list(&self.retracted)),
            ("Deprecated", text(&self.deprecated)),
            ("Error", self.error.as_ref().map_or(Value::Nil("*modinfo.ModuleError"), fault_value)),
            ("Sum", text(&self.sum)),
            ("GoModSum", text(&self.go_mod_sum)),
            ("Origin", self.origin.as_ref().map_or(Value::Nil("*codehost.Origin"), origin_value)),
            ("Reuse", Value::Bool(false)),
            ("Majors", Value::List(self.majors.iter().map(Self::value).collect())),
        ];
        Value::Record(Rc::new(Record { kind: TYPE, fields, shown: self.to_string(), has_string: true }))
    }
}

fn fault_value(fault: &ModuleFault) -> Value {
    Value::Record(Rc::new(Record {
        kind: "*modinfo.ModuleError",
        fields: vec![("Err", Value::Text(fault.err.clone()))],
        shown: format!("&{{{}}}", fault.err),
        has_string: false,
    }))
}

fn origin_value(origin: &Origin) -> Value {
    let fields = [
        ("VCS", &origin.vcs),
        ("URL", &origin.url),
        ("Subdir", &origin.subdir),
        ("Hash", &origin.hash),
        ("TagPrefix", &origin.tag_prefix),
        ("TagSum", &origin.tag_sum),
        ("Ref", &origin.reference),
        ("RepoSum", &origin.repo_sum),
    ];
    let shown: Vec<&str> = fields.iter().map(|(_, text)| text.as_str()).collect();
    Value::Record(Rc::new(Record {
        kind: "*codehost.Origin",
        shown: format!("&{{{}}}", shown.join(" ")),
        fields: fields.iter().map(|(name, text)| (*name, Value::Text((*text).clone()))).collect(),
        has_string: false,
    }))
}

/// One line: the module, its update, its newest major version, what is said of it, its replacement.
impl fmt::Display for ModulePublic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.path)?;
        if !self.version.is_empty() {
            self.show_version(f)?;
        }
        if let Some(newest) = self.majors.last() {
            write!(f, " [{} {}]", newest.path, newest.version)?;
        }
        if !self.deprecated.is_empty() {
            f.write_str(" (deprecated)")?;
        }
        let Some(replace) = &self.replace else { return Ok(()) };
        write!(f, " => {}", replace.path)?;
        if !replace.version.is_empty() {
            replace.show_version(f)?;
        }
        if replace.deprecated.is_empty() { Ok(()) } else { f.write_str(" (deprecated)") }
    }
}

impl ModulePublic {
    fn show_version(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mark = |module: &Self| if module.retracted.is_empty() { "" } else { " (retracted)" };
        write!(f, " {}{}", self.version, mark(self))?;
        match &self.update {
            Some(update) => write!(f, " [{}{}]", update.version, mark(update)),
            None => Ok(()),
        }
    }
}
