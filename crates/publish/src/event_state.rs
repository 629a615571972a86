//! State machine of one event: what follows from each report of the transport and the spool. Without
//! I/O, clock, locks and threads; [`Core`](crate::core::Core) carries out the effects.
//!
//! The transport and the spool are independent: the transport reports once for a message that it
//! accepted, the spool answers once for a record that it was given. The first success ends the event
//! with a receipt; the later result of the other only decides what happens to the row in the spool.

use herald_spool::{Acknowledged, KeyHash, Sequence, SpoolError};

use crate::error::PublishError;
use crate::failure::{Failure, FailureKind};
use crate::receipt::Receipt;
use crate::relay::{RowEvent, Ticket};
use crate::transport::RecordMetadata;

/// State of an event.
#[derive(Clone, Debug, Default)]
pub(crate) struct EventState {
    transport: InTransport,
    spool: InSpool,
    /// Hash of topic and key, once it was handed to the spool.
    key: Option<u64>,
    /// Weight of its row.
    row_weight: u64,
    /// Whether its outcome is decided. It is given at once, or after the failure of its key is handled.
    is_over: bool,
}

/// State of an event in the transport.
#[derive(Clone, Debug, Default)]
enum InTransport {
    /// It was not given to the transport.
    #[default]
    Untried,
    /// The transport has it and has not reported.
    Held,
    Delivered,
    Failed(Failure),
}

/// State of an event in the spool.
#[derive(Clone, Debug, Default)]
enum InSpool {
    /// It was not given to the spool.
    #[default]
    Outside,
    /// Handed to the writer of the spool, which has not answered.
    Appending(Ticket),
    /// Row of the spool.
    Row(Sequence),
    /// The spool rejected it. It is not given to the spool again: later events of its key may be there
    /// by then, and would be delivered before it.
    Refused(SpoolError),
}

/// Report about an event, or an action on it.
#[derive(Clone, Debug)]
pub(crate) enum Input {
    /// The transport accepts it.
    Sent,
    /// The cluster acknowledges it.
    Acknowledged(RecordMetadata),
    /// The transport does not accept it, or has failed it.
    Failed(Failure),
    /// It is handed to the spool.
    Appending {
        ticket: Ticket,
        /// Hash of topic and key.
        key: u64,
        /// Weight of its record.
        row_weight: u64,
    },
    /// The spool asks for its record.
    Taken,
    /// The spool has it on the disk.
    Stored(Sequence),
    /// The spool rejects it. `is_due` is set once its deadline has passed.
    Refused { error: SpoolError, is_due: bool },
    /// Its deadline has passed, and there is a spool.
    Due,
    /// It ends for another reason.
    Ended(PublishError),
}

/// Effects of an input, which [`crate::core::Core`] carries out.
#[derive(Debug, Default)]
pub(crate) struct Effects {
    /// The spool has answered for this record, with its row, if there is one.
    pub(crate) answered: Option<(Ticket, Option<Sequence>)>,
    /// Record to write to the disk.
    pub(crate) record: Option<RecordSource>,
    /// Change of the row.
    pub(crate) row: Option<RowEvent>,
    /// Whether the transport fails later events of the key too, and none may be sent meanwhile.
    pub(crate) key_fails: bool,
    /// Failure of an event that the spool does not have.
    pub(crate) failed: Option<Failure>,
    /// Outcome, at most once for an event.
    pub(crate) outcome: Option<EventOutcome>,
}

/// Source of the record of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RecordSource {
    /// The message itself: nothing else needs it.
    Message,
    /// A copy of the message, with this number of failed attempts.
    Copy { attempts: u32 },
}

/// Outcome of an event.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum EventOutcome {
    Delivered(RecordMetadata),
    Spooled(Sequence),
    Failed(PublishError),
}

impl EventState {
    /// Takes an input and returns what follows from it.
    pub(crate) fn on(&mut self, input: Input) -> Effects {
        match input {
            Input::Sent => {
                self.transport = InTransport::Held;
                Effects::default()
            }
            Input::Acknowledged(position) => self.acknowledged(position),
            Input::Failed(failure) => self.failed(failure),
            Input::Appending {
                ticket,
                key,
                row_weight,
            } => {
                self.spool = InSpool::Appending(ticket);
                self.key = Some(key);
                self.row_weight = row_weight;
                Effects::default()
            }
            Input::Taken => self.taken(),
            Input::Stored(sequence) => self.stored(sequence),
            Input::Refused { error, is_due } => self.refused(error, is_due),
            Input::Due => match &self.spool {
                InSpool::Refused(error) => {
                    let error = PublishError::Spool(error.clone());
                    self.end(EventOutcome::Failed(error))
                }
                _ => Effects::default(),
            },
            Input::Ended(error) => self.end(EventOutcome::Failed(error)),
        }
    }

    fn acknowledged(&mut self, position: RecordMetadata) -> Effects {
        self.transport = InTransport::Delivered;
        let row = match self.spool {
            InSpool::Row(sequence) => Some(self.row_acknowledged(sequence)),
            _ => None,
        };
        Effects {
            row,
            ..self.end(EventOutcome::Delivered(position))
        }
    }

    fn failed(&mut self, failure: Failure) -> Effects {
        let is_final = failure.kind == FailureKind::Permanent;
        let before = std::mem::replace(&mut self.transport, InTransport::Failed(failure.clone()));
        match &self.spool {
            // The transport never had it: another thread has spilled it between the attempt to send it
            // and this. The relay sends the row like any other, and may have done so.
            InSpool::Row(_) if !matches!(before, InTransport::Held) => Effects::default(),
            InSpool::Row(sequence) if is_final => Effects {
                row: Some(RowEvent::Rejected(*sequence, failure)),
                ..Effects::default()
            },
            InSpool::Row(sequence) => Effects {
                row: Some(RowEvent::Requeued(*sequence)),
                key_fails: true,
                ..Effects::default()
            },
            // `stored` or `refused` decides; until then the relay does not read the row.
            InSpool::Appending(_) => Effects {
                key_fails: !is_final,
                ..Effects::default()
            },
            InSpool::Refused(_) if is_final => self.end(rejected(failure, None)),
            InSpool::Refused(error) => {
                let error = PublishError::Spool(error.clone());
                Effects {
                    key_fails: true,
                    ..self.end(EventOutcome::Failed(error))
                }
            }
            InSpool::Outside if self.is_over => Effects::default(),
            InSpool::Outside => Effects {
                key_fails: !is_final,
                failed: Some(failure),
                ..Effects::default()
            },
        }
    }

    fn taken(&mut self) -> Effects {
        let InSpool::Appending(ticket) = self.spool else {
            return Effects::default();
        };
        if self.is_over {
            // It need not be written any more.
            self.spool = InSpool::Outside;
            return Effects {
                answered: Some((ticket, None)),
                ..Effects::default()
            };
        }
        let record = match self.transport {
            InTransport::Untried => RecordSource::Message,
            InTransport::Held | InTransport::Delivered => RecordSource::Copy { attempts: 0 },
            InTransport::Failed(_) => RecordSource::Copy { attempts: 1 },
        };
        Effects {
            record: Some(record),
            ..Effects::default()
        }
    }

    fn row_acknowledged(&self, sequence: Sequence) -> RowEvent {
        let key = KeyHash::new(self.key.unwrap_or_default());
        RowEvent::Acknowledged(Acknowledged::counted(sequence, key, self.row_weight))
    }

    fn stored(&mut self, sequence: Sequence) -> Effects {
        let InSpool::Appending(ticket) = self.spool else {
            return Effects::default();
        };
        self.spool = InSpool::Row(sequence);
        let (row, outcome) = match &self.transport {
            InTransport::Held => {
                let key = self.key.unwrap_or_default();
                (Some(RowEvent::Spilled(sequence, key)), None)
            }
            InTransport::Delivered => (Some(self.row_acknowledged(sequence)), None),
            InTransport::Failed(failure) if failure.kind == FailureKind::Permanent => (
                Some(RowEvent::Rejected(sequence, failure.clone())),
                Some(rejected(failure.clone(), Some(sequence))),
            ),
            InTransport::Untried | InTransport::Failed(_) => (None, None),
        };
        Effects {
            answered: Some((ticket, Some(sequence))),
            row,
            ..self.end(outcome.unwrap_or(EventOutcome::Spooled(sequence)))
        }
    }

    fn refused(&mut self, error: SpoolError, is_due: bool) -> Effects {
        let InSpool::Appending(ticket) = self.spool else {
            return Effects::default();
        };
        self.spool = InSpool::Refused(error.clone());
        let ended = match &self.transport {
            // It may still be delivered before its deadline.
            InTransport::Held if !is_due => Effects::default(),
            InTransport::Failed(failure) if failure.kind == FailureKind::Permanent => {
                let failure = failure.clone();
                self.end(rejected(failure, None))
            }
            _ => self.end(EventOutcome::Failed(PublishError::Spool(error))),
        };
        Effects {
            answered: Some((ticket, None)),
            ..ended
        }
    }

    fn end(&mut self, outcome: EventOutcome) -> Effects {
        let is_first = !std::mem::replace(&mut self.is_over, true);
        Effects {
            outcome: is_first.then_some(outcome),
            ..Effects::default()
        }
    }

    /// Returns whether the outcome of the event is decided.
    pub(crate) fn is_over(&self) -> bool {
        self.is_over
    }

    /// Returns whether the event was handed to neither the transport nor the spool.
    pub(crate) fn is_new(&self) -> bool {
        matches!(
            (&self.transport, &self.spool),
            (InTransport::Untried, InSpool::Outside)
        )
    }

    /// Returns whether the event has no outcome yet, and only the transport can give it one.
    pub(crate) fn waits_for_transport(&self) -> bool {
        !self.is_over && matches!(self.spool, InSpool::Outside | InSpool::Refused(_))
    }

    /// Returns whether the event depends on the transport alone and can be spooled. Also true if the
    /// transport has failed it already: a caller that spools later events of its key must spool it
    /// first.
    pub(crate) fn is_unsafe(&self) -> bool {
        !self.is_over && matches!(self.spool, InSpool::Outside)
    }

    /// Returns the hash of topic and key, if the event was ever handed to the spool.
    pub(crate) fn key(&self) -> Option<u64> {
        self.key
    }
}

fn rejected(failure: Failure, row: Option<Sequence>) -> EventOutcome {
    EventOutcome::Failed(PublishError::Rejected {
        failure,
        dead_letter: row.map(|sequence| Receipt::Spooled { sequence }),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::FailureCode;

    const ROW: Sequence = Sequence::new(7);
    const KEY: u64 = 11;
    const WEIGHT: u64 = 70;
    const ACKNOWLEDGED: Acknowledged = Acknowledged::counted(ROW, KeyHash::new(KEY), WEIGHT);
    const POSITION: RecordMetadata = RecordMetadata {
        partition: 0,
        offset: 3,
    };

    fn failure(kind: FailureKind) -> Failure {
        Failure::new(kind, FailureCode::Busy, "for a test")
    }

    /// The spool, as far as this event goes.
    #[derive(Clone, Copy, Default, PartialEq, Eq)]
    enum Spool {
        #[default]
        Unasked,
        HandedIn,
        /// It has the record and has not answered.
        Writing,
        HasRow,
        /// It has answered, and has no row.
        HasNoRow,
    }

    /// An event with what its surroundings know about it.
    #[derive(Clone, Default)]
    struct World {
        state: EventState,
        sent: bool,
        reported: Option<Result<(), FailureKind>>,
        spool: Spool,
        /// Whether the transport did not accept it, and the caller found it in the spool.
        is_refused_late: bool,
        is_due: bool,
        outcomes: Vec<EventOutcome>,
        /// Changes of the row that the relay learns of.
        posted: Vec<&'static str>,
        steps: Vec<String>,
    }

    impl World {
        /// Inputs that are possible now, as [`crate::core::Core`] gives them.
        fn inputs(&self) -> Vec<Input> {
            let mut inputs = Vec::new();
            if !self.sent && self.reported.is_none() && !self.is_refused_late {
                if self.state.is_new() && !self.state.is_over() {
                    inputs.push(Input::Sent);
                }
                // Another thread may have spilled it since the transport did not accept it.
                inputs.extend(
                    [FailureKind::Permanent, FailureKind::Full]
                        .map(|kind| Input::Failed(failure(kind))),
                );
            }
            if self.sent && self.reported.is_none() {
                inputs.push(Input::Acknowledged(POSITION));
                inputs.extend(
                    [FailureKind::Permanent, FailureKind::Retriable]
                        .map(|kind| Input::Failed(failure(kind))),
                );
            }
            if self.state.is_unsafe() {
                inputs.push(Input::Appending {
                    ticket: Ticket::default(),
                    key: KEY,
                    row_weight: WEIGHT,
                });
            }
            let error = SpoolError::Closed;
            let is_due = self.is_due;
            let refused = Input::Refused { error, is_due };
            match self.spool {
                Spool::HandedIn => inputs.extend([refused, Input::Taken]),
                Spool::Writing => inputs.extend([refused, Input::Stored(ROW)]),
                Spool::Unasked | Spool::HasRow | Spool::HasNoRow => {}
            }
            if !self.is_due {
                inputs.push(Input::Due);
            }
            if !self.state.is_over() {
                inputs.push(Input::Ended(PublishError::Closed));
            }
            inputs
        }

        fn after(&self, input: &Input) -> Self {
            let mut world = self.clone();
            world.steps.push(format!("{input:?}"));
            assert!(world.steps.len() < 12, "inputs without an end");
            match input {
                Input::Sent => world.sent = true,
                Input::Acknowledged(_) => world.reported = Some(Ok(())),
                Input::Failed(_) if !self.sent && self.spool == Spool::HasRow => {
                    world.is_refused_late = true;
                }
                Input::Failed(failure) => world.reported = Some(Err(failure.kind)),
                Input::Appending { .. } => world.spool = Spool::HandedIn,
                Input::Due => world.is_due = true,
                Input::Taken | Input::Stored(_) | Input::Refused { .. } | Input::Ended(_) => {}
            }
            let was_over = self.state.is_over();
            let effects = world.state.on(input.clone());
            // The event itself, if the spool does not have it, and those behind it.
            let (mut fails, mut key_fails) = (false, false);
            if let Input::Failed(failure) = input
                && !world.is_refused_late
            {
                let is_outside = matches!(self.state.spool, InSpool::Outside);
                fails = is_outside && !was_over;
                key_fails = failure.kind != FailureKind::Permanent && (fails || !is_outside);
            }
            assert_eq!(effects.failed.is_some(), fails);
            assert_eq!(effects.key_fails, key_fails);
            if let Some((_, row)) = effects.answered {
                assert!(self.spool == Spool::HandedIn || self.spool == Spool::Writing);
                world.spool = match row {
                    Some(_) => Spool::HasRow,
                    None => Spool::HasNoRow,
                };
            }
            if let Some(record) = effects.record {
                assert!(!was_over, "written although it has its outcome");
                // Nothing is left for the transport then.
                let expected = match (self.sent, self.reported) {
                    (false, None) => RecordSource::Message,
                    (_, Some(Err(_))) => RecordSource::Copy { attempts: 1 },
                    (_, None | Some(Ok(()))) => RecordSource::Copy { attempts: 0 },
                };
                assert_eq!(record, expected);
                world.spool = Spool::Writing;
            }
            world.posted.extend(effects.row.map(|row| match row {
                RowEvent::Spilled(ROW, KEY) => "spilled",
                RowEvent::Requeued(ROW) => "requeued",
                RowEvent::Acknowledged(record) if record == ACKNOWLEDGED => "acknowledged",
                RowEvent::Rejected(ROW, _) => "rejected",
                other => panic!("{other:?}"),
            }));
            match input {
                Input::Taken => assert!(effects.record.is_some() || effects.answered.is_some()),
                Input::Stored(_) | Input::Refused { .. } => assert!(effects.answered.is_some()),
                _ => assert_eq!(effects.answered, None),
            }
            if let Input::Stored(_) = input {
                let is_held = self.sent && self.reported.is_none();
                assert_eq!(world.posted == ["spilled"], is_held);
            }
            if let Some(outcome) = effects.outcome {
                world.check_outcome(&outcome);
                world.outcomes.push(outcome);
            }
            world
        }

        fn check(&self) {
            assert!(self.outcomes.len() <= 1, "{:?}", self.outcomes);
            let is_over = self.state.is_over();
            assert_eq!(is_over, self.outcomes.len() == 1);
            let is_unsafe = !is_over && self.spool == Spool::Unasked;
            assert_eq!(self.state.is_unsafe(), is_unsafe);
            let is_refused = !is_over && self.spool == Spool::HasNoRow;
            assert_eq!(self.state.waits_for_transport(), is_unsafe || is_refused);
            let is_answered = matches!(self.spool, Spool::HasRow | Spool::HasNoRow);
            assert!(
                self.state.is_over() || !(self.is_due && is_answered),
                "waits beyond its deadline"
            );
        }

        fn check_outcome(&self, outcome: &EventOutcome) {
            let has_row = self.spool == Spool::HasRow;
            let is_rejected = self.reported == Some(Err(FailureKind::Permanent));
            match outcome {
                EventOutcome::Delivered(_) => assert_eq!(self.reported, Some(Ok(()))),
                EventOutcome::Spooled(_) => assert!(has_row && !is_rejected),
                EventOutcome::Failed(PublishError::Rejected { dead_letter, .. }) => {
                    assert!(is_rejected && dead_letter.is_some() == has_row);
                }
                EventOutcome::Failed(PublishError::Spool(_)) => {
                    assert!(self.spool == Spool::HasNoRow && !is_rejected);
                }
                EventOutcome::Failed(_) => {}
            }
        }

        /// Nothing more will happen.
        fn check_end(&self) {
            assert!(self.state.is_over(), "no outcome");
            let expected: &[&str] = match (self.spool == Spool::HasRow, self.reported) {
                // The relay reads rows of which it learns nothing, and sends them.
                (false, _) | (true, None) => &[],
                (true, Some(Ok(()))) => &["acknowledged"],
                (true, Some(Err(FailureKind::Permanent))) => &["rejected"],
                (true, Some(Err(_))) => &["requeued"],
            };
            let (was_held, last) = match self.posted.as_slice() {
                ["spilled", rest @ ..] => (true, rest),
                rest => (false, rest),
            };
            // It has failed before it was a row.
            let is_known = last.is_empty() && !was_held && expected == ["requeued"];
            assert!(last == expected || is_known, "{:?}", self.posted);
        }
    }

    /// Tries every order of inputs.
    #[test]
    fn every_event_has_one_outcome_and_every_row_is_known_to_the_relay() {
        let mut ends = 0;
        let mut worlds = vec![World::default()];
        while let Some(world) = worlds.pop() {
            let inputs = world.inputs();
            let steps = world.steps.clone();
            let outcome = std::panic::catch_unwind(|| {
                world.check();
                if inputs.is_empty() {
                    world.check_end();
                }
                let next: Vec<_> = inputs.iter().map(|input| world.after(input)).collect();
                next
            });
            ends += usize::from(inputs.is_empty());
            match outcome {
                Ok(next) => worlds.extend(next),
                Err(panic) => {
                    eprintln!("{steps:#?}");
                    std::panic::resume_unwind(panic);
                }
            }
        }
        assert!(ends > 100, "{ends} orders of inputs");
    }
}
