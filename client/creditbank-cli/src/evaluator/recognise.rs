//! `recognise`: what a qualification is comparable to here, or the credit from which it exempts. A diploma of elsewhere is
//! recorded first, where the ledger does not have it.

mod diploma;
mod exempt;
mod roots;

use std::path::PathBuf;

use creditbank_client::recognition::consent::mandate;
use creditbank_client::sealing::{Contents, record};
use creditbank_protocol::pb::{self, Kind, RecognitionForm};
use creditbank_protocol::{Alias, Place, names};
use creditbank_rules::conversion::{drawn, exempted};
use creditbank_rules::dates;
use creditbank_rules::decimal::show_e4;
use prost_reflect::prost::Message as _;
use serde_json::json;

use self::diploma::Diploma;
use super::late::{self, WhyLate};
use super::mandated::{Mandated, wish};
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
    #[command(flatten)]
    diploma_says: Diploma,
    /// The diploma of elsewhere as it is recorded already, with its status id, as 34/0:STATUS-ID: see the refusal
    /// `DUPLICATE_RECORD`
    #[arg(long, value_name = "PLACE:ID", value_parser = diploma::named, conflicts_with_all = ["award", "titles"])]
    diploma: Option<pb::RecordReference>,
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
    /// With exemptions for a diploma of elsewhere: how much credit the whole of it is, as "180 ECTS". What all awards count by
    /// recognitions of it is at most that
    #[arg(long, value_name = "AMOUNT UNIT", value_parser = exempt::amount, requires = "method")]
    size: Option<pb::Amount>,
    /// How the size was found, as "stated in the diploma supplement"
    #[arg(long, value_name = "TEXT", default_value = "", requires = "size")]
    method: String,
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
            _ if self.award.is_none() && self.size.is_none() && !self.exempt.is_empty() => usage(
                "--exempt: expected how much credit the whole diploma is (--size) and how that was found (--method)",
            ),
            _ => Ok(()),
        }
    }
}

pub(crate) async fn run(global: &Global, arguments: Arguments) -> Result<(), Failure> {
    arguments.fits()?;
    let consent = arguments.mandated.consent()?;
    let shown = arguments.transcript.as_ref().map(|path| Shown::read(global, path)).transpose()?;
    let client = global.connect().await?;
    let Arguments { alias, diploma_says, diploma, award, form, decision, legal_basis, size, method, .. } = arguments;
    let Arguments { comparable_to, level, mut exempt, decider, decided, expires, signing, .. } = arguments;
    let unit = signing.unit(global, &client).await?;
    let qualification = match (award, diploma) {
        (Some(place), _) => Some(reference(&client, shown.as_ref(), place).await?),
        (None, Some(known)) => Some(known),
        (None, None) => {
            let by = (&alias, &arguments.mandated, &consent);
            diploma::find(global, &client, &unit, diploma_says, by, &signing).await?
        }
    };
    let Some(qualification) = qualification else { return Ok(()) };
    let counted = match award.filter(|_| !exempt.is_empty() && size.is_none()) {
        Some(place) => Some(roots::of_award(&client, shown.as_ref(), place).await?),
        None => None,
    };
    let count = exempt.len();
    for one in &mut exempt {
        let amount = one.amount.clone().unwrap_or_default();
        one.roots = match (&counted, &size) {
            (Some((counted, declared)), _) => {
                one.declared = *declared;
                exempted(counted, &amount, count).map_err(roots::refused)?
            }
            (None, Some(size)) => vec![drawn(&qualification, size, &amount).map_err(roots::refused)?],
            (None, None) => Vec::new(),
        };
    }
    let decided = decided.unwrap_or_else(creditbank_client::today);
    let draft = pb::QualificationRecognition {
        learner: alias.0.to_vec(),
        qualification: Some(qualification),
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
        size,
        method,
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
    let words = |texts: &[pb::Text]| {
        texts.iter().map(|text| show::safe(&format!("{} ({})", text.value, text.language))).collect::<Vec<_>>()
    };
    let of = made.qualification.as_ref().and_then(|of| of.place).map(|place| values::show_place(&place));
    let form = names::of(made.form());
    let level = made.level.as_ref().map(|level| show::safe(&format!("{} {}", level.framework, level.level)));
    let exemption = |one: &pb::ConvertedCredit| {
        let amount = one.amount.clone().unwrap_or_default();
        let course = one.course.as_ref().map(|course| course.code.clone()).unwrap_or_default();
        show::safe(&format!("{course}: {} {}", show_e4(amount.e4), amount.unit))
    };
    let size = made.size.as_ref().map(|size| show::safe(&format!("{} {}", show_e4(size.e4), size.unit)));
    let exemptions: Vec<String> = made.exemptions.iter().map(exemption).collect();
    let decided = made.decided.as_ref().map(dates::show).unwrap_or_default();
    let value = json!({
        "qualification": of, "form": form, "decided": decided,
        "comparable_to": words(&made.comparable_to), "level": level, "exemptions": exemptions,
        "size": size, "method": show::safe(&made.method),
    });
    let facts = [
        ("qualification", of.unwrap_or_default()),
        ("form", form),
        ("comparable to", words(&made.comparable_to).join("; ")),
        ("level", level.unwrap_or_default()),
        ("exempts from", exemptions.join("; ")),
        ("size", size.unwrap_or_default()),
        ("method", show::safe(&made.method)),
        ("decided", format!("{decided}, by {}", show::safe(&made.decider))),
    ];
    (value, output::facts(facts.into_iter().filter(|(_, text)| !text.is_empty())))
}
