//! Exceptions of `herald.yaml` from the rules of breaking changes.

use globset::{GlobBuilder, GlobMatcher};
use herald_breaking::{Change, Directions};
use herald_catalog::checks::config;
use herald_diagnostics::Diagnostic;
use herald_project::Project;
use herald_project::breaking::Ignore;
use jiff::civil::Date;

use crate::Error;
use crate::format::{count, today};
use crate::lock_file::Root;
use crate::terminal::{self, DIM};

/// Days before the last one from which a note names it.
const NOTICE_DAYS: i32 = 14;

/// Exceptions of a project, and what they were needed for so far.
pub struct Exceptions<'a> {
    project: &'a Project,
    root: Root,
    wanted: Directions,
    today: Date,
    ignores: Vec<Matcher<'a>>,
    unstable: Vec<GlobMatcher>,
    allowed: usize,
}

struct Matcher<'a> {
    ignore: &'a Ignore,
    path: Option<GlobMatcher>,
    event: Option<GlobMatcher>,
    is_used: bool,
}

impl<'a> Exceptions<'a> {
    /// The exceptions of a project, for changes that break one of these directions.
    pub fn new(project: &'a Project, wanted: Directions) -> Result<Self, Error> {
        let settings = &project.breaking;
        let ignores = settings.ignores.iter().map(|ignore| Matcher {
            path: ignore.path.as_deref().and_then(matcher),
            event: ignore.event.as_deref().and_then(matcher),
            ignore,
            is_used: false,
        });
        let unstable = settings.unstable.iter();
        Ok(Self {
            project,
            root: Root::of(project)?,
            wanted,
            today: today(),
            ignores: ignores.collect(),
            unstable: unstable.filter_map(|glob| matcher(&glob.value)).collect(),
            allowed: 0,
        })
    }

    /// Whether a change is not reported.
    pub fn allow(&mut self, change: &Change) -> bool {
        if change.breaks.within(self.wanted).is_empty() {
            return true;
        }
        let code = change.rule.rule.code;
        if self.project.breaking.except.iter().any(|one| one == code) {
            return true;
        }
        let path = self.root.relative(&change.path);
        let is_allowed = self.is_ignored(change, &path) || self.is_unstable(change, &path);
        self.allowed += usize::from(is_allowed);
        is_allowed
    }

    fn is_ignored(&mut self, change: &Change, path: &str) -> bool {
        let today = self.today;
        let found = self.ignores.iter_mut().find(|matcher| {
            let events = &change.events;
            let ignore = matcher.ignore;
            ignore.rule == change.rule.rule.code
                && ignore.until.is_none_or(|last| last >= today)
                && (matcher.path.as_ref()).is_none_or(|glob| glob.is_match(path))
                && (matcher.event.as_ref()).is_none_or(|glob| {
                    !events.is_empty() && events.iter().all(|event| glob.is_match(event))
                })
        });
        found.map(|matcher| matcher.is_used = true).is_some()
    }

    /// Whether everything that the change is about is unstable.
    fn is_unstable(&self, change: &Change, path: &str) -> bool {
        let matches = |text: &String| self.unstable.iter().any(|glob| glob.is_match(text));
        let mut events = change.events.iter().zip(&change.topics);
        matches(&path.to_owned())
            || !change.events.is_empty()
                && change.events.len() == change.topics.len()
                && events.all(|(event, topic)| matches(event) || matches(topic))
    }

    /// Prints what is odd about the exceptions on standard error; `is_whole` if the run would find
    /// every use of them.
    pub fn report(&self, is_whole: bool) {
        let mut diagnostics = Vec::new();
        for matcher in &self.ignores {
            diagnostics.extend(self.state(matcher, is_whole));
        }
        if !diagnostics.is_empty() {
            terminal::report(diagnostics, self.project.sources.clone());
        }
    }

    fn state(&self, matcher: &Matcher<'_>, is_whole: bool) -> Option<Diagnostic> {
        let ignore = matcher.ignore;
        let what = format!("the exception from `{}`", ignore.rule);
        match ignore.until {
            Some(last) if last < self.today => {
                Some(config::expired(&what, &last.to_string(), ignore.location))
            }
            _ if is_whole && !matcher.is_used => Some(config::unused(&what, ignore.location)),
            Some(last) if days_between(self.today, last) <= NOTICE_DAYS => Some(
                config::expires_soon(&what, &last.to_string(), ignore.location),
            ),
            _ => None,
        }
    }

    /// Prints how many changes are not reported.
    pub fn summarize(&self) {
        if self.allowed > 0 {
            let changes = count(self.allowed, "breaking change");
            terminal::status(&format!("{DIM}{changes} allowed by herald.yaml{DIM:#}"));
        }
    }
}

fn matcher(glob: &str) -> Option<GlobMatcher> {
    // The reader of herald.yaml has reported those that are not valid.
    let glob = GlobBuilder::new(glob).literal_separator(true).build();
    glob.ok().map(|glob| glob.compile_matcher())
}

fn days_between(from: Date, to: Date) -> i32 {
    from.until(to).map_or(i32::MAX, |span| span.get_days())
}
