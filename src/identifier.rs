//! UUIDs: what spells one, and how new ones are made.
//!
//! RFC 9562. Keys of any version are taken; made are version 5, which the same name always gives again, and version 7,
//! which sorts by the time it was made.

use std::fmt;

pub use uuid::Uuid;

use uuid::Variant;

/// Characters of a UUID in its usual form, with hyphens.
pub const TEXT_BYTES: usize = 36;

/// The UUID that `text` spells, in either case.
///
/// Only the hyphenated form counts: 32 digits without hyphens may just as well be some other digest, and one row would
/// have two keys if both were taken.
pub fn parse(text: &str) -> Option<Uuid> {
    if text.len() == TEXT_BYTES { Uuid::try_parse_ascii(text.as_bytes()).ok() } else { None }
}

/// The UUID that `text` spells in a form that is no key: without hyphens, in braces, or as a URN.
pub fn parse_other_form(text: &str) -> Option<Uuid> {
    Uuid::try_parse_ascii(text.as_bytes()).ok()
}

/// Version 5 of `name` in the namespace DNS, which is where the published system makes its ids, whatever the name is.
pub fn of_name(name: &str) -> Uuid {
    Uuid::new_v5(&Uuid::NAMESPACE_DNS, name.as_bytes())
}

/// Version 7 of this moment: larger than all that this process made before, also within one millisecond.
pub fn of_now() -> Uuid {
    Uuid::now_v7()
}

/// What the bits of a UUID say of how it was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Making {
    /// The version; none for those of no meaning there: nil, max and variants other than the RFC's.
    pub version: Option<u8>,
    /// The variant, or that it is nil or max.
    pub variant: &'static str,
}

impl Making {
    /// How `id` was made.
    pub fn of(id: &Uuid) -> Self {
        let of_variant = |variant| Self { version: None, variant };
        match id.get_variant() {
            _ if id.is_nil() => of_variant("nil"),
            _ if id.is_max() => of_variant("max"),
            Variant::RFC4122 => Self { version: Some(id.get_version_num() as u8), variant: "RFC 9562" },
            Variant::NCS => of_variant("NCS"),
            Variant::Microsoft => of_variant("Microsoft"),
            _ => of_variant("reserved"),
        }
    }
}

impl fmt::Display for Making {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.version {
            Some(version) => write!(f, "version {version}, variant {}", self.variant),
            None if matches!(self.variant, "nil" | "max") => f.write_str(self.variant),
            None => write!(f, "variant {}", self.variant),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn one_name_is_one_id_as_python_makes_it() {
        // uuid.uuid5(uuid.NAMESPACE_DNS, name) of Python.
        for (name, id) in [
            ("python.org", "886313e1-3b8a-5372-9b90-0c9aee199e5d"),
            ("", "4ebd0208-8328-5d69-8c44-ec50939c0967"),
            ("Київ", "d295823d-8a29-57a1-9396-1d6e1ede9e52"),
        ] {
            assert_eq!(of_name(name).to_string(), id, "{name}");
        }
    }

    #[test]
    fn ids_of_now_differ_and_rise() {
        let ids: Vec<Uuid> = (0..20_000).map(|_| of_now()).collect();
        assert!(ids.is_sorted() && ids.iter().collect::<HashSet<_>>().len() == ids.len());
        assert!(ids.iter().all(|id| Making::of(id) == Making { version: Some(7), variant: "RFC 9562" }));
    }

    #[test]
    fn only_36_characters_with_hyphens_are_an_id() {
        let id = "c0ca96e7-85df-50df-a64e-d934cd02a170";
        assert_eq!(parse(id), parse(&id.to_uppercase()));
        assert_eq!(parse(id).unwrap().to_string(), id);
        let others =
            ["", "not-a-uuid", &id[1..], &id.replace('-', ""), &format!("{{{id}}}"), &format!("{id} ")];
        for text in others
            .into_iter()
            .chain(["c0ca96e7-85df-50df-a64e-d934cd02a17g", "c0ca96e785-df-50df-a64e-d934cd02a170"])
        {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn the_bits_say_how_an_id_was_made() {
        for (id, said) in [
            ("c0ca96e7-85df-50df-a64e-d934cd02a170", "version 5, variant RFC 9562"),
            ("00000000-0000-0000-0000-000000000000", "nil"),
            ("ffffffff-ffff-ffff-ffff-ffffffffffff", "max"),
            ("00000000-0000-0000-8000-000000000000", "version 0, variant RFC 9562"),
            ("00000000-0000-4000-0000-000000000001", "variant NCS"),
            ("00000000-0000-4000-c000-000000000001", "variant Microsoft"),
            ("00000000-0000-4000-e000-000000000001", "variant reserved"),
        ] {
            assert_eq!(Making::of(&parse(id).unwrap()).to_string(), said, "{id}");
        }
    }
}
