//! Keeps what a run does out of the log: a log tells what happens, and a run tells what happened or would.

use tracing::dispatcher::{Dispatch, with_default};

/// Calls `work`, and lets nobody hear what is traced on this thread meanwhile, by the engine or by its rules.
pub(super) fn quietly<V>(work: impl FnOnce() -> V) -> V {
    with_default(&Dispatch::none(), work)
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::{Arc, Mutex};

    use tracing::subscriber::with_default as heard_by;
    use tracing::warn;

    use super::quietly;

    #[derive(Clone, Default)]
    struct Heard(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Heard {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn nothing_is_heard_meanwhile_and_everything_before_and_after() {
        let heard = Heard::default();
        let writer = heard.clone();
        let log = tracing_subscriber::fmt().with_writer(move || writer.clone()).finish();
        heard_by(log, || {
            let say = |word| warn!("{word}");
            say("before");
            quietly(|| say("meanwhile"));
            say("after");
        });
        let heard = String::from_utf8(heard.0.lock().unwrap().clone()).unwrap();
        assert!(heard.contains("before") && heard.contains("after"), "{heard}");
        assert!(!heard.contains("meanwhile"), "{heard}");
    }
}
