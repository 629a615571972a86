//! Names of topics, shared by the messages of a thread.

use std::cell::RefCell;
use std::sync::Arc;

/// Number of names that a thread remembers.
const MAX_NAMES: usize = 16;

thread_local! {
    /// The last ones, oldest first.
    static NAMES: RefCell<Vec<Arc<str>>> = const { RefCell::new(Vec::new()) };
}

/// Returns the name, without a copy if it is among the last ones of this thread. Per thread, so that threads do
/// not count the references of the same name at the same time.
pub(crate) fn shared(name: &str) -> Arc<str> {
    let known = NAMES.try_with(|names| {
        let mut names = names.borrow_mut();
        if let Some(known) = names.iter().find(|known| ***known == *name) {
            return known.clone();
        }
        if names.len() == MAX_NAMES {
            names.remove(0);
        }
        let new: Arc<str> = name.into();
        names.push(new.clone());
        new
    });
    // A thread that ends has forgotten them.
    known.unwrap_or_else(|_| name.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_names_are_shared() {
        let first = shared("orders");
        assert!(Arc::ptr_eq(&first, &shared("orders")));
        for number in 0..MAX_NAMES {
            assert_eq!(*shared(&number.to_string()), *number.to_string());
        }
        let again = shared("orders");
        assert_eq!(again, first);
        assert!(!Arc::ptr_eq(&again, &first), "it was forgotten");
    }
}
