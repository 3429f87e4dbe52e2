//! What keeps ssh from leading to an `hpvmd`, read from what it says.

use std::process::ExitStatus;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    NoName,
    NoSshd,
    NoWay,
    NoAnswer,
    NoKey,
    OtherHost,
    NoHpvmd,
    NotExecutable,
}

/// OpenSSH's words, which it does not translate. The first that is found counts.
const WORDS: &[(&str, Cause)] = &[
    ("Could not resolve hostname", Cause::NoName),
    ("Host key verification failed", Cause::OtherHost),
    ("REMOTE HOST IDENTIFICATION HAS CHANGED", Cause::OtherHost),
    ("Too many authentication failures", Cause::NoKey),
    ("Permission denied (", Cause::NoKey),
    ("Connection refused", Cause::NoSshd),
    ("No route to host", Cause::NoWay),
    ("Network is unreachable", Cause::NoWay),
    ("timed out", Cause::NoAnswer),
];

/// `status` is ssh's, or that of the command there, which it hands on.
pub fn of(status: Option<ExitStatus>, said: &str) -> Option<Cause> {
    match status.and_then(|status| status.code()) {
        Some(127) => Some(Cause::NoHpvmd),
        Some(126) => Some(Cause::NotExecutable),
        _ => WORDS.iter().find(|(words, _)| said.contains(words)).map(|(_, cause)| *cause),
    }
}

impl Cause {
    /// `hpvmd` is the path where it was looked for.
    pub fn text(self, hpvmd: &str) -> String {
        match self {
            Self::NoName => "no address is known for its name".into(),
            Self::NoSshd => "it refuses the connection: no sshd listens at that port".into(),
            Self::NoWay => "no way in the network leads there".into(),
            Self::NoAnswer => "it does not answer".into(),
            Self::NoKey => "its sshd takes no key of yours: an ssh there has to succeed without a question".into(),
            Self::OtherHost => "its host key is not the one that ssh knows for it, or none is known yet".into(),
            Self::NoHpvmd => format!("there is no {hpvmd} on it: install HPVM there, or say hpvmd = PATH in the machine file"),
            Self::NotExecutable => format!("its {hpvmd} cannot be executed"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::process::ExitStatusExt as _;

    #[test]
    fn what_ssh_says_is_understood() {
        for (status, said, cause) in [
            (255, "ssh: Could not resolve hostname node3: Name or service not known", Some(Cause::NoName)),
            (255, "ssh: connect to host node3 port 22: Connection refused", Some(Cause::NoSshd)),
            (255, "ssh: connect to host node3 port 22: Connection timed out", Some(Cause::NoAnswer)),
            (255, "Connection timed out during banner exchange", Some(Cause::NoAnswer)),
            (255, "ssh: connect to host node3 port 22: No route to host", Some(Cause::NoWay)),
            (255, "user@node3: Permission denied (publickey,password).", Some(Cause::NoKey)),
            (255, "No ED25519 host key is known for node3\nHost key verification failed.", Some(Cause::OtherHost)),
            (127, "bash: line 1: /opt/hpvm/bin/hpvmd: No such file or directory", Some(Cause::NoHpvmd)),
            (126, "sh: 1: exec: hpvmd: Permission denied", Some(Cause::NotExecutable)),
            (255, "something new", None),
            (1, "", None),
        ] {
            assert_eq!(of(Some(ExitStatus::from_raw(status << 8)), said), cause, "{said}");
        }
    }
}
