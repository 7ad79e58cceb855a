//! A conversion in words, step by step.

use creditbank_protocol::Place;
use creditbank_protocol::pb::{
    AgreementTerms, Amount, AmountSteps, Conversion, ConversionSource, ConvertedCredit, Course, Grade, GradeMethod,
    GradeSteps, Level, Ratio, Rounding,
};

use crate::Registry;
use crate::agreement::{show, show_level};
use crate::decimal::show_e4;

/// Lines that a person can follow: by what right, what was converted, how the amount came about, what each result is.
pub fn explain(conversion: &Conversion, registry: &Registry) -> Vec<String> {
    let agreement = conversion.agreement.as_ref();
    let agreement = agreement.and_then(|name| registry.agreement(&name.code, name.version));
    let terms = agreement.map(crate::Agreement::terms);
    let mut lines = vec![basis(conversion, terms)];
    lines.extend(conversion.sources.iter().zip(1..).map(|(source, number)| self::source(source, number)));
    if let Some(steps) = &conversion.amount_steps {
        amounts(&mut lines, steps, terms);
    }
    for result in &conversion.results {
        let at = usize::try_from(result.source_plus_1).unwrap_or(0).checked_sub(1);
        let source = at.and_then(|at| conversion.sources.get(at));
        lines.push(self::result(result, source));
        lines.extend(grade(result, source));
        lines.extend(fractions(result));
    }
    lines
}

fn basis(conversion: &Conversion, terms: Option<&AgreementTerms>) -> String {
    let day = conversion.decided.as_ref().map_or(String::new(), |day| format!(", decided {}", crate::dates::show(day)));
    let Conversion { agreement, equivalence, assessment, declared, .. } = conversion;
    let right = match (agreement, equivalence, assessment, declared) {
        (Some(name), ..) => {
            let parties = terms.map(|terms| format!(" between institutions {} and {}", terms.sender, terms.receiver));
            format!("by agreement {}{}", show(&name.code, name.version), parties.unwrap_or_default())
        }
        (_, Some(name), ..) => {
            format!("by equivalence {} of institution {}", show(&name.code, name.version), name.institution)
        }
        (_, _, Some(assessment), _) => format!("by assessment of {} ({})", assessment.assessor, assessment.method),
        (.., Some(declared)) => {
            format!("declared, not recomputed: decision {} by {}", declared.reference, declared.legal_basis)
        }
        (None, None, None, None) => "by no stated right".to_owned(),
    };
    format!("{right}{day}")
}

fn amount(amount: Option<&Amount>) -> String {
    amount.map_or("no amount".to_owned(), |amount| format!("{} {}", show_e4(amount.e4), amount.unit))
}

fn in_scale(grade: &Grade) -> String {
    format!("{} in {}", grade.value, grade.scale)
}

fn code(course: Option<&Course>) -> &str {
    course.map_or("", |course| course.code.as_str())
}

fn source(source: &ConversionSource, number: u32) -> String {
    let of = format!("{} of institution {}", code(source.course.as_ref()), source.institution);
    let facts = facts(source.amount.as_ref(), source.level.as_ref(), source.grade.as_ref());
    format!("source {number}: {of}, {facts}")
}

fn facts(amount: Option<&Amount>, level: Option<&Level>, grade: Option<&Grade>) -> String {
    let level = level.map_or("no level stated".to_owned(), show_level);
    let grade = grade.map_or("ungraded".to_owned(), in_scale);
    format!("{}, {level}, {grade}", self::amount(amount))
}

/// `7`, or `22/3`, in units of credit.
fn exact(numerator: &str, denominator: &str) -> String {
    let Some((numerator, denominator)) = numerator.parse::<u128>().ok().zip(denominator.parse::<u128>().ok()) else {
        return format!("{numerator}/{denominator} ten-thousandths");
    };
    let Some(units) = denominator.checked_mul(10_000).filter(|units| *units > 0) else {
        return format!("{numerator}/{denominator} ten-thousandths");
    };
    num_rational::Ratio::new(numerator, units).to_string()
}

fn amounts(lines: &mut Vec<String>, steps: &AmountSteps, terms: Option<&AgreementTerms>) {
    let ratio = steps.ratio.unwrap_or_default();
    let unit = terms.map_or("", |terms| terms.target_unit.as_str());
    let here = exact(&steps.exact_numerator, &steps.exact_denominator);
    let (by, over) = (ratio.numerator, ratio.denominator);
    lines.push(format!("{} times {by}/{over} is {here} {unit}", amount(steps.sum.as_ref())));
    if product(steps).is_some_and(|product| product != here) {
        lines.push("less than the product: nothing becomes more than it has been in this unit before".to_owned());
    }
    if steps.before_numerator != "0" || steps.given_before_e4 > 0 {
        let before = exact(&steps.before_numerator, &steps.before_denominator);
        lines.push(format!(
            "earlier conversions under this agreement: exactly {before}, given {}",
            show_e4(steps.given_before_e4)
        ));
    }
    let how = terms.map_or(String::new(), |terms| {
        let direction = match terms.rounding() {
            Rounding::Down | Rounding::Unspecified => "down",
            Rounding::HalfEven => "to the nearest, halves to the even",
            Rounding::HalfUp => "to the nearest, halves up",
        };
        format!(" {direction} to a multiple of {}", show_e4(terms.step_e4))
    });
    lines.push(format!("together, rounded once{how}: {} {unit}", show_e4(steps.rounded_e4)));
    if steps.over_learner_cap_e4 > 0 {
        lines.push(format!("the agreement's cap for one learner takes away {}", show_e4(steps.over_learner_cap_e4)));
    }
    if steps.over_root_cap_e4 > 0 {
        let taken = show_e4(steps.over_root_cap_e4);
        lines.push(format!("{taken} cannot be placed: nothing becomes more than it has been in this unit before"));
    }
    lines.push(format!("granted: {} {unit}", show_e4(steps.granted_e4)));
}

/// Sum times ratio, as [`exact`] writes it.
fn product(steps: &AmountSteps) -> Option<String> {
    let ratio = steps.ratio.as_ref()?;
    let numerator = u128::from(steps.sum.as_ref()?.e4) * u128::from(ratio.numerator);
    Some(exact(&numerator.to_string(), &ratio.denominator.to_string()))
}

fn result(result: &ConvertedCredit, source: Option<&ConversionSource>) -> String {
    let from = match source {
        Some(_) => format!("source {}", result.source_plus_1),
        None if result.declared && result.roots.is_empty() => "declared".to_owned(),
        None => "all sources".to_owned(),
    };
    let course = code(result.course.as_ref());
    let course = if course.is_empty() { String::new() } else { format!(" for {course}") };
    let facts = facts(result.amount.as_ref(), result.level.as_ref(), result.grade.as_ref());
    format!("{from}{course}: {facts}")
}

fn grade(result: &ConvertedCredit, source: Option<&ConversionSource>) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(steps) = &result.grade_steps {
        lines.push(method(steps, source.and_then(|source| source.grade.as_ref())));
    }
    if let Some(suggested) = &result.suggested {
        lines.push(format!("  suggested was {}; another because: {}", in_scale(suggested), result.override_reason));
    }
    lines
}

fn method(steps: &GradeSteps, grade: Option<&Grade>) -> String {
    let grade = grade.map_or("the grade", |grade| grade.value.as_str());
    match steps.method() {
        GradeMethod::Ects => {
            let point = |ratio: &Option<Ratio>| ratio.as_ref().map_or(String::new(), percent);
            let named = |found: &Option<creditbank_protocol::pb::DistributionName>| {
                found.as_ref().map_or(String::new(), |found| format!("{}/{}", found.institution, found.number))
            };
            format!(
                "  {grade} lies from {} to {} of the passing grades in distribution {}, laid over distribution {}",
                point(&steps.from),
                point(&steps.until),
                named(&steps.source_distribution),
                named(&steps.target_distribution)
            )
        }
        GradeMethod::Formula => {
            let exact = steps.exact_e4.unwrap_or_default();
            let exact = self::exact(&exact.numerator.to_string(), &exact.denominator.to_string());
            format!("  {grade} is exactly {exact} by the agreement's formula, then rounded as it says")
        }
        GradeMethod::Table => format!("  {grade} by the agreement's table"),
        GradeMethod::None | GradeMethod::Unspecified => "  grades are not converted".to_owned(),
    }
}

/// A share in percent, cut to two decimals.
fn percent(ratio: &Ratio) -> String {
    let parts = u128::from(ratio.numerator) * 10_000 / u128::from(ratio.denominator.max(1));
    format!("{}.{:02} %", parts / 100, parts % 100)
}

/// Roots of which it stands for less than the whole.
fn fractions(result: &ConvertedCredit) -> Vec<String> {
    let partial = result.roots.iter().filter_map(|root| {
        let fraction = root.fraction.filter(|fraction| fraction.numerator != fraction.denominator)?;
        let place = Place::read(root.place);
        let (by, over) = (fraction.numerator, fraction.denominator);
        Some(format!("  it stands for {by}/{over} of record {place}"))
    });
    partial.collect()
}
