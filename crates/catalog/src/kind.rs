//! Kinds of nodes, and the words that contracts use for them.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// Kind of a node: its role in the platform.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Interacts with the outside world.
    Effect,
    /// Computes; no side effects.
    Compute,
    /// Folds events into state.
    Reducer,
    /// Coordinates other nodes.
    Orchestrator,
}

/// Every word for a kind; the first of each is its name.
const WORDS: [(&str, Kind); 17] = [
    ("effect", Kind::Effect),
    ("tool", Kind::Effect),
    ("agent", Kind::Effect),
    ("compute", Kind::Compute),
    ("service", Kind::Compute),
    ("transformer", Kind::Compute),
    ("aggregator", Kind::Compute),
    ("function", Kind::Compute),
    ("model", Kind::Compute),
    ("plugin", Kind::Compute),
    ("schema", Kind::Compute),
    ("node", Kind::Compute),
    ("reducer", Kind::Reducer),
    ("orchestrator", Kind::Orchestrator),
    ("workflow", Kind::Orchestrator),
    ("gateway", Kind::Orchestrator),
    ("validator", Kind::Orchestrator),
];

impl Kind {
    /// All kinds, in the order that messages list them.
    pub const ALL: [Self; 4] = [
        Self::Effect,
        Self::Compute,
        Self::Reducer,
        Self::Orchestrator,
    ];

    /// The name at the start of event types.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Effect => "effect",
            Self::Compute => "compute",
            Self::Reducer => "reducer",
            Self::Orchestrator => "orchestrator",
        }
    }

    /// Reads any word that ONEX contracts use, regardless of case and a `_GENERIC` at the end.
    pub fn from_onex(word: &str) -> Option<Self> {
        let word = word.trim().to_ascii_lowercase();
        let word = word.strip_suffix("_generic").unwrap_or(&word);
        WORDS
            .iter()
            .find(|(known, _)| *known == word)
            .map(|(_, kind)| *kind)
    }
}

impl FromStr for Kind {
    type Err = UnknownKind;

    /// Reads one of the four names, in any case.
    fn from_str(name: &str) -> Result<Self, UnknownKind> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.as_str().eq_ignore_ascii_case(name))
            .ok_or_else(|| UnknownKind(name.to_owned()))
    }
}

/// Error for a word that names no kind of node.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("`{0}` is not a kind of node; use effect, compute, reducer or orchestrator")]
pub struct UnknownKind(pub String);

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
