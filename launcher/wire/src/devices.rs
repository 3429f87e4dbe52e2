//! The devices by which ranks may reach each other, as far as launcher and library have to agree on them: a row for each.

/// What launcher and library know of a device.
#[derive(Debug, PartialEq, Eq)]
pub struct Device {
    pub name: &'static str,
    /// What it goes through, for people.
    pub what: &'static str,
    /// This version has it.
    pub built: bool,
    /// How many networks between two machines it uses at the same time; none if it does not leave a machine.
    pub networks: usize,
    /// It is used where nothing is said of devices.
    pub by_itself: bool,
    /// How a rank is reached is known only once it runs: ranks tell each other.
    pub cards: bool,
    /// `--encrypt` holds for it, or nobody else sees what it carries.
    pub private: bool,
}

/// All of them, also those to come.
pub const DEVICES: [Device; 6] = [
    Device { name: "smp", what: "shared memory", built: true, networks: 0, by_itself: true, cards: false, private: true },
    Device { name: "ip", what: "TCP", built: true, networks: 1, by_itself: true, cards: false, private: true },
    Device { name: "servernet", what: "UDP over two networks", built: true, networks: 2, by_itself: false, cards: true, private: false },
    Device { name: "via", what: "libfabric", built: true, networks: 1, by_itself: false, cards: true, private: false },
    Device { name: "myrinet", what: "raw Ethernet", built: false, networks: 1, by_itself: false, cards: true, private: false },
    Device { name: "wan", what: "gateways between sites", built: false, networks: 1, by_itself: false, cards: true, private: true },
];

/// The device of that name.
pub fn find(name: &str) -> Option<&'static Device> {
    DEVICES.iter().find(|device| device.name == name)
}

/// Those between machines.
pub fn between_machines() -> impl Iterator<Item = &'static Device> + Clone {
    DEVICES.iter().filter(|device| device.networks > 0)
}
