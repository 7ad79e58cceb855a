//! Legal deadlines of recognition.
//!
//! An entry holds what a text says that was found. What none says is left out: a time for a decision or an appeal, what a
//! weekend does to it, who decides. Holidays are no entry's: an operator adds those of the year and the place.

use creditbank_protocol::pb::{
    Date, DeemedNotice, LegalDeadline, NoticeChannel, RecognitionPurpose, Silence, Term, TermStart, TermUnit,
};

use super::{english, sources};

pub(super) fn all() -> Vec<LegalDeadline> {
    let mut all = vec![
        lisbon(),
        eu_professions(),
        german("DE-BQFG-6", "section 6", "of a profession that is not regulated", RecognitionPurpose::Work),
        german("DE-BQFG-13", "section 13", "of a regulated profession", RecognitionPurpose::RegulatedProfession),
        LegalDeadline {
            extension: months(1),
            extension_reasonable: false,
            ..german(
                "DE-BQFG-13-EU",
                "section 13",
                "of a regulated profession, with a certificate of the EU, the EEA or Switzerland",
                RecognitionPurpose::RegulatedProfession,
            )
        },
        nostrification(),
        austrian_assessment(),
        italian(),
        spanish(),
        dutch(),
        norwegian(),
        swedish(),
        danish(),
        french(),
        chinese_certificate(),
        chinese_reconsideration(),
    ];
    all.sort_by(|a, b| a.code.cmp(&b.code));
    all
}

fn entry(code: &str, name: &str, country: &str, legal_basis: &str, published: &[&str]) -> LegalDeadline {
    LegalDeadline {
        code: code.to_owned(),
        names: english(name),
        country: country.to_owned(),
        legal_basis: legal_basis.to_owned(),
        sources: sources(published),
        ..Default::default()
    }
}

#[expect(clippy::unnecessary_wraps, reason = "as the schema has it")]
fn term(amount: u32, unit: TermUnit) -> Option<Term> {
    Some(Term { amount, unit: unit.into() })
}

fn months(amount: u32) -> Option<Term> {
    term(amount, TermUnit::Months)
}

fn weeks(amount: u32) -> Option<Term> {
    term(amount, TermUnit::Weeks)
}

fn days(amount: u32) -> Option<Term> {
    term(amount, TermUnit::Days)
}

fn notice(channel: NoticeChannel, after: Option<Term>, from: Option<Date>, until: Option<Date>) -> DeemedNotice {
    DeemedNotice { channel: channel.into(), after, from, until }
}

/// Four months are not in the convention, and no text gives a number for appeals.
fn lisbon() -> LegalDeadline {
    LegalDeadline {
        decision: months(4),
        decision_from: TermStart::CompleteDocuments.into(),
        silence: Silence::OpensAppeal.into(),
        appeal_instance: "The instance that the law of the authority's country names".to_owned(),
        ..entry(
            "LISBON",
            "Four months from the complete documents (recommendation of 2010); appeals in a reasonable time",
            "",
            "Recommendation on Criteria and Procedures of the Lisbon Convention Committee, Sèvres, 23 June 2010: not above \
             four months; Lisbon Recognition Convention (ETS 165), section III: a reasonable time, reasons, appeal",
            &[
                "Ac coe.int, Recommendation on Criteria and Procedures, 2010; copies: ear.enic-naric.net, nic.gov.ru",
                "An coe.int, ETS 165; text: debates.parlamento.pt 1999-05-13, pages 151 to 156; article III.5 was not read",
            ],
        )
    }
}

fn eu_professions() -> LegalDeadline {
    LegalDeadline {
        purpose: RecognitionPurpose::RegulatedProfession.into(),
        decision: months(3),
        decision_from: TermStart::CompleteDocuments.into(),
        extension: months(1),
        silence: Silence::OpensAppeal.into(),
        appeal_instance: "The court or tribunal that the law of the authority's country names".to_owned(),
        rolls: true,
        ..entry(
            "EU-2005-36",
            "European Union: professional qualifications",
            "",
            "Directive 2005/36/EC, article 51: receipt confirmed in a month, three months from the complete file, one more \
             in the general system; counted as Regulation 1182/71, article 3",
            &[
                "Ac eur-lex.europa.eu, CELEX 31971R1182, article 3(4); the rest of article 3 was not read",
                "Bo businessindenmark.virk.dk: Denmark states the same three and one months",
                "An eur-lex.europa.eu, Directive 2005/36/EC, article 51",
            ],
        )
    }
}

fn german(code: &str, section: &str, of: &str, purpose: RecognitionPurpose) -> LegalDeadline {
    let (new, old) = (Date { year: 2025, month: 1, day: 1 }, Date { year: 2024, month: 12, day: 31 });
    let letters = |amount, from, until| notice(NoticeChannel::Letter, days(amount), from, until);
    let electronic = |amount, from, until| notice(NoticeChannel::Electronic, days(amount), from, until);
    LegalDeadline {
        purpose: purpose.into(),
        decision: months(3),
        decision_from: TermStart::CompleteDocuments.into(),
        extension_reasonable: true,
        stops: "While the authority asks for more, or another procedure runs (section 14)".to_owned(),
        silence: Silence::OpensAppeal.into(),
        appeal_instance: "The authority that hears the objection (Widerspruch), then the administrative court; many \
                          Länder have no objection stage"
            .to_owned(),
        appeal: months(1),
        appeal_untold: months(12),
        rolls: true,
        notices: vec![
            letters(4, Some(new), None),
            letters(3, None, Some(old)),
            electronic(4, Some(new), None),
            electronic(3, None, Some(old)),
            notice(NoticeChannel::Portal, days(1), None, None),
        ],
        ..entry(
            code,
            &format!("Germany: equivalence of a qualification {of}"),
            "DE",
            &format!(
                "BQFG, {section}: receipt confirmed in a month, three months from the complete documents, one extension with \
                 reasons; VwGO, sections 58, 70, 75; VwVfG, sections 31, 41; BGB, sections 187 to 193"
            ),
            &[
                "Ac gesetze-im-internet.de/bqfg, /vwgo, /vwvfg, /bgb; read in a version of March 2022",
                "C weka.de, on BGBl. of 15 July 2024: letters count on day 4 from 2025 on (day 4 of electronic acts is not \
                 confirmed); Länder followed later",
            ],
        )
    }
}

fn nostrification() -> LegalDeadline {
    LegalDeadline {
        purpose: RecognitionPurpose::Study.into(),
        decision: months(3),
        decision_from: TermStart::CompleteDocuments.into(),
        ..austrian(
            "AT-UG-90",
            "Austria: nostrification",
            "Universitätsgesetz 2002, section 90(3): three months from the complete documents; VwGVG, section 7; ZustG, \
             section 26",
            "Ac ris.bka.gv.at, Universitätsgesetz 2002, section 90(3); copy: jusline.at/gesetz/univg/paragraf/90",
        )
    }
}

fn austrian_assessment() -> LegalDeadline {
    LegalDeadline {
        purpose: RecognitionPurpose::Work.into(),
        decision: months(4),
        decision_from: TermStart::Receipt.into(),
        ..austrian(
            "AT-AUBG-7",
            "Austria: recognition and assessment of other qualifications",
            "AuBG, section 7(1): four months (from which event was not read); VwGVG, section 7; ZustG, section 26",
            "Ac ris.bka.gv.at, AuBG, section 7(1)",
        )
    }
}

fn austrian(code: &str, name: &str, legal_basis: &str, published: &str) -> LegalDeadline {
    LegalDeadline {
        appeal_instance: "The administrative court".to_owned(),
        appeal: weeks(4),
        notices: vec![notice(NoticeChannel::Letter, term(3, TermUnit::WorkingDays), None, None)],
        ..entry(
            code,
            name,
            "AT",
            legal_basis,
            &[
                published,
                "C an abstract on ZustG, section 26: the third working day after handing to the post",
                "An ris.bka.gv.at, VwGVG, section 7: four weeks",
            ],
        )
    }
}

fn italian() -> LegalDeadline {
    LegalDeadline {
        purpose: RecognitionPurpose::Study.into(),
        decision: days(90),
        decision_from: TermStart::Receipt.into(),
        stop_days_max: 30,
        silence: Silence::OpensAppeal.into(),
        appeal_instance:
            "The court or the head of state; or the ministry, which has 20 days to ask the university for a \
                          review, and the university 60"
                .to_owned(),
        ..entry(
            "IT-DPR-394",
            "Italy: recognition of degrees by universities",
            "IT",
            "DPR 394/1999, article 48: 90 days from receipt, stopped for further enquiry by at most 30; Law 148/2002, article 3",
            &["Ao gazzettaufficiale.it 099G0265", "C court reports on Law 148/2002, article 3"],
        )
    }
}

fn spanish() -> LegalDeadline {
    LegalDeadline {
        decision: months(6),
        decision_from: TermStart::Receipt.into(),
        silence: Silence::CountsAsRefused.into(),
        appeal_instance: "The superior body".to_owned(),
        appeal: months(1),
        rolls: true,
        ..entry(
            "ES-RD-889",
            "Spain: homologation and equivalence",
            "ES",
            "Real Decreto 889/2022: notified in six months from entry in the register, silence is refusal; Ley 39/2015, \
             articles 30 and 43: an electronic notice unopened for 10 days counts as refused by who is notified",
            &[
                "Ac boe.es, Ley 39/2015, articles 30 and 43; copies: jsolerabogado.com, laboralpensiones.com",
                "C anpegalicia.es, summary of Real Decreto 889/2022; its own text was not read",
            ],
        )
    }
}

fn dutch() -> LegalDeadline {
    LegalDeadline {
        decision: weeks(8),
        decision_from: TermStart::Receipt.into(),
        appeal_instance: "The body that decided (bezwaar), then the court".to_owned(),
        appeal: weeks(6),
        appeal_decision: weeks(6),
        appeal_decision_from: TermStart::AppealPeriod.into(),
        ..entry(
            "NL-AWB",
            "Netherlands: decisions of administrative bodies",
            "NL",
            "Awb, articles 6:7, 6:8 and 7:10: six weeks from the day after notification, and six from the end of that \
             (longer with a committee); article 4:13: eight weeks where no term is set",
            &["Bo infomil.nl (government)", "An wetten.overheid.nl, Awb, article 4:13"],
        )
    }
}

fn norwegian() -> LegalDeadline {
    LegalDeadline {
        appeal_instance: "The body that decided, then an appeals body of the ministry".to_owned(),
        appeal: weeks(3),
        ..entry(
            "NO-FVL",
            "Norway: complaints about recognition",
            "NO",
            "Public Administration Act, sections 28 and 29: three weeks from receipt; no time for the decision was read",
            &["Bo nokut.no; its tasks have moved since"],
        )
    }
}

fn swedish() -> LegalDeadline {
    LegalDeadline {
        appeal_instance: "UHR to the administrative court; of institutions the Higher Education Appeals Board, whose \
                          decision is final"
            .to_owned(),
        appeal: weeks(3),
        ..entry(
            "SE-UHR",
            "Sweden: appeals against recognition",
            "SE",
            "Three weeks from the day on which the decision was received; it must reach who decided by then",
            &["Bo uhr.kb.kundo.se; onh.se"],
        )
    }
}

fn danish() -> LegalDeadline {
    LegalDeadline {
        purpose: RecognitionPurpose::Study.into(),
        appeal_instance: "The Qualifications Board, finally; handed in at the institution".to_owned(),
        appeal: weeks(4),
        ..entry(
            "DK-CREDIT",
            "Denmark: credit and prior learning",
            "DK",
            "Four weeks from receipt; no statutory time for the decision was read. The agency's assessments cannot be appealed",
            &["Bo ufm.dk/en, complaints procedures, recognition of prior learning"],
        )
    }
}

fn french() -> LegalDeadline {
    LegalDeadline {
        appeal_instance: "The administrative court".to_owned(),
        appeal: months(2),
        full_days: true,
        ..entry(
            "FR-CJA",
            "France: decisions before the administrative court",
            "FR",
            "Code de justice administrative, R421-1 and R421-2: two months of full days; two months of silence on a complaint \
             are a refusal. No time for a statement of comparability was read",
            &["Ac contentieux-administratif.fr, on R421-1 and R421-2", "C vagneux.fr"],
        )
    }
}

fn chinese_certificate() -> LegalDeadline {
    LegalDeadline {
        decision: term(20, TermUnit::WorkingDays),
        decision_from: TermStart::Receipt.into(),
        appeal_instance: "The service centre for scholarly exchange, once and free of charge".to_owned(),
        appeal: months(12),
        ..entry(
            "CN-CSCSE",
            "China: certification of foreign degrees, normally 10 to 20 working days by country",
            "CN",
            "《国（境）外学历学位认证办法》: normally 10 to 20 working days; one review within 12 months",
            &["C secondary pages on the centre's service times", "An zwfw.cscse.edu.cn, rules on certification"],
        )
    }
}

fn chinese_reconsideration() -> LegalDeadline {
    LegalDeadline {
        appeal_instance: "The authority of administrative reconsideration, then the court".to_owned(),
        appeal: days(60),
        appeal_decision: days(60),
        appeal_decision_from: TermStart::Receipt.into(),
        rolls: true,
        ..entry(
            "CN-XZFY",
            "China: administrative reconsideration (whether certification is open to it is not confirmed)",
            "CN",
            "Law on Administrative Reconsideration 2023, articles 20, 62 and 88: 60 days from knowing, decided in 60 days from \
             acceptance, 30 more if complex; Civil Procedure Law 2023: an end on a holiday moves on",
            &["Ac Law on Administrative Reconsideration 2023; Civil Procedure Law 2023"],
        )
    }
}
