//! Suggestions for misspelled words.

/// Maximum length, in bytes, of a word that is compared: time and memory of a comparison grow with
/// the product of both lengths, and both may come from files of strangers.
const MAX_LENGTH: usize = 256;

/// Returns the candidate that `word` is most likely a misspelling of.
///
/// One edit (an insertion, a deletion, a substitution or a swap of neighbours) is tolerated for every
/// three characters; case is ignored. Of several equally similar candidates, the first in the alphabet
/// is returned, regardless of their order. Never returns `word` itself.
pub fn did_you_mean<'a>(
    word: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    if word.len() > MAX_LENGTH {
        return None;
    }
    let wanted = word.to_lowercase();
    let tolerated = wanted.chars().count() / 3;
    candidates
        .into_iter()
        .filter(|candidate| *candidate != word && candidate.len() <= MAX_LENGTH)
        .map(|candidate| (distance(&wanted, candidate), candidate))
        .filter(|(distance, _)| *distance <= tolerated)
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
    fn suggests_the_candidate_of_a_misspelled_word() {
        assert_eq!(did_you_mean("orchestratr", KINDS), Some("orchestrator"));
        assert_eq!(did_you_mean("efect", KINDS), Some("effect"));
        assert_eq!(did_you_mean("reduecr", KINDS), Some("reducer"));
    }

    #[test]
    fn ignores_case() {
        assert_eq!(did_you_mean("COMPUTE", KINDS), Some("compute"));
        assert_eq!(did_you_mean("id", ["ID"]), Some("ID"));
    }

    #[test]
    fn suggests_nothing_for_other_words() {
        assert_eq!(did_you_mean("gateway", KINDS), None);
        assert_eq!(did_you_mean("", KINDS), None);
        assert_eq!(did_you_mean("a", ["b"]), None);
    }

    #[test]
    fn never_suggests_the_word_itself() {
        assert_eq!(did_you_mean("effect", KINDS), None);
    }

    #[test]
    fn ignores_the_order_of_candidates() {
        assert_eq!(did_you_mean("cat", ["cut", "bat", "hat"]), Some("bat"));
        assert_eq!(did_you_mean("cat", ["hat", "cut", "bat"]), Some("bat"));
    }

    #[test]
    fn suggests_the_most_similar_candidate() {
        assert_eq!(
            did_you_mean("operations", ["operator", "operation"]),
            Some("operation")
        );
    }

    #[test]
    fn does_not_compare_huge_words() {
        let huge = "x".repeat(1 << 20);
        let near = "x".repeat((1 << 20) - 1);
        assert_eq!(did_you_mean(&huge, [near.as_str()]), None);
    }
}
