//! A case: an application for recognition, and what was decided and objected since. Its state is computed from its records.

use std::collections::BTreeMap;

use creditbank_protocol::pb::{self, Decision, DecisionType, Kind, LegalDeadline, Term, TermStart};
use creditbank_protocol::{AccountId, InstitutionId, Place};

use crate::dates::{Day, first_day};
use crate::deadline::{bare_end, end_of, later, rolled, stopped_days};
use crate::{CourseKey, Registry, View, ViewError};

/// A record of a case after its application, by place.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// A decision, or a step towards one.
    Decision(Place, Box<Decision>),
    /// An objection.
    Appeal(Place, Box<pb::Appeal>),
}

impl Step {
    /// Where it stands in the log.
    pub fn place(&self) -> Place {
        match self {
            Self::Decision(place, _) | Self::Appeal(place, _) => *place,
        }
    }

    /// The day on which it was decided, or received.
    pub fn day(&self) -> Day {
        let day = match self {
            Self::Decision(_, read) => &read.decided,
            Self::Appeal(_, read) => &read.received,
        };
        day.as_ref().map_or(0, first_day)
    }

    fn amends(&self) -> Option<Place> {
        let amends = match self {
            Self::Decision(_, read) => &read.amends,
            Self::Appeal(_, read) => &read.amends,
        };
        amends.as_ref().map(|amends| Place::read(amends.place))
    }
}

/// Where a case stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stage {
    /// Open.
    Open {
        /// Last day on which the decision is in time; `None` while documents are missing, and where the law sets no time.
        due: Option<Day>,
        /// The open appeal, if it is one.
        appeal: Option<Place>,
        /// Whether the clock stands still, as documents are missing.
        stopped: bool,
        /// Whether the decision was put off already.
        put_off: bool,
    },
    /// Decided; what can be done against it.
    Decided {
        /// The decision.
        decision: Place,
        /// Whether an appeal is possible.
        appeal: AppealTime,
    },
    /// Decided on appeal, or withdrawn: nothing more can come.
    Closed,
}

/// How long an appeal is possible.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AppealTime {
    /// There is no appeal.
    None,
    /// The time for it has not begun, as the decision is not notified, or the law gives no number.
    Open,
    /// Up to a day.
    Until(Day),
}

impl AppealTime {
    fn of(decision: &Decision) -> Self {
        match &decision.appeal_until {
            _ if decision.appeal_instance.is_empty() => Self::None,
            Some(until) => Self::Until(first_day(until)),
            None => Self::Open,
        }
    }
}

/// An application with all that has followed.
#[derive(Debug, Clone, PartialEq)]
pub struct Case {
    /// Where the application stands.
    pub place: Place,
    /// The application.
    pub application: pb::Application,
    /// What followed and stands, in order: what amends a step stands where that one stood.
    pub steps: Vec<Step>,
    /// What each step that amends another one of the case amends.
    pub amended: BTreeMap<Place, Place>,
}

/// Whether a decision ends a case, or only stops, starts or moves its clock.
pub fn is_final(decision: DecisionType) -> bool {
    !matches!(decision, DecisionType::DocumentsMissing | DecisionType::DocumentsReceived | DecisionType::PutOff)
}

/// Whether a decision recognises something, of which conversions and recognitions may follow.
pub fn grants(decision: DecisionType) -> bool {
    use DecisionType::{Alternative, Conditional, Full, Partial};
    matches!(decision, Full | Partial | Alternative | Conditional)
}

/// Whether a law that knows appeals knows one against such a decision.
pub fn is_appealable(decision: &Decision) -> bool {
    let kind = DecisionType::try_from(decision.r#type).unwrap_or_default();
    is_final(kind) && kind != DecisionType::Withdrawn && decision.application.is_some()
}

/// The last day of an appeal against a decision that counts as notified on a day, which the ledger says since the day
/// `recorded`: before that nobody could see it there, so that the time runs from the later of both. `None` where there is
/// no appeal, where the law gives no number, and while the decision is not notified.
pub fn appeal_until(decision: &Decision, law: &pb::LegalDeadline, notified: Option<Day>, recorded: Day) -> Option<Day> {
    let untold = law.appeal_untold.as_ref().filter(|_| decision.appeal_untold);
    let term = untold.or(law.appeal.as_ref()).filter(|_| is_appealable(decision))?;
    Some(end_of(term, notified?.max(recorded), law))
}

/// Whether two versions of a decision say the same of how it was made known.
pub fn same_notice(one: &Decision, other: &Decision) -> bool {
    let notice = |of: &Decision| (of.r#type, of.channel, of.notified, of.arrived, of.appeal_untold);
    notice(one) == notice(other)
}

/// The case of an application at an institution; `None` where no application stands at the place.
pub fn read(
    view: &impl View,
    account: &AccountId,
    institution: InstitutionId,
    place: Place,
) -> Result<Option<Case>, ViewError> {
    let Some((facts, record)) = view.content_at(place)? else {
        return Ok(None);
    };
    let of_learner = facts.account == *account && facts.institution == institution;
    let gone = facts.marks.have_ended();
    if !of_learner || gone || record.kind() != Kind::Application {
        return Ok(None);
    }
    let Ok(application) = record.read::<pb::Application>() else {
        return Ok(None);
    };
    let (mut steps, mut amended) = (Vec::new(), BTreeMap::new());
    let all = view.held(account, institution, &CourseKey::Case(place))?;
    for held in &all {
        let Some((_, record)) = view.content_at(held.place)? else { continue };
        let step = match record.kind() {
            Kind::Decision => record.read().ok().map(|read| Step::Decision(held.place, Box::new(read))),
            Kind::Appeal => record.read().ok().map(|read| Step::Appeal(held.place, Box::new(read))),
            _ => None,
        };
        let Some(step) = step else { continue };
        let of = step.amends().filter(|of| all.iter().any(|other| other.place == *of));
        amended.extend(of.map(|of| (held.place, of)));
        if !held.marks.have_ended() {
            steps.push(step);
        }
    }
    let mut case = Case { place, application, steps: Vec::new(), amended };
    steps.sort_by_key(|step| case.first(step.place()));
    case.steps = steps;
    Ok(Some(case))
}

impl Case {
    /// The law that it is under.
    pub fn deadline<'a>(&self, registry: &'a Registry) -> Option<&'a LegalDeadline> {
        registry.deadline(&self.application.deadline)
    }

    /// The place at which a step stood first, before it was amended.
    pub fn first(&self, step: Place) -> Place {
        let mut place = step;
        // What amends comes later, so this ends.
        while let Some(of) = self.amended.get(&place).filter(|of| **of < place) {
            place = *of;
        }
        place
    }

    /// The case as it stood before a step, and what has followed on that; without such a step the whole case.
    pub fn before(mut self, step: Option<Place>) -> (Self, Vec<Step>) {
        let at = self.steps.iter().position(|one| Some(one.place()) == step).unwrap_or(self.steps.len());
        let behind = self.steps.split_off(at).into_iter().skip(1).collect();
        (self, behind)
    }

    /// The day before which nothing more can come: that of the last step, or of the application.
    pub fn day(&self) -> Day {
        let received = self.application.received.as_ref().map_or(0, first_day);
        self.steps.iter().map(Step::day).fold(received, Day::max)
    }

    /// Where it stands under a law.
    pub fn stage(&self, law: &LegalDeadline) -> Stage {
        let received = self.application.received.as_ref().map_or(0, first_day);
        let mut clock = Clock::new(law, law.decision, received);
        clock.restarts = law.decision_from() == TermStart::CompleteDocuments;
        let mut appeal = None;
        let mut ended = None;
        let mut appealed = AppealTime::None;
        for step in &self.steps {
            match step {
                Step::Appeal(place, read) => {
                    appeal = Some(*place);
                    ended = None;
                    let received = read.received.as_ref().map_or(0, first_day);
                    let start = match appealed {
                        AppealTime::Until(until) if law.appeal_decision_from() == TermStart::AppealPeriod => until,
                        _ => received,
                    };
                    clock = Clock::new(law, law.appeal_decision, start);
                }
                Step::Decision(place, read) => {
                    let decided = read.decided.as_ref().map_or(0, first_day);
                    match DecisionType::try_from(read.r#type).unwrap_or_default() {
                        DecisionType::DocumentsMissing => clock.stop(decided),
                        DecisionType::DocumentsReceived => clock.go_on(decided),
                        DecisionType::PutOff => clock.put_off(read.put_off_until.as_ref().map_or(0, first_day)),
                        DecisionType::Withdrawn => return Stage::Closed,
                        _ => {
                            appealed = AppealTime::of(read);
                            ended = Some(Stage::Decided { decision: *place, appeal: appealed });
                        }
                    }
                }
            }
        }
        match ended {
            Some(_) if appeal.is_some() => Stage::Closed,
            Some(decided) => decided,
            None => {
                Stage::Open { due: clock.due(), appeal, stopped: clock.stopped.is_some(), put_off: clock.was_put_off }
            }
        }
    }
}

/// The time for a decision, which stands still while documents are missing.
struct Clock<'a> {
    law: &'a LegalDeadline,
    /// The term, and its end before that is moved to a working day; `None` where the law sets no time.
    runs: Option<(Term, Day)>,
    stopped: Option<Day>,
    /// The term runs from the complete documents: it begins when those come that were missing first.
    restarts: bool,
    was_put_off: bool,
}

impl<'a> Clock<'a> {
    fn new(law: &'a LegalDeadline, term: Option<Term>, from: Day) -> Self {
        let runs = term.map(|term| (term, bare_end(term, from, law)));
        Self { law, runs, stopped: None, restarts: false, was_put_off: false }
    }

    fn stop(&mut self, day: Day) {
        self.stopped.get_or_insert(day);
    }

    fn go_on(&mut self, day: Day) {
        let Some(stopped) = self.stopped.take() else { return };
        let restarts = std::mem::take(&mut self.restarts);
        if let Some((term, end)) = &mut self.runs {
            *end = if restarts { bare_end(*term, day, self.law) } else { moved(self.law, *term, *end, stopped, day) };
        }
    }

    fn put_off(&mut self, until: Day) {
        self.was_put_off = true;
        if let Some((_, end)) = &mut self.runs {
            *end = until;
        }
    }

    /// The last day in time. A clock that the law lets stand still for some days only goes on by itself.
    fn due(&self) -> Option<Day> {
        let (term, end) = self.runs?;
        let end = match self.stopped {
            None => end,
            Some(_) if self.law.stop_days_max == 0 => return None,
            Some(stopped) => moved(self.law, term, end, stopped, Day::MAX),
        };
        Some(rolled(end, self.law))
    }
}

/// An end that a stop of the clock has moved.
fn moved(law: &LegalDeadline, term: Term, end: Day, stopped: Day, until: Day) -> Day {
    let most = if law.stop_days_max == 0 { until } else { stopped + Day::from(law.stop_days_max) };
    later(term, end, stopped_days(term, stopped, until.min(most), law), law)
}
