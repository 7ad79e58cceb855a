//! `creditbank`: what registrars, evaluators, partners, operators and anybody else do from a command line. One folder
//! for each of these users; what several of them need stands beside the folders.

mod anybody;
mod connect;
mod edit;
mod entries;
mod evaluator;
mod failure;
mod files;
mod operator;
mod output;
mod partner;
mod records;
mod registrar;
mod schema;
mod seeds;
mod show;
mod signing;
mod summary;
mod values;
mod whose;
mod words;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use anybody::{audit, keygen, log, pending};
use connect::Global;
use evaluator::{
    agreement, appeal, applications, apply, award, convert, decide, distribution, equivalence, notify, qualification,
    recognise, review,
};
use failure::Failure;
use operator::{accreditation, institution, key, registry, scale, unit};
use partner::{cut, status, transcript, verify};
use registrar::{
    amend, approve, contested, course, enrolment, issue, learner, mapping, reconcile, record, reinstate, revoke,
    seed_secrets, sync,
};

/// The Credit Bank: issue learning outcomes and credits, export transcripts, verify them.
///
/// Every answer of a node is verified against the trust file before it is shown.
///
/// With --json, standard output holds one JSON value, also on failure: {"error": "..."}.
///
/// Exit codes: 0 good; 1 not valid, refused, or nothing done; 2 wrong usage; 3 the node cannot be reached; 4 stale (verify, status).
#[derive(Parser)]
#[command(name = "creditbank", version, arg_required_else_help = true, max_term_width = 100)]
struct Arguments {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Make a key pair in a new file (mode 0600) and print its id and public key
    Keygen(keygen::Arguments),
    /// Institutions of the registry: add, show, list, set their state
    #[command(subcommand)]
    Institution(institution::Command),
    /// Units of an institution, each with a chain of its own
    #[command(subcommand)]
    Unit(unit::Command),
    /// Keys: ask for one, admit, rotate, revoke, list
    #[command(subcommand)]
    Key(key::Command),
    /// What an institution may award credit for
    #[command(subcommand)]
    Accreditation(accreditation::Command),
    /// Grade scales
    #[command(subcommand)]
    Scale(scale::Command),
    /// The registry entry by entry, each with its proof checked
    #[command(subcommand)]
    Registry(registry::Command),
    /// Import a registrar's CSV, workbook or .ods sheet as signed records
    ///
    /// Look first, then issue:
    ///
    ///   creditbank issue results.csv --mapping results.toml --institution 1 --key unit.key --dry-run
    ///
    ///   creditbank issue results.csv --mapping results.toml --institution 1 --key unit.key
    ///
    /// Before anything is signed the first records are shown in words. What must be looked at, such as text in a wrong
    /// encoding or a check digit that fails, stops the run until it is accepted by name (--accept). Lines that break a rule
    /// are listed in FILE.refused.csv with their numbers and reasons; the others go through. Run the same command again
    /// after an interruption: nothing is issued twice. Exit code 1 when lines are refused, and when the file has none.
    #[command(verbatim_doc_comment)]
    Issue(issue::Arguments),
    /// Put other records in the place of wrong ones: one, or a file of them
    ///
    /// The old record stays in the log and is superseded; the new one names it. Run the same command again after an
    /// interruption: nothing is amended twice.
    Amend(Box<amend::Arguments>),
    /// Take records back, with a reason: one, or a file of them
    Revoke(revoke::Arguments),
    /// What a compromised key has sealed
    #[command(subcommand)]
    Contested(contested::Command),
    /// Stand by records that a compromised key has sealed, with a key that is good
    Confirm(contested::Arguments),
    /// Undo what a compromised key has done to records: superseded, revoked, closed a review
    ///
    /// Look at what it has done first, then name the records, with a key that is good:
    ///
    ///   creditbank contested list --institution 1
    ///
    ///   creditbank reinstate --place 34/718 --key new.key
    ///
    ///   creditbank reinstate --all-of-key 65d8ebe3476630c08770115d43faed32 --key new.key
    ///
    /// With a record go the amendment that stood in its place, and the reviews that followed. An award or a conversion
    /// holds again what it had redeemed, or is refused where something else has used it meanwhile.
    #[command(verbatim_doc_comment)]
    Reinstate(reinstate::Arguments),
    /// Approve, as a second person, what another has prepared with --require-approval
    Approve(approve::Arguments),
    /// Bring the ledger to what the student system's whole file says: issue what is new, amend what has changed
    ///
    /// Lines are recognised by the mapping's `record_id` (or `reference`) columns. What was issued before is read from
    /// the ledger itself; the notes in --work only save time. A record that the file no longer has is reported and
    /// never revoked. A record id that now names another learner, or another kind of record, is refused. A blank cell
    /// takes nothing away unless the mapping says blank = "clear". Where more than 5 % of the records have vanished or
    /// lost a value, nothing is signed until --accept vanished. Run it as often as you like: what is unchanged is left
    /// alone, and an interrupted run goes on.
    Sync(sync::Arguments),
    /// The secrets from which the seeds of a unit's records are derived: show, make, destroy
    #[command(subcommand)]
    Seeds(seed_secrets::Command),
    /// Compare what you have with what the ledger holds; writes nothing
    ///
    /// With a file: line by line, as sync would. Without: what sync has noted. The ledger's list is proved complete by
    /// the unit's signed chain. Exit code 1 when there is a difference.
    Reconcile(reconcile::Arguments),
    /// Codes of your courses: which of them name one course, and whether case matters
    #[command(subcommand)]
    Course(course::Command),
    /// Agreements between institutions: propose, accept, end, list, show
    #[command(subcommand)]
    Agreement(agreement::Command),
    /// What an institution accepts as a course of its own
    #[command(subcommand)]
    Equivalence(equivalence::Command),
    /// How an institution's grades are distributed
    #[command(subcommand)]
    Distribution(distribution::Command),
    /// Credit of others as credit of yours: preview it step by step, then record it
    #[command(subcommand)]
    Convert(convert::Command),
    /// Record an application for recognition
    Apply(Box<apply::Arguments>),
    /// Decide on an application or an appeal
    Decide(Box<decide::Arguments>),
    /// Record how and when a decision was made known: from then on the time for an appeal runs
    Notify(Box<notify::Arguments>),
    /// Say what a qualification of elsewhere is comparable to, or the credit from which it exempts
    Recognise(Box<recognise::Arguments>),
    /// Record an appeal against a decision
    Appeal(Box<appeal::Arguments>),
    /// The applications of an institution, overdue ones first
    Applications(applications::Arguments),
    /// The records of an institution that are under review, as something that they stand on has changed
    Reviews(review::List),
    /// One record that is under review
    #[command(subcommand)]
    Review(review::Command),
    /// What awards ask for, how far a learner is, and awards
    #[command(subcommand)]
    Qualification(qualification::Command),
    /// An award that was made
    #[command(subcommand)]
    Award(award::Command),
    /// What the columns of a file mean: examples, and a first mapping for a file
    #[command(subcommand)]
    Mapping(mapping::Command),
    /// One record
    #[command(subcommand)]
    Record(record::Command),
    /// Enrolments of learners on programmes
    #[command(subcommand)]
    Enrolment(enrolment::Command),
    /// Learners and their records
    #[command(subcommand)]
    Learner(learner::Command),
    /// Export a learner's records as a transcript file with all proofs
    Transcript(transcript::Arguments),
    /// Check a transcript file offline: what is proved, and by whom
    Verify(verify::Arguments),
    /// Make a transcript with some of a transcript's records
    Cut(cut::Arguments),
    /// Ask the node for the newest status of a transcript's records, and put it into the file
    Status(status::Arguments),
    /// Replay the whole log with nothing but the trust file
    ///
    /// Chains, signatures under the keys in force, registry, status, and every field of every seal are recomputed, up
    /// to the newest checkpoint. The first contradiction is named exactly, with what was expected and found: exit code
    /// 1.
    Audit(audit::Arguments),
    /// Blocks that a command has left under way, as the node did not say what became of them: show them, give them up
    Pending(pending::Arguments),
    /// The public log: checkpoint, entries, proofs
    #[command(subcommand)]
    Log(log::Command),
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let json = arguments.global.json;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let done = match runtime {
        Ok(runtime) => runtime.block_on(run(arguments)),
        Err(error) => Err(Failure::Usage(format!("the runtime does not start: {error}"))),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            if json && !matches!(failure, Failure::Told(_) | Failure::Stale(_)) {
                let _ = output::line(&serde_json::json!({ "error": failure.to_string() }).to_string());
            }
            eprintln!("error: {failure}");
            failure.exit_code()
        }
    }
}

async fn run(Arguments { global, command }: Arguments) -> Result<(), Failure> {
    match command {
        Command::Keygen(arguments) => keygen::run(&global, &arguments),
        Command::Institution(command) => institution::run(&global, command).await,
        Command::Unit(command) => unit::run(&global, command).await,
        Command::Key(command) => Box::pin(key::run(&global, command)).await,
        Command::Accreditation(command) => accreditation::run(&global, command).await,
        Command::Scale(command) => scale::run(&global, command).await,
        Command::Registry(command) => registry::run(&global, command).await,
        Command::Issue(arguments) => Box::pin(issue::run(&global, arguments)).await,
        Command::Amend(arguments) => amend::run(&global, *arguments).await,
        Command::Revoke(arguments) => revoke::run(&global, arguments).await,
        Command::Contested(command) => contested::run(&global, command).await,
        Command::Confirm(arguments) => contested::confirm(&global, arguments).await,
        Command::Reinstate(arguments) => reinstate::run(&global, arguments).await,
        Command::Approve(arguments) => approve::run(&global, &arguments),
        Command::Sync(arguments) => Box::pin(sync::run(&global, arguments)).await,
        Command::Seeds(command) => seed_secrets::run(&global, command),
        Command::Reconcile(arguments) => reconcile::run(&global, arguments).await,
        Command::Course(command) => course::run(&global, command).await,
        Command::Agreement(command) => agreement::run(&global, command).await,
        Command::Equivalence(command) => equivalence::run(&global, command).await,
        Command::Distribution(command) => distribution::run(&global, command).await,
        Command::Convert(command) => convert::run(&global, command).await,
        Command::Apply(arguments) => apply::run(&global, *arguments).await,
        Command::Decide(arguments) => decide::run(&global, *arguments).await,
        Command::Notify(arguments) => notify::run(&global, *arguments).await,
        Command::Recognise(arguments) => recognise::run(&global, *arguments).await,
        Command::Appeal(arguments) => appeal::run(&global, *arguments).await,
        Command::Applications(arguments) => applications::run(&global, arguments).await,
        Command::Reviews(arguments) => review::list(&global, &arguments).await,
        Command::Review(command) => review::run(&global, command).await,
        Command::Qualification(command) => Box::pin(qualification::run(&global, command)).await,
        Command::Award(command) => award::run(&global, command).await,
        Command::Mapping(command) => mapping::run(&global, command),
        Command::Record(command) => record::run(&global, command).await,
        Command::Enrolment(command) => enrolment::run(&global, command).await,
        Command::Learner(command) => learner::run(&global, command).await,
        Command::Transcript(arguments) => transcript::run(&global, arguments).await,
        Command::Verify(arguments) => verify::run(&global, &arguments).await,
        Command::Cut(arguments) => cut::run(&global, &arguments),
        Command::Status(arguments) => status::run(&global, arguments).await,
        Command::Audit(arguments) => audit::run(&global, &arguments).await,
        Command::Pending(arguments) => pending::run(&global, arguments).await,
        Command::Log(command) => log::run(&global, command).await,
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    /// Goal: no command's options contradict each other, which clap would find only when the command is used.
    #[test]
    fn every_command_is_well_formed() {
        super::Arguments::command().debug_assert();
    }
}
