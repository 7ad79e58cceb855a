//! `scale`: grades that mean something.

use creditbank_protocol::pb::{self, Kind};
use creditbank_protocol::registry::RegistryKey;
use creditbank_rules::decimal::parse_e4;
use prost_reflect::prost::Message as _;

use super::publish;
use crate::connect::Global;
use crate::failure::Failure;
use crate::{entries, values};

#[derive(clap::Subcommand)]
pub(crate) enum Command {
    /// Add a grade scale: listed grades, numbers, or both
    Add(Box<Add>),
    /// All grade scales
    List,
}

#[derive(clap::Args)]
pub(crate) struct Add {
    /// Its code, as FR-20
    code: String,
    /// Its name with the language
    #[arg(long = "name", required = true, value_parser = values::text)]
    names: Vec<pb::Text>,
    /// ISO 3166-1 alpha-2
    #[arg(long = "country")]
    countries: Vec<String>,
    /// Grades that pass, best first, as Distinction,Pass
    #[arg(long, value_delimiter = ',')]
    pass: Vec<String>,
    /// Grades that do not pass, best first
    #[arg(long, value_delimiter = ',')]
    fail: Vec<String>,
    /// Smallest number of the scale
    #[arg(long, value_parser = decimal, requires = "max")]
    min: Option<u64>,
    /// Largest number of the scale
    #[arg(long, value_parser = decimal, requires = "pass_at")]
    max: Option<u64>,
    /// Number from which on a grade passes
    #[arg(long, value_parser = decimal, requires = "min")]
    pass_at: Option<u64>,
    /// Step between numbers; left out: any decimal of four places
    #[arg(long, value_parser = decimal)]
    step: Option<u64>,
    /// The smallest number is the best grade
    #[arg(long)]
    lower_is_better: bool,
    /// Where the scale was published: its grade (A official and primary, B official and secondary, C academic, D weak),
    /// how it was read where that is to be said (own-site, copy, not-read), and the address or title, as
    /// "A/copy: example.org/rules"; the best source first
    #[arg(long = "source", required = true, value_parser = values::source_of, value_name = "GRADE: TEXT")]
    sources: Vec<pb::Source>,
    /// Publish a scale anew that is there already
    #[arg(long)]
    replace: bool,
}

fn decimal(text: &str) -> Result<u64, String> {
    parse_e4(text).map_err(|error| error.to_string())
}

pub(crate) async fn run(global: &Global, command: Command) -> Result<(), Failure> {
    let client = global.connect().await?;
    match command {
        Command::Add(add) => {
            let replace = add.replace;
            let entry = scale(*add);
            let what = format!("grade scale {}", entry.code);
            let key = RegistryKey::GradeScale(entry.code.clone());
            publish::refuse_known(&client, &key, &what, replace).await?;
            publish::run(global, &client, &[publish::entry(Kind::GradeScale, &entry)?], &what).await
        }
        Command::List => entries::list(global, &client, Kind::GradeScale, None).await,
    }
}

fn scale(add: Add) -> pb::GradeScale {
    let grade = |pass: bool| move |value: String| pb::ListedGrade { value, pass };
    let listed = add.pass.into_iter().map(grade(true)).chain(add.fail.into_iter().map(grade(false))).collect();
    let numeric = add.min.zip(add.max).zip(add.pass_at).map(|((min_e4, max_e4), pass_e4)| pb::NumericGrades {
        min_e4,
        max_e4,
        pass_e4,
        step_e4: add.step.unwrap_or(0),
        lower_is_better: add.lower_is_better,
    });
    let (mut names, mut countries) = (add.names, add.countries);
    names.sort_by_key(pb::Text::encode_to_vec);
    countries.sort_unstable();
    pb::GradeScale { code: add.code, names, countries, listed, numeric, sources: add.sources }
}
