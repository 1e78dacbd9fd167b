//! `printf` of templates: Go's `fmt.Sprintf`, for the verbs that make sense of the values that there are.

use std::iter::Peekable;
use std::str::Chars;

use modkeep_module::quote::quote;

use super::value::Value;

/// How one value is shown.
#[derive(Clone, Copy, Debug, Default)]
struct Form {
    is_left: bool,
    has_zeros: bool,
    is_sharp: bool,
    has_sign: bool,
    width: usize,
    precision: Option<usize>,
    verb: char,
}

/// The format with the values in it.
pub(super) fn printf(format: &str, arguments: &[Value]) -> String {
    let mut text = String::new();
    let mut arguments = arguments.iter();
    let mut chars = format.chars().peekable();
    while let Some(c) = chars.next() {
        if c != '%' {
            text.push(c);
            continue;
        }
        let Some(form) = Form::read(&mut chars) else {
            text.push_str("%!(NOVERB)");
            break;
        };
        match (form.verb, arguments.as_slice().first()) {
            ('%', _) => text.push('%'),
            (verb, None) => text.push_str(&format!("%!{verb}(MISSING)")),
            (_, Some(argument)) => {
                arguments.next();
                text.push_str(&form.show(argument));
            }
        }
    }
    if arguments.len() > 0 {
        let extra: Vec<_> = arguments.map(|value| format!("{}={value}", value.kind())).collect();
        text.push_str(&format!("%!(EXTRA {})", extra.join(", ")));
    }
    text
}

impl Form {
    fn read(chars: &mut Peekable<Chars<'_>>) -> Option<Self> {
        let mut form = Self::default();
        while let Some(flag) = chars.next_if(|c| "-+# 0".contains(*c)) {
            match flag {
                '-' => form.is_left = true,
                '0' => form.has_zeros = true,
                '#' => form.is_sharp = true,
                '+' => form.has_sign = true,
                _ => {}
            }
        }
        form.width = number(chars).unwrap_or_default();
        if chars.next_if_eq(&'.').is_some() {
            form.precision = Some(number(chars).unwrap_or_default());
        }
        form.verb = chars.next()?;
        Some(form)
    }

    fn show(self, value: &Value) -> String {
        match (self.verb, value) {
            ('T', value) => self.padded(value.kind().to_owned()),
            ('v', Value::List(values)) if self.is_sharp => {
                let items: Vec<String> = values.iter().map(|value| self.show(value)).collect();
                format!("{}{{{}}}", value.kind(), items.join(", "))
            }
            (_, Value::List(values)) => {
                let items: Vec<String> = values.iter().map(|value| self.show(value)).collect();
                format!("[{}]", items.join(" "))
            }
            ('d' | 'v', Value::Int(number)) => self.number(&number.unsigned_abs().to_string(), *number < 0),
            ('x', Value::Int(number)) => self.number(&format!("{:x}", number.unsigned_abs()), *number < 0),
            ('X', Value::Int(number)) => self.number(&format!("{:X}", number.unsigned_abs()), *number < 0),
            ('o', Value::Int(number)) => self.number(&format!("{:o}", number.unsigned_abs()), *number < 0),
            ('b', Value::Int(number)) => self.number(&format!("{:b}", number.unsigned_abs()), *number < 0),
            ('c', Value::Int(number)) => self.padded(character(*number).to_string()),
            ('U', Value::Int(number)) => self.padded(format!("U+{number:04X}")),
            ('t', Value::Bool(value)) => self.padded(value.to_string()),
            ('q', Value::Nil(_)) => self.padded("<nil>".to_owned()),
            ('s' | 'q' | 'x', Value::Int(_) | Value::Bool(_)) => self.wrong(value),
            ('v', Value::Text(text)) if self.is_sharp => self.padded(quote(text)),
            ('v', value) => self.padded(value.to_string()),
            ('s', value) => self.padded(self.cut(value.to_string())),
            ('q', value) => self.padded(quote(self.cut(value.to_string()))),
            ('x', value) => {
                let bytes = self.cut(value.to_string());
                self.padded(bytes.bytes().map(|byte| format!("{byte:02x}")).collect())
            }
            (_, value) => self.wrong(value),
        }
    }

    fn wrong(self, value: &Value) -> String {
        format!("%!{}({}={value})", self.verb, value.kind())
    }

    fn cut(self, text: String) -> String {
        match self.precision {
            Some(most) => text.chars().take(most).collect(),
            None => text,
        }
    }

    fn number(self, digits: &str, is_negative: bool) -> String {
        let sign = match (is_negative, self.has_sign) {
            (true, _) => "-",
            (false, true) => "+",
            (false, false) => "",
        };
        let fills = self.has_zeros && !self.is_left && self.precision.is_none();
        let least = if fills { self.width.saturating_sub(sign.len()) } else { self.precision.unwrap_or(0) };
        self.padded(format!("{sign}{}{digits}", "0".repeat(least.saturating_sub(digits.len()))))
    }

    fn padded(self, text: String) -> String {
        let fill = self.width.saturating_sub(text.chars().count());
        let fills = self.has_zeros && !self.is_left;
        match self.is_left {
            true => text + &" ".repeat(fill),
            false => if fills { "0" } else { " " }.repeat(fill) + &text,
        }
    }
}

/// A width, no more than Go takes.
fn number(chars: &mut Peekable<Chars<'_>>) -> Option<usize> {
    const MOST: usize = 1_000_000;
    let mut found = None;
    while let Some(digit) = chars.next_if(char::is_ascii_digit) {
        let digit = digit as usize - '0' as usize;
        found = Some((found.unwrap_or(0) * 10 + digit).min(MOST));
    }
    found
}

fn character(number: i64) -> char {
    u32::try_from(number).ok().and_then(char::from_u32).unwrap_or(char::REPLACEMENT_CHARACTER)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_shown_as_fmt_shows_them() {
        let texts =
            |texts: &[&str]| Value::List(texts.iter().map(|text| Value::Text((*text).to_owned())).collect());
        let text = |text: &str| Value::Text(text.to_owned());
        let check = |format: &str, values: &[Value], expected: &str| {
            assert_eq!(printf(format, values), expected, "{format}");
        };
        check("%q %v", &[texts(&["p.go", "q.go"]), texts(&["a", "b"])], r#"["p.go" "q.go"] [a b]"#);
        check("%#v %#v", &[texts(&["p.go"]), text("a")], r#"[]string{"p.go"} "a""#);
        check("%03d|%-4d|%+d|%5d|%.3d", &[1, 2, 3, -4, 5].map(Value::Int), "001|2   |+3|   -4|005");
        check("%x %X %o %b %c %U", &[255, 255, 8, 5, 65, 65].map(Value::Int), "ff FF 10 101 A U+0041");
        check("%8.3s|%-8s|%x", &[text("abcdef"), text("ab"), text("hi")], "     abc|ab      |6869");
        check(
            "%s %t %d",
            &[Value::Int(3), text("x"), Value::Bool(true)],
            "%!s(int=3) %!t(string=x) %!d(bool=true)",
        );
        check("%d %s", &[Value::Int(1)], "1 %!s(MISSING)");
        check("100%% %", &[], "100% %!(NOVERB)");
        check("x", &[Value::Int(1)], "x%!(EXTRA int=1)");
    }
}
