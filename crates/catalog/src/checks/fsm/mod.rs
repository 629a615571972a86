//! `fsm.*`: states and transitions.

pub(crate) mod terminal_disagreement;
pub(crate) mod unknown_state;
