//! Names that columns have in the exports of student systems, in several languages.

use icu_normalizer::ComposingNormalizerBorrowed;

use super::Look;

/// By key, the best names first, in small letters without spaces and signs.
const NAMES: [(&str, &[&str]); 8] = [
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
    ("level", &["level", "eqflevel", "niveau", "nqflevel", "fheqlevel", "livello", "nivel"]),
    ("attempt", &["attempt", "attempts", "numberofattempts", "versuch", "tentative"]),
];

/// A name of which letters and digits alone count.
pub(super) fn folded(name: &str) -> String {
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
    let exact = names.iter().find_map(|name| {
        let mut found = look.columns.iter().filter(|column| folded(&column.name) == *name);
        // Which of two columns of one name is meant, only a person knows.
        found.next().filter(|column| found.next().is_none() && !look.is_twice(&column.name))
    });
    exact.map(|column| column.name.clone())
}
