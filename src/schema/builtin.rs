//! The domains that ship inside the program, parsed on first use from the very files that users copy.

use std::sync::LazyLock;

use super::{Domain, parse::parse_unchecked_names};

const FILES: &[(&str, &str)] = &[
    ("schemas/recruit.toml", include_str!("../../schemas/recruit.toml")),
    ("schemas/candidate.toml", include_str!("../../schemas/candidate.toml")),
    ("schemas/skill_embedding_dic.toml", include_str!("../../schemas/skill_embedding_dic.toml")),
];

static BUILTIN: LazyLock<Vec<Domain>> = LazyLock::new(|| {
    let load = |(file, text): &(&str, &str)| {
        parse_unchecked_names(text, file).expect("a test loads every built-in file")
    };
    FILES.iter().map(load).collect()
});

/// The built-in domains.
pub fn builtin() -> &'static [Domain] {
    &BUILTIN
}

/// The built-in domain of this name or alias.
pub fn find(name_or_alias: &str) -> Option<&'static Domain> {
    builtin().iter().find(|domain| domain.is_called(name_or_alias))
}
