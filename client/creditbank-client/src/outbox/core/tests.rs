//! A core against a model of a node that loses replies, repeats them, stops before and after sealing, and crashes; and
//! against others who seal blocks on the same chain.

mod model;

use creditbank_protocol::Digest;
use creditbank_rpc::Reason;
use creditbank_rpc::v1::Refusal;
use proptest::prelude::*;
use tonic::Code;

use super::*;
use model::{World, block, refusal};

const FIRST: ChainHead = ChainHead { next_height: 0, previous: Digest([1; 32]), created_at_minute: 0 };

/// A core by hand.
struct Hand(Core, VecDeque<Action>);

impl Hand {
    fn new() -> Self {
        Self(Core::new(Settings::default()), VecDeque::new())
    }

    fn pull(&mut self) {
        self.1.extend(std::iter::from_fn(|| self.0.next_action()));
    }

    /// The first action of this sort among what it asks for.
    fn find(&mut self, is_wanted: impl Fn(&Action) -> bool) -> Action {
        self.pull();
        let at = self.1.iter().position(is_wanted).unwrap_or_else(|| panic!("none in {:?}", self.1));
        self.1.remove(at).expect("it is there")
    }

    /// All that it asks for.
    fn rest(&mut self) -> Vec<Action> {
        self.pull();
        self.1.drain(..).collect()
    }

    /// Has a ticket signed and put on the disk; the block and its sending.
    fn prepare(&mut self, number: u8, head: ChainHead) -> (Ticket, Arc<Prepared>, Attempt) {
        let signing = self.find(|action| matches!(action, Action::Sign { .. }));
        let Action::Sign { ticket, head: on } = signing else { unreachable!() };
        assert_eq!((on.next_height, on.previous), (head.next_height, head.previous));
        let block = block(number, on);
        self.0.handle(Event::Signed { ticket, block: Arc::clone(&block) });
        self.find(|action| *action == Action::Persist { block: Arc::clone(&block) });
        assert!(!self.1.iter().any(|action| matches!(action, Action::Send { .. })), "it is on the disk first");
        self.0.handle(Event::Persisted { id: block.id });
        (ticket, block, self.sending())
    }

    fn sending(&mut self) -> Attempt {
        let Action::Send { attempt, .. } = self.find(|action| matches!(action, Action::Send { .. })) else {
            unreachable!()
        };
        attempt
    }

    fn answer(&mut self, attempt: Attempt, reason: Reason) -> Vec<Action> {
        self.0.handle(Event::Answered { attempt, answer: Answer::Refused(Box::new(refusal(reason))) });
        self.rest()
    }
}

#[allow(clippy::unnecessary_box_returns)] // As events want it.
fn receipt() -> Box<Receipt> {
    Box::default()
}

/// One ticket whose block was sent.
fn sent() -> (Hand, Ticket, Arc<Prepared>, Attempt) {
    let mut hand = Hand::new();
    hand.0.enqueue();
    assert_eq!(hand.rest(), [Action::AskHead]);
    hand.0.handle(Event::Head(FIRST));
    let (ticket, block, attempt) = hand.prepare(1, FIRST);
    (hand, ticket, block, attempt)
}

/// Goal: a block is on the disk before it is sent, and settled by its receipt.
#[test]
fn a_block_is_written_sent_and_settled() {
    let (mut hand, ticket, block, attempt) = sent();
    hand.0.handle(Event::Answered { attempt, answer: Answer::Sealed(receipt()) });
    assert_eq!(hand.rest(), [Action::Sealed { ticket, block, receipt: receipt() }]);
    assert!(hand.0.is_idle());
}

/// Goal: while it is not known what became of a block, the same bytes go again, after a pause, and nothing else is signed.
#[test]
fn an_open_outcome_sends_the_same_bytes() {
    for reason in [Reason::Stopped, Reason::Busy, Reason::QuotaUsed, Reason::Unreadable] {
        let (mut hand, _, block, attempt) = sent();
        hand.0.enqueue();
        let signing = hand.rest();
        let [Action::Sign { ticket: second, head }] = signing[..] else { panic!("{signing:?}") };
        assert_eq!(hand.answer(attempt, reason), [Action::Wait { ms: 200 }]);
        hand.0.handle(Event::Signed { ticket: second, block: super::tests::block(2, head) });
        assert!(matches!(hand.rest()[..], [Action::Persist { .. }]));
        hand.0.handle(Event::Woken);
        let again = hand.rest();
        let [Action::Send { attempt: next, block: same }] = &again[..] else { panic!("{again:?}") };
        assert_eq!(same, &block);
        // A late answer to the first sending changes nothing.
        assert_eq!(hand.answer(attempt, Reason::InvalidDate), []);
        hand.0.handle(Event::Answered { attempt: *next, answer: Answer::Open(Open::Lost(String::new())) });
        assert_eq!(hand.rest(), [Action::Wait { ms: 400 }]);
    }
}

/// Goal: what the operator must mend first is told at once; the block stays, as it may be sealed yet.
#[test]
fn what_only_the_operator_mends_is_not_waited_for() {
    for reason in [Reason::NoRoom, Reason::ClockMoved] {
        let (mut hand, _, block, attempt) = sent();
        let last = Open::Refused(Box::new(refusal(reason.clone())));
        assert_eq!(hand.answer(attempt, reason), [Action::Halt(Halt::Unsettled(last))]);
        assert_eq!(hand.0.blocks().map(|block| block.id).collect::<Vec<_>>(), [block.id]);
    }
}

/// Goal: a clock that has only to catch up is waited for, as long as the node says.
#[test]
fn a_clock_that_catches_up_is_waited_for() {
    let (mut hand, .., attempt) = sent();
    let moved = Refusal { retry_after_ms: 5_000, ..refusal(Reason::ClockMoved) };
    hand.0.handle(Event::Answered { attempt, answer: Answer::Refused(Box::new(moved)) });
    assert_eq!(hand.rest(), [Action::Wait { ms: 5_000 }]);
}

/// Goal: after so many tries the core halts, and the block stays on the disk.
#[test]
fn it_halts_after_so_many_tries() {
    let (mut hand, .., mut attempt) = sent();
    for _ in 1..Settings::default().tries_max {
        assert!(matches!(hand.answer(attempt, Reason::Stopped)[..], [Action::Wait { .. }]));
        hand.0.handle(Event::Woken);
        attempt = hand.sending();
    }
    let last = Open::Refused(Box::new(refusal(Reason::Stopped)));
    assert_eq!(hand.answer(attempt, Reason::Stopped), [Action::Halt(Halt::Unsettled(last))]);
    assert_eq!(hand.answer(attempt, Reason::Stopped), []);
}

/// Goal: `STALE_HEAD` on our own block means that it is sealed; on another's, a new one is signed.
#[test]
fn a_stale_head_is_compared() {
    for is_ours in [true, false] {
        let (mut hand, ticket, block, attempt) = sent();
        assert_eq!(hand.answer(attempt, Reason::StaleHead), [Action::AskHead]);
        let head = ChainHead { next_height: 1, previous: Digest([9; 32]), created_at_minute: 0 };
        hand.0.handle(Event::Head(head));
        assert_eq!(hand.rest(), [Action::AskBlock { height: 0 }]);
        let leaf = if is_ours { block.leaf } else { Digest([9; 32]) };
        hand.0.handle(Event::Stands { height: 0, leaf, receipt: receipt() });
        let after = hand.rest();
        if is_ours {
            assert_eq!(after, [Action::Sealed { ticket, block, receipt: receipt() }]);
        } else {
            assert_eq!(after, [Action::Forget { blocks: vec![block] }, Action::Sign { ticket, head }]);
        }
    }
}

/// Goal: a decision by a rule is its maker's to answer, and nothing behind it is signed until then.
#[test]
fn a_refusal_waits_for_its_maker() {
    let (mut hand, first, block, attempt) = sent();
    hand.0.enqueue();
    let next = block.head();
    let (second, behind, _) = hand.prepare(2, next);
    assert_eq!(hand.answer(attempt, Reason::InvalidDate), [Action::AskHead]);
    hand.0.handle(Event::Head(FIRST));
    let told = hand.rest();
    let forget = Action::Forget { blocks: vec![behind, block] };
    assert_eq!(told, [forget, Action::Refused { ticket: first, refusal: Box::new(refusal(Reason::InvalidDate)) }]);
    hand.0.revise(first);
    let (again, revised, _) = hand.prepare(3, FIRST);
    assert_eq!(again, first);
    let (rebuilt, ..) = hand.prepare(2, revised.head());
    assert_eq!(rebuilt, second);
}

/// Goal: a refusal behind a block that has not settled says nothing: the same bytes go again once that one has.
#[test]
fn behind_an_unsettled_block_a_refusal_is_open() {
    for reason in [Reason::WrongHeight, Reason::WrongPrevious, Reason::InvalidDate] {
        let (mut hand, first, block, attempt) = sent();
        hand.0.enqueue();
        let (_, behind, second) = hand.prepare(2, block.head());
        hand.0.handle(Event::Answered { attempt, answer: Answer::Open(Open::Lost(String::new())) });
        assert_eq!(hand.rest(), [Action::Wait { ms: 200 }]);
        assert_eq!(hand.answer(second, reason), []);
        hand.0.handle(Event::Woken);
        let again = hand.rest();
        let [Action::Send { attempt, block: same }] = &again[..] else { panic!("the first alone: {again:?}") };
        assert_eq!(same, &block);
        hand.0.handle(Event::Answered { attempt: *attempt, answer: Answer::Sealed(receipt()) });
        let settled = hand.rest();
        let [Action::Sealed { ticket, .. }, Action::Send { block: same, .. }] = &settled[..] else {
            panic!("{settled:?}")
        };
        assert_eq!((ticket, same), (&first, &behind));
    }
}

/// Goal: where a node refuses a block's place and shows a head that contradicts that, the same bytes go again.
#[test]
fn a_head_that_fits_leaves_it_open() {
    for reason in [Reason::WrongHeight, Reason::WrongPrevious, Reason::StaleHead] {
        let (mut hand, _, block, attempt) = sent();
        assert_eq!(hand.answer(attempt, reason), [Action::AskHead]);
        hand.0.handle(Event::Head(FIRST));
        assert_eq!(hand.rest(), [Action::Wait { ms: 200 }]);
        hand.0.handle(Event::Woken);
        assert!(matches!(&hand.rest()[..], [Action::Send { block: same, .. }] if *same == block));
    }
}

/// Goal: after a restart the same bytes go first; of what is refused then, the caller is told, as nobody can make it anew.
#[test]
fn a_restart_sends_the_same_bytes() {
    let first = block(1, FIRST);
    let second = block(2, first.head());
    let mut hand = Hand::new();
    let tickets = hand.0.restore(vec![Arc::clone(&first), Arc::clone(&second)]);
    let third = hand.0.enqueue();
    let sent = hand.rest();
    let [Action::Send { attempt, block: one }, Action::Send { block: two, .. }, Action::Sign { ticket, .. }] =
        &sent[..]
    else {
        panic!("{sent:?}")
    };
    assert_eq!((one, two, *ticket), (&first, &second, third));
    assert_eq!(hand.answer(*attempt, Reason::KeyRevoked), [Action::AskHead]);
    hand.0.handle(Event::Head(FIRST));
    let refusal = Some(Box::new(refusal(Reason::KeyRevoked)));
    let dropped = |ticket, block, refusal| Action::Dropped { ticket, block, refusal };
    let expected = [
        Action::Forget { blocks: vec![Arc::clone(&second), Arc::clone(&first)] },
        dropped(tickets[0], first, refusal),
        dropped(tickets[1], second, None),
        Action::Sign { ticket: third, head: FIRST },
    ];
    assert_eq!(hand.rest(), expected);
}

/// Goal: a head that cannot be read is asked for again; then the core halts.
#[test]
fn questions_are_repeated() {
    let mut hand = Hand::new();
    hand.0.enqueue();
    for _ in 1..Settings::default().tries_max {
        assert_eq!(hand.rest(), [Action::AskHead]);
        hand.0.handle(Event::Unread(Open::Lost(String::new())));
        assert!(matches!(hand.rest()[..], [Action::Wait { .. }]));
        hand.0.handle(Event::Woken);
    }
    assert_eq!(hand.rest(), [Action::AskHead]);
    hand.0.handle(Event::Unread(Open::Lost(String::new())));
    assert!(matches!(hand.rest()[..], [Action::Halt(Halt::Unsettled(_))]));
}

/// Goal: no more blocks are in flight than allowed, each signed on the one before it.
#[test]
fn so_many_blocks_are_in_flight() {
    let mut hand = Hand::new();
    let max = Settings::default().in_flight_max;
    for _ in 0..=max {
        hand.0.enqueue();
    }
    assert!(!hand.0.has_room());
    assert_eq!(hand.rest(), [Action::AskHead]);
    hand.0.handle(Event::Head(FIRST));
    let mut head = FIRST;
    let mut first = None;
    for number in 1..=u8::try_from(max).expect("small") {
        let (_, block, attempt) = hand.prepare(number, head);
        head = block.head();
        first.get_or_insert(attempt);
    }
    assert_eq!(hand.rest(), []);
    hand.0.handle(Event::Answered { attempt: first.expect("one"), answer: Answer::Sealed(receipt()) });
    let next = hand.rest();
    assert!(matches!(&next[..], [Action::Sealed { .. }, Action::Sign { head: on, .. }] if *on == head), "{next:?}");
}

/// Goal: what only the operator can mend, and what does not verify, is tried once more only.
#[test]
fn what_cannot_be_waited_for_halts_soon() {
    let internal = Refusal { code: Code::Internal as u32, ..refusal(Reason::Internal) };
    for open in [Open::Unverified("a lie".to_owned()), Open::Refused(Box::new(internal))] {
        let (mut hand, .., attempt) = sent();
        hand.0.handle(Event::Answered { attempt, answer: Answer::Open(open.clone()) });
        assert!(matches!(hand.rest()[..], [Action::Wait { .. }]));
        hand.0.handle(Event::Woken);
        let attempt = hand.sending();
        hand.0.handle(Event::Answered { attempt, answer: Answer::Open(open.clone()) });
        assert_eq!(hand.rest(), [Action::Halt(Halt::Unsettled(open))]);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(debug_assertions) { 400 } else { 20_000 }))]

    /// Goal: whatever a node, a network, another registrar and crashes do, in any order: no second header is sent for a
    /// height while the first may still be accepted; everything ends sealed once, or reported refused; nothing is lost.
    #[test]
    fn nothing_is_lost_or_signed_twice(choices in proptest::collection::vec(any::<u16>(), 40..400)) {
        World::new(12).run(&choices)?;
    }
}
