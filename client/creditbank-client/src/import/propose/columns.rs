//! Names that columns have in the exports of student systems, in several languages.

use icu_normalizer::ComposingNormalizerBorrowed;

use super::Look;

/// By key, the best names first, in small letters without spaces and signs.
const NAMES: [(&str, &[&str]); 7] = [
    (
        "learner",
        &[
            "studentnumber",
            "studentno",
            "studentid",
            "idstudent",
            "sisuserid",
            "studentsourcedid",
            "registrationnumber",
            "idnumber",
            "matrikelnummer",
            "matrikelnr",
            "matriculation",
            "matricola",
            "matricula",
            "num\u{e9}rodetudiant",
            "num\u{e9}ro\u{e9}tudiant",
            "nia",
            "apprenant",
            "studentennummer",
            "opiskelijanumero",
            "studieid",
            "\u{5b66}\u{53f7}",
            "\u{5b78}\u{865f}",
            "\u{5b66}\u{7c4d}\u{756a}\u{53f7}",
            "\u{d559}\u{bc88}",
            "student",
            "sid",
            "studentidentifier",
        ],
    ),
    (
        "course_code",
        &[
            "coursecode",
            "courseid",
            "codemodule",
            "modulecode",
            "numberofthecourse",
            "coursenumber",
            "courseno",
            "subjectcode",
            "lvnr",
            "lvnummer",
            "pr\u{fc}fungsnummer",
            "modulnummer",
            "codeue",
            "codeapog\u{e9}e",
            "codiceinsegnamento",
            "codigoasignatura",
            "section",
            "\u{8bfe}\u{7a0b}\u{4ee3}\u{7801}",
            "\u{8bfe}\u{7a0b}\u{53f7}",
            "\u{8ab2}\u{7a0b}\u{4ee3}\u{78bc}",
            "course",
            "module",
            "code",
        ],
    ),
    (
        "title",
        &[
            "coursetitle",
            "coursename",
            "moduletitle",
            "modulename",
            "title",
            "titel",
            "bezeichnung",
            "intitul\u{e9}",
            "libell\u{e9}",
            "denominazione",
            "asignatura",
            "\u{8bfe}\u{7a0b}\u{540d}\u{79f0}",
            "\u{8ab2}\u{7a0b}\u{540d}\u{7a31}",
            "\u{79d1}\u{76ee}\u{540d}",
            "name",
        ],
    ),
    (
        "credits",
        &[
            "credits",
            "ects",
            "ectscredits",
            "creditpoints",
            "credit",
            "cfu",
            "cr\u{e9}ditos",
            "cr\u{e9}dits",
            "lp",
            "leistungspunkte",
            "op",
            "studiepoeng",
            "\u{5b66}\u{5206}",
            "\u{5b78}\u{5206}",
            "\u{5358}\u{4f4d}\u{6570}",
            "hours",
        ],
    ),
    (
        "grade",
        &[
            "grade",
            "finalgrade",
            "finalscore",
            "coursetotalreal",
            "mark",
            "note",
            "score",
            "result",
            "voto",
            "nota",
            "cijfer",
            "arvosana",
            "karakter",
            "\u{6210}\u{7ee9}",
            "\u{6210}\u{7e3e}",
            "\u{6210}\u{7e3e}\u{8a55}\u{4fa1}",
            "points",
        ],
    ),
    (
        "period",
        &[
            "term",
            "semester",
            "semesterofthecourse",
            "codepresentation",
            "session",
            "period",
            "ann\u{e9}e",
            "annoaccademico",
            "cursoacad\u{e9}mico",
            "\u{5b66}\u{5e74}\u{5b66}\u{671f}",
            "\u{5b66}\u{671f}",
            "\u{5b78}\u{671f}",
            "academicyear",
        ],
    ),
    ("attempt", &["attempt", "attempts", "numberofattempts", "versuch", "tentative"]),
];

fn folded(name: &str) -> String {
    ComposingNormalizerBorrowed::new_nfc()
        .normalize(name)
        .to_lowercase()
        .chars()
        .filter(|c| c.is_alphanumeric())
        .collect()
}

/// The column that a key is usually of.
pub(super) fn guess(look: &Look, key: &str) -> Option<String> {
    let (_, names) = NAMES.iter().find(|(own, _)| *own == key)?;
    let exact = names.iter().find_map(|name| look.columns.iter().find(|column| folded(&column.name) == *name));
    exact.map(|column| column.name.clone())
}

/// How a term such as `2024A` or `2023-2024-1` is written; nothing where that cannot be seen.
pub(super) fn term_pattern(value: &str) -> Option<String> {
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let year = digits(value);
    let rest = value.get(year..)?;
    if year == 4 {
        let next = value[..4].parse::<u32>().ok()?.saturating_add(1).to_string();
        let long = ["-", "/"].iter().find_map(|between| {
            let rest = rest.strip_prefix(between)?.strip_prefix(next.as_str())?;
            Some((between, rest.get(..1).unwrap_or_default(), rest.len() > 1))
        });
        return Some(match long {
            Some((between, sign, true)) if sign.chars().all(|c| !c.is_alphanumeric()) => {
                format!("{{yyyy}}{between}{{yyyy+1}}{sign}{{suffix}}")
            }
            Some((between, _, true)) => format!("{{yyyy}}{between}{{yyyy+1}}{{suffix}}"),
            Some((between, _, false)) => format!("{{yyyy}}{between}{{yyyy+1}}"),
            None if rest.is_empty() => "{yyyy}".to_owned(),
            None if rest.starts_with(['-', '/', ' ', '.']) => format!("{{yyyy}}{}{{suffix}}", &rest[..1]),
            None => "{yyyy}{suffix}".to_owned(),
        });
    }
    if year == 2 && !rest.is_empty() {
        return Some("{yy}{suffix}".to_owned());
    }
    let (words, year) = value.split_once(' ')?;
    let is_word = words.chars().all(char::is_alphabetic);
    (is_word && year.len() == 4 && digits(year) == 4).then(|| "{suffix} {yyyy}".to_owned()).or_else(|| {
        let (first, second) = year.split_once('/')?;
        (is_word && digits(first) == 4 && first.len() == 4 && second.len() == 2)
            .then(|| "{suffix} {yyyy}/{yy+1}".to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terms_as_they_are_written() {
        for (value, pattern) in [
            ("2024A", Some("{yyyy}{suffix}")),
            ("2024-1", Some("{yyyy}-{suffix}")),
            ("2023-2024-1", Some("{yyyy}-{yyyy+1}-{suffix}")),
            ("2023/2024", Some("{yyyy}/{yyyy+1}")),
            ("24W", Some("{yy}{suffix}")),
            ("WS 2024/25", Some("{suffix} {yyyy}/{yy+1}")),
            ("Fall 2024", Some("{suffix} {yyyy}")),
            ("2024 Fall", Some("{yyyy} {suffix}")),
            ("autumn", None),
        ] {
            assert_eq!(term_pattern(value).as_deref(), pattern, "{value}");
        }
    }
}
