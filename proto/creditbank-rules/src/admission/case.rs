//! A case: an application for recognition, and what was decided and objected since. Its state is computed from its records.

use creditbank_protocol::pb::{self, Decision, DecisionType, Kind, LegalDeadline};
use creditbank_protocol::{AccountId, InstitutionId, Place};

use crate::dates::{Day, first_day};
use crate::{CourseKey, Registry, View, ViewError};

/// A record of a case after its application, by place.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// A decision, or a step towards one.
    Decision(Place, Box<Decision>),
    /// An objection.
    Appeal(Place, Box<pb::Appeal>),
}

/// Where a case stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stage {
    /// Open: the last day on which the decision is in time; `None` while documents are missing. `appeal` is the place of the
    /// appeal that is open, if it is one.
    Open {
        /// Last day in time.
        due: Option<Day>,
        /// The open appeal.
        appeal: Option<Place>,
    },
    /// Decided, and an appeal is possible until a day.
    Decided {
        /// The decision.
        decision: Place,
        /// Last day of an appeal.
        appeal_until: Option<Day>,
    },
    /// Decided on appeal, or withdrawn: nothing more can come.
    Closed,
}

/// An application with all that has followed.
#[derive(Debug, Clone, PartialEq)]
pub struct Case {
    /// Where the application stands.
    pub place: Place,
    /// The application.
    pub application: pb::Application,
    /// What followed and stands, by place.
    pub steps: Vec<Step>,
}

/// Whether a decision ends a case, or only stops and starts its clock.
pub fn is_final(decision: DecisionType) -> bool {
    !matches!(decision, DecisionType::DocumentsMissing | DecisionType::DocumentsReceived)
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
    let mut found = Vec::new();
    for held in view.held(account, institution, &CourseKey::Case(place))? {
        if held.marks.have_ended() {
            continue;
        }
        let Some((_, record)) = view.content_at(held.place)? else { continue };
        match record.kind() {
            Kind::Decision => found.extend(record.read().ok().map(|read| Step::Decision(held.place, Box::new(read)))),
            Kind::Appeal => found.extend(record.read().ok().map(|read| Step::Appeal(held.place, Box::new(read)))),
            _ => {}
        }
    }
    Ok(Some(Case { place, application, steps: found }))
}

impl Case {
    /// The law that it is under.
    pub fn deadline<'a>(&self, registry: &'a Registry) -> Option<&'a LegalDeadline> {
        registry.deadline(&self.application.deadline)
    }

    /// Where it stands under a law.
    pub fn stage(&self, law: &LegalDeadline) -> Stage {
        let received = self.application.received.as_ref().map_or(0, first_day);
        let mut clock = Clock::new(received, law.decision_days);
        let mut appeal = None;
        let mut ended = None;
        for step in &self.steps {
            match step {
                Step::Appeal(place, read) => {
                    appeal = Some(*place);
                    ended = None;
                    clock = Clock::new(read.received.as_ref().map_or(0, first_day), law.appeal_decision_days);
                }
                Step::Decision(place, read) => {
                    let decided = read.decided.as_ref().map_or(0, first_day);
                    match DecisionType::try_from(read.r#type).unwrap_or_default() {
                        DecisionType::DocumentsMissing => clock.stop(decided),
                        DecisionType::DocumentsReceived => clock.go_on(decided),
                        DecisionType::Withdrawn => return Stage::Closed,
                        _ => {
                            let appeal_until = read.appeal_until.as_ref().map(first_day);
                            ended = Some(Stage::Decided { decision: *place, appeal_until });
                        }
                    }
                }
            }
        }
        match ended {
            Some(_) if appeal.is_some() => Stage::Closed,
            Some(decided) => decided,
            None => Stage::Open { due: clock.due(), appeal },
        }
    }
}

/// A legal deadline that stands still while documents are missing.
struct Clock {
    due: Day,
    stopped: Option<Day>,
}

impl Clock {
    fn new(from: Day, days: u32) -> Self {
        Self { due: from + Day::from(days), stopped: None }
    }

    fn stop(&mut self, day: Day) {
        self.stopped.get_or_insert(day);
    }

    fn go_on(&mut self, day: Day) {
        if let Some(stopped) = self.stopped.take() {
            self.due += (day - stopped).max(0);
        }
    }

    fn due(&self) -> Option<Day> {
        self.stopped.is_none().then_some(self.due)
    }
}
