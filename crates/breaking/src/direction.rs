//! Directions of compatibility.

use std::fmt;
use std::str::FromStr;

/// A pair of parties that a change can separate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Direction {
    /// An old consumer reads new events.
    Consumer,
    /// A new consumer reads old events.
    Producer,
    /// Code for the old generated module uses the new one.
    Source,
}

impl Direction {
    /// All directions, in the order of reports.
    pub const ALL: [Self; 3] = [Self::Consumer, Self::Producer, Self::Source];

    /// The word on the command line and in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Consumer => "consumer",
            Self::Producer => "producer",
            Self::Source => "source",
        }
    }
}

impl fmt::Display for Direction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Direction {
    type Err = UnknownDirection;

    fn from_str(text: &str) -> Result<Self, UnknownDirection> {
        let mut all = Self::ALL.into_iter();
        all.find(|direction| direction.as_str() == text)
            .ok_or_else(|| UnknownDirection(text.to_owned()))
    }
}

/// A word that is not a direction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownDirection(pub String);

impl fmt::Display for UnknownDirection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "`{}` is not a direction; use consumer, producer or source",
            self.0
        )
    }
}

impl std::error::Error for UnknownDirection {}

/// A set of directions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Directions(u8);

impl Directions {
    /// No direction.
    pub const NONE: Self = Self(0);
    /// [`Direction::Consumer`] alone.
    pub const CONSUMER: Self = Self(1);
    /// [`Direction::Producer`] alone.
    pub const PRODUCER: Self = Self(2);
    /// [`Direction::Source`] alone.
    pub const SOURCE: Self = Self(4);
    /// All directions.
    pub const ALL: Self = Self(7);

    /// The union of two sets.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// The directions that are in both sets.
    #[must_use]
    pub const fn within(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// This set if `condition` holds, else the empty set.
    #[must_use]
    pub const fn when(self, condition: bool) -> Self {
        if condition { self } else { Self::NONE }
    }

    /// Whether no direction is in the set.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether a direction is in the set.
    pub fn contains(self, direction: Direction) -> bool {
        !self.within(direction.into()).is_empty()
    }

    /// The directions of the set, in the order of reports.
    pub fn iter(self) -> impl Iterator<Item = Direction> {
        let all = Direction::ALL.into_iter();
        all.filter(move |direction| self.contains(*direction))
    }
}

impl From<Direction> for Directions {
    fn from(direction: Direction) -> Self {
        match direction {
            Direction::Consumer => Self::CONSUMER,
            Direction::Producer => Self::PRODUCER,
            Direction::Source => Self::SOURCE,
        }
    }
}

impl FromIterator<Direction> for Directions {
    fn from_iter<T: IntoIterator<Item = Direction>>(directions: T) -> Self {
        let sets = directions.into_iter().map(Self::from);
        sets.fold(Self::NONE, Self::and)
    }
}

impl fmt::Display for Directions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.iter().map(Direction::as_str).collect();
        f.write_str(&names.join(", "))
    }
}
