//! Man pages, made from the programs' own `--help`: one definition per option.

use crate::repo::VERSION;

/// The page of section 1 for a program: its name, one line on what it does, and what it prints for `--help`.
///
/// A line that begins at the margin and ends with a colon opens a section; what follows is set as it is.
pub fn page(name: &str, summary: &str, help: &str) -> String {
    let mut page = format!(
        ".TH {} 1 \"\" \"HPVM {VERSION}\" \"User Commands\"\n.SH NAME\n{} \\- {}\n",
        name.to_uppercase(),
        escaped(name),
        escaped(summary),
    );
    let heading = |line: &str| line.strip_suffix(':').filter(|_| !line.starts_with(' ')).map(str::to_uppercase);
    if help.lines().next().and_then(heading).is_none() {
        page += ".SH DESCRIPTION\n.nf\n";
    }
    for line in help.lines() {
        match heading(line) {
            Some(heading) => page += &format!(".fi\n.SH {}\n.nf\n", escaped(&heading)),
            _ => {
                page += &escaped(line);
                page.push('\n');
            }
        }
    }
    page + ".fi\n"
}

/// Text that roff must not take for a request: backslashes, hyphens that are hyphens, a leading dot or quote.
fn escaped(text: &str) -> String {
    let text = text.replace('\\', "\\e").replace('-', "\\-");
    if text.starts_with(['.', '\'']) { format!("\\&{text}") } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sections_and_escapes() {
        let page = page("hpvmrun", "launch MPI programs", "Usage: hpvmrun -n N\n\nOptions:\n  -n N   ranks\n.dot\n");
        assert!(page.starts_with(".TH HPVMRUN 1 "), "{page}");
        assert!(page.contains("\n.SH OPTIONS\n.nf\n  \\-n N   ranks\n\\&.dot\n"), "{page}");
        assert!(page.contains("\nhpvmrun \\- launch MPI programs\n"), "{page}");
    }
}
