//! `recognise`: what a qualification of elsewhere is comparable to here, or the credit from which it exempts.

mod exempt;
mod roots;

use std::path::PathBuf;

use creditbank_client::recognition::consent::mandate;
use creditbank_client::sealing::{Contents, record};
use creditbank_protocol::pb::{self, Kind, RecognitionForm};
use creditbank_protocol::{Alias, Place, names};
use creditbank_rules::conversion::exempted;
use creditbank_rules::dates;
use creditbank_rules::decimal::show_e4;
use prost_reflect::prost::Message as _;
use serde_json::json;

use super::late::{self, WhyLate};
use super::mandated::{Mandated, wish};
use super::received::digests;
use super::shown::{Shown, reference};
use crate::connect::Global;
use crate::failure::Failure;
use crate::signing::Signing;
use crate::{output, show, values};

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Your alias of the holder, in hexadecimal
    #[arg(long, value_parser = values::alias)]
    alias: Alias,
    /// Title of the qualification with its language, as "de:Diplom-Ingenieur"; may be repeated
    #[arg(long = "title", value_name = "TEXT", value_parser = values::text, required_unless_present = "award")]
    titles: Vec<pb::Text>,
    /// Who conferred it
    #[arg(long, value_name = "NAME", default_value = "", required_unless_present = "award")]
    conferred_by: String,
    /// The country of whoever conferred it, two capital letters
    #[arg(long, value_name = "CODE", default_value = "", required_unless_present = "award")]
    country: String,
    /// The day or the month of its conferral
    #[arg(long, value_name = "DATE", value_parser = values::date)]
    conferred: Option<pb::Date>,
    /// A document that stays with you: its SHA-256 stands in the record; may be repeated
    #[arg(long, value_name = "FILE", required_unless_present = "award")]
    evidence: Vec<PathBuf>,
    /// The Award of this ledger that it is: entry and index, as 34/718
    #[arg(long, value_name = "PLACE")]
    award: Option<Place>,
    /// The transcript that shows the award, where it is another institution's
    #[arg(long, value_name = "FILE.cbt", requires = "award")]
    transcript: Option<PathBuf>,
    /// statement (an opinion), or decision (with legal effect: it needs --decision and --legal-basis)
    #[arg(long, value_parser = values::named::<RecognitionForm>)]
    form: RecognitionForm,
    /// The Decision that it carries out: see `creditbank decide`
    #[arg(long, value_name = "PLACE")]
    decision: Option<Place>,
    /// The law or statute on which it rests
    #[arg(long, default_value = "")]
    legal_basis: String,
    /// What it is comparable to, with the language, as "en:Master of Science"; may be repeated
    #[arg(long, value_name = "TEXT", value_parser = values::text)]
    comparable_to: Vec<pb::Text>,
    /// The level that it is comparable to, as FHEQ:7
    #[arg(long, value_parser = values::level)]
    level: Option<pb::Level>,
    /// Credit from which it exempts: course, amount and unit, perhaps level and title, as "MATH-101:12 ECTS:EQF:6=Analysis";
    /// may be repeated
    #[arg(long = "exempt", value_name = "COURSE:AMOUNT UNIT", value_parser = exempt::read)]
    exempt: Vec<pb::ConvertedCredit>,
    /// The person who answers for it
    #[arg(long, value_name = "NAME")]
    decider: String,
    /// The day by which it is judged [default: today]
    #[arg(long, value_name = "DATE", value_parser = values::date)]
    decided: Option<pb::Date>,
    /// The last day or month on which it counts; left out: no end
    #[arg(long, value_name = "DATE", value_parser = values::date)]
    expires: Option<pb::Date>,
    #[command(flatten)]
    late: WhyLate,
    #[command(flatten)]
    mandated: Mandated,
    #[command(flatten)]
    signing: Signing,
}

/// Texts as the set that they are.
fn set(mut texts: Vec<pb::Text>) -> Vec<pb::Text> {
    texts.sort_by_cached_key(pb::Text::encode_to_vec);
    texts.dedup();
    texts
}

impl Arguments {
    /// What a form needs and has to be without.
    fn fits(&self) -> Result<(), Failure> {
        let decides = self.form == RecognitionForm::Decision;
        let usage = |text: &str| Err(Failure::Usage(text.to_owned()));
        match (decides, self.decision) {
            (true, None) => usage("--form decision: expected the Decision that it carries out (--decision PLACE)"),
            (true, _) if self.legal_basis.is_empty() => usage("--form decision: expected its --legal-basis"),
            (false, Some(_)) => usage("--decision: expected --form decision, for a statement carries out none"),
            _ if self.comparable_to.is_empty() && self.level.is_none() && self.exempt.is_empty() => {
                usage("expected what it is comparable to (--comparable-to, --level) or exemptions (--exempt)")
            }
            _ => Ok(()),
        }
    }
}

pub(crate) async fn run(global: &Global, arguments: Arguments) -> Result<(), Failure> {
    arguments.fits()?;
    let consent = arguments.mandated.consent()?;
    let evidence = digests(&arguments.evidence)?;
    let shown = arguments.transcript.as_ref().map(|path| Shown::read(global, path)).transpose()?;
    let client = global.connect().await?;
    let Arguments { alias, titles, conferred_by, country, conferred, award, form, decision, legal_basis, .. } =
        arguments;
    let Arguments { comparable_to, level, mut exempt, decider, decided, expires, signing, .. } = arguments;
    let unit = signing.unit(global, &client).await?;
    if let Some(place) = award.filter(|_| !exempt.is_empty()) {
        let (roots, declared) = roots::of_award(&client, shown.as_ref(), place).await?;
        let count = exempt.len();
        for one in &mut exempt {
            one.declared = declared;
            let amount = one.amount.clone().unwrap_or_default();
            one.roots = exempted(&roots, &amount, count).map_err(roots::refused)?;
        }
    }
    let award = match award {
        Some(place) => Some(reference(&client, shown.as_ref(), place).await?),
        None => None,
    };
    let decided = decided.unwrap_or_else(creditbank_client::today);
    let draft = pb::QualificationRecognition {
        learner: alias.0.to_vec(),
        qualification: Some(pb::ForeignQualification {
            titles: set(titles),
            institution: conferred_by,
            country,
            conferred,
            award,
            evidence,
        }),
        form: form.into(),
        comparable_to: set(comparable_to),
        level,
        exemptions: exempt,
        decision: decision.and_then(Place::written),
        decider,
        legal_basis,
        decided: Some(decided),
        mandate: None,
        expires,
        amends: None,
        late: arguments.late.complete(late::of_decision(&decided, None), &signing)?,
    };
    let wish = wish(&signing.reference, &draft)?;
    let given = arguments.mandated.given(&consent, &signing.reference);
    let given = mandate(client.origin(), &unit, Kind::QualificationRecognition, &draft, given)?;
    let made = pb::QualificationRecognition { mandate: Some(given), ..draft };
    let contents = Contents::of([record(&unit, Kind::QualificationRecognition, &made, &signing.reference)?]);
    if signing.resumed(global, &client, &unit, &wish, told(&made).0).await? {
        return Ok(());
    }
    signing.seal(global, &client, &unit, &contents.requested(&wish), told(&made)).await
}

/// What was recognised, for programs and for people.
fn told(made: &pb::QualificationRecognition) -> (serde_json::Value, String) {
    let found = made.qualification.clone().unwrap_or_default();
    let words = |texts: &[pb::Text]| {
        texts.iter().map(|text| show::safe(&format!("{} ({})", text.value, text.language))).collect::<Vec<_>>()
    };
    let award = found.award.and_then(|award| award.place).map(|place| values::show_place(&place));
    let form = names::of(made.form());
    let level = made.level.as_ref().map(|level| show::safe(&format!("{} {}", level.framework, level.level)));
    let exemption = |one: &pb::ConvertedCredit| {
        let amount = one.amount.clone().unwrap_or_default();
        let course = one.course.as_ref().map(|course| course.code.clone()).unwrap_or_default();
        show::safe(&format!("{course}: {} {}", show_e4(amount.e4), amount.unit))
    };
    let exemptions: Vec<String> = made.exemptions.iter().map(exemption).collect();
    let decided = made.decided.as_ref().map(dates::show).unwrap_or_default();
    let value = json!({
        "qualification": words(&found.titles), "award": award, "form": form, "decided": decided,
        "comparable_to": words(&made.comparable_to), "level": level, "exemptions": exemptions,
        "evidence": found.evidence.iter().map(hex::encode).collect::<Vec<_>>(),
    });
    let by = [found.institution, found.country].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>();
    let facts = [
        ("qualification", words(&found.titles).join("; ")),
        ("conferred by", show::safe(&by.join(", "))),
        ("award", award.unwrap_or_default()),
        ("form", form),
        ("comparable to", words(&made.comparable_to).join("; ")),
        ("level", level.unwrap_or_default()),
        ("exempts from", exemptions.join("; ")),
        ("documents", found.evidence.len().to_string()),
        ("decided", format!("{decided}, by {}", show::safe(&made.decider))),
    ];
    (value, output::facts(facts.into_iter().filter(|(_, text)| !text.is_empty())))
}
