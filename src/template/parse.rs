//! The tree of a template.

use std::collections::HashMap;
use std::fmt;

use modkeep_module::quote::quote;

use super::lex::{Piece, Word, pieces};
use super::value::Value;

/// A template that can be run.
#[derive(Debug)]
pub(crate) struct Template {
    pub(super) text: String,
    pub(super) nodes: Vec<Node>,
    /// Those that it defines, by name.
    pub(super) defined: HashMap<String, Vec<Node>>,
    /// What the function `context` gives.
    pub(super) context: Value,
    /// What the function `module` gives, by path.
    pub(super) modules: HashMap<String, Value>,
}

/// A part of a template.
#[derive(Debug)]
pub(super) enum Node {
    Text(String),
    /// A value to be printed; not if it goes into a variable.
    Print(Pipeline),
    If(Pipeline, Vec<Node>, Vec<Node>),
    With(Pipeline, Vec<Node>, Vec<Node>),
    Range(Pipeline, Vec<Node>, Vec<Node>),
    /// Another template, on a value if one is given.
    Call(String, Option<Pipeline>, usize),
    Break,
    Continue,
}

/// Commands, each of which gets what the one before gave.
#[derive(Debug)]
pub(super) struct Pipeline {
    /// The variables that get the value.
    pub(super) variables: Vec<String>,
    /// Whether they are declared here.
    pub(super) declares: bool,
    pub(super) commands: Vec<Vec<Operand>>,
    /// Where the action stands.
    pub(super) place: usize,
}

/// A word of a command with the fields asked of it.
#[derive(Debug)]
pub(super) struct Operand {
    pub(super) base: Base,
    pub(super) fields: Vec<String>,
}

/// What an operand begins with.
#[derive(Debug)]
pub(super) enum Base {
    Dot,
    Variable(String),
    Function(String),
    Text(String),
    Number(i64),
    Bool(bool),
    Nil,
    Nested(Pipeline),
}

/// As errors show it.
impl fmt::Display for Operand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.base {
            Base::Dot if self.fields.is_empty() => f.write_str(".")?,
            Base::Dot => {}
            Base::Variable(name) => write!(f, "${name}")?,
            Base::Function(name) => f.write_str(name)?,
            Base::Text(text) => f.write_str(&quote(text))?,
            Base::Number(number) => write!(f, "{number}")?,
            Base::Bool(value) => write!(f, "{value}")?,
            Base::Nil => f.write_str("nil")?,
            Base::Nested(pipeline) => {
                let commands: Vec<String> = pipeline.commands.iter().map(|command| shown(command)).collect();
                write!(f, "({})", commands.join(" | "))?;
            }
        }
        self.fields.iter().try_for_each(|field| write!(f, ".{field}"))
    }
}

/// A command as errors show it.
pub(super) fn shown(command: &[Operand]) -> String {
    command.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
}

impl Template {
    /// Reads a template; the error is in the words of `text/template`.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let fail = |problem: String| format!("template: main:1: {problem}");
        let pieces = pieces(text).map_err(fail)?;
        let mut parser = Parser { pieces: pieces.into_iter(), defined: HashMap::new(), ranges: 0 };
        let (nodes, end) = parser.block().map_err(fail)?;
        let (defined, modules) = (parser.defined, HashMap::new());
        let context = Value::Nil("*list.Context");
        match end {
            End::Template => Ok(Self { text: text.to_owned(), nodes, defined, context, modules }),
            End::Keyword => Err(fail("unexpected {{end}}".to_owned())),
            End::Else(_) => Err(fail("unexpected {{else}}".to_owned())),
        }
    }
}

impl Template {
    /// The same with what the function `context` gives.
    pub(crate) fn with_context(self, context: Value) -> Self {
        Self { context, ..self }
    }

    /// The same with what the function `module` gives.
    pub(crate) fn with_modules(self, modules: HashMap<String, Value>) -> Self {
        Self { modules, ..self }
    }
}

struct Parser {
    pieces: std::vec::IntoIter<Piece>,
    defined: HashMap<String, Vec<Node>>,
    /// How many ranges are open.
    ranges: usize,
}

/// What ended a block.
enum End {
    Template,
    Keyword,
    /// With what stands behind `else`.
    Else(Option<(String, Vec<Word>, usize)>),
}

impl Parser {
    fn block(&mut self) -> Result<(Vec<Node>, End), String> {
        let mut nodes = Vec::new();
        while let Some(piece) = self.pieces.next() {
            let (words, place) = match piece {
                Piece::Text(text) => {
                    nodes.push(Node::Text(text));
                    continue;
                }
                Piece::Action(words, place) => (trim(words), place),
            };
            let keyword = match words.first() {
                Some(Word::Name(name)) => name.clone(),
                _ => String::new(),
            };
            let rest = || trim(words[1..].to_vec());
            match keyword.as_str() {
                "if" | "with" | "range" => nodes.push(self.control(&keyword, rest(), place)?),
                "end" => return Ok((nodes, End::Keyword)),
                "else" => {
                    let rest = rest();
                    let chained = match rest.first() {
                        Some(Word::Name(name)) => Some((name.clone(), trim(rest[1..].to_vec()), place)),
                        _ => None,
                    };
                    return Ok((nodes, End::Else(chained)));
                }
                "break" | "continue" if self.ranges == 0 => {
                    return Err(format!("{{{{{keyword}}}}} outside {{{{range}}}}"));
                }
                "break" => nodes.push(Node::Break),
                "continue" => nodes.push(Node::Continue),
                "define" | "block" => {
                    let (name, value) = named(&keyword, rest(), place)?;
                    let ranges = std::mem::take(&mut self.ranges);
                    let (body, end) = self.block()?;
                    self.ranges = ranges;
                    match (end, keyword == "block", &value) {
                        (End::Template, ..) => return Err("unexpected EOF".to_owned()),
                        (End::Else(_), ..) => {
                            return Err(format!("unexpected {{{{else}}}} in {keyword} clause"));
                        }
                        (_, true, None) => return Err("missing value for block clause".to_owned()),
                        _ => {}
                    }
                    if keyword == "block" {
                        nodes.push(Node::Call(name.clone(), value, place + "block ".len()));
                        self.defined.entry(name).or_insert(body);
                    } else {
                        self.defined.insert(name, body);
                    }
                }
                "template" => {
                    let (name, value) = named(&keyword, rest(), place)?;
                    nodes.push(Node::Call(name, value, place + "template ".len()));
                }
                _ => nodes.push(Node::Print(pipeline(words, place)?)),
            }
        }
        Ok((nodes, End::Template))
    }

    fn control(&mut self, keyword: &str, words: Vec<Word>, place: usize) -> Result<Node, String> {
        let condition = pipeline(words, place).map_err(|error| match error.as_str() {
            "missing value for command" => format!("missing value for {keyword}"),
            _ => error,
        })?;
        self.ranges += usize::from(keyword == "range");
        let (body, end) = self.block()?;
        self.ranges -= usize::from(keyword == "range");
        let otherwise = match end {
            End::Template => return Err("unexpected EOF".to_owned()),
            End::Keyword => Vec::new(),
            End::Else(Some((chained, words, place))) if chained == keyword && keyword != "range" => {
                vec![self.control(keyword, words, place)?]
            }
            End::Else(_) => match self.block()? {
                (nodes, End::Keyword) => nodes,
                _ => return Err("unexpected EOF".to_owned()),
            },
        };
        Ok(match keyword {
            "if" => Node::If(condition, body, otherwise),
            "with" => Node::With(condition, body, otherwise),
            _ => Node::Range(condition, body, otherwise),
        })
    }
}

/// The name of a template, and the value that it is given.
fn named(keyword: &str, words: Vec<Word>, place: usize) -> Result<(String, Option<Pipeline>), String> {
    let mut words = words.into_iter();
    let Some(Word::Text(name)) = words.next() else {
        return Err(format!("missing template name in {keyword} clause"));
    };
    let rest = trim(words.collect());
    let value = if rest.is_empty() { None } else { Some(pipeline(rest, place)?) };
    Ok((name, value))
}

fn trim(mut words: Vec<Word>) -> Vec<Word> {
    while words.last() == Some(&Word::Space) {
        words.pop();
    }
    let begin = words.iter().take_while(|word| **word == Word::Space).count();
    words.split_off(begin)
}

fn pipeline(words: Vec<Word>, place: usize) -> Result<Pipeline, String> {
    let sign = words.iter().position(|word| matches!(word, Word::Sign(":=" | "=")));
    let (variables, declares, words) = match sign {
        None => (Vec::new(), false, words),
        Some(at) => {
            let names = words[..at].iter().filter_map(|word| match word {
                Word::Variable(name) => Some(name.clone()),
                _ => None,
            });
            (names.collect(), words[at] == Word::Sign(":="), trim(words[at + 1..].to_vec()))
        }
    };
    let mut words = words.into_iter().peekable();
    let commands = commands(&mut words, place)?;
    match words.next() {
        None => Ok(Pipeline { variables, declares, commands, place }),
        Some(word) => Err(format!("unexpected {word:?} in command")),
    }
}

type Words = std::iter::Peekable<std::vec::IntoIter<Word>>;

fn commands(words: &mut Words, place: usize) -> Result<Vec<Vec<Operand>>, String> {
    let mut commands = vec![Vec::new()];
    loop {
        match words.peek() {
            None | Some(Word::Sign(")")) => break,
            Some(Word::Space) => {
                words.next();
            }
            Some(Word::Sign("|")) => {
                words.next();
                commands.push(Vec::new());
            }
            Some(_) => {
                let operand = operand(words, place)?;
                commands.last_mut().expect("there is always one").push(operand);
            }
        }
    }
    match commands.iter().all(|command| !command.is_empty()) {
        true => Ok(commands),
        false => Err("missing value for command".to_owned()),
    }
}

fn operand(words: &mut Words, place: usize) -> Result<Operand, String> {
    let mut fields = Vec::new();
    let base = match words.next() {
        Some(Word::Dot) => Base::Dot,
        Some(Word::Field(name)) => {
            fields.push(name);
            Base::Dot
        }
        Some(Word::Variable(name)) => Base::Variable(name),
        Some(Word::Text(text)) => Base::Text(text),
        Some(Word::Number(number)) => Base::Number(number),
        Some(Word::Name(name)) => match name.as_str() {
            "true" => Base::Bool(true),
            "false" => Base::Bool(false),
            "nil" => Base::Nil,
            _ if super::functions::is_known(&name) => Base::Function(name),
            _ => return Err(format!("function {name:?} not defined")),
        },
        Some(Word::Sign("(")) => {
            let commands = commands(words, place)?;
            match words.next() {
                Some(Word::Sign(")")) => {
                    Base::Nested(Pipeline { variables: Vec::new(), declares: false, commands, place })
                }
                _ => return Err("unclosed left paren".to_owned()),
            }
        }
        Some(word) => return Err(format!("unexpected {word:?} in operand")),
        None => return Err("missing value for command".to_owned()),
    };
    while let Some(Word::Field(name)) = words.peek() {
        fields.push(name.clone());
        words.next();
    }
    Ok(Operand { base, fields })
}
