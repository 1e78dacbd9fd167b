//! Whether the upstream is suspected to hang, and who may try it then.
//!
//! A suspicion is raised when a client has waited in vain and ends with the next answer of any kind. As long as it holds,
//! nobody who can be given an old answer waits; one background question at a time finds out.

use std::sync::Arc;

use parking_lot::Mutex;

/// Shared by all flights.
#[derive(Clone, Default)]
pub(crate) struct Suspicion(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    raised: bool,
    probing: bool,
}

/// The right to ask the upstream now; ends when it is dropped.
pub(crate) struct Probe(Suspicion);

impl Suspicion {
    pub(crate) fn raise(&self) {
        self.0.lock().raised = true;
    }

    /// The upstream has answered.
    pub(crate) fn clear(&self) {
        self.0.lock().raised = false;
    }

    pub(crate) fn holds(&self) -> bool {
        self.0.lock().raised
    }

    /// The right to find out, for the first who asks.
    pub(crate) fn probe(&self) -> Option<Probe> {
        let mut state = self.0.lock();
        (!std::mem::replace(&mut state.probing, true)).then(|| Probe(self.clone()))
    }
}

impl Drop for Probe {
    fn drop(&mut self) {
        self.0.0.lock().probing = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_at_a_time_finds_out() {
        let suspicion = Suspicion::default();
        assert!(!suspicion.holds());
        suspicion.raise();
        assert!(suspicion.holds());
        let probe = suspicion.probe();
        assert!(probe.is_some() && suspicion.probe().is_none());
        drop(probe);
        assert!(suspicion.probe().is_some());
        suspicion.clear();
        assert!(!suspicion.holds());
    }
}
