//! "Did you mean": finds the name that was probably meant among the names that exist.

/// The candidate that differs from `name` only in case and punctuation, or else by one or two letters.
pub fn nearest<'a>(name: &str, candidates: &[&'a str]) -> Option<&'a str> {
    let plain = folded(name);
    let distance = |candidate: &&'a str| (edits(&plain, &folded(candidate)), *candidate);
    let (edits, candidate) = candidates.iter().map(distance).min_by_key(|(edits, _)| *edits)?;
    (edits <= allowed(plain.len())).then_some(candidate)
}

/// Short names are all near to each other, so they must be the same but for case and punctuation.
fn allowed(length: usize) -> usize {
    match length {
        0..=3 => 0,
        4..=6 => 1,
        _ => 2,
    }
}

/// Longer names are cut: the distance costs the product of both lengths, and a column name may be megabytes long.
const COMPARED_MAX: usize = 64;

fn folded(name: &str) -> Vec<char> {
    name.chars()
        .filter(|letter| letter.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .take(COMPARED_MAX)
        .collect()
}

/// Levenshtein's distance, one row of the table at a time.
fn edits(from: &[char], to: &[char]) -> usize {
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (i, a) in from.iter().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, b) in to.iter().enumerate() {
            let substituted = diagonal + usize::from(a != b);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[to.len()]
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn case_and_punctuation_do_not_matter() {
        assert_eq!(nearest("Company Name", &["id", "company_name"]), Some("company_name"));
        assert_eq!(nearest("Exp Years", &["ExpYears", "English"]), Some("ExpYears"));
    }

    #[test]
    fn slips_of_the_finger_are_found_and_the_nearest_wins() {
        assert_eq!(nearest("dimensions", &["dimension", "dimensons", "kind"]), Some("dimension"));
        assert_eq!(nearest("field", &["fields", "filter"]), Some("fields"));
    }

    #[test]
    fn strangers_and_short_names_are_not() {
        assert_eq!(nearest("vector", &["price", "colour"]), None);
        assert_eq!(nearest("id", &["is", "no"]), None);
        assert_eq!(nearest("id", &["ID"]), Some("ID"));
        assert_eq!(nearest("id", &[]), None);
    }

    #[test]
    fn names_of_any_length_cost_little() {
        let long = "x".repeat(4 << 20);
        assert_eq!(nearest("vector", &[&long]), None);
    }
}
