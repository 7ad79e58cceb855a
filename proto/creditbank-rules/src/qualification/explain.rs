//! Requirements in words.

use creditbank_protocol::counted;
use creditbank_protocol::pb::{
    AssessmentType, Match, Mode, Origin, OutcomeType, PassBasis, QualificationDefinition, QualificationName, Ratio,
    Requirement, RequirementType,
};

use super::grades::GradeOrder;
use super::measure::{Case, Finding, Measure, among_needed, asked};
use super::tree::Tree;
use crate::Rejection;
use crate::dates::{date_of, show};
use crate::decimal::show_e4;

/// One requirement in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Its number, from 1.
    pub number: u32,
    /// Its level, from 1.
    pub depth: usize,
    /// What it asks.
    pub text: String,
}

/// A definition in words, one line a requirement, in order.
pub fn explain(definition: &QualificationDefinition) -> Result<Vec<Line>, Rejection> {
    let tree = Tree::of(definition)?;
    let mut lines = Vec::with_capacity(tree.size());
    let mut open = vec![0];
    // Depth first: a reader sees children under their parent.
    while let Some(position) = open.pop() {
        let text = describe(&tree, definition, position);
        let title = tree.node(position).titles.first().map(|title| format!("{}: ", title.value)).unwrap_or_default();
        lines.push(Line { number: Tree::number(position), depth: tree.depth(position), text: title + &text });
        open.extend(tree.children(position).iter().rev());
    }
    Ok(lines)
}

fn percent(share: Option<&Ratio>) -> String {
    let share = share.copied().unwrap_or_default();
    let e4 = u128::from(share.numerator) * 1_000_000;
    match e4.checked_rem(u128::from(share.denominator)) {
        Some(0) => {
            let percent = u64::try_from(e4 / u128::from(share.denominator)).unwrap_or(u64::MAX);
            format!("{} %", show_e4(percent))
        }
        _ => format!("{}/{}", share.numerator, share.denominator),
    }
}

fn name(name: &QualificationName) -> String {
    let version = if name.version == 0 { String::new() } else { format!(" version {}", name.version) };
    format!("{} of institution {}{version}", name.code, name.institution)
}

fn in_months(months: u32) -> String {
    counted(months, "month", "months")
}

/// What a node asks.
fn describe(tree: &Tree<'_>, definition: &QualificationDefinition, position: usize) -> String {
    let node = tree.node(position);
    let Requirement { choose, amount_e4, months, .. } = node;
    let unit = &definition.unit;
    let amount = || format!("{} {unit}", show_e4(*amount_e4));
    let bound = || if node.share.is_some() { percent(node.share.as_ref()) } else { amount() };
    let which = describe_match(asked(node));
    let children = tree.children(position).len();
    match tree.kind(position) {
        RequirementType::Unspecified => "nothing that is known".to_owned(),
        RequirementType::All => format!("all of these {children}"),
        RequirementType::Any => format!("at least {choose} of these {children}"),
        RequirementType::Credits => format!("at least {} from records{which}", amount()),
        RequirementType::Courses => {
            let others = Match { courses: Vec::new(), ..asked(node).clone() };
            format!("each of the courses {}{}", asked(node).courses.join(", "), describe_match(&others))
        }
        RequirementType::Outcome => {
            let least =
                node.minimum.as_ref().map(|minimum| format!(" of at least {} in {}", minimum.value, minimum.scale));
            format!("{}{}{which}", outcome(node.outcome), least.unwrap_or_default())
        }
        RequirementType::Award => {
            let listed: Vec<String> = node.awards.iter().map(name).collect();
            format!("an award: {}", listed.join(" or "))
        }
        RequirementType::Attestation => format!("an attestation: {}", node.code),
        RequirementType::Enrolment => format!("at least {} at the awarding institution", in_months(*months)),
        RequirementType::AtLeast => format!("of what counts here, at least {} from records{which}", bound()),
        RequirementType::AtMost => format!("of what counts here, at most {} from records{which}", bound()),
        RequirementType::Average => {
            let least = node.minimum.as_ref().map_or("", |minimum| minimum.value.as_str());
            format!("a mean grade of what counts here of at least {least} in {}", definition.average_scale)
        }
        RequirementType::Among => among(node, &which, unit),
        RequirementType::Age => format!("nothing that counts here is older than {} at conferral", in_months(*months)),
    }
}

/// What an AMONG asks: `of what counts here, at least 2 of the courses A, B, C`.
fn among(node: &Requirement, which: &str, unit: &str) -> String {
    let wanted = asked(node);
    let others = || describe_match(&Match { courses: Vec::new(), ..wanted.clone() });
    let what = match (node.amount_e4, wanted.courses.as_slice()) {
        (0, []) => match among_needed(node) {
            1 => format!("at least 1 record{which}"),
            several => format!("at least {several} records{which}"),
        },
        (0, courses) => {
            let each = if node.choose == 0 { "each".to_owned() } else { format!("at least {}", node.choose) };
            format!("{each} of the courses {}{}", courses.join(", "), others())
        }
        (e4, _) => format!("at least {} {unit} from records{which}", show_e4(e4)),
    };
    format!("among what counts here, {what}")
}

fn outcome(number: i32) -> &'static str {
    match OutcomeType::try_from(number).unwrap_or_default() {
        OutcomeType::Unspecified => "an outcome",
        OutcomeType::MoocCertificate => "a MOOC certificate",
        OutcomeType::WorkExperience => "work experience",
        OutcomeType::TestScore => "a test score",
        OutcomeType::NonFormalCourse => "a non-formal course",
        OutcomeType::PriorLearning => "prior learning",
    }
}

fn mode(number: i32) -> &'static str {
    match Mode::try_from(number).unwrap_or_default() {
        Mode::Unspecified => "unknown",
        Mode::OnSite => "on site",
        Mode::Online => "online",
        Mode::Blended => "blended",
        Mode::WorkBased => "work-based",
        Mode::Rpl => "prior learning",
    }
}

fn origin(number: i32) -> &'static str {
    match Origin::try_from(number).unwrap_or_default() {
        Origin::Unspecified => "unknown",
        Origin::Own => "own",
        Origin::Transfer => "transfer",
        Origin::Rpl => "prior learning",
        Origin::NonFormal => "non-formal",
        Origin::Exemption => "exemption",
    }
}

fn assessment(number: i32) -> &'static str {
    match AssessmentType::try_from(number).unwrap_or_default() {
        AssessmentType::Unspecified => "unknown",
        AssessmentType::Exam => "exam",
        AssessmentType::Coursework => "coursework",
        AssessmentType::Mixed => "mixed",
        AssessmentType::Portfolio => "portfolio",
        AssessmentType::Practical => "practical",
        AssessmentType::Thesis => "thesis",
        AssessmentType::Attendance => "attendance",
    }
}

fn basis(number: i32) -> &'static str {
    match PassBasis::try_from(number).unwrap_or_default() {
        PassBasis::Unspecified | PassBasis::Earned => "earned",
        PassBasis::Compensated => "compensated",
        PassBasis::Condoned => "condoned",
        PassBasis::Recognised => "recognised",
        PassBasis::Exempted => "exempted",
    }
}

/// Which records, as a clause that begins with a blank; empty where nothing is asked.
pub fn describe_match(asked: &Match) -> String {
    let Match {
        levels,
        fields,
        institutions,
        modes,
        courses,
        course_prefixes,
        origins,
        assessments,
        esco_uris,
        bases,
        after_enrolment,
    } = asked;
    let levels: Vec<String> = levels.iter().map(|level| format!("{} {}", level.framework, level.level)).collect();
    let institutions: Vec<String> = institutions.iter().map(u64::to_string).collect();
    let words = |numbers: &[i32], word: fn(i32) -> &'static str| -> Vec<String> {
        numbers.iter().map(|number| word(*number).to_owned()).collect()
    };
    let clauses = [
        ("at level", levels),
        ("in field", fields.clone()),
        ("of institution", institutions),
        ("in mode", words(modes, mode)),
        ("of course", courses.clone()),
        ("of courses beginning with", course_prefixes.clone()),
        ("of origin", words(origins, origin)),
        ("assessed by", words(assessments, assessment)),
        ("with outcome", esco_uris.clone()),
        ("that were", words(bases, basis)),
    ];
    let stated = clauses.iter().filter(|(_, list)| !list.is_empty());
    let text = stated.fold(String::new(), |text, (clause, list)| text + " " + clause + " " + &list.join(" or "));
    if *after_enrolment { text + " that ended after the enrolment" } else { text }
}

/// What a requirement expects, for a refusal.
pub(crate) fn expects(case: &Case<'_>, position: usize) -> String {
    describe(&case.tree, case.definition, position)
}

/// What was found instead.
pub(crate) fn finds(case: &Case<'_>, position: usize, finding: &Finding) -> String {
    let unit = &case.definition.unit;
    let amount = |e4: u64| format!("{} {unit}", show_e4(e4));
    match &finding.measure {
        Measure::Children { hold, needed } => format!("{hold} of {needed}"),
        Measure::AtLeast { found_e4, needed_e4 } => {
            let missing = needed_e4.saturating_sub(*found_e4);
            format!("{} of {}, {} missing", amount(*found_e4), amount(*needed_e4), amount(missing))
        }
        Measure::AtMost { found_e4, allowed_e4 } => {
            let over = found_e4.saturating_sub(*allowed_e4);
            format!("{} of {} allowed, {} too many", amount(*found_e4), amount(*allowed_e4), amount(over))
        }
        Measure::Courses { missing } => format!("nothing for {}", missing.join(", ")),
        Measure::Among { found, needed, missing } if missing.is_empty() => format!("{found} of {needed}"),
        Measure::Among { found, needed, missing } => {
            format!("{found} of {needed}, nothing for {}", missing.join(", "))
        }
        Measure::Present(true) => "it".to_owned(),
        Measure::Present(false) => "none".to_owned(),
        Measure::Enrolment { span: None, .. } => "no time at the awarding institution".to_owned(),
        Measure::Enrolment { span: Some((first, last)), gaps } => {
            let without =
                if *gaps > 0 { format!(", {gaps} days of it not enrolled or on leave") } else { String::new() };
            format!("{} to {}{without}", show(&date_of(*first)), show(&date_of(*last)))
        }
        Measure::Average { mean_e4: None, .. } => "no grade that enters the mean".to_owned(),
        Measure::Average { mean_e4: Some(mean), order, .. } => {
            // Shown with four places, away from what would pass.
            let whole = mean.numerator() / mean.denominator();
            let inexact = !mean.numerator().is_multiple_of(mean.denominator());
            let up = u128::from(*order == GradeOrder::LowerIsBetter && inexact);
            show_e4(u64::try_from(whole + up).unwrap_or(u64::MAX))
        }
        Measure::Age { too_old } => {
            let shown: Vec<String> =
                too_old.iter().map(|position| case.candidates[*position].portion().to_string()).collect();
            let months = in_months(case.tree.node(position).months);
            format!("{} older than {months}", shown.join(", "))
        }
    }
}
