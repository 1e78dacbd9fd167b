//! Running a template on a value.

use std::rc::Rc;

use modkeep_module::quote::quote;

use super::functions;
use super::parse::{Base, Node, Operand, Pipeline, Template, shown};
use super::value::{Record, Value, format_time};

/// What a block asks of the loop around it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flow {
    On,
    Break,
    Continue,
}

struct Run<'a> {
    template: &'a Template,
    output: String,
    variables: Vec<(String, Value)>,
    /// How many templates call each other.
    calls: usize,
}

/// How deep templates may call each other.
const MOST_CALLS: usize = 1000;

impl Template {
    /// The text that a value gives; with the error, as far as it was made, in the words of `text/template`.
    pub(crate) fn run(&self, value: &Value) -> (String, Result<(), String>) {
        let variables = vec![(String::new(), value.clone())];
        let mut run = Run { template: self, output: String::new(), variables, calls: 0 };
        let done = run.block(&self.nodes, value).map(|_| ());
        (run.output, done)
    }
}

impl Run<'_> {
    fn block(&mut self, nodes: &[Node], dot: &Value) -> Result<Flow, String> {
        let depth = self.variables.len();
        for node in nodes {
            let flow = self.node(node, dot)?;
            if flow != Flow::On {
                self.variables.truncate(depth);
                return Ok(flow);
            }
        }
        self.variables.truncate(depth);
        Ok(Flow::On)
    }

    fn node(&mut self, node: &Node, dot: &Value) -> Result<Flow, String> {
        match node {
            Node::Text(text) => self.output.push_str(text),
            Node::Print(pipeline) => {
                let value = self.pipeline(pipeline, dot)?;
                if pipeline.variables.is_empty() {
                    self.output.push_str(&value.to_string());
                } else {
                    self.assign(pipeline, value);
                }
            }
            Node::If(condition, body, otherwise) | Node::With(condition, body, otherwise) => {
                let depth = self.variables.len();
                let value = self.pipeline(condition, dot)?;
                self.assign(condition, value.clone());
                let is_with = matches!(node, Node::With(..));
                let flow = match value.is_true() {
                    true if is_with => self.block(body, &value)?,
                    true => self.block(body, dot)?,
                    false => self.block(otherwise, dot)?,
                };
                self.variables.truncate(depth);
                return Ok(flow);
            }
            Node::Range(pipeline, body, otherwise) => return self.range(pipeline, body, otherwise, dot),
            Node::Call(name, value, place) => {
                let value = match value {
                    Some(pipeline) => self.pipeline(pipeline, dot)?,
                    None => Value::Nil("nil"),
                };
                let Some(nodes) = self.template.defined.get(name) else {
                    let quoted = quote(name);
                    let shown = format!("{{{{template {quoted}}}}}");
                    return Err(self.fail(*place, &shown, &format!("template {quoted} not defined")));
                };
                if self.calls == MOST_CALLS {
                    let problem = format!("exceeded maximum template depth ({MOST_CALLS})");
                    return Err(self.fail(*place, &format!("{{{{template {}}}}}", quote(name)), &problem));
                }
                // It sees none of the variables around.
                let variables = std::mem::replace(&mut self.variables, vec![(String::new(), value.clone())]);
                self.calls += 1;
                let done = self.block(nodes, &value);
                self.calls -= 1;
                self.variables = variables;
                done?;
            }
            Node::Break => return Ok(Flow::Break),
            Node::Continue => return Ok(Flow::Continue),
        }
        Ok(Flow::On)
    }

    fn range(
        &mut self,
        pipeline: &Pipeline,
        body: &[Node],
        otherwise: &[Node],
        dot: &Value,
    ) -> Result<Flow, String> {
        let value = self.pipeline(pipeline, dot)?;
        let items = match value {
            Value::List(items) => items,
            Value::Map(map) => {
                let (keys, values): (Vec<_>, Vec<_>) = map.into_iter().unzip();
                return self.range_over(pipeline, body, otherwise, dot, (texts(keys), texts(values)));
            }
            Value::Int(count) => (0..count).map(Value::Int).collect(),
            Value::Nil(_) => Vec::new(),
            other => {
                return Err(self.fail(pipeline.place, "range", &format!("range can't iterate over {other}")));
            }
        };
        let numbers = (0..items.len()).map(|index| Value::Int(i64::try_from(index).unwrap_or(i64::MAX)));
        let numbers = numbers.collect();
        self.range_over(pipeline, body, otherwise, dot, (numbers, items))
    }

    fn range_over(
        &mut self,
        pipeline: &Pipeline,
        body: &[Node],
        otherwise: &[Node],
        dot: &Value,
        (keys, items): (Vec<Value>, Vec<Value>),
    ) -> Result<Flow, String> {
        if items.is_empty() {
            return self.block(otherwise, dot);
        }
        for (key, item) in keys.into_iter().zip(items) {
            let depth = self.variables.len();
            match &pipeline.variables[..] {
                [] => {}
                [one] => self.variables.push((one.clone(), item.clone())),
                [number, one, ..] => {
                    self.variables.push((number.clone(), key));
                    self.variables.push((one.clone(), item.clone()));
                }
            }
            let flow = self.block(body, &item)?;
            self.variables.truncate(depth);
            if flow == Flow::Break {
                break;
            }
        }
        Ok(Flow::On)
    }

    fn assign(&mut self, pipeline: &Pipeline, value: Value) {
        for name in &pipeline.variables {
            match self.variables.iter_mut().rev().find(|(other, _)| other == name) {
                Some((_, old)) if !pipeline.declares => *old = value.clone(),
                _ => self.variables.push((name.clone(), value.clone())),
            }
        }
    }

    fn pipeline(&mut self, pipeline: &Pipeline, dot: &Value) -> Result<Value, String> {
        let mut piped = None;
        for command in &pipeline.commands {
            piped = Some(self.command(command, piped, dot, pipeline.place)?);
        }
        piped.ok_or_else(|| self.fail(pipeline.place, "", "missing value for command"))
    }

    fn command(
        &mut self,
        command: &[Operand],
        piped: Option<Value>,
        dot: &Value,
        place: usize,
    ) -> Result<Value, String> {
        let (first, rest) = command.split_first().ok_or("missing value for command")?;
        if let Base::Function(name) = &first.base
            && name != "context"
        {
            let mut arguments = Vec::new();
            for operand in rest {
                let value = self.value(operand, dot, place)?;
                let is_settled = match name.as_str() {
                    "and" => !value.is_true(),
                    "or" => value.is_true(),
                    _ => false,
                };
                arguments.push(value);
                if is_settled {
                    break;
                }
            }
            arguments.extend(piped);
            let done = match (name.as_str(), arguments.as_slice()) {
                ("module", [Value::Text(path)]) => Ok(self.module(path)),
                // There are no functions among these values.
                ("call", [other, ..]) => {
                    let shown = rest.first().map_or_else(|| "pipeline".to_owned(), ToString::to_string);
                    Err(format!("non-function {shown} of type {}", other.kind()))
                }
                _ => functions::call(name, &arguments),
            };
            return done.map_err(|problem| {
                self.fail(place, &shown(command), &format!("error calling {name}: {problem}"))
            });
        }
        let mut arguments = Vec::new();
        for operand in rest {
            arguments.push(self.value(operand, dot, place)?);
        }
        arguments.extend(piped);
        self.method(first, dot, place, &arguments)
    }

    fn value(&mut self, operand: &Operand, dot: &Value, place: usize) -> Result<Value, String> {
        self.method(operand, dot, place, &[])
    }

    /// The value of an operand; its last field may be a method, which gets the arguments.
    fn method(
        &mut self,
        operand: &Operand,
        dot: &Value,
        place: usize,
        arguments: &[Value],
    ) -> Result<Value, String> {
        let mut value = match &operand.base {
            Base::Dot => dot.clone(),
            Base::Variable(name) => {
                let found = self.variables.iter().rev().find(|(other, _)| other == name);
                match found {
                    Some((_, value)) => value.clone(),
                    None => return Err(format!("template: main:1: undefined variable \"${name}\"")),
                }
            }
            Base::Function(name) if name == "context" => self.template.context.clone(),
            Base::Function(name) => functions::call(name, &[])
                .map_err(|problem| self.fail(place, name, &format!("error calling {name}: {problem}")))?,
            Base::Text(text) => Value::Text(text.clone()),
            Base::Number(number) => Value::Int(*number),
            Base::Bool(value) => Value::Bool(*value),
            Base::Nil => Value::Nil("nil"),
            Base::Nested(pipeline) => self.pipeline(pipeline, dot)?,
        };
        let mut chain = String::new();
        for (index, name) in operand.fields.iter().enumerate() {
            chain.push_str(&format!(".{name}"));
            let arguments = if index + 1 == operand.fields.len() { arguments } else { &[] };
            value = field(&value, name, arguments).map_err(|problem| {
                let of_function = matches!(operand.base, Base::Function(_));
                let shown = if of_function { "context" } else { chain.as_str() };
                self.fail(place, shown, &problem)
            })?;
        }
        if operand.fields.is_empty() && !arguments.is_empty() {
            return Err(self.fail(place, &value.to_string(), "can't give argument to non-function"));
        }
        Ok(value)
    }

    /// A module of the build list; another is told not to be one.
    fn module(&self, path: &str) -> Value {
        self.template.modules.get(path).cloned().unwrap_or_else(|| {
            let error = "module not in current build";
            let error = Record {
                kind: "*modinfo.ModuleError",
                fields: vec![("Err", Value::Text(error.to_owned()))],
                shown: format!("&{{{error}}}"),
                has_string: false,
            };
            Value::Record(Rc::new(Record {
                kind: "*modinfo.ModulePublic",
                fields: vec![
                    ("Path", Value::Text(path.to_owned())),
                    ("Error", Value::Record(Rc::new(error))),
                ],
                shown: path.to_owned(),
                has_string: true,
            }))
        })
    }

    fn fail(&self, place: usize, what: &str, problem: &str) -> String {
        let before = &self.template.text[..place];
        let line = before.matches('\n').count() + 1;
        let column = place - before.rfind('\n').map_or(0, |at| at + 1) + 2;
        format!("template: main:{line}:{column}: executing \"main\" at <{what}>: {problem}")
    }
}

fn texts(texts: Vec<String>) -> Vec<Value> {
    texts.into_iter().map(Value::Text).collect()
}

fn field(value: &Value, name: &str, arguments: &[Value]) -> Result<Value, String> {
    match value {
        Value::Record(record) => {
            if let Some((_, value)) = record.fields.iter().find(|(other, _)| *other == name) {
                return Ok(value.clone());
            }
            if name == "String" && record.has_string {
                return Ok(Value::Text(record.shown.clone()));
            }
        }
        Value::Time(time) => match (name, arguments) {
            ("Format", [Value::Text(layout)]) => return Ok(Value::Text(format_time(time, layout))),
            ("String", []) => return Ok(Value::Text(value.to_string())),
            ("Year", []) => return Ok(Value::Int(time[..4].parse().unwrap_or_default())),
            ("IsZero", []) => return Ok(Value::Bool(time.starts_with("0001-01-01T00:00:00"))),
            _ => {}
        },
        Value::Nil(kind) => return Err(format!("nil pointer evaluating {kind}.{name}")),
        _ => {}
    }
    Err(format!("can't evaluate field {name} in type {}", value.kind()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn module() -> Value {
        let error = Record {
            kind: "*modinfo.ModuleError",
            fields: vec![("Err", Value::Text("gone".into()))],
            shown: "&{gone}".into(),
            has_string: false,
        };
        let versions = ["v1.0.0", "v1.1.0"].map(|version| Value::Text(version.into()));
        let record = Record {
            kind: "*modinfo.ModulePublic",
            fields: vec![
                ("Path", Value::Text("rsc.io/quote".into())),
                ("Versions", Value::List(versions.into())),
                ("Main", Value::Bool(false)),
                ("Replace", Value::Nil("*modinfo.ModulePublic")),
                ("Time", Value::Time("2018-02-14T15:44:20Z".into())),
                ("Error", Value::Record(Rc::new(error))),
            ],
            shown: "rsc.io/quote v1.1.0".into(),
            has_string: true,
        };
        Value::Record(Rc::new(record))
    }

    #[test]
    fn templates_give_what_go_gives() {
        for (template, want) in [
            ("{{.}} {{.String}}", "rsc.io/quote v1.1.0 rsc.io/quote v1.1.0"),
            ("{{.Path}}{{range .Versions}} {{.}}{{end}}", "rsc.io/quote v1.0.0 v1.1.0"),
            ("{{range $i, $v := .Versions}}{{if $i}}, {{end}}{{$v}}{{end}}", "v1.0.0, v1.1.0"),
            (
                "{{if .Main}}main{{else if .Replace}}replaced{{else}}{{with .Error}}{{.Err}}{{end}}{{end}}",
                "gone",
            ),
            ("{{with .Replace}}x{{else}}none{{end}} {{.Replace}}", "none <nil>"),
            ("{{with $p := .Path}}{{$p | printf \"%q\"}} {{$.Main}}{{end}}", "\"rsc.io/quote\" false"),
            ("{{join .Versions \", \"}} {{len .Versions}} {{index .Versions 1}}", "v1.0.0, v1.1.0 2 v1.1.0"),
            ("{{.Time.Format \"2006-01-02\"}}", "2018-02-14"),
            ("a {{- /* c */ -}} b{{\"\\n\"}}", "ab\n"),
            (
                "{{eq .Path \"rsc.io/quote\"}} {{and .Main .Path}} {{or .Main .Path}} {{not .Main}}",
                "true false rsc.io/quote true",
            ),
            ("{{printf \"%-5s|%3d|%v\" \"ab\" 7 .Main}} {{print 1 2 \"x\"}}", "ab   |  7|false 1 2x"),
            ("{{range .Versions}}{{if eq . \"v1.1.0\"}}{{break}}{{end}}{{.}}{{end}}", "v1.0.0"),
            ("{{(index .Versions 0) | len}} {{slice .Path 0 3}}", "6 rsc"),
            (
                "{{define \"a\"}}<{{.}}>{{end}}{{template \"a\" .Path}}{{block \"b\" .Main}}{{.}}{{end}}",
                "<rsc.io/quote>false",
            ),
            (
                "{{html \"<&\"}} {{js \"a'<\"}} {{urlquery \"a b/ä\"}} {{printf \"%T\" .Main}}",
                "&lt;&amp; a\\'\\u003C a+b%2F%C3%A4 bool",
            ),
            ("{{'a'}} {{'\\''}} {{'\"'}} {{0x1F}} {{1_0}} {{-07}}", "97 39 34 31 10 -7"),
            ("{{module \"x\"}}{{with module \"x\"}} {{.Error.Err}}{{end}}", "x module not in current build"),
        ] {
            let (text, done) = Template::parse(template).unwrap().run(&module());
            assert_eq!((text.as_str(), done), (want, Ok(())), "{template}");
        }
    }

    #[test]
    fn mistakes_are_told_in_gos_words() {
        for (template, want) in [
            (
                "{{.Nope}}",
                "template: main:1:2: executing \"main\" at <.Nope>: can't evaluate field Nope in type *modinfo.ModulePublic",
            ),
            (
                "{{.Replace.Path}}",
                "template: main:1:2: executing \"main\" at <.Replace.Path>: nil pointer evaluating *modinfo.ModulePublic.Path",
            ),
            ("{{nope}}", "template: main:1: function \"nope\" not defined"),
            ("{{if .Path}}", "template: main:1: unexpected EOF"),
            ("{{end}}", "template: main:1: unexpected {{end}}"),
            ("{{if}}{{end}}", "template: main:1: missing value for if"),
            ("{{break}}", "template: main:1: {{break}} outside {{range}}"),
            ("{{define \"a\"}}", "template: main:1: unexpected EOF"),
            (
                "{{template \"a\"}}",
                "template: main:1:11: executing \"main\" at <{{template \"a\"}}>: template \"a\" not defined",
            ),
            (
                "{{index .Versions 9}}",
                "template: main:1:2: executing \"main\" at <index .Versions 9>: error calling index: index out of range: 9",
            ),
            (
                "{{call .Path}}",
                "template: main:1:2: executing \"main\" at <call .Path>: error calling call: non-function .Path of type string",
            ),
        ] {
            let error = match Template::parse(template) {
                Ok(template) => template.run(&module()).1.unwrap_err(),
                Err(error) => error,
            };
            assert_eq!(error, want, "{template}");
        }
    }
}
