//! What somebody probably meant to write.

/// Longest word, in bytes, that is compared: the time and memory of a comparison grow with the
/// product of both lengths, and both come from files that we did not write.
const MAX_LENGTH: usize = 256;

/// The candidate that `word` is most likely a misspelling of.
///
/// One edit (a letter added, lost, changed, or swapped with its neighbour) is forgiven for every
/// three letters; upper and lower case are the same. Of candidates equally near, the first in
/// the alphabet is taken, whatever their order. Never returns `word` itself.
pub fn did_you_mean<'a>(
    word: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    if word.len() > MAX_LENGTH {
        return None;
    }
    let wanted = word.to_lowercase();
    let forgiven = wanted.chars().count() / 3;
    candidates
        .into_iter()
        .filter(|candidate| *candidate != word && candidate.len() <= MAX_LENGTH)
        .map(|candidate| (distance(&wanted, candidate), candidate))
        .filter(|(distance, _)| *distance <= forgiven)
        .min()
        .map(|(_, candidate)| candidate)
}

fn distance(wanted: &str, candidate: &str) -> usize {
    strsim::damerau_levenshtein(wanted, &candidate.to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::did_you_mean;

    const KINDS: [&str; 4] = ["effect", "compute", "reducer", "orchestrator"];

    #[test]
    fn a_misspelt_word_finds_its_candidate() {
        assert_eq!(did_you_mean("orchestratr", KINDS), Some("orchestrator"));
        assert_eq!(did_you_mean("efect", KINDS), Some("effect"));
        assert_eq!(did_you_mean("reduecr", KINDS), Some("reducer"));
    }

    #[test]
    fn case_does_not_matter() {
        assert_eq!(did_you_mean("COMPUTE", KINDS), Some("compute"));
        assert_eq!(did_you_mean("id", ["ID"]), Some("ID"));
    }

    #[test]
    fn a_word_of_its_own_finds_nothing() {
        assert_eq!(did_you_mean("gateway", KINDS), None);
        assert_eq!(did_you_mean("", KINDS), None);
        assert_eq!(did_you_mean("a", ["b"]), None);
    }

    #[test]
    fn a_correct_word_is_not_suggested_to_itself() {
        assert_eq!(did_you_mean("effect", KINDS), None);
    }

    #[test]
    fn the_order_of_candidates_does_not_matter() {
        assert_eq!(did_you_mean("cat", ["cut", "bat", "hat"]), Some("bat"));
        assert_eq!(did_you_mean("cat", ["hat", "cut", "bat"]), Some("bat"));
    }

    #[test]
    fn the_nearest_wins() {
        assert_eq!(
            did_you_mean("operations", ["operator", "operation"]),
            Some("operation")
        );
    }

    #[test]
    fn huge_words_are_not_compared() {
        let huge = "x".repeat(1 << 20);
        let near = "x".repeat((1 << 20) - 1);
        assert_eq!(did_you_mean(&huge, [near.as_str()]), None);
    }
}
