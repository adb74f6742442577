//! State that a forked process must not inherit.

use std::process;
use std::sync::atomic::{AtomicU32, Ordering};

/// How many processes, each a fork of the one before, can use one value.
const MAX_GENERATIONS: usize = 8;

/// A value shared by threads, one for each process.
///
/// `fork` copies the memory but only the thread that called it. A mutex held by another thread stays locked forever in
/// the child, and a lane that it led is never given back. So the child starts with a value of its own:
///
/// ```text
/// parent, 4711     [4711: locked] [0: default] [0: default] …
/// its fork, 4712   [4711: locked] [4712: …   ] [0: default] …    the first is left as it is
/// ```
///
/// Only the process itself ever touches its value, so no fork finds it half changed; and claiming one takes a single
/// atomic step, so no fork finds it half claimed. If process numbers come from several namespaces, a fork with the
/// number of its ancestor is not recognized as another process.
#[derive(Debug)]
pub(super) struct PerProcess<T> {
    generations: [Generation<T>; MAX_GENERATIONS],
}

#[derive(Debug, Default)]
struct Generation<T> {
    /// 0 while no process has claimed it.
    process: AtomicU32,
    value: T,
}

/// The values are used up: too many processes in a row, each a fork of the one before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this process is too many forks away from the one that opened the directory")]
pub(super) struct TooManyForks;

impl<T: Default> Default for PerProcess<T> {
    fn default() -> Self {
        Self {
            generations: std::array::from_fn(|_| Generation::default()),
        }
    }
}

impl<T> PerProcess<T> {
    /// The value of this process.
    pub(super) fn get(&self) -> Result<&T, TooManyForks> {
        self.of(process::id())
    }

    fn of(&self, process: u32) -> Result<&T, TooManyForks> {
        let own = self.generations.iter().find(|generation| {
            let claimed = generation.process.compare_exchange(
                0,
                process,
                Ordering::AcqRel,
                Ordering::Acquire,
            );
            claimed.is_ok() || claimed == Err(process)
        });
        own.map(|generation| &generation.value).ok_or(TooManyForks)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_process_has_its_own_value() {
        let values = PerProcess::<AtomicU32>::default();
        for process in 1..=8 {
            let value = values.of(process).unwrap();
            assert_eq!(value.fetch_add(process, Ordering::Relaxed), 0);
        }
        for process in 1..=8 {
            assert_eq!(values.of(process).unwrap().load(Ordering::Relaxed), process);
        }
        assert_eq!(values.of(9).unwrap_err(), TooManyForks);
    }

    #[test]
    fn threads_of_a_process_share_it() {
        let values = PerProcess::<AtomicU32>::default();
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| values.get().unwrap().fetch_add(1, Ordering::Relaxed));
            }
        });
        assert_eq!(values.get().unwrap().load(Ordering::Relaxed), 8);
    }
}
