//! What nodes say to `hpvmrun`'s relay: frames in any order, of any ranks. The relay's parts are its own: it brings what drives them
//! (`launcher/src/keeper/relay/fuzz.rs`), in builds for this program only.

#[cfg(fuzzing)]
pub fn run(data: &[u8]) {
    let mut input = super::input::Input(data);
    let pieces = std::iter::from_fn(|| {
        let (node, length) = (usize::from(input.u8()), usize::from(input.u16()) % 4096);
        (!input.is_empty()).then(|| (node, input.bytes(length)))
    });
    hpvm_launcher::keeper::relay::fuzz::run(pieces);
}

#[cfg(not(fuzzing))]
pub use super::elsewhere::nothing as run;

pub fn seeds() -> Vec<Vec<u8>> {
    use hpvm_launcher::exit::End;
    use hpvm_launcher::link::Message;
    use hpvm_launcher::node::frame::Frame;
    use hpvm_launcher::node::greeting::Offer;

    let say = |node: u8, bytes: &[u8]| [&[node], &(bytes.len() as u16).to_le_bytes()[..], bytes].concat();
    let frame = |node: u8, frame: Frame| {
        let mut bytes = Vec::new();
        frame.encode(&mut bytes);
        say(node, &bytes)
    };
    let greetings = [0, 1].map(|node| say(node, Offer::own().greeting().as_bytes())).concat();
    let ready = |node: u8| frame(node, Frame::Ready { connection: "192.0.2.1 50000 192.0.2.2 22".into(), ports: vec![40_123; 1 + usize::from(node)] });
    let prepared = [greetings.clone(), ready(0), ready(1)].concat();
    let report = |node, message| frame(node, Frame::Report(message));
    let all: Vec<u8> = super::frames::frames_seeds().pop().expect("all frames");
    let job = [
        report(0, Message::Started { rank: 0, pid: 100 }),
        report(1, Message::Started { rank: 1, pid: 101 }),
        report(1, Message::NotStarted { rank: 2, step: 2, errno: 2 }),
        frame(0, Frame::Output { rank: 0, stream: 0, bytes: b"output".to_vec() }),
        frame(1, Frame::Output { rank: 2, stream: 1, bytes: Vec::new() }),
        frame(0, Frame::Taken(7)),
        report(0, Message::Vanished { rank: 0 }),
        report(0, Message::Ended { rank: 0, end: End::Status(0) }),
        report(1, Message::Ended { rank: 1, end: End::Signal { number: 9, core: false } }),
        report(0, Message::Done),
        report(1, Message::Done),
    ];
    vec![
        [&prepared[..], &job.concat()].concat(),
        [&prepared[..], &say(0, &all)].concat(),
        [&greetings[..], &say(1, &all), &ready(0), &frame(1, Frame::Refused("no memory".into()))].concat(),
        [&greetings[..], &ready(1), &report(9, Message::Ended { rank: 70, end: End::Status(1) }), &frame(0, Frame::Output { rank: 70, stream: 9, bytes: vec![1] })].concat(),
        say(0, b"sh: hpvmd: not found\n"),
    ]
}
