//! Completions for shells, from the table of options like everything else that lists them.

use hpvm_wire::devices::DEVICES;

use super::table::{FLAGS, Flag, Id};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shell {
    Bash,
    Zsh,
    Fish,
}

/// The names that the launcher is installed under.
const COMMANDS: &str = "hpvmrun mpiexec mpirun";

/// The script for a shell.
pub fn script(shell: Shell) -> String {
    match shell {
        Shell::Bash => bash(),
        Shell::Zsh => zsh(),
        Shell::Fish => fish(),
    }
}

/// What can stand for an option's value.
enum Values {
    None,
    Files,
    Folders,
    Words(Vec<&'static str>),
    /// Nothing that a shell could know.
    Free,
}

fn values(flag: &Flag) -> Values {
    match flag.value {
        None => Values::None,
        Some(_) if flag.id == Id::Device => Values::Words(DEVICES.iter().filter(|device| device.built).map(|device| device.name).collect()),
        Some("FILE") => Values::Files,
        Some("DIR") => Values::Folders,
        Some(choice) if choice.contains('|') => Values::Words(choice.split('|').collect()),
        Some(_) => Values::Free,
    }
}

const BASH: &str = r#"# Completions of COMMANDS, made by hpvmrun --completions bash.
_hpvmrun() {
    # By blanks alone: readline also splits at the colon of HOST:SLOTS.
    local line=${COMP_LINE:0:COMP_POINT} words=() at option=
    read -ra words <<< "$line"
    [[ $line == *[[:space:]] ]] && words+=("")
    local last=$((${#words[@]} - 1))
    local now=${words[last]}
    for ((at = 1; at < last; at++)); do
        option=
        case ${words[at]} in
            VALUED)
                option=${words[at]}
                ((++at < last)) && option= ;;
            -* | :) ;;
            doctor) ((at == 1)) || at=$last ;;
            *)  # The program: up to a colon everything is its own.
                while ((at < last)) && [[ ${words[at]} != : ]]; do ((at++)); done
                if ((at == last)); then
                    compopt -o filenames 2> /dev/null
                    mapfile -t COMPREPLY < <(compgen -f -- "$now")
                    return
                fi ;;
        esac
    done
    case $option in
CASES        ?*) COMPREPLY=() ;;
        *)
            case $now in
                -*) mapfile -t COMPREPLY < <(compgen -W 'NAMES' -- "$now") ;;
                */*) compopt -o filenames 2> /dev/null; mapfile -t COMPREPLY < <(compgen -f -- "$now") ;;
                *) mapfile -t COMPREPLY < <(((last == 1)) && compgen -W doctor -- "$now"; compgen -c -- "$now") ;;
            esac ;;
    esac
}
complete -F _hpvmrun COMMANDS
"#;

fn bash() -> String {
    let names = |flag: &Flag, between: &str| flag.names.join(between);
    let valued: Vec<String> = FLAGS.iter().filter(|flag| flag.value.is_some()).map(|flag| names(flag, " | ")).collect();
    let mut cases = String::new();
    for flag in FLAGS.iter() {
        let action = match values(flag) {
            Values::None | Values::Free => continue,
            Values::Files => "-f".into(),
            Values::Folders => "-d".into(),
            Values::Words(words) => format!("-W '{}'", words.join(" ")),
        };
        let filenames = if action.starts_with("-W") { "" } else { "compopt -o filenames 2> /dev/null; " };
        cases += &format!("        {}) {filenames}mapfile -t COMPREPLY < <(compgen {action} -- \"$now\") ;;\n", names(flag, " | "));
    }
    let all: Vec<String> = FLAGS.iter().map(|flag| names(flag, " ")).collect();
    let script = BASH.replace("CASES", &cases).replace("NAMES", &all.join(" "));
    script.replace("VALUED", &valued.join(" | ")).replace("COMMANDS", COMMANDS)
}

fn zsh() -> String {
    let mut text = format!("#compdef {COMMANDS}\n# Made by hpvmrun --completions zsh.\n_arguments -S \\\n");
    for flag in FLAGS.iter() {
        let help = flag.help.replace('\'', "'\\''").replace('[', "\\[").replace(']', "\\]");
        let value = flag.value.unwrap_or_default();
        let action = match values(flag) {
            Values::None => String::new(),
            Values::Files => ":FILE:_files".into(),
            Values::Folders => ":DIR:_files -/".into(),
            Values::Words(words) => format!(":value:({})", words.join(" ")),
            Values::Free => format!(":{}: ", value.replace(['[', ']'], "")),
        };
        for name in flag.names {
            text += &format!("  '*{name}[{help}]{action}' \\\n");
        }
    }
    text + "  '1: :{ _alternative \"commands:program:_command_names -e\" \"files:file:_files\" \"words:word:(doctor)\" }' \\\n  '*:: :_normal'\n"
}

fn fish() -> String {
    let mut text = format!("# Made by hpvmrun --completions fish.\nfor command in {COMMANDS}\n");
    for flag in FLAGS.iter() {
        let option = |name: &&str| match (name.strip_prefix("--"), name.strip_prefix('-')) {
            (Some(long), _) => format!(" -l {long}"),
            (None, Some(short)) if short.len() == 1 => format!(" -s {short}"),
            (None, short) => format!(" -o {}", short.unwrap_or(name)),
        };
        let names: String = flag.names.iter().map(option).collect();
        let action = match values(flag) {
            Values::None => String::new(),
            Values::Files => " -r -F".into(),
            Values::Folders => " -x -a '(__fish_complete_directories)'".into(),
            Values::Words(words) => format!(" -x -a '{}'", words.join(" ")),
            Values::Free => " -x".into(),
        };
        text += &format!("    complete -c $command{names}{action} -d '{}'\n", flag.help.replace('\\', "\\\\").replace('\'', "\\'"));
    }
    text + "    complete -c $command -n __fish_is_first_arg -a doctor -d 'examine the machines'\n    complete -c $command -x -a '(__fish_complete_subcommand)'\nend\n"
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use std::process::Command;

    /// What bash offers at the end of a line.
    fn offers(line: &str) -> Vec<String> {
        let script = format!("{}\nCOMP_LINE=$1 COMP_POINT=${{#1}}\n_hpvmrun\nprintf '%s\\n' \"${{COMPREPLY[@]}}\"", bash());
        let output = Command::new("bash").args(["-c", &script, "bash", line]).output().unwrap();
        assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().lines().filter(|line| !line.is_empty()).map(str::to_owned).collect()
    }

    #[rstest]
    #[case("hpvmrun --map-by n", "node numa")]
    #[case("hpvmrun -n 2 --bind-to ", "core numa none")]
    #[case("hpvmrun --tag", "--tag-output")]
    #[case("hpvmrun -H a:2 --tag", "--tag-output")]
    #[case("mpirun -n 4 -x A --no-o", "--no-oversubscribe")]
    #[case("hpvmrun --timeout ", "")]
    #[case("hpvmrun -n 1 true : --dry", "--dry-run")]
    #[case("hpvmrun -n 1 true --dry", "")]
    #[case("hpvmrun doctor --mach", "--machines --machinefile")]
    #[case("hpvmrun doct", "doctor")]
    #[case("hpvmrun -m Cargo.t", "Cargo.toml")]
    #[case("hpvmrun --output sr", "src")]
    #[case("hpvmrun ./Cargo.t", "./Cargo.toml")]
    #[case("hpvmrun true Cargo.t", "Cargo.toml")]
    #[case("hpvmrun --device sm", "smp")]
    fn bash_offers(#[case] line: &str, #[case] expected: &str) {
        let found = offers(line);
        let mut expected: Vec<&str> = expected.split_whitespace().collect();
        let mut sorted: Vec<&str> = found.iter().map(String::as_str).collect();
        // Where a command of the system may begin alike.
        sorted.retain(|word| !line.ends_with("doct") || *word == "doctor");
        expected.sort_unstable();
        sorted.sort_unstable();
        assert_eq!(sorted, expected, "{line}");
    }

    #[test]
    fn every_built_option_is_there() {
        for (shell, form) in [(Shell::Bash, "NAME"), (Shell::Zsh, "'*NAME["), (Shell::Fish, "")] {
            let text = script(shell);
            for name in FLAGS.iter().flat_map(|flag| flag.names) {
                let wanted = match shell {
                    Shell::Fish => format!(" {}", name.trim_start_matches('-')),
                    _ => form.replace("NAME", name),
                };
                assert!(text.contains(&wanted), "{name} for {shell:?}");
            }
        }
    }

    /// Where these shells are installed.
    #[rstest]
    #[case("zsh", Shell::Zsh)]
    #[case("fish", Shell::Fish)]
    #[case("bash", Shell::Bash)]
    fn shells_understand_it(#[case] program: &str, #[case] shell: Shell) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("script");
        std::fs::write(&path, script(shell)).unwrap();
        if let Ok(output) = Command::new(program).arg("-n").arg(&path).output() {
            assert!(output.status.success() && output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
        }
    }
}
