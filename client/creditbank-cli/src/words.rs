//! Records in words, field by field, by the schema: for people. Programs get `show::body`, which can be read back.

use creditbank_client::authoring::document_in_words;
use creditbank_protocol::pb;
use creditbank_rules::dates;
use creditbank_rules::decimal::show_e4;
use prost_reflect::prost::Message as _;
use prost_reflect::{DynamicMessage, Kind as FieldKind, ReflectMessage as _, Value as Field};

use crate::failure::Failure;
use crate::schema::SCHEMA;
use crate::show::{self, safe};

/// Fields whose name says less than people need.
const LABELS: &[(&str, &str)] = &[
    ("Credit.basis", "basis of the pass"),
    ("Credit.further", "further grades"),
    ("Result.further", "further grades"),
    ("Credit.repeats_max", "counts again, at most"),
    ("Enrolment.definition", "leads to"),
    ("Enrolment.load", "study load"),
];

/// The fields of a record that are there, each with its name and what it says.
pub(crate) fn facts(message: &str, bytes: &[u8]) -> Result<Vec<(String, String)>, Failure> {
    let wrong = |error: &dyn std::fmt::Display| Failure::NotValid(format!("{message} cannot be shown: {error}"));
    let descriptor = SCHEMA.get_message_by_name(&format!("creditbank.v1.{message}"));
    let descriptor = descriptor.ok_or_else(|| wrong(&"it is not in the schema"))?;
    let decoded = DynamicMessage::decode(descriptor, bytes).map_err(|error| wrong(&error))?;
    let label = |name: &str| {
        let full = format!("{message}.{name}");
        let known = LABELS.iter().find(|(of, _)| *of == full).map(|(_, label)| (*label).to_owned());
        known.unwrap_or_else(|| words_of(name))
    };
    Ok(decoded
        .fields()
        .map(|(field, value)| (label(field.name()), of_value(&field.kind(), field.name(), value)))
        .collect())
}

/// `visible from` of `visible_from`; amounts lose their unit of ten-thousandths.
fn words_of(name: &str) -> String {
    name.strip_suffix("_e4").unwrap_or(name).replace('_', " ")
}

fn of_value(kind: &FieldKind, name: &str, value: &Field) -> String {
    match (value, kind) {
        (Field::Message(message), _) => of_message(message),
        (Field::List(list), _) => list.iter().map(|one| of_value(kind, name, one)).collect::<Vec<_>>().join("; "),
        (Field::EnumNumber(number), FieldKind::Enum(known)) if known.name() == "PassBasis" => {
            basis(pb::PassBasis::try_from(*number).unwrap_or_default()).to_owned()
        }
        (Field::EnumNumber(number), FieldKind::Enum(known)) => show::enum_name(known, *number),
        (Field::Bytes(bytes), _) => hex::encode(bytes),
        (Field::String(text), _) => safe(text),
        (Field::Bool(yes), _) => if *yes { "yes" } else { "no" }.to_owned(),
        (Field::U64(e4), _) if name.ends_with("e4") => show_e4(*e4),
        (Field::U32(number), _) => show::field(name, &(*number).into()),
        (Field::U64(number), _) => show::field(name, &(*number).into()),
        // The schema has no other types.
        (other, _) => format!("{other:?}"),
    }
}

/// On what a pass stands, and what that means.
pub(crate) fn basis(basis: pb::PassBasis) -> &'static str {
    match basis {
        pb::PassBasis::Unspecified | pb::PassBasis::Earned => "earned",
        pb::PassBasis::Compensated => "compensated (another result makes up for this one)",
        pb::PassBasis::Condoned => "condoned (a board lets it count)",
        pb::PassBasis::Recognised => "recognised (learned elsewhere)",
        pb::PassBasis::Exempted => "exempted",
    }
}

/// A message as one of its own type.
fn read<M: prost_reflect::prost::Message + Default>(message: &DynamicMessage) -> M {
    M::decode(&message.encode_to_vec()[..]).unwrap_or_default()
}

fn date(date: Option<&pb::Date>) -> String {
    date.map(dates::show).unwrap_or_default()
}

fn of_message(message: &DynamicMessage) -> String {
    match message.descriptor().name() {
        "Date" | "Place" | "Ratio" | "Term" => show::line(&show::of_message(message)),
        "Text" => {
            let pb::Text { language, value } = read(message);
            if language.is_empty() || language == "und" { safe(&value) } else { safe(&format!("{value} ({language})")) }
        }
        "Amount" => {
            let pb::Amount { e4, unit } = read(message);
            format!("{} {}", show_e4(e4), safe(&unit))
        }
        "Grade" => grade(&read(message)),
        "Level" => {
            let pb::Level { framework, level } = read(message);
            safe(&format!("{framework} {level}"))
        }
        "Period" => {
            let pb::Period { from, until } = read(message);
            format!("{} to {}", date(from.as_ref()), date(until.as_ref()))
        }
        "PersonName" => name(&read(message)),
        "QualificationName" => {
            let pb::QualificationName { institution, code, version } = read(message);
            safe(&format!("{institution}/{code}.{version}"))
        }
        "Amends" => {
            let pb::Amends { place, reason } = read(message);
            let place = place.map(|place| format!("{}/{}", place.entry, place.index)).unwrap_or_default();
            format!("{place}, {}", creditbank_protocol::names::of_number::<pb::AmendReason>(reason))
        }
        "AwardDocument" => safe(&document_in_words(&read(message))),
        "RecordReference" => {
            let place = message.get_field_by_name("place");
            let place = place.as_deref().and_then(Field::as_message).map(of_message);
            place.map(|place| format!("record {place}")).unwrap_or_default()
        }
        _ => {
            let fields = message.fields();
            let said = fields.map(|(field, value)| {
                let text = of_value(&field.kind(), field.name(), value);
                // What a thing is called, and in what language, needs no name.
                match field.name() {
                    "code" | "titles" | "type" | "kind" | "value" | "place" | "e4" => text,
                    name => format!("{} {text}", words_of(name)),
                }
            });
            said.filter(|text| !text.is_empty()).collect::<Vec<_>>().join(", ")
        }
    }
}

/// `1.3 in DE-5`.
pub(crate) fn grade(grade: &pb::Grade) -> String {
    safe(&format!("{} in {}", grade.value, grade.scale))
}

/// `DOE, Jane (en)`.
fn name(name: &pb::PersonName) -> String {
    let pb::PersonName { language, full, family, given } = name;
    let parts = [family, given].into_iter().filter(|part| !part.is_empty()).map(String::as_str);
    let apart = parts.collect::<Vec<_>>().join(", ");
    let both = [full.as_str(), &apart].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" = ");
    if language.is_empty() || language == "und" { safe(&both) } else { safe(&format!("{both} ({language})")) }
}

/// Who a person is, as a document says: names, birth date, what was looked at. What is hidden is left out.
pub(crate) fn identity(identity: &pb::Identity) -> String {
    let names: Vec<String> = identity.names.iter().map(name).collect();
    let born = identity.birth_date.as_ref().map(|date| format!("born {}", dates::show(date)));
    let known = |number: i32, text: String| (number != 0).then_some(text);
    let document = creditbank_protocol::names::of_number::<pb::DocumentType>(identity.document);
    let assurance = creditbank_protocol::names::of_number::<pb::Assurance>(identity.assurance);
    let more = [
        born,
        known(identity.document, format!("by {document}")),
        known(identity.assurance, format!("assurance {assurance}")),
    ];
    let names = (!names.is_empty()).then(|| names.join("; "));
    names.into_iter().chain(more.into_iter().flatten()).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use pb::{AwardDocument, DocumentNumber, Enrolment, Grade, QualificationName};

    fn said(message: &str, body: &impl prost_reflect::prost::Message) -> String {
        let facts = facts(message, &body.encode_to_vec()).unwrap_or_else(|_| panic!("it can be shown"));
        facts.into_iter().map(|(name, text)| name + ": " + &text + "\n").collect()
    }

    /// As `2026-01-20`, or a month.
    fn day(text: &str) -> Option<pb::Date> {
        dates::parse(text)
    }

    fn text(language: &str, value: &str) -> pb::Text {
        pb::Text { language: language.to_owned(), value: value.to_owned() }
    }

    /// Goal: what registrars add to a result is said by its name, in words.
    #[test]
    fn a_credit_in_words() {
        let grade = |scale: &str, value: &str| Grade { scale: scale.to_owned(), value: value.to_owned() };
        let credit = pb::Credit {
            course: Some(pb::Course {
                code: "ALG".to_owned(),
                titles: vec![text("en", "Algebra"), text("de", "Algebra I")],
            }),
            amount: Some(pb::Amount { e4: 75_000, unit: "ECTS".to_owned() }),
            grade: Some(grade("FR-20", "12")),
            further: vec![grade("DE-5", "1.3"), grade("AT-5", "1")],
            basis: pb::PassBasis::Condoned.into(),
            period: Some(pb::Period { from: day("2025-09"), until: day("2026-01") }),
            completed: day("2026-01-20"),
            term: "2025\u{7} S1".to_owned(),
            session: "resit".to_owned(),
            visible_from: day("2026-02-01"),
            hours: Some(pb::Hours { kind: pb::HoursKind::Workload.into(), e4: 1_500_000 }),
            ..Default::default()
        };
        let said = said("Credit", &credit);
        for line in [
            "course: ALG, Algebra (en); Algebra I (de)",
            "amount: 7.5 ECTS",
            "grade: 12 in FR-20",
            "further grades: 1.3 in DE-5; 1 in AT-5",
            "basis of the pass: condoned (a board lets it count)",
            "period: 2025-09 to 2026-01",
            "completed: 2026-01-20",
            "term: 2025\u{fffd} S1",
            "session: resit",
            "visible from: 2026-02-01",
            "hours: workload, 150",
        ] {
            assert!(said.contains(&format!("{line}\n")), "{line}: {said}");
        }
    }

    /// Goal: enrolments, identities and documents are said in words too.
    #[test]
    fn other_kinds_in_words() {
        let enrolment = Enrolment {
            programme: Some(pb::Course { code: "INF".to_owned(), titles: vec![text("und", "Informatics")] }),
            definition: Some(QualificationName { institution: 2, code: "BSC".to_owned(), version: 3 }),
            from: day("2024-09"),
            state: pb::EnrolmentState::Leave.into(),
            mode: pb::Mode::OnSite.into(),
            load: pb::StudyLoad::PartTime.into(),
            amends: Some(pb::Amends {
                place: Some(pb::Place { entry: 3, index: 1 }),
                reason: pb::AmendReason::Error.into(),
            }),
            ..Default::default()
        };
        let shown = said("Enrolment", &enrolment);
        for line in [
            "programme: INF, Informatics",
            "leads to: 2/BSC.3",
            "from: 2024-09",
            "state: leave",
            "mode: on-site",
            "study load: part-time",
            "amends: 3/1, error",
        ] {
            assert!(shown.contains(&format!("{line}\n")), "{line}: {shown}");
        }
        let name = |language: &str, full: &str, family: &str, given: &str| pb::PersonName {
            language: language.to_owned(),
            full: full.to_owned(),
            family: family.to_owned(),
            given: given.to_owned(),
        };
        let person = pb::Identity {
            names: vec![name("zh-Hans", "\u{738b}\u{5c0f}\u{660e}", "", ""), name("en", "", "DOE", "Jane")],
            birth_date: day("1999-04-30"),
            document: pb::DocumentType::Passport.into(),
            ..Default::default()
        };
        assert!(said("Identity", &person).contains("names: \u{738b}\u{5c0f}\u{660e} (zh-Hans); DOE, Jane (en)\n"));
        assert_eq!(
            identity(&person),
            "\u{738b}\u{5c0f}\u{660e} (zh-Hans); DOE, Jane (en), born 1999-04-30, by passport"
        );
        assert_eq!(identity(&pb::Identity::default()), "");
        let number =
            |series: &str, number: &str| Some(DocumentNumber { series: series.to_owned(), number: number.to_owned() });
        let award = pb::Award {
            documents: vec![AwardDocument {
                r#type: pb::AwardDocumentType::Replacement.into(),
                number: number("R", "5"),
                issued: day("2026-11-02"),
                state: pb::AwardDocumentState::Issued.into(),
                replaces: number("A", "1"),
                institution: 0,
            }],
            ..Default::default()
        };
        let shown = said("Award", &award);
        assert!(shown.contains("documents: replacement R 5, 2026-11-02, in the place of A 1\n"), "{shown}");
    }
}
