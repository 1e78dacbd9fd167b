//! The functions of templates (`text/template/funcs.go`), and `join` of the go command.

use std::cmp::Ordering;

use super::escape;
use super::printf::printf;
use super::value::Value;

const KNOWN: &[&str] = &[
    "and", "call", "context", "eq", "ge", "gt", "html", "index", "join", "js", "le", "len", "lt", "module",
    "ne", "not", "or", "print", "printf", "println", "slice", "urlquery",
];

/// Whether there is such a function.
pub(super) fn is_known(name: &str) -> bool {
    KNOWN.contains(&name)
}

/// What a function gives.
pub(super) fn call(name: &str, arguments: &[Value]) -> Result<Value, String> {
    let missing = || format!("wrong number of args for {name}: got {}", arguments.len());
    let two = || match arguments {
        [a, b] => Ok((a, b)),
        _ => Err(missing()),
    };
    Ok(match name {
        "and" | "or" => arguments.last().cloned().ok_or_else(missing)?,
        "not" => Value::Bool(!arguments.first().ok_or_else(missing)?.is_true()),
        "eq" => match arguments {
            [] | [_] => return Err("missing argument for comparison".to_owned()),
            [first, others @ ..] => {
                let mut is_equal = false;
                for other in others {
                    is_equal |= compare(first, other)?.is_eq();
                }
                Value::Bool(is_equal)
            }
        },
        "ne" => Value::Bool(two().and_then(|(a, b)| compare(a, b))?.is_ne()),
        "lt" => Value::Bool(two().and_then(|(a, b)| compare(a, b))?.is_lt()),
        "le" => Value::Bool(two().and_then(|(a, b)| compare(a, b))?.is_le()),
        "gt" => Value::Bool(two().and_then(|(a, b)| compare(a, b))?.is_gt()),
        "ge" => Value::Bool(two().and_then(|(a, b)| compare(a, b))?.is_ge()),
        "len" => match arguments {
            [Value::List(list)] => Value::Int(int(list.len())),
            [Value::Text(text)] => Value::Int(int(text.len())),
            [Value::Map(map)] => Value::Int(int(map.len())),
            [other] => return Err(format!("len of type {}", other.kind())),
            _ => return Err(missing()),
        },
        "index" => match arguments {
            [Value::List(list), Value::Int(at)] => {
                let item = usize::try_from(*at).ok().and_then(|at| list.get(at));
                item.cloned().ok_or_else(|| format!("index out of range: {at}"))?
            }
            [Value::Map(map), Value::Text(key)] => Value::Text(map.get(key).cloned().unwrap_or_default()),
            _ => return Err("can't index item of this type".to_owned()),
        },
        "slice" => slice(arguments)?,
        "join" => match arguments {
            [Value::List(list), separator] => {
                let texts: Vec<_> = list.iter().map(Value::to_string).collect();
                Value::Text(texts.join(&separator.to_string()))
            }
            _ => return Err(missing()),
        },
        "html" => Value::Text(escape::html(&print(arguments))),
        "js" => Value::Text(escape::js(&print(arguments))),
        "urlquery" => Value::Text(escape::query(&print(arguments))),
        "print" => Value::Text(print(arguments)),
        "println" => {
            let texts: Vec<_> = arguments.iter().map(Value::to_string).collect();
            Value::Text(texts.join(" ") + "\n")
        }
        "printf" => match arguments {
            [format, arguments @ ..] => Value::Text(printf(&format.to_string(), arguments)),
            [] => return Err(missing()),
        },
        _ => return Err("no such function".to_owned()),
    })
}

fn int(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn compare(a: &Value, b: &Value) -> Result<Ordering, String> {
    match (a, b) {
        (Value::Bool(a), Value::Bool(b)) => Ok(a.cmp(b)),
        (Value::Int(a), Value::Int(b)) => Ok(a.cmp(b)),
        (Value::Text(a), Value::Text(b)) => Ok(a.cmp(b)),
        (Value::Nil(_), Value::Nil(_)) => Ok(Ordering::Equal),
        (Value::Nil(_), _) | (_, Value::Nil(_)) => Ok(Ordering::Less),
        (Value::Record(_) | Value::List(_) | Value::Map(_) | Value::Time(_), _) => {
            Err("invalid type for comparison".to_owned())
        }
        _ => Err("incompatible types for comparison".to_owned()),
    }
}

fn slice(arguments: &[Value]) -> Result<Value, String> {
    let bound = |at: usize, default: usize| match arguments.get(at) {
        None => Ok(default),
        Some(Value::Int(number)) => {
            usize::try_from(*number).map_err(|_| format!("index out of range: {number}"))
        }
        Some(other) => Err(format!("cannot index slice/array with type {}", other.kind())),
    };
    let fail = || "index out of range".to_owned();
    match arguments.first() {
        Some(Value::List(list)) => {
            let part = list.get(bound(1, 0)?..bound(2, list.len())?).ok_or_else(fail)?;
            Ok(Value::List(part.to_vec()))
        }
        Some(Value::Text(text)) => {
            let part = text.get(bound(1, 0)?..bound(2, text.len())?).ok_or_else(fail)?;
            Ok(Value::Text(part.to_owned()))
        }
        _ => Err("can't slice item of this type".to_owned()),
    }
}

/// As `fmt.Sprint`: blanks between operands of which neither is a text.
fn print(arguments: &[Value]) -> String {
    let mut text = String::new();
    let is_text = |value: &Value| matches!(value, Value::Text(_));
    for (index, argument) in arguments.iter().enumerate() {
        if index > 0 && !is_text(argument) && !is_text(&arguments[index - 1]) {
            text.push(' ');
        }
        text.push_str(&argument.to_string());
    }
    text
}
