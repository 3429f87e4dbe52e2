//! What a node says first, and which protocol two versions speak with each other.

/// The protocols of [`super::frame`] that this version speaks. The newest rises with every change of a frame, the oldest when what a frame
/// then said is not understood any more. How a node greets and what [`super::frame::Frame::Hello`] looks like does not change.
pub const OLDEST: u32 = 4;
pub const NEWEST: u32 = 4;

/// How a greeting begins. What a login shell may have printed before is skipped.
pub const START: &str = "HPVM node, ";

/// What one side speaks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    version: String,
    oldest: u32,
    newest: u32,
    /// [`hpvm_wire::names::VERSION`]: status lines and the network's file go from rank to `hpvmrun` as they are.
    start_up: u32,
}

impl Offer {
    pub fn own() -> Self {
        Self { version: env!("CARGO_PKG_VERSION").into(), oldest: OLDEST, newest: NEWEST, start_up: hpvm_wire::names::VERSION }
    }

    /// As a line.
    pub fn greeting(&self) -> String {
        let Self { version, oldest, newest, start_up } = self;
        format!("{START}version {version}, protocols {oldest} to {newest}, start-up protocol {start_up}\n")
    }

    /// What `line` says.
    pub fn parse(line: &str) -> Option<Self> {
        let (version, rest) = line.trim_end().strip_prefix(START)?.strip_prefix("version ")?.split_once(", protocols ")?;
        let (protocols, start_up) = rest.split_once(", start-up protocol ")?;
        let (oldest, newest) = protocols.split_once(" to ")?;
        let number = |text: &str| text.parse().ok();
        Some(Self { version: version.into(), oldest: number(oldest)?, newest: number(newest)?, start_up: number(start_up)? })
    }

    /// The protocol to be spoken with a node that greets with `line`; why there is none.
    pub fn agree(&self, line: &str) -> Result<u32, String> {
        let Some(theirs) = Self::parse(line) else {
            return Err(format!("its hpvmd is of another time ({:?}), this hpvmrun is {self}{MEND}", line.trim_end()));
        };
        let protocol = self.newest.min(theirs.newest);
        if protocol < self.oldest.max(theirs.oldest) || theirs.start_up != self.start_up {
            return Err(format!("its hpvmd is {theirs}, this hpvmrun is {self}{MEND}"));
        }
        Ok(protocol)
    }
}

const MEND: &str = ": install the same version there";

impl std::fmt::Display for Offer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { version, oldest, newest, start_up } = self;
        match oldest == newest {
            true => write!(f, "{version} (protocol {newest}, start-up protocol {start_up})"),
            false => write!(f, "{version} (protocols {oldest} to {newest}, start-up protocol {start_up})"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offer(oldest: u32, newest: u32, start_up: u32) -> Offer {
        Offer { version: "0.9.1".into(), oldest, newest, start_up }
    }

    #[test]
    fn the_newest_that_both_speak() {
        let ours = offer(3, 5, 2);
        for (theirs, agreed) in [(offer(5, 9, 2), Some(5)), (offer(1, 4, 2), Some(4)), (offer(1, 2, 2), None), (offer(6, 7, 2), None), (offer(3, 5, 1), None)] {
            assert_eq!(ours.agree(&theirs.greeting()).ok(), agreed, "{theirs}");
        }
        assert_eq!(Offer::parse(&Offer::own().greeting()), Some(Offer::own()));
    }

    #[test]
    fn a_difference_is_named_with_both_versions() {
        let why = offer(5, 5, 2).agree(&offer(3, 4, 2).greeting()).unwrap_err();
        let said = "its hpvmd is 0.9.1 (protocols 3 to 4, start-up protocol 2), this hpvmrun is 0.9.1 (protocol 5, start-up protocol 2)";
        assert!(why.starts_with(said), "{why}");
        let why = offer(5, 5, 2).agree("HPVM node, start-up protocol 1, version 0.0.1\n").unwrap_err();
        assert!(why.contains("version 0.0.1\"") && why.contains("protocol 5"), "{why}");
    }
}
