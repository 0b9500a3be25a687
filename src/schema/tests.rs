//! Every built-in domain, every fault a schema file can have with its line, and the matching of columns.

use super::*;
use crate::limits::schema::{COLUMNS_MAX, FILE_BYTES_MAX};

/// A whole schema in few lines; each test changes one of them.
const SMALL: &str = r#"name = "jobs"
message = "mine.Job"
chunk_field = "job_chunk"
key = "id"
[[column]]
field = "id"
sources = ["Id"]
type = "text"
[[column]]
field = "years"
sources = ["Years"]
type = "int32"
[[column]]
field = "vector"
sources = ["vec"]
type = "vector"
dimensions = [3]
"#;

fn small() -> Domain {
    parse(SMALL, "small.toml").expect("the sample is sound")
}

/// What `parse` says of the small schema after one change.
fn said(from: &str, to: &str) -> String {
    assert!(SMALL.contains(from), "the sample has no {from:?}");
    parse(&SMALL.replacen(from, to, 1), "x.toml").expect_err("the change breaks the schema").to_string()
}

#[test]
fn the_built_in_domains_load_and_do_not_clash() {
    let names: Vec<&str> = builtin().iter().map(|domain| domain.name.as_str()).collect();
    assert_eq!(names, ["recruit", "candidate", "skill_embedding_dic"]);
    for domain in builtin() {
        for name in std::iter::once(&domain.name).chain(&domain.aliases) {
            assert_eq!(find(name), Some(domain), "{name} means two domains");
        }
    }
    assert_eq!(find("skill_dic").map(|domain| domain.name.as_str()), Some("skill_embedding_dic"));
    assert_eq!(find("Recruit"), None);
}

#[test]
fn recruit_says_what_the_published_files_hold() {
    let recruit = find("recruit").expect("built in");
    let fields: Vec<&str> = recruit.columns.iter().map(|column| column.field.as_str()).collect();
    assert_eq!(fields, ["id", "company_name", "exp_years", "english_level", "primary_keyword", "vector"]);
    assert_eq!((recruit.key, recruit.key_format, recruit.vector), (0, KeyFormat::Uuid, 5));
    assert_eq!(recruit.columns[2].coerce, Coerce::Years);
    assert_eq!(recruit.columns[2].null, NullPolicy::Default(DefaultValue::Int(0)));
    assert_eq!(recruit.columns[3].null, NullPolicy::Empty);
    assert_eq!(recruit.columns[5].dimensions, [384, 768, 1536]);
}

#[test]
fn every_field_is_in_the_message_in_the_order_of_its_number() {
    let pool = prost_reflect::DescriptorPool::decode(crate::proto::DESCRIPTORS).expect("our own descriptors");
    let request = pool.get_message_by_name("embedding.IngestDataRequest").expect("the request");
    for domain in builtin() {
        let message = pool.get_message_by_name(&domain.message).expect("the message");
        let numbered: Vec<String> = message.fields().map(|field| field.name().to_owned()).collect();
        let fields: Vec<&str> = domain.columns.iter().map(|column| column.field.as_str()).collect();
        assert_eq!(fields, numbered, "{}", domain.name);
        assert!(request.get_field_by_name(&domain.chunk_field).is_some(), "{}", domain.chunk_field);
    }
}

#[test]
fn the_published_server_s_objects_have_its_keys_in_its_order() {
    let form = |name: &str| find(name).and_then(|domain| domain.json.clone()).expect("built in");
    let keys = |name: &str| form(name).keys.into_iter().map(|key| key.name).collect::<Vec<_>>();
    let recruit = "id position company_name experience_years primary_keyword english_level published_at skills long_description description_lang skills_vector";
    let candidate = "candidate_id position_category experience_years original_resume resume_lang moreinfo looking_for skills skills_vector";
    assert_eq!(keys("recruit").join(" "), recruit);
    assert_eq!(keys("candidate").join(" "), candidate);
    assert_eq!(keys("skill_dic").join(" "), "skill position_category skill_vector");
    assert_eq!(form("skill_embedding_dic").domain, "skill_dic");
    let columns: Vec<_> =
        form("recruit").keys.into_iter().map(|key| key.column.unwrap_or_default()).collect();
    let taken =
        ["id", "", "company_name", "exp_years", "primary_keyword", "english_level", "", "", "", "", "vector"];
    assert_eq!(columns, taken);
}

#[test]
fn files_of_both_systems_match_their_domain_and_no_other() {
    let files: [(&str, &[&str]); 6] = [
        (
            "recruit",
            &["id", "Company Name", "Exp Years", "English Level", "Primary Keyword", "job_post_vectors"],
        ),
        (
            "recruit",
            &[
                "Position",
                "id",
                "Company Name",
                "Exp Years",
                "Primary Keyword",
                "English Level",
                "skills",
                "skills_openai_vector",
            ],
        ),
        (
            "candidate",
            &["candidate_id", "position_category", "experience_years", "original_resume", "skills", "vector"],
        ),
        (
            "candidate",
            &["id", "Primary Keyword", "Experience Years", "English Level", "CV", "skills", "skill_vector"],
        ),
        ("skill_embedding_dic", &["skill", "position_category", "vector"]),
        ("skill_embedding_dic", &["id", "name", "category", "skill_set_openai_vector"]),
    ];
    for (expected, columns) in files {
        let matching: Vec<&str> = builtin()
            .iter()
            .filter(|domain| domain.matches(columns))
            .map(|domain| domain.name.as_str())
            .collect();
        assert_eq!(matching, [expected], "{columns:?}");
    }
}

#[test]
fn names_that_any_table_has_do_not_make_a_dictionary_of_skills() {
    let products = ["name", "category", "vector", "price"];
    let skills = find("skill_dic").expect("built in");
    assert!(skills.missing(&products).is_empty(), "asked for by name, the columns are there");
    assert!(!skills.matches(&products));
}

#[test]
fn the_first_source_present_wins() {
    let recruit = find("recruit").expect("built in");
    let columns = ["vector", "skills_vector", "id"];
    assert_eq!(recruit.source_of(recruit.vector, &columns), Some("skills_vector"));
    assert_eq!(recruit.source_of(1, &columns), None);
    assert_eq!(recruit.source_of(99, &columns), None);
}

#[test]
fn missing_columns_come_with_a_hint() {
    let recruit = find("recruit").expect("built in");
    let columns = ["ID", "Company Name", "Exp_Years", "English Level", "Primary Keyword", "job_post_vector"];
    let missing: Vec<_> = recruit
        .missing(&columns)
        .iter()
        .map(|column| (column.field.as_str(), column.nearest_in(&columns)))
        .collect();
    let expected =
        [("id", Some("ID")), ("exp_years", Some("Exp_Years")), ("vector", Some("job_post_vector"))];
    assert_eq!(missing, expected);
}

#[test]
fn a_file_may_stand_in_for_a_built_in_domain_but_not_take_its_other_names() {
    let recruit = include_str!("../../schemas/recruit.toml").replace("[\"id\"]", "[\"posting\"]");
    assert_eq!(parse(&recruit, "mine.toml").expect("the same name stands in").name, "recruit");
    assert_eq!(
        said("\"jobs\"", "\"skill_dic\""),
        r#"x.toml:1: "skill_dic" already means the built-in domain `skill_embedding_dic`; choose another name"#
    );
    assert_eq!(
        said("\"jobs\"", "\"jobs\"\naliases = [\"j\",\n \"recruit\"]"),
        r#"x.toml:3: "recruit" already means the built-in domain `recruit`; choose another name"#
    );
}

#[test]
fn defaults_without_a_key_are_the_strict_ones() {
    let years = &small().columns[1];
    assert_eq!((years.coerce, &years.null), (Coerce::None, &NullPolicy::Refuse));
    assert!(small().recognised_by.is_empty() && small().matches(&["vec", "Id", "Years"]));
}

/// One change to the small schema, and the whole message it leads to.
const GOLDEN: &[(&str, &str, &str)] = &[
    ("key = ", "key == ", "x.toml:4: not TOML: extra `=`, expected nothing"),
    ("name = \"jobs\"\n", "", "x.toml:1: a schema lacks the key `name`"),
    (
        "\"jobs\"",
        "\"../jobs\"",
        "x.toml:1: `name` cannot be \"../jobs\": a domain's name is a letter, then letters, digits and `_`, at most 64 in all",
    ),
    ("\"jobs\"", "7", "x.toml:1: `name` must be a text, not an integer"),
    (
        "\"mine.Job\"",
        "\"mine..Job\"",
        "x.toml:2: `message` cannot be \"mine..Job\": a protobuf message is its full name, such as `package.Message`",
    ),
    (
        "chunk_field",
        "chunk_feild",
        "x.toml:1: a schema lacks the key `chunk_field`\nx.toml:3: unknown key `chunk_feild`, did you mean `chunk_field`?; a schema takes: name, aliases, message, chunk_field, key, key_format, recognised_by, json, column",
    ),
    ("key = \"id\"", "key = \"Id\"", "x.toml:4: key `Id` is not the field of any column, did you mean `id`?"),
    (
        "key = \"id\"",
        "key = \"vector\"",
        "x.toml:4: field `vector` cannot be the key: a key is text, int32 or int64, not vector",
    ),
    (
        "key = \"id\"",
        "key = \"years\"\nkey_format = \"uuid\"",
        "x.toml:5: `key_format = \"uuid\"` is for text, but the key `years` is int32",
    ),
    (
        "key = \"id\"",
        "key = \"id\"\nkey_format = \"uid\"",
        "x.toml:5: `key_format` cannot be \"uid\"; known: uuid",
    ),
    (
        "key = \"id\"",
        "key = \"id\"\nrecognised_by = [\"Iq\"]",
        "x.toml:5: `recognised_by` names \"Iq\", which is not among the sources of any column",
    ),
    (
        "sources = [\"Id\"]",
        "sources = []",
        "x.toml:7: `sources` is empty; name the column as source files call it",
    ),
    ("sources = [\"Id\"]\n", "", "x.toml:5: a column lacks the key `sources`"),
    ("sources = [\"Id\"]", "sources = \"Id\"", "x.toml:7: `sources` must be a list of texts, not a text"),
    (
        "sources = [\"Id\"]",
        "sources = [\"Id\", \"\"]",
        "x.toml:7: `sources` cannot be \"\": a source column has a name",
    ),
    ("sources = [\"Id\"]", "sources = [\"Id\", \"Id\"]", "x.toml:7: `sources` names \"Id\" twice"),
    ("\"Years\"", "\"Id\"", "x.toml:11: source \"Id\" is taken already by field `id` in line 7"),
    ("\"years\"", "\"id\"", "x.toml:10: field `id` stands already in line 6"),
    (
        "\"years\"",
        "\"1st\"",
        "x.toml:10: `field` cannot be \"1st\": a protobuf field is a letter or `_`, then letters, digits and `_`",
    ),
    (
        "\"int32\"",
        "\"int\"",
        "x.toml:12: `type` cannot be \"int\"; known: text, category, int32, int64, text-list, vector",
    ),
    (
        "\"int32\"",
        "\"textlist\"",
        "x.toml:12: `type` cannot be \"textlist\", did you mean `text-list`?; known: text, category, int32, int64, text-list, vector",
    ),
    (
        "\"int32\"",
        "\"text\"\ncoerce = \"years\"",
        "x.toml:13: `coerce = \"years\"` makes integers, but field `years` is text",
    ),
    (
        "\"int32\"",
        "\"int32\"\ncoerce = \"rouned\"",
        "x.toml:13: `coerce` cannot be \"rouned\", did you mean `rounded`?; known: years, rounded",
    ),
    (
        "\"int32\"",
        "\"int32\"\ncolour = 1",
        "x.toml:13: unknown key `colour`; a column takes: field, sources, type, coerce, null, dimensions",
    ),
    (
        "\"int32\"",
        "\"int32\"\nnull = \"null\"",
        "x.toml:13: `null` cannot be \"null\"; known: refuse, empty, { default = VALUE }",
    ),
    (
        "\"int32\"",
        "\"int32\"\nnull = true",
        "x.toml:13: `null` must be \"refuse\", \"empty\" or { default = VALUE }, not true or false",
    ),
    (
        "\"int32\"",
        "\"int32\"\nnull = \"empty\"",
        "x.toml:13: `null = \"empty\"` would turn each 0 of field `years` into a missing value; use `{ default = 0 }`",
    ),
    (
        "\"int32\"",
        "\"int32\"\nnull = { default = \"0\" }",
        "x.toml:13: the default of field `years` must be an integer of 32 bits, because the field is int32",
    ),
    (
        "\"int32\"",
        "\"int32\"\nnull = { default = 2147483648 }",
        "x.toml:13: the default of field `years` must be an integer of 32 bits, because the field is int32",
    ),
    (
        "\"int32\"",
        "\"int32\"\nnull = { default = 0.5 }",
        "x.toml:13: `default` must be a text or an integer, not a float",
    ),
    (
        "\"int32\"",
        "\"int32\"\nnull = { defalt = 0 }",
        "x.toml:13: unknown key `defalt`, did you mean `default`?; a null policy takes: default\nx.toml:13: a null policy lacks the key `default`",
    ),
    (
        "\"int32\"",
        "\"category\"\nnull = { default = 1 }",
        "x.toml:13: the default of field `years` must be a text, because the field is category",
    ),
    (
        "\"int32\"",
        "\"int32\"\ndimensions = [3]",
        "x.toml:13: `dimensions` is for vectors, but field `years` is int32",
    ),
    (
        "\"int32\"",
        "\"vector\"",
        "x.toml:14: field `vector` is a second vector, the first stands in line 10; a domain has exactly one",
    ),
    (
        "type = \"text\"",
        "type = \"text\"\nnull = \"empty\"",
        "x.toml:9: field `id` is the key and can never be missing: `null` must be \"refuse\" or left out",
    ),
    (
        "dimensions = [3]",
        "null = \"empty\"",
        "x.toml:17: field `vector` is the vector and can never be missing: `null` must be \"refuse\" or left out",
    ),
    ("dimensions = [3]", "dimensions = [\n384,\n0]", "x.toml:19: dimension 0 is outside 1 to 65536"),
    ("dimensions = [3]", "dimensions = [65537]", "x.toml:17: dimension 65537 is outside 1 to 65536"),
    ("dimensions = [3]", "dimensions = [-3]", "x.toml:17: dimension -3 is outside 1 to 65536"),
    (
        "dimensions = [3]",
        "dimensions = [99999999999999999999]",
        "x.toml:17: `dimensions` must be an integer of 64 bits, not an integer",
    ),
    (
        "dimensions = [3]",
        "dimensions = []",
        "x.toml:17: `dimensions` is empty; leave the key out to allow any",
    ),
    (
        "dimensions = [3]\n",
        "json = 1\n",
        "x.toml:17: unknown key `json`; a column takes: field, sources, type, coerce, null, dimensions",
    ),
    ("key = \"id\"", "key = \"id\"\njson = 1", "x.toml:5: `json` must be a table, not an integer"),
    (
        "dimensions = [3]",
        "[json]\ndomain = \"j-1\"\nkeys = [\"id\"]",
        "x.toml:18: `domain` cannot be \"j-1\": a domain's name is a letter, then letters, digits and `_`, at most 64 in all",
    ),
    ("dimensions = [3]", "[json]\ndomain = \"j\"", "x.toml:17: the table `json` lacks the key `keys`"),
    (
        "dimensions = [3]",
        "[json]\ndomain = \"j\"\nkeys = [\"id\", \"years\", \"v\"]\ncolumns = 1",
        "x.toml:20: `columns` must be a table of keys and columns, not an integer",
    ),
    (
        "dimensions = [3]",
        "[json]\ndomain = \"j\"\nkeys = [\"id\", \"years\", \"skills\"]",
        "x.toml:17: no key takes the column `vector`, which would be lost on the way",
    ),
    (
        "dimensions = [3]",
        "[json]\ndomain = \"j\"\nkeys = [\"id\", \"years\", \"skills\", \"vector\"]\ncolumns.skill = \"vector\"",
        "x.toml:20: `columns` names the key \"skill\", which is not among `keys`, did you mean `skills`?",
    ),
    (
        "dimensions = [3]",
        "[json]\ndomain = \"j\"\nkeys = [\"id\", \"years\", \"skills\", \"vector\"]\ncolumns.skills = \"vectors\"",
        "x.toml:20: key \"skills\" takes the column `vectors`, which no column has as its field, did you mean `vector`?",
    ),
    (
        "dimensions = [3]",
        "dimensions = 3",
        "x.toml:17: `dimensions` must be a list of integers, not an integer",
    ),
];

#[test]
fn every_fault_names_its_line() {
    for (from, to, expected) in GOLDEN {
        assert_eq!(&said(from, to), expected, "after {from:?} became {to:?}");
    }
}

#[test]
fn all_faults_of_a_file_are_told_at_once() {
    let broken = SMALL.replace("\"int32\"", "\"int\"").replace("[3]", "[0]").replace("name = ", "nme = ");
    let lines: Vec<usize> =
        parse(&broken, "x").expect_err("broken").faults.iter().map(|fault| fault.line).collect();
    assert_eq!(lines, [1, 1, 12, 17]);
}

#[test]
fn a_schema_without_a_vector_or_without_columns_is_refused() {
    let end = SMALL.rfind("[[column]]").expect("the vector is last");
    let message = parse(&SMALL[..end], "x.toml").expect_err("no vector").to_string();
    assert_eq!(message, "x.toml:1: no column has `type = \"vector\"`; a domain has exactly one vector");
    let start = SMALL.find("[[column]]").expect("it has columns");
    let message = parse(&SMALL[..start], "x.toml").expect_err("no columns").to_string();
    assert_eq!(message, "x.toml:1: a schema lacks the key `column`");
    assert!(said("[[column]]\nfield = \"id\"", "[column]\nfield = \"id\"").starts_with("x.toml:"));
}

#[test]
fn the_limits_hold() {
    let long = format!("{SMALL}# {}", "x".repeat(FILE_BYTES_MAX));
    let message = parse(&long, "x.toml").expect_err("too long").to_string();
    assert_eq!(
        message,
        format!("x.toml:1: the file is {} bytes long, a schema has at most 262144", long.len())
    );
    let column = |i| format!("[[column]]\nfield = \"f{i}\"\nsources = [\"s{i}\"]\ntype = \"text\"\n");
    let wide: String = std::iter::once(SMALL.to_owned()).chain((0..COLUMNS_MAX).map(column)).collect();
    let message = parse(&wide, "x.toml").expect_err("too wide").to_string();
    assert!(message.ends_with(": 1027 columns, a domain has at most 1024"), "{message}");
    assert!(
        parse(&"[".repeat(100_000), "x.toml").is_err(),
        "deep nesting is refused and does not overflow the stack"
    );
}
