//! Adding object files to an archive (`cmd/go/internal/work:gc.go:packInternal`).

use std::fs::{self, OpenOptions};
use std::io::{self, Write};

use super::Unit;
use crate::shop::{Bench, StepError};
use crate::words;

/// Bytes of a member's name; longer ones are cut.
const NAME: usize = 16;

impl Unit<'_> {
    pub(super) fn pack(&self, bench: &Bench<'_>, archive: &str, objects: &[String]) -> Result<(), StepError> {
        let line = ["go", "tool", "pack", "r", archive].into_iter().chain(objects.iter().map(String::as_str));
        bench.show(&self.package.dir, &format!("{} # internal", words::shown(line)));
        if self.shop.flags.dry {
            return Ok(());
        }
        append(archive, objects).map_err(|error| StepError::system("pack", archive, &error))
    }
}

fn append(archive: &str, objects: &[String]) -> io::Result<()> {
    let mut to = io::BufWriter::new(OpenOptions::new().append(true).open(archive)?);
    for object in objects {
        let content = fs::read(object)?;
        to.write_all(&header(object.rsplit('/').next().unwrap_or(object), content.len()))?;
        to.write_all(&content)?;
        if content.len() % 2 == 1 {
            to.write_all(&[0])?;
        }
    }
    to.flush()
}

/// A member's head: nobody's, of no time, mode 0644.
fn header(name: &str, size: usize) -> Vec<u8> {
    let mut head = name.as_bytes()[..name.len().min(NAME)].to_vec();
    head.resize(NAME, b' ');
    head.extend(format!("{:<12}{:<6}{:<6}{:<8}{size:<10}`\n", 0, 0, 0, 644).as_bytes());
    head
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_has_sixty_bytes() {
        let head = header("a_very_long_name_of_an_object.o", 7);
        assert_eq!(head, b"a_very_long_name0           0     0     644     7         `\n");
        assert_eq!(header("x.o", 12).len(), 60);
    }
}
