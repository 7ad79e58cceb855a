//! `registry`: entries of any kind.

mod correct_time;
mod load;
mod succeed;

use creditbank_protocol::counted;
use creditbank_protocol::pb::{Kind, RegistryPolicy};
use creditbank_protocol::registry::RegistryKey;
use creditbank_protocol::{InstitutionId, LogIndex};

use super::publish;
use crate::connect::Global;
use crate::failure::Failure;
use crate::{entries, values};

#[derive(clap::Subcommand)]
pub(crate) enum Command {
    /// All entries of a kind
    List {
        /// institution, unit, key, accreditation, credit-unit, framework, grade-scale, level-map, legal-deadline,
        /// country, field-of-education; what the operator has decided about the log: registry-policy,
        /// registry-succession, log-succession, time-correction; and what institutions publish: agreement-proposal,
        /// agreement-acceptance, agreement-ending, equivalence, qualification-definition, grade-distribution, course-alias,
        /// course-codes
        #[arg(value_parser = values::kind)]
        kind: Kind,
        /// Only those of one institution
        #[arg(long)]
        institution: Option<InstitutionId>,
    },
    /// One entry, by its code or name
    Show {
        /// credit-unit, framework, grade-scale, level-map, legal-deadline, country, field-of-education,
        /// agreement-proposal, agreement-acceptance, agreement-ending, equivalence, qualification-definition,
        /// grade-distribution, course-alias or course-codes
        #[arg(value_parser = values::kind)]
        kind: Kind,
        /// Its code; of an agreement CODE.VERSION, of an equivalence or a qualification INSTITUTION/CODE.VERSION, of a
        /// distribution INSTITUTION.NUMBER, of an alias of a course INSTITUTION/CODE, of course-codes the institution
        code: String,
    },
    /// Add or replace entries from a file
    ///
    /// A framework, level map, credit unit, grade scale, legal deadline or any other entry of the operator's, changed
    /// from what `registry show --json` prints or written anew. It acts on what is sealed from now on; what was decided
    /// before keeps the version of its day. Entries that stand as they are in the file are left alone.
    Publish(load::Arguments),
    /// Entries that a new node does not have, as their only sources are weak
    ///
    /// As TOML for `creditbank registry publish FILE`. No authority stands behind them: whoever publishes one has checked
    /// it.
    ShowWeak {
        /// Only the entry of this code, as CN-5
        code: Option<String>,
    },
    /// Let the registry key that was committed to take over
    ///
    /// As planned, with both keys:
    ///   creditbank registry succeed --registry-key registry.key --key next-registry.key --then third.key --case 2026/7
    /// After a theft or a loss, by the next key alone:
    ///   creditbank registry succeed --key next-registry.key --then third.key --case 2026/8 \
    ///     --compromised-since 2026-09-01T08:30Z
    /// The key after the next is made before, on a machine that is offline: creditbank keygen third.key --purpose
    /// registry
    #[command(verbatim_doc_comment)]
    Succeed(Box<succeed::Arguments>),
    /// Go on after the node has sealed under a clock that was ahead
    ///
    /// With the node under the right clock again:
    ///   creditbank registry correct-time --bound 2026-09-01T08:30Z --registry-key registry.key
    /// It finds the seals that say a later time, and writes a request, which a second person approves (`creditbank
    /// approve`); run again, it corrects the time. The log goes on from the bound.
    #[command(verbatim_doc_comment)]
    CorrectTime(correct_time::Arguments),
    /// How many other persons must approve each block of the operator
    ///
    /// Their keys are admitted first: `creditbank keygen --purpose approver`, `creditbank key request --institution 0`,
    /// `creditbank key add`. From then on each change of the registry writes a request, which so many of them approve
    /// (`creditbank approve`), and is made when the same command is run again. Asking for fewer needs as many approvals
    /// as before.
    Approvals {
        /// 0 to 8
        #[arg(value_parser = clap::value_parser!(u32).range(0..=8))]
        number: u32,
    },
}

pub(crate) async fn run(global: &Global, command: Command) -> Result<(), Failure> {
    if let Command::ShowWeak { code } = &command {
        return load::show_weak(global, code.as_deref());
    }
    let client = global.connect().await?;
    match command {
        // Answered above: it needs no node.
        Command::ShowWeak { .. } => Ok(()),
        Command::Publish(arguments) => load::run(global, &client, &arguments).await,
        Command::Succeed(arguments) => succeed::run(global, &client, *arguments).await,
        Command::CorrectTime(arguments) => correct_time::run(global, &client, &arguments).await,
        Command::Approvals { number } => {
            let record = publish::entry(Kind::RegistryPolicy, &RegistryPolicy { approvals: number })?;
            publish::run(
                global,
                &client,
                &[record],
                &format!("a policy of {}", counted(number, "approval", "approvals")),
            )
            .await
        }
        Command::List { kind, institution } => entries::list(global, &client, kind, institution).await,
        Command::Show { kind, code } => {
            let key = key_of(kind, code).map_err(Failure::Usage)?;
            entries::one(global, &client, &key).await
        }
    }
}

/// The key of an entry as people name it.
fn key_of(kind: Kind, code: String) -> Result<RegistryKey, String> {
    Ok(match kind {
        Kind::CreditUnit => RegistryKey::CreditUnit(code),
        Kind::Framework => RegistryKey::Framework(code),
        Kind::GradeScale => RegistryKey::GradeScale(code),
        Kind::LevelMap => RegistryKey::LevelMap(code),
        Kind::LegalDeadline => RegistryKey::LegalDeadline(code),
        Kind::RegistryPolicy => RegistryKey::RegistryPolicy,
        Kind::RegistrySuccession => RegistryKey::RegistrySuccession,
        Kind::LogSuccession => RegistryKey::LogSuccession,
        Kind::TimeCorrection => {
            let expected = |_| "expected the log index of the first wrong seal".to_owned();
            RegistryKey::TimeCorrection(LogIndex(code.parse().map_err(expected)?))
        }
        Kind::Country => RegistryKey::Country(code),
        Kind::FieldOfEducation => RegistryKey::FieldOfEducation(code),
        Kind::AgreementProposal => {
            values::versioned(&code).map(|(code, version)| RegistryKey::AgreementProposal(code, version))?
        }
        Kind::AgreementAcceptance => {
            values::versioned(&code).map(|(code, version)| RegistryKey::AgreementAcceptance(code, version))?
        }
        Kind::AgreementEnding => {
            values::versioned(&code).map(|(code, version)| RegistryKey::AgreementEnding(code, version))?
        }
        Kind::Equivalence => {
            let (institution, code, version) = values::owned_name(&code)?;
            RegistryKey::Equivalence(institution, code, version)
        }
        Kind::QualificationDefinition => {
            let (institution, code, version) = values::owned_name(&code)?;
            RegistryKey::QualificationDefinition(institution, code, version)
        }
        Kind::GradeDistribution => {
            let (institution, number) = values::versioned(&code)?;
            let institution =
                institution.parse::<u64>().map_err(|_| "expected INSTITUTION.NUMBER, as 2.1".to_owned())?;
            RegistryKey::GradeDistribution(institution.into(), number)
        }
        Kind::CourseAlias => {
            let expected = || "expected INSTITUTION/CODE, as 2/WS101".to_owned();
            let (institution, code) = code.split_once('/').ok_or_else(expected)?;
            RegistryKey::CourseAlias(institution.parse::<u64>().map_err(|_| expected())?.into(), code.to_owned())
        }
        Kind::CourseCodes => {
            let institution = code.parse::<u64>().map_err(|_| "expected the number of an institution".to_owned())?;
            RegistryKey::CourseCodes(institution.into())
        }
        _ => return Err("expected a kind that is found by a code".to_owned()),
    })
}
